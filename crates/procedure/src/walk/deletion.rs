//! Why a guest does not go: what holds each object of its tree, innermost first.
//!
//! HyperShift deletes NodePools and the Cluster of Cluster API together, waits for the latter, then deletes the control plane,
//! then its namespace. Each object on that way is held by finalizers, and each finalizer is somebody's. What is held by
//! somebody who works on it is only waited for; the rest is a [`Blocker`], with its name, the evidence, the way out, and what
//! letting go would leave behind.
//!
//! Not here: what goes in which order (`steps/guest/removal`), and any writing.

mod control_plane;
mod drain;
mod finalizers;
mod hub;
mod machines;

use berth_api::{Resource, resources};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::assess::{Assessment, Diagnosis, Observed};
use crate::blocker::{Blocker, LetGo, Release};
use crate::change::ObjectRef;
use crate::facts::{Facts, Selector};
use crate::read::{as_count, count, is_deleting, name, objects, text};
use crate::walk::GuestRef;

pub(crate) use hub::{CREATED_VIA, is_import};

/// How long it is ordinary for something to hold that usually lets go within moments.
const MOMENT: SignedDuration = SignedDuration::from_secs(30);

/// A blocker, and from when on it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hold {
    blocker: Blocker,
    due: Timestamp,
}

/// What the walk looks at.
#[derive(Clone, Copy)]
struct Tree<'a> {
    facts: &'a Facts,
    guest: &'a GuestRef,
}

/// What is left of a guest, in counts.
struct Left {
    pools: usize,
    machines: usize,
    /// How many machines the pools that are left ask for.
    wanted: u32,
    instances: usize,
    disks: usize,
}

/// Everything that the walk reads.
pub(crate) fn watches(guest: &GuestRef) -> Vec<Selector> {
    let mut watches = vec![guest.hosted_cluster(), guest.node_pools()];
    watches.extend(finalizers::INSIDE.map(|resource| guest.inside(resource)));
    watches.push(guest.inside(resources::PERSISTENT_VOLUME_CLAIM));
    watches.push(guest.inside(resources::DEPLOYMENT));
    watches.extend(hub::watches(guest));
    watches.extend(drain::watches(guest));
    watches.push(guest.on_guest(resources::INGRESS_CONTROLLER));
    watches
}

/// What will not go by itself, innermost first.
pub(crate) fn blockers(observed: &Observed<'_>, guest: &GuestRef) -> Vec<Blocker> {
    let holds = holds(observed.facts, guest).into_iter();
    holds
        .filter(|hold| observed.now >= hold.due)
        .map(|hold| hold.blocker)
        .collect()
}

/// How far a guest's end is.
pub(crate) fn assess(observed: &Observed<'_>, guest: &GuestRef) -> Assessment {
    let facts = observed.facts;
    let Some(detail) = stage(facts, guest) else {
        return Assessment::ready();
    };
    let (due, later): (Vec<_>, Vec<_>) = holds(facts, guest)
        .into_iter()
        .partition(|hold| observed.now >= hold.due);
    let recheck_at = later.iter().map(|hold| hold.due).min();
    let told = |hold: &&Hold| hold.blocker.explained_by.is_none();
    if let Some(hold) = due.iter().find(told) {
        let diagnosis = hold.blocker.diagnosis.clone();
        return Assessment::Blocked { diagnosis, recheck_at };
    }
    let left = Left::of(facts, guest);
    let counted = left.wanted > 0 && left.machines > 0;
    Assessment::Waiting {
        reason: "Deleting".to_owned(),
        detail,
        done: counted.then(|| left.wanted.saturating_sub(as_count(left.machines))),
        total: counted.then_some(left.wanted),
        recheck_at,
    }
}

fn holds(facts: &Facts, guest: &GuestRef) -> Vec<Hold> {
    let tree = Tree { facts, guest };
    let mut holds = finalizers::holds(tree);
    holds.extend(machines::holds(tree));
    holds.extend(control_plane::holds(tree));
    // What a namespace says of its content is only worth saying where nothing in it is named.
    let named = holds.iter().any(|hold| hold.due < Timestamp::MAX);
    let content = format!("namespace/{}/content", guest.control_plane_namespace());
    holds.extend(
        hub::holds(tree)
            .into_iter()
            .filter(|hold| !(named && hold.blocker.name == content)),
    );
    holds
}

/// Where in the order a guest is, and what is left there; `None` once it is gone.
fn stage(facts: &Facts, guest: &GuestRef) -> Option<String> {
    let left = Left::of(facts, guest);
    let inside = guest.control_plane_namespace();
    if !left.is_empty() {
        return Some(format!("left: {left}"));
    }
    let control_plane = objects(facts, &guest.inside(resources::HOSTED_CONTROL_PLANE)).next();
    if let Some(control_plane) = control_plane {
        let detail = control_plane::remaining(control_plane).unwrap_or_default();
        return Some(format!("left: the control plane in {inside}{detail}"));
    }
    if facts
        .object(&Selector::cluster(resources::NAMESPACE, &inside))
        .is_some()
    {
        return Some(format!("left: the namespace {inside}"));
    }
    if facts.object(&guest.hosted_cluster()).is_some() {
        return Some("left: the HostedCluster".to_owned());
    }
    hub::left(facts, guest)
}

