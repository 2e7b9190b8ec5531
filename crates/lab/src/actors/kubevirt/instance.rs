//! The VirtualMachineInstance: a virt-launcher pod, and the phases from Pending to Running.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{MANAGER, NAME};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::{SIMULATED, events};
use crate::client::{Client, Result, name_of, namespace_of};
use crate::conditions;
use crate::kind::{PERSISTENT_VOLUME_CLAIM, POD, VIRTUAL_MACHINE_INSTANCE};
use crate::objects::{Conditions, drop_finalizer, is_deleting, is_owned_by, merge, owner, uid};
use crate::timers::Timers;

pub(super) const FINALIZER: &str = "foregroundDeleteVirtualMachine";

/// From a pod that runs to a domain that does.
const START: Duration = Duration::from_secs(5);
/// What the launcher needs beside the machine's own memory, in MiB.
const OVERHEAD: u64 = 300;
/// How many millicores a virtual core asks for.
const MILLICORES: u64 = 100;

/// The controller of VirtualMachineInstances.
#[derive(Debug, Default)]
pub(crate) struct VirtualMachineInstances {
    timers: Timers,
}

impl Actor for VirtualMachineInstances {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::own(VIRTUAL_MACHINE_INSTANCE),
            Watch::owned(POD, VIRTUAL_MACHINE_INSTANCE),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        self.reconcile(context, key).boxed()
    }
}

impl VirtualMachineInstances {
    async fn reconcile(&self, context: &Context, key: &Key) -> Result<Next> {
        let client = &context.client;
        let Some(instance) = client.get(VIRTUAL_MACHINE_INSTANCE, key.namespace(), &key.name).await? else {
            return Ok(Next::OnEvent);
        };
        let pod = launcher(client, &instance).await?;
        if is_deleting(&instance) {
            self.timers.forget(uid(&instance));
            return delete(client, &instance, pod.as_ref()).await;
        }
        match (phase(&instance), &pod) {
            ("Succeeded" | "Failed", _) => Ok(Next::OnEvent),
            ("", _) => to_phase(context, &instance, "Pending", json!({})).await,
            ("Pending", None) => {
                let pod = launcher_pod(context, &instance);
                client.create(POD, &pod).await?;
                let message = format!("Created virtual machine pod {}", name_of(&pod));
                tell(context, &instance, "SuccessfulCreate", &message).await?;
                Ok(Next::OnEvent)
            }
            // The launcher is gone: so is the machine in it.
            (_, None) => to_phase(context, &instance, "Failed", json!({ "nodeName": null })).await,
            ("Pending", Some(_)) => to_phase(context, &instance, "Scheduling", json!({})).await,
            ("Scheduling", Some(pod)) => schedule(context, &instance, pod).await,
            ("Scheduled", Some(pod)) => self.start(context, &instance, pod).await,
            (_, Some(pod)) if pod["status"]["phase"] != "Running" || is_deleting(pod) => {
                to_phase(context, &instance, "Failed", json!({})).await
            }
            _ => Ok(Next::OnEvent),
        }
    }

    async fn start(&self, context: &Context, instance: &Value, pod: &Value) -> Result<Next> {
        if let Some(left) = self.timers.left(&context.time, uid(instance), "start", START) {
            return Ok(Next::After(left));
        }
        let claims = claims(&context.client, instance).await?;
        tell(
            context,
            instance,
            "Started",
            "VirtualMachineInstance started. (simulated)",
        )
        .await?;
        to_phase(context, instance, "Running", running(context, instance, pod, &claims)).await
    }
}

async fn tell(context: &Context, instance: &Value, reason: &str, message: &str) -> Result<()> {
    let kind = VIRTUAL_MACHINE_INSTANCE;
    events::record_as(
        context,
        "virtualmachine-controller",
        kind,
        instance,
        "Normal",
        reason,
        message,
    )
    .await
}

async fn delete(client: &Client, instance: &Value, pod: Option<&Value>) -> Result<Next> {
    match pod {
        None => {
            drop_finalizer(client, VIRTUAL_MACHINE_INSTANCE, instance, FINALIZER).await?;
        }
        Some(pod) if !is_deleting(pod) => {
            client.delete(POD, namespace_of(pod), name_of(pod)).await?;
        }
        Some(_) => {}
    }
    Ok(Next::OnEvent)
}

