//! The KubeVirt provider: from a KubevirtMachine to a VirtualMachine of the same name, and what that says back.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{CLUSTER_LABEL, NAME, PROVIDER, is_paused, runs, wakes_with, wakes_with_cluster};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::SIMULATED;
use crate::actors::seen::Seen;
use crate::client::{Client, Result, name_of, namespace_of};
use crate::conditions;
use crate::kind::{CLUSTER, DATA_VOLUME, KUBEVIRT_MACHINE, MACHINE, SECRET, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE};
use crate::objects::{Conditions, add_finalizer, drop_finalizer, ensure, is_deleting, merge, owner, write_status};

const FINALIZER: &str = "kubevirtmachine.infrastructure.cluster.x-k8s.io";
const USER_DATA_VOLUME: &str = "cloudinitvolume";

/// The controller of KubevirtMachines.
#[derive(Debug, Default)]
pub(crate) struct KubevirtMachines {
    seen: Seen,
}

impl Actor for KubevirtMachines {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        PROVIDER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            self.seen.remember(KUBEVIRT_MACHINE, |machine| vec![Key::of(machine)]),
            // The same name at every level; a disk is named by its machine's owner reference.
            Watch::own(VIRTUAL_MACHINE),
            Watch::own(VIRTUAL_MACHINE_INSTANCE),
            Watch::owned(DATA_VOLUME, VIRTUAL_MACHINE),
            wakes_with("capi-provider", &self.seen),
            wakes_with_cluster(&self.seen),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> Result<Next> {
    let client = &context.client;
    let Some(machine) = client.get(KUBEVIRT_MACHINE, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if !runs(client, key.namespace(), "capi-provider").await? || is_paused(client, &machine).await? {
        return Ok(Next::OnEvent);
    }
    if is_deleting(&machine) {
        return delete(client, &machine).await;
    }
    if add_finalizer(client, KUBEVIRT_MACHINE, &machine, FINALIZER).await? {
        return Ok(Next::OnEvent);
    }
    ensure_user_data(client, &machine).await?;
    ensure(client, VIRTUAL_MACHINE, &virtual_machine(&machine)).await?;
    let instance = client.get(VIRTUAL_MACHINE_INSTANCE, key.namespace(), &key.name).await?;
    let disks = client.list(DATA_VOLUME, key.namespace(), "").await?;
    let disk = disks.iter().find(|disk| {
        name_of(disk)
            .strip_prefix(key.name.as_str())
            .is_some_and(|rest| rest.starts_with('-'))
    });
    let status = status(&machine, instance.as_ref(), disk, context.time.stamp());
    if status["ready"] == true {
        let provider_id = format!("kubevirt://{}", key.name);
        merge(
            client,
            KUBEVIRT_MACHINE,
            &machine,
            &json!({ "spec": { "providerID": provider_id } }),
        )
        .await?;
    }
    write_status(client, KUBEVIRT_MACHINE, &machine, &status).await?;
    Ok(Next::OnEvent)
}

async fn delete(client: &Client, machine: &Value) -> Result<Next> {
    let (namespace, name) = (namespace_of(machine), name_of(machine));
    // Without its Cluster it is not looked at.
    let cluster = machine["metadata"]["labels"][CLUSTER_LABEL]
        .as_str()
        .unwrap_or_default();
    if client.get(CLUSTER, namespace, cluster).await?.is_none() {
        return Ok(Next::OnEvent);
    }
    if let Some(found) = client.get(VIRTUAL_MACHINE, namespace, name).await? {
        if !is_deleting(&found) {
            client.delete(VIRTUAL_MACHINE, namespace, name).await?;
        }
        return Ok(Next::OnEvent);
    }
    client.delete(SECRET, namespace, &user_data_name(name)).await?;
    drop_finalizer(client, KUBEVIRT_MACHINE, machine, FINALIZER).await?;
    Ok(Next::OnEvent)
}

fn user_data_name(machine: &str) -> String {
    format!("{machine}-userdata")
}

/// The provider hands each machine a copy of what it boots with.
async fn ensure_user_data(client: &Client, machine: &Value) -> Result<()> {
    let (namespace, name) = (namespace_of(machine), name_of(machine));
    let Some(of_machine) = client.get(MACHINE, namespace, name).await? else {
        return Ok(());
    };
    let source = of_machine["spec"]["bootstrap"]["dataSecretName"]
        .as_str()
        .unwrap_or_default();
    let Some(secret) = client.get(SECRET, namespace, source).await? else {
        return Ok(());
    };
    let copy = json!({
        "metadata": {
            "name": user_data_name(name),
            "namespace": namespace,
            "labels": { CLUSTER_LABEL: machine["metadata"]["labels"][CLUSTER_LABEL] },
            "ownerReferences": [owner(KUBEVIRT_MACHINE, machine)],
        },
        "type": "Opaque",
        "data": { "userdata": secret["data"]["value"] },
    });
    ensure(client, SECRET, &copy).await?;
    Ok(())
}

/// The template with the machine's name before each disk's, and the volume it boots from.
fn virtual_machine(machine: &Value) -> Value {
    let name = name_of(machine);
    let template = &machine["spec"]["virtualMachineTemplate"];
    let mut spec = template["spec"].clone();
    let prefixed = |disk: &Value| Value::from(format!("{name}-{}", disk.as_str().unwrap_or_default()));
    for disk in spec["dataVolumeTemplates"].as_array_mut().into_iter().flatten() {
        disk["metadata"]["name"] = prefixed(&disk["metadata"]["name"]);
    }
    let instance = &mut spec["template"]["spec"];
    let mut volumes = instance["volumes"].as_array().cloned().unwrap_or_default();
    for volume in &mut volumes {
        if volume["dataVolume"].is_object() {
            volume["dataVolume"]["name"] = prefixed(&volume["dataVolume"]["name"]);
        }
    }
    volumes.push(
        json!({ "name": USER_DATA_VOLUME, "cloudInitConfigDrive": { "secretRef": { "name": user_data_name(name) } } }),
    );
    instance["volumes"] = volumes.into();
    if let Some(disks) = instance["domain"]["devices"]["disks"].as_array_mut() {
        disks.push(json!({ "name": USER_DATA_VOLUME, "disk": { "bus": "virtio" } }));
    }
    let mut labels = template["metadata"]["labels"].clone();
    labels[CLUSTER_LABEL] = machine["metadata"]["labels"][CLUSTER_LABEL].clone();
    labels["capk.cluster.x-k8s.io/kubevirt-machine-name"] = name.into();
    labels["capk.cluster.x-k8s.io/kubevirt-machine-namespace"] = machine["metadata"]["namespace"].clone();
    let pod_labels = &mut spec["template"]["metadata"]["labels"];
    pod_labels["kubevirt.io/vm"] = name.into();
    pod_labels[CLUSTER_LABEL] = labels[CLUSTER_LABEL].clone();
    spec["template"]["metadata"]["annotations"][SIMULATED] = "true".into();
    json!({
        "metadata": {
            "name": name,
            "namespace": machine["metadata"]["namespace"],
            "labels": labels,
            "annotations": { SIMULATED: "true" },
            "ownerReferences": [owner(KUBEVIRT_MACHINE, machine)],
        },
        "spec": spec,
    })
}

fn status(machine: &Value, instance: Option<&Value>, disk: Option<&Value>, now: String) -> Value {
    let mut conditions = Conditions::of(machine, now);
    let address = instance.and_then(|instance| instance["status"]["interfaces"][0]["ipAddress"].as_str());
    let running = instance.filter(|instance| instance["status"]["phase"] == "Running" && address.is_some());
    let ready = running.is_some();
    if let Some(instance) = running {
        conditions.set("VMProvisioned", true, "", "");
        conditions.set("BootstrapExecSucceeded", true, "", "");
        let movable = conditions::is_true(instance, "LiveMigratable");
        let cause = conditions::find(instance, "LiveMigratable")
            .cloned()
            .unwrap_or_default();
        let text = |field: &str| cause[field].as_str().unwrap_or_default();
        conditions.set("VMLiveMigratable", movable, text("reason"), text("message"));
        conditions.set("Ready", true, "", "");
    } else {
        let (reason, message) = why_not(instance, disk);
        conditions.set("VMProvisioned", false, reason, &message);
        conditions.set("Ready", false, reason, &message);
    }
    let mut status = json!({ "ready": ready, "conditions": conditions.into_sparse_value() });
    if let Some(address) = address.filter(|_| ready) {
        status["addresses"] = json!([
            { "type": "Hostname", "address": name_of(machine) },
            { "type": "InternalIP", "address": address },
            { "type": "ExternalIP", "address": address },
            { "type": "InternalDNS", "address": name_of(machine) },
        ]);
        status["nodeupdated"] = true.into();
        status["loadBalancerConfigured"] = false.into();
    }
    status
}

/// Why the virtual machine does not run: the disk before the instance.
fn why_not(instance: Option<&Value>, disk: Option<&Value>) -> (&'static str, String) {
    if let Some(disk) = disk.filter(|disk| disk["status"]["phase"] != "Succeeded") {
        let phase = disk["status"]["phase"].as_str().unwrap_or("Pending");
        let detail = (["Running", "Bound"].into_iter())
            .filter_map(|kind| conditions::find(disk, kind))
            .find(|condition| {
                condition["status"] == "False" && condition["message"].as_str().is_some_and(|text| !text.is_empty())
            })
            .map(|condition| format!(": {}", condition["message"].as_str().unwrap_or_default()));
        return (
            "DVNotReady",
            format!("DataVolume {} is {phase}{}", name_of(disk), detail.unwrap_or_default()),
        );
    }
    let Some(instance) = instance else {
        return ("VMNotReady", "VMI does not exist".to_owned());
    };
    let phase = instance["status"]["phase"].as_str().unwrap_or("Pending");
    let scheduled = conditions::find(instance, "PodScheduled").filter(|condition| condition["status"] == "False");
    let detail = scheduled
        .and_then(|condition| condition["message"].as_str())
        .map(|message| format!(": {message}"));
    ("VMNotReady", format!("VMI is {phase}{}", detail.unwrap_or_default()))
}
