//! Why the engine does not get there: parts switched off, the engine refusing, HyperShift not installing, a namespace in
//! the way.

use berth_api::views;
use serde_json::Value;

use super::parts::find_add_on;
use super::{ADD_ON, NEEDED};
use crate::facts::Facts;
use crate::read::{holds, name, text};
use crate::steps::hub;
use crate::walk::{Finding, diagnosis};

/// The first cause that keeps the engine from hosting.
pub(super) fn first_cause(facts: &Facts, engine: &Value) -> Option<Finding> {
    disabled(engine)
        .or_else(|| refused(engine))
        .or_else(|| degraded(facts))
        .or_else(|| occupied(facts, engine))
}

/// Parts that hosting needs, switched off by somebody.
fn disabled(engine: &Value) -> Option<Finding> {
    let off = views::list(engine, &["spec", "overrides", "components"])
        .iter()
        .find_map(|component| {
            let name = text(component, &["name"])?;
            (NEEDED.contains(&name) && views::flag(component, &["enabled"]) == Some(false)).then_some(name)
        })?;
    Some(Finding::certain(diagnosis(
        if off == "local-cluster" { "P14" } else { "P21" },
        format!("the component {off} is switched off"),
        format!("MultiClusterEngine {}", name(engine)),
        [format!("spec.overrides.components: {off} enabled: false")],
        format!(
            "switch it on where the engine is managed (oc edit mce {}, or ACM's MultiClusterHub)",
            name(engine)
        ),
    )))
}

fn refused(engine: &Value) -> Option<Finding> {
    let phase = text(engine, &["status", "phase"])?;
    if !matches!(phase, "Error" | "Paused" | "Unimplemented") {
        return None;
    }
    let told: Vec<_> = views::conditions(engine)
        .filter(|condition| condition.kind.contains("Failure") || condition.kind == "Progressing")
        .map(|condition| format!("{}: {}, {}", condition.kind, condition.reason, condition.message))
        .collect();
    let requirements =
        views::condition(engine, "Progressing").is_some_and(|condition| condition.reason == "RequirementsNotMet");
    Some(Finding::after(
        i64::from(phase == "Error") * 2,
        diagnosis(
            if requirements { "P09" } else { "" },
            format!("the engine is in phase {phase}"),
            format!("MultiClusterEngine {}", name(engine)),
            told,
            if phase == "Paused" {
                "remove the annotation installer.multicluster.openshift.io/pause"
            } else {
                "oc describe mce says more; a channel that does not fit this OpenShift shows as RequirementsNotMet"
            },
        ),
    ))
}

fn degraded(facts: &Facts) -> Option<Finding> {
    let add_on = find_add_on(facts)?;
    let condition = holds(add_on, "Degraded")?;
    let found = diagnosis(
        "P15",
        "the hypershift add-on does not get HyperShift running",
        format!(
            "ManagedClusterAddOn {}/{ADD_ON}",
            text(add_on, &["metadata", "namespace"]).unwrap_or_default()
        ),
        [format!("Degraded, {}: {}", condition.reason, condition.message)],
        "oc get jobs,pods -n open-cluster-management-agent-addon shows the install job; without telemetry add \
         --enable-uwm-telemetry-remote-write to installFlagsToRemove of ConfigMap hypershift-operator-install-flags in \
         local-cluster",
    );
    Some(Finding::after(8, found).since(&condition))
}

/// The import of the hub waits for as long as a namespace of its name is in the way.
fn occupied(facts: &Facts, engine: &Value) -> Option<Finding> {
    if hub::local_cluster(facts).is_some() {
        return None;
    }
    let component = views::list(engine, &["status", "components"])
        .iter()
        .find(|component| text(component, &["name"]) == Some("local-cluster"))?;
    let message = text(component, &["message"]).filter(|message| message.contains("namespace"))?;
    Some(Finding::after(
        2,
        diagnosis(
            "P14",
            "the hub cannot be imported as local-cluster",
            "Namespace local-cluster",
            [message.to_owned()],
            "a namespace local-cluster that the engine did not make is in the way: move what is in it and delete it",
        ),
    ))
}
