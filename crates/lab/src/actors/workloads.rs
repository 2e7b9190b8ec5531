//! Plays the controllers of the built-in workload kinds, the scheduler and the kubelets: from a Deployment, StatefulSet,
//! DaemonSet or Job to pods that run on a node and say so.
//!
//! Nothing runs inside these pods. They carry the annotation [`SIMULATED`], and what makes them differ from one another is
//! what their author wrote into the pod: see [`Pods`] for the annotations that steer it.

mod budget;
mod daemon_set;
mod deployment;
mod hash;
mod job;
mod node_fit;
mod pod;
mod pod_status;
mod quantity;
mod replica_set;
mod stateful_set;

use serde_json::{Value, json};

use crate::client::{name_of, namespace_of};

pub(crate) use budget::Budgets;
pub(crate) use daemon_set::DaemonSets;
pub(crate) use deployment::Deployments;
pub(crate) use job::Jobs;
pub(crate) use pod::{FAILS, FAILS_MESSAGE, Pods};
pub(crate) use replica_set::ReplicaSets;
pub(crate) use stateful_set::StatefulSets;

/// Says on nodes and pods that there is no machine and no process behind them.
pub(crate) const SIMULATED: &str = "lab.berth.dev/simulated";

const MANAGER: &str = "kube-controller-manager";
const NAME: &str = "workloads";

/// The pods of a list that a controller owns and that still count: not ended, not on their way out.
fn active<'a>(pods: &'a [Value], owner: &Value) -> Vec<&'a Value> {
    owned(pods, owner)
        .filter(|pod| !is_deleting(pod) && !has_ended(pod))
        .collect()
}

/// The objects of a list whose controller is this one.
fn owned<'a>(objects: &'a [Value], owner: &Value) -> impl Iterator<Item = &'a Value> {
    let uid = owner["metadata"]["uid"].clone();
    objects.iter().filter(move |object| {
        let owners = object["metadata"]["ownerReferences"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        owners
            .iter()
            .any(|reference| reference["uid"] == uid && reference["controller"] == true)
    })
}

fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

fn has_ended(pod: &Value) -> bool {
    pod["status"]["phase"] == "Succeeded" || pod["status"]["phase"] == "Failed"
}

/// A controller's reference, as its controller writes it on what it makes.
fn controller_reference(owner: &Value, api_version: &str, kind: &str) -> Value {
    json!([{
        "apiVersion": api_version,
        "kind": kind,
        "name": name_of(owner),
        "uid": owner["metadata"]["uid"],
        "controller": true,
        "blockOwnerDeletion": true,
    }])
}

/// A pod from a template, owned, with labels of its own besides the template's.
fn pod_from(template: &Value, owner: &Value, kind: &str, name: &str, labels: &[(&str, &str)]) -> Value {
    let api_version = if kind == "Job" { "batch/v1" } else { "apps/v1" };
    let mut metadata = json!({
        "name": name,
        "namespace": namespace_of(owner),
        "labels": template["metadata"]["labels"],
        "annotations": template["metadata"]["annotations"],
        "ownerReferences": controller_reference(owner, api_version, kind),
    });
    for (key, value) in labels {
        metadata["labels"][*key] = (*value).into();
    }
    metadata["annotations"][SIMULATED] = "true".into();
    json!({ "metadata": metadata, "spec": template["spec"] })
}

/// How many replicas are wanted; one where the field is left out.
fn wanted_replicas(object: &Value) -> i64 {
    object["spec"]["replicas"].as_i64().unwrap_or(1).max(0)
}

/// The labels by which a controller finds what is its own, as a list request takes them. Empty where it does not say.
fn selector(owner: &Value) -> String {
    let labels = owner["spec"]["selector"]["matchLabels"].as_object();
    let pairs = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    pairs.collect::<Vec<_>>().join(",")
}
