//! An engine's status from what there is of it. No I/O.

use serde_json::{Value, json};

use super::observe::Observed;
use super::{Engine, HYPERSHIFT_ADDON, LOCAL_CLUSTER, deploys};
use crate::client::name_of;
use crate::conditions;

/// One entry of `status.components`, and whether it counts as ready: that is not part of what the API shows.
struct Entry {
    value: Value,
    ready: bool,
}

/// The first status of all: what will be, and nothing of what is.
pub(super) fn first(object: &Value, engine: &Engine, now: &str) -> Value {
    let mut conditions = conditions_of(object);
    conditions::set(
        &mut conditions,
        now,
        "Progressing",
        "True",
        "WaitingForResource",
        "Setting the operator",
    );
    let mut status = object["status"].clone();
    status["phase"] = "Progressing".into();
    status["desiredVersion"] = engine.version.as_str().into();
    with_conditions(status, conditions)
}

/// The status of an engine that nobody is to touch.
pub(super) fn paused(object: &Value, engine: &Engine, now: &str) -> Value {
    let mut conditions = conditions_of(object);
    conditions::set(
        &mut conditions,
        now,
        "Progressing",
        "Unknown",
        "Paused",
        "Multiclusterengine is paused",
    );
    let mut status = object["status"].clone();
    status["phase"] = "Paused".into();
    status["desiredVersion"] = engine.version.as_str().into();
    with_conditions(status, conditions)
}

/// The status of an engine that is being taken down.
pub(super) fn uninstalling(object: &Value, reason: &str, message: &str, now: &str) -> Value {
    let mut conditions = conditions_of(object);
    conditions::set(&mut conditions, now, "Progressing", "True", reason, message);
    let mut status = object["status"].clone();
    status["phase"] = "Uninstalling".into();
    with_conditions(status, conditions)
}

/// The status of an engine that is deployed, or about to be.
pub(super) fn of(object: &Value, engine: &Engine, observed: &Observed, now: &str) -> Value {
    let entries = entries(engine, observed);
    let available = entries.iter().all(|entry| entry.ready);
    let mut conditions = conditions_of(object);
    if available {
        conditions::set(
            &mut conditions,
            now,
            "Progressing",
            "True",
            "ComponentsDeployed",
            "All components deployed",
        );
        conditions::set(
            &mut conditions,
            now,
            "Available",
            "True",
            "ComponentsAvailable",
            "All components available",
        );
    } else {
        let waiting = entries
            .iter()
            .filter(|entry| !entry.ready)
            .filter_map(|entry| entry.value["name"].as_str());
        let message = format!("Waiting for: {}", waiting.collect::<Vec<_>>().join(", "));
        conditions::set(
            &mut conditions,
            now,
            "Progressing",
            "True",
            "WaitingForResource",
            "Setting the operator",
        );
        conditions::set(
            &mut conditions,
            now,
            "Available",
            "False",
            "ComponentsUnavailable",
            &message,
        );
    }
    let mut status = object["status"].clone();
    status["phase"] = if available { "Available" } else { "Progressing" }.into();
    status["desiredVersion"] = engine.version.as_str().into();
    if available {
        status["currentVersion"] = engine.version.as_str().into();
    }
    status["components"] = entries
        .into_iter()
        .map(|entry| dated(entry.value, &object["status"]["components"], now))
        .collect();
    with_conditions(status, conditions)
}

fn conditions_of(object: &Value) -> Vec<Value> {
    object["status"]["conditions"].as_array().cloned().unwrap_or_default()
}

/// The condition that changed last goes last: the table shows that one.
fn with_conditions(mut status: Value, mut conditions: Vec<Value>) -> Value {
    for condition in &mut conditions {
        if condition["lastUpdateTime"].is_null() {
            condition["lastUpdateTime"] = condition["lastTransitionTime"].clone();
        }
    }
    conditions.sort_by(|a, b| a["lastTransitionTime"].as_str().cmp(&b["lastTransitionTime"].as_str()));
    status["conditions"] = conditions.into();
    status
}

fn entries(engine: &Engine, observed: &Observed) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (component, enabled) in &engine.components {
        if !deploys(component, *enabled, observed) {
            entries.push(disabled(component.name, "Component is disabled"));
            continue;
        }
        entries.extend(
            component
                .deployments
                .iter()
                .map(|workload| deployment(workload.name, observed)),
        );
        match component.name {
            "cluster-manager" => entries.push(cluster_manager(observed)),
            "hypershift" => entries.push(management_addon(observed)),
            "hypershift-local-hosting" if engine.hosts_locally() => entries.push(hypershift_addon(observed)),
            "hypershift-local-hosting" => entries.push(disabled(
                component.name,
                "Local hosting only available when both the hypershift and local-cluster components are enabled",
            )),
            LOCAL_CLUSTER => entries.push(local_cluster(observed)),
            _ => {}
        }
    }
    entries.sort_by(|a, b| a.value["name"].as_str().cmp(&b.value["name"].as_str()));
    entries
}

