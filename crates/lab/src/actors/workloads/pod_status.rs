//! What a kubelet says about its pods.

use serde_json::{Value, json};

use crate::conditions;
use crate::hash::hex;

/// The conditions of a pod that runs, in the order in which a kubelet lists them.
const CONDITIONS: [&str; 5] = [
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
];

/// Where a pod runs.
pub(super) struct Place<'a> {
    pub(super) host_ip: &'a str,
    pub(super) pod_ip: &'a str,
}

/// Status of a pod that its node has accepted, with its containers being made.
pub(super) fn creating(pod: &Value, place: &Place<'_>, now: &str) -> Value {
    let mut list = Vec::new();
    for kind in CONDITIONS {
        let (status, reason, message) = match kind {
            "Ready" | "ContainersReady" => ("False", "ContainersNotReady", unready_message(pod)),
            "PodReadyToStartContainers" => ("False", "", String::new()),
            _ => ("True", "", String::new()),
        };
        set(&mut list, now, kind, status, reason, &message);
    }
    json!({
        "phase": "Pending",
        "conditions": list,
        "hostIP": place.host_ip,
        "hostIPs": [{ "ip": place.host_ip }],
        "startTime": now,
        "qosClass": qos_class(pod),
        "containerStatuses": containers(pod, |_| json!({ "waiting": { "reason": "ContainerCreating" } }), false),
    })
}

/// Status of a pod whose containers all run.
pub(super) fn running(pod: &Value, place: &Place<'_>, now: &str) -> Value {
    let mut list = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
    for kind in CONDITIONS {
        set(&mut list, now, kind, "True", "", "");
    }
    let mut status = json!({
        "phase": "Running",
        "conditions": list,
        "hostIP": place.host_ip,
        "hostIPs": [{ "ip": place.host_ip }],
        "podIP": place.pod_ip,
        "podIPs": [{ "ip": place.pod_ip }],
        "qosClass": qos_class(pod),
        "containerStatuses": containers(pod, |_| json!({ "running": { "startedAt": now } }), true),
    });
    if pod["status"]["startTime"].is_null() {
        status["startTime"] = now.into();
    }
    let init = array(&pod["spec"]["initContainers"]);
    if !init.is_empty() {
        let done =
            json!({ "terminated": { "exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now } });
        status["initContainerStatuses"] = init
            .iter()
            .map(|container| container_status(pod, container, &done, true, 0))
            .collect();
    }
    status
}

/// Status of a pod whose containers have ended well.
pub(super) fn succeeded(pod: &Value, now: &str) -> Value {
    let mut list = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
    for kind in CONDITIONS {
        match kind {
            "Ready" | "ContainersReady" => set(&mut list, now, kind, "False", "PodCompleted", ""),
            "PodReadyToStartContainers" => set(&mut list, now, kind, "False", "", ""),
            _ => set(&mut list, now, kind, "True", "PodCompleted", ""),
        }
    }
    let started = pod["status"]["startTime"].clone();
    let state = |_: &Value| json!({ "terminated": { "exitCode": 0, "reason": "Completed", "startedAt": started, "finishedAt": now } });
    json!({ "phase": "Succeeded", "conditions": list, "containerStatuses": containers(pod, state, false) })
}

/// Status of a pod whose first container cannot run: it waits for a reason, after so many restarts.
pub(super) fn failing(pod: &Value, place: &Place<'_>, now: &str, reason: &str, message: &str, restarts: u64) -> Value {
    let mut status = creating(pod, place, now);
    status["startTime"] = if pod["status"]["startTime"].is_null() {
        now.into()
    } else {
        pod["status"]["startTime"].clone()
    };
    status["conditions"] = pod["status"]["conditions"].clone();
    if status["conditions"].is_null() {
        status["conditions"] = creating(pod, place, now)["conditions"].take();
    }
    if restarts > 0 {
        status["phase"] = "Running".into();
    }
    let waiting = json!({ "waiting": { "reason": reason, "message": message } });
    let all = array(&pod["spec"]["containers"]);
    let statuses = all
        .iter()
        .map(|container| container_status(pod, container, &waiting, false, restarts));
    status["containerStatuses"] = statuses.collect();
    status
}

/// The condition of a pod that no node takes.
pub(super) fn unschedulable(pod: &Value, now: &str, message: &str) -> Value {
    let mut list = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions::set(&mut list, now, "PodScheduled", "False", "Unschedulable", message);
    json!({ "phase": "Pending", "conditions": list, "qosClass": qos_class(pod) })
}

/// Guaranteed, Burstable or BestEffort, from what the containers ask for and are limited to.
fn qos_class(pod: &Value) -> &'static str {
    let containers = array(&pod["spec"]["containers"]);
    let resources =
        |container: &Value, which: &str| ["cpu", "memory"].map(|name| container["resources"][which][name].clone());
    let nothing = |container: &&Value| {
        resources(container, "requests")
            .iter()
            .chain(&resources(container, "limits"))
            .all(Value::is_null)
    };
    let guaranteed = |container: &Value| {
        let limits = resources(container, "limits");
        let requests = resources(container, "requests");
        limits
            .iter()
            .zip(&requests)
            .all(|(limit, request)| !limit.is_null() && (request.is_null() || request == limit))
    };
    if containers.iter().all(|container| nothing(&container)) {
        "BestEffort"
    } else if containers.iter().all(guaranteed) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

fn containers(pod: &Value, state: impl Fn(&Value) -> Value, ready: bool) -> Vec<Value> {
    let all = array(&pod["spec"]["containers"]);
    all.iter()
        .map(|container| container_status(pod, container, &state(container), ready, 0))
        .collect()
}

fn container_status(pod: &Value, container: &Value, state: &Value, ready: bool, restarts: u64) -> Value {
    let image = container["image"].as_str().unwrap_or_default();
    let mut status = json!({
        "name": container["name"],
        "image": image,
        "imageID": "",
        "ready": ready,
        "started": ready,
        "restartCount": restarts,
        "state": state,
    });
    if state["waiting"].is_null() {
        let digest = if image.contains("@sha256:") {
            image.to_owned()
        } else {
            format!("{image}@sha256:{}", hex(&[image], 64))
        };
        let uid = pod["metadata"]["uid"].as_str().unwrap_or_default();
        let name = container["name"].as_str().unwrap_or_default();
        status["imageID"] = digest.into();
        status["containerID"] = format!("cri-o://{}", hex(&[uid, name], 64)).into();
    }
    status
}

fn unready_message(pod: &Value) -> String {
    let names: Vec<&str> = array(&pod["spec"]["containers"])
        .iter()
        .filter_map(|c| c["name"].as_str())
        .collect();
    format!("containers with unready status: [{}]", names.join(" "))
}

fn set(list: &mut Vec<Value>, now: &str, kind: &str, status: &str, reason: &str, message: &str) {
    conditions::set(list, now, kind, status, reason, message);
    // Kubelets leave out what is empty.
    if let Some(Value::Object(condition)) = list.iter_mut().find(|condition| condition["type"] == kind) {
        condition.retain(|_, value| value != "");
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
