//! The status of a HostedCluster, computed from what was observed. One writer, no I/O.

use serde_json::{Value, json};

use crate::generation::Generation;
use crate::objects::{Conditions, is_rolled_out};

use super::super::paused;
use super::Observed;
use super::judge::Verdict;

/// Conditions that the HostedCluster copies from its control plane, with what stands there before it has them.
const FROM_CONTROL_PLANE: [(&str, &str); 11] = [
    ("ValidHostedControlPlaneConfiguration", "Condition not found in the HCP"),
    ("InfrastructureReady", "Condition not found in the HCP"),
    ("EtcdAvailable", "Condition not found in the HCP"),
    ("KubeAPIServerAvailable", "Condition not found in the HCP"),
    ("ExternalDNSReachable", "Condition not found in the HCP"),
    ("ValidReleaseInfo", "Condition not found in the HCP"),
    ("ValidIDPConfiguration", "Condition not found in the HCP"),
    ("ClusterVersionSucceeding", "Condition not found in the CVO."),
    ("ClusterVersionAvailable", "Condition not found in the CVO."),
    ("ClusterVersionProgressing", "Condition not found in the CVO."),
    ("ClusterVersionReleaseAccepted", "Condition not found in the CVO."),
];

/// The same, which operators of the current generation copy besides.
const ALSO_FROM_CONTROL_PLANE: [&str; 5] = [
    "HostedClusterRestoredFromBackup",
    "DataPlaneConnectionAvailable",
    "ControlPlaneConnectionAvailable",
    "EtcdBackupSucceeded",
    "ConfigOperatorReconciliationSucceeded",
];

/// What goes under `status`, as a merge patch.
pub(super) fn compute(hosted_cluster: &Value, observed: &Observed, generation: Generation, now: String) -> Value {
    let control_plane = observed.control_plane.as_ref();
    let version = version(hosted_cluster, control_plane, &now);
    let mut conditions = Conditions::of(hosted_cluster, now);
    of_control_plane(&mut conditions, control_plane, generation);
    if generation.is_current() {
        of_current_operator(&mut conditions);
    }
    of_verdict(&mut conditions, &observed.verdict);
    of_operator(&mut conditions, observed);
    paused::tell(&mut conditions, hosted_cluster, observed.paused.as_ref(), "AsExpected");
    progressing(&mut conditions, hosted_cluster, &version, observed);
    let mut status = json!({ "version": version });
    if let Ok(release) = &observed.verdict.release {
        status["payloadArch"] = release.arch.into();
    }
    if let Some(host) = observed.ignition_route.as_ref().and_then(|route| admitted_host(route)) {
        status["ignitionEndpoint"] = host.into();
    }
    let name = &hosted_cluster["metadata"]["name"].as_str().unwrap_or_default();
    if observed.access.kubeconfig {
        status["kubeconfig"] = json!({ "name": format!("{name}-admin-kubeconfig") });
    }
    status["kubeadminPassword"] = if observed.access.password {
        json!({ "name": format!("{name}-kubeadmin-password") })
    } else {
        Value::Null
    };
    if let Some(control_plane) = control_plane {
        for field in ["controlPlaneEndpoint", "oauthCallbackURLTemplate"] {
            let value = &control_plane["status"][field];
            if !value.is_null() {
                status[field] = value.clone();
            }
        }
    }
    let of_control_plane = control_plane.map(|control_plane| &control_plane["status"]["controlPlaneVersion"]);
    if let Some(told) = of_control_plane.filter(|told| generation.is_current() && told.is_object()) {
        status["controlPlaneVersion"] = told.clone();
    }
    status["conditions"] = conditions.observed(&hosted_cluster["metadata"]["generation"]);
    status
}

/// Conditions that a generation's operator copies from the control plane, with what stands there before that has them.
fn copied(generation: Generation) -> impl Iterator<Item = (&'static str, &'static str)> {
    let also = ALSO_FROM_CONTROL_PLANE.map(|kind| (kind, "Condition not found in the HCP"));
    let also = also.into_iter().filter(move |_| generation.is_current());
    FROM_CONTROL_PLANE.into_iter().chain(also)
}

fn of_current_operator(conditions: &mut Conditions) {
    conditions.set(
        "AutoNodeEnabled",
        false,
        "AutoNodeNotConfigured",
        "AutoNode provisioner is not configured",
    );
    conditions.set(
        "ValidProxyConfiguration",
        true,
        "AsExpected",
        "No proxy CA bundle configured",
    );
}

fn of_control_plane(conditions: &mut Conditions, control_plane: Option<&Value>, generation: Generation) {
    let Some(control_plane) = control_plane else {
        conditions.set(
            "Available",
            false,
            "WaitingForAvailable",
            "Waiting for hosted control plane to be healthy",
        );
        for (kind, _) in copied(generation) {
            conditions.set_unknown(kind, "StatusUnknown", "The hosted control plane is not found");
        }
        conditions.set_unknown("Degraded", "StatusUnknown", "The hosted control plane is not found");
        return;
    };
    for (kind, missing) in copied(generation) {
        if !conditions.copy(control_plane, kind) {
            conditions.set_unknown(kind, "StatusUnknown", missing);
        }
    }
    // These two are absent until they are known.
    conditions.copy(control_plane, "ClusterVersionUpgradeable");
    if generation.is_current() {
        conditions.copy(control_plane, "ClusterVersionRetrievedUpdates");
    }
    conditions.copy(control_plane, "ValidKubeVirtInfraNetworkMTU");
    if crate::conditions::is_true(control_plane, "Degraded") {
        conditions.copy(control_plane, "Degraded");
    } else {
        conditions.set("Degraded", false, "AsExpected", "The hosted cluster is not degraded");
    }
    if crate::conditions::is_true(control_plane, "Available") {
        conditions.set("Available", true, "AsExpected", "The hosted control plane is available");
    } else if !conditions.copy(control_plane, "Available") {
        conditions.set(
            "Available",
            false,
            "WaitingForAvailable",
            "Waiting for hosted control plane to be healthy",
        );
    }
}

