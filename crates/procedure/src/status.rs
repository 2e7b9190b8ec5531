//! What is there now, as a tree: the management cluster, its guests, their pools and virtual machines. Pure.
//!
//! Two readings: [`watches`] shows which guests there are, [`guest_watches`] what is to be read of each.

use berth_api::{resources, views};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::assess::Diagnosis;
use crate::facts::{Facts, Selector, Target};
use crate::read::{count, find, holds, name, objects, text};
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
    /// Whether its API is available.
    pub available: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Workloads of its control plane that are complete, of how many.
    pub control_plane: Counted,
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

/// What is to be read of a guest on the management cluster.
pub fn guest_watches(namespace: &str, name: &str) -> Vec<Selector> {
    let guest = GuestRef::new(namespace, name);
    let mut watches = guest.control_plane_watches();
    watches.extend(guest.worker_watches());
    watches.extend(rollout::watches(&guest));
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
    let pools: Vec<&Value> = objects(facts, &guest.node_pools())
        .filter(|pool| text(pool, &["spec", "clusterName"]) == Some(name))
        .collect();
    let done = available && progress == "Completed" && pools.iter().all(|pool| nodes(pool).done == nodes(pool).total);
    GuestStatus {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        version: completed_version(cluster),
        progress,
        available,
        deleting: crate::read::is_deleting(cluster),
        control_plane: workloads(facts, &guest),
        pools: pools.iter().map(|pool| pool_status(facts, &guest, pool)).collect(),
        diagnosis: if done {
            None
        } else {
            diagnosis(facts, &guest, &pools, now)
        },
    }
}

fn workloads(facts: &Facts, guest: &GuestRef) -> Counted {
    let mut counted = Counted::default();
    for kind in [resources::DEPLOYMENT, resources::STATEFUL_SET] {
        for workload in objects(facts, &guest.inside(kind)) {
            counted.total += 1;
            counted.done += u32::from(views::rollout(workload).is_complete());
        }
    }
    counted
}

fn pool_status(facts: &Facts, guest: &GuestRef, pool: &Value) -> PoolStatus {
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
        nodes: nodes(pool),
        machines: workers_of(facts, guest, name(pool)).into_iter().map(machine).collect(),
    }
}

fn nodes(pool: &Value) -> Counted {
    Counted {
        done: count(pool, &["status", "replicas"]),
        total: count(pool, &["spec", "replicas"]),
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
