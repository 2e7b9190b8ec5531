//! A guest's removal: the HostedCluster, what Berth made beside it, and the namespace if nothing else is in it.

use berth_api::{Resource, resources, views};
use serde_json::{Value, json};

use super::lock;
use crate::assess::{Assessment, Observed};
use crate::change::{Change, ObjectRef, Removal as Deletion};
use crate::facts::{Facts, Scope, Seen, Selector, Target};
use crate::owner::DOCUMENT_LABEL;
use crate::read::{MANAGED_BY, is_known_empty, is_ours, name, objects, text};
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{command, ids};
use crate::walk::GuestRef;

/// Asks HyperShift to clean up inside the guest (load balancers, volumes) before the control plane goes.
const CLEANUP: &str = "hypershift.openshift.io/cleanup-cloud-resources";
/// What OpenShift itself puts into every namespace.
const ORDINARY: [&str; 5] = [
    "kube-root-ca.crt",
    "openshift-service-ca.crt",
    "builder-",
    "default-",
    "deployer-",
];

/// A step that only knows how to remove a guest, for `down NAME` without a document.
#[derive(Debug)]
pub(crate) struct Removal {
    id: StepId,
    place: GuestRef,
}

impl Removal {
    pub(crate) fn new(place: GuestRef) -> Self {
        Self {
            id: ids::cluster(&place.name),
            place,
        }
    }
}

/// What [`removals`] reads.
pub(crate) fn watches(place: &GuestRef) -> Vec<Selector> {
    let inside = |resource| Selector::in_namespace(resource, &place.namespace);
    vec![
        place.hosted_cluster(),
        inside(resources::HOSTED_CLUSTER),
        place.node_pools(),
        inside(resources::POD),
        inside(resources::CONFIG_MAP),
        inside(resources::SECRET),
        made(resources::SECRET, place),
        made(resources::CONFIG_MAP, place),
        Selector::cluster(resources::NAMESPACE, &place.namespace),
        Selector::cluster(resources::NAMESPACE, place.control_plane_namespace()),
    ]
}

/// What Berth made of a kind for this guest.
pub(super) fn made(resource: &'static Resource, place: &GuestRef) -> Selector {
    let labels = format!("{}={},{DOCUMENT_LABEL}={}", MANAGED_BY.0, MANAGED_BY.1, place.name);
    let scope = Scope::Labelled {
        namespace: Some(place.namespace.clone()),
        labels,
    };
    Selector {
        target: Target::Management,
        resource,
        scope,
    }
}

/// What goes, in order. NodePools go with their HostedCluster; only those that lost theirs are named.
pub(crate) fn removals(facts: &Facts, place: &GuestRef) -> Vec<Deletion> {
    let mut removals = Vec::new();
    if facts.object(&place.hosted_cluster()).is_some() {
        removals.push(Deletion {
            object: place.object(),
            note: format!(
                "with its NodePools, machines, virtual machines and their disks, and the namespace {}",
                place.control_plane_namespace()
            ),
            before: Some(json!({ "metadata": { "annotations": { CLEANUP: "true" } } })),
        });
    } else {
        let orphans = objects(facts, &place.node_pools())
            .filter(|pool| text(pool, &["spec", "clusterName"]) == Some(&place.name));
        removals.extend(orphans.map(|pool| Deletion {
            object: ObjectRef::namespaced(resources::NODE_POOL, &place.namespace, name(pool)),
            note: "its HostedCluster is gone".to_owned(),
            before: None,
        }));
    }
    for resource in [resources::SECRET, resources::CONFIG_MAP] {
        // After the HostedCluster: without its pull secret a guest is not taken down cleanly (D10).
        // HyperShift gives its own Secrets the HostedCluster's labels; those go with their owner.
        let ours = objects(facts, &made(resource, place)).filter(|object| !is_owned(object, place));
        removals.extend(ours.map(|object| Deletion {
            object: ObjectRef::namespaced(resource, &place.namespace, name(object)),
            note: "made for this guest".to_owned(),
            before: None,
        }));
    }
    if namespace_goes(facts, place) {
        removals.push(Deletion {
            object: ObjectRef::cluster(resources::NAMESPACE, &place.namespace),
            note: "made by Berth, and nothing else is in it".to_owned(),
            before: None,
        });
    }
    removals
}

/// Whether Berth made the namespace and nothing but this guest is in it. Doubt keeps it.
fn namespace_goes(facts: &Facts, place: &GuestRef) -> bool {
    let namespace = facts.object(&Selector::cluster(resources::NAMESPACE, &place.namespace));
    if !namespace.is_some_and(is_ours) {
        return false;
    }
    let inside = |resource| Selector::in_namespace(resource, &place.namespace);
    let is_readable = |resource| matches!(facts.seen(&inside(resource)), Seen::Objects(_) | Seen::NoKind);
    let kinds = [
        resources::HOSTED_CLUSTER,
        resources::POD,
        resources::SECRET,
        resources::CONFIG_MAP,
    ];
    kinds.into_iter().all(is_readable)
        && is_known_empty(facts.seen(&inside(resources::POD)))
        && objects(facts, &inside(resources::HOSTED_CLUSTER)).all(|cluster| name(cluster) == place.name)
        && [resources::SECRET, resources::CONFIG_MAP]
            .into_iter()
            .flat_map(|resource| facts.objects(&inside(resource)))
            .all(|object| is_of_guest(object, place) || is_ordinary(object))
}

/// Whether an object goes with the HostedCluster.
fn is_owned(object: &Value, place: &GuestRef) -> bool {
    views::metadata(object)
        .owners()
        .any(|owner| owner.kind == "HostedCluster" && owner.name == place.name)
}

fn is_of_guest(object: &Value, place: &GuestRef) -> bool {
    is_owned(object, place)
        || (is_ours(object) && crate::read::label(object, DOCUMENT_LABEL) == Some(&place.name))
        || ["admin-kubeconfig", "kubeadmin-password"]
            .iter()
            .any(|suffix| name(object) == format!("{}-{suffix}", place.name))
}

fn is_ordinary(object: &Value) -> bool {
    ORDINARY.iter().any(|prefix| name(object).starts_with(prefix))
}

impl Step for Removal {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        format!("Remove the hosted cluster {}", self.place.name)
    }

    fn after(&self) -> Vec<Dependency> {
        Vec::new()
    }

    fn lock(&self) -> Lock {
        lock(&self.place)
    }

    fn changes(&self, _facts: &Facts) -> Vec<Change> {
        Vec::new()
    }

    fn watches(&self) -> Vec<Selector> {
        watches(&self.place)
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        let inside = Selector::cluster(resources::NAMESPACE, self.place.control_plane_namespace());
        if facts.object(&self.place.hosted_cluster()).is_some() {
            return Assessment::waiting("Deleting", "the HostedCluster is still there");
        }
        if facts.object(&inside).is_some() {
            let detail = format!("the namespace {} is still there", self.place.control_plane_namespace());
            return Assessment::waiting("Deleting", detail);
        }
        Assessment::ready()
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        let GuestRef { namespace, name } = &self.place;
        vec![command(
            "",
            format!("hcp destroy cluster kubevirt --name {name} --namespace {namespace}"),
        )]
    }

    fn remove(&self, facts: &Facts) -> Vec<Deletion> {
        removals(facts, &self.place)
    }
}
