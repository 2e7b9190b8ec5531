//! What makes a pool's machines: the MachineDeployment of a pool whose machines are replaced, the MachineSet of one whose
//! machines are upgraded in place. Pure.

use serde_json::{Value, json};

use crate::actor::Key;
use crate::client::name_of;
use crate::kind::{KUBEVIRT_MACHINE_TEMPLATE, Kind, MACHINE_DEPLOYMENT};
use crate::objects::annotation;

use super::super::names::{MANAGED_LABEL, NODE_POOL_ANNOTATION, RELEASE_VERSION, TAINTS_ANNOTATION, qualified};
use super::super::release::Release;
use super::Scope;
use super::config::Config;
use super::create::taints_text;

/// On what Cluster API is to leave alone.
pub(super) const PAUSED: &str = "cluster.x-k8s.io/paused";
const MOST: &str = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size";
const LEAST: &str = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size";
/// The configuration that machines are to have, on a MachineSet.
pub(super) const TARGET_CONFIG: &str = "hypershift.openshift.io/nodePoolTargetConfigVersion";
/// The configuration that all machines have, on a MachineSet.
pub(super) const CURRENT_CONFIG: &str = "hypershift.openshift.io/nodePoolCurrentConfigVersion";
/// How many machines may be away at a time, on a MachineSet.
const MAX_UNAVAILABLE: &str = "hypershift.openshift.io/nodePoolMaxUnavailable";

/// What it is made of.
pub(super) struct Inputs<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) key: &'a Key,
    pub(super) kind: Kind,
    pub(super) template: &'a str,
    pub(super) user_data: &'a str,
    pub(super) release: &'a Release,
    pub(super) config: &'a Config,
    /// As it is now.
    pub(super) found: Option<&'a Value>,
}

/// The object as it is to be. An annotation that is to go is null.
pub(super) fn object(inputs: &Inputs<'_>) -> Value {
    let scope = inputs.scope;
    let infra_id = scope.hosted_cluster["spec"]["infraID"].as_str().unwrap_or_default();
    let replaces = inputs.kind == MACHINE_DEPLOYMENT;
    let label = selector_label(scope, inputs.key);
    let mut spec = json!({
        "clusterName": infra_id,
        "replicas": wanted_replicas(scope.pool, inputs.found),
        "selector": { "matchLabels": { &label: label } },
        "template": machine_template(inputs, infra_id, &label),
    });
    if replaces {
        let replace = &scope.pool["spec"]["management"]["replace"];
        spec["strategy"] = json!({
            "type": replace["strategy"].as_str().unwrap_or("RollingUpdate"),
            "rollingUpdate": {
                "maxSurge": replace["rollingUpdate"].get("maxSurge").cloned().unwrap_or(json!(1)),
                "maxUnavailable": replace["rollingUpdate"].get("maxUnavailable").cloned().unwrap_or(json!(0)),
            },
        });
    }
    let mut annotations = autoscaler_bounds(scope.pool);
    annotations[NODE_POOL_ANNOTATION] = qualified(inputs.key).into();
    annotations[PAUSED] = Value::Null;
    if !replaces {
        annotations[TARGET_CONFIG] = inputs.config.version_hash.as_str().into();
        annotations[MAX_UNAVAILABLE] = max_unavailable(scope.pool).to_string().into();
        // A set that is new has what its machines are made with.
        let current = inputs.found.and_then(|found| annotation(found, CURRENT_CONFIG));
        annotations[CURRENT_CONFIG] = current.unwrap_or(&inputs.config.version_hash).into();
    }
    if inputs.found.is_none()
        && let Some(annotations) = annotations.as_object_mut()
    {
        annotations.retain(|_, value| !value.is_null());
    }
    json!({
        "metadata": {
            "name": inputs.key.name,
            "namespace": scope.namespace,
            "annotations": annotations,
            "labels": { "cluster.x-k8s.io/cluster-name": infra_id },
        },
        "spec": spec,
    })
}

/// The label that a pool's machines are selected by: its own name is its value.
pub(super) fn selector_label(scope: &Scope<'_>, key: &Key) -> String {
    let infra_id = scope.hosted_cluster["spec"]["infraID"].as_str().unwrap_or_default();
    let label: String = format!("{infra_id}-{}-{}", name_of(scope.hosted_cluster), key.name)
        .chars()
        .take(43)
        .collect();
    label.trim_end_matches('-').to_owned()
}

