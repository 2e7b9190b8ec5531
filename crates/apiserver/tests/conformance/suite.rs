//! What a test of the suite gets: a client, a namespace, requests.

use std::{path::PathBuf, pin::Pin, sync::Arc, thread, time::Duration};

use berth_apiserver::{ApiServer, Identity, MemoryStorage, Options, Random};
use http::{Method, Request};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{Answer, real, watching::Watch, widgets};

/// Where the definitions of kinds are.
pub(crate) const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// One test's view of a server.
pub(crate) struct Suite {
    pub(crate) client: kube::Client,
    /// The test's number, as in `c047`: the name of its namespace, and the first part of its API group.
    pub(crate) number: String,
    pub(crate) server: Server,
}

/// What a test runs against.
#[derive(Clone)]
pub(crate) enum Server {
    Embedded(ApiServer),
    /// The folder of the real server's programs.
    Real(PathBuf),
}

/// Runs a test: in process on a paused clock (waiting takes no time), or against the real server.
pub(crate) fn run(test: impl AsyncFnOnce(Suite)) {
    run_with(|_| {}, test);
}

/// As [`run`], on a server in process with options of its own. The real one is as it is.
pub(crate) fn run_with(change: impl FnOnce(&mut Options), test: impl AsyncFnOnce(Suite)) {
    let mut change = Some(change);
    let (runtime, suite) = prepare(&mut |options| {
        if let Some(change) = change.take() {
            change(options);
        }
    });
    // Boxed, or each test would have the compiler make a runtime's loop of its own.
    let test: Pin<Box<dyn Future<Output = ()> + '_>> = Box::pin(test(suite));
    runtime.block_on(test);
}

/// A runtime, and the server with the namespace of the test that this thread is named after.
fn prepare(change: &mut dyn FnMut(&mut Options)) -> (Runtime, Suite) {
    let assets = real::assets();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(assets.is_none())
        .build()
        .unwrap();
    let name = thread::current().name().unwrap_or_default().to_owned();
    let function = name.rsplit("::").next().unwrap_or_default();
    let number = function.split('_').next().unwrap_or_default().to_owned();
    let suite = runtime.block_on(async {
        let (client, server) = if let Some(assets) = assets {
            (real::client(&assets).await, Server::Real(assets))
        } else {
            let server = embedded(change);
            let service = server.service(Identity::admin());
            (kube::Client::new(service, "default"), Server::Embedded(server))
        };
        let suite = Suite { client, number, server };
        let namespace = json!({"metadata": {"name": suite.number}});
        suite.post("/api/v1/namespaces", namespace).await.is(201);
        suite
    });
    (runtime, suite)
}

/// A server of this crate, in process.
pub(crate) fn embedded(change: &mut dyn FnMut(&mut Options)) -> ApiServer {
    let mut options = Options::new(MemoryStorage::new());
    options.random = Random::seeded(1);
    // The tests' clock stands still for objects; a second for what waits.
    options.clock = Arc::new(|| "2026-01-02T03:04:05Z".parse().unwrap());
    options.root_ca = Some("-----BEGIN CERTIFICATE-----\n".to_owned());
    change(&mut options);
    ApiServer::open(options).unwrap()
}

impl Suite {
    /// The same server and namespace as another user, who has no rights unless the server gives them to everyone.
    pub(crate) async fn user(&self, name: &str) -> Self {
        let client = match &self.server {
            Server::Embedded(server) => {
                let groups: [String; 0] = [];
                kube::Client::new(server.service(Identity::new(name, groups)), "default")
            }
            Server::Real(assets) => {
                let mut config = real::config(assets).await;
                config.auth_info.impersonate = Some(name.to_owned());
                kube::Client::try_from(config).unwrap()
            }
        };
        self.with_client(client)
    }

    /// The same by a client that takes a refusal for an answer, also one that says when to try again.
    pub(crate) async fn unretried(&self) -> Self {
        let client = match &self.server {
            Server::Embedded(_) => self.client.clone(),
            Server::Real(assets) => {
                let mut config = real::config(assets).await;
                config.default_retry = false;
                kube::Client::try_from(config).unwrap()
            }
        };
        self.with_client(client)
    }

    /// The same by another client.
    pub(crate) fn with_client(&self, client: kube::Client) -> Self {
        Self {
            client,
            number: self.number.clone(),
            server: self.server.clone(),
        }
    }

    /// The collection of a core kind in the test's namespace: `configmaps`, `pods`, …
    pub(crate) fn core(&self, resource: &str) -> String {
        format!("/api/v1/namespaces/{}/{resource}", self.number)
    }

