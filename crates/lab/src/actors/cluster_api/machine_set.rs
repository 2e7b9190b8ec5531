//! The MachineSet: as many machines as wanted, and which of them go first.

use std::cmp::Reverse;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    CLONED_FROM, CLUSTER_LABEL, MANAGER, NAME, availability, looked_after, newer, remaining, selector_of, wakes_with,
    wakes_with_cluster,
};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::seen::Seen;
use crate::client::{Result, name_of};
use crate::conditions;
use crate::kind::{KUBEVIRT_MACHINE, MACHINE, MACHINE_SET};
use crate::objects::{Conditions, annotation, is_deleting, is_owned_by, merge, owner, write_status};

use super::machine_deployment::{IN_PLACE_FIELDS, NO_NEW_MACHINES};

/// Marks a machine as the next to go.
pub(super) const DELETE_FIRST: &str = "cluster.x-k8s.io/delete-machine";

/// The controller of MachineSets.
#[derive(Debug, Default)]
pub(crate) struct MachineSets {
    seen: Seen,
}

impl Actor for MachineSets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            self.seen.remember(MACHINE_SET, |set| vec![Key::of(set)]),
            Watch::owned(MACHINE, MACHINE_SET),
            wakes_with("cluster-api", &self.seen),
            wakes_with_cluster(&self.seen),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> Result<Next> {
    let client = &context.client;
    let Some(set) = looked_after(client, MACHINE_SET, key).await? else {
        return Ok(Next::OnEvent);
    };
    let listed = client.list(MACHINE, key.namespace(), &selector_of(&set)).await?;
    let owned: Vec<&Value> = listed.iter().filter(|machine| is_owned_by(machine, &set)).collect();
    let mut machines = remaining(owned.iter().copied());
    let wanted = set["spec"]["replicas"].as_u64().unwrap_or(1);
    let wanted_count = usize::try_from(wanted).unwrap_or(usize::MAX);
    if annotation(&set, NO_NEW_MACHINES).is_none() {
        for _ in machines.len()..wanted_count {
            client.create(MACHINE, &machine(context, &set)).await?;
        }
    }
    let mut patch = json!({});
    for field in IN_PLACE_FIELDS {
        patch["spec"][field] = set["spec"]["template"]["spec"][field].clone();
    }
    for machine in &machines {
        merge(client, MACHINE, machine, &patch).await?;
    }
    machines.sort_by_key(|machine| order_of_going(machine));
    for machine in machines.iter().take(machines.len().saturating_sub(wanted_count)) {
        client.delete(MACHINE, key.namespace(), name_of(machine)).await?;
    }
    let mut status = status(&set, &owned, wanted, context.time.stamp());
    newer::machine_set(context.generation, &set, &mut status, context.time.stamp());
    write_status(client, MACHINE_SET, &set, &status).await?;
    Ok(Next::OnEvent)
}

/// Marked ones first, then those without a healthy node, then the youngest.
fn order_of_going(machine: &Value) -> (bool, bool, Reverse<String>, String) {
    let created = machine["metadata"]["creationTimestamp"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (
        annotation(machine, DELETE_FIRST).is_none(),
        conditions::is_true(machine, "NodeHealthy"),
        Reverse(created),
        name_of(machine).to_owned(),
    )
}

fn machine(context: &Context, set: &Value) -> Value {
    let name = format!("{}-{}", name_of(set), context.random.suffix(5));
    let template = &set["spec"]["template"];
    let mut labels = template["metadata"]["labels"].clone();
    labels["cluster.x-k8s.io/set-name"] = name_of(set).into();
    labels[CLUSTER_LABEL] = set["spec"]["clusterName"].clone();
    let mut spec = template["spec"].clone();
    let cloned_from = spec["infrastructureRef"]["name"].clone();
    spec["infrastructureRef"] = super::reference(KUBEVIRT_MACHINE, set["metadata"]["namespace"].as_str(), &name);
    let mut annotations = template["metadata"]["annotations"].clone();
    annotations[CLONED_FROM] = cloned_from;
    json!({
        "metadata": {
            "name": name,
            "namespace": set["metadata"]["namespace"],
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owner(MACHINE_SET, set)],
        },
        "spec": spec,
    })
}

fn status(set: &Value, machines: &[&Value], wanted: u64, now: String) -> Value {
    let healthy = machines
        .iter()
        .filter(|machine| conditions::is_true(machine, "NodeHealthy") && !is_deleting(machine))
        .count();
    let healthy = u64::try_from(healthy).unwrap_or(u64::MAX);
    let mut conditions = Conditions::of(set, now);
    conditions.set("MachinesCreated", true, "", "");
    availability(&mut conditions, &["Ready", "MachinesReady"], wanted, healthy);
    json!({
        "observedGeneration": set["metadata"]["generation"],
        "selector": selector_of(set),
        "replicas": machines.len(),
        "fullyLabeledReplicas": machines.len(),
        "readyReplicas": healthy,
        "availableReplicas": healthy,
        "conditions": conditions.into_sparse_value(),
    })
}
