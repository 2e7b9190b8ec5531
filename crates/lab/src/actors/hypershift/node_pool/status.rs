//! The conditions of a NodePool that follow from its spec, and those that follow from its machines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::{Result, name_of};
use crate::conditions;
use crate::kind::{KUBEVIRT_MACHINE, MACHINE_DEPLOYMENT, NODE_POOL};
use crate::objects::{Conditions, annotation, merge};

use super::super::release::Release;
use super::config::Problem;
use super::create::{Made, kind_of};
use super::owner_of_machines::{CURRENT_CONFIG as SET_CONFIG, wanted_replicas};
use super::{Scope, ignition_reached, machines};

/// On a machine: the release that it was made for.
const RELEASE_VERSION: &str = "hypershift.openshift.io/release-version";
const CURRENT_CONFIG: &str = "hypershift.openshift.io/nodePoolCurrentConfig";
const CURRENT_CONFIG_VERSION: &str = "hypershift.openshift.io/nodePoolCurrentConfigVersion";
const CURRENT_TEMPLATE: &str = "hypershift.openshift.io/nodePoolPlatformMachineTemplate";
/// How an upgrade in place goes on, on the MachineSet; and why it doesn't.
const IN_PLACE_GOES_ON: &str = "hypershift.openshift.io/nodePoolUpgradeInProgressTrue";
const IN_PLACE_FAILED: &str = "hypershift.openshift.io/nodePoolUpgradeInProgressFalse";

/// Those that the spec alone decides.
pub(super) fn of_spec(conditions: &mut Conditions, pool: &Value) {
    let scaling = &pool["spec"]["autoScaling"];
    if scaling.is_object() {
        let message = format!("Maximum nodes: {}, Minimum nodes: {}", scaling["max"], scaling["min"]);
        conditions.set("AutoscalingEnabled", true, "AsExpected", &message);
    } else {
        conditions.set("AutoscalingEnabled", false, "AsExpected", "");
    }
    conditions.set("UpdateManagementEnabled", true, "AsExpected", "");
}

/// What is wrong with the configuration that the pool names.
pub(super) fn of_problem(conditions: &mut Conditions, problem: &Problem) {
    match problem {
        Problem::Machine(message) => conditions.set("ValidMachineConfig", false, "ValidationFailed", message),
        Problem::Tuning(message) => {
            conditions.set("ValidMachineConfig", true, "AsExpected", "");
            conditions.set("ValidTuningConfig", false, "ValidationFailed", message);
        }
    }
}

/// How many machines work.
pub(super) fn available(made: &Made) -> u64 {
    made.machines["status"]["availableReplicas"].as_u64().unwrap_or(0)
}

/// Those that the machines decide.
pub(super) async fn of_machines(
    scope: &Scope<'_>,
    conditions: &mut Conditions,
    fields: &mut Value,
    release: &Release,
    made: &Made,
) -> Result<()> {
    let key = crate::actor::Key::of(scope.pool);
    let machines = machines(scope.context, &key, &scope.namespace).await?;
    // Machines that are upgraded in place don't fetch again, so what they reached once counts.
    let in_place = kind_of(scope.pool) != MACHINE_DEPLOYMENT && conditions.is_true("ReachedIgnitionEndpoint");
    let reached = ignition_reached(&made.token) || in_place;
    conditions.set(
        "ValidGeneratedPayload",
        true,
        "AsExpected",
        "Payload generated successfully",
    );
    if reached {
        conditions.set("ReachedIgnitionEndpoint", true, "AsExpected", "");
    } else {
        conditions.set("ReachedIgnitionEndpoint", false, "ignitionNotReached", "");
    }
    all_machines(conditions, scope.pool, &machines, "AllMachinesReady", "Ready", "ready");
    all_machines(
        conditions,
        scope.pool,
        &machines,
        "AllNodesHealthy",
        "NodeHealthy",
        "healthy",
    );
    let stuck = immovable(scope).await?;
    match stuck.as_slice() {
        _ if machines.is_empty() => conditions.remove("KubeVirtNodesLiveMigratable"),
        [] => conditions.set("KubeVirtNodesLiveMigratable", true, "AsExpected", "All is well"),
        names => {
            let message = format!("machines that cannot be live migrated: {}", names.join(", "));
            conditions.set(
                "KubeVirtNodesLiveMigratable",
                false,
                "KubeVirtNodesNotLiveMigratable",
                &message,
            );
        }
    }
    if scope.context.generation.is_current() {
        conditions.set("ValidPlatformConfig", true, "AsExpected", "All is well");
        fields["nodesInfo"] = nodes_info(&machines);
    }
    let message = format!("Bootstrap KubeVirt Image is {}", release.disk_image());
    conditions.set("ValidPlatformImage", true, "AsExpected", &message);
    conditions.set("ValidTuningConfig", true, "AsExpected", "");
    updating(scope.pool, conditions, release, made);
    Ok(())
}

