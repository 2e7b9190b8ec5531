//! Pods that cannot start: images that are refused, no room on the nodes, crashes.

use berth_api::views;
use serde_json::Value;

use crate::facts::{Facts, Selector};
use crate::read::{count, failed, name, objects, text};
use crate::walk::{Finding, diagnosis};

/// Words by which registries and servers refuse credentials.
const REFUSALS: [&str; 3] = ["unauthorized", "authentication required", "pull secret"];
/// The same as codes, which count only as words of their own: an image's digest may hold any digits.
const REFUSAL_CODES: [&str; 2] = ["401", "403"];

/// Whether a message speaks of credentials that a registry refused.
pub(crate) fn is_refusal(message: &str) -> bool {
    let message = message.to_lowercase();
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric());
    REFUSALS.iter().any(|word| message.contains(word)) || words.any(|word| REFUSAL_CODES.contains(&word))
}

/// Why the first pod that does not start does not.
pub(crate) fn failing_pod(facts: &Facts, pods: &Selector, wanted: impl Fn(&str) -> bool) -> Option<Finding> {
    let candidates = || objects(facts, pods).filter(|pod| wanted(name(pod)));
    // Images before room before crashes: what can't be pulled explains what crashes for lack of it.
    candidates()
        .find_map(unpullable)
        .or_else(|| candidates().find_map(unschedulable))
        .or_else(|| candidates().find_map(crashing))
}

fn object(pod: &Value) -> String {
    format!(
        "Pod {}/{}",
        text(pod, &["metadata", "namespace"]).unwrap_or_default(),
        name(pod)
    )
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    let of = |field| views::list(pod, &["status", field]).iter();
    of("initContainerStatuses").chain(of("containerStatuses"))
}

fn unpullable(pod: &Value) -> Option<Finding> {
    let (reason, message) = containers(pod).find_map(|container| {
        let reason = text(container, &["state", "waiting", "reason"])?;
        let message = text(container, &["state", "waiting", "message"]).unwrap_or_default();
        matches!(reason, "ImagePullBackOff" | "ErrImagePull").then_some((reason, message))
    })?;
    let evidence = [format!("{reason}: {message}")];
    Some(Finding::likely(if is_refusal(message) {
        diagnosis(
            "C06",
            "a registry refuses the pull secret",
            object(pod),
            evidence,
            "renew the pull secret (console.redhat.com/openshift/install/pull-secret), put it into the document's file and \
             run up again",
        )
    } else {
        diagnosis(
            "",
            "an image cannot be pulled",
            object(pod),
            evidence,
            "make the image reachable from the nodes: registry, proxy, mirror; the kubelet tries again by itself",
        )
    }))
}

fn unschedulable(pod: &Value) -> Option<Finding> {
    let condition = failed(pod, "PodScheduled").filter(|condition| condition.reason == "Unschedulable")?;
    let message = condition.message;
    let (id, title, fix) = if message.contains("Too many pods") {
        (
            "P16",
            "the nodes have no room for more pods",
            "raise maxPods with a KubeletConfig (250 a node carry about three control planes), or add nodes",
        )
    } else if message.contains("Insufficient") {
        (
            "P17",
            "the nodes lack CPU or memory for a pod",
            "add nodes, or free what other pods request",
        )
    } else {
        (
            "",
            "no node takes a pod",
            "see the message: taints, selectors and volumes decide; oc describe pod says more",
        )
    };
    let found = diagnosis(id, title, object(pod), [message.to_owned()], fix);
    Some(Finding::likely(found).since(&condition))
}

fn crashing(pod: &Value) -> Option<Finding> {
    let container = containers(pod)
        .find(|container| text(container, &["state", "waiting", "reason"]) == Some("CrashLoopBackOff"))?;
    let container_name = text(container, &["name"]).unwrap_or_default();
    let is_etcd = name(pod).starts_with("etcd-");
    let found = diagnosis(
        if is_etcd { "C18" } else { "" },
        format!("container {container_name} crashes again and again"),
        object(pod),
        [
            format!("{} restarts", count(container, &["restartCount"])),
            text(container, &["lastState", "terminated", "message"])
                .unwrap_or_default()
                .to_owned(),
        ],
        format!(
            "read why: oc logs {} -c {container_name} -n {} --previous",
            name(pod),
            text(pod, &["metadata", "namespace"]).unwrap_or_default()
        ),
    );
    Some(Finding::after(3, found).with(pod))
}

#[cfg(test)]
mod tests {
    use super::is_refusal;

    #[test]
    fn digits_of_a_digest_are_no_refusal() {
        assert!(is_refusal("unexpected status code 401 Unauthorized"));
        assert!(is_refusal("received unexpected HTTP status: 403 Forbidden"));
        assert!(!is_refusal(
            "reading manifest sha256:aa403bb401cc in quay.io/x: i/o timeout"
        ));
    }
}
