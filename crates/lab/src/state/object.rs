//! An object of the state: what is created, and the status that is written afterwards.

use serde_json::{Value, json};

use crate::kind::{CLUSTER_SERVICE_VERSION, Kind};

/// An object and its status.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) content: Value,
    pub(crate) status: Option<Value>,
}

impl Object {
    /// Without a status.
    pub(crate) fn new(kind: Kind, content: Value) -> Self {
        Self {
            kind,
            content,
            status: None,
        }
    }

    /// With the status that its operator would have written.
    pub(crate) fn with_status(kind: Kind, content: Value, status: Value) -> Self {
        Self {
            kind,
            content,
            status: Some(status),
        }
    }
}

/// A Deployment of one container, as the state has them where nobody looks inside; its pods are made when the world starts.
pub(super) fn deployment(namespace: &str, name: &str, replicas: u32) -> Value {
    let labels = json!({ "app": name });
    json!({
        "metadata": { "name": name, "namespace": namespace, "labels": labels },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": pod_spec(name) },
        },
    })
}

/// A DaemonSet of one container on the nodes that a selector names.
pub(super) fn daemon_set(namespace: &str, name: &str, node_selector: &Value) -> Value {
    let labels = json!({ "app": name });
    let mut spec = pod_spec(name);
    spec["nodeSelector"] = node_selector.clone();
    json!({
        "metadata": { "name": name, "namespace": namespace, "labels": labels },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": spec },
        },
    })
}

/// A ClusterServiceVersion that has been installed well.
pub(super) fn csv(namespace: &str, name: &str, display: &str, version: &str, now: &str) -> Object {
    let content = json!({
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": { "olm.operatorNamespace": namespace, "olm.targetNamespaces": namespace },
        },
        "spec": {
            "displayName": display,
            "version": version,
            "install": { "strategy": "deployment", "spec": { "deployments": [] } },
        },
    });
    let message = "install strategy completed with no errors";
    let status = json!({
        "phase": "Succeeded",
        "reason": "InstallSucceeded",
        "message": message,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
        "conditions": [{
            "phase": "Succeeded",
            "reason": "InstallSucceeded",
            "message": message,
            "lastUpdateTime": now,
            "lastTransitionTime": now,
        }],
    });
    Object::with_status(CLUSTER_SERVICE_VERSION, content, status)
}

fn pod_spec(name: &str) -> Value {
    json!({
        "containers": [{
            "name": name,
            "image": format!("registry.redhat.io/simulated/{name}:latest"),
            "resources": { "requests": { "cpu": "10m", "memory": "64Mi" } },
        }],
    })
}