fn phase(instance: &Value) -> &str {
    instance["status"]["phase"].as_str().unwrap_or_default()
}

async fn launcher(client: &Client, instance: &Value) -> Result<Option<Value>> {
    let pods = client
        .list(POD, namespace_of(instance), "kubevirt.io=virt-launcher")
        .await?;
    Ok(pods.into_iter().find(|pod| is_owned_by(pod, instance)))
}

/// Writes a phase with what comes with it. The status of an instance is no subresource.
async fn to_phase(context: &Context, instance: &Value, phase: &str, with: Value) -> Result<Next> {
    let now = context.time.stamp();
    let mut status = with;
    status["phase"] = phase.into();
    let mut times = instance["status"]["phaseTransitionTimestamps"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    times.push(json!({ "phase": phase, "phaseTransitionTimestamp": now }));
    status["phaseTransitionTimestamps"] = times.into();
    if status["conditions"].is_null() {
        let mut conditions = Conditions::of(instance, now);
        conditions.set("Ready", false, "GuestNotRunning", "Guest VM is not reported as running");
        status["conditions"] = conditions.into_value();
    }
    merge(
        &context.client,
        VIRTUAL_MACHINE_INSTANCE,
        instance,
        &json!({ "status": status }),
    )
    .await?;
    Ok(Next::OnEvent)
}

/// A pod that runs takes the instance with it; one that no node takes says so on the instance.
async fn schedule(context: &Context, instance: &Value, pod: &Value) -> Result<Next> {
    if pod["status"]["phase"] == "Running" {
        let mut conditions = Conditions::of(instance, context.time.stamp());
        conditions.remove("PodScheduled");
        conditions.set("Ready", false, "GuestNotRunning", "Guest VM is not reported as running");
        let with = json!({
            "nodeName": pod["spec"]["nodeName"],
            "activePods": { uid(pod): pod["spec"]["nodeName"] },
            "conditions": conditions.into_value(),
        });
        return to_phase(context, instance, "Scheduled", with).await;
    }
    let mut conditions = Conditions::of(instance, context.time.stamp());
    match conditions::find(pod, "PodScheduled").filter(|found| found["status"] == "False") {
        None => conditions.remove("PodScheduled"),
        Some(found) => {
            let message = found["message"].as_str().unwrap_or_default();
            conditions.set("PodScheduled", false, "Unschedulable", message);
        }
    }
    let status = json!({ "status": { "conditions": conditions.into_value() } });
    merge(&context.client, VIRTUAL_MACHINE_INSTANCE, instance, &status).await?;
    Ok(Next::OnEvent)
}

async fn claims(client: &Client, instance: &Value) -> Result<Vec<Value>> {
    let mut claims = Vec::new();
    for name in claim_names(instance) {
        claims.extend(
            client
                .get(PERSISTENT_VOLUME_CLAIM, namespace_of(instance), name)
                .await?,
        );
    }
    Ok(claims)
}

fn claim_names(instance: &Value) -> impl Iterator<Item = &str> {
    let volumes = instance["spec"]["volumes"].as_array().into_iter().flatten();
    volumes.filter_map(|volume| {
        volume["dataVolume"]["name"]
            .as_str()
            .or(volume["persistentVolumeClaim"]["claimName"].as_str())
    })
}

fn running(context: &Context, instance: &Value, pod: &Value, claims: &[Value]) -> Value {
    let mut conditions = Conditions::of(instance, context.time.stamp());
    conditions.set("Ready", true, "", "");
    let fixed = claims.iter().find(|claim| {
        let modes = claim["spec"]["accessModes"].as_array();
        modes.is_some_and(|modes| !modes.iter().any(|mode| mode == "ReadWriteMany"))
    });
    match fixed {
        None => conditions.set("LiveMigratable", true, "", ""),
        Some(claim) => {
            let message = format!(
                "cannot migrate VMI: PVC {} is not shared, live migration requires that all PVCs must be shared (using \
                 ReadWriteMany access mode)",
                name_of(claim)
            );
            conditions.set("LiveMigratable", false, "DisksNotLiveMigratable", &message);
        }
    }
    let cores = instance["spec"]["domain"]["cpu"]["cores"].as_u64().unwrap_or(1);
    let memory = memory(instance);
    let address = &pod["status"]["podIP"];
    json!({
        "nodeName": pod["spec"]["nodeName"],
        "migrationMethod": if fixed.is_some() { "LiveMigration" } else { "BlockMigration" },
        "currentCPUTopology": { "cores": cores, "sockets": 1, "threads": 1 },
        "memory": { "guestAtBoot": memory, "guestCurrent": memory, "guestRequested": memory },
        "qosClass": pod["status"]["qosClass"],
        "guestOSInfo": {
            "id": "rhcos",
            "name": "Red Hat Enterprise Linux CoreOS",
            "prettyName": "Red Hat Enterprise Linux CoreOS (simulated)",
        },
        "interfaces": [{
            "name": "default",
            "interfaceName": "enp1s0",
            "infoSource": "domain, guest-agent",
            "ipAddress": address,
            "ipAddresses": [address],
            "mac": mac(uid(instance)),
            "queueCount": 1,
        }],
        "conditions": conditions.into_value(),
    })
}

/// A locally administered address, the same for the same machine.
fn mac(uid: &str) -> String {
    let digits = crate::hash::hex(&["mac", uid], 10);
    let pairs: Vec<&str> = (0..5).map(|index| &digits[2 * index..2 * index + 2]).collect();
    format!("02:{}", pairs.join(":"))
}

fn memory(instance: &Value) -> &str {
    let domain = &instance["spec"]["domain"];
    domain["memory"]["guest"]
        .as_str()
        .or(domain["resources"]["requests"]["memory"].as_str())
        .unwrap_or("1Gi")
}

fn launcher_pod(context: &Context, instance: &Value) -> Value {
    let name = format!("virt-launcher-{}-{}", name_of(instance), context.random.suffix(5));
    let mut labels = instance["metadata"]["labels"].clone();
    labels["kubevirt.io"] = "virt-launcher".into();
    labels["kubevirt.io/created-by"] = uid(instance).into();
    labels["vm.kubevirt.io/name"] = name_of(instance).into();
    let volumes: Vec<Value> = (claim_names(instance).enumerate())
        .map(|(index, claim)| json!({ "name": format!("disk-{index}"), "persistentVolumeClaim": { "claimName": claim } }))
        .collect();
    let cores = instance["spec"]["domain"]["cpu"]["cores"].as_u64();
    let given = &instance["spec"]["domain"]["resources"]["requests"]["cpu"];
    let cpu = match given.as_str() {
        Some(given) => given.to_owned(),
        None => format!("{}m", cores.unwrap_or(1) * MILLICORES),
    };
    let requests = json!({ "cpu": cpu, "memory": with_overhead(memory(instance)), "devices.kubevirt.io/kvm": "1" });
    let mut spec = json!({
        "restartPolicy": "Never",
        "hostname": name_of(instance),
        "volumes": volumes,
        "terminationGracePeriodSeconds": instance["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap_or(30),
        "containers": [{
            "name": "compute",
            "image": "registry.redhat.io/container-native-virtualization/virt-launcher-rhel9:v4.17",
            "resources": { "requests": requests, "limits": { "devices.kubevirt.io/kvm": "1" } },
        }],
    });
    for field in ["nodeSelector", "topologySpreadConstraints", "tolerations"] {
        if !instance["spec"][field].is_null() {
            spec[field] = instance["spec"][field].clone();
        }
    }
    json!({
        "metadata": {
            "name": name,
            "namespace": namespace_of(instance),
            "labels": labels,
            "annotations": { SIMULATED: "true", "kubevirt.io/domain": name_of(instance) },
            "ownerReferences": [owner(VIRTUAL_MACHINE_INSTANCE, instance)],
        },
        "spec": spec,
    })
}

/// The machine's memory and what runs around it. An amount in another unit is left as it is.
fn with_overhead(memory: &str) -> String {
    let mebibytes = match (memory.strip_suffix("Gi"), memory.strip_suffix("Mi")) {
        (Some(number), _) => number.parse::<u64>().ok().map(|number| number * 1024),
        (_, Some(number)) => number.parse().ok(),
        _ => None,
    };
    mebibytes.map_or_else(|| memory.to_owned(), |mebibytes| format!("{}Mi", mebibytes + OVERHEAD))
}