impl Left {
    fn of(facts: &Facts, guest: &GuestRef) -> Self {
        let pools: Vec<&Value> = objects(facts, &guest.node_pools())
            .filter(|pool| text(pool, &["spec", "clusterName"]) == Some(&guest.name))
            .collect();
        let inside = |resource| objects(facts, &guest.inside(resource)).count();
        Self {
            wanted: pools.iter().map(|pool| count(pool, &["spec", "replicas"])).sum(),
            pools: pools.len(),
            machines: inside(resources::MACHINE),
            instances: inside(resources::VIRTUAL_MACHINE_INSTANCE),
            disks: inside(resources::DATA_VOLUME),
        }
    }

    /// Disks alone go with the namespace.
    fn is_empty(&self) -> bool {
        self.pools + self.machines + self.instances == 0
    }
}

impl std::fmt::Display for Left {
    /// `NodePools 1, machines 2 of 3, VMs 1, disks 1`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let machines = match self.wanted {
            0 => self.machines.to_string(),
            wanted => format!("{} of {wanted}", self.machines),
        };
        write!(
            f,
            "NodePools {}, machines {machines}, VMs {}, disks {}",
            self.pools, self.instances, self.disks
        )
    }
}

// === What a hold is made of ===

impl Hold {
    /// A hold that is one from a time on.
    fn new(name: impl Into<String>, due: Timestamp, diagnosis: Diagnosis, release: Release) -> Self {
        Self {
            blocker: Blocker {
                name: name.into(),
                diagnosis,
                orphans: Vec::new(),
                release,
                explained_by: None,
                forbids: false,
            },
            due,
        }
    }

    fn orphaning(mut self, orphans: Vec<String>) -> Self {
        self.blocker.orphans = orphans;
        self
    }

    fn explained_by(mut self, other: &str) -> Self {
        self.blocker.explained_by = Some(other.to_owned());
        self
    }

    fn forbidding(mut self, forbids: bool) -> Self {
        self.blocker.forbids = forbids;
        self
    }
}

/// So long after an object began to go; at once where it does not say when.
fn after(object: &Value, grace: SignedDuration) -> Timestamp {
    let began = text(object, &["metadata", "deletionTimestamp"]).and_then(|text| text.parse::<Timestamp>().ok());
    began
        .and_then(|began| began.checked_add(grace).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Not to be let go, and why.
fn no(why: impl Into<String>) -> Release {
    Release::No { why: why.into() }
}

/// An object as people name it.
fn label(resource: &'static Resource, object: &Value) -> String {
    reference(resource, object).to_string()
}

fn reference(resource: &'static Resource, object: &Value) -> ObjectRef {
    ObjectRef {
        target: crate::facts::Target::Management,
        resource,
        namespace: text(object, &["metadata", "namespace"]).map(str::to_owned),
        name: name(object).to_owned(),
    }
}

/// A write of one object as it is now: refused where it has moved on since.
fn let_go(resource: &'static Resource, object: &Value, does: impl Into<String>, mut patch: Value) -> LetGo {
    for field in ["resourceVersion", "uid"] {
        patch["metadata"][field] = object["metadata"][field].clone();
    }
    LetGo {
        does: does.into(),
        object: reference(resource, object),
        patch,
    }
}

/// Takes one finalizer off an object, and leaves the others.
fn without_finalizer(resource: &'static Resource, object: &Value, finalizer: &str) -> LetGo {
    let kept: Vec<&str> = finalizers::of(object).filter(|other| *other != finalizer).collect();
    let does = format!("takes the finalizer {finalizer} off {}", label(resource, object));
    let_go(resource, object, does, json!({ "metadata": { "finalizers": kept } }))
}

impl<'a> Tree<'a> {
    fn inside(self, resource: &'static Resource) -> impl Iterator<Item = &'a Value> {
        objects(self.facts, &self.guest.inside(resource))
    }

    fn find(self, resource: &'static Resource, wanted: &str) -> Option<&'a Value> {
        self.inside(resource).find(|object| name(object) == wanted)
    }

    fn hosted_cluster(self) -> Option<&'a Value> {
        self.facts.object(&self.guest.hosted_cluster())
    }

    /// The HostedCluster, if it is on its way out.
    fn going(self) -> Option<&'a Value> {
        self.hosted_cluster().filter(|cluster| is_deleting(cluster))
    }

    fn cluster(self) -> Option<&'a Value> {
        self.inside(resources::CAPI_CLUSTER).next()
    }
}

#[cfg(test)]
mod tests;
