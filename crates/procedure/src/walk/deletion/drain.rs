//! A node that can't be drained: which pods of the guest stay on it, and which disruption budgets keep them there.

use berth_api::{resources, views};
use serde_json::{Value, json};

use super::machines::{LONG, has_timeout};
use super::{Hold, MOMENT, Tree, after, label, let_go};
use crate::blocker::Release;
use crate::facts::Selector;
use crate::read::{annotation, count, failed, is_deleting, name, objects, some_of, text};
use crate::walk::{GuestRef, diagnosis};

const EXCLUDE: &str = "machine.cluster.x-k8s.io/exclude-node-draining";

pub(super) fn watches(guest: &GuestRef) -> [Selector; 2] {
    [resources::POD_DISRUPTION_BUDGET, resources::POD].map(|resource| guest.on_guest(resource))
}

/// Pods of a machine's node that no budget lets go.
struct Kept<'a> {
    budget: &'a Value,
    pods: Vec<String>,
}

pub(super) fn hold(tree: Tree<'_>, machine: &Value) -> Option<Hold> {
    let condition = failed(machine, "DrainingSucceeded")?;
    // Cluster API drains nothing of a Cluster that is going itself.
    if tree.cluster().is_none_or(is_deleting) || annotation(machine, EXCLUDE).is_some() {
        return None;
    }
    let node = text(machine, &["status", "nodeRef", "name"]).unwrap_or(name(machine));
    let kept = kept(tree, node);
    let timeout = text(machine, &["spec", "nodeDrainTimeout"]).unwrap_or_default();
    let mut evidence: Vec<String> = kept.iter().map(Kept::line).collect();
    evidence.push(format!(
        "DrainingSucceeded=False, {}: {}",
        condition.reason, condition.message
    ));
    evidence.push(if has_timeout(machine, "nodeDrainTimeout") {
        format!("it gives up after nodeDrainTimeout {timeout}")
    } else {
        "no nodeDrainTimeout: it waits for ever".to_owned()
    });
    let fix = kept.first().map_or_else(
        || "see with the guest's kubeconfig what keeps the pods of the node, or let the drain go".to_owned(),
        |kept| {
            format!(
                "with the guest's kubeconfig: oc delete poddisruptionbudget {} -n {}; or set spec.nodeDrainTimeout of the \
                 NodePool; or let the drain go",
                name(kept.budget),
                namespace(kept.budget)
            )
        },
    );
    let title = if kept.is_empty() {
        format!("the node {node} is not drained")
    } else {
        format!("a disruption budget in the guest keeps the node {node} from being drained")
    };
    // A drain takes its time; a budget that lets nothing go does not get better by it.
    let grace = if kept.is_empty() { LONG } else { MOMENT };
    let object = label(resources::MACHINE, machine);
    let found = diagnosis("D04", title, &object, evidence, fix);
    let does = format!("annotates {object} with {EXCLUDE}: it goes without a drain");
    let patch = json!({ "metadata": { "annotations": { EXCLUDE: "true" } } });
    let release = Release::Yes(let_go(resources::MACHINE, machine, does, patch));
    let ended = kept
        .iter()
        .flat_map(|kept| &kept.pods)
        .map(|pod| format!("pod {pod} of the guest ends with its node, unasked"));
    let mut orphans: Vec<String> = ended.collect();
    orphans.dedup();
    Some(
        Hold::new(
            format!("machine/{}/drain", name(machine)),
            after(machine, grace),
            found,
            release,
        )
        .orphaning(orphans),
    )
}

fn kept<'a>(tree: Tree<'a>, node: &str) -> Vec<Kept<'a>> {
    let pods: Vec<&Value> = objects(tree.facts, &tree.guest.on_guest(resources::POD))
        .filter(|pod| text(pod, &["spec", "nodeName"]) == Some(node) && is_drained(pod))
        .collect();
    objects(tree.facts, &tree.guest.on_guest(resources::POD_DISRUPTION_BUDGET))
        .filter(|budget| count(budget, &["status", "disruptionsAllowed"]) == 0)
        .filter_map(|budget| {
            let selected = pods
                .iter()
                .filter(|pod| namespace(pod) == namespace(budget) && selects(budget, pod));
            let pods: Vec<String> = selected
                .map(|pod| format!("{}/{}", namespace(pod), name(pod)))
                .collect();
            (!pods.is_empty()).then_some(Kept { budget, pods })
        })
        .collect()
}

impl Kept<'_> {
    fn line(&self) -> String {
        let pods: Vec<&str> = self.pods.iter().map(String::as_str).collect();
        let healthy = |field: &str| count(self.budget, &["status", field]);
        format!(
            "PodDisruptionBudget {}/{} in the guest allows 0 disruptions ({} healthy, {} wanted): pods {}",
            namespace(self.budget),
            name(self.budget),
            healthy("currentHealthy"),
            healthy("desiredHealthy"),
            some_of(&pods)
        )
    }
}

/// Whether a drain would evict the pod: neither ended, nor a DaemonSet's, nor the node's own.
fn is_drained(pod: &Value) -> bool {
    !matches!(text(pod, &["status", "phase"]), Some("Succeeded" | "Failed"))
        && annotation(pod, "kubernetes.io/config.mirror").is_none()
        && views::metadata(pod).owners().all(|owner| owner.kind != "DaemonSet")
}

fn namespace(object: &Value) -> &str {
    views::metadata(object).namespace.unwrap_or_default()
}

/// Whether a budget's selector selects a pod; an empty one selects all of its namespace.
fn selects(budget: &Value, pod: &Value) -> bool {
    let Some(selector) = views::at(budget, &["spec", "selector"]) else {
        return false;
    };
    let label = |key: &str| views::metadata(pod).label(key);
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let mut expressions = views::list(selector, &["matchExpressions"]).iter();
    labels.into_iter().all(|(key, value)| label(key) == value.as_str())
        && expressions.all(|expression| {
            let value = label(text(expression, &["key"]).unwrap_or_default());
            let among = || {
                views::list(expression, &["values"])
                    .iter()
                    .any(|other| other.as_str() == value)
            };
            match text(expression, &["operator"]) {
                Some("In") => value.is_some() && among(),
                Some("NotIn") => value.is_none() || !among(),
                Some("Exists") => value.is_some(),
                Some("DoesNotExist") => value.is_none(),
                _ => false,
            }
        })
}