fn of_verdict(conditions: &mut Conditions, verdict: &Verdict) {
    match &verdict.configuration {
        Ok(()) => conditions.set(
            "ValidConfiguration",
            true,
            "AsExpected",
            "Configuration passes validation",
        ),
        Err(problem) => conditions.set("ValidConfiguration", false, "InvalidConfiguration", problem),
    }
    conditions.set(
        "SupportedHostedCluster",
        true,
        "AsExpected",
        "HostedCluster is supported by operator configuration",
    );
    match &verdict.release {
        Ok(_) => conditions.set("ValidReleaseImage", true, "AsExpected", "Release image is valid"),
        Err(problem) => conditions.set("ValidReleaseImage", false, problem.reason(), &problem.to_string()),
    }
}

fn of_operator(conditions: &mut Conditions, observed: &Observed) {
    match &observed.ignition_server {
        None => {
            conditions.set(
                "IgnitionEndpointAvailable",
                false,
                "NotFound",
                "Ignition server deployment not found",
            );
        }
        Some(server) if is_rolled_out(server) => {
            conditions.set(
                "IgnitionEndpointAvailable",
                true,
                "AsExpected",
                "Ignition server deployment is available",
            );
        }
        Some(_) => conditions.set(
            "IgnitionEndpointAvailable",
            false,
            "WaitingForAvailable",
            "Ignition server deployment is not yet available",
        ),
    }
    let stuck: Vec<&str> = (observed.machines.iter())
        .filter(|machine| {
            crate::conditions::find(machine, "VMLiveMigratable").is_some_and(|found| found["status"] == "False")
        })
        .map(crate::client::name_of)
        .collect();
    if stuck.is_empty() {
        conditions.set("KubeVirtNodesLiveMigratable", true, "AsExpected", "All is well");
    } else {
        let message = format!("machines that cannot be live migrated: {}", stuck.join(", "));
        conditions.set(
            "KubeVirtNodesLiveMigratable",
            false,
            "KubeVirtNodesNotLiveMigratable",
            &message,
        );
    }
    if observed.control_plane.is_some() {
        conditions.set(
            "PlatformCredentialsFound",
            true,
            "AsExpected",
            "Required platform credentials are found",
        );
    }
}

/// The conditions with what came of the pass: the last thing that the operator says.
pub(super) fn with_outcome(status: &Value, outcome: &Result<(), String>, generation: &Value, now: String) -> Value {
    let mut conditions = Conditions::of(&json!({ "status": status }), now);
    match outcome {
        // The reason is spelled so in the product.
        Ok(()) => conditions.set(
            "ReconciliationSucceeded",
            true,
            "ReconciliatonSucceeded",
            "Reconciliation completed successfully",
        ),
        Err(problem) => conditions.set("ReconciliationSucceeded", false, "ReconciliationError", problem),
    }
    conditions.observed(generation)
}

fn progressing(conditions: &mut Conditions, hosted_cluster: &Value, version: &Value, observed: &Observed) {
    let gates = [
        "SupportedHostedCluster",
        "ValidConfiguration",
        "ValidReleaseImage",
        "ReconciliationActive",
    ];
    let closed = gates.into_iter().find_map(|kind| {
        let found = conditions.get(kind).filter(|found| found["status"] == "False")?;
        let message = found["message"].as_str().unwrap_or_default();
        Some(format!("{kind} condition is false: {message}"))
    });
    let blocked = closed.or_else(|| {
        let why = observed.verdict.upgrade_blocked.as_ref()?;
        Some(format!("ClusterVersionUpgradeable condition is false: {why}"))
    });
    if let Some(message) = blocked {
        conditions.set("Progressing", false, "Blocked", &message);
    } else if version["desired"]["image"] == hosted_cluster["spec"]["release"]["image"] {
        conditions.set(
            "Progressing",
            false,
            "AsExpected",
            "HostedCluster is at expected version",
        );
    } else {
        let message = "HostedCluster is deploying, upgrading, or reconfiguring";
        conditions.set("Progressing", true, "Progressing", message);
    }
}

/// The version as the guest's own cluster version operator tells it, or one Partial entry until it does.
fn version(hosted_cluster: &Value, control_plane: Option<&Value>, now: &str) -> Value {
    let told = control_plane.map(|control_plane| &control_plane["status"]["versionStatus"]);
    if let Some(told) = told.filter(|told| told.is_object()) {
        return told.clone();
    }
    let known = &hosted_cluster["status"]["version"];
    if known.is_object() {
        return known.clone();
    }
    let image = &hosted_cluster["spec"]["release"]["image"];
    json!({
        // Which version the image holds is the guest's to say.
        "desired": { "image": image, "version": "" },
        "history": [{
            "state": "Partial",
            "startedTime": now,
            "completionTime": null,
            "version": "",
            "image": image,
            "verified": false,
        }],
        "observedGeneration": hosted_cluster["metadata"]["generation"],
        "availableUpdates": [],
    })
}

/// The host of a Route that a router has admitted.
pub(super) fn admitted_host(route: &Value) -> Option<&str> {
    let ingress = &route["status"]["ingress"][0];
    let admitted = ingress["conditions"]
        .as_array()?
        .iter()
        .any(|condition| condition["type"] == "Admitted" && condition["status"] == "True");
    admitted.then(|| ingress["host"].as_str()).flatten()
}
