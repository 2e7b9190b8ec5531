//! The wire: one API server, spoken to with plain JSON at a bounded rate, and its refusals as one typed error.
//!
//! Nothing is retried here: who retries, shows it.

use std::time::Duration;

use berth_procedure::{ObjectRef, Selector};
use futures::{Stream, StreamExt};
use http::{Method, Request, header};
use http_body_util::BodyExt;
use kube::core::WatchEvent;
use serde_json::{Value, json};
use tokio::time;

use crate::FIELD_MANAGER;

mod error;
mod path;
mod throttle;

pub use error::{RequestError, RequestErrorKind};
pub(crate) use throttle::Throttle;

/// A request that is not answered within this time counts as not answered at all.
const ANSWER: Duration = Duration::from_secs(30);

/// How many objects a page of a list holds.
const PAGE: usize = 500;

/// One API server.
#[derive(Clone)]
pub(crate) struct Api {
    client: kube::Client,
    throttle: Throttle,
}

/// What a read of one object found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    Object(Value),
    Absent,
    /// The server does not have this kind.
    NoKind,
}

/// A list as of one moment.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) items: Vec<Value>,
    pub(crate) version: String,
}

/// Whether a write is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The server answers as if, and keeps nothing.
    DryRun,
    Write,
}

/// A body and its media type.
struct Body<'a> {
    media: &'static str,
    content: &'a Value,
}

