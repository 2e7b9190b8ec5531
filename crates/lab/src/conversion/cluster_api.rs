//! Cluster API's kinds between `v1beta1`, which HyperShift writes and reads, and `v1beta2`, in which they are stored: where
//! references, deadlines, rollouts and conditions have another form.

use serde_json::{Map, Value, json};

use super::duration;

pub(super) const GROUP: &str = "cluster.x-k8s.io";
pub(super) const KINDS: [&str; 4] = ["clusters", "machinedeployments", "machinesets", "machines"];
pub(super) const OLD: &str = "v1beta1";
pub(super) const NEW: &str = "v1beta2";

/// Deadlines of a machine: in the old form, and under `deletion` in the new.
const DEADLINES: [(&str, &str); 3] = [
    ("nodeDrainTimeout", "nodeDrainTimeoutSeconds"),
    ("nodeVolumeDetachTimeout", "nodeVolumeDetachTimeoutSeconds"),
    ("nodeDeletionTimeout", "nodeDeletionTimeoutSeconds"),
];

/// What of a status is told in the old terms only, under `deprecated.v1beta1` in the new form. Of counts of the same name
/// the new ones are under `v1beta2` in the old form.
const DEPRECATED: [&str; 8] = [
    "conditions",
    "failureReason",
    "failureMessage",
    "readyReplicas",
    "availableReplicas",
    "updatedReplicas",
    "unavailableReplicas",
    "fullyLabeledReplicas",
];

/// What of a status is told in the new terms only.
const NEWER: [&str; 6] = [
    "conditions",
    "readyReplicas",
    "availableReplicas",
    "upToDateReplicas",
    "controlPlane",
    "workers",
];

/// From the old form to the new.
pub(super) fn upgrade(plural: &str, object: &mut Value) {
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        match plural {
            "clusters" => rename_references(spec, upgraded_reference),
            "machines" => upgrade_machine(spec),
            _ => upgrade_set(spec),
        }
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        upgrade_status(plural, status);
    }
}

/// From the new form to the old.
pub(super) fn downgrade(plural: &str, object: &mut Value) {
    let namespace = object["metadata"]["namespace"].clone();
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        let reference = |reference: &Value| downgraded_reference(reference, &namespace);
        match plural {
            "clusters" => rename_references(spec, reference),
            "machines" => downgrade_machine(spec, &reference),
            _ => downgrade_set(spec, &reference),
        }
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        downgrade_status(plural, status);
    }
}

// === References ===

fn rename_references(spec: &mut Map<String, Value>, form: impl Fn(&Value) -> Value) {
    for field in ["controlPlaneRef", "infrastructureRef"] {
        if let Some(found) = spec.get_mut(field) {
            *found = form(found);
        }
    }
    if let Some(found) = spec
        .get_mut("bootstrap")
        .and_then(|bootstrap| bootstrap.get_mut("configRef"))
    {
        *found = form(found);
    }
}

/// The version of what is referred to is found by its contract, so only the group is kept.
fn upgraded_reference(reference: &Value) -> Value {
    let version = reference["apiVersion"].as_str().unwrap_or_default();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    json!({ "apiGroup": group, "kind": reference["kind"], "name": reference["name"] })
}

fn downgraded_reference(reference: &Value, namespace: &Value) -> Value {
    let group = reference["apiGroup"].as_str().unwrap_or_default();
    let version = match group {
        "infrastructure.cluster.x-k8s.io" => "v1alpha1",
        _ => "v1beta1",
    };
    json!({
        "apiVersion": format!("{group}/{version}"),
        "kind": reference["kind"],
        "name": reference["name"],
        "namespace": namespace,
    })
}

// === Machines, and what makes them ===

fn upgrade_machine(spec: &mut Map<String, Value>) {
    rename_references(spec, upgraded_reference);
    for (old, new) in DEADLINES {
        let given = spec.remove(old);
        if let Some(seconds) = given.as_ref().and_then(Value::as_str).and_then(duration::seconds) {
            put(spec, &["deletion", new], seconds.into());
        }
    }
}

fn downgrade_machine(spec: &mut Map<String, Value>, reference: &impl Fn(&Value) -> Value) {
    rename_references(spec, reference);
    let deletion = spec.remove("deletion").unwrap_or_default();
    for (old, new) in DEADLINES {
        if let Some(seconds) = deletion[new].as_u64() {
            spec.insert(old.to_owned(), duration::text(seconds).into());
        }
    }
    spec.remove("minReadySeconds");
}

