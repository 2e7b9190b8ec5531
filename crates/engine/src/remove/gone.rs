//! Waits until a deleted object is gone, and says what holds it.

use std::collections::BTreeSet;
use std::time::Duration;

use berth_procedure::{ObjectRef, Scope, Selector, Step, StepId};
use serde_json::Value;
use tokio::time::{self, Instant};

use super::run::Removing;
use super::tell::{Stand, Told};
use crate::api::Found;
use crate::event::What;
use crate::known::{Knowledge, World, is_terminating};
use crate::object::ObjectName;
use crate::observe::{Sighting, Watcher};

/// What holds an object is told again at most this often while nothing else about it changes.
const TELL_AGAIN: Duration = Duration::from_secs(30);

/// An object that no watch tells of is looked at after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// A time to look again that has passed already is put off by this much.
const SOON: Duration = Duration::from_millis(100);

/// What one lock's removals watch, and what was told of them.
pub(super) struct Sight<'a> {
    pub(super) watcher: Watcher,
    pub(super) world: World,
    /// Selections on the management cluster that have shown nothing yet.
    pub(super) unread: BTreeSet<Selector>,
    /// What is to be watched in guests, once they can be spoken to.
    pub(super) in_guests: BTreeSet<Selector>,
    pub(super) steps: Vec<&'a dyn Step>,
    pub(super) told: Told<'a>,
}

impl Removing<'_> {
    /// Waits until the object with this UID is gone, and tells what holds it.
    pub(super) async fn until_gone(&self, object: &ObjectRef, uid: &str, sight: &mut Sight<'_>) {
        let mut told: Option<(String, Instant)> = None;
        loop {
            while let Some(sighting) = sight.watcher.ready() {
                sight.take(sighting);
            }
            let stand = self.look(sight).await;
            match sight.world.knowledge(object) {
                Knowledge::Object(live) if live["metadata"]["uid"] == uid => {
                    // The deletion may not have come back by the watch yet.
                    if is_terminating(&live) {
                        self.tell_of(object, &live, &stand, sight, &mut told).await;
                    }
                }
                Knowledge::Unknown => {}
                Knowledge::Object(_) | Knowledge::Absent | Knowledge::NoKind => return,
            }
            let soon = stand.look_at.map(|at| at.duration_since(self.engine.now()));
            let soon = soon.map_or(LOOK_AGAIN, |soon| {
                Duration::try_from(soon).unwrap_or_default().clamp(SOON, LOOK_AGAIN)
            });
            match time::timeout(soon, sight.watcher.next()).await {
                Ok(sighting) => sight.take(sighting),
                Err(_) if soon < LOOK_AGAIN => {}
                // Where the object can't be watched, nobody tells of its end.
                Err(_) => match self.api.get(object).await {
                    Ok(Found::Object(live)) if live["metadata"]["uid"] == uid => {}
                    Ok(_) => return,
                    Err(error) => tracing::debug!(error = %error.told(), "a deleted object could not be read"),
                },
            }
        }
    }

    /// How far the steps are, once there is enough to judge by.
    async fn look(&self, sight: &mut Sight<'_>) -> Stand {
        if !sight.unread.is_empty() {
            return Stand::default();
        }
        let stand = sight.told.look(self.engine, &sight.world, &self.teller).await;
        let mut state = self.state();
        let ids: BTreeSet<&StepId> = sight.steps.iter().map(|step| step.id()).collect();
        state.blockers.retain(|blocked| !ids.contains(&blocked.step));
        state.blockers.extend(stand.blockers.iter().cloned());
        drop(state);
        stand
    }

    /// Notes what an object waits for. It is told by itself only where no step has anything to say of it.
    async fn tell_of(
        &self,
        object: &ObjectRef,
        live: &Value,
        stand: &Stand,
        sight: &Sight<'_>,
        told: &mut Option<(String, Instant)>,
    ) {
        let detail = stand.detail.clone().unwrap_or_else(|| holds(live, &sight.world));
        let object = ObjectName::from(object);
        self.state()
            .waiting
            .insert(object.clone(), format!("{object}: {detail}"));
        let news = told
            .as_ref()
            .is_none_or(|(last, at)| *last != detail || at.elapsed() >= TELL_AGAIN);
        if stand.detail.is_some() || !news {
            return;
        }
        *told = Some((detail.clone(), Instant::now()));
        self.teller.tell(What::RemovalWaiting { object, detail }).await;
    }
}

impl Sight<'_> {
    /// Takes in what a watch tells, and opens what can be watched now.
    fn take(&mut self, sighting: Sighting) {
        match sighting {
            Sighting::Seen {
                selector,
                seen,
                version,
            } => {
                if *self.world.facts.seen(&selector) != seen {
                    self.watcher.stir();
                }
                self.unread.remove(&selector);
                self.world.observe(selector, seen, version);
                for (target, kubeconfig) in self.steps.iter().flat_map(|step| step.kubeconfigs(&self.world.facts)) {
                    self.watcher.connect(&target, &kubeconfig);
                }
            }
            Sighting::Connected { target, api } => {
                let selectors: Vec<Selector> = self
                    .in_guests
                    .iter()
                    .filter(|selector| selector.target == target)
                    .cloned()
                    .collect();
                self.watcher.open(&target, &api, selectors);
            }
            // A guest that is going stops answering: that is no news.
            Sighting::Retrying { .. } => {}
        }
    }
}

/// What holds an object that is being deleted, for people.
fn holds(live: &Value, world: &World) -> String {
    let mut parts = Vec::new();
    let finalizers: Vec<_> = texts(&live["metadata"]["finalizers"])
        .chain(texts(&live["spec"]["finalizers"]))
        .collect();
    if !finalizers.is_empty() {
        parts.push(format!("finalizers {}", finalizers.join(", ")));
    }
    let conditions = live["status"]["conditions"].as_array().into_iter().flatten();
    for condition in conditions.filter(|condition| is_remaining(live, condition)) {
        parts.extend(condition["message"].as_str().map(str::to_owned));
    }
    let dependents = world.dependents(live);
    if !dependents.is_empty() {
        parts.push(format!("still there: {}", dependents.join(", ")));
    }
    if let Some(since) = live["metadata"]["deletionTimestamp"].as_str() {
        parts.push(format!("being deleted since {since}"));
    }
    parts.join("; ")
}

/// A namespace says in its conditions what is still in it.
fn is_remaining(live: &Value, condition: &Value) -> bool {
    live["kind"] == "Namespace" && condition["status"] == "True"
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The selection of one object.
pub(super) fn named(object: &ObjectRef) -> Selector {
    let scope = Scope::Named {
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    };
    Selector {
        target: object.target.clone(),
        resource: object.resource,
        scope,
    }
}
