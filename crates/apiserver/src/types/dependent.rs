//! Defaults of built-in kinds that depend on other fields. Fixed ones are in the table of [`super::types`].

use serde_json::{Map, Value, json};

/// Returns what fills in, after the fixed defaults, whatever follows from other fields of a kind.
pub(super) fn of(group: &str, kind: &str) -> Option<fn(&mut Value)> {
    Some(match (group, kind) {
        ("", "Pod") => |object| {
            with_spec(object, |spec| {
                fill(spec, "enableServiceLinks", &json!(true));
                requests(spec);
            });
            pull_policies(object, "/spec");
        },
        ("", "PodTemplate") => |object| pull_policies(object, "/template/spec"),
        ("", "ReplicationController") => |object| {
            replication_controller(object);
            pull_policies(object, "/spec/template/spec");
        },
        ("apps", "ReplicaSet") => |object| pull_policies(object, "/spec/template/spec"),
        ("apps", "Deployment") => |object| {
            let update = json!({"maxSurge": "25%", "maxUnavailable": "25%"});
            with_spec(object, |spec| rolling_update(spec, "strategy", &update));
            pull_policies(object, "/spec/template/spec");
        },
        ("apps", "DaemonSet") => |object| {
            let update = json!({"maxSurge": 0, "maxUnavailable": 1});
            with_spec(object, |spec| rolling_update(spec, "updateStrategy", &update));
            pull_policies(object, "/spec/template/spec");
        },
        ("apps", "StatefulSet") => |object| {
            with_spec(object, |spec| {
                rolling_update(spec, "updateStrategy", &json!({"partition": 0}));
            });
            pull_policies(object, "/spec/template/spec");
        },
        ("batch", "Job") => |object| {
            with_spec(object, job);
            pull_policies(object, "/spec/template/spec");
        },
        ("batch", "CronJob") => |object| pull_policies(object, "/spec/jobTemplate/spec/template/spec"),
        ("", "Service") => |object| with_spec(object, service),
        ("", "LimitRange") => |object| with_spec(object, limit_range),
        ("autoscaling", "HorizontalPodAutoscaler") => |object| with_spec(object, autoscaler),
        ("networking.k8s.io", "NetworkPolicy") => |object| with_spec(object, policy_types),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => role_binding,
        _ => return None,
    })
}

fn with_spec(object: &mut Value, change: impl FnOnce(&mut Map<String, Value>)) {
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        change(spec);
    }
}

fn fill(fields: &mut Map<String, Value>, name: &str, default: &Value) {
    fields.entry(name).or_insert_with(|| default.clone());
}

/// An image that a tag can move under is pulled each time.
fn pull_policies(object: &mut Value, pod_spec: &str) {
    let Some(spec) = object.pointer_mut(pod_spec) else {
        return;
    };
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
            let policy = if is_latest(image) { "Always" } else { "IfNotPresent" };
            fill(container, "imagePullPolicy", &json!(policy));
        }
    }
}

fn is_latest(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or_default();
    !image.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn service(spec: &mut Map<String, Value>) {
    let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some(number) = port.get("port").cloned() {
            fill(port, "targetPort", &number);
        }
    }
    let kind = spec.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind != "ExternalName" {
        fill(spec, "internalTrafficPolicy", &json!("Cluster"));
    }
    if kind == "NodePort" || kind == "LoadBalancer" {
        fill(spec, "externalTrafficPolicy", &json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        fill(spec, "allocateLoadBalancerNodePorts", &json!(true));
    }
    if spec.get("sessionAffinity") == Some(&json!("ClientIP")) {
        fill(
            spec,
            "sessionAffinityConfig",
            &json!({"clientIP": {"timeoutSeconds": 10800}}),
        );
    }
}

fn rolling_update(spec: &mut Map<String, Value>, name: &str, defaults: &Value) {
    fill(spec, name, &json!({}));
    let Some(strategy) = spec.get_mut(name).and_then(Value::as_object_mut) else {
        return;
    };
    fill(strategy, "type", &json!("RollingUpdate"));
    if strategy["type"] != "RollingUpdate" {
        return;
    }
    fill(strategy, "rollingUpdate", &json!({}));
    let Some(update) = strategy.get_mut("rollingUpdate").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, default) in defaults.as_object().into_iter().flatten() {
        fill(update, name, default);
    }
}

