//! The Machine: its infrastructure, its node in the guest, and an end in good order.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::drain::{self, Patience};
use super::{CLONED_FROM, MANAGER, NAME, is_paused, newer, runs, wakes_with, wakes_with_cluster};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::hypershift::guest_of_namespace;
use crate::actors::seen::Seen;
use crate::client::{Client, Result, name_of, namespace_of};
use crate::conditions;
use crate::kind::{
    CLUSTER, KUBEVIRT_MACHINE, KUBEVIRT_MACHINE_TEMPLATE, MACHINE, MACHINE_DEPLOYMENT, NODE, VIRTUAL_MACHINE_INSTANCE,
};
use crate::objects::{
    Conditions, add_finalizer, annotation, drop_finalizer, ensure, is_deleting, merge, owner, uid, write_status,
};
use crate::timers::Timers;

const FINALIZER: &str = "machine.cluster.x-k8s.io";
/// How long the pods of a node take to go elsewhere.
const DRAIN: Duration = Duration::from_secs(10);
/// How soon a node that is not drained yet is looked at again.
const DRAIN_AGAIN: Duration = Duration::from_secs(20);
/// How soon a guest's API server that does not answer yet is asked again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The controller of Machines.
#[derive(Debug, Default)]
pub(crate) struct Machines {
    seen: Seen,
    timers: Timers,
}

impl Actor for Machines {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            self.seen.remember(MACHINE, |machine| vec![Key::of(machine)]),
            // The same name at every level.
            Watch::own(KUBEVIRT_MACHINE),
            Watch::own(VIRTUAL_MACHINE_INSTANCE),
            wakes_with("cluster-api", &self.seen),
            wakes_with_cluster(&self.seen),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        self.reconcile(context, key).boxed()
    }
}

impl Machines {
    async fn reconcile(&self, context: &Context, key: &Key) -> Result<Next> {
        let client = &context.client;
        let Some(machine) = client.get(MACHINE, key.namespace(), &key.name).await? else {
            return Ok(Next::OnEvent);
        };
        if !runs(client, key.namespace(), "cluster-api").await? || is_paused(client, &machine).await? {
            return Ok(Next::OnEvent);
        }
        let guest = guest_client(context, key.namespace()).await?;
        if is_deleting(&machine) {
            return self.delete(context, &machine, guest.as_ref()).await;
        }
        if add_finalizer(client, MACHINE, &machine, FINALIZER).await? {
            return Ok(Next::OnEvent);
        }
        ensure_infrastructure(client, &machine).await?;
        let infrastructure = client
            .get(KUBEVIRT_MACHINE, key.namespace(), &key.name)
            .await?
            .unwrap_or_default();
        let provider_id = &infrastructure["spec"]["providerID"];
        if provider_id.is_string() {
            merge(
                client,
                MACHINE,
                &machine,
                &json!({ "spec": { "providerID": provider_id } }),
            )
            .await?;
        }
        let node = match &guest {
            Some(guest) => guest.get(NODE, None, &key.name).await?,
            // Where a lab is started again, a guest's API server comes a moment after its machines, and nothing wakes this
            // key then: a node that is known already is not missing.
            None if machine["status"]["nodeRef"].is_object() => return Ok(Next::After(LOOK_AGAIN)),
            None => None,
        };
        let mut status = status(&machine, &infrastructure, node.as_ref(), context.time.stamp());
        if context.generation.is_current() {
            let up_to_date = is_up_to_date(client, &machine).await?;
            newer::machine(
                context.generation,
                &machine,
                &mut status,
                up_to_date,
                context.time.stamp(),
            );
        }
        write_status(client, MACHINE, &machine, &status).await?;
        let may_have_a_node = infrastructure["status"]["ready"] == true;
        Ok(if guest.is_none() && may_have_a_node {
            Next::After(LOOK_AGAIN)
        } else {
            Next::OnEvent
        })
    }

