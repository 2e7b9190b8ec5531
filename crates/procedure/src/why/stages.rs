//! The stages of a bring-up, from what a guest's objects keep of it.

use berth_api::{resources, views};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::facts::{Facts, Selector};
use crate::read::{annotation, name, objects, text};
use crate::walk::GuestRef;

/// One stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// A stable word.
    pub id: &'static str,
    /// What happens in it.
    pub title: &'static str,
    /// The stages that must be done before.
    pub after: &'static [&'static str],
    /// What shows that it is done.
    pub proof: String,
    /// How far it is.
    pub state: State,
    /// When the last of those before was done.
    pub from: Option<Timestamp>,
    /// When it was done.
    pub until: Option<Timestamp>,
    /// How many seconds it took, after those before.
    pub seconds: Option<i64>,
    /// Whether the whole would have been sooner had this been sooner.
    pub critical: bool,
    /// What others took, in the middle.
    pub others_seconds: Option<i64>,
    /// What upstream publishes; empty where it does not.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub published: &'static str,
}

/// How far a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Done.
    Done,
    /// Done, and what shows it has changed again since: when, is not known any longer.
    Overwritten,
    /// All before it is done.
    UnderWay,
    /// Something before it is not done.
    NotBegun,
}

/// What is fixed of a stage.
struct Kind {
    id: &'static str,
    title: &'static str,
    after: &'static [&'static str],
    published: &'static str,
}

/// The order is that of upstream's bring-up: what a stage names in `after` comes before it here.
const KINDS: [Kind; 10] = [
    kind("accepted", "the HostedCluster is accepted", &[], "seconds"),
    kind(
        "address",
        "the API server gets its address, services their routes",
        &["accepted"],
        "about 1.5 min",
    ),
    kind("etcd", "etcd has a quorum", &["address"], "about 1 min with the next"),
    kind("api-server", "the API server runs", &["etcd"], ""),
    kind(
        "components",
        "the control plane's other components run",
        &["api-server"],
        "about 2 min",
    ),
    kind("machines", "Cluster API makes the machines", &["etcd"], ""),
    kind("disks", "disks are imported", &["machines"], ""),
    kind("boot", "virtual machines start", &["disks"], ""),
    kind("nodes", "nodes join and are ready", &["boot"], ""),
    kind("rollout", "cluster operators roll out", &["components", "nodes"], ""),
];

const fn kind(id: &'static str, title: &'static str, after: &'static [&'static str], published: &'static str) -> Kind {
    Kind {
        id,
        title,
        after,
        published,
    }
}

/// When a stage was done, and what shows it.
struct Mark {
    at: Option<Timestamp>,
    proof: String,
}

/// When a HostedCluster was made.
pub(super) fn created(cluster: &Value) -> Option<Timestamp> {
    made(cluster)
}

/// When its first rollout was complete.
pub(super) fn completed(cluster: &Value) -> Option<Timestamp> {
    views::history(cluster).filter_map(|entry| entry.completed).min()
}

/// What shows the stages, besides the HostedCluster itself.
pub(super) fn watches(guest: &GuestRef) -> Vec<Selector> {
    let inside = [
        resources::HOSTED_CONTROL_PLANE,
        resources::MACHINE,
        resources::DATA_VOLUME,
    ];
    let mut watches: Vec<Selector> = inside.map(|resource| guest.inside(resource)).into();
    watches.push(guest.node_pools());
    watches
}

/// The stages of a guest's bring-up.
pub(super) fn stages(facts: &Facts, guest: &GuestRef, cluster: &Value) -> Vec<Stage> {
    let (created, completed) = (created(cluster), completed(cluster));
    let mut stages: Vec<Stage> = Vec::new();
    for Kind {
        id,
        title,
        after,
        published,
    } in KINDS
    {
        let mark = mark(facts, guest, cluster, id);
        let overwritten = match (mark.at, completed) {
            (Some(at), Some(completed)) => at > completed,
            // Of a guest that is complete, whatever shows nothing any longer was done, too.
            (None, completed) => completed.is_some(),
            _ => false,
        };
        let until = mark.at.filter(|_| !overwritten);
        let before = || stages.iter().filter(|stage| after.contains(&stage.id));
        let from = if after.is_empty() {
            created
        } else {
            before().filter_map(|stage| stage.until).max()
        };
        let from = from.filter(|_| before().all(|stage| stage.until.is_some() || stage.state == State::Overwritten));
        let all_before = before().all(|stage| matches!(stage.state, State::Done | State::Overwritten));
        stages.push(Stage {
            id,
            title,
            after,
            proof: mark.proof,
            state: match (until, overwritten, all_before) {
                (Some(_), ..) => State::Done,
                (None, true, _) => State::Overwritten,
                (None, false, true) => State::UnderWay,
                (None, false, false) => State::NotBegun,
            },
            from,
            until,
            seconds: until
                .zip(from)
                .map(|(until, from)| until.duration_since(from).as_secs().max(0)),
            critical: false,
            others_seconds: None,
            published,
        });
    }
    mark_critical(&mut stages);
    stages
}

