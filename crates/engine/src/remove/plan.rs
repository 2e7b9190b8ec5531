//! Works out what would go: what the steps name, if it is there and carries Berth's label.

use std::collections::BTreeSet;

use berth_api::resources;
use berth_procedure::{Lock, ObjectRef, Observed, Proof, Removal, Selector, Step, Target};
use jiff::Timestamp;
use serde_json::Value;

use super::tell::PASSES;
use super::{Blocked, PlannedRemoval, RemovalPlan};
use crate::api::{Api, Found};
use crate::engine::Engine;
use crate::known::{Knowledge, World, is_terminating};
use crate::observe::ReadError;

/// The label of all that Berth makes, and its value.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "berth");

impl Engine {
    /// What a removal of these steps would delete now, in order: last step first.
    pub async fn remove_plan(&self, steps: &[Box<dyn Step>]) -> Result<RemovalPlan, ReadError> {
        let world = self.read_world(steps, &[]).await?;
        let api = self.management();
        let mut removals = Vec::new();
        for (_, removal) in removals_of(steps, &world) {
            // What can't be read can't be planned for: its deletion will tell.
            let Some(live) = look(&api, &world, &removal.object).await else {
                continue;
            };
            let left = (!is_proven(&removal, &live)).then(|| missing(&removal.proof));
            let terminating = is_terminating(&live);
            removals.push(PlannedRemoval {
                object: (&removal.object).into(),
                note: removal.note,
                left,
                terminating,
            });
        }
        let stays = self.left_behind(&removals).await;
        let now = self.now();
        Ok(RemovalPlan {
            removals,
            stays,
            blockers: blockers_of(steps, &world, now),
            soon: blockers_of(steps, &world, now.checked_add(PASSES).unwrap_or(now)),
        })
    }

    /// Volumes in namespaces that stay: somebody has to decide about the data.
    async fn left_behind(&self, removals: &[PlannedRemoval]) -> Vec<String> {
        let going: BTreeSet<&str> = removals
            .iter()
            .filter(|removal| removal.object.kind == "Namespace")
            .map(|removal| removal.object.name.as_str())
            .collect();
        let namespaces: BTreeSet<&str> = removals
            .iter()
            .filter_map(|removal| removal.object.namespace.as_deref())
            .filter(|namespace| !going.contains(namespace))
            .collect();
        let api = self.management();
        let mut stays = Vec::new();
        for namespace in namespaces {
            let selector = Selector::in_namespace(resources::PERSISTENT_VOLUME_CLAIM, namespace);
            // This is a hint, and not worth failing for.
            let Ok(listed) = api.list(&selector).await else {
                continue;
            };
            for claim in listed.items {
                let name = claim["metadata"]["name"].as_str().unwrap_or_default();
                stays.push(format!("PersistentVolumeClaim {namespace}/{name}"));
            }
        }
        stays
    }
}

/// What the steps want removed, last step first, each with its step's lock. An object that two steps name goes once.
pub(super) fn removals_of(steps: &[Box<dyn Step>], world: &World) -> Vec<(Lock, Removal)> {
    let mut named = BTreeSet::new();
    let all = steps.iter().rev().flat_map(|step| {
        step.remove(&world.facts)
            .into_iter()
            .map(|removal| (step.lock(), removal))
    });
    // What is in a guest goes with it.
    let here = all.filter(|(_, removal)| removal.object.target == Target::Management);
    here.filter(|(_, removal)| named.insert(removal.object.clone()))
        .collect()
}

/// The object as it is; `None` where it is not there or can't be read.
async fn look(api: &Api, world: &World, object: &ObjectRef) -> Option<std::sync::Arc<Value>> {
    match world.knowledge(object) {
        Knowledge::Object(live) => Some(live),
        Knowledge::Absent | Knowledge::NoKind => None,
        Knowledge::Unknown => match api.get(object).await {
            Ok(Found::Object(live)) => Some(live.into()),
            _ => None,
        },
    }
}

/// Whether an object, as it is, may be deleted.
pub(super) fn is_proven(removal: &Removal, live: &Value) -> bool {
    match &removal.proof {
        Proof::Label => live["metadata"]["labels"][MANAGED_BY.0] == MANAGED_BY.1,
        Proof::Field(path, value) => path.iter().fold(live, |place, field| &place[field.as_str()]) == value.as_str(),
    }
}

fn missing(proof: &Proof) -> String {
    match proof {
        Proof::Label => format!("it does not carry the label {}={}", MANAGED_BY.0, MANAGED_BY.1),
        Proof::Field(path, value) => format!("its {} is not {value}", path.last().map_or("", String::as_str)),
    }
}

/// What will not have gone by itself at a time, of all steps.
fn blockers_of(steps: &[Box<dyn Step>], world: &World, now: Timestamp) -> Vec<Blocked> {
    let (facts, since) = (&world.facts, now);
    let observed = Observed { facts, now, since };
    let of_step = steps.iter().flat_map(|step| Blocked::of(step.as_ref(), &observed));
    of_step.collect()
}