    /// Cordon and drain, the infrastructure, the node; then the machine may go.
    async fn delete(&self, context: &Context, machine: &Value, guest: Option<&Client>) -> Result<Next> {
        let client = &context.client;
        let (namespace, name) = (namespace_of(machine), name_of(machine));
        // A machine whose Cluster can't be found is not looked at, not even to take it down.
        let cluster = machine["spec"]["clusterName"].as_str().unwrap_or_default();
        let Some(cluster) = client.get(CLUSTER, namespace, cluster).await? else {
            return Ok(Next::OnEvent);
        };
        let infrastructure = client.get(KUBEVIRT_MACHINE, namespace, name).await?;
        let node = match guest {
            Some(guest) => guest.get(NODE, None, name).await?,
            None => None,
        };
        let mut conditions = Conditions::of(machine, context.time.stamp());
        conditions.set("Ready", false, "Deleting", "");
        // Nothing is drained where the whole cluster goes, nor twice.
        let drains = !is_deleting(&cluster) && infrastructure.as_ref().is_some_and(|object| !is_deleting(object));
        let waits = match (guest, &node) {
            (Some(guest), Some(node)) if drains => {
                self.ready_node(context, machine, guest, node, &mut conditions).await?
            }
            _ => None,
        };
        let status = json!({ "phase": "Deleting", "conditions": conditions.into_sparse_value() });
        let written = write_status(client, MACHINE, machine, &status).await?;
        if let Some(left) = waits {
            return Ok(Next::After(left));
        }
        if written {
            return Ok(Next::OnEvent);
        }
        if let Some(infrastructure) = infrastructure {
            if !is_deleting(&infrastructure) {
                client.delete(KUBEVIRT_MACHINE, namespace, name).await?;
            }
            return Ok(Next::OnEvent);
        }
        if let (Some(guest), Some(_)) = (guest, node) {
            guest.delete(NODE, None, name).await?;
        }
        self.timers.forget(uid(machine));
        drop_finalizer(client, MACHINE, machine, FINALIZER).await?;
        Ok(Next::OnEvent)
    }
}

impl Machines {
    /// Makes a node ready to go: drained, its volumes detached. How long to wait before looking again, if it is not.
    async fn ready_node(
        &self,
        context: &Context,
        machine: &Value,
        guest: &Client,
        node: &Value,
        conditions: &mut Conditions,
    ) -> Result<Option<Duration>> {
        let waits = |work, patience| match patience {
            Patience::None => false,
            Patience::For(timeout) => self.timers.left(&context.time, uid(machine), work, timeout).is_some(),
            Patience::Endless => true,
        };
        let patience = drain::for_drain(machine);
        if !matches!(patience, Patience::None) && !conditions.is_true("DrainingSucceeded") {
            let drained = drain::drain(guest, node).await?;
            let left = self.timers.left(&context.time, uid(machine), "drain", DRAIN);
            let wait = if drained { left } else { Some(DRAIN_AGAIN) };
            if wait.is_some() && waits("drain timeout", patience) {
                let message = "Draining the node before deletion";
                conditions.set("DrainingSucceeded", false, "Draining", message);
                return Ok(wait);
            }
            conditions.set("DrainingSucceeded", true, "", "");
        }
        if waits("detach timeout", drain::for_volumes(machine, node)) {
            let message = "Waiting for node volumes to be detached";
            conditions.set("VolumeDetachSucceeded", false, "WaitingForVolumeDetach", message);
            return Ok(Some(DRAIN_AGAIN));
        }
        Ok(None)
    }
}

/// A client inside the guest whose machines a namespace holds; `None` while its API server does not run.
pub(super) async fn guest_client(context: &Context, namespace: Option<&str>) -> Result<Option<Client>> {
    let id = guest_of_namespace(&context.client, namespace.unwrap_or_default()).await?;
    let guest = id.and_then(|id| context.site.guests.find(&id));
    Ok(guest.map(|guest| Client::new(guest.client, MANAGER)))
}