/// From the end backwards: of those before, the one that was waited for, or is.
fn mark_critical(stages: &mut [Stage]) {
    let mut current = stages.len().checked_sub(1);
    while let Some(index) = current {
        stages[index].critical = true;
        let after = stages[index].after;
        let before = stages.iter().enumerate().filter(|(_, stage)| after.contains(&stage.id));
        // One that is not done yet is waited for; otherwise the last. One whose time is lost may have been it.
        let last = before.max_by_key(|(_, stage)| match stage.state {
            State::UnderWay => (3, None),
            State::NotBegun => (2, None),
            State::Done => (1, stage.until),
            State::Overwritten => (0, None),
        });
        current = last.map(|(index, _)| index);
    }
}

fn mark(facts: &Facts, guest: &GuestRef, cluster: &Value, id: &str) -> Mark {
    match id {
        "accepted" => accepted(facts, guest, cluster),
        "address" => condition(cluster, "InfrastructureReady"),
        "etcd" => condition(cluster, "EtcdAvailable"),
        "api-server" => condition(cluster, "KubeAPIServerAvailable"),
        "components" => condition(cluster, "Available"),
        "machines" => Mark {
            at: machines(facts, guest, cluster).into_iter().filter_map(made).min(),
            proof: "the first Machine was made".to_owned(),
        },
        "disks" => disks(facts, guest, cluster),
        "boot" => of_machines(facts, guest, cluster, "InfrastructureReady"),
        "nodes" => of_machines(facts, guest, cluster, "NodeHealthy"),
        _ => Mark {
            at: completed(cluster),
            proof: "version.history has its first completed entry".to_owned(),
        },
    }
}

/// The operator has read the HostedCluster and made its inner counterpart, which never changes its time again.
fn accepted(facts: &Facts, guest: &GuestRef, cluster: &Value) -> Mark {
    let inner = objects(facts, &guest.inside(resources::HOSTED_CONTROL_PLANE)).next();
    match inner.and_then(made) {
        Some(at) => Mark {
            at: Some(at),
            proof: "the HostedControlPlane was made".to_owned(),
        },
        None => condition(cluster, "ValidConfiguration"),
    }
}

fn condition(object: &Value, kind: &str) -> Mark {
    let condition = views::condition(object, kind);
    Mark {
        at: condition
            .filter(views::Condition::is_true)
            .and_then(|condition| condition.last_transition_time),
        proof: match condition.filter(|condition| !condition.is_true()) {
            Some(condition) => format!("{kind} is {:?}, {}", condition.status, condition.reason),
            None => format!("{kind} became True"),
        },
    }
}

/// The disks of the machines of the bring-up: all of them must be there.
fn disks(facts: &Facts, guest: &GuestRef, cluster: &Value) -> Mark {
    let machines = machines(facts, guest, cluster);
    let volumes: Vec<&Value> = objects(facts, &guest.inside(resources::DATA_VOLUME))
        .filter(|volume| {
            machines.iter().any(|machine| {
                let vm = text(machine, &["spec", "infrastructureRef", "name"]).unwrap_or(name(machine));
                name(volume).strip_prefix(vm).is_some_and(|rest| rest.starts_with('-'))
            })
        })
        .collect();
    all(&volumes, "Ready", "DataVolumes became Ready")
}

fn of_machines(facts: &Facts, guest: &GuestRef, cluster: &Value, kind: &str) -> Mark {
    all(
        &machines(facts, guest, cluster),
        kind,
        &format!("Machines: {kind} became True"),
    )
}

/// When the last of all objects came to hold a condition.
fn all(objects: &[&Value], kind: &str, proof: &str) -> Mark {
    let times: Vec<Option<Timestamp>> = objects.iter().map(|object| condition(object, kind).at).collect();
    let done = times.iter().flatten().count();
    let whole = !times.is_empty() && done == times.len();
    Mark {
        at: times.into_iter().flatten().max().filter(|_| whole),
        proof: if whole || objects.is_empty() {
            proof.to_owned()
        } else {
            format!("{proof} ({done} of {})", objects.len())
        },
    }
}

/// The machines of the bring-up: those that were made before it was complete.
fn machines<'a>(facts: &'a Facts, guest: &GuestRef, cluster: &Value) -> Vec<&'a Value> {
    let completed = completed(cluster);
    let pools: Vec<String> = objects(facts, &guest.node_pools())
        .filter(|pool| text(pool, &["spec", "clusterName"]) == Some(&guest.name))
        .map(|pool| format!("{}/{}", guest.namespace, name(pool)))
        .collect();
    objects(facts, &guest.inside(resources::MACHINE))
        .filter(
            |machine| match annotation(machine, "hypershift.openshift.io/nodePool") {
                Some(pool) => pools.is_empty() || pools.iter().any(|own| own == pool),
                None => true,
            },
        )
        .filter(|machine| completed.is_none_or(|completed| made(machine).is_some_and(|made| made <= completed)))
        .collect()
}

fn made(object: &Value) -> Option<Timestamp> {
    text(object, &["metadata", "creationTimestamp"])?.parse().ok()
}
