//! What a node is waited for before its machine goes: pods are evicted as the guest's disruption budgets allow, volumes are
//! detached.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Client, Result, name_of, namespace_of};
use crate::kind::{NODE, POD};
use crate::objects::{annotation, is_deleting, merge};

const EXCLUDE_DRAIN: &str = "machine.cluster.x-k8s.io/exclude-node-draining";
const EXCLUDE_DETACH: &str = "machine.cluster.x-k8s.io/exclude-wait-for-node-volume-detach";

/// How long something is waited for before a machine goes.
pub(super) enum Patience {
    /// Not at all.
    None,
    For(Duration),
    Endless,
}

/// How long a machine's node may take to be drained.
pub(super) fn for_drain(machine: &Value) -> Patience {
    match annotation(machine, EXCLUDE_DRAIN) {
        Some(_) => Patience::None,
        None => patience(machine, "nodeDrainTimeout"),
    }
}

/// How long a node may take to give up its volumes.
pub(super) fn for_volumes(machine: &Value, node: &Value) -> Patience {
    let attached = node["status"]["volumesAttached"].as_array();
    if attached.is_none_or(Vec::is_empty) || annotation(machine, EXCLUDE_DETACH).is_some() {
        return Patience::None;
    }
    patience(machine, "nodeVolumeDetachTimeout")
}

/// Cordons the node and evicts what may be evicted of it; whether nothing is left to evict.
pub(super) async fn drain(guest: &Client, node: &Value) -> Result<bool> {
    merge(guest, NODE, node, &json!({ "spec": { "unschedulable": true } })).await?;
    let pods = guest.list(POD, None, "").await?;
    let mut drained = true;
    for pod in pods
        .iter()
        .filter(|pod| pod["spec"]["nodeName"] == name_of(node) && is_evicted(pod))
    {
        if is_deleting(pod) {
            // Nobody plays the kubelet of a simulated node, who would end it.
            guest.delete_now(POD, namespace_of(pod), name_of(pod)).await?;
            continue;
        }
        drained &= guest.evict(pod).await?;
    }
    Ok(drained)
}

/// A timeout of nothing is none.
fn patience(machine: &Value, field: &str) -> Patience {
    let parsed = machine["spec"][field]
        .as_str()
        .and_then(|text| text.parse::<jiff::SignedDuration>().ok());
    let timeout = parsed.and_then(|timeout| Duration::try_from(timeout).ok());
    match timeout.filter(|timeout| !timeout.is_zero()) {
        Some(timeout) => Patience::For(timeout),
        None => Patience::Endless,
    }
}

/// Pods that have ended, mirrors of the node's own, and those of DaemonSets stay.
fn is_evicted(pod: &Value) -> bool {
    let mut owners = pod["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
        && annotation(pod, "kubernetes.io/config.mirror").is_none()
        && owners.all(|owner| owner["kind"] != "DaemonSet")
}
