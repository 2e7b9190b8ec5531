//! Cluster API with its KubeVirt provider, as each control-plane namespace has them: from a MachineDeployment to machines,
//! and from a machine to a virtual machine of the same name.
//!
//! `cluster`, `machine_deployment`, `machine_set` and `machine` are Cluster API's own controllers, `kubevirt_machine` is
//! the provider. Virtual machines themselves are played in `kubevirt`.

mod cluster;
mod kubevirt_machine;
mod machine;
mod machine_deployment;
mod machine_set;
mod rollout;

use serde_json::{Value, json};

use crate::actor::Watch;
use crate::actors::seen::Seen;
use crate::client::{Client, Result, name_of};
use crate::kind::DEPLOYMENT;
use crate::objects::is_rolled_out;

pub(crate) use cluster::Clusters;
pub(crate) use kubevirt_machine::KubevirtMachines;
pub(crate) use machine::Machines;
pub(crate) use machine_deployment::MachineDeployments;
pub(crate) use machine_set::MachineSets;

const NAME: &str = "cluster_api";
const MANAGER: &str = "capi-controller-manager";
const PROVIDER: &str = "capk-manager";

/// On everything of a cluster: the name of its Cluster.
const CLUSTER_LABEL: &str = "cluster.x-k8s.io/cluster-name";

/// On a machine: the template that its infrastructure is made from.
const CLONED_FROM: &str = "cluster.x-k8s.io/cloned-from-name";

/// Whether the controllers of a namespace run: `cluster-api`, or its provider `capi-provider`.
async fn runs(client: &Client, namespace: Option<&str>, deployment: &str) -> Result<bool> {
    Ok(client
        .get(DEPLOYMENT, namespace, deployment)
        .await?
        .is_some_and(|found| is_rolled_out(&found)))
}

/// Wakes all keys of a namespace when the Deployment of its controllers changes.
fn wakes_with(deployment: &'static str, seen: &Seen) -> Watch {
    seen.wake_beside(DEPLOYMENT, move |object| name_of(object) == deployment)
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
    objects
        .into_iter()
        .filter(|object| !crate::objects::is_deleting(object))
        .collect()
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
fn reference(kind: crate::kind::Kind, namespace: Option<&str>, name: &str) -> Value {
    json!({ "apiVersion": kind.api_version(), "kind": kind.kind, "name": name, "namespace": namespace })
}
