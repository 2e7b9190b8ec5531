//! The row of a pod: what its containers' states amount to.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    age,
    value::{self, NONE, condition, list, number, text, text_or},
};

/// What the containers add up to.
#[derive(Debug, Default)]
struct Summary {
    ready: usize,
    total: usize,
    restarts: i64,
    last_restart: String,
    status: String,
}

pub(super) fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let summary = Summary::of(pod);
    let restarts = match age::since(&summary.last_restart, now) {
        Some(age) if summary.restarts > 0 => format!("{} ({age} ago)", summary.restarts),
        _ => summary.restarts.to_string(),
    };
    vec![
        value::name(pod),
        format!("{}/{}", summary.ready, summary.total).into(),
        summary.status.into(),
        restarts.into(),
        age::of_object(pod, now),
        text_or(pod, "/status/podIP", NONE).into(),
        text_or(pod, "/spec/nodeName", NONE).into(),
        text_or(pod, "/status/nominatedNodeName", NONE).into(),
        readiness_gates(pod).into(),
    ]
}

// === impl Summary ===

impl Summary {
    fn of(pod: &Value) -> Self {
        let mut summary = Self {
            total: list(pod, "/spec/containers").len() + sidecars(pod).count(),
            status: text_or(pod, "/status/reason", text_or(pod, "/status/phase", "Unknown")).to_owned(),
            ..Self::default()
        };
        if is_gated(pod) {
            "SchedulingGated".clone_into(&mut summary.status);
        }
        let initializing = summary.add_init_containers(pod);
        if !initializing || condition(pod, "Initialized") == "True" {
            summary.add_containers(pod);
        }
        if pod
            .pointer("/metadata/deletionTimestamp")
            .is_some_and(|time| !time.is_null())
        {
            let finished = ["Succeeded", "Failed"].contains(&text(pod, "/status/phase"));
            if text(pod, "/status/reason") == "NodeLost" {
                "Unknown".clone_into(&mut summary.status);
            } else if !finished {
                "Terminating".clone_into(&mut summary.status);
            }
        }
        summary
    }

    /// Whether an init container is still to finish; the status says how far they are.
    fn add_init_containers(&mut self, pod: &Value) -> bool {
        let statuses = list(pod, "/status/initContainerStatuses");
        for (index, status) in statuses.iter().enumerate() {
            self.add_restarts(status);
            let is_sidecar = sidecars(pod).any(|name| name == text(status, "/name"));
            let terminated = status.pointer("/state/terminated");
            if terminated.is_some_and(|terminated| number(terminated, "/exitCode") == 0) {
                continue;
            }
            if is_sidecar && is_true(status, "/started") {
                self.ready += usize::from(is_true(status, "/ready"));
                continue;
            }
            let waiting = text(status, "/state/waiting/reason");
            self.status = match terminated {
                Some(terminated) => format!("Init:{}", ending(terminated)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
                None => format!("Init:{index}/{}", list(pod, "/spec/initContainers").len()),
            };
            return true;
        }
        false
    }

    fn add_containers(&mut self, pod: &Value) {
        // Restarts of init containers that are done say nothing any more.
        (self.restarts, self.last_restart) = (0, String::new());
        let init_statuses = list(pod, "/status/initContainerStatuses").iter();
        for status in init_statuses.filter(|status| sidecars(pod).any(|name| name == text(status, "/name"))) {
            self.add_restarts(status);
        }
        let mut any_running = false;
        for status in list(pod, "/status/containerStatuses").iter().rev() {
            self.add_restarts(status);
            let waiting = text(status, "/state/waiting/reason");
            let terminated = status.pointer("/state/terminated");
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.status);
            } else if let Some(terminated) = terminated {
                self.status = ending(terminated);
            } else if is_true(status, "/ready") && status.pointer("/state/running").is_some() {
                any_running = true;
                self.ready += 1;
            }
        }
        if self.status == "Completed" && any_running {
            let ready = condition(pod, "Ready") == "True";
            (if ready { "Running" } else { "NotReady" }).clone_into(&mut self.status);
        }
    }

    fn add_restarts(&mut self, status: &Value) {
        self.restarts += number(status, "/restartCount");
        let finished = text(status, "/lastState/terminated/finishedAt");
        if finished > self.last_restart.as_str() {
            finished.clone_into(&mut self.last_restart);
        }
    }
}

/// The names of the init containers that run beside the others.
fn sidecars(pod: &Value) -> impl Iterator<Item = &str> {
    let containers = list(pod, "/spec/initContainers").iter();
    containers
        .filter(|container| text(container, "/restartPolicy") == "Always")
        .map(|container| text(container, "/name"))
}

fn is_true(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer) == Some(&json!(true))
}

fn is_gated(pod: &Value) -> bool {
    list(pod, "/status/conditions")
        .iter()
        .any(|condition| text(condition, "/type") == "PodScheduled" && text(condition, "/reason") == "SchedulingGated")
}

/// How a container ended: its reason, or the signal or exit code.
fn ending(terminated: &Value) -> String {
    match (text(terminated, "/reason"), number(terminated, "/signal")) {
        ("", 0) => format!("ExitCode:{}", number(terminated, "/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn readiness_gates(pod: &Value) -> String {
    let gates = list(pod, "/spec/readinessGates");
    if gates.is_empty() {
        return NONE.to_owned();
    }
    let met = gates
        .iter()
        .filter(|gate| condition(pod, text(gate, "/conditionType")) == "True")
        .count();
    format!("{met}/{}", gates.len())
}
