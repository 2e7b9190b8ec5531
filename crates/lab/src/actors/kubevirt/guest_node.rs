//! What would run inside a worker's virtual machine: the boot, the fetch of its configuration, and the kubelet that makes
//! a node of it in the guest.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{GUEST_NODE, NAME};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::SIMULATED;
use crate::actors::cluster_api::MOVING;
use crate::actors::hypershift::{IGNITION_REACHED, NODE_POOL_ANNOTATION, guest_of_namespace, kubelet_version};
use crate::actors::seen::Seen;
use crate::client::{Client, Result, name_of, namespace_of};
use crate::conditions;
use crate::kind::{DEPLOYMENT, MACHINE, NODE, NODE_POOL, SECRET, VIRTUAL_MACHINE_INSTANCE};
use crate::objects::{Conditions, annotation, is_deleting, is_rolled_out, merge, uid, write_status};
use crate::timers::Timers;

/// From power on to a kubelet that registers.
const BOOT: Duration = Duration::from_secs(140);
/// From there until the guest's network is set up on the node.
const NETWORK: Duration = Duration::from_secs(45);
const INFRA_ID: &str = "hypershift.openshift.io/infra-id";

/// The kubelets of all guests.
#[derive(Debug, Default)]
pub(crate) struct GuestNodes {
    timers: Timers,
    seen: Seen,
}

impl Actor for GuestNodes {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        "kubelet"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            self.seen
                .remember(VIRTUAL_MACHINE_INSTANCE, |instance| vec![Key::of(instance)]),
            self.seen
                .wake_beside(DEPLOYMENT, |deployment| name_of(deployment) == "ignition-server"),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        self.reconcile(context, key).boxed()
    }
}

impl GuestNodes {
    async fn reconcile(&self, context: &Context, key: &Key) -> Result<Next> {
        let client = &context.client;
        let instance = client.get(VIRTUAL_MACHINE_INSTANCE, key.namespace(), &key.name).await?;
        if instance
            .as_ref()
            .is_some_and(|instance| instance["metadata"]["labels"][INFRA_ID].is_null())
        {
            return Ok(Next::OnEvent);
        }
        let id = guest_of_namespace(client, key.namespace().unwrap_or_default()).await?;
        let Some(guest) = id.and_then(|id| context.site.guests.find(&id)) else {
            // Its API server is started by its control plane, which writes nothing then that could wake this key.
            let waits = instance.is_some();
            return Ok(if waits {
                Next::After(Duration::from_secs(5))
            } else {
                Next::OnEvent
            });
        };
        let inside = Client::new(guest.client, "kubelet");
        let node = inside.get(NODE, None, &key.name).await?;
        let running = instance.filter(|instance| instance["status"]["phase"] == "Running" && !is_deleting(instance));
        let Some(instance) = running else {
            if let Some(node) = node {
                stop_posting(context, &inside, &node).await?;
            }
            return Ok(Next::OnEvent);
        };
        self.bring_up(context, &inside, &instance, node).await
    }

    async fn bring_up(
        &self,
        context: &Context,
        inside: &Client,
        instance: &Value,
        node: Option<Value>,
    ) -> Result<Next> {
        let booted = |node: &Value| node["status"]["nodeInfo"]["bootID"] == uid(instance);
        if node
            .as_ref()
            .is_some_and(|node| booted(node) && conditions::is_true(node, "Ready"))
        {
            return tell(&context.client, instance, "Ready").await;
        }
        let Some(node) = node.filter(booted) else {
            if let Some(left) = self.timers.left(&context.time, uid(instance), "boot", BOOT) {
                return Ok(Next::After(left));
            }
            if !fetch_ignition(context, instance).await? {
                return Ok(Next::OnEvent);
            }
            register(context, inside, instance).await?;
            tell(&context.client, instance, "NotReady").await?;
            // At full speed the rest takes no time; otherwise the next pass begins to count.
            return Ok(Next::After(Duration::from_millis(1)));
        };
        if let Some(left) = self.timers.left(&context.time, uid(instance), "network", NETWORK) {
            return Ok(Next::After(left));
        }
        let mut conditions = Conditions::of(&node, context.time.stamp());
        conditions.set("Ready", true, "KubeletReady", "kubelet is posting ready status");
        let status = json!({ "conditions": conditions.into_value() });
        write_status(inside, NODE, &node, &status).await?;
        if annotation(&node, MOVING).is_some() {
            let patch = json!({ "spec": { "unschedulable": null }, "metadata": { "annotations": { MOVING: null } } });
            merge(inside, NODE, &node, &patch).await?;
        }
        tell(&context.client, instance, "Ready").await
    }
}

async fn tell(client: &Client, instance: &Value, state: &str) -> Result<Next> {
    let patch = json!({ "metadata": { "annotations": { GUEST_NODE: state } } });
    merge(client, VIRTUAL_MACHINE_INSTANCE, instance, &patch).await?;
    Ok(Next::OnEvent)
}