fn machine_template(inputs: &Inputs<'_>, infra_id: &str, label: &str) -> Value {
    let scope = inputs.scope;
    let mut labels = json!({ label: label, "cluster.x-k8s.io/cluster-name": infra_id });
    let mut annotations = json!({ NODE_POOL_ANNOTATION: qualified(inputs.key) });
    annotations[RELEASE_VERSION] = inputs.release.version.as_str().into();
    if inputs.kind != MACHINE_DEPLOYMENT {
        for (name, value) in scope.pool["spec"]["nodeLabels"].as_object().into_iter().flatten() {
            labels[format!("{MANAGED_LABEL}.{name}")] = value.clone();
        }
        annotations[TAINTS_ANNOTATION] = taints_text(scope.pool).into();
    }
    let mut spec = json!({
        "clusterName": infra_id,
        "version": inputs.release.version,
        "bootstrap": { "dataSecretName": inputs.user_data },
        "infrastructureRef": {
            "apiVersion": KUBEVIRT_MACHINE_TEMPLATE.api_version(),
            "kind": KUBEVIRT_MACHINE_TEMPLATE.kind,
            "name": inputs.template,
            "namespace": scope.namespace,
        },
    });
    for field in ["nodeDrainTimeout", "nodeVolumeDetachTimeout"] {
        let given = &scope.pool["spec"][field];
        let had = inputs
            .found
            .is_some_and(|found| !found["spec"]["template"]["spec"][field].is_null());
        if !given.is_null() || had {
            spec[field] = given.clone();
        }
    }
    json!({ "metadata": { "labels": labels, "annotations": annotations }, "spec": spec })
}

fn autoscaler_bounds(pool: &Value) -> Value {
    let scaling = &pool["spec"]["autoScaling"];
    let bound = |field: &str| scaling[field].as_u64().unwrap_or(0).to_string();
    json!({ MOST: bound("max"), LEAST: bound("min") })
}

/// Whether a MachineDeployment, or a MachineSet of its own, says that its pool scales by itself.
pub(in super::super) fn scales_by_itself(owner: &Value) -> bool {
    annotation(owner, MOST).is_some_and(|most| most != "0")
}

/// At least one, or an upgrade would never begin. Percentages are of the replicas asked for.
fn max_unavailable(pool: &Value) -> u64 {
    let asked = &pool["spec"]["management"]["inPlace"]["maxUnavailable"];
    let replicas = pool["spec"]["replicas"].as_u64().unwrap_or(0);
    let percent = asked
        .as_str()
        .and_then(|text| text.strip_suffix('%')?.parse::<u64>().ok())
        .map(|percent| replicas * percent / 100);
    asked.as_u64().or(percent).unwrap_or(1).max(1)
}

/// Replicas asked for; with autoscaling, what there is, kept within the bounds.
pub(super) fn wanted_replicas(pool: &Value, found: Option<&Value>) -> u64 {
    let scaling = &pool["spec"]["autoScaling"];
    if !scaling.is_object() {
        return pool["spec"]["replicas"].as_u64().unwrap_or(0);
    }
    let (least, most) = (
        scaling["min"].as_u64().unwrap_or(1).max(1),
        scaling["max"].as_u64().unwrap_or(1),
    );
    let now = found.and_then(|found| found["spec"]["replicas"].as_u64()).unwrap_or(0);
    now.clamp(least, most.max(least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_autoscaler_keeps_its_replicas_within_the_bounds() {
        let pool = json!({ "spec": { "autoScaling": { "min": 2, "max": 5 } } });
        let check = |now: u64| wanted_replicas(&pool, Some(&json!({ "spec": { "replicas": now } })));
        assert_eq!((check(0), check(2), check(4), check(9)), (2, 2, 4, 5));
        assert_eq!(wanted_replicas(&pool, None), 2);
        assert_eq!(wanted_replicas(&json!({ "spec": { "replicas": 7 } }), None), 7);
    }

    #[test]
    fn at_least_one_machine_may_be_away() {
        let pool = |amount: Value| json!({ "spec": { "replicas": 5, "management": { "inPlace": { "maxUnavailable": amount } } } });
        assert_eq!(max_unavailable(&pool(json!(0))), 1);
        assert_eq!(max_unavailable(&pool(json!(2))), 2);
        assert_eq!(max_unavailable(&pool(json!("40%"))), 2);
        assert_eq!(max_unavailable(&pool(Value::Null)), 1);
    }
}
