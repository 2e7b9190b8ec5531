//! What a ManagedCluster says of itself: one condition after the other.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client;
use crate::conditions;
use crate::kind::{CLUSTER_VERSION, INFRASTRUCTURE, NODE};

pub(super) const IMPORTING: &str = "Importing the managed cluster";
pub(super) const WAIT_FOR_KUBECONFIG: &str = "Wait for the user to provide the external managed kubeconfig";

/// How far a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Nobody has said that it may join.
    Denied,
    Accepted,
    /// With what the import waits for.
    Importing(&'static str),
    Imported,
    Joined,
    Available,
}

/// How far a cluster is by its conditions.
pub(super) fn stage_of(cluster: &Value) -> Stage {
    let has = |kind: &str| conditions::is_true(cluster, kind);
    let importing =
        conditions::find(cluster, "ManagedClusterImportSucceeded").map(|it| it["reason"] == "ManagedClusterImporting");
    if !has("HubAcceptedManagedCluster") {
        Stage::Denied
    } else if has("ManagedClusterConditionAvailable") {
        Stage::Available
    } else if has("ManagedClusterJoined") {
        Stage::Joined
    } else if has("ManagedClusterImportSucceeded") {
        Stage::Imported
    } else if importing == Some(true) {
        Stage::Importing(IMPORTING)
    } else {
        Stage::Accepted
    }
}

/// The status at a stage: the conditions of all stages up to it, in order, and facts that the cluster reported.
pub(super) fn of(cluster: &Value, stage: Stage, about: &Value, now: &str) -> Value {
    let mut all = cluster["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let mut set = |kind: &str, status: &str, reason: &str, message: &str| {
        conditions::set(&mut all, now, kind, status, reason, message);
    };
    let import = "ManagedClusterImportSucceeded";
    match stage {
        Stage::Denied => set(
            "HubAcceptedManagedCluster",
            "False",
            "HubClusterAdminDenied",
            "Denied by hub cluster admin",
        ),
        _ => set(
            "HubAcceptedManagedCluster",
            "True",
            "HubClusterAdminAccepted",
            "Accepted by hub cluster admin",
        ),
    }
    match stage {
        Stage::Denied => {}
        Stage::Accepted => set(import, "False", "ManagedClusterWaitForImporting", "Wait for importing"),
        Stage::Importing(message) => set(import, "False", "ManagedClusterImporting", message),
        Stage::Imported | Stage::Joined | Stage::Available => {
            set(import, "True", "ManagedClusterImported", "Import succeeded");
        }
    }
    if stage >= Stage::Joined {
        set(
            "ManagedClusterJoined",
            "True",
            "ManagedClusterJoined",
            "Managed cluster joined",
        );
    }
    if stage >= Stage::Available {
        set(
            "ManagedClusterConditionAvailable",
            "True",
            "ManagedClusterAvailable",
            "Managed cluster is available",
        );
        let clock = "The clock of the managed cluster is synced with the hub.";
        set(
            "ManagedClusterConditionClockSynced",
            "True",
            "ManagedClusterClockSynced",
            clock,
        );
    }
    let mut status = if about.is_object() { about.clone() } else { json!({}) };
    status["conditions"] = all.into();
    status
}

/// What the local cluster reports of itself once it is available.
pub(super) async fn local_facts(context: &Context) -> client::Result<Value> {
    let nodes = context.client.list(NODE, None, "").await?;
    let version = context
        .client
        .get(CLUSTER_VERSION, None, "version")
        .await?
        .unwrap_or_default();
    let infrastructure = context
        .client
        .get(INFRASTRUCTURE, None, "cluster")
        .await?
        .unwrap_or_default();
    let kubelet = nodes
        .iter()
        .find_map(|node| node["status"]["nodeInfo"]["kubeletVersion"].as_str())
        .unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let claims = [
        ("id.k8s.io", "local-cluster".to_owned()),
        ("kubeversion.open-cluster-management.io", kubelet.to_owned()),
        (
            "platform.open-cluster-management.io",
            text(&infrastructure["status"]["platformStatus"]["type"]),
        ),
        ("product.open-cluster-management.io", "OpenShift".to_owned()),
        ("id.openshift.io", text(&version["spec"]["clusterID"])),
        ("version.openshift.io", text(&version["status"]["desired"]["version"])),
        ("hostingcluster.hypershift.openshift.io", "true".to_owned()),
    ];
    let claim = |(name, value): (&str, String)| json!({ "name": name, "value": value });
    let claims: Vec<Value> = claims
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(claim)
        .collect();
    Ok(json!({
        "version": { "kubernetes": kubelet },
        "capacity": sum(&nodes, "capacity"),
        "allocatable": sum(&nodes, "allocatable"),
        "clusterClaims": claims,
    }))
}

/// Processors and memory of all nodes together.
fn sum(nodes: &[Value], field: &str) -> Value {
    let total = |resource: &str, parse: fn(&str) -> Option<u64>| -> u64 {
        nodes
            .iter()
            .filter_map(|node| parse(node["status"][field][resource].as_str()?))
            .sum()
    };
    json!({
        "cpu": format!("{}m", total("cpu", millicores)),
        "memory": format!("{}Ki", total("memory", kibibytes)),
    })
}

fn millicores(quantity: &str) -> Option<u64> {
    match quantity.strip_suffix('m') {
        Some(milli) => milli.parse().ok(),
        None => quantity.parse::<u64>().ok().map(|cores| cores * 1000),
    }
}

fn kibibytes(quantity: &str) -> Option<u64> {
    let scaled = |digits: &str, factor: u64| digits.parse::<u64>().ok().map(|number| number * factor);
    if let Some(digits) = quantity.strip_suffix("Ki") {
        scaled(digits, 1)
    } else if let Some(digits) = quantity.strip_suffix("Mi") {
        scaled(digits, 1 << 10)
    } else if let Some(digits) = quantity.strip_suffix("Gi") {
        scaled(digits, 1 << 20)
    } else {
        quantity.parse::<u64>().ok().map(|bytes| bytes >> 10)
    }
}
