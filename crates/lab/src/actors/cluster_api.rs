//! Cluster API with its KubeVirt provider, as each control-plane namespace has them: from a MachineDeployment to machines,
//! and from a machine to a virtual machine of the same name.
//!
//! `cluster`, `machine_deployment`, `machine_set`, `machine` and `health_check` are Cluster API's own controllers,
//! `kubevirt_machine` and `evacuation` are the provider, `autoscaler` the cluster autoscaler, `in_place` what upgrades machines where they
//! are. Virtual machines themselves are played in `kubevirt`.

mod autoscaler;
mod cluster;
mod drain;
mod evacuation;
mod health_check;
mod in_place;
mod kubevirt_machine;
mod machine;
mod machine_deployment;
mod machine_set;
mod newer;
mod rollout;

use serde_json::{Value, json};

use crate::actor::{Key, Watch};
use crate::actors::seen::Seen;
use crate::client::{Client, Result, name_of, namespace_of};
use crate::kind::{CLUSTER, DEPLOYMENT, Kind};
use crate::objects::{annotation, is_deleting, is_rolled_out};

pub(crate) use autoscaler::Autoscaler;
pub(crate) use cluster::Clusters;
pub(crate) use evacuation::{Evacuations, MOVING};
pub(crate) use health_check::MachineHealthChecks;
pub(crate) use in_place::InPlaceUpgrades;
pub(crate) use kubevirt_machine::KubevirtMachines;
pub(crate) use machine::Machines;
pub(crate) use machine_deployment::MachineDeployments;
pub(crate) use machine_set::MachineSets;

const NAME: &str = "cluster_api";
const MANAGER: &str = "capi-controller-manager";
const PROVIDER: &str = "capk-manager";

/// On everything of a cluster: the name of its Cluster.
const CLUSTER_LABEL: &str = "cluster.x-k8s.io/cluster-name";

/// On an object that the controllers are to leave alone.
const PAUSED: &str = "cluster.x-k8s.io/paused";

/// On a machine: the template that its infrastructure is made from.
const CLONED_FROM: &str = "cluster.x-k8s.io/cloned-from-name";

/// Whether the controllers of a namespace run: `cluster-api`, or its provider `capi-provider`.
async fn runs(client: &Client, namespace: Option<&str>, deployment: &str) -> Result<bool> {
    Ok(client
        .get(DEPLOYMENT, namespace, deployment)
        .await?
        .is_some_and(|found| is_rolled_out(&found) && found["status"]["availableReplicas"].as_u64() > Some(0)))
}

/// Whether an object is to be left alone: it says so itself, or its Cluster does.
async fn is_paused(client: &Client, object: &Value) -> Result<bool> {
    if annotation(object, PAUSED).is_some() {
        return Ok(true);
    }
    let labelled = object["metadata"]["labels"][CLUSTER_LABEL].as_str();
    let Some(name) = object["spec"]["clusterName"].as_str().or(labelled) else {
        return Ok(false);
    };
    let cluster = client.get(CLUSTER, namespace_of(object), name).await?;
    Ok(cluster.is_some_and(|cluster| cluster["spec"]["paused"] == true))
}

/// An object that Cluster API has to look after: it is there and stays, its controllers run, and nobody paused it.
async fn looked_after(client: &Client, kind: Kind, key: &Key) -> Result<Option<Value>> {
    let object = client.get(kind, key.namespace(), &key.name).await?;
    let Some(object) = object.filter(|object| !is_deleting(object)) else {
        return Ok(None);
    };
    let works = runs(client, key.namespace(), "cluster-api").await? && !is_paused(client, &object).await?;
    Ok(works.then_some(object))
}

/// Wakes the keys of a namespace when the Deployment of its controllers changes.
fn wakes_with(deployment: &'static str, seen: &Seen) -> Watch {
    seen.wake_beside(DEPLOYMENT, move |object| name_of(object) == deployment)
}

/// Wakes the keys of a namespace when its Cluster changes: it may be paused, or not any more.
fn wakes_with_cluster(seen: &Seen) -> Watch {
    seen.wake_beside(CLUSTER, |_| true)
}

/// The labels of a selector as a list request takes them.
fn selector_of(object: &Value) -> String {
    let labels = object["spec"]["selector"]["matchLabels"]
        .as_object()
        .into_iter()
        .flatten();
    let pairs: Vec<String> = labels
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect();
    pairs.join(",")
}

/// The objects of a list that are not on their way out.
fn remaining<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Vec<&'a Value> {
    objects.into_iter().filter(|object| !is_deleting(object)).collect()
}

/// `status.conditions` says whether as many replicas as wanted are available, under `Available` or the like.
fn availability(conditions: &mut crate::objects::Conditions, kinds: &[&str], wanted: u64, available: u64) {
    for kind in kinds {
        if available >= wanted {
            conditions.set(kind, true, "", "");
        } else {
            let message = format!("Minimum availability requires {wanted} replicas, current {available} available");
            conditions.set(kind, false, "WaitingForAvailableMachines", &message);
        }
    }
}

/// A reference without uid, as specs hold it.
fn reference(kind: Kind, namespace: Option<&str>, name: &str) -> Value {
    json!({ "apiVersion": kind.api_version(), "kind": kind.kind, "name": name, "namespace": namespace })
}
