//! A person with `kubectl`, in short: writes objects, and looks until something is so.

use std::time::Duration;

use berth_lab::Simulation;
use serde_json::{Value, json};

/// Longer than any stage takes, in virtual time.
const PATIENCE: Duration = Duration::from_hours(1);

pub(crate) struct Hub<'a> {
    pub(crate) simulation: &'a Simulation,
}

impl Hub<'_> {
    pub(crate) async fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, kube::Error> {
        let content_type = if method == "PATCH" {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type)
            .header("user-agent", "test")
            .body(body.map(|body| body.to_string().into_bytes()).unwrap_or_default())
            .expect("it is a request");
        self.simulation.client().request(request).await
    }

    pub(crate) async fn create(&self, collection: &str, object: &Value) {
        self.request("POST", collection, Some(object))
            .await
            .expect("the object is accepted");
    }

    pub(crate) async fn patch(&self, path: &str, change: &Value) {
        self.request("PATCH", path, Some(change))
            .await
            .expect("the patch is accepted");
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.request("GET", path, None).await.unwrap_or_default()
    }

    /// Looks each virtual second until the object is so; returns it.
    pub(crate) async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begun = tokio::time::Instant::now();
        loop {
            let object = self.get(path).await;
            if is_so(&object) {
                return object;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{path} did not come to what was waited for: {:#}",
                object["status"]
            );
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

pub(crate) fn is_true(object: &Value, condition: &str) -> bool {
    has(object, condition, "True")
}

pub(crate) fn has(object: &Value, condition: &str, status: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|entry| entry["type"] == condition && entry["status"] == status)
}

pub(crate) fn object(api_version: &str, kind: &str, namespace: Option<&str>, name: &str, spec: &Value) -> Value {
    let mut object = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name }, "spec": spec });
    if let Some(namespace) = namespace {
        object["metadata"]["namespace"] = namespace.into();
    }
    object
}
