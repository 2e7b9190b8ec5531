//! Rules about the management cluster as a whole: which one it is, its nodes, its operators, its virtualization.

use berth_api::{AvailabilityPolicy, Documents, Quantity, resources, views};
use serde_json::Value;

use crate::capacity::Amount;
use crate::checks::{CheckResult, Rule, unreadable};
use crate::facts::{Facts, Seen, Selector};
use crate::read::{failed, holds, name, objects, some_of, text};
use crate::steps::hub::openshift_version;
use crate::versions::Minor;

/// Workers that HyperShift needs for spreading a control plane.
const WORKERS: usize = 3;
/// Cluster operators that hosting stands on.
const OPERATORS: [&str; 6] = ["dns", "ingress", "kube-apiserver", "marketplace", "network", "storage"];

pub(super) fn run(documents: &Documents, facts: &Facts) -> Vec<CheckResult> {
    vec![
        openshift(facts),
        topology(facts),
        workers(documents, facts),
        cluster_operators(facts),
        virtualization(facts),
    ]
}

fn cluster_version() -> Selector {
    Selector::cluster(resources::CLUSTER_VERSION, "version")
}

/// A document may say which cluster it is for.
pub(super) fn pinned(documents: &Documents, facts: &Facts) -> Option<CheckResult> {
    let management = &documents.management;
    let wanted = management.spec.cluster_id.as_ref()?;
    let rule = Rule::new(
        "cluster-id",
        "the cluster is the one that the document names",
        "ClusterVersion version",
    )
    .at(management.positions.at("spec.clusterID"));
    if let Some(why) = unreadable(facts, &cluster_version()) {
        return Some(rule.refused(
            why,
            "a pinned document is only acted on where the cluster's ID can be read",
        ));
    }
    let actual = facts
        .object(&cluster_version())
        .and_then(|version| text(version, &["spec", "clusterID"]));
    Some(match actual {
        Some(actual) if actual == wanted => rule.pass(actual),
        actual => rule.refused(
            format!(
                "the document is for {wanted}, this cluster is {}",
                actual.unwrap_or("without an ID")
            ),
            "choose the right kubeconfig or context, or correct `spec.clusterID`",
        ),
    })
}

fn openshift(facts: &Facts) -> CheckResult {
    let rule = Rule::new(
        "P08",
        "OpenShift is 4.14 or newer and settled",
        "ClusterVersion version",
    );
    if let Some(why) = unreadable(facts, &cluster_version()) {
        return rule.unknown(why);
    }
    let Some(object) = facts.object(&cluster_version()) else {
        return rule.refused("there is no ClusterVersion", "the management cluster must be OpenShift");
    };
    let Some(version) = openshift_version(facts) else {
        return rule.warn("no update was completed yet", "wait for the installation to finish");
    };
    if version
        .parse::<Minor>()
        .is_ok_and(|version| version < Minor::new(4, 14))
    {
        return rule.refused(version, "upgrade OpenShift to 4.14 or newer");
    }
    let unsettled = holds(object, "Failing").or_else(|| holds(object, "Progressing"));
    match unsettled {
        Some(condition) => rule.warn(
            format!("{version}, {}: {}", condition.kind, condition.message),
            "let the update finish before hosting clusters",
        ),
        None => rule.pass(version),
    }
}

fn topology(facts: &Facts) -> CheckResult {
    let selector = Selector::cluster(resources::INFRASTRUCTURE, "cluster");
    let rule = Rule::new(
        "P11",
        "the management cluster is highly available",
        "Infrastructure cluster",
    );
    if let Some(why) = unreadable(facts, &selector) {
        return rule.unknown(why);
    }
    match facts
        .object(&selector)
        .and_then(|object| text(object, &["status", "controlPlaneTopology"]))
    {
        Some("SingleReplica") => rule.refused(
            "controlPlaneTopology SingleReplica",
            "a single-node cluster cannot host others: use one with three nodes",
        ),
        Some(topology) => rule.pass(format!("controlPlaneTopology {topology}")),
        None => rule.unknown("the topology is not reported"),
    }
}

/// Whether pods can be scheduled to a node.
pub(crate) fn is_schedulable(node: &Value) -> bool {
    let cordoned = views::flag(node, &["spec", "unschedulable"]).unwrap_or(false);
    let tainted = views::list(node, &["spec", "taints"])
        .iter()
        .any(|taint| matches!(text(taint, &["effect"]), Some("NoSchedule" | "NoExecute")));
    views::is_true(node, "Ready") && !cordoned && !tainted
}

