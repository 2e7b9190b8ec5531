//! What the controllers of newer Cluster API tell besides: conditions and counts of another form, under `status.v1beta2`.
//! The API server's conversion makes them those of `v1beta2`, and the others the deprecated ones. Pure.

use serde_json::{Value, json};

use crate::generation::Generation;
use crate::objects::{Conditions, is_deleting};

/// A condition: its type, whether it is true, its reason then and otherwise.
type Told = (&'static str, bool, &'static str, &'static str);

/// Completes the status of a Machine that was computed in the older form.
pub(super) fn machine(generation: Generation, machine: &Value, status: &mut Value, up_to_date: bool, now: String) {
    let (ready, healthy) = (is_true(status, "Ready"), is_true(status, "NodeHealthy"));
    let provisioned = is_true(status, "InfrastructureReady");
    let told = [
        ("Available", ready && healthy, "Available", "NotAvailable"),
        ("Ready", ready && healthy, "Ready", "NotReady"),
        ("UpToDate", up_to_date, "UpToDate", "NotUpToDate"),
        ("BootstrapConfigReady", true, "DataSecretProvided", "NotReady"),
        ("InfrastructureReady", provisioned, "Ready", "NotReady"),
        ("NodeReady", healthy, "NodeReady", "NodeNotReady"),
        ("NodeHealthy", healthy, "NodeHealthy", "NodeNotHealthy"),
    ];
    write(generation, machine, status, json!({}), &told, now);
}

/// The same of a MachineSet.
pub(super) fn machine_set(generation: Generation, set: &Value, status: &mut Value, now: String) {
    let counts = counts(status, count(status, "replicas"));
    let wanted = set["spec"]["replicas"].as_u64().unwrap_or(1);
    let told = [
        machines_ready(status),
        ("MachinesUpToDate", true, "UpToDate", "NotUpToDate"),
        (
            "ScalingUp",
            count(status, "replicas") < wanted,
            "ScalingUp",
            "NotScalingUp",
        ),
        scaling_down(status, wanted),
    ];
    write(generation, set, status, counts, &told, now);
}

/// The same of a MachineDeployment.
pub(super) fn machine_deployment(generation: Generation, deployment: &Value, status: &mut Value, now: String) {
    let updated = count(status, "updatedReplicas");
    let counts = counts(status, updated);
    let wanted = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
    let all_updated = updated == count(status, "replicas");
    let told = [
        ("Available", is_true(status, "Available"), "Available", "NotAvailable"),
        machines_ready(status),
        ("MachinesUpToDate", all_updated, "UpToDate", "NotUpToDate"),
        ("RollingOut", !all_updated, "RollingOut", "NotRollingOut"),
        (
            "ScalingUp",
            count(status, "replicas") < wanted,
            "ScalingUp",
            "NotScalingUp",
        ),
        scaling_down(status, wanted),
    ];
    write(generation, deployment, status, counts, &told, now);
}

/// The same of a Cluster.
pub(super) fn cluster(generation: Generation, cluster: &Value, status: &mut Value, now: String) {
    let initialized = is_true(status, "ControlPlaneInitialized");
    if generation.is_current() {
        // The old field follows the new one, which knows no more than that.
        status["controlPlaneReady"] = initialized.into();
    }
    let told = [
        ("Available", is_true(status, "Ready"), "Available", "NotAvailable"),
        (
            "InfrastructureReady",
            is_true(status, "InfrastructureReady"),
            "Ready",
            "NotReady",
        ),
        ("ControlPlaneInitialized", initialized, "Initialized", "NotInitialized"),
        (
            "ControlPlaneAvailable",
            is_true(status, "ControlPlaneReady"),
            "Available",
            "NotAvailable",
        ),
    ];
    write(generation, cluster, status, json!({}), &told, now);
}

fn machines_ready(status: &Value) -> Told {
    let (all, ready) = (count(status, "replicas"), count(status, "readyReplicas"));
    let reason = if all == 0 { "NoReplicas" } else { "Ready" };
    ("MachinesReady", ready >= all, reason, "NotReady")
}

fn scaling_down(status: &Value, wanted: u64) -> Told {
    (
        "ScalingDown",
        count(status, "replicas") > wanted,
        "ScalingDown",
        "NotScalingDown",
    )
}

fn counts(status: &Value, up_to_date: u64) -> Value {
    json!({
        "readyReplicas": count(status, "readyReplicas"),
        "availableReplicas": count(status, "availableReplicas"),
        "upToDateReplicas": up_to_date,
    })
}

fn count(status: &Value, field: &str) -> u64 {
    status[field].as_u64().unwrap_or(0)
}

fn is_true(status: &Value, kind: &str) -> bool {
    let conditions = status["conditions"].as_array();
    conditions.is_some_and(|conditions| {
        conditions
            .iter()
            .any(|condition| condition["type"] == kind && condition["status"] == "True")
    })
}

fn write(generation: Generation, object: &Value, status: &mut Value, mut newer: Value, told: &[Told], now: String) {
    if !generation.is_current() {
        return;
    }
    let mut conditions = Conditions::of(&json!({ "status": object["status"]["v1beta2"] }), now);
    let always = [
        ("Deleting", is_deleting(object), "Deleting", "NotDeleting"),
        ("Paused", object["spec"]["paused"] == true, "Paused", "NotPaused"),
    ];
    for (kind, holds, then, otherwise) in told.iter().chain(&always) {
        conditions.set(kind, *holds, if *holds { then } else { otherwise }, "");
    }
    newer["conditions"] = conditions.into_value();
    status["v1beta2"] = newer;
}