/// How many nodes of each version there are, ready and not; null while no machine has a node.
fn nodes_info(machines: &[Value]) -> Value {
    let mut counts: BTreeMap<(&str, &str), (u32, u32)> = BTreeMap::new();
    for machine in machines {
        let Some(kubelet) = machine["status"]["nodeInfo"]["kubeletVersion"].as_str() else {
            continue;
        };
        let release = annotation(machine, RELEASE_VERSION).unwrap_or_default();
        let (ready, unready) = counts.entry((release, kubelet)).or_default();
        if conditions::is_true(machine, "NodeHealthy") {
            *ready += 1;
        } else {
            *unready += 1;
        }
    }
    if counts.is_empty() {
        return Value::Null;
    }
    let versions = counts.into_iter().map(|((release, kubelet), (ready, unready))| {
        json!({
            "ocpVersion": release,
            "kubeletVersion": kubelet,
            "readyNodeCount": ready,
            "unreadyNodeCount": unready,
        })
    });
    json!({ "nodeVersions": versions.collect::<Vec<_>>() })
}

fn all_machines(
    conditions: &mut Conditions,
    pool: &Value,
    machines: &[Value],
    kind: &str,
    of_machine: &str,
    word: &str,
) {
    if machines.is_empty() {
        if wanted_replicas(pool, None) == 0 {
            conditions.set(kind, false, "AsExpected", "NodePool set to no replicas");
        } else {
            conditions.set(kind, false, "NotFound", "No Machines are created");
        }
        return;
    }
    let unready: Vec<&Value> = machines
        .iter()
        .filter(|machine| !conditions::is_true(machine, of_machine))
        .collect();
    if unready.is_empty() {
        conditions.set(kind, true, "AsExpected", "All is well");
        return;
    }
    let mut reasons: Vec<&str> = Vec::new();
    let mut lines = vec![format!(
        "{} of {} machines are not {word}",
        unready.len(),
        machines.len()
    )];
    for machine in unready {
        let condition = conditions::find(machine, of_machine).unwrap_or(&Value::Null);
        let text = |field: &str| condition[field].as_str().filter(|text| !text.is_empty());
        let reason = text("reason").unwrap_or("Unknown");
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
        let detail = text("message")
            .map(|message| format!(": {message}"))
            .unwrap_or_default();
        lines.push(format!("Machine {}: {reason}{detail}", name_of(machine)));
    }
    conditions.set(kind, false, &reasons.join(","), &lines.join("\n"));
}

/// Names of the cluster's machines that cannot move between nodes.
async fn immovable(scope: &Scope<'_>) -> Result<Vec<String>> {
    let machines = scope
        .context
        .client
        .list(KUBEVIRT_MACHINE, Some(&scope.namespace), "")
        .await?;
    let stuck = machines.iter().filter(|machine| {
        conditions::find(machine, "VMLiveMigratable").is_some_and(|condition| condition["status"] == "False")
    });
    Ok(stuck.map(|machine| name_of(machine).to_owned()).collect())
}

