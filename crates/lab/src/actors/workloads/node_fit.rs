//! Which nodes a pod may run on. Pure: nodes and pods in, answers out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::quantity::{Resources, requested};

/// What is placed on a node already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Load {
    pub(super) pods: i64,
    pub(super) requested: Resources,
}

/// Why a node is not for a pod, in the scheduler's words. The order is that of a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unfit {
    InsufficientCpu,
    InsufficientMemory,
    TooManyPods,
    Unschedulable,
    Selector,
    Taint(String),
}

/// Whether a node's labels and taints let a pod (or its template) on it.
pub(super) fn admits(node: &Value, pod: &Value) -> bool {
    refusal(node, pod).is_none()
}

/// The first reason against a node, load included.
pub(super) fn unfit(node: &Value, pod: &Value, load: Load) -> Option<Unfit> {
    if let Some(refusal) = refusal(node, pod) {
        return Some(refusal);
    }
    let allocatable = Resources::of(&node["status"]["allocatable"]);
    let pods = node["status"]["allocatable"]["pods"]
        .as_str()
        .and_then(|pods| pods.parse().ok())
        .unwrap_or(i64::MAX);
    let total = load.requested.add(requested(pod));
    if load.pods + 1 > pods {
        Some(Unfit::TooManyPods)
    } else if total.milli_cpu > allocatable.milli_cpu {
        Some(Unfit::InsufficientCpu)
    } else if total.memory > allocatable.memory {
        Some(Unfit::InsufficientMemory)
    } else {
        None
    }
}

fn refusal(node: &Value, pod: &Value) -> Option<Unfit> {
    let tolerations = list(&pod["spec"]["tolerations"]);
    let mut selector = pod["spec"]["nodeSelector"].as_object().into_iter().flatten();
    if selector.any(|(key, value)| node["metadata"]["labels"][key] != *value) {
        return Some(Unfit::Selector);
    }
    let hard = list(&node["spec"]["taints"])
        .iter()
        .filter(|taint| taint["effect"] != "PreferNoSchedule");
    for taint in hard {
        if !tolerations.iter().any(|toleration| tolerates(toleration, taint)) {
            if taint["key"] == "node.kubernetes.io/unschedulable" {
                return Some(Unfit::Unschedulable);
            }
            let (key, value) = (
                taint["key"].as_str().unwrap_or_default(),
                taint["value"].as_str().unwrap_or_default(),
            );
            return Some(Unfit::Taint(format!("{key}: {value}")));
        }
    }
    if node["spec"]["unschedulable"] == true {
        return Some(Unfit::Unschedulable);
    }
    None
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let effect =
        toleration["effect"].is_null() || toleration["effect"] == "" || toleration["effect"] == taint["effect"];
    let exists = toleration["operator"] == "Exists";
    let key = (exists && toleration["key"].is_null()) || toleration["key"] == taint["key"];
    let same = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    effect && key && (exists || same(&toleration["value"]) == same(&taint["value"]))
}

/// The scheduler's message for a pod that no node takes.
pub(super) fn message(nodes: usize, reasons: impl IntoIterator<Item = Unfit>) -> String {
    let mut counts: BTreeMap<Unfit, usize> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(reason, count)| format!("{count} {}", reason.text()))
        .collect();
    let parts = parts.join(", ");
    format!(
        "0/{nodes} nodes are available: {parts}. preemption: 0/{nodes} nodes are available: No preemption victims found \
         for incoming pod."
    )
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

impl Unfit {
    fn text(&self) -> String {
        match self {
            Self::InsufficientCpu => "Insufficient cpu".to_owned(),
            Self::InsufficientMemory => "Insufficient memory".to_owned(),
            Self::TooManyPods => "Too many pods".to_owned(),
            Self::Unschedulable => "node(s) were unschedulable".to_owned(),
            Self::Selector => "node(s) didn't match Pod's node affinity/selector".to_owned(),
            Self::Taint(taint) => format!("node(s) had untolerated taint {{{taint}}}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(taints: &Value) -> Value {
        json!({
            "metadata": { "labels": { "node-role.kubernetes.io/worker": "" } },
            "spec": { "taints": taints },
            "status": { "allocatable": { "cpu": "2", "memory": "4Gi", "pods": "2" } },
        })
    }

    #[test]
    fn a_node_takes_what_it_tolerates_and_has_room_for() {
        let master = json!([{ "key": "node-role.kubernetes.io/master", "effect": "NoSchedule" }]);
        let check = |taints: &Value, pod: Value, load: Load, expected: Option<Unfit>| {
            assert_eq!(unfit(&node(taints), &json!({ "spec": pod }), load), expected);
        };
        let tainted = Unfit::Taint("node-role.kubernetes.io/master: ".to_owned());
        check(&json!([]), json!({}), Load::default(), None);
        check(&master, json!({}), Load::default(), Some(tainted));
        check(
            &master,
            json!({ "tolerations": [{ "operator": "Exists" }] }),
            Load::default(),
            None,
        );
        check(
            &json!([]),
            json!({ "nodeSelector": { "gpu": "" } }),
            Load::default(),
            Some(Unfit::Selector),
        );
        let full = Load {
            pods: 2,
            requested: Resources::default(),
        };
        check(&json!([]), json!({}), full, Some(Unfit::TooManyPods));
        let big = json!({ "containers": [{ "resources": { "requests": { "cpu": "3" } } }] });
        check(&json!([]), big, Load::default(), Some(Unfit::InsufficientCpu));
    }

    #[test]
    fn the_message_counts_nodes_by_reason() {
        let reasons = [
            Unfit::Taint("a: b".to_owned()),
            Unfit::InsufficientCpu,
            Unfit::InsufficientCpu,
        ];
        insta::assert_snapshot!(
            message(3, reasons),
            @"0/3 nodes are available: 2 Insufficient cpu, 1 node(s) had untolerated taint {a: b}. preemption: 0/3 nodes are available: No preemption victims found for incoming pod."
        );
    }
}
