//! What edits do to a guest that runs: which pools' workers are replaced, how many, how fast, how much room that takes, and
//! because of which field; and which edits touch no worker.
//!
//! Pure: the edits of a plan and what was observed go in. Which field does what is a table ([`TRIGGERS`]). Not here: what
//! differs (the engine says so), and how far a roll-out has come (`steps`).

mod room;
#[cfg(test)]
mod tests;
mod text;
mod triggers;

use std::collections::BTreeSet;

use berth_api::{resources, views};
use serde::Serialize;
use serde_json::Value;

use crate::change::ObjectRef;
use crate::facts::{Facts, Selector};
use crate::read::{name, objects, text};
use crate::versions::{Minor, of_image};
use crate::walk::GuestRef;
use crate::walk::guest::workers_of;

use room::Free;
pub use room::Room;
pub use triggers::{Consequence, TRIGGERS, Trigger, trigger_of};

/// One thing that a plan will do to an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// It is made.
    Made(ObjectRef),
    /// It goes.
    Deleted(ObjectRef),
    /// A field of an object that is there becomes another.
    Changed {
        /// The object.
        object: ObjectRef,
        /// The field, as plans spell it: `spec.platform.kubevirt.compute.cores`.
        path: String,
        /// What is there; `None` also where it may not be seen.
        from: Option<Value>,
        /// What will be there; `None` also where it may not be seen.
        to: Option<Value>,
    },
}

/// What edits do to one object and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// The object that it happens to, as people name it.
    pub object: String,
    /// What happens.
    pub happens: Happens,
    /// The edits that bring it about.
    pub because: Vec<Cause>,
    /// What room it needs on the management cluster's nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<Room>,
    /// What else is worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What happens to an object and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Happens {
    /// All of a pool's machines are replaced.
    Replaced {
        /// How many there are.
        machines: u32,
        /// How many more there are at a time.
        surge: u32,
        /// How many may be missing at a time.
        unavailable: u32,
    },
    /// A pool's machines are replaced as they are deleted by hand.
    ReplacedOnDelete {
        /// How many there are.
        machines: u32,
    },
    /// All of a pool's machines are updated where they are, and restart.
    UpdatedInPlace {
        /// How many there are.
        machines: u32,
        /// How many may be missing at a time.
        unavailable: u32,
    },
    /// Only machines that are made later are as the edit says.
    LaterMachinesOnly,
    /// Machines come or go.
    Scaled {
        /// How many there are.
        from: u32,
        /// How many there will be (at least, where they are scaled).
        to: u32,
    },
    /// The pool goes, with all that is on its machines' disks.
    Removed {
        /// The virtual machines that go.
        machines: Vec<String>,
    },
    /// The control plane is brought to another release.
    Upgraded,
    /// The operator leaves the object alone.
    Paused,
    /// The operator goes on with the object.
    Resumed,
    /// No worker is touched.
    NoWorkerTouched,
}

/// One edit, and where what it does is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// The object that is edited.
    pub object: String,
    /// The field.
    pub path: String,
    /// The catalogue's ID; empty where the catalogue has none.
    pub id: &'static str,
    /// Where it is written; empty for what is in no table.
    pub source: &'static str,
}

/// An edit down to its leaves, with the row of the table.
struct Leaf<'a> {
    object: &'a ObjectRef,
    path: String,
    to: Option<&'a Value>,
    does: Consequence,
    trigger: Option<&'static Trigger>,
}

/// What has to be read besides, to tell whether there is room: nothing where no machine is made.
pub(crate) fn watches(facts: &Facts, place: &GuestRef, edits: &[Edit]) -> Vec<Selector> {
    let makes = forecast(facts, place, edits)
        .iter()
        .any(|forecast| forecast.room.is_some());
    if makes { room::watches().into() } else { Vec::new() }
}

/// What edits of a guest's objects do. Objects that are made with the guest are no edits.
pub(crate) fn forecast(facts: &Facts, place: &GuestRef, edits: &[Edit]) -> Vec<Forecast> {
    let Some(cluster) = facts.object(&place.hosted_cluster()) else {
        return Vec::new();
    };
    let pools: Vec<&Value> = objects(facts, &place.node_pools())
        .filter(|pool| text(pool, &["spec", "clusterName"]) == Some(&place.name))
        .collect();
    let mut leaves = leaves(edits);
    for leaf in &mut leaves {
        // Where no pool is of a release that reads it so, it touches no worker.
        let has_since = leaf.trigger.is_some_and(|trigger| trigger.since.is_some());
        if has_since && !pools.iter().any(|pool| leaf.is_read_by(pool)) {
            leaf.does = Consequence::Nothing;
        }
    }
    let mut free = Free::new(facts, cluster);
    let mut all = Vec::new();
    all.extend(control_plane(place, &leaves));
    for pool in pools {
        all.extend(of_pool(facts, place, pool, edits, &leaves, &mut free));
    }
    all.extend(quiet(&leaves));
    all
}

