//! Whose finalizers are whose, and those that are nobody's here.

use berth_api::{Resource, resources, views};
use serde_json::Value;

use super::{Hold, MOMENT, Tree, after, label, no, without_finalizer};
use crate::blocker::Release;
use crate::read::{is_deleting, name, objects, text};
use crate::walk::diagnosis;

/// Left by an `hcp destroy` that was interrupted, for itself.
pub(super) const DESTROY: &str = "openshift.io/destroy-cluster";

/// The kinds inside the control-plane namespace that a deletion waits for, innermost first.
pub(super) const INSIDE: [&Resource; 8] = [
    resources::SERVICE,
    resources::DATA_VOLUME,
    resources::VIRTUAL_MACHINE_INSTANCE,
    resources::VIRTUAL_MACHINE,
    resources::KUBEVIRT_MACHINE,
    resources::MACHINE,
    resources::CAPI_CLUSTER,
    resources::HOSTED_CONTROL_PLANE,
];

/// Finalizers of those who normally take them off again, by what they end or begin with.
const KNOWN: [(&str, &str); 16] = [
    ("machine.cluster.x-k8s.io", "Cluster API (cluster-api)"),
    ("cluster.cluster.x-k8s.io", "Cluster API (cluster-api)"),
    ("cluster.x-k8s.io/machinedeployment", "Cluster API (cluster-api)"),
    ("cluster.x-k8s.io/machineset", "Cluster API (cluster-api)"),
    (
        "kubevirtmachine.infrastructure.cluster.x-k8s.io",
        "Cluster API's KubeVirt provider (capi-provider)",
    ),
    (
        "kubevirtcluster.infrastructure.cluster.x-k8s.io",
        "Cluster API's KubeVirt provider (capi-provider)",
    ),
    ("kubevirt.io/", "KubeVirt"),
    ("foregroundDeleteVirtualMachine", "KubeVirt"),
    ("cdi.kubevirt.io/", "CDI"),
    ("hypershift.openshift.io/finalizer", "HyperShift"),
    ("hypershift.openshift.io/component-finalizer", "HyperShift"),
    ("hypershift.io/", "HyperShift"),
    ("kubernetes.io/pvc-protection", "Kubernetes, while a pod uses the claim"),
    ("service.kubernetes.io/load-balancer-cleanup", "the load balancer"),
    ("foregroundDeletion", "the garbage collector"),
    ("orphan", "the garbage collector"),
];

/// An object's finalizers.
pub(super) fn of(object: &Value) -> impl Iterator<Item = &str> {
    views::metadata(object).finalizers()
}

/// Who takes a finalizer off; `None` for one that nobody here knows.
pub(super) fn owner(finalizer: &str) -> Option<&'static str> {
    let known = KNOWN
        .iter()
        .find(|(key, _)| finalizer == *key || (key.ends_with('/') && finalizer.starts_with(key)));
    known.map(|(_, owner)| *owner)
}

/// `Machine` → `machine`: kinds in the names of blockers.
pub(super) fn word(resource: &Resource) -> String {
    resource.kind.to_lowercase()
}

/// Finalizers that nobody here knows, on anything of the tree that is going.
pub(super) fn holds(tree: Tree<'_>) -> Vec<Hold> {
    let inside = INSIDE
        .into_iter()
        .flat_map(|resource| tree.inside(resource).map(move |object| (resource, object)));
    let claims = tree.inside(resources::PERSISTENT_VOLUME_CLAIM);
    let pools = objects(tree.facts, &tree.guest.node_pools())
        .filter(|pool| text(pool, &["spec", "clusterName"]) == Some(&tree.guest.name));
    let cluster = tree.hosted_cluster();
    claims
        .map(|object| (resources::PERSISTENT_VOLUME_CLAIM, object))
        .chain(inside)
        .chain(pools.map(|object| (resources::NODE_POOL, object)))
        .chain(cluster.map(|object| (resources::HOSTED_CLUSTER, object)))
        .filter(|(_, object)| is_deleting(object))
        .flat_map(|(resource, object)| {
            let foreign = of(object).filter(|finalizer| owner(finalizer).is_none());
            foreign.map(move |finalizer| foreign_hold(tree, resource, object, finalizer))
        })
        .collect()
}

