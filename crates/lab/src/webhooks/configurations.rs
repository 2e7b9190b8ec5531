//! The objects that tell an API server of the webhooks. Whoever installs the operator makes them.

use serde_json::{Value, json};

use super::{NAMESPACE, OPERATOR};
use crate::kind::{HOSTED_CLUSTER, Kind, MUTATING_WEBHOOK_CONFIGURATION, NODE_POOL, VALIDATING_WEBHOOK_CONFIGURATION};

/// The name of both.
pub(crate) const CONFIGURATION: &str = "hypershift.openshift.io";

/// Both configurations, each with its kind.
pub(crate) fn configurations() -> [(Kind, Value); 2] {
    [
        (MUTATING_WEBHOOK_CONFIGURATION, configuration("mutate", &["CREATE"])),
        (
            VALIDATING_WEBHOOK_CONFIGURATION,
            configuration("validate", &["CREATE", "UPDATE"]),
        ),
    ]
}

fn configuration(verb: &str, operations: &[&str]) -> Value {
    let webhook = |kind: Kind| {
        json!({
            "name": format!("{}.{}", kind.plural, kind.group),
            "admissionReviewVersions": ["v1"],
            "clientConfig": { "service": {
                "namespace": NAMESPACE,
                "name": OPERATOR,
                "path": format!("/{verb}-hypershift-openshift-io-{}-{}", kind.version, kind.kind.to_lowercase()),
                "port": 443,
            } },
            "failurePolicy": "Fail",
            "rules": [{
                "operations": operations,
                "apiGroups": [kind.group],
                "apiVersions": [kind.version],
                "resources": [kind.plural],
                "scope": "Namespaced",
            }],
            "sideEffects": "None",
            "timeoutSeconds": 15,
        })
    };
    json!({
        "metadata": {
            "name": CONFIGURATION,
            "annotations": { "service.beta.openshift.io/inject-cabundle": "true" },
        },
        "webhooks": [webhook(HOSTED_CLUSTER), webhook(NODE_POOL)],
    })
}
