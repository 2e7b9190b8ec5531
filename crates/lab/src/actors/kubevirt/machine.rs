//! The VirtualMachine: its disks, then its instance, and one word for how it stands.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{MANAGER, NAME};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::SIMULATED;
use crate::client::{Client, Result, name_of, namespace_of};
use crate::conditions;
use crate::kind::{DATA_VOLUME, PERSISTENT_VOLUME_CLAIM, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE};
use crate::objects::{Conditions, add_finalizer, drop_finalizer, ensure, is_deleting, owner, write_status};

const FINALIZER: &str = "kubevirt.io/virtualMachineControllerFinalize";

/// The controller of VirtualMachines.
#[derive(Debug, Default)]
pub(crate) struct VirtualMachines;

impl Actor for VirtualMachines {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::own(VIRTUAL_MACHINE),
            Watch::own(VIRTUAL_MACHINE_INSTANCE),
            Watch::owned(DATA_VOLUME, VIRTUAL_MACHINE),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> Result<Next> {
    let client = &context.client;
    let Some(machine) = client.get(VIRTUAL_MACHINE, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    let instance = client.get(VIRTUAL_MACHINE_INSTANCE, key.namespace(), &key.name).await?;
    if is_deleting(&machine) {
        return delete(context, &machine, instance.as_ref()).await;
    }
    if add_finalizer(client, VIRTUAL_MACHINE, &machine, FINALIZER).await? {
        return Ok(Next::OnEvent);
    }
    let disks = disks(client, &machine).await?;
    let wanted = wants_to_run(&machine, instance.as_ref());
    let over = instance
        .as_ref()
        .is_some_and(|instance| matches!(phase(instance), "Succeeded" | "Failed"));
    match &instance {
        Some(found) if !is_deleting(found) && (over || !wanted) => {
            client
                .delete(VIRTUAL_MACHINE_INSTANCE, key.namespace(), &key.name)
                .await?;
        }
        None if wanted && disks.iter().all(|disk| disk["status"]["phase"] == "Succeeded") => {
            ensure(client, VIRTUAL_MACHINE_INSTANCE, &new_instance(&machine)).await?;
        }
        _ => {}
    }
    let status = status(context, &machine, instance.as_ref(), &disks, wanted).await?;
    write_status(client, VIRTUAL_MACHINE, &machine, &status).await?;
    Ok(Next::OnEvent)
}

async fn delete(context: &Context, machine: &Value, instance: Option<&Value>) -> Result<Next> {
    let client = &context.client;
    match instance {
        None => {
            drop_finalizer(client, VIRTUAL_MACHINE, machine, FINALIZER).await?;
        }
        Some(instance) => {
            let status = json!({ "printableStatus": "Terminating", "ready": false });
            write_status(client, VIRTUAL_MACHINE, machine, &status).await?;
            if !is_deleting(instance) {
                client
                    .delete(VIRTUAL_MACHINE_INSTANCE, namespace_of(machine), name_of(machine))
                    .await?;
            }
        }
    }
    Ok(Next::OnEvent)
}

/// The DataVolumes of the templates, made where they are missing.
async fn disks(client: &Client, machine: &Value) -> Result<Vec<Value>> {
    let mut disks = Vec::new();
    for template in machine["spec"]["dataVolumeTemplates"].as_array().into_iter().flatten() {
        if let Some(found) = client
            .get(DATA_VOLUME, namespace_of(machine), name_of(template))
            .await?
        {
            disks.push(found);
            continue;
        }
        let mut disk = template.clone();
        disk["metadata"]["namespace"] = machine["metadata"]["namespace"].clone();
        disk["metadata"]["ownerReferences"] = json!([owner(VIRTUAL_MACHINE, machine)]);
        disk["metadata"]["labels"]["kubevirt.io/created-by"] = machine["metadata"]["uid"].clone();
        disk["metadata"]["annotations"][SIMULATED] = "true".into();
        client.create(DATA_VOLUME, &disk).await?;
        disks.push(disk);
    }
    Ok(disks)
}

fn wants_to_run(machine: &Value, instance: Option<&Value>) -> bool {
    let ended = instance.is_some_and(|instance| phase(instance) == "Succeeded");
    match machine["spec"]["runStrategy"].as_str() {
        Some("Always" | "Once") => true,
        Some("RerunOnFailure") => !ended,
        Some("Manual") => instance.is_some(),
        Some(_) => false,
        None => machine["spec"]["running"] == true,
    }
}

fn new_instance(machine: &Value) -> Value {
    let template = &machine["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    metadata["name"] = name_of(machine).into();
    metadata["namespace"] = machine["metadata"]["namespace"].clone();
    metadata["annotations"][SIMULATED] = "true".into();
    metadata["ownerReferences"] = json!([owner(VIRTUAL_MACHINE, machine)]);
    metadata["finalizers"] = json!([super::instance::FINALIZER]);
    json!({ "metadata": metadata, "spec": template["spec"] })
}

fn phase(instance: &Value) -> &str {
    instance["status"]["phase"].as_str().unwrap_or_default()
}

async fn status(
    context: &Context,
    machine: &Value,
    instance: Option<&Value>,
    disks: &[Value],
    wanted: bool,
) -> Result<Value> {
    let mut conditions = Conditions::of(machine, context.time.stamp());
    let running = instance.is_some_and(|instance| phase(instance) == "Running");
    match instance {
        None => conditions.set("Ready", false, "VMINotExists", "VMI does not exist"),
        Some(_) if running => conditions.set("Ready", true, "", ""),
        Some(_) => conditions.set("Ready", false, "GuestNotRunning", "Guest VM is not reported as running"),
    }
    match instance.and_then(|instance| conditions::find(instance, "LiveMigratable")) {
        None => conditions.remove("LiveMigratable"),
        Some(found) => {
            let text = |field: &str| found[field].as_str().unwrap_or_default();
            conditions.set_text("LiveMigratable", text("status"), text("reason"), text("message"));
        }
    }
    let printable = match instance {
        Some(instance) if is_deleting(instance) => "Stopping",
        Some(_) if running => "Running",
        Some(instance) if unschedulable(instance) => "ErrorUnschedulable",
        Some(_) => "Starting",
        None => {
            waiting_for_disks(context, machine, disks)
                .await?
                .unwrap_or(if wanted { "Starting" } else { "Stopped" })
        }
    };
    let mut status = json!({
        "created": instance.is_some(),
        "ready": running,
        "printableStatus": printable,
        "conditions": conditions.into_value(),
        "observedGeneration": machine["metadata"]["generation"],
        "desiredGeneration": machine["metadata"]["generation"],
    });
    if let Some(strategy) = machine["spec"]["runStrategy"].as_str() {
        status["runStrategy"] = strategy.into();
    }
    Ok(status)
}

fn unschedulable(instance: &Value) -> bool {
    conditions::find(instance, "PodScheduled").is_some_and(|found| found["status"] == "False")
}

/// What a machine whose disks are not there yet says.
async fn waiting_for_disks(context: &Context, machine: &Value, disks: &[Value]) -> Result<Option<&'static str>> {
    let mut said = None;
    for disk in disks.iter().filter(|disk| disk["status"]["phase"] != "Succeeded") {
        if conditions::find(disk, "Running")
            .is_some_and(|found| found["status"] == "False" && found["reason"] == "Error")
        {
            return Ok(Some("DataVolumeError"));
        }
        let claim = context
            .client
            .get(PERSISTENT_VOLUME_CLAIM, namespace_of(machine), name_of(disk))
            .await?;
        let bound = claim.is_some_and(|claim| claim["status"]["phase"] == "Bound");
        said = Some(if bound {
            "Provisioning"
        } else {
            "WaitingForVolumeBinding"
        });
    }
    Ok(said)
}