/// MachineSets and MachineDeployments, of which only the latter roll out.
fn upgrade_set(spec: &mut Map<String, Value>) {
    let min_ready = spec.remove("minReadySeconds");
    if let Some(template) = template(spec) {
        upgrade_machine(template);
        if let Some(seconds) = min_ready {
            template.insert("minReadySeconds".to_owned(), seconds);
        }
    }
    if let Some(mut strategy) = spec.remove("strategy") {
        let rolling = strategy.get_mut("rollingUpdate");
        if let Some(order) = rolling.and_then(|rolling| taken(rolling, "deletePolicy")) {
            put(spec, &["deletion", "order"], order);
        }
        if let Some(remediation) = taken(&mut strategy, "remediation") {
            spec.insert("remediation".to_owned(), remediation);
        }
        put(spec, &["rollout", "strategy"], strategy);
    }
    for (old, path) in [
        ("rolloutAfter", ["rollout", "after"]),
        ("deletePolicy", ["deletion", "order"]),
    ] {
        if let Some(value) = spec.remove(old) {
            put(spec, &path, value);
        }
    }
    rename(spec, "machineNamingStrategy", "machineNaming");
}

fn downgrade_set(spec: &mut Map<String, Value>, reference: &impl Fn(&Value) -> Value) {
    if let Some(template) = template(spec) {
        let min_ready = template.get("minReadySeconds").cloned();
        downgrade_machine(template, reference);
        if let Some(seconds) = min_ready {
            spec.insert("minReadySeconds".to_owned(), seconds);
        }
    }
    let order = spec
        .remove("deletion")
        .and_then(|mut deletion| taken(&mut deletion, "order"));
    let remediation = spec.remove("remediation");
    match spec.remove("rollout") {
        Some(mut rollout) => {
            if let Some(mut strategy) = taken(&mut rollout, "strategy") {
                if let Some(strategy) = strategy.as_object_mut() {
                    for (path, value) in [
                        (["rollingUpdate", "deletePolicy"].as_slice(), order),
                        (&["remediation"], remediation),
                    ] {
                        if let Some(value) = value {
                            put(strategy, path, value);
                        }
                    }
                }
                spec.insert("strategy".to_owned(), strategy);
            }
            if let Some(after) = taken(&mut rollout, "after") {
                spec.insert("rolloutAfter".to_owned(), after);
            }
        }
        None => {
            if let Some(order) = order {
                spec.insert("deletePolicy".to_owned(), order);
            }
        }
    }
    rename(spec, "machineNaming", "machineNamingStrategy");
}

fn template(spec: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    spec.get_mut("template")?.get_mut("spec")?.as_object_mut()
}

// === Statuses ===

fn upgrade_status(plural: &str, status: &mut Map<String, Value>) {
    for field in DEPRECATED {
        if let Some(value) = status.remove(field) {
            put(status, &["deprecated", OLD, field], value);
        }
    }
    if let Some(Value::Object(newer)) = status.remove(NEW) {
        status.extend(newer);
    }
    let initialization = match plural {
        "machines" => [
            ("bootstrapReady", "bootstrapDataSecretCreated"),
            ("infrastructureReady", "infrastructureProvisioned"),
        ],
        "clusters" => [
            ("controlPlaneReady", "controlPlaneInitialized"),
            ("infrastructureReady", "infrastructureProvisioned"),
        ],
        _ => return,
    };
    for (old, new) in initialization {
        if let Some(value) = status.remove(old) {
            put(status, &["initialization", new], value);
        }
    }
    if let Some(node) = status.get_mut("nodeRef") {
        *node = json!({ "name": node["name"] });
    }
}

fn downgrade_status(plural: &str, status: &mut Map<String, Value>) {
    let mut newer = Map::new();
    for field in NEWER {
        if let Some(value) = status.remove(field) {
            newer.insert(field.to_owned(), value);
        }
    }
    let deprecated = status.remove("deprecated").and_then(|mut it| taken(&mut it, OLD));
    if let Some(Value::Object(deprecated)) = deprecated {
        status.extend(deprecated);
    }
    if !newer.is_empty() {
        status.insert(NEW.to_owned(), newer.into());
    }
    let initialization = status.remove("initialization").unwrap_or_default();
    let flag = |field: &str| Value::from(initialization[field] == true);
    match plural {
        "machines" => {
            status.insert("bootstrapReady".to_owned(), flag("bootstrapDataSecretCreated"));
            status.insert("infrastructureReady".to_owned(), flag("infrastructureProvisioned"));
        }
        "clusters" => {
            status.insert("controlPlaneReady".to_owned(), flag("controlPlaneInitialized"));
            status.insert("infrastructureReady".to_owned(), flag("infrastructureProvisioned"));
        }
        _ => {}
    }
    if let Some(node) = status.get_mut("nodeRef") {
        *node = json!({ "apiVersion": "v1", "kind": "Node", "name": node["name"] });
    }
}

// === Fields ===