/// A job that names neither parallelism nor completions runs once; one that names a parallelism alone is a work queue.
fn job(spec: &mut Map<String, Value>) {
    if !spec.contains_key("parallelism") {
        fill(spec, "completions", &json!(1));
    }
    fill(spec, "parallelism", &json!(1));
    fill(spec, "backoffLimit", &json!(6));
    fill(spec, "completionMode", &json!("NonIndexed"));
    fill(spec, "suspend", &json!(false));
    let replacement = if spec.contains_key("podFailurePolicy") {
        "Failed"
    } else {
        "TerminatingOrFailed"
    };
    fill(spec, "podReplacementPolicy", &json!(replacement));
}

/// What a container may use at most it also asks for, unless it asks for something else.
fn requests(spec: &mut Map<String, Value>) {
    for list in ["initContainers", "containers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            if let Some(Value::Object(limits)) = container.pointer("/resources/limits").cloned() {
                fill_all(container.pointer_mut("/resources"), "requests", &limits);
            }
        }
    }
}

/// Fills the entries of a map in a field, which is made where there is something to fill in.
fn fill_all(object: Option<&mut Value>, field: &str, entries: &Map<String, Value>) {
    let Some(object) = object.and_then(Value::as_object_mut).filter(|_| !entries.is_empty()) else {
        return;
    };
    fill(object, field, &json!({}));
    if let Some(map) = object.get_mut(field).and_then(Value::as_object_mut) {
        for (name, value) in entries {
            fill(map, name, value);
        }
    }
}

/// Labels and selector of a controller that doesn't say them are its pods' labels.
fn replication_controller(object: &mut Value) {
    let Some(labels) = object.pointer("/spec/template/metadata/labels").cloned() else {
        return;
    };
    with_spec(object, |spec| fill(spec, "selector", &labels));
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        fill(metadata, "labels", &labels);
    }
}

/// For containers, what they get is at most what they may have, and what they ask for is at least what they must.
fn limit_range(spec: &mut Map<String, Value>) {
    let limits = spec.get_mut("limits").and_then(Value::as_array_mut);
    for limit in limits
        .into_iter()
        .flatten()
        .filter(|limit| limit["type"] == "Container")
    {
        for (from, to) in [
            ("max", "default"),
            ("default", "defaultRequest"),
            ("min", "defaultRequest"),
        ] {
            if let Some(Value::Object(entries)) = limit.get(from).cloned() {
                fill_all(Some(&mut *limit), to, &entries);
            }
        }
    }
}

/// One that measures nothing else measures the processors.
fn autoscaler(spec: &mut Map<String, Value>) {
    let target = json!({"type": "Utilization", "averageUtilization": 80});
    let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
    fill(spec, "metrics", &json!([metric]));
}

fn policy_types(spec: &mut Map<String, Value>) {
    let types = if spec.contains_key("egress") {
        json!(["Ingress", "Egress"])
    } else {
        json!(["Ingress"])
    };
    fill(spec, "policyTypes", &types);
}

fn role_binding(object: &mut Value) {
    let group = json!("rbac.authorization.k8s.io");
    if let Some(role) = object.get_mut("roleRef").and_then(Value::as_object_mut) {
        fill(role, "apiGroup", &group);
    }
    let subjects = object.get_mut("subjects").and_then(Value::as_array_mut);
    for subject in subjects.into_iter().flatten().filter_map(Value::as_object_mut) {
        if subject
            .get("kind")
            .is_some_and(|kind| kind == "User" || kind == "Group")
        {
            fill(subject, "apiGroup", &group);
        }
    }
}
