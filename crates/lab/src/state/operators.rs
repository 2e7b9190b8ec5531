//! The cluster operators of OpenShift, all well.

use serde_json::{Value, json};

use super::{Object, Setting};
use crate::kind::CLUSTER_OPERATOR;

const OPERATORS: [&str; 33] = [
    "authentication",
    "baremetal",
    "cloud-controller-manager",
    "cloud-credential",
    "cluster-autoscaler",
    "config-operator",
    "console",
    "control-plane-machine-set",
    "csi-snapshot-controller",
    "dns",
    "etcd",
    "image-registry",
    "ingress",
    "insights",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-storage-version-migrator",
    "machine-api",
    "machine-approver",
    "machine-config",
    "marketplace",
    "monitoring",
    "network",
    "node-tuning",
    "openshift-apiserver",
    "openshift-controller-manager",
    "openshift-samples",
    "operator-lifecycle-manager",
    "operator-lifecycle-manager-catalog",
    "operator-lifecycle-manager-packageserver",
    "service-ca",
    "storage",
];

pub(super) fn objects(setting: &Setting<'_>) -> Vec<Object> {
    OPERATORS.iter().map(|name| operator(name, setting)).collect()
}

fn operator(name: &str, setting: &Setting<'_>) -> Object {
    let now = setting.now;
    let condition = |kind: &str, status: &str| -> Value {
        json!({ "type": kind, "status": status, "reason": "AsExpected", "lastTransitionTime": now })
    };
    let status = json!({
        "conditions": [
            condition("Degraded", "False"),
            condition("Progressing", "False"),
            condition("Available", "True"),
            condition("Upgradeable", "True"),
        ],
        "versions": [{ "name": "operator", "version": setting.generation.versions().openshift() }],
        "relatedObjects": [],
        "extension": null,
    });
    Object::with_status(
        CLUSTER_OPERATOR,
        json!({ "metadata": { "name": name }, "spec": {} }),
        status,
    )
}