fn foreign_hold(tree: Tree<'_>, resource: &'static Resource, object: &Value, finalizer: &str) -> Hold {
    let object_label = label(resource, object);
    let orphans = below(tree, resource, object);
    let others: Vec<&str> = of(object).filter(|other| *other != finalizer).collect();
    let name = format!("{}/{}/finalizer:{finalizer}", word(resource), name(object));
    let release = if let Some(first) = orphans.first() {
        no(format!("{first} is still there, and goes first"))
    } else {
        Release::Yes(without_finalizer(resource, object, finalizer))
    };
    let waits = |other: &&str| format!("besides: {other} ({})", owner(other).unwrap_or("unknown"));
    let evidence = [
        format!("finalizer {finalizer}"),
        others.first().map(waits).unwrap_or_default(),
        text(object, &["metadata", "deletionTimestamp"])
            .map(|at| format!("being deleted since {at}"))
            .unwrap_or_default(),
    ];
    let found = if finalizer == DESTROY {
        diagnosis(
            "D01",
            "an interrupted `hcp destroy` has left its finalizer",
            &object_label,
            evidence,
            "on KubeVirt it stands for nothing that would still have to be cleaned up: let it go",
        )
    } else {
        let title = format!(
            "a finalizer that none of the guest's operators takes off holds the {}",
            resource.kind
        );
        let fix =
            "find out who put it there (oc get … -o yaml --show-managed-fields) and let that finish, or let it go";
        diagnosis(id_of(resource), title, &object_label, evidence, fix)
    };
    // Where HyperShift still has something to do, this one is not what is waited for.
    let due = if others.iter().any(|other| owner(other).is_some()) && resource.kind == "HostedCluster" {
        jiff::Timestamp::MAX
    } else {
        after(
            object,
            if finalizer == DESTROY {
                jiff::SignedDuration::ZERO
            } else {
                MOMENT
            },
        )
    };
    Hold::new(name, due, found, release).orphaning(orphans)
}

fn id_of(resource: &Resource) -> &'static str {
    match resource.kind {
        "Machine"
        | "KubevirtMachine"
        | "VirtualMachine"
        | "VirtualMachineInstance"
        | "DataVolume"
        | "NodePool"
        | "Cluster" => "D02",
        _ => "",
    }
}

/// What stands on an object and would be left behind without it, as people name it.
pub(super) fn below(tree: Tree<'_>, resource: &Resource, object: &Value) -> Vec<String> {
    let all = |resource: &'static Resource| tree.inside(resource).map(move |object| label(resource, object));
    match resource.kind {
        "Machine" | "KubevirtMachine" | "VirtualMachine" => {
            let machine = super::machines::of_object(tree, resource, object);
            let levels = super::machines::levels(tree, &machine);
            let upto = levels
                .iter()
                .position(|(level, _)| level.kind == resource.kind)
                .unwrap_or(levels.len());
            levels[..upto]
                .iter()
                .rev()
                .map(|(level, object)| label(level, object))
                .collect()
        }
        "NodePool" => {
            let workers = crate::walk::guest::workers_of(tree.facts, tree.guest, name(object));
            let inside = tree.guest.control_plane_namespace();
            workers
                .iter()
                .map(|worker| format!("Machine {inside}/{}", worker.machine))
                .collect()
        }
        "Cluster" => all(resources::MACHINE).collect(),
        "HostedControlPlane" => all(resources::CAPI_CLUSTER).collect(),
        "HostedCluster" => all(resources::HOSTED_CONTROL_PLANE)
            .chain(all(resources::VIRTUAL_MACHINE))
            .collect(),
        _ => Vec::new(),
    }
}
