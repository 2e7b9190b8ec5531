//! A server for one test, and plain requests to it.

use std::{sync::Arc, time::Duration};

use berth_apiserver::{ApiServer, ApiService, Body, Identity, MemoryStorage, Options, Random};
use bytes::Bytes;
use futures::StreamExt;
use http::{Method, Request, Response};
use http_body_util::{BodyStream, Full};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    answer::{Answer, type_and_name},
    widgets::definition,
};

/// A server, and one user of it.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) server: ApiServer,
    service: ApiService,
    pub(crate) storage: MemoryStorage,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        Self::on(MemoryStorage::new(), change)
    }

    pub(crate) fn on(storage: MemoryStorage, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(storage.clone());
        options.random = Random::seeded(1);
        options.clock = Arc::new(|| "2026-01-02T03:04:05Z".parse().unwrap());
        change(&mut options);
        let server = ApiServer::open(options).unwrap();
        Self {
            service: server.service(Identity::admin()),
            server,
            storage,
        }
    }

    /// The same server as another user.
    pub(crate) fn user(&self, identity: Identity) -> Self {
        Self {
            service: self.server.service(identity),
            ..self.clone()
        }
    }

    pub(crate) fn kube(&self) -> kube::Client {
        kube::Client::new(self.service.clone(), "default")
    }

    pub(crate) async fn raw(&self, request: Request<Full<Bytes>>) -> Response<Body> {
        self.service.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.raw(request.body(Full::new(body.into())).unwrap()).await;
        Answer::read(response).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Answer {
        self.send(Method::GET, path, &[("accept", accept)], Vec::new()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(
            Method::POST,
            path,
            &[("content-type", "application/json")],
            body.to_string().into(),
        )
        .await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(
            Method::PUT,
            path,
            &[("content-type", "application/json")],
            body.to_string().into(),
        )
        .await
    }

    /// A patch of type `json-patch+json`, `merge-patch+json`, `strategic-merge-patch+json` or `apply-patch+yaml`.
    pub(crate) async fn patch(&self, kind: &str, path: &str, body: Value) -> Answer {
        let content_type = format!("application/{kind}");
        self.send(
            Method::PATCH,
            path,
            &[("content-type", &content_type)],
            body.to_string().into(),
        )
        .await
    }

    pub(crate) async fn delete(&self, path: &str, options: Value) -> Answer {
        self.send(
            Method::DELETE,
            path,
            &[("content-type", "application/json")],
            options.to_string().into(),
        )
        .await
    }

    /// Opens a watch.
    pub(crate) async fn watch(&self, path: &str) -> Watch {
        self.watch_as(path, "application/json").await
    }

    pub(crate) async fn watch_as(&self, path: &str, accept: &str) -> Watch {
        let request = Request::get(path)
            .header("accept", accept)
            .body(Full::default())
            .unwrap();
        let response = self.raw(request).await;
        assert_eq!(response.status(), 200, "{path}");
        Watch(BodyStream::new(response.into_body()))
    }

    /// Waits until a request is answered as wanted. The clock is paused: waiting takes no time.
    #[track_caller]
    pub(crate) fn until<'a>(
        &'a self,
        path: &'a str,
        wanted: impl Fn(&Answer) -> bool + 'a,
    ) -> impl Future<Output = Answer> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            for _ in 0..1000 {
                let answer = self.get(path).await;
                if wanted(&answer) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("{caller}: {path} never was as wanted; last: {:?}", self.get(path).await);
        }
    }

    /// A namespace `t`, and its collection of ConfigMaps.
    pub(crate) async fn with_namespace() -> Self {
        let cluster = Self::new();
        cluster
            .post("/api/v1/namespaces", json!({"metadata": {"name": "t"}}))
            .await
            .is(201);
        cluster
    }
}

/// The events of a watch.
pub(crate) struct Watch(BodyStream<Body>);

impl Watch {
    /// The next event, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        let frame = self.0.next().await?.unwrap();
        let line = frame.into_data().unwrap();
        assert_eq!(line.last(), Some(&b'\n'), "an event is a line");
        Some(serde_json::from_slice(&line).unwrap())
    }

    /// Whether there is nothing to read now.
    pub(crate) async fn is_pending(&mut self) -> bool {
        let mut next = std::pin::pin!(self.next());
        std::future::poll_fn(|context| std::task::Poll::Ready(next.as_mut().poll(context).is_pending())).await
    }

    /// The next events as `TYPE name`.
    pub(crate) async fn names(&mut self, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(type_and_name(&self.next().await.expect("the watch goes on")));
        }
        names
    }
}

/// A CRD of namespaced Widgets with a schema, a status and a scale.
pub(crate) fn widgets() -> Value {
    definition("example.test")
}