type Result<T, E = RequestError> = std::result::Result<T, E>;

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl Api {
    pub(crate) fn new(client: kube::Client, throttle: Throttle) -> Self {
        Self { client, throttle }
    }

    /// One object.
    pub(crate) async fn get(&self, object: &ObjectRef) -> Result<Found> {
        let path = path::object(object);
        match self.request(&format!("read {object}"), Method::GET, &path, None).await {
            Ok(value) => Ok(Found::Object(value)),
            Err(error) if error.kind == RequestErrorKind::NotFound => Ok(Found::Absent),
            Err(error) if error.kind == RequestErrorKind::NoKind => Ok(Found::NoKind),
            Err(error) => Err(error),
        }
    }

    /// All objects of a selection, page by page, each with its `apiVersion` and `kind`.
    pub(crate) async fn list(&self, selector: &Selector) -> Result<Listed> {
        let attempt = format!("list {}", selector.resource.plural);
        let (mut items, mut resume) = (Vec::new(), None::<String>);
        loop {
            let path = path::list(selector, PAGE, resume.as_deref());
            let mut page = self.request(&attempt, Method::GET, &path, None).await?;
            if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
                items.extend(found.into_iter().map(|item| path::typed(selector.resource, item)));
            }
            match page["metadata"]["continue"].as_str() {
                Some(token) if !token.is_empty() => resume = Some(token.to_owned()),
                _ => {
                    let version = page["metadata"]["resourceVersion"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned();
                    return Ok(Listed { items, version });
                }
            }
        }
    }

    /// What happens to a selection after a version, until the server ends the watch.
    pub(crate) async fn watch(
        &self,
        selector: &Selector,
        version: &str,
    ) -> Result<impl Stream<Item = Result<WatchEvent<Value>>> + Send + use<>> {
        self.throttle.turn().await;
        let attempt = format!("watch {}", selector.resource.plural);
        let request = Request::get(path::watch(selector, version)).body(Vec::new());
        let request = request.map_err(|error| RequestError::unsendable(&attempt, error))?;
        let events = time::timeout(ANSWER, self.client.request_events::<Value>(request)).await;
        let events = events.map_err(|_| RequestError::unanswered(&attempt))?;
        let events = events.map_err(|error| RequestError::from_client(&attempt, error))?;
        Ok(explained(attempt, events))
    }

    /// Names of all custom resource definitions, and what happens to them: metadata only, for their schemas are large.
    pub(crate) async fn watch_definitions(
        &self,
    ) -> Result<impl Stream<Item = Result<WatchEvent<Value>>> + Send + use<>> {
        self.throttle.turn().await;
        let attempt = "watch customresourcedefinitions";
        let request = Request::get(path::definitions())
            .header(
                header::ACCEPT,
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
            )
            .body(Vec::new());
        let request = request.map_err(|error| RequestError::unsendable(attempt, error))?;
        let events = time::timeout(ANSWER, self.client.request_events::<Value>(request)).await;
        let events = events.map_err(|_| RequestError::unanswered(attempt))?;
        let events = events.map_err(|error| RequestError::from_client(attempt, error))?;
        Ok(explained(attempt.to_owned(), events))
    }

    /// Server-side apply, never forced.
    pub(crate) async fn apply(&self, object: &ObjectRef, fields: &Value, mode: Mode) -> Result<Value> {
        self.apply_with(object, fields, mode, false).await
    }

    /// Server-side apply of fields that only another of Berth's own writes holds.
    pub(crate) async fn reclaim(&self, object: &ObjectRef, fields: &Value, mode: Mode) -> Result<Value> {
        self.apply_with(object, fields, mode, true).await
    }

    async fn apply_with(&self, object: &ObjectRef, fields: &Value, mode: Mode, force: bool) -> Result<Value> {
        let path = format!("{}?{}&force={force}", path::object(object), write_query(mode));
        let body = Body {
            media: "application/apply-patch+yaml",
            content: fields,
        };
        self.request(&format!("apply {object}"), Method::PATCH, &path, Some(body))
            .await
    }

    /// Creates an object that must not exist yet.
    pub(crate) async fn create(&self, object: &ObjectRef, content: &Value, mode: Mode) -> Result<Value> {
        let path = format!("{}?{}", path::collection(object), write_query(mode));
        let body = Body {
            media: "application/json",
            content,
        };
        self.request(&format!("create {object}"), Method::POST, &path, Some(body))
            .await
    }

    /// A merge patch.
    pub(crate) async fn merge(&self, object: &ObjectRef, content: &Value, mode: Mode) -> Result<Value> {
        let path = format!("{}?{}", path::object(object), write_query(mode));
        let body = Body {
            media: "application/merge-patch+json",
            content,
        };
        self.request(&format!("patch {object}"), Method::PATCH, &path, Some(body))
            .await
    }

    /// Deletes the object that has this UID, in the background. Gone already is fine.
    pub(crate) async fn delete(&self, object: &ObjectRef, uid: &str) -> Result<()> {
        let options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": { "uid": uid },
        });
        let body = Body {
            media: "application/json",
            content: &options,
        };
        match self
            .request(
                &format!("delete {object}"),
                Method::DELETE,
                &path::object(object),
                Some(body),
            )
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind, RequestErrorKind::NotFound | RequestErrorKind::NoKind) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn request(&self, attempt: &str, method: Method, path: &str, body: Option<Body<'_>>) -> Result<Value> {
        self.throttle.turn().await;
        time::timeout(ANSWER, self.exchange(attempt, method, path, body))
            .await
            .unwrap_or_else(|_| Err(RequestError::unanswered(attempt)))
    }

    async fn exchange(&self, attempt: &str, method: Method, path: &str, body: Option<Body<'_>>) -> Result<Value> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "application/json");
        let mut bytes = Vec::new();
        if let Some(Body { media, content }) = body {
            request = request.header(header::CONTENT_TYPE, media);
            bytes = content.to_string().into_bytes();
        }
        let request = request.body(kube::client::Body::from(bytes));
        let request = request.map_err(|error| RequestError::unsendable(attempt, error))?;
        let answer = self
            .client
            .send(request)
            .await
            .map_err(|error| RequestError::from_client(attempt, error))?;
        let (head, body) = answer.into_parts();
        let bytes = body
            .collect()
            .await
            .map_err(|error| RequestError::from_client(attempt, error))?
            .to_bytes();
        if head.status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|error| RequestError::undecodable(attempt, error));
        }
        Err(RequestError::from_answer(attempt, &head, &bytes))
    }
}

/// Events of a watch, with errors that say what was attempted.
fn explained(
    attempt: String,
    events: impl Stream<Item = kube::Result<WatchEvent<Value>>> + Send,
) -> impl Stream<Item = Result<WatchEvent<Value>>> + Send {
    events.map(move |event| event.map_err(|error| RequestError::from_client(&attempt, error)))
}

fn write_query(mode: Mode) -> String {
    let dry_run = match mode {
        Mode::DryRun => "&dryRun=All",
        Mode::Write => "",
    };
    format!("fieldManager={FIELD_MANAGER}&fieldValidation=Strict{dry_run}")
}
