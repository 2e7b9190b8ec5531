//! What is there now, as a tree: the management cluster, its guests, their pools and virtual machines. Pure.
//!
//! Two readings: [`watches`] and [`fleet_watches`] show all guests with their workers, in as many lists as for one guest;
//! [`guest_watches`] what is to be read of a guest that is not [`well`], or that somebody asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use berth_api::{Resource, resources, views};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::access::{self, Ends, Entry};
use crate::assess::Diagnosis;
use crate::facts::{Facts, Scope, Seen, Selector, Target};
use crate::identity::{self, IdentityStatus};
use crate::pause;
use crate::read::{count, decoded, failed, find, holds, line, name, objects, text};
use crate::upgrade;
use crate::versions::{Version, skew};
use crate::walk::guest::{Worker, workers_of};
use crate::walk::{GuestRef, control_plane, rollout, workers};

/// The management cluster and everything on it that Berth knows of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The newest completed version; empty where it can't be read.
    pub version: String,
    /// The multicluster engine's phase; empty where there is none.
    pub engine: String,
    /// Whether the hub manages itself, which hosting needs.
    pub local_cluster: bool,
    /// The guests, those that need attention first.
    pub guests: Vec<GuestStatus>,
}

/// One guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GuestStatus {
    /// Namespace of the HostedCluster.
    pub namespace: String,
    /// Name of the HostedCluster.
    pub name: String,
    /// The newest completed version; empty until there is one.
    pub version: String,
    /// `Completed` or `Partial`.
    pub progress: String,
    /// The release that it is being brought to, and how far that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<String>,
    /// That the operator leaves it alone, since when and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// Whether its API is available.
    pub available: bool,
    /// Whether it is available and rolled out, with as many workers as its pools want.
    #[serde(skip)]
    pub done: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Workloads of its control plane that are complete, of how many; `None` where nobody looked, since all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_plane: Option<Counted>,
    /// When its admin kubeconfig ends, for whoever may read that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<Ends>,
    /// Its login, where Berth has put one in place that does not work, or is not known to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityStatus>,
    /// Its node pools.
    pub pools: Vec<PoolStatus>,
    /// The first cause of what is wrong, if something is.
    pub diagnosis: Option<Diagnosis>,
}

/// One node pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolStatus {
    /// Name of the NodePool.
    pub name: String,
    /// Its version; empty until there is one.
    pub version: String,
    /// The release, configuration or template that it is being brought to, as the operator tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updating: Option<String>,
    /// Why its release does not go with the control plane's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew: Option<String>,
    /// That the operator leaves it alone, since when and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// The autoscaler's bounds, where it chooses the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
    /// Nodes that are ready, of how many wanted.
    pub nodes: Counted,
    /// Its virtual machines.
    pub machines: Vec<MachineStatus>,
}

/// One worker: a virtual machine and the node in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineStatus {
    /// Name of the virtual machine; mostly that of its Machine and its node as well.
    pub name: String,
    /// The virtual machine's printable status; empty where there is none yet.
    pub status: String,
    /// The node of the management cluster that it runs on.
    pub host: String,
}

/// A pause: forgotten ones keep edits and repairs from having an effect (U18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Paused {
    /// Since when, where the operator tells.
    pub since: Option<Timestamp>,
    /// For how many seconds by now.
    pub seconds: Option<i64>,
    /// Until when; `None` until somebody resumes it.
    pub until: Option<Timestamp>,
}

/// The bounds of an autoscaler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bounds {
    /// The fewest.
    pub min: u32,
    /// The most.
    pub max: u32,
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// So many are as they should be.
    pub done: u32,
    /// Of so many.
    pub total: u32,
}

/// What shows the management cluster and which guests there are.
pub fn watches() -> Vec<Selector> {
    vec![
        Selector::cluster(resources::CLUSTER_VERSION, "version"),
        Selector::all(resources::MULTI_CLUSTER_ENGINE),
        Selector::all(resources::MANAGED_CLUSTER),
        Selector::all(resources::HOSTED_CLUSTER),
    ]
}