    /// The collection of a kind of another group in the test's namespace: `apps/v1`, `deployments`.
    pub(crate) fn of(&self, group_version: &str, resource: &str) -> String {
        format!("/apis/{group_version}/namespaces/{}/{resource}", self.number)
    }

    /// The API group of the test's own kinds.
    pub(crate) fn group(&self) -> String {
        format!("{}.example.test", self.number)
    }

    /// The collection of the test's Widgets.
    pub(crate) fn widgets(&self) -> String {
        self.of(&format!("{}/v1", self.group()), "widgets")
    }

    /// A Widget of the test with a name and a spec.
    pub(crate) fn widget(&self, name: &str, spec: Value) -> Value {
        json!({
            "apiVersion": format!("{}/v1", self.group()),
            "kind": "Widget",
            "metadata": {"name": name},
            "spec": spec,
        })
    }

    /// The definition of Widgets: namespaced, with a schema, a status and a scale; for tests to change.
    pub(crate) fn definition(&self) -> Value {
        widgets::definition(&self.group())
    }

    /// Makes a kind and waits until it is served.
    pub(crate) async fn define(&self, definition: Value) {
        let path = format!("{DEFINITIONS}/{}", crate::text(&definition["metadata"]["name"]));
        self.post(DEFINITIONS, definition).await.is(201);
        self.until(&path, established).await;
        self.until(&self.widgets(), |answer| answer.code == 200).await;
    }

    /// Makes Widgets as they are.
    pub(crate) async fn with_widgets(&self) {
        self.define(self.definition()).await;
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.client.send(request.body(Body::from(body)).unwrap()).await.unwrap();
        Answer::read(response).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Answer {
        self.send(Method::GET, path, &[("accept", accept)], Vec::new()).await
    }

    async fn write(&self, method: Method, path: &str, content_type: &str, body: Value) -> Answer {
        let headers = [("content-type", content_type), ("user-agent", "conformance/1")];
        self.send(method, path, &headers, body.to_string().into()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.write(Method::POST, path, "application/json", body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.write(Method::PUT, path, "application/json", body).await
    }

    /// A patch of type `json-patch+json`, `merge-patch+json`, `strategic-merge-patch+json` or `apply-patch+yaml`.
    pub(crate) async fn patch(&self, kind: &str, path: &str, body: Value) -> Answer {
        self.write(Method::PATCH, path, &format!("application/{kind}"), body)
            .await
    }

    /// A server-side apply by a manager.
    pub(crate) async fn apply(&self, manager: &str, path: &str, body: Value) -> Answer {
        let start = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{start}fieldManager={manager}");
        self.patch("apply-patch+yaml", &path, body).await
    }

    pub(crate) async fn delete(&self, path: &str, options: Value) -> Answer {
        self.write(Method::DELETE, path, "application/json", options).await
    }

    /// An object that the server was asked to make, as it is.
    pub(crate) async fn made(&self, path: &str, body: Value) -> Value {
        self.post(path, body).await.is(201).body
    }

    /// A ConfigMap `name` in the test's namespace, and its path.
    pub(crate) async fn map(&self, name: &str) -> String {
        let maps = self.core("configmaps");
        let map = json!({"metadata": {"name": name}, "data": {"a": "1"}});
        self.post(&maps, map).await.is(201);
        format!("{maps}/{name}")
    }

    /// Sends a JSON body as it is written.
    pub(crate) async fn post_text(&self, path: &str, content_type: &str, text: &str) -> Answer {
        self.send(Method::POST, path, &[("content-type", content_type)], text.into())
            .await
    }

    pub(crate) async fn watch(&self, path: &str) -> Watch {
        self.watch_as(path, "application/json").await
    }

    pub(crate) async fn watch_as(&self, path: &str, accept: &str) -> Watch {
        let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
        let response = self.client.send(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        Watch::new(response.into_body())
    }

    /// Waits until a request is answered as wanted.
    #[track_caller]
    pub(crate) fn until<'a>(
        &'a self,
        path: &'a str,
        wanted: impl Fn(&Answer) -> bool + 'a,
    ) -> impl Future<Output = Answer> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            for _ in 0..600 {
                let answer = self.get(path).await;
                if wanted(&answer) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            panic!("{caller}: {path} never was as wanted; last: {:?}", self.get(path).await);
        }
    }
}

/// Whether a definition is established.
pub(crate) fn established(definition: &Answer) -> bool {
    let conditions = definition.body["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}
