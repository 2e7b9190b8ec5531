//! A guest's removal: the HostedCluster, what Berth made beside it, and the namespace if nothing else is in it.

use berth_api::{Resource, resources, views};
use serde_json::{Value, json};

use super::{kubeconfig_watches, kubeconfigs, lock};
use crate::assess::{Assessment, Observed};
use crate::blocker::Blocker;
use crate::change::{Change, ObjectRef, Proof, Removal as Deletion};
use crate::facts::{Facts, Scope, Seen, Selector, Target};
use crate::owner::DOCUMENT_LABEL;
use crate::read::{MANAGED_BY, is_known_empty, is_ours, label, name, objects, text};
use crate::secret::Secret;
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{command, ids};
use crate::walk::GuestRef;
use crate::walk::deletion::{self, CREATED_VIA, is_import};

/// Asks HyperShift to clean up inside the guest (load balancers, volumes) before the control plane goes.
const CLEANUP: &str = "hypershift.openshift.io/cleanup-cloud-resources";
/// On what `hcp create` makes beside a HostedCluster: the infrastructure that it is for.
const FOR_INFRA: &str = "hypershift.openshift.io/auto-created-for-infra";
/// On the namespaces that HyperShift makes for control planes.
const HOSTS: (&str, &str) = ("hypershift.openshift.io/hosted-control-plane", "true");
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
            id: ids::removal(&place.namespace, &place.name),
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
        Selector::cluster(resources::MANAGED_CLUSTER, &place.name),
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
    let hosted_cluster = facts.object(&place.hosted_cluster());
    if hosted_cluster.is_some_and(|cluster| !is_ours(cluster)) {
        // Somebody else's: it will be left, and with it all that is its.
        return vec![hosted_cluster_removal(place)];
    }
    let mut removals = match hosted_cluster {
        Some(_) => vec![hosted_cluster_removal(place)],
        None => left_behind(facts, place),
    };
    // The hub usually does so itself, once the HostedCluster goes.
    if facts
        .object(&Selector::cluster(resources::MANAGED_CLUSTER, &place.name))
        .is_some_and(is_import)
    {
        removals.push(Deletion {
            object: ObjectRef::cluster(resources::MANAGED_CLUSTER, &place.name),
            note: "the guest's import into this hub, if the hub leaves it".to_owned(),
            before: None,
            proof: proven(&["metadata", "annotations", CREATED_VIA.0], CREATED_VIA.1),
        });
    }
    for resource in [resources::SECRET, resources::CONFIG_MAP] {
        // After the HostedCluster: without its pull secret a guest is not taken down cleanly (D10).
        // HyperShift gives its own Secrets the HostedCluster's labels; those go with their owner.
        let ours = objects(facts, &made(resource, place)).filter(|object| !is_owned(object, place));
        removals.extend(ours.map(|object| deletion(resource, place, object, "made for this guest", Proof::Label)));
        removals.extend(made_by_hcp(facts, place, resource));
    }
    if namespace_goes(facts, place) {
        removals.push(Deletion {
            object: ObjectRef::cluster(resources::NAMESPACE, &place.namespace),
            note: "made by Berth, and nothing else is in it".to_owned(),
            before: None,
            proof: Proof::Label,
        });
    }
    removals
}

/// What `hcp create` made beside the HostedCluster and labelled with its infrastructure, where Berth's label is not on it.
fn made_by_hcp(facts: &Facts, place: &GuestRef, resource: &'static Resource) -> Vec<Deletion> {
    let cluster = facts.object(&place.hosted_cluster());
    let Some(infra) = cluster.and_then(|cluster| text(cluster, &["spec", "infraID"])) else {
        return Vec::new();
    };
    let proof = proven(&["metadata", "labels", FOR_INFRA], infra);
    objects(facts, &Selector::in_namespace(resource, &place.namespace))
        .filter(|object| label(object, FOR_INFRA) == Some(infra) && !is_ours(object) && !is_owned(object, place))
        .map(|object| deletion(resource, place, object, "made for this guest by hcp", proof.clone()))
        .collect()
}

fn hosted_cluster_removal(place: &GuestRef) -> Deletion {
    Deletion {
        object: place.object(),
        note: format!(
            "with its NodePools, machines, virtual machines and their disks, and the namespace {}",
            place.control_plane_namespace()
        ),
        before: Some(json!({ "metadata": { "annotations": { CLEANUP: "true" } } })),
        proof: Proof::Label,
    }
}

/// What a HostedCluster has left that went without it: pools, and the namespace that HyperShift made for its control plane.
fn left_behind(facts: &Facts, place: &GuestRef) -> Vec<Deletion> {
    let orphans =
        objects(facts, &place.node_pools()).filter(|pool| text(pool, &["spec", "clusterName"]) == Some(&place.name));
    let mut removals: Vec<Deletion> = orphans
        .map(|pool| {
            deletion(
                resources::NODE_POOL,
                place,
                pool,
                "its HostedCluster is gone",
                Proof::Label,
            )
        })
        .collect();
    let inside = place.control_plane_namespace();
    let namespace = facts.object(&Selector::cluster(resources::NAMESPACE, &inside));
    if namespace.is_some_and(|namespace| label(namespace, HOSTS.0) == Some(HOSTS.1)) {
        removals.push(Deletion {
            object: ObjectRef::cluster(resources::NAMESPACE, inside),
            note: "made by HyperShift for this guest, whose HostedCluster is gone: with all that is in it".to_owned(),
            before: None,
            proof: proven(&["metadata", "labels", HOSTS.0], HOSTS.1),
        });
    }
    removals
}

fn deletion(resource: &'static Resource, place: &GuestRef, object: &Value, note: &str, proof: Proof) -> Deletion {
    Deletion {
        object: ObjectRef::namespaced(resource, &place.namespace, name(object)),
        note: note.to_owned(),
        before: None,
        proof,
    }
}

fn proven(path: &[&str], value: &str) -> Proof {
    Proof::Field(path.iter().map(|&field| field.to_owned()).collect(), value.to_owned())
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
        || (is_ours(object) && label(object, DOCUMENT_LABEL) == Some(&place.name))
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
        let mut watches = watches(&self.place);
        watches.extend(kubeconfig_watches(&self.place));
        watches.extend(deletion::watches(&self.place));
        watches
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        deletion::assess(observed, &self.place)
    }

    fn blockers(&self, observed: &Observed<'_>) -> Vec<Blocker> {
        deletion::blockers(observed, &self.place)
    }

    fn kubeconfigs(&self, facts: &Facts) -> Vec<(Target, Secret)> {
        kubeconfigs(facts, &self.place)
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