fn entry(ready: bool, name: &str, kind: &str, condition: (&str, &str), reason: &str, message: &str) -> Entry {
    let (condition, status) = condition;
    let value = json!({
        "name": name, "kind": kind, "type": condition, "status": status, "reason": reason, "message": message,
    });
    Entry { value, ready }
}

fn disabled(name: &str, message: &str) -> Entry {
    entry(
        true,
        name,
        "Component",
        ("NotPresent", "True"),
        "ComponentDisabled",
        message,
    )
}

fn unknown(name: &str, kind: &str) -> Entry {
    entry(
        false,
        name,
        kind,
        ("Unknown", "Unknown"),
        "NoConditions",
        "No conditions available",
    )
}

/// An entry that repeats a condition of an object.
fn repeated(name: &str, kind: &str, object: &Value, condition: &str, ready: bool) -> Entry {
    let Some(found) = conditions::find(object, condition) else {
        return unknown(name, kind);
    };
    let text = |field: &str| found[field].as_str().unwrap_or_default();
    entry(
        ready,
        name,
        kind,
        (condition, text("status")),
        text("reason"),
        text("message"),
    )
}

fn deployment(name: &str, observed: &Observed) -> Entry {
    let Some(deployment) = observed.deployments.get(name) else {
        return unknown(name, "Deployment");
    };
    let unavailable = deployment["status"]["unavailableReplicas"].as_u64().unwrap_or(0);
    let ready = conditions::is_true(deployment, "Available") && unavailable == 0;
    repeated(name, "Deployment", deployment, "Available", ready)
}

fn cluster_manager(observed: &Observed) -> Entry {
    let Some(manager) = &observed.cluster_manager else {
        return unknown("cluster-manager", "ClusterManager");
    };
    let ready = conditions::is_true(manager, "Applied");
    repeated(name_of(manager), "ClusterManager", manager, "Applied", ready)
}

/// Being there is all that is asked of it.
fn management_addon(observed: &Observed) -> Entry {
    match &observed.hypershift {
        None => unknown(HYPERSHIFT_ADDON, "ClusterManagementAddOn"),
        Some(_) => entry(
            true,
            HYPERSHIFT_ADDON,
            "ClusterManagementAddOn",
            ("Available", "True"),
            "ComponentPresent",
            "ClusterManagementAddOn is present",
        ),
    }
}

/// Available is all that is asked of it; that it may be degraded goes unnoticed.
fn hypershift_addon(observed: &Observed) -> Entry {
    let Some(addon) = &observed.hypershift_addon else {
        return unknown(HYPERSHIFT_ADDON, "ManagedClusterAddOn");
    };
    let ready = conditions::is_true(addon, "Available");
    repeated(HYPERSHIFT_ADDON, "ManagedClusterAddOn", addon, "Available", ready)
}

/// Imported once the conditions are there: what they say is not looked at.
fn local_cluster(observed: &Observed) -> Entry {
    let types = [
        "HubAcceptedManagedCluster",
        "ManagedClusterJoined",
        "ManagedClusterConditionAvailable",
    ];
    let cluster = observed.local_cluster.as_ref();
    let ready = cluster.is_some_and(|cluster| types.iter().all(|kind| conditions::find(cluster, kind).is_some()));
    let kind = "local-cluster";
    if ready {
        entry(
            true,
            LOCAL_CLUSTER,
            kind,
            ("ManagedClusterImportSuccess", "True"),
            "ManagedClusterImported",
            "ManagedCluster is accepted, joined, and available",
        )
    } else {
        let message = if cluster.is_none() && observed.local_namespace {
            "Waiting on local cluster namespace local-cluster to be removed"
        } else {
            "Waiting for the local cluster to be imported"
        };
        entry(
            false,
            LOCAL_CLUSTER,
            kind,
            ("ManagedClusterImportSuccess", "False"),
            "ManagedClusterImporting",
            message,
        )
    }
}

/// An entry's time is that of its last change.
fn dated(mut entry: Value, before: &Value, now: &str) -> Value {
    let same = |old: &&Value| {
        ["name", "kind", "type", "status", "reason"]
            .iter()
            .all(|field| old[*field] == entry[*field])
    };
    let before = before
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .find(same);
    let transition = before.map_or_else(|| now.into(), |old| old["lastTransitionTime"].clone());
    entry["lastTransitionTime"] = transition;
    entry
}