/// Whether the machine is made of what its deployment has now. One that belongs to none always is.
async fn is_up_to_date(client: &Client, machine: &Value) -> Result<bool> {
    let labels = &machine["metadata"]["labels"];
    let name = labels["cluster.x-k8s.io/deployment-name"].as_str().unwrap_or_default();
    let Some(deployment) = client.get(MACHINE_DEPLOYMENT, namespace_of(machine), name).await? else {
        return Ok(true);
    };
    let (wanted, made) = (&deployment["spec"]["template"]["spec"], &machine["spec"]);
    Ok(
        annotation(machine, CLONED_FROM) == wanted["infrastructureRef"]["name"].as_str()
            && made["bootstrap"]["dataSecretName"] == wanted["bootstrap"]["dataSecretName"]
            && made["version"] == wanted["version"],
    )
}

async fn ensure_infrastructure(client: &Client, machine: &Value) -> Result<()> {
    let namespace = namespace_of(machine);
    let source = annotation(machine, CLONED_FROM).unwrap_or_default();
    let Some(template) = client.get(KUBEVIRT_MACHINE_TEMPLATE, namespace, source).await? else {
        return Ok(());
    };
    let wanted = json!({
        "metadata": {
            "name": name_of(machine),
            "namespace": namespace,
            "labels": machine["metadata"]["labels"],
            "annotations": {
                CLONED_FROM: source,
                "cluster.x-k8s.io/cloned-from-groupkind": "KubevirtMachineTemplate.infrastructure.cluster.x-k8s.io",
            },
            "ownerReferences": [owner(MACHINE, machine)],
        },
        "spec": template["spec"]["template"]["spec"],
    });
    ensure(client, KUBEVIRT_MACHINE, &wanted).await?;
    Ok(())
}

fn status(machine: &Value, infrastructure: &Value, node: Option<&Value>, now: String) -> Value {
    let provisioned = infrastructure["status"]["ready"] == true;
    let mut conditions = Conditions::of(machine, now);
    let text = |found: &Value, field: &str| found[field].as_str().unwrap_or_default().to_owned();
    let cause = conditions::find(infrastructure, "Ready").cloned().unwrap_or_default();
    let (reason, message) = match text(&cause, "reason") {
        reason if reason.is_empty() => ("WaitingForInfrastructure".to_owned(), String::new()),
        reason => (reason, text(&cause, "message")),
    };
    if provisioned {
        conditions.set("Ready", true, "", "");
        conditions.set("BootstrapReady", true, "", "");
        conditions.set("InfrastructureReady", true, "", "");
    } else {
        conditions.set("Ready", false, &reason, &message);
        conditions.set("BootstrapReady", true, "", "");
        conditions.set("InfrastructureReady", false, &reason, &message);
    }
    match node {
        None if provisioned => conditions.set(
            "NodeHealthy",
            false,
            "NodeProvisioning",
            "Waiting for a node with matching ProviderID to exist",
        ),
        None => conditions.set("NodeHealthy", false, "WaitingForNodeRef", ""),
        Some(node) if conditions::is_true(node, "Ready") => conditions.set("NodeHealthy", true, "", ""),
        Some(node) => {
            let found = conditions::find(node, "Ready").cloned().unwrap_or_default();
            let message = format!(
                "Condition Ready on node is reporting status {} due to {}",
                text(&found, "status"),
                text(&found, "reason")
            );
            conditions.set("NodeHealthy", false, "NodeConditionsFailed", &message);
        }
    }
    let phase = match (provisioned, node) {
        (true, Some(_)) => "Running",
        (true, None) => "Provisioned",
        (false, _) if infrastructure.is_object() => "Provisioning",
        (false, _) => "Pending",
    };
    let mut status = json!({
        "phase": phase,
        "bootstrapReady": true,
        "infrastructureReady": provisioned,
        "observedGeneration": machine["metadata"]["generation"],
        "conditions": conditions.into_sparse_value(),
    });
    if machine["status"]["phase"] != phase {
        status["lastUpdated"] = status["conditions"][0]["lastTransitionTime"].clone();
    }
    if !infrastructure["status"]["addresses"].is_null() {
        status["addresses"] = infrastructure["status"]["addresses"].clone();
    }
    if let Some(node) = node {
        status["nodeRef"] = json!({ "apiVersion": "v1", "kind": "Node", "name": name_of(node), "uid": uid(node) });
        status["nodeInfo"] = node["status"]["nodeInfo"].clone();
    }
    status
}
