//! What a node is waited for before its machine goes: pods are evicted as the guest's disruption budgets allow, volumes are
//! detached.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Client, Result, name_of, namespace_of};
use crate::kind::{NODE, POD};
use crate::objects::{annotation, is_deleting, merge};

const EXCLUDE_DRAIN: &str = "machine.cluster.x-k8s.io/exclude-node-draining";
const EXCLUDE_DETACH: &str = "machine.cluster.x-k8s.io/exclude-wait-for-node-volume-detach";

/// Whether a machine's node is to be drained, and how long that is tried; `None` for ever.
#[expect(clippy::option_option, reason = "whether at all, and if so for how long at most")]
pub(super) fn wanted(machine: &Value) -> Option<Option<Duration>> {
    annotation(machine, EXCLUDE_DRAIN)
        .is_none()
        .then(|| timeout(machine, "nodeDrainTimeout"))
}

/// Whether a machine's volumes are waited for, and how long.
#[expect(clippy::option_option, reason = "whether at all, and if so for how long at most")]
pub(super) fn waits_for_volumes(machine: &Value, node: &Value) -> Option<Option<Duration>> {
    let attached = node["status"]["volumesAttached"]
        .as_array()
        .is_some_and(|attached| !attached.is_empty());
    (attached && annotation(machine, EXCLUDE_DETACH).is_none()).then(|| timeout(machine, "nodeVolumeDetachTimeout"))
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

fn timeout(machine: &Value, field: &str) -> Option<Duration> {
    let parsed: jiff::SignedDuration = machine["spec"][field].as_str()?.parse().ok()?;
    Duration::try_from(parsed).ok().filter(|timeout| !timeout.is_zero())
}

/// Pods that have ended, mirrors of the node's own, and those of DaemonSets stay.
fn is_evicted(pod: &Value) -> bool {
    let mut owners = pod["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
        && annotation(pod, "kubernetes.io/config.mirror").is_none()
        && owners.all(|owner| owner["kind"] != "DaemonSet")
}
