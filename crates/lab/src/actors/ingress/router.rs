//! The router's Deployment: what it is to be for an IngressController, and what it says of itself.

use serde_json::{Value, json};

use super::{ALLOW_WILDCARDS, ROUTER_NAMESPACE};

const IMAGE: &str = "quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:\
                     5c8f0ec2e2a3a6b3b4bb4f4f0e1fd4e9c1a6a4de3ad1c7a36cfd1d6c1d1fa0b7";

/// The Deployment that an IngressController wants.
pub(crate) fn desired(name: &str, controller: &Value) -> Value {
    let wildcards = controller["spec"]["routeAdmission"]["wildcardPolicy"] == "WildcardsAllowed";
    let labels = json!({ "ingresscontroller.operator.openshift.io/deployment-ingresscontroller": name });
    let deployment = format!("router-{name}");
    json!({
        "metadata": {
            "name": deployment,
            "namespace": ROUTER_NAMESPACE,
            "labels": { "ingresscontroller.operator.openshift.io/owning-ingresscontroller": name },
        },
        "spec": {
            "replicas": controller["spec"]["replicas"].as_i64().unwrap_or(2),
            "minReadySeconds": 30,
            "selector": { "matchLabels": labels },
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 0, "maxUnavailable": "25%" } },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "hostNetwork": true,
                    "serviceAccountName": "router",
                    "priorityClassName": "system-cluster-critical",
                    "terminationGracePeriodSeconds": 3600,
                    "nodeSelector": { "kubernetes.io/os": "linux", "node-role.kubernetes.io/worker": "" },
                    "containers": [{
                        "name": "router",
                        "image": IMAGE,
                        "env": [
                            { "name": ALLOW_WILDCARDS, "value": wildcards.to_string() },
                            { "name": "ROUTER_SERVICE_NAME", "value": name },
                        ],
                        "ports": [
                            { "name": "http", "containerPort": 80, "protocol": "TCP" },
                            { "name": "https", "containerPort": 443, "protocol": "TCP" },
                        ],
                        "resources": { "requests": { "cpu": "100m", "memory": "256Mi" } },
                    }],
                },
            },
        },
    })
}

/// Whether the pods of a router are all of its present template and available.
pub(super) fn is_rolled_out(router: &Value) -> bool {
    let (status, wanted) = (&router["status"], router["spec"]["replicas"].as_i64().unwrap_or(1));
    let count = |field: &str| status[field].as_i64().unwrap_or(0);
    status["observedGeneration"] == router["metadata"]["generation"]
        && count("updatedReplicas") == wanted
        && count("replicas") == wanted
        && count("availableReplicas") == wanted
}

/// Whether a router that runs admits wildcard routes.
pub(super) fn admits_wildcards(router: &Value) -> bool {
    let env = router["spec"]["template"]["spec"]["containers"][0]["env"].as_array();
    let allowed = env
        .into_iter()
        .flatten()
        .any(|entry| entry["name"] == ALLOW_WILDCARDS && entry["value"] == "true");
    allowed && is_rolled_out(router)
}