/// Whether the pool is on its way to another version or configuration, as its annotations remember what it had.
fn updating(pool: &Value, conditions: &mut Conditions, release: &Release, made: &Made) {
    // A new pool counts as one that is updated to its first version.
    let version = pool["status"]["version"] != release.version.as_str();
    let config = annotation(pool, CURRENT_CONFIG) != Some(&made.config.hash);
    let targets = [
        ("UpdatingVersion", version, "version", "version", &release.version),
        ("UpdatingConfig", config, "config", "config", &made.config.hash),
    ];
    let failed = annotation(&made.machines, IN_PLACE_FAILED);
    let goes_on = annotation(&made.machines, IN_PLACE_GOES_ON);
    for (kind, is_updating, what, target_of, target) in targets {
        match (is_updating, failed, goes_on) {
            (false, ..) => conditions.set(kind, false, "AsExpected", ""),
            (true, Some(message), _) => conditions.set(kind, false, "InplaceUpgradeFailed", message),
            (true, None, Some(message)) => conditions.set(kind, true, "AsExpected", message),
            (true, None, None) => {
                let message = format!("Updating {what} in progress. Target {target_of}: {target}");
                conditions.set(kind, true, "AsExpected", &message);
            }
        }
    }
}

/// How far the machines are with the present version, configuration and template; what is there is remembered.
pub(super) async fn of_rollout(
    scope: &Scope<'_>,
    conditions: &mut Conditions,
    fields: &mut Value,
    release: &Release,
    made: &Made,
) -> Result<()> {
    let pool = scope.pool;
    fields["replicas"] = available(made).into();
    let wanted = made.machines["spec"]["replicas"].as_u64().unwrap_or(0);
    if !conditions.copy(&made.machines, "Ready") {
        let message = format!("Minimum availability requires {wanted} replicas, current 0 available");
        conditions.set("Ready", wanted == 0, "WaitingForAvailableMachines", &message);
    }
    if is_complete(pool, made, wanted) {
        fields["version"] = release.version.as_str().into();
        let annotations = json!({
            CURRENT_CONFIG: made.config.hash,
            CURRENT_CONFIG_VERSION: made.config.version_hash,
            CURRENT_TEMPLATE: made.template,
        });
        let patch = json!({ "metadata": { "annotations": annotations } });
        merge(&scope.context.client, NODE_POOL, pool, &patch).await?;
        for kind in ["UpdatingVersion", "UpdatingConfig", "UpdatingPlatformMachineTemplate"] {
            conditions.set(kind, false, "AsExpected", "");
        }
    } else if annotation(pool, CURRENT_TEMPLATE) == Some(&made.template) {
        conditions.set("UpdatingPlatformMachineTemplate", false, "AsExpected", "");
    } else {
        let message = format!(
            "platform machine template update in progress. Target template: {}",
            made.template
        );
        conditions.set("UpdatingPlatformMachineTemplate", true, "AsExpected", &message);
    }
    Ok(())
}

/// Whether every machine is of the present template and configuration. What was changed just now can't tell.
fn is_complete(pool: &Value, made: &Made, wanted: u64) -> bool {
    if made.changed {
        return false;
    }
    if kind_of(pool) != MACHINE_DEPLOYMENT {
        return annotation(&made.machines, SET_CONFIG) == Some(&made.config.version_hash);
    }
    let status = &made.machines["status"];
    let all = |field: &str| status[field].as_u64().unwrap_or(0) == wanted;
    status["observedGeneration"].is_u64()
        && status["observedGeneration"].as_u64() >= made.machines["metadata"]["generation"].as_u64()
        && ["updatedReplicas", "replicas", "availableReplicas"]
            .into_iter()
            .all(all)
}
