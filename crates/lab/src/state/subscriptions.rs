//! How the operators that are there from the start were installed: their OperatorGroups and Subscriptions. Without a group
//! OLM would declare their ClusterServiceVersions failed.

use serde_json::{Value, json};

use super::{Object, Setting};
use crate::generation::Versions;
use crate::kind::{OPERATOR_GROUP, SUBSCRIPTION};

/// An operator that is installed from the start.
struct Installed {
    namespace: &'static str,
    package: &'static str,
    channel: String,
    version: String,
}

fn installed(versions: &Versions) -> [Installed; 3] {
    let stable = || "stable".to_owned();
    let of = |namespace, package, channel, version| Installed {
        namespace,
        package,
        channel,
        version,
    };
    let minor = versions.minor;
    [
        of(
            "metallb-system",
            "metallb-operator",
            stable(),
            format!("metallb-operator.v{}", versions.metallb()),
        ),
        of(
            "openshift-cnv",
            "kubevirt-hyperconverged",
            stable(),
            format!("kubevirt-hyperconverged-operator.v{}", versions.virtualization()),
        ),
        of(
            "openshift-storage",
            "odf-operator",
            format!("stable-{minor}"),
            format!("odf-operator.v{}-rhodf", versions.data_foundation()),
        ),
    ]
}

pub(super) fn objects(setting: &Setting<'_>) -> Vec<Object> {
    installed(setting.generation.versions())
        .iter()
        .flat_map(|installed| {
            [
                group(installed.namespace, setting.now),
                subscription(installed, setting.now),
            ]
        })
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

fn subscription(installed: &Installed, now: &str) -> Object {
    let Installed {
        namespace,
        package,
        channel,
        version,
    } = installed;
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
