//! How far the parts are that hosting stands on, each asked on its own.

use berth_api::{resources, views};
use serde_json::Value;

use super::{ADD_ON, OPERATOR};
use crate::assess::Assessment;
use crate::facts::{Facts, Selector};
use crate::read::{as_count, count, failed, holds, is_established, line, name, objects, reason_or, some_of, text};
use crate::steps::hub;

/// The first part that is missing, in the order in which they come up.
pub(super) fn outstanding(facts: &Facts) -> Option<Assessment> {
    local_cluster(facts)
        .or_else(|| add_on(facts))
        .or_else(|| operator(facts))
        .or_else(|| kind(facts))
}

fn kind(facts: &Facts) -> Option<Assessment> {
    let served = is_established(facts, resources::HOSTED_CLUSTER);
    (!served).then(|| Assessment::waiting("CRD", "the kind HostedCluster is not Established yet"))
}

/// The engine's own progress, while it has not come to rest.
pub(super) fn components(engine: &Value) -> Option<Assessment> {
    let phase = text(engine, &["status", "phase"]).unwrap_or("Progressing");
    if phase == "Available" {
        return None;
    }
    let all = views::list(engine, &["status", "components"]);
    let missing: Vec<_> = all
        .iter()
        .filter(|component| text(component, &["status"]) != Some("True"))
        .filter_map(|component| text(component, &["name"]))
        .collect();
    let detail = if all.is_empty() {
        format!("the engine is {phase}")
    } else if missing.is_empty() {
        format!("the engine is {phase}: {} components reported", all.len())
    } else {
        format!("the engine is {phase}: waits for {}", some_of(&missing))
    };
    Some(Assessment::counted(
        phase,
        detail,
        as_count(all.len() - missing.len()),
        as_count(all.len()),
    ))
}

fn local_cluster(facts: &Facts) -> Option<Assessment> {
    let Some(cluster) = hub::local_cluster(facts) else {
        return Some(Assessment::waiting(
            "NoLocalCluster",
            "the hub is not imported as local-cluster yet",
        ));
    };
    let wanted = [
        "HubAcceptedManagedCluster",
        "ManagedClusterJoined",
        "ManagedClusterConditionAvailable",
    ];
    let missing = wanted.into_iter().find(|kind| !views::is_true(cluster, kind))?;
    let reason = views::condition(cluster, missing).map_or(missing, |condition| reason_or(&condition, missing));
    let what = match missing {
        "HubAcceptedManagedCluster" => "accepted",
        "ManagedClusterJoined" => "joined",
        _ => "available",
    };
    Some(Assessment::waiting(
        reason,
        format!("{} is not {what} yet", name(cluster)),
    ))
}

/// The add-on of every cluster that has it. A hub may have thousands of other add-ons, which are not read.
pub(super) fn add_ons() -> Selector {
    Selector::anywhere(resources::MANAGED_CLUSTER_ADD_ON, ADD_ON)
}

/// The add-on of the local cluster, which is in the namespace of that name.
pub(super) fn find_add_on(facts: &Facts) -> Option<&Value> {
    let namespace = hub::local_cluster(facts).map_or("local-cluster", name);
    objects(facts, &add_ons()).find(|add_on| text(add_on, &["metadata", "namespace"]) == Some(namespace))
}

fn add_on(facts: &Facts) -> Option<Assessment> {
    let Some(add_on) = find_add_on(facts) else {
        return Some(Assessment::waiting("NoAddOn", format!("{ADD_ON} is not there yet")));
    };
    if !views::is_true(add_on, "Available") {
        let condition = views::condition(add_on, "Available");
        let reason = condition.map_or("NotAvailable", |condition| reason_or(&condition, "NotAvailable"));
        return Some(Assessment::waiting(reason, format!("{ADD_ON} is not available yet")));
    }
    // Degraded=False is said outright once HyperShift runs; before, it is True or not there.
    if failed(add_on, "Degraded").is_none() {
        let condition = holds(add_on, "Degraded");
        let message = condition.map_or("its state is not known yet", |condition| line(condition.message));
        let reason = condition.map_or("Degraded", |condition| reason_or(&condition, "Degraded"));
        return Some(Assessment::waiting(reason, format!("{ADD_ON} is degraded: {message}")));
    }
    None
}

fn operator(facts: &Facts) -> Option<Assessment> {
    let Some(operator) = facts.object(&Selector::named(resources::DEPLOYMENT, OPERATOR.0, OPERATOR.1)) else {
        return Some(Assessment::waiting(
            "NoOperator",
            "the HyperShift operator is not deployed yet",
        ));
    };
    let wanted = views::rollout(operator).wanted;
    let available = count(operator, &["status", "availableReplicas"]);
    let wanted = u32::try_from(wanted).unwrap_or(0);
    (available < wanted || !views::rollout(operator).observed).then(|| {
        let detail = format!("HyperShift operator: {available} of {wanted} replicas available");
        Assessment::counted("Replicas", detail, available, wanted)
    })
}