fn workers(documents: &Documents, facts: &Facts) -> CheckResult {
    let selector = Selector::all(resources::NODE);
    let rule = Rule::new("P11", "three nodes take control planes and workers", "Nodes");
    if let Some(why) = unreadable(facts, &selector) {
        return rule.unknown(why);
    }
    let schedulable: Vec<_> = objects(facts, &selector).filter(|node| is_schedulable(node)).collect();
    let counted = format!("{} schedulable nodes", schedulable.len());
    if schedulable.len() < WORKERS {
        let needed = "three are needed: etcd and the API servers are spread over them";
        let is_needed = documents.guests.is_empty()
            || documents
                .guests
                .iter()
                .any(|guest| guest.spec.control_plane.availability == AvailabilityPolicy::HighlyAvailable);
        return if is_needed {
            rule.refused(
                counted,
                format!("add workers, or uncordon those that are cordoned; {needed}"),
            )
        } else {
            rule.warn(counted, format!("enough for single control planes only; {needed}"))
        };
    }
    // KubeVirt labels nodes once it runs on them; before, there is nothing to judge by.
    let labelled: Vec<_> = schedulable
        .iter()
        .filter_map(|node| crate::read::label(node, "kubevirt.io/schedulable"))
        .collect();
    let machines = labelled.iter().filter(|label| **label == "true").count();
    if labelled.is_empty() || machines > 0 {
        rule.pass(counted)
    } else {
        rule.refused(
            "no node has kubevirt.io/schedulable=true",
            "virtual machines need nodes with hardware virtualization",
        )
    }
}

fn cluster_operators(facts: &Facts) -> CheckResult {
    let selector = Selector::all(resources::CLUSTER_OPERATOR);
    let rule = Rule::new(
        "cluster-operators",
        "the cluster's own operators are healthy",
        "ClusterOperators",
    );
    if let Some(why) = unreadable(facts, &selector) {
        return rule.unknown(why);
    }
    let ill: Vec<_> = objects(facts, &selector)
        .filter(|operator| OPERATORS.contains(&name(operator)))
        .filter(|operator| failed(operator, "Available").is_some() || holds(operator, "Degraded").is_some())
        .map(name)
        .collect();
    if ill.is_empty() {
        rule.pass("none that hosting stands on is degraded")
    } else {
        rule.warn(
            format!("not healthy: {}", some_of(&ill)),
            "oc describe clusteroperator NAME says why",
        )
    }
}

fn virtualization(facts: &Facts) -> CheckResult {
    let selector = Selector::all(resources::HYPER_CONVERGED);
    let rule = Rule::new(
        "P08",
        "OpenShift Virtualization is installed and healthy",
        "HyperConverged",
    );
    if let Some(why) = unreadable(facts, &selector) {
        return rule.unknown(why);
    }
    let missing = "install the OpenShift Virtualization operator (package kubevirt-hyperconverged, namespace openshift-cnv) \
                   and create its HyperConverged";
    let Some(hyper_converged) = facts.object(&selector) else {
        return rule.refused("there is no HyperConverged", missing);
    };
    if let Some(condition) = failed(hyper_converged, "Available") {
        return rule.refused(
            format!("not available: {}", condition.message),
            "oc describe hyperconverged -n openshift-cnv",
        );
    }
    if let Some(condition) = holds(hyper_converged, "Degraded") {
        return rule.warn(
            format!("degraded: {}", condition.message),
            "oc describe hyperconverged -n openshift-cnv",
        );
    }
    let Some(kubevirt) = facts.object(&Selector::all(resources::KUBE_VIRT)) else {
        return rule.refused("there is no KubeVirt", missing);
    };
    let phase = text(kubevirt, &["status", "phase"]).unwrap_or("unknown");
    let version = text(kubevirt, &["status", "observedKubeVirtVersion"]).unwrap_or("unknown");
    if version.parse::<Minor>().is_ok_and(|version| version < Minor::new(1, 0)) {
        return rule.refused(
            format!("KubeVirt {version}"),
            "upgrade OpenShift Virtualization to 4.14 or newer",
        );
    }
    if phase != "Deployed" {
        return rule.warn(format!("KubeVirt is {phase}"), "wait until it is Deployed");
    }
    rule.pass(format!("KubeVirt {version} is Deployed"))
}

/// What the nodes that take pods may allocate, all together.
pub(super) fn allocatable(facts: &Facts) -> Amount {
    let mut sum = Amount::default();
    for node in objects(facts, &Selector::all(resources::NODE)).filter(|node| is_schedulable(node)) {
        let amount = |resource| {
            let text = text(node, &["status", "allocatable", resource])?;
            text.parse::<Quantity>().ok()
        };
        let number = |value: Option<i128>| value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0);
        sum.millicores += number(amount("cpu").map(|quantity| quantity.thousandths()));
        sum.bytes += number(amount("memory").map(|quantity| quantity.whole()));
        sum.pods += number(amount("pods").map(|quantity| quantity.whole()));
    }
    sum
}

/// Whether nodes could be read at all.
pub(super) fn sees_nodes(facts: &Facts) -> bool {
    matches!(facts.seen(&Selector::all(resources::NODE)), Seen::Objects(nodes) if !nodes.is_empty())
}
