//! The status of a HostedControlPlane, computed from what a pass found. No I/O.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::name_of;
use crate::objects::{Conditions, is_rolled_out};

use super::super::components::API_SERVER;
use super::super::release::{payload_has, since};
use super::guest::Report;
use super::{Progress, component_status, version};

/// What goes under `status`, as a merge patch.
pub(super) fn compute(control_plane: &Value, progress: &Progress, context: &Context) -> Value {
    let mut conditions = Conditions::of(control_plane, context.time.stamp());
    conditions.set(
        "ValidHostedControlPlaneConfiguration",
        true,
        "AsExpected",
        "Configuration passes validation",
    );
    degraded(&mut conditions, progress);
    etcd(&mut conditions, progress);
    api_server(&mut conditions, progress);
    conditions.set_unknown(
        "ExternalDNSReachable",
        "StatusUnknown",
        "External DNS is not configured",
    );
    match progress.infrastructure.waiting() {
        None => conditions.set("InfrastructureReady", true, "AsExpected", "All is well"),
        Some(reason) => conditions.set("InfrastructureReady", false, "WaitingOnInfrastructureReady", reason),
    }
    if progress.etcd.is_some() {
        conditions.set("ValidReleaseInfo", true, "AsExpected", "All is well");
    }
    identity(&mut conditions, control_plane, progress);
    if let Some(restored) = progress.snapshot_restored {
        let reason = if restored { "AsExpected" } else { "Error" };
        conditions.set("EtcdSnapshotRestored", restored, reason, "");
    }
    available(&mut conditions, progress, control_plane);
    let ready = conditions.is_true("Available");
    let mut status = json!({
        "ready": ready,
        "initialized": true,
        "externalManagedControlPlane": true,
        "releaseImage": control_plane["spec"]["releaseImage"],
    });
    if let Some(endpoint) = progress.infrastructure.endpoint() {
        status["controlPlaneEndpoint"] = endpoint;
    }
    if let Some(template) = progress.infrastructure.oauth_callback() {
        status["oauthCallbackURLTemplate"] = template.into();
    }
    if progress.has_kubeconfig {
        status["kubeConfig"] = json!({ "name": "admin-kubeconfig", "key": "kubeconfig" });
    }
    status["kubeadminPassword"] = if progress.has_password {
        json!({ "name": "kubeadmin-password" })
    } else {
        Value::Null
    };
    if let Some(report) = &progress.guest {
        report.tell(&mut conditions, &mut status);
        connections(&mut conditions, control_plane, report);
        if !payload_has(control_plane, since::RETRIEVED_UPDATES) {
            conditions.remove("ClusterVersionRetrievedUpdates");
        }
    }
    if payload_has(control_plane, since::CONTROL_PLANE_VERSION) {
        status["controlPlaneVersion"] =
            version::compute(control_plane, progress.components.as_ref(), &context.time.stamp());
    }
    status["conditions"] = conditions.observed(&control_plane["metadata"]["generation"]);
    status
}

/// Where there is no OAuth server, nothing is said of its identity providers.
fn identity(conditions: &mut Conditions, control_plane: &Value, progress: &Progress) {
    let kind = "ValidIDPConfiguration";
    if control_plane["spec"]["configuration"]["authentication"]["type"] == "OIDC" {
        conditions.remove(kind);
    } else if let Some(problem) = progress.identity.as_ref().and_then(|found| found.problem.as_ref()) {
        conditions.set(kind, false, "IDPConfigurationError", problem);
    } else if progress.identity.is_some() || progress.etcd.is_some() && conditions.get(kind).is_none() {
        conditions.set(
            kind,
            true,
            "IDPConfigurationValid",
            "Identity provider configuration is valid",
        );
    }
}

