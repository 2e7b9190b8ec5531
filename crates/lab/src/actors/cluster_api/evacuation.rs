//! What the KubeVirt provider does when a worker's virtual machine is to leave its node (eviction strategy External): it
//! drains the worker's own node in the guest, then deletes the instance, which its virtual machine starts again elsewhere.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{NAME, PROVIDER, runs};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::hypershift::guest_of_namespace;
use crate::client::{Client, Result, name_of, namespace_of};
use crate::kind::{KUBEVIRT_MACHINE, NODE, POD, VIRTUAL_MACHINE_INSTANCE};
use crate::objects::{annotation, is_deleting, merge};

/// On a KubevirtMachine whose node is drained: until when that may take.
const GRACE: &str = "capk.cluster.x-k8s.io/vmi-deletion-grace-time";
/// How long a drain may take before the instance is deleted all the same.
const PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);
/// How soon pods that could not go are asked again.
const AGAIN: Duration = Duration::from_secs(5);

/// On a guest's node that is cordoned because its machine moves: it is taken back when the machine is up again.
pub(crate) const MOVING: &str = "lab.berth.dev/moving";

/// The evacuation of workers.
#[derive(Debug, Default)]
pub(crate) struct Evacuations;

impl Actor for Evacuations {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        PROVIDER
    }

    fn watches(&self) -> Vec<Watch> {
        let marked = |instance: &Value| {
            let marked = instance["status"]["evacuationNodeName"].is_string();
            if marked { vec![Key::of(instance)] } else { Vec::new() }
        };
        vec![Watch::mapped(VIRTUAL_MACHINE_INSTANCE, marked).whole()]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> Result<Next> {
    let client = &context.client;
    let instance = client.get(VIRTUAL_MACHINE_INSTANCE, key.namespace(), &key.name).await?;
    let machine = client.get(KUBEVIRT_MACHINE, key.namespace(), &key.name).await?;
    let (Some(instance), Some(machine)) = (instance, machine) else {
        return Ok(Next::OnEvent);
    };
    let external = instance["spec"]["evictionStrategy"] == "External";
    if !external || is_deleting(&instance) || !runs(client, key.namespace(), "capi-provider").await? {
        return Ok(Next::OnEvent);
    }
    let now = context.time.now();
    let Some(until) = annotation(&machine, GRACE).and_then(|until| until.parse::<jiff::Timestamp>().ok()) else {
        let until = now
            .checked_add(PATIENCE)
            .unwrap_or(now)
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string();
        let patch = json!({ "metadata": { "annotations": { GRACE: until } } });
        merge(client, KUBEVIRT_MACHINE, &machine, &patch).await?;
        return Ok(Next::After(Duration::from_millis(1)));
    };
    if now < until && !drain(context, &instance).await? {
        return Ok(Next::After(AGAIN));
    }
    client
        .delete(VIRTUAL_MACHINE_INSTANCE, key.namespace(), &key.name)
        .await?;
    let patch = json!({ "metadata": { "annotations": { GRACE: null } } });
    merge(client, KUBEVIRT_MACHINE, &machine, &patch).await?;
    Ok(Next::OnEvent)
}

/// Cordons the worker's node and evicts its pods; whether all went, or there is no node.
async fn drain(context: &Context, instance: &Value) -> Result<bool> {
    let id = guest_of_namespace(&context.client, namespace_of(instance).unwrap_or_default()).await?;
    let Some(guest) = id.and_then(|id| context.site.guests.find(&id)) else {
        return Ok(true);
    };
    let inside = Client::new(guest.client, PROVIDER);
    let Some(node) = inside.get(NODE, None, name_of(instance)).await? else {
        return Ok(true);
    };
    if node["spec"]["unschedulable"] != true {
        let patch = json!({ "spec": { "unschedulable": true }, "metadata": { "annotations": { MOVING: "true" } } });
        merge(&inside, NODE, &node, &patch).await?;
    }
    let mut gone = true;
    for pod in inside.list(POD, None, "").await? {
        let owners = pod["metadata"]["ownerReferences"].as_array();
        let of_every_node = owners.is_some_and(|owners| owners.iter().any(|owner| owner["kind"] == "DaemonSet"));
        if pod["spec"]["nodeName"] == name_of(instance) && !of_every_node {
            inside.evict(&pod).await?;
            gone = false;
        }
    }
    Ok(gone)
}