/// What shows the pools and workers of all guests at once.
pub fn fleet_watches() -> Vec<Selector> {
    vec![
        Selector::all(resources::NODE_POOL),
        Selector::all(resources::MACHINE),
        workers_anywhere(resources::VIRTUAL_MACHINE),
        workers_anywhere(resources::VIRTUAL_MACHINE_INSTANCE),
    ]
}

/// Puts what the lists of the whole fleet show to where each guest's own selections would have it.
pub fn spread(facts: &mut Facts) {
    let guests: Vec<GuestRef> = guests(facts)
        .into_iter()
        .map(|(namespace, name)| GuestRef::new(namespace, name))
        .collect();
    let pools = by_namespace(facts, &Selector::all(resources::NODE_POOL));
    let clusters = by_namespace(facts, &Selector::all(resources::HOSTED_CLUSTER));
    let workers = [
        (resources::MACHINE, Selector::all(resources::MACHINE)),
        (resources::VIRTUAL_MACHINE, workers_anywhere(resources::VIRTUAL_MACHINE)),
        (
            resources::VIRTUAL_MACHINE_INSTANCE,
            workers_anywhere(resources::VIRTUAL_MACHINE_INSTANCE),
        ),
    ]
    .map(|(resource, selector)| (resource, by_namespace(facts, &selector)));
    let within = |lists: &BTreeMap<String, Vec<Arc<Value>>>, namespace: &str| {
        Seen::Objects(lists.get(namespace).cloned().unwrap_or_default())
    };
    for guest in &guests {
        let own = clusters.get(&guest.namespace).into_iter().flatten();
        let own = own.filter(|cluster| name(cluster) == guest.name).cloned().collect();
        facts.observe(guest.hosted_cluster(), Seen::Objects(own));
        facts.observe(guest.node_pools(), within(&pools, &guest.namespace));
        for (resource, lists) in &workers {
            facts.observe(guest.inside(resource), within(lists, &guest.control_plane_namespace()));
        }
    }
}

/// A kind of KubeVirt's on the management cluster, as far as it belongs to guests: HyperShift labels those, and a hub may
/// run thousands of others.
fn workers_anywhere(resource: &'static Resource) -> Selector {
    let scope = Scope::Labelled {
        namespace: None,
        labels: "hypershift.openshift.io/infra-id".to_owned(),
    };
    Selector {
        target: Target::Management,
        resource,
        scope,
    }
}

fn by_namespace(facts: &Facts, selector: &Selector) -> BTreeMap<String, Vec<Arc<Value>>> {
    let mut lists: BTreeMap<String, Vec<Arc<Value>>> = BTreeMap::new();
    for object in facts.objects(selector) {
        let namespace = views::metadata(object).namespace.unwrap_or_default();
        lists.entry(namespace.to_owned()).or_default().push(Arc::clone(object));
    }
    lists
}

/// Whether a guest is there, complete and at rest, so that there is nothing to look for.
pub fn well(facts: &Facts, namespace: &str, name: &str) -> bool {
    let guest = GuestRef::new(namespace, name);
    facts.object(&guest.hosted_cluster()).is_some_and(|cluster| {
        is_done(cluster, &pools_of(facts, &guest))
            && !upgrade::is_under_way(cluster)
            && !crate::read::is_deleting(cluster)
    })
}

/// The guests that the facts show, by namespace and name.
pub fn guests(facts: &Facts) -> Vec<(String, String)> {
    let clusters = objects(facts, &Selector::all(resources::HOSTED_CLUSTER));
    clusters
        .map(|cluster| {
            (
                views::metadata(cluster).namespace.unwrap_or_default().to_owned(),
                name(cluster).to_owned(),
            )
        })
        .collect()
}

/// What is read of every guest besides: when its kubeconfig ends.
pub fn expiry_watch(namespace: &str, name: &str) -> Selector {
    kubeconfig_secret(&GuestRef::new(namespace, name))
}

/// What is to be read of a guest on the management cluster to tell what is wrong with it.
pub fn guest_watches(namespace: &str, name: &str) -> Vec<Selector> {
    let guest = GuestRef::new(namespace, name);
    let mut watches = guest.control_plane_watches();
    watches.extend(guest.worker_watches());
    watches.extend(rollout::watches(&guest));
    watches.push(kubeconfig_secret(&guest));
    watches.retain(|selector| selector.target == Target::Management);
    watches
}

