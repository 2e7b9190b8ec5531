//! The MachineDeployment: a MachineSet for each template, and the rollout from one to the next.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::rollout::{Pace, Set, scale, scale_on_delete};
use super::{MANAGER, NAME, availability, looked_after, newer, remaining, selector_of, wakes_with, wakes_with_cluster};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::seen::Seen;
use crate::client::{Client, Result, name_of, namespace_of};
use crate::kind::{MACHINE, MACHINE_DEPLOYMENT, MACHINE_SET};
use crate::objects::{Conditions, is_deleting, is_owned_by, merge, owner, write_status};

/// On what a MachineDeployment makes: its name.
const DEPLOYMENT_LABEL: &str = "cluster.x-k8s.io/deployment-name";
/// On a set that is only to shrink.
pub(super) const NO_NEW_MACHINES: &str = "cluster.x-k8s.io/disable-machine-create";
/// What of a machine is changed where it is, without another one.
pub(super) const IN_PLACE_FIELDS: [&str; 2] = ["nodeDrainTimeout", "nodeVolumeDetachTimeout"];

/// The controller of MachineDeployments.
#[derive(Debug, Default)]
pub(crate) struct MachineDeployments {
    seen: Seen,
}

impl Actor for MachineDeployments {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            self.seen
                .remember(MACHINE_DEPLOYMENT, |deployment| vec![Key::of(deployment)]),
            Watch::owned(MACHINE_SET, MACHINE_DEPLOYMENT),
            // A machine that someone deletes is replaced; of the others their sets tell.
            Watch::mapped(MACHINE, |machine| {
                let deployment = machine["metadata"]["labels"][DEPLOYMENT_LABEL].as_str();
                let deployment = deployment.filter(|_| is_deleting(machine));
                deployment
                    .map(|name| Key::named(namespace_of(machine), name))
                    .into_iter()
                    .collect()
            }),
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
    let Some(deployment) = looked_after(client, MACHINE_DEPLOYMENT, key).await? else {
        return Ok(Next::OnEvent);
    };
    let listed = client.list(MACHINE_SET, key.namespace(), "").await?;
    let sets = remaining(listed.iter().filter(|set| is_owned_by(set, &deployment)));
    if !sets.iter().any(|set| is_of_template(set, &deployment)) {
        create_set(context, &deployment).await?;
        return Ok(Next::OnEvent);
    }
    let desired = count(&deployment, "/spec/replicas");
    let plan: Vec<Set> = sets.iter().map(|set| as_set(set, &deployment)).collect();
    let on_delete = deployment["spec"]["strategy"]["type"] == "OnDelete";
    let replicas = if on_delete {
        scale_on_delete(&plan, &alive(client, &sets).await?, desired)
    } else {
        scale(&plan, desired, Pace::of(&deployment, desired))
    };
    for (set, wanted) in sets.iter().zip(replicas) {
        let old = !is_of_template(set, &deployment);
        if old && wanted == 0 && count(set, "/status/replicas") == 0 && count(set, "/spec/replicas") == 0 {
            client.delete(MACHINE_SET, key.namespace(), name_of(set)).await?;
            continue;
        }
        let mut patch = json!({ "spec": { "replicas": wanted } });
        patch["metadata"]["annotations"][NO_NEW_MACHINES] = if old && on_delete { "true".into() } else { Value::Null };
        for field in IN_PLACE_FIELDS {
            patch["spec"]["template"]["spec"][field] = deployment["spec"]["template"]["spec"][field].clone();
        }
        merge(client, MACHINE_SET, set, &patch).await?;
    }
    let mut status = status(&deployment, &sets, desired, context.time.stamp());
    newer::machine_deployment(context.generation, &deployment, &mut status, context.time.stamp());
    write_status(client, MACHINE_DEPLOYMENT, &deployment, &status).await?;
    Ok(Next::OnEvent)
}

/// How many machines of each set are not on their way out.
async fn alive(client: &Client, sets: &[&Value]) -> Result<Vec<u64>> {
    let mut counts = Vec::new();
    for set in sets {
        let machines = client.list(MACHINE, namespace_of(set), &selector_of(set)).await?;
        let of_set = machines.iter().filter(|machine| is_owned_by(machine, set));
        counts.push(u64::try_from(remaining(of_set).len()).unwrap_or(u64::MAX));
    }
    Ok(counts)
}

fn count(object: &Value, path: &str) -> u64 {
    object.pointer(path).and_then(Value::as_u64).unwrap_or(0)
}

/// Templates are told apart by what their machines are made of: the infrastructure and what they boot with.
fn is_of_template(set: &Value, deployment: &Value) -> bool {
    let of = |object: &Value| {
        let spec = &object["spec"]["template"]["spec"];
        (
            spec["infrastructureRef"]["name"].clone(),
            spec["bootstrap"]["dataSecretName"].clone(),
            spec["version"].clone(),
        )
    };
    of(set) == of(deployment)
}

fn as_set(set: &Value, deployment: &Value) -> Set {
    Set {
        is_new: is_of_template(set, deployment),
        wanted: count(set, "/spec/replicas"),
        present: count(set, "/status/replicas"),
        available: count(set, "/status/availableReplicas"),
    }
}

async fn create_set(context: &Context, deployment: &Value) -> Result<()> {
    let name = format!("{}-{}", name_of(deployment), context.random.suffix(5));
    let mut labels = deployment["spec"]["template"]["metadata"]["labels"].clone();
    labels[DEPLOYMENT_LABEL] = name_of(deployment).into();
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"] = labels.clone();
    let set = json!({
        "metadata": {
            "name": name,
            "namespace": deployment["metadata"]["namespace"],
            "labels": labels,
            "annotations": deployment["metadata"]["annotations"],
            "ownerReferences": [owner(MACHINE_DEPLOYMENT, deployment)],
        },
        "spec": {
            "clusterName": deployment["spec"]["clusterName"],
            // The next pass knows how many there is room for.
            "replicas": 0,
            "selector": deployment["spec"]["selector"],
            "template": template,
        },
    });
    context.client.create(MACHINE_SET, &set).await?;
    Ok(())
}

fn status(deployment: &Value, sets: &[&Value], desired: u64, now: String) -> Value {
    let sum = |path: &str| sets.iter().map(|set| count(set, path)).sum::<u64>();
    let updated = sets
        .iter()
        .filter(|set| is_of_template(set, deployment))
        .map(|set| count(set, "/status/replicas"))
        .sum::<u64>();
    let (replicas, available) = (sum("/status/replicas"), sum("/status/availableReplicas"));
    let mut conditions = Conditions::of(deployment, now);
    availability(&mut conditions, &["Ready", "Available"], desired, available);
    let phase = match () {
        () if replicas > desired && updated >= desired => "ScalingDown",
        () if available < desired || updated < desired => "ScalingUp",
        () => "Running",
    };
    json!({
        "observedGeneration": deployment["metadata"]["generation"],
        "selector": selector_of(deployment),
        "replicas": replicas,
        "updatedReplicas": updated,
        "readyReplicas": sum("/status/readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": desired.max(replicas).saturating_sub(available),
        "phase": phase,
        "conditions": conditions.into_sparse_value(),
    })
}
