//! The stages of a bring-up, from what a guest's objects keep of it.

use berth_api::{resources, views};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::facts::{Facts, Seen, Selector};
use crate::read::{annotation, holds, line, name, objects, text};
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
    /// Done, and what shows it has changed again since, or is gone: when, is not known any longer.
    Overwritten,
    /// Not all of it was done when the cluster was complete, or it changed since: which of the two, is not kept.
    Later,
    /// What shows it could not be read.
    Unreadable,
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

/// What shows a stage, and in which words.
struct Mark {
    shown: Shown,
    proof: String,
}

enum Shown {
    /// Done at that time.
    At(Timestamp),
    /// Not done, or not any longer.
    Open,
    /// Done, by what is not all there any longer.
    Gone,
    /// Nobody could look.
    Unreadable,
}

/// When a HostedCluster was made: for the first time, where a backup has brought it back with its history.
pub(super) fn created(cluster: &Value) -> Option<Timestamp> {
    let began = views::history(cluster).filter_map(|entry| entry.started).min();
    [made(cluster), began].into_iter().flatten().min()
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
        let before = || stages.iter().filter(|stage| after.contains(&stage.id));
        let open = before().any(|stage| matches!(stage.state, State::UnderWay | State::NotBegun));
        let state = match (&mark.shown, completed) {
            (Shown::Unreadable, _) => State::Unreadable,
            (Shown::Gone, _) => State::Overwritten,
            (Shown::At(at), completed) if completed.is_none_or(|completed| *at <= completed) => State::Done,
            // A cluster may be complete before the last of its workers is there; without the rest it is not.
            (_, Some(_)) if is_of_workers(id) => State::Later,
            (_, Some(_)) => State::Overwritten,
            (_, None) if open => State::NotBegun,
            (_, None) => State::UnderWay,
        };
        let until = match mark.shown {
            Shown::At(at) if state == State::Done => Some(at),
            _ => None,
        };
        let from = if after.is_empty() {
            created
        } else {
            // Where the time of one is lost, it may have been the last.
            let known = before().all(|stage| stage.until.is_some());
            before().filter_map(|stage| stage.until).max().filter(|_| known)
        };
        stages.push(Stage {
            id,
            title,
            after,
            proof: mark.proof,
            state,
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

/// Whether machines show a stage, which come and go.
pub(super) fn is_of_workers(id: &str) -> bool {
    matches!(id, "machines" | "disks" | "boot" | "nodes")
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
            State::Overwritten | State::Later | State::Unreadable => (0, None),
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
        "machines" => first_machine(facts, guest, cluster),
        "disks" => disks(facts, guest, cluster),
        "boot" => of_machines(facts, guest, cluster, "InfrastructureReady"),
        "nodes" => of_machines(facts, guest, cluster, "NodeHealthy"),
        _ => Mark {
            shown: Shown::of(completed(cluster)),
            proof: "version.history has its first completed entry".to_owned(),
        },
    }
}

/// The operator has read the HostedCluster and made its inner counterpart, which never changes its time again.
fn accepted(facts: &Facts, guest: &GuestRef, cluster: &Value) -> Mark {
    let inner = objects(facts, &guest.inside(resources::HOSTED_CONTROL_PLANE)).next();
    match inner.and_then(made) {
        Some(at) => Mark {
            shown: Shown::At(at),
            proof: "the HostedControlPlane was made".to_owned(),
        },
        None => condition(cluster, "ValidConfiguration"),
    }
}

fn condition(object: &Value, kind: &str) -> Mark {
    let condition = views::condition(object, kind);
    Mark {
        shown: Shown::of(since(object, kind)),
        proof: match condition.filter(|condition| !condition.is_true()) {
            Some(condition) => format!("{kind} is {:?}, {}", condition.status, condition.reason),
            None => format!("{kind} became True"),
        },
    }
}

/// Since when a condition holds.
fn since(object: &Value, kind: &str) -> Option<Timestamp> {
    holds(object, kind)?.last_transition_time
}

fn first_machine(facts: &Facts, guest: &GuestRef, cluster: &Value) -> Mark {
    let machines = match machines(facts, guest, cluster) {
        Ok(machines) => machines,
        Err(mark) => return mark,
    };
    Mark {
        shown: Shown::of(machines.into_iter().filter_map(made).min()),
        proof: "the first Machine was made".to_owned(),
    }
}

/// The disks of the machines of the bring-up: all of them must be there.
fn disks(facts: &Facts, guest: &GuestRef, cluster: &Value) -> Mark {
    let machines = match machines(facts, guest, cluster) {
        Ok(machines) => machines,
        Err(mark) => return mark,
    };
    let volumes = guest.inside(resources::DATA_VOLUME);
    if let Some(mark) = unread(facts, &volumes) {
        return mark;
    }
    let of_machine = |machine: &Value| -> Vec<&Value> {
        let vm = text(machine, &["spec", "infrastructureRef", "name"]).unwrap_or(name(machine));
        let is_its = |volume: &&Value| name(volume).strip_prefix(vm).is_some_and(|rest| rest.starts_with('-'));
        objects(facts, &volumes).filter(is_its).collect()
    };
    let disks: Vec<Vec<&Value>> = machines.iter().map(|machine| of_machine(machine)).collect();
    let with = disks.iter().filter(|disks| !disks.is_empty()).count();
    if with < machines.len() {
        // CDI can be told to take a DataVolume away once it is filled.
        return Mark {
            shown: completed(cluster).map_or(Shown::Open, |_| Shown::Gone),
            proof: format!("{with} of {} machines have DataVolumes", machines.len()),
        };
    }
    all(&disks.concat(), "Ready", "DataVolumes became Ready")
}

fn of_machines(facts: &Facts, guest: &GuestRef, cluster: &Value, kind: &str) -> Mark {
    match machines(facts, guest, cluster) {
        Ok(machines) => all(&machines, kind, &format!("Machines: {kind} became True")),
        Err(mark) => mark,
    }
}

/// When the last of all objects came to hold a condition.
fn all(objects: &[&Value], kind: &str, proof: &str) -> Mark {
    let times: Vec<Option<Timestamp>> = objects.iter().map(|object| since(object, kind)).collect();
    let done = times.iter().flatten().count();
    let whole = !times.is_empty() && done == times.len();
    Mark {
        shown: Shown::of(times.into_iter().flatten().max().filter(|_| whole)),
        proof: if whole || objects.is_empty() {
            proof.to_owned()
        } else {
            format!("{proof} ({done} of {})", objects.len())
        },
    }
}

/// The machines of the bring-up: those that were made before it was complete. In their place why they tell nothing, where
/// they could not be read, or where the pools of that time have more: a time of the rest need not be that of the last.
fn machines<'a>(facts: &'a Facts, guest: &GuestRef, cluster: &Value) -> Result<Vec<&'a Value>, Mark> {
    for selector in [guest.inside(resources::MACHINE), guest.node_pools()] {
        if let Some(mark) = unread(facts, &selector) {
            return Err(mark);
        }
    }
    let completed = completed(cluster);
    let in_time = |object: &Value| completed.is_none_or(|completed| made(object).is_some_and(|made| made <= completed));
    let pools: Vec<&Value> = objects(facts, &guest.node_pools())
        .filter(|pool| text(pool, &["spec", "clusterName"]) == Some(&guest.name))
        .collect();
    let names: Vec<String> = pools
        .iter()
        .map(|pool| format!("{}/{}", guest.namespace, name(pool)))
        .collect();
    let machines: Vec<&Value> = objects(facts, &guest.inside(resources::MACHINE))
        .filter(
            |machine| match annotation(machine, "hypershift.openshift.io/nodePool") {
                Some(pool) => names.is_empty() || names.iter().any(|own| own == pool),
                None => true,
            },
        )
        .filter(|machine| in_time(machine))
        .collect();
    // How many the pools had, is not kept; one that was scaled up since can't be told from one whose machines were replaced.
    let wanted: i64 = pools.into_iter().filter(|pool| in_time(pool)).map(replicas).sum();
    let left = i64::try_from(machines.len()).unwrap_or(i64::MAX);
    if completed.is_some() && (left == 0 || left < wanted) {
        return Err(Mark {
            shown: Shown::Gone,
            proof: format!("machines left of that time: {left}; its pools have {wanted} now"),
        });
    }
    Ok(machines)
}

/// How many machines a pool has or wants; where it scales by itself, by now.
fn replicas(pool: &Value) -> i64 {
    let replicas = views::replicas(pool);
    if replicas.autoscaling {
        replicas.wanted.max(replicas.current)
    } else {
        replicas.wanted
    }
}

/// Why a selector shows nothing, where nobody could look.
fn unread(facts: &Facts, selector: &Selector) -> Option<Mark> {
    let why = match facts.seen(selector) {
        Seen::Unreadable(why) => line(why),
        Seen::Pending => "nobody asked",
        Seen::NoKind | Seen::Objects(_) => return None,
    };
    Some(Mark {
        shown: Shown::Unreadable,
        proof: format!("{}: {why}", selector.resource.plural),
    })
}

fn made(object: &Value) -> Option<Timestamp> {
    text(object, &["metadata", "creationTimestamp"])?.parse().ok()
}

// === impl Shown ===

impl Shown {
    fn of(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Open, Self::At)
    }
}