fn of_pool(
    facts: &Facts,
    place: &GuestRef,
    pool: &Value,
    edits: &[Edit],
    leaves: &[Leaf<'_>],
    free: &mut Free<'_>,
) -> Vec<Forecast> {
    let own = ObjectRef::namespaced(resources::NODE_POOL, &place.namespace, name(pool));
    if edits.contains(&Edit::Deleted(own.clone())) {
        return vec![removed(facts, place, pool, edits, &own)];
    }
    let reaches = |leaf: &&Leaf<'_>| {
        *leaf.object == own || (leaf.object.resource == resources::HOSTED_CLUSTER && leaf.is_read_by(pool))
    };
    let of = |wanted: Consequence| leaves.iter().filter(reaches).filter(move |leaf| leaf.does == wanted);
    let wanted = edited(pool, leaves.iter().filter(|leaf| *leaf.object == own));
    let machines = present(facts, place, pool);
    let mut all = Vec::new();
    let rolling: Vec<_> = of(Consequence::Rolls).map(Leaf::cause).collect();
    let template: Vec<_> = of(Consequence::Template).map(Leaf::cause).collect();
    if text(pool, &["spec", "management", "upgradeType"]) == Some("InPlace") {
        if !rolling.is_empty() {
            all.push(in_place(&own, &wanted, machines, rolling));
        }
        if !template.is_empty() {
            all.push(Forecast::new(&own, Happens::LaterMachinesOnly, template));
        }
    } else if !rolling.is_empty() || !template.is_empty() {
        let because = rolling.into_iter().chain(template).collect();
        all.push(replaced(free, &own, &wanted, machines, because));
    }
    let scales: Vec<_> = of(Consequence::Scales).map(Leaf::cause).collect();
    if !scales.is_empty() {
        all.push(scaled(free, &own, &wanted, machines, scales));
    }
    let later: Vec<_> = of(Consequence::NewNodes).map(Leaf::cause).collect();
    if !later.is_empty() {
        let mut forecast = Forecast::new(&own, Happens::NoWorkerTouched, later);
        let note = "labels and taints are given to a node when it joins: nodes that are there stay as they are";
        forecast.notes.push(note.to_owned());
        all.push(forecast);
    }
    all.extend(paused(&own, leaves));
    all
}