/// The tree that the facts show.
pub fn status(facts: &Facts, now: Timestamp) -> Status {
    let hub = facts.object(&Selector::cluster(resources::CLUSTER_VERSION, "version"));
    let engine = objects(facts, &Selector::all(resources::MULTI_CLUSTER_ENGINE)).next();
    let mut guests: Vec<GuestStatus> = guests(facts)
        .iter()
        .map(|(namespace, name)| guest(facts, namespace, name, now))
        .collect();
    guests.sort_by_key(|guest| guest.diagnosis.is_none() && guest.available);
    Status {
        version: hub.map(completed_version).unwrap_or_default(),
        engine: engine
            .and_then(|engine| text(engine, &["status", "phase"]))
            .unwrap_or_default()
            .to_owned(),
        local_cluster: objects(facts, &Selector::all(resources::MANAGED_CLUSTER)).any(|cluster| {
            views::metadata(cluster).label("local-cluster") == Some("true")
                && holds(cluster, "ManagedClusterConditionAvailable").is_some()
        }),
        guests,
    }
}

fn guest(facts: &Facts, namespace: &str, name: &str, now: Timestamp) -> GuestStatus {
    let guest = GuestRef::new(namespace, name);
    let nothing = Value::Null;
    let cluster = facts.object(&guest.hosted_cluster()).unwrap_or(&nothing);
    let progress = views::history(cluster)
        .next()
        .map(|entry| entry.state.to_owned())
        .unwrap_or_default();
    let available = holds(cluster, "Available").is_some();
    let pools = pools_of(facts, &guest);
    let done = is_done(cluster, &pools);
    GuestStatus {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        version: completed_version(cluster),
        progress,
        upgrade: upgrade::is_under_way(cluster).then(|| upgrade::progress(facts, &guest, cluster)),
        paused: paused(cluster, now),
        available,
        done,
        deleting: crate::read::is_deleting(cluster),
        control_plane: workloads(facts, &guest),
        kubeconfig: kubeconfig_ends(facts, &guest),
        identity: identity::status(cluster).filter(IdentityStatus::is_open),
        pools: pools
            .iter()
            .map(|pool| pool_status(facts, &guest, cluster, pool, now))
            .collect(),
        diagnosis: if done {
            None
        } else {
            diagnosis(facts, &guest, &pools, now)
        },
    }
}

fn pools_of<'a>(facts: &'a Facts, guest: &GuestRef) -> Vec<&'a Value> {
    objects(facts, &guest.node_pools())
        .filter(|pool| text(pool, &["spec", "clusterName"]) == Some(&guest.name))
        .collect()
}

fn is_done(cluster: &Value, pools: &[&Value]) -> bool {
    let completed = views::history(cluster)
        .next()
        .is_some_and(|entry| entry.state == "Completed");
    let complete = |pool: &&Value| nodes(pool).done >= nodes(pool).total;
    holds(cluster, "Available").is_some() && completed && pools.iter().all(complete)
}

fn kubeconfig_secret(guest: &GuestRef) -> Selector {
    let name = format!("{}-admin-kubeconfig", guest.name);
    Selector::named(resources::SECRET, &guest.namespace, name)
}

/// When the admin kubeconfig ends; nothing of what is in it.
fn kubeconfig_ends(facts: &Facts, guest: &GuestRef) -> Option<Ends> {
    let kubeconfig = decoded(facts.object(&kubeconfig_secret(guest))?, &["data", "kubeconfig"])?;
    let entry = Entry::read(&kubeconfig, None, &|_| None).ok()?;
    Some(access::ends(&entry)).filter(|ends| ends.certificate.is_some())
}

/// `None` where they were not read.
fn workloads(facts: &Facts, guest: &GuestRef) -> Option<Counted> {
    if *facts.seen(&guest.inside(resources::DEPLOYMENT)) == Seen::Pending {
        return None;
    }
    let mut counted = Counted::default();
    for kind in [resources::DEPLOYMENT, resources::STATEFUL_SET] {
        for workload in objects(facts, &guest.inside(kind)) {
            counted.total += 1;
            counted.done += u32::from(views::rollout(workload).is_complete());
        }
    }
    Some(counted)
}