/// Whether the machine got its configuration: from an ignition server that runs, with the token that its pool made.
async fn fetch_ignition(context: &Context, instance: &Value) -> Result<bool> {
    let client = &context.client;
    let namespace = namespace_of(instance);
    let server = client.get(DEPLOYMENT, namespace, "ignition-server").await?;
    let machine = client.get(MACHINE, namespace, name_of(instance)).await?;
    let (Some(server), Some(machine)) = (server, machine) else {
        return Ok(false);
    };
    if !is_rolled_out(&server) {
        return Ok(false);
    }
    let user_data = machine["spec"]["bootstrap"]["dataSecretName"]
        .as_str()
        .unwrap_or_default();
    let token = user_data.replacen("user-data-", "token-", 1);
    if let Some(token) = client.get(SECRET, namespace, &token).await? {
        merge(
            client,
            SECRET,
            &token,
            &json!({ "metadata": { "annotations": { IGNITION_REACHED: "True" } } }),
        )
        .await?;
    }
    Ok(true)
}

/// A kubelet that registers its node, or finds it again after a boot.
async fn register(context: &Context, inside: &Client, instance: &Value) -> Result<()> {
    let machine = context
        .client
        .get(MACHINE, namespace_of(instance), name_of(instance))
        .await?
        .unwrap_or_default();
    let pool = match annotation(&machine, NODE_POOL_ANNOTATION).and_then(|name| name.split_once('/')) {
        Some((namespace, name)) => context.client.get(NODE_POOL, Some(namespace), name).await?,
        None => None,
    };
    inside.create(NODE, &new_node(instance, pool.as_ref())).await?;
    if let Some(node) = inside.get(NODE, None, name_of(instance)).await? {
        let status = node_status(context, &node, instance, &machine);
        write_status(inside, NODE, &node, &status).await?;
    }
    Ok(())
}

fn new_node(instance: &Value, pool: Option<&Value>) -> Value {
    let name = name_of(instance);
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node-role.kubernetes.io/worker": "",
        "node.openshift.io/os_id": "rhcos",
    });
    let mut spec = json!({ "providerID": format!("kubevirt://{name}") });
    if let Some(pool) = pool {
        labels["hypershift.openshift.io/nodePool"] = name_of(pool).into();
        for (key, value) in pool["spec"]["nodeLabels"].as_object().into_iter().flatten() {
            labels[key] = value.clone();
        }
        if pool["spec"]["taints"]
            .as_array()
            .is_some_and(|taints| !taints.is_empty())
        {
            spec["taints"] = pool["spec"]["taints"].clone();
        }
    }
    json!({
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {
                SIMULATED: "true",
                "cluster.x-k8s.io/machine": name,
                "cluster.x-k8s.io/cluster-namespace": namespace_of(instance),
            },
        },
        "spec": spec,
    })
}

fn node_status(context: &Context, node: &Value, instance: &Value, machine: &Value) -> Value {
    let version = annotation(machine, "hypershift.openshift.io/release-version").unwrap_or_default();
    let cores = instance["status"]["currentCPUTopology"]["cores"].as_u64().unwrap_or(2);
    let memory = instance["status"]["memory"]["guestAtBoot"].as_str().unwrap_or("8Gi");
    let amounts = json!({ "cpu": cores.to_string(), "memory": memory, "pods": "500", "ephemeral-storage": "32Gi" });
    let mut conditions = Conditions::of(node, context.time.stamp());
    for (kind, reason, message) in [
        (
            "MemoryPressure",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        (
            "DiskPressure",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure",
        ),
        (
            "PIDPressure",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
        ),
    ] {
        conditions.set(kind, false, reason, message);
    }
    let message = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady \
                   message:Network plugin returns error: no CNI configuration file in /etc/kubernetes/cni/net.d/";
    conditions.set("Ready", false, "KubeletNotReady", message);
    let mut conditions = conditions.into_value();
    for condition in conditions.as_array_mut().into_iter().flatten() {
        condition["lastHeartbeatTime"] = context.time.stamp().into();
    }
    json!({
        "addresses": [
            { "type": "InternalIP", "address": instance["status"]["interfaces"][0]["ipAddress"] },
            { "type": "Hostname", "address": name_of(node) },
        ],
        "capacity": amounts,
        "allocatable": amounts,
        "conditions": conditions,
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": uid(instance),
            "containerRuntimeVersion": format!("cri-o://{}", kubelet_version(version).trim_start_matches('v')),
            "kernelVersion": "5.14.0-427.el9_4.x86_64",
            "kubeProxyVersion": kubelet_version(version),
            "kubeletVersion": kubelet_version(version),
            "machineID": crate::hash::hex(&["machine", uid(machine)], 32),
            "operatingSystem": "linux",
            "osImage": format!("Red Hat Enterprise Linux CoreOS {version} (simulated)"),
            "systemUUID": uid(machine),
        },
    })
}

/// A node whose machine is gone: its kubelet no longer says anything.
async fn stop_posting(context: &Context, inside: &Client, node: &Value) -> Result<()> {
    let mut conditions = Conditions::of(node, context.time.stamp());
    conditions.set_unknown("Ready", "NodeStatusUnknown", "Kubelet stopped posting node status.");
    write_status(inside, NODE, node, &json!({ "conditions": conditions.into_value() })).await?;
    Ok(())
}