/// Puts a value at a path, making the objects on the way.
fn put(object: &mut Map<String, Value>, path: &[&str], value: Value) {
    let [field, rest @ ..] = path else { return };
    if rest.is_empty() {
        object.insert((*field).to_owned(), value);
        return;
    }
    let inner = object.entry(*field).or_insert_with(|| json!({}));
    if let Some(inner) = inner.as_object_mut() {
        put(inner, rest, value);
    }
}

fn rename(object: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = object.remove(from) {
        object.insert(to.to_owned(), value);
    }
}

fn taken(object: &mut Value, field: &str) -> Option<Value> {
    object.as_object_mut()?.remove(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(plural: &str, object: &Value) -> Value {
        let mut object = object.clone();
        upgrade(plural, &mut object);
        object
    }

    fn back(plural: &str, object: &Value) -> Value {
        let mut object = object.clone();
        downgrade(plural, &mut object);
        object
    }

    #[test]
    fn machine_refers_by_group_and_counts_deadlines_in_seconds() {
        let old = json!({
            "metadata": { "name": "m", "namespace": "ns" },
            "spec": {
                "clusterName": "c",
                "bootstrap": { "dataSecretName": "user-data" },
                "infrastructureRef": {
                    "apiVersion": "infrastructure.cluster.x-k8s.io/v1alpha1",
                    "kind": "KubevirtMachine",
                    "name": "m",
                    "namespace": "ns",
                },
                "nodeDrainTimeout": "1m30s",
            },
            "status": {
                "phase": "Running",
                "bootstrapReady": true,
                "infrastructureReady": true,
                "nodeRef": { "apiVersion": "v1", "kind": "Node", "name": "m" },
                "conditions": [{ "type": "Ready", "status": "True" }],
                "v1beta2": { "conditions": [{ "type": "Available", "status": "True" }] },
            },
        });
        let new = there("machines", &old);
        assert_eq!(
            new["spec"],
            json!({
                "clusterName": "c",
                "bootstrap": { "dataSecretName": "user-data" },
                "infrastructureRef": {
                    "apiGroup": "infrastructure.cluster.x-k8s.io",
                    "kind": "KubevirtMachine",
                    "name": "m",
                },
                "deletion": { "nodeDrainTimeoutSeconds": 90 },
            })
        );
        assert_eq!(
            new["status"],
            json!({
                "phase": "Running",
                "initialization": { "bootstrapDataSecretCreated": true, "infrastructureProvisioned": true },
                "nodeRef": { "name": "m" },
                "conditions": [{ "type": "Available", "status": "True" }],
                "deprecated": { "v1beta1": { "conditions": [{ "type": "Ready", "status": "True" }] } },
            })
        );
        assert_eq!(back("machines", &new), old);
    }

    #[test]
    fn deployment_rolls_out_under_another_name_and_comes_back_the_same() {
        let old = json!({
            "metadata": { "name": "workers", "namespace": "ns" },
            "spec": {
                "clusterName": "c",
                "replicas": 3,
                "minReadySeconds": 5,
                "strategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0, "deletePolicy": "Oldest" },
                },
                "template": { "spec": { "clusterName": "c", "bootstrap": {} } },
            },
            "status": {
                "replicas": 3,
                "readyReplicas": 2,
                "updatedReplicas": 3,
                "unavailableReplicas": 1,
                "v1beta2": { "readyReplicas": 2, "upToDateReplicas": 3 },
            },
        });
        let new = there("machinedeployments", &old);
        assert_eq!(
            new["spec"]["rollout"]["strategy"]["rollingUpdate"],
            json!({ "maxSurge": 1, "maxUnavailable": 0 })
        );
        assert_eq!(new["spec"]["deletion"], json!({ "order": "Oldest" }));
        assert_eq!(new["spec"]["template"]["spec"]["minReadySeconds"], 5);
        assert!(new["spec"].get("strategy").is_none());
        assert_eq!(new["status"]["upToDateReplicas"], 3);
        assert_eq!(new["status"]["deprecated"]["v1beta1"]["updatedReplicas"], 3);
        assert_eq!(back("machinedeployments", &new), old);
    }

    #[test]
    fn strategy_without_numbers_gets_none() {
        let old = json!({ "spec": { "strategy": { "type": "OnDelete" } } });
        let new = there("machinedeployments", &old);
        assert_eq!(
            new["spec"],
            json!({ "rollout": { "strategy": { "type": "OnDelete" } } })
        );
    }

    #[test]
    fn what_is_no_object_stays_as_it_is() {
        for plural in KINDS {
            let odd = json!({ "spec": "text", "status": null });
            assert_eq!(there(plural, &odd), odd);
            assert_eq!(back(plural, &odd), odd);
        }
    }
}
