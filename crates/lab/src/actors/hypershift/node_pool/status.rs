//! The conditions of a NodePool that follow from its spec, and those that follow from its machines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::{Result, name_of};
use crate::conditions;
use crate::kind::{KUBEVIRT_MACHINE, MACHINE_DEPLOYMENT, NODE_POOL};
use crate::objects::{Conditions, annotation, merge};

use super::super::release::Release;
use super::create::{Made, kind_of, wanted_replicas};
use super::{Scope, ignition_reached, machines};

/// On a machine: the release that it was made for.
const RELEASE_VERSION: &str = "hypershift.openshift.io/release-version";
const CURRENT_CONFIG: &str = "hypershift.openshift.io/nodePoolCurrentConfig";
const CURRENT_CONFIG_VERSION: &str = "hypershift.openshift.io/nodePoolCurrentConfigVersion";
const CURRENT_TEMPLATE: &str = "hypershift.openshift.io/nodePoolPlatformMachineTemplate";

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

/// Those that the machines decide, with the status fields that go with them.
pub(super) async fn of_machines(
    scope: &Scope<'_>,
    conditions: &mut Conditions,
    fields: &mut Value,
    release: &Release,
    made: &Made,
) -> Result<()> {
    let key = crate::actor::Key::of(scope.pool);
    let machines = machines(scope.context, &key, &scope.namespace).await?;
    let reached = ignition_reached(&made.token);
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
    rollout(scope, conditions, fields, release, made).await?;
    let repairs = scope.pool["spec"]["management"]["autoRepair"] == true;
    conditions.set("AutorepairEnabled", repairs && reached, "AsExpected", "");
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
        if wanted_replicas(pool) == 0 {
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

/// How far the machines are with the present version, configuration and template.
async fn rollout(
    scope: &Scope<'_>,
    conditions: &mut Conditions,
    fields: &mut Value,
    release: &Release,
    made: &Made,
) -> Result<()> {
    let pool = scope.pool;
    let status = &made.machines["status"];
    let count = |field: &str| status[field].as_u64().unwrap_or(0);
    fields["replicas"] = count("availableReplicas").into();
    if !conditions.copy(&made.machines, "Ready") {
        let message = format!(
            "Minimum availability requires {} replicas, current 0 available",
            wanted_replicas(pool)
        );
        conditions.set(
            "Ready",
            wanted_replicas(pool) == 0,
            "WaitingForAvailableMachines",
            &message,
        );
    }
    let wanted = wanted_replicas(pool);
    let updated = if kind_of(pool) == MACHINE_DEPLOYMENT {
        count("updatedReplicas")
    } else {
        count("replicas")
    };
    let observed = status["observedGeneration"].as_u64() >= made.machines["metadata"]["generation"].as_u64()
        && status["observedGeneration"].is_u64()
        && made.machines["spec"]["template"]["spec"]["infrastructureRef"]["name"] == made.template.as_str();
    let complete = observed && updated == wanted && count("replicas") == wanted && count("availableReplicas") == wanted;
    let is_current = |name: &str, value: &str| annotation(pool, name) == Some(value);
    if complete {
        fields["version"] = release.version.as_str().into();
        let annotations = json!({
            CURRENT_CONFIG: made.config,
            CURRENT_CONFIG_VERSION: made.config,
            CURRENT_TEMPLATE: made.template,
        });
        merge(
            &scope.context.client,
            NODE_POOL,
            pool,
            &json!({ "metadata": { "annotations": annotations } }),
        )
        .await?;
    }
    let is_same_version = complete || pool["status"]["version"] == release.version.as_str();
    let is_same_config = complete || is_current(CURRENT_CONFIG, &made.config);
    let is_same_template = complete || is_current(CURRENT_TEMPLATE, &made.template);
    let mut updating = |kind: &str, same: bool, text: String| {
        conditions.set(kind, !same, "AsExpected", if same { "" } else { &text });
    };
    // A new pool counts as one that is updated to its first version.
    updating(
        "UpdatingVersion",
        is_same_version,
        format!("Updating version in progress. Target version: {}", release.version),
    );
    updating(
        "UpdatingConfig",
        is_same_config,
        format!("Updating config in progress. Target config: {}", made.config),
    );
    updating(
        "UpdatingPlatformMachineTemplate",
        is_same_template,
        format!(
            "platform machine template update in progress. Target template: {}",
            made.template
        ),
    );
    Ok(())
}