fn paused(object: &Value, now: Timestamp) -> Option<Paused> {
    let until = pause::until(object, Some(now))?;
    let since = pause::since(object);
    Some(Paused {
        since,
        seconds: since.map(|since| now.duration_since(since).as_secs()),
        until: match until {
            pause::Until::Resumed => None,
            pause::Until::Time(time) => Some(time),
        },
    })
}

/// Why a pool's release does not go with its control plane's: as the operator says, or as the versions do.
fn skew_of(cluster: &Value, pool: &Value) -> Option<String> {
    if let Some(condition) = failed(pool, "SupportedVersionSkew") {
        return Some(line(condition.message).to_owned());
    }
    let plane: Version = upgrade::completed(cluster)?.0.parse().ok()?;
    let own: Version = text(pool, &["status", "version"])?.parse().ok()?;
    let why = skew(&plane, &own).err()?;
    Some(format!("{own} with a control plane of {plane}: {why}"))
}

fn pool_status(facts: &Facts, guest: &GuestRef, cluster: &Value, pool: &Value, now: Timestamp) -> PoolStatus {
    let machine = |worker: Worker<'_>| {
        let vm = find(facts, &guest.inside(resources::VIRTUAL_MACHINE), worker.vm);
        let instance = find(facts, &guest.inside(resources::VIRTUAL_MACHINE_INSTANCE), worker.vm);
        let read = |object: Option<&Value>, field: &str| {
            object
                .and_then(|object| text(object, &["status", field]))
                .unwrap_or_default()
                .to_owned()
        };
        MachineStatus {
            status: read(vm, "printableStatus"),
            host: read(instance, "nodeName"),
            name: worker.vm.to_owned(),
        }
    };
    PoolStatus {
        name: name(pool).to_owned(),
        version: text(pool, &["status", "version"]).unwrap_or_default().to_owned(),
        updating: ["UpdatingVersion", "UpdatingConfig", "UpdatingPlatformMachineTemplate"]
            .into_iter()
            .find_map(|kind| holds(pool, kind))
            .map(|condition| line(condition.message).to_owned()),
        skew: skew_of(cluster, pool),
        paused: paused(pool, now),
        bounds: views::at(pool, &["spec", "autoScaling"]).map(|_| Bounds {
            min: count(pool, &["spec", "autoScaling", "min"]),
            max: count(pool, &["spec", "autoScaling", "max"]),
        }),
        nodes: nodes(pool),
        machines: workers_of(facts, guest, name(pool)).into_iter().map(machine).collect(),
    }
}

fn nodes(pool: &Value) -> Counted {
    let wanted = views::replicas(pool).wanted;
    Counted {
        done: count(pool, &["status", "replicas"]),
        total: u32::try_from(wanted).unwrap_or(0),
    }
}

fn completed_version(object: &Value) -> String {
    let mut history = views::history(object);
    history
        .find(|entry| entry.state == "Completed")
        .map(|entry| entry.version.to_owned())
        .unwrap_or_default()
}

/// The first cause of what is wrong, once the guest is older than is ordinary for it.
fn diagnosis(facts: &Facts, guest: &GuestRef, pools: &[&Value], now: Timestamp) -> Option<Diagnosis> {
    let of_pools = || {
        pools
            .iter()
            .find_map(|pool| workers::first_cause(facts, guest, name(pool)))
    };
    let finding = control_plane::first_cause(facts, guest)
        .or_else(of_pools)
        .or_else(|| rollout::first_cause(facts, guest))?;
    let cluster = facts.object(&guest.hosted_cluster())?;
    let made = text(cluster, &["metadata", "creationTimestamp"]).and_then(|made| made.parse::<Timestamp>().ok());
    let due = made.and_then(|made| finding.due(made));
    due.is_none_or(|due| now >= due).then_some(finding.diagnosis)
}

#[cfg(test)]
mod tests;
