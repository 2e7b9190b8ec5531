//! How the operators that are there from the start were installed: their OperatorGroups and Subscriptions. Without a group
//! OLM would declare their ClusterServiceVersions failed.

use serde_json::{Value, json};

use super::{Object, Setting};
use crate::kind::{OPERATOR_GROUP, SUBSCRIPTION};

/// An operator: namespace, package, channel, and the version that is installed.
const INSTALLED: [(&str, &str, &str, &str); 3] = [
    (
        "metallb-system",
        "metallb-operator",
        "stable",
        "metallb-operator.v4.17.0-202412180037",
    ),
    (
        "openshift-cnv",
        "kubevirt-hyperconverged",
        "stable",
        "kubevirt-hyperconverged-operator.v4.17.3",
    ),
    (
        "openshift-storage",
        "odf-operator",
        "stable-4.17",
        "odf-operator.v4.17.5-rhodf",
    ),
];

pub(super) fn objects(setting: &Setting<'_>) -> Vec<Object> {
    INSTALLED
        .iter()
        .flat_map(|installed| [group(installed.0, setting.now), subscription(installed, setting.now)])
        .collect()
}

fn group(namespace: &str, now: &str) -> Object {
    let content = json!({
        "metadata": { "name": format!("{namespace}-operators"), "namespace": namespace },
        "spec": { "targetNamespaces": [namespace] },
    });
    let status = json!({ "namespaces": [namespace], "lastUpdated": now });
    Object::with_status(OPERATOR_GROUP, content, status)
}

fn subscription(installed: &(&str, &str, &str, &str), now: &str) -> Object {
    let (namespace, package, channel, version) = *installed;
    let content: Value = json!({
        "metadata": { "name": package, "namespace": namespace },
        "spec": {
            "name": package,
            "channel": channel,
            "source": "redhat-operators",
            "sourceNamespace": "openshift-marketplace",
            "installPlanApproval": "Automatic",
        },
    });
    let status = json!({
        "currentCSV": version,
        "installedCSV": version,
        "state": "AtLatestKnown",
        "lastUpdated": now,
    });
    Object::with_status(SUBSCRIPTION, content, status)
}
