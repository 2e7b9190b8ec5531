//! Why a pool's workers do not come up: NodePool, machines, virtual machines, their disks, their nodes.

use berth_api::{resources, views};
use serde_json::Value;

use crate::facts::Facts;
use crate::read::{count, failed, find, holds, label, name, objects, some_of, text};
use crate::walk::guest::{Worker, workers_of};
use crate::walk::images::{failing_pod, is_refusal};
use crate::walk::storage::pending_claim;
use crate::walk::{Finding, GuestRef, diagnosis};

/// Restarts of an importer after which it is no longer a hiccup.
const IMPORTER_RESTARTS: u32 = 2;
/// Label by which HyperShift marks a pool's virtual machines and pods.
const POOL_LABEL: &str = "hypershift.openshift.io/nodepool-name";

/// The first cause that keeps a pool's workers from coming up. `pool` is the NodePool object's name.
pub(crate) fn first_cause(facts: &Facts, guest: &GuestRef, pool: &str) -> Option<Finding> {
    let node_pool = find(facts, &guest.node_pools(), pool)?;
    let workers = workers_of(facts, guest, pool);
    let first = |of: &dyn Fn(&Worker<'_>) -> Option<Finding>| workers.iter().find_map(of);
    refused_pool(guest, node_pool)
        .or_else(|| first(&|worker| failing_disk(facts, guest, worker.vm)))
        .or_else(|| first(&|worker| failing_launcher(facts, guest, worker.vm)))
        .or_else(|| first(&|worker| failed_machine(facts, guest, worker.machine)))
        .or_else(|| unreached_ignition(facts, guest, node_pool, &workers))
        .or_else(|| unready_node(facts, guest, &workers))
}

fn refused_pool(guest: &GuestRef, pool: &Value) -> Option<Finding> {
    let object = format!("NodePool {}/{}", guest.namespace, name(pool));
    let refused = |kind: &str, id: &str, title: &str, fix: &str| {
        let condition = failed(pool, kind)?;
        let evidence = [format!("{kind}=False, {}: {}", condition.reason, condition.message)];
        let found = if is_refusal(condition.message) {
            diagnosis(
                "C06",
                "a registry refuses the pull secret",
                &object,
                evidence,
                "renew the pull secret and run up again",
            )
        } else {
            diagnosis(id, title, &object, evidence, fix)
        };
        Some(Finding::likely(found).since(&condition))
    };
    refused(
        "ValidReleaseImage",
        "C22",
        "the pool's release does not fit the cluster's",
        "name a release that is not newer than the cluster's and at most three minor versions older",
    )
    .or_else(|| {
        refused(
            "ValidArchPlatform",
            "C23",
            "the pool's architecture is not one that this platform runs",
            "use amd64 workers, and a -multi release image where the management cluster is of another architecture",
        )
    })
    .or_else(|| {
        refused(
            "ValidPlatformImage",
            "C08",
            "the release has no disk image for KubeVirt",
            "choose a release of the management cluster's architecture",
        )
    })
    .or_else(|| {
        refused(
            "ValidMachineTemplate",
            "C21",
            "the JSON patch for the virtual machines cannot be applied",
            "correct or remove the annotation hypershift.openshift.io/kubevirt-vm-jsonpatch",
        )
    })
    .or_else(|| refused("ValidMachineConfig", "", "a configuration of the pool is refused", "correct what the message names"))
    .or_else(|| {
        let condition = holds(pool, "ClusterNetworkCIDRConflict")?;
        // Old operators raise it wrongly (N03), so it must last before it counts.
        let found = diagnosis(
            "C01",
            "the workers' addresses lie within the guest's own pod network",
            &object,
            [condition.message.to_owned()],
            "choose a `spec.networking.clusterNetwork` apart from the management cluster's, remove the guest and bring it up \
             again",
        );
        Some(Finding::after(5, found).since(&condition))
    })
}

/// A root disk that is not filled: no class, or an importer that fails.
fn failing_disk(facts: &Facts, guest: &GuestRef, vm: &str) -> Option<Finding> {
    let volume = objects(facts, &guest.inside(resources::DATA_VOLUME))
        .find(|volume| name(volume).strip_prefix(vm).is_some_and(|rest| rest.starts_with('-')))?;
    if text(volume, &["status", "phase"]) == Some("Succeeded") {
        return None;
    }
    let claims = guest.inside(resources::PERSISTENT_VOLUME_CLAIM);
    pending_claim(facts, &claims, |claim| claim == name(volume)).or_else(|| failing_importer(facts, guest, volume))
}

fn failing_importer(facts: &Facts, guest: &GuestRef, volume: &Value) -> Option<Finding> {
    let importer = format!("importer-{}", name(volume));
    let pod = objects(facts, &guest.inside(resources::POD)).find(|pod| name(pod).starts_with(&importer));
    let running = failed(volume, "Running");
    let restarts = count(volume, &["status", "restartCount"]);
    let reported = running.filter(|condition| {
        condition.reason == "Error"
            || condition.message.to_lowercase().contains("error")
            || restarts > IMPORTER_RESTARTS
    });
    let message = reported
        .map(|condition| condition.message)
        .or_else(|| pod.and_then(pod_failure))?;
    let found = diagnosis(
        if is_refusal(message) { "C06" } else { "C14" },
        "the import of a worker's disk image fails",
        format!("DataVolume {}/{}", guest.control_plane_namespace(), name(volume)),
        [
            message.to_owned(),
            format!(
                "phase {}, {restarts} restart{}",
                text(volume, &["status", "phase"]).unwrap_or("unknown"),
                if restarts == 1 { "" } else { "s" }
            ),
            pod.map(|pod| format!("importer pod {}", name(pod))).unwrap_or_default(),
        ],
        format!(
            "read the importer's own words: oc logs -n {} {} (DNS, registry credentials, scratch space and memory are the \
             usual causes); CDI tries again by itself",
            guest.control_plane_namespace(),
            pod.map_or(importer.as_str(), name)
        ),
    );
    Some(if restarts > IMPORTER_RESTARTS {
        Finding::certain(found)
    } else {
        Finding::likely(found).with(volume)
    })
}

/// What an importer pod says of its failure.
fn pod_failure(pod: &Value) -> Option<&str> {
    views::list(pod, &["status", "containerStatuses"])
        .iter()
        .find_map(|container| {
            let waiting = text(container, &["state", "waiting", "reason"])
                .filter(|reason| matches!(*reason, "CrashLoopBackOff" | "ImagePullBackOff" | "ErrImagePull"))?;
            text(container, &["lastState", "terminated", "message"])
                .or_else(|| text(container, &["state", "waiting", "message"]))
                .or(Some(waiting))
        })
}

fn failing_launcher(facts: &Facts, guest: &GuestRef, vm: &str) -> Option<Finding> {
    let prefix = format!("virt-launcher-{vm}-");
    let mut finding = failing_pod(facts, &guest.inside(resources::POD), |pod| pod.starts_with(&prefix))?;
    finding.diagnosis.id.replace_range(.., "C15");
    finding.diagnosis.title = format!("the virtual machine {vm} cannot start: {}", finding.diagnosis.title);
    Some(finding)
}

fn failed_machine(facts: &Facts, guest: &GuestRef, machine: &str) -> Option<Finding> {
    let object = find(facts, &guest.inside(resources::MACHINE), machine)?;
    let message = text(object, &["status", "failureMessage"])?;
    Some(Finding::certain(diagnosis(
        "",
        "a machine has failed for good",
        format!("Machine {}/{machine}", guest.control_plane_namespace()),
        [message.to_owned()],
        format!(
            "delete it, and the pool makes another: oc delete machine {machine} -n {}",
            guest.control_plane_namespace()
        ),
    )))
}

/// Virtual machines run, yet no node has joined for longer than a boot takes.
fn unreached_ignition(facts: &Facts, guest: &GuestRef, pool: &Value, workers: &[Worker<'_>]) -> Option<Finding> {
    let condition = failed(pool, "ReachedIgnitionEndpoint")?;
    let running: Vec<_> = objects(facts, &guest.inside(resources::VIRTUAL_MACHINE_INSTANCE))
        .filter(|instance| text(instance, &["status", "phase"]) == Some("Running"))
        .filter(|instance| {
            workers.iter().any(|worker| worker.vm == name(instance)) || label(instance, POOL_LABEL) == Some(name(pool))
        })
        .collect();
    // A machine's boot is what is waited for, not what the pool waited for before it.
    let first = running.first()?;
    let found = diagnosis(
        "C16",
        "virtual machines run, but have not fetched their configuration",
        format!("NodePool {}/{}", guest.namespace, name(pool)),
        [
            format!(
                "ReachedIgnitionEndpoint=False, {}: {}",
                condition.reason, condition.message
            ),
            format!(
                "running: {}",
                some_of(&running.iter().map(|instance| name(instance)).collect::<Vec<_>>())
            ),
        ],
        format!(
            "from the workers' network the ignition route must resolve and answer on 443; a worker's console says more: \
             virtctl console {} -n {}",
            name(first),
            guest.control_plane_namespace()
        ),
    );
    Some(Finding::after(10, found).with(first))
}

fn unready_node(facts: &Facts, guest: &GuestRef, workers: &[Worker<'_>]) -> Option<Finding> {
    let node = objects(facts, &guest.on_guest(resources::NODE))
        .filter(|node| workers.iter().any(|worker| worker.node == name(node)))
        .find(|node| !views::is_true(node, "Ready"))?;
    let condition = views::condition(node, "Ready");
    let found = diagnosis(
        "C17",
        "a node does not become Ready",
        format!("Node {} of guest {}", name(node), guest.name),
        [condition
            .map(|condition| format!("{}: {}", condition.reason, condition.message))
            .unwrap_or_default()],
        "network pods usually are the cause: oc get pods -n openshift-ovn-kubernetes, with the guest's kubeconfig",
    );
    let finding = Finding::after(15, found).with(node);
    Some(match condition {
        Some(condition) => finding.since(&condition),
        None => finding,
    })
}