fn control_plane(place: &GuestRef, leaves: &[Leaf<'_>]) -> Vec<Forecast> {
    let own = place.object();
    let of = |wanted: Consequence| {
        let own = own.clone();
        leaves
            .iter()
            .filter(move |leaf| *leaf.object == own && leaf.does == wanted)
    };
    let mut all = Vec::new();
    let upgrades: Vec<_> = of(Consequence::Upgrades).map(Leaf::cause).collect();
    if !upgrades.is_empty() {
        let mut forecast = Forecast::new(&own, Happens::Upgraded, upgrades);
        let note = "node pools don't follow by themselves: each has a release of its own";
        forecast.notes.push(note.to_owned());
        all.push(forecast);
    }
    all.extend(paused(&own, leaves));
    all
}

fn paused(own: &ObjectRef, leaves: &[Leaf<'_>]) -> Option<Forecast> {
    let leaf = leaves
        .iter()
        .find(|leaf| leaf.object == own && leaf.does == Consequence::Pauses)?;
    let happens = if leaf.to.is_some() {
        Happens::Paused
    } else {
        Happens::Resumed
    };
    Some(Forecast::new(own, happens, vec![leaf.cause()]))
}

/// The edits that touch no worker, object by object.
fn quiet(leaves: &[Leaf<'_>]) -> Vec<Forecast> {
    let quiet: Vec<&Leaf<'_>> = leaves.iter().filter(|leaf| leaf.does == Consequence::Nothing).collect();
    let edited: BTreeSet<&ObjectRef> = quiet.iter().map(|leaf| leaf.object).collect();
    let of = |object: &ObjectRef| {
        let because = quiet
            .iter()
            .filter(|leaf| leaf.object == object)
            .map(|leaf| leaf.cause());
        let mut forecast = Forecast::new(object, Happens::NoWorkerTouched, because.collect());
        if object.resource == resources::SECRET || object.resource == resources::CONFIG_MAP {
            // U16: only another name rolls, and nothing carries a new content to nodes that are there.
            let note = "another content under the same name reaches only machines that are made later";
            forecast.notes.push(note.to_owned());
        }
        forecast
    };
    edited.into_iter().map(of).collect()
}

fn removed(facts: &Facts, place: &GuestRef, pool: &Value, edits: &[Edit], own: &ObjectRef) -> Forecast {
    let workers = workers_of(facts, place, name(pool));
    let machines = workers.iter().map(|worker| worker.vm.to_owned()).collect();
    let mut forecast = Forecast::new(own, Happens::Removed { machines }, Vec::new());
    forecast
        .notes
        .push("its virtual machines and their disks go with it".to_owned());
    let stays = |other: &Value| {
        let other = ObjectRef::namespaced(resources::NODE_POOL, &place.namespace, name(other));
        !edits.contains(&Edit::Deleted(other))
    };
    let others = objects(facts, &place.node_pools());
    let left = others
        .filter(|other| text(other, &["spec", "clusterName"]) == Some(&place.name) && stays(other))
        .count();
    let made = edits
        .iter()
        .any(|edit| matches!(edit, Edit::Made(object) if object.resource == resources::NODE_POOL));
    if left == 0 && !made {
        let note = "it is the last pool: the guest is left without workers, and nothing runs in it";
        forecast.notes.push(note.to_owned());
    }
    if text(pool, &["spec", "nodeDrainTimeout"]).is_none_or(|timeout| timeout == "0s") {
        let note =
            "it has no drain timeout: a PodDisruptionBudget that allows nothing holds its machines for ever (D04)";
        forecast.notes.push(note.to_owned());
    }
    forecast
}

fn in_place(own: &ObjectRef, wanted: &Value, machines: u32, because: Vec<Cause>) -> Forecast {
    let given = &wanted["spec"]["management"]["inPlace"]["maxUnavailable"];
    let unavailable = share(given, machines, Round::Down).unwrap_or(1).max(1);
    Forecast::new(own, Happens::UpdatedInPlace { machines, unavailable }, because)
}

fn replaced(free: &mut Free<'_>, own: &ObjectRef, wanted: &Value, machines: u32, because: Vec<Cause>) -> Forecast {
    let replace = &wanted["spec"]["management"]["replace"];
    if text(replace, &["strategy"]) == Some("OnDelete") {
        return Forecast::new(own, Happens::ReplacedOnDelete { machines }, because);
    }
    let pace = &replace["rollingUpdate"];
    let unavailable = share(&pace["maxUnavailable"], machines, Round::Down).unwrap_or(0);
    let mut surge = share(&pace["maxSurge"], machines, Round::Up).unwrap_or(1);
    if surge + unavailable == 0 {
        surge = 1;
    }
    let happens = Happens::Replaced {
        machines,
        surge,
        unavailable,
    };
    let mut forecast = Forecast::new(own, happens, because);
    let more = surge.min(machines);
    if more > 0 {
        let room = free.room(wanted, more);
        if room.is_short() && unavailable == 0 {
            let note = "without that room the roll-out stands still (U04): free some, or allow maxUnavailable 1";
            forecast.notes.push(note.to_owned());
        }
        forecast.room = Some(room);
    }
    forecast
}

fn scaled(free: &mut Free<'_>, own: &ObjectRef, wanted: &Value, from: u32, because: Vec<Cause>) -> Forecast {
    let bounds = &wanted["spec"]["autoScaling"];
    let bound = |field: &str| bounds[field].as_u64().and_then(|bound| u32::try_from(bound).ok());
    let to = match (bound("min"), bound("max")) {
        (Some(min), Some(max)) => from.clamp(min, max.max(min)),
        _ => u32::try_from(views::replicas(wanted).wanted).unwrap_or(0),
    };
    let mut forecast = Forecast::new(own, Happens::Scaled { from, to }, because);
    if to > from {
        forecast.room = Some(free.room(wanted, to - from));
    } else if to < from {
        forecast
            .notes
            .push("the virtual machines that go take their disks with them".to_owned());
    }
    if let (Some(min), Some(max)) = (bound("min"), bound("max")) {
        forecast
            .notes
            .push(format!("from then on the autoscaler chooses, from {min} to {max}"));
    }
    forecast
}

/// The machines that a pool has.
fn present(facts: &Facts, place: &GuestRef, pool: &Value) -> u32 {
    let replicas = views::replicas(pool);
    let counted = workers_of(facts, place, name(pool)).len();
    let told = u32::try_from(replicas.current.max(0)).unwrap_or(0);
    let there = u32::try_from(counted).unwrap_or(u32::MAX).max(told);
    if there > 0 {
        there
    } else {
        u32::try_from(replicas.wanted.max(0)).unwrap_or(0)
    }
}

/// A pool as it will be.
fn edited<'a>(pool: &Value, leaves: impl Iterator<Item = &'a Leaf<'a>>) -> Value {
    let mut pool = pool.clone();
    for leaf in leaves {
        if leaf.path.contains('[') {
            continue;
        }
        let names: Vec<&str> = leaf.path.split('.').collect();
        let Some((last, above)) = names.split_last() else {
            continue;
        };
        let mut place = &mut pool;
        for name in above {
            if !place[*name].is_object() {
                place[*name] = Value::Object(serde_json::Map::new());
            }
            place = &mut place[*name];
        }
        match (leaf.to, place.as_object_mut()) {
            (Some(value), _) => place[*last] = value.clone(),
            (None, Some(fields)) => drop(fields.remove(*last)),
            (None, None) => {}
        }
    }
    pool
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Up,
    Down,
}

/// A number, or a percentage of so many.
fn share(given: &Value, of: u32, round: Round) -> Option<u32> {
    if let Some(number) = given.as_u64() {
        return u32::try_from(number).ok();
    }
    let percent: u32 = given.as_str()?.strip_suffix('%')?.parse().ok()?;
    let scaled = of.checked_mul(percent)?;
    Some(if round == Round::Up {
        scaled.div_ceil(100)
    } else {
        scaled / 100
    })
}

/// Edits of fields, down to the leaves that differ: what goes or comes whole may hold fields that do different things.
fn leaves(edits: &[Edit]) -> Vec<Leaf<'_>> {
    let mut leaves = Vec::new();
    for edit in edits {
        let Edit::Changed { object, path, from, to } = edit else {
            continue;
        };
        below(object, path.clone(), from.as_ref(), to.as_ref(), &mut leaves);
    }
    leaves
}

fn below<'a>(
    object: &'a ObjectRef,
    path: String,
    from: Option<&'a Value>,
    to: Option<&'a Value>,
    leaves: &mut Vec<Leaf<'a>>,
) {
    let fields = |value: Option<&'a Value>| value.and_then(Value::as_object).filter(|fields| !fields.is_empty());
    let (before, after) = (fields(from), fields(to));
    let whole = (before.is_some() || from.is_none()) && (after.is_some() || to.is_none());
    // A row of the table is as deep as it matters.
    let settled = triggers::trigger_of(object.resource.kind, &path)
        .is_some_and(|row| row.does != Consequence::Nothing && row.does != Consequence::Fixed);
    if !whole || settled || (before.is_none() && after.is_none()) {
        let trigger = triggers::trigger_of(object.resource.kind, &path);
        leaves.push(Leaf {
            object,
            does: trigger.map_or(Consequence::Nothing, |trigger| trigger.does),
            trigger,
            path,
            to,
        });
        return;
    }
    let empty = serde_json::Map::new();
    let (before, after) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
    let names: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
    let pairs: Vec<_> = names
        .into_iter()
        .map(|name| {
            let from = from.and_then(|value| value.get(&name));
            let to = to.and_then(|value| value.get(&name));
            (name, from, to)
        })
        .collect();
    for (name, from, to) in pairs.into_iter().filter(|(_, from, to)| from != to) {
        below(object, joined(&path, &name), from, to, leaves);
    }
}

