//! What actors use to speak to an API server: the public API only, with objects as plain JSON values.
//!
//! Reads go to the server each time. It is in the same process and its answers are already encoded, so a cache in every
//! actor would cost more thought than it saves.

mod decode;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use kube::client::Body;
use kube::core::WatchEvent;
use serde_json::{Value, json};

use crate::kind::{Kind, POD};

use decode::{Head, Object};

/// A client that writes as one field manager.
#[derive(Clone)]
pub(crate) struct Client {
    inner: kube::Client,
    manager: &'static str,
}

/// What can go wrong between an actor and its API server.
pub(crate) type Error = kube::Error;
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// How much of the objects a watch shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Their metadata only, which is quicker to read by far.
    Metadata,
    Whole,
}

/// The events of a watch.
pub(crate) type Events = BoxStream<'static, Result<Event>>;

/// One event of a watch, with the object as JSON.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The object is there, as it is now.
    Applied(Value),
    /// The object is gone; as it was last.
    Deleted(Value),
}

impl Client {
    pub(crate) fn new(inner: kube::Client, manager: &'static str) -> Self {
        Self { inner, manager }
    }

    /// The field manager that it writes as.
    pub(crate) fn manager(&self) -> &'static str {
        self.manager
    }

    /// The same connection under another manager's name.
    pub(crate) fn with_manager(&self, manager: &'static str) -> Self {
        Self {
            inner: self.inner.clone(),
            manager,
        }
    }

    /// One object; `None` where the object, or its kind, does not exist.
    pub(crate) async fn get(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Result<Option<Value>> {
        absent_is_none(
            self.request("GET", &kind.path(namespace, Some(name)), "application/json", None)
                .await,
        )
    }

    /// All objects, of one namespace or of all, that carry the labels (`a=b,c=d`; empty for any). None where the kind
    /// does not exist.
    pub(crate) async fn list(&self, kind: Kind, namespace: Option<&str>, labels: &str) -> Result<Vec<Value>> {
        let mut path = kind.path(namespace, None);
        if !labels.is_empty() {
            path.push_str("?labelSelector=");
            path.push_str(&labels.replace('=', "%3D").replace(',', "%2C"));
        }
        let list = absent_is_none(self.request("GET", &path, "application/json", None).await)?;
        let items = list.and_then(|mut list| list.get_mut("items").map(Value::take));
        Ok(match items {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        })
    }

    /// Creates an object, or leaves the one that is there. Says whether it was created.
    pub(crate) async fn create(&self, kind: Kind, object: &Value) -> Result<bool> {
        let path = format!(
            "{}?fieldManager={}",
            kind.path(namespace_of(object), None),
            self.manager
        );
        match self
            .request("POST", &path, "application/json", Some(&typed(kind, object)))
            .await
        {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Server-side apply, forced: creates the object or makes these fields so.
    pub(crate) async fn apply(&self, kind: Kind, object: &Value) -> Result<Value> {
        let path = format!(
            "{}?fieldManager={}&force=true",
            kind.path(namespace_of(object), Some(name_of(object))),
            self.manager
        );
        self.request(
            "PATCH",
            &path,
            "application/apply-patch+yaml",
            Some(&typed(kind, object)),
        )
        .await
    }

    /// A merge patch of the object. `Ok(None)` where it does not exist.
    pub(crate) async fn merge(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
    ) -> Result<Option<Value>> {
        let target = format!("{}?fieldManager={}", kind.path(namespace, Some(name)), self.manager);
        absent_is_none(
            self.request("PATCH", &target, "application/merge-patch+json", Some(patch))
                .await,
        )
    }

    /// A merge patch of the status subresource: `status` is what goes under `status`. `Ok(None)` where it does not exist.
    pub(crate) async fn status(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
        status: &Value,
    ) -> Result<Option<Value>> {
        let path = format!(
            "{}/status?fieldManager={}",
            kind.path(namespace, Some(name)),
            self.manager
        );
        let body = json!({ "status": status });
        absent_is_none(
            self.request("PATCH", &path, "application/merge-patch+json", Some(&body))
                .await,
        )
    }

    /// A merge patch of the status by another path of its own: `approval` of requests for certificates.
    pub(crate) async fn subresource(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
        subresource: &str,
        status: &Value,
    ) -> Result<Option<Value>> {
        let path = kind.path(namespace, Some(name));
        let path = format!("{path}/{subresource}?fieldManager={}", self.manager);
        let body = json!({ "status": status });
        absent_is_none(
            self.request("PATCH", &path, "application/merge-patch+json", Some(&body))
                .await,
        )
    }

    /// Asks for a pod to go; whether it does now, and is not held by a disruption budget.
    pub(crate) async fn evict(&self, pod: &Value) -> Result<bool> {
        let path = format!("{}/eviction", POD.path(namespace_of(pod), Some(name_of(pod))));
        let metadata = json!({ "name": name_of(pod), "namespace": namespace_of(pod) });
        let eviction = json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata });
        match absent_is_none(self.request("POST", &path, "application/json", Some(&eviction)).await) {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 429 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes an object in the background; whether it was there.
    pub(crate) async fn delete(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Result<bool> {
        self.delete_with(kind, namespace, name, &json!({ "propagationPolicy": "Background" }))
            .await
    }

    /// Deletes a pod that has ended: no grace is left to wait for.
    pub(crate) async fn delete_now(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Result<bool> {
        let options = json!({ "gracePeriodSeconds": 0, "propagationPolicy": "Background" });
        self.delete_with(kind, namespace, name, &options).await
    }

    async fn delete_with(&self, kind: Kind, namespace: Option<&str>, name: &str, options: &Value) -> Result<bool> {
        let path = kind.path(namespace, Some(name));
        let answer = self.request("DELETE", &path, "application/json", Some(options)).await;
        Ok(absent_is_none(answer)?.is_some())
    }

    /// Each change in all namespaces since a resourceVersion, until the server ends the watch (the caller opens it anew);
    /// without one, every object that is there now comes first. A missing kind is an error of code 404.
    pub(crate) async fn watch_from(&self, kind: Kind, part: Part, from: Option<&str>) -> Result<Events> {
        let mut path = format!("{}?watch=true&allowWatchBookmarks=false", kind.path(None, None));
        if let Some(from) = from {
            path.push_str("&resourceVersion=");
            path.push_str(from);
        }
        self.open_watch(&path, part).await
    }

    /// One cluster-scoped object, now and as it changes.
    pub(crate) async fn watch_named(&self, kind: Kind, name: &str) -> Result<Events> {
        let path = kind.path(None, None);
        let path = format!("{path}?watch=true&allowWatchBookmarks=false&fieldSelector=metadata.name%3D{name}");
        self.open_watch(&path, Part::Whole).await
    }

    async fn open_watch(&self, path: &str, part: Part) -> Result<Events> {
        let request = http::Request::get(path)
            .header(http::header::USER_AGENT, self.manager)
            .body(Vec::new())
            .map_err(kube::Error::HttpError)?;
        Ok(match part {
            Part::Metadata => {
                let events = self.inner.request_events::<Head>(request).await?;
                decoded(events, |head| head.0).boxed()
            }
            Part::Whole => {
                let events = self.inner.request_events::<Object>(request).await?;
                decoded(events, |object| object.0).boxed()
            }
        })
    }

    async fn request(&self, method: &str, path: &str, content_type: &str, body: Option<&Value>) -> Result<Value> {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, content_type)
            .header(http::header::USER_AGENT, self.manager)
            .body(Body::from(body))
            .map_err(kube::Error::HttpError)?;
        let response = self.inner.send(request).await?;
        let (head, body) = response.into_parts();
        // An unknown field is dropped with no more than this to tell of it.
        let warnings = head.headers.get_all(http::header::WARNING).iter();
        for warning in warnings.filter_map(|warning| warning.to_str().ok()) {
            if warning.contains("unknown field") {
                tracing::warn!(
                    manager = self.manager,
                    method,
                    path,
                    warning,
                    "the server dropped a field"
                );
            }
        }
        let body = body.collect_bytes().await?;
        if head.status.is_client_error() || head.status.is_server_error() {
            let status = serde_json::from_slice(&body).map_err(kube::Error::SerdeError)?;
            return Err(kube::Error::Api(status));
        }
        let object: Object = serde_json::from_slice(&body).map_err(kube::Error::SerdeError)?;
        Ok(object.0)
    }
}

/// Watch events without bookmarks, and a Status in the stream as the error that it is.
fn decoded<T>(
    events: impl Stream<Item = Result<WatchEvent<T>>>,
    read: impl Fn(T) -> Value,
) -> impl Stream<Item = Result<Event>> {
    events.filter_map(move |event| {
        std::future::ready(match event {
            Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => Some(Ok(Event::Applied(read(object)))),
            Ok(WatchEvent::Deleted(object)) => Some(Ok(Event::Deleted(read(object)))),
            Ok(WatchEvent::Bookmark(_)) => None,
            Ok(WatchEvent::Error(status)) => Some(Err(kube::Error::Api(status))),
            Err(error) => Some(Err(error)),
        })
    })
}

/// Whether the server said that something else was written first.
pub(crate) fn is_conflict(error: &Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// Whether the server does not know the kind or the object.
pub(crate) fn is_not_found(error: &Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// Whether a watch asked for a past that the server no longer has.
pub(crate) fn is_gone(error: &Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 410)
}

/// An object's name; empty where it has none.
pub(crate) fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// An object's namespace.
pub(crate) fn namespace_of(object: &Value) -> Option<&str> {
    object["metadata"]["namespace"].as_str()
}

fn typed(kind: Kind, object: &Value) -> Value {
    let mut object = object.clone();
    object["apiVersion"] = kind.api_version().into();
    object["kind"] = kind.kind.into();
    object
}

fn absent_is_none(answer: Result<Value>) -> Result<Option<Value>> {
    match answer {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error),
    }
}