fn degraded(conditions: &mut Conditions, progress: &Progress) {
    let missing: Vec<String> = (progress.deployments.values())
        .filter_map(|deployment| {
            let unavailable = deployment["status"]["unavailableReplicas"].as_u64().unwrap_or(0);
            let name = name_of(deployment);
            (unavailable > 0).then(|| format!("{name} deployment has {unavailable} unavailable replicas"))
        })
        .collect();
    if missing.is_empty() {
        conditions.set("Degraded", false, "AsExpected", "");
    } else {
        conditions.set("Degraded", true, "UnavailableReplicas", &missing.join("; "));
    }
}

fn etcd(conditions: &mut Conditions, progress: &Progress) {
    match (&progress.etcd, &progress.pending_volume) {
        (None, _) => conditions.set(
            "EtcdAvailable",
            false,
            "StatefulSetNotFound",
            "Etcd statefulset not found",
        ),
        (Some(etcd), _) if is_rolled_out(etcd) => {
            conditions.set("EtcdAvailable", true, "QuorumAvailable", "All is well");
        }
        (_, Some(pending)) => conditions.set("EtcdAvailable", false, "EtcdWaitingForQuorum", pending),
        _ => conditions.set(
            "EtcdAvailable",
            false,
            "EtcdWaitingForQuorum",
            "Waiting for etcd to reach quorum",
        ),
    }
}

fn api_server(conditions: &mut Conditions, progress: &Progress) {
    let kind = "KubeAPIServerAvailable";
    match progress.deployments.get(API_SERVER.name) {
        None => conditions.set(kind, false, "NotFound", "Kube APIServer deployment not found"),
        Some(found) if is_rolled_out(found) => {
            conditions.set(kind, true, "AsExpected", "Kube APIServer deployment is available");
        }
        Some(_) => conditions.set(
            kind,
            false,
            "WaitingForAvailable",
            "Waiting for Kube APIServer deployment to become available",
        ),
    }
}

/// What the hosted-cluster-config operator of newer releases sees from inside: whether either side reaches the other.
fn connections(conditions: &mut Conditions, control_plane: &Value, report: &Report) {
    let mut set = |since: u32, kind: &str, without_workers: &str| {
        if !payload_has(control_plane, since) {
            return;
        }
        if report.has_workers() {
            conditions.set(kind, true, "AsExpected", "All is well");
        } else {
            conditions.set_unknown(kind, "NoWorkerNodesAvailable", without_workers);
        }
    };
    set(
        since::DATA_PLANE_CONNECTION,
        "DataPlaneConnectionAvailable",
        "No worker nodes available",
    );
    set(
        since::CONTROL_PLANE_CONNECTION,
        "ControlPlaneConnectionAvailable",
        "No worker nodes available to verify control plane connectivity",
    );
    if payload_has(control_plane, since::CONFIG_OPERATOR) {
        conditions.set(
            "ConfigOperatorReconciliationSucceeded",
            true,
            "AsExpected",
            "All is well",
        );
    }
}

/// The first thing that is missing decides. The other components count in newer releases only, and until the control plane
/// was available once.
fn available(conditions: &mut Conditions, progress: &Progress, control_plane: &Value) {
    let first = ["InfrastructureReady", "EtcdAvailable", "KubeAPIServerAvailable"]
        .into_iter()
        .find(|kind| !conditions.is_true(kind));
    // The kubeconfig comes after the addresses and before etcd in the operator's order.
    if first != Some("InfrastructureReady") && !progress.has_kubeconfig {
        let message = "Waiting for hosted control plane kubeconfig to be created";
        conditions.set("Available", false, "KubeconfigWaitingForCreate", message);
        return;
    }
    let Some(cause) = first.and_then(|kind| conditions.get(kind)).cloned() else {
        let counts = payload_has(control_plane, since::CONTROL_PLANE_VERSION) && !conditions.is_true("Available");
        let missing = progress.components.as_ref().filter(|_| counts);
        if let Some(message) = missing.and_then(component_status::Summary::missing) {
            conditions.set("Available", false, "ComponentsNotAvailable", &message);
            return;
        }
        conditions.set("Available", true, "AsExpected", "");
        return;
    };
    let text = |field: &str| cause[field].as_str().unwrap_or_default();
    conditions.set("Available", false, text("reason"), text("message"));
}