/// A field's name after a path, as plans spell it.
fn joined(path: &str, name: &str) -> String {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if plain {
        format!("{path}.{name}")
    } else {
        format!("{path}[{name:?}]")
    }
}

// === impl Edit ===

impl Edit {
    /// The object.
    pub fn object(&self) -> &ObjectRef {
        match self {
            Self::Made(object) | Self::Deleted(object) | Self::Changed { object, .. } => object,
        }
    }
}

// === impl Forecast ===

impl Forecast {
    fn new(object: &ObjectRef, happens: Happens, because: Vec<Cause>) -> Self {
        Self {
            object: object.to_string(),
            happens,
            because,
            room: None,
            notes: Vec::new(),
        }
    }

    /// Whether a worker, or what is on it, is touched.
    pub fn is_felt(&self) -> bool {
        !matches!(
            self.happens,
            Happens::NoWorkerTouched | Happens::LaterMachinesOnly | Happens::Paused | Happens::Resumed
        )
    }
}

impl Leaf<'_> {
    /// Whether a pool is of a release for which the table's row holds; where its release can't be told, it is taken to be.
    fn is_read_by(&self, pool: &Value) -> bool {
        let told = || text(pool, &["status", "version"]).and_then(|version| version.parse::<Minor>().ok());
        let release = || told().or_else(|| of_image(views::release_image(pool)?));
        let since = self.trigger.and_then(|trigger| trigger.since);
        since.is_none_or(|since| release().is_none_or(|release| release >= since))
    }

    fn cause(&self) -> Cause {
        Cause {
            object: self.object.to_string(),
            path: self.path.clone(),
            id: self.trigger.map_or("", |trigger| trigger.id),
            source: self.trigger.map_or("", |trigger| trigger.source),
        }
    }
}
