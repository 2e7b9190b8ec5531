//! Waits until a deleted object is gone, and says what holds it.

use std::time::Duration;

use berth_procedure::{ObjectRef, Scope, Selector};
use serde_json::Value;
use tokio::time::{self, Instant};

use super::run::Removing;
use crate::api::Found;
use crate::event::What;
use crate::known::{Knowledge, World, is_terminating};
use crate::object::ObjectName;
use crate::observe::{Sighting, Watcher};

/// What holds an object is told again at most this often while nothing else about it changes.
const TELL_AGAIN: Duration = Duration::from_secs(30);

/// An object that no watch tells of is looked at after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

impl Removing<'_> {
    /// Waits until the object with this UID is gone, and tells what holds it.
    pub(super) async fn until_gone(&self, object: &ObjectRef, uid: &str, world: &mut World, watcher: &mut Watcher) {
        let mut told: Option<(String, Instant)> = None;
        loop {
            while let Some(sighting) = watcher.ready() {
                observe(world, watcher, sighting);
            }
            match world.knowledge(object) {
                Knowledge::Object(live) if live["metadata"]["uid"] == uid => {
                    let detail = holds(&live, world);
                    let news = told
                        .as_ref()
                        .is_none_or(|(last, at)| *last != detail || at.elapsed() >= TELL_AGAIN);
                    // The deletion may not have come back by the watch yet.
                    if news && is_terminating(&live) {
                        let object = ObjectName::from(object);
                        self.state()
                            .waiting
                            .insert(object.clone(), format!("{object}: {detail}"));
                        self.teller
                            .tell(What::RemovalWaiting {
                                object,
                                detail: detail.clone(),
                            })
                            .await;
                        told = Some((detail, Instant::now()));
                    }
                }
                Knowledge::Unknown => {}
                Knowledge::Object(_) | Knowledge::Absent | Knowledge::NoKind => return,
            }
            match time::timeout(LOOK_AGAIN, watcher.next()).await {
                Ok(sighting) => observe(world, watcher, sighting),
                // Where the object can't be watched, nobody tells of its end.
                Err(_) => match self.api.get(object).await {
                    Ok(Found::Object(live)) if live["metadata"]["uid"] == uid => {}
                    Ok(_) => return,
                    Err(error) => tracing::debug!(error = %error.told(), "a deleted object could not be read"),
                },
            }
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

fn observe(world: &mut World, watcher: &Watcher, sighting: Sighting) {
    if let Sighting::Seen {
        selector,
        seen,
        version,
    } = sighting
    {
        if *world.facts.seen(&selector) != seen {
            watcher.stir();
        }
        world.observe(selector, seen, version);
    }
}
