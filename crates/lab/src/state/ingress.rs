//! The default IngressController, without a wildcard policy; the ingress actor makes its router.

use serde_json::json;

use super::{Object, Setting};
use crate::actors::ingress::OPERATOR_NAMESPACE;
use crate::kind::INGRESS_CONTROLLER;

pub(super) fn objects(_: &Setting<'_>) -> Vec<Object> {
    let controller = json!({
        "metadata": {
            "name": "default",
            "namespace": OPERATOR_NAMESPACE,
            "finalizers": ["ingresscontroller.operator.openshift.io/finalizer-ingresscontroller"],
        },
        "spec": {
            "clientTLS": { "clientCA": { "name": "" }, "clientCertificatePolicy": "" },
            "httpCompression": {},
            "httpEmptyRequestsPolicy": "Respond",
            "httpErrorCodePages": { "name": "" },
            "replicas": 2,
            "tuningOptions": { "reloadInterval": "0s" },
            "unsupportedConfigOverrides": null,
        },
    });
    vec![Object::new(INGRESS_CONTROLLER, controller)]
}
