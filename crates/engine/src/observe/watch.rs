//! One selection's task: list, watch from there, and begin again when the watch can't go on.
//!
//! A kind that is missing is opened when its definition appears; a kind that can be listed but not watched (a virtual
//! resource) is listed again when other objects change, though not often, and now and then even if none does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use berth_procedure::{Seen, Selector, Target};
use futures::{FutureExt, Stream, StreamExt};
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::sync::{mpsc, watch as signal};
use tokio::time::{self, Instant};

use super::Sighting;
use crate::api::{Api, Listed, RequestError, RequestErrorKind};
use crate::backoff;
use crate::engine::Engine;

/// A kind that is missing or refused is asked for again after this long even if nothing tells of it: aggregated APIs come
/// without a definition, and roles change.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// What can't be watched is listed at most this often while other objects change, ...
const RELIST: Duration = Duration::from_secs(5);

/// ... and at least this often, for what changes on its own.
const RELIST_QUIET: Duration = Duration::from_mins(1);

/// A watch that the server closes sooner than this, with nothing told, was not really had.
const SHORT: Duration = Duration::from_secs(1);

/// So many attempts at a first list fail before the selection counts as unreadable: a plan's patience.
const ATTEMPTS: u32 = 4;

/// A definition is told of when it is made, and served a moment later.
const SERVED_WITHIN: u32 = 5;

pub(super) struct Watch {
    pub(super) api: Api,
    pub(super) engine: Engine,
    pub(super) selector: Selector,
    pub(super) outbox: mpsc::Sender<Sighting>,
    pub(super) definitions: signal::Receiver<BTreeMap<String, u64>>,
    pub(super) stirred: signal::Receiver<u64>,
}

/// How a watch ended.
enum Ended {
    /// The server closed it: go on from the last version.
    Closed,
    /// The last version is too old, or the stream broke: list again.
    Broken(RequestError),
    /// The kind can't be watched.
    Unwatchable,
}

type Objects = BTreeMap<(String, String), Arc<Value>>;

/// Tells what the selection shows, for as long as the owner listens.
pub(super) async fn watch(mut watch: Watch) {
    let mut attempt = 0;
    let mut shown = false;
    loop {
        match watch.api.list(&watch.selector).await {
            Ok(listed) => {
                shown = true;
                attempt = watch.follow(listed, attempt).await;
            }
            Err(error) => {
                attempt += 1;
                watch.failed(&error, attempt, shown).await;
            }
        }
        if watch.outbox.is_closed() {
            return;
        }
    }
}

impl Watch {
    /// Follows a selection from a list on, until it must be listed again. Returns how many attempts failed in a row.
    async fn follow(&mut self, listed: Listed, mut attempt: u32) -> u32 {
        let mut version = listed.version;
        let items: Vec<_> = listed.items.into_iter().map(Arc::new).collect();
        let mut objects: Objects = items.iter().map(|item| (key(item), Arc::clone(item))).collect();
        // All of them: computed kinds may have several of one name, one from each source.
        self.say(Seen::Objects(items), version.parse().ok()).await;
        loop {
            let (opened, from) = (Instant::now(), version.clone());
            let ended = self.stream(&mut objects, &mut version).await;
            if opened.elapsed() >= SHORT || version != from {
                attempt = 0;
            }
            match ended {
                Ended::Closed if opened.elapsed() < SHORT && version == from => {
                    attempt += 1;
                    time::sleep(backoff::delay(attempt, None, &self.engine.connection().random)).await;
                }
                Ended::Closed => {}
                Ended::Unwatchable => {
                    self.stirred.mark_unchanged();
                    time::sleep(RELIST).await;
                    // A timeout and a closed channel alike mean: ask again; whether the owner is gone, the caller finds out.
                    let _ = time::timeout(RELIST_QUIET, self.stirred.changed()).await;
                    return 0;
                }
                Ended::Broken(error) if error.kind == RequestErrorKind::Expired => return 0,
                Ended::Broken(error) => {
                    self.retry(&error, attempt + 1).await;
                    return attempt + 1;
                }
            }
            if self.outbox.is_closed() {
                return 0;
            }
        }
    }

    async fn stream(&self, objects: &mut Objects, version: &mut String) -> Ended {
        let events = match self.api.watch(&self.selector, version).await {
            Ok(events) => events,
            Err(error) if matches!(error.kind, RequestErrorKind::NotAllowed | RequestErrorKind::Forbidden) => {
                return Ended::Unwatchable;
            }
            Err(error) => return Ended::Broken(error),
        };
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            if let Err(ended) = take(event, objects, version) {
                return ended;
            }
            // What is there already is told at once with it: a burst of events is one change to the owner.
            let more = drain(events.as_mut(), objects, version);
            self.tell(objects, version).await;
            if let Err(ended) = more {
                return ended;
            }
        }
        Ended::Closed
    }

    async fn failed(&mut self, error: &RequestError, attempt: u32, shown: bool) {
        use RequestErrorKind as Kind;
        match error.kind {
            Kind::NoKind | Kind::NotFound => {
                self.say(Seen::NoKind, None).await;
                self.until_defined(attempt).await;
            }
            Kind::Busy | Kind::Unreachable | Kind::Expired => {
                // A run begins when the management cluster is read. A guest may be out of reach for good, which is told at once.
                let patience = if self.selector.target == Target::Management {
                    ATTEMPTS
                } else {
                    1
                };
                if !shown && attempt >= patience {
                    self.say(Seen::Unreadable(error.told()), None).await;
                }
                self.retry(error, attempt).await;
            }
            _ => {
                self.say(Seen::Unreadable(error.told()), None).await;
                time::sleep(LOOK_AGAIN).await;
            }
        }
    }

    /// Waits until the kind may be there.
    async fn until_defined(&mut self, attempt: u32) {
        let resource = self.selector.resource;
        let name = format!("{}.{}", resource.plural, resource.group);
        let known = self.definitions.borrow().get(&name).copied();
        if known.is_some() && attempt <= SERVED_WITHIN {
            return time::sleep(backoff::delay(attempt, None, &self.engine.connection().random)).await;
        }
        let changed = self
            .definitions
            .wait_for(|definitions| definitions.get(&name).copied() != known);
        // Both a timeout and a closed channel mean the same: ask again.
        let _ = time::timeout(LOOK_AGAIN, changed).await;
    }

    async fn retry(&self, error: &RequestError, attempt: u32) {
        let delay = backoff::delay(attempt, error.retry_after, &self.engine.connection().random);
        let sighting = Sighting::retrying(error.attempt.clone(), error.told(), attempt, delay);
        let _ = self.outbox.send(sighting).await;
        time::sleep(delay).await;
    }

    async fn tell(&self, objects: &Objects, version: &str) {
        self.say(Seen::Objects(objects.values().cloned().collect()), version.parse().ok())
            .await;
    }

    async fn say(&self, seen: Seen, version: Option<u64>) {
        // The owner may be gone; the loop finds out.
        let _ = self
            .outbox
            .send(Sighting::Seen {
                selector: self.selector.clone(),
                seen,
                version,
            })
            .await;
    }
}

/// Counts changes of custom resource definitions, by name. A user who may not see them waits for [`LOOK_AGAIN`] instead.
pub(super) async fn watch_definitions(api: Api, engine: Engine, definitions: signal::Sender<BTreeMap<String, u64>>) {
    let mut attempt = 0;
    loop {
        match api.watch_definitions().await {
            Ok(events) => {
                attempt = 0;
                let mut events = std::pin::pin!(events);
                while let Some(Ok(event)) = events.next().await {
                    if let WatchEvent::Added(object) | WatchEvent::Modified(object) = event
                        && let Some(name) = object["metadata"]["name"].as_str()
                    {
                        definitions.send_modify(|counts| *counts.entry(name.to_owned()).or_default() += 1);
                    }
                }
            }
            Err(error) => tracing::debug!(error = %error.told(), "custom resource definitions can't be watched"),
        }
        attempt += 1;
        time::sleep(backoff::delay(attempt, None, &engine.connection().random)).await;
    }
}

fn drain(
    mut events: std::pin::Pin<&mut impl Stream<Item = Result<WatchEvent<Value>, RequestError>>>,
    objects: &mut Objects,
    version: &mut String,
) -> Result<(), Ended> {
    while let Some(Some(event)) = events.next().now_or_never() {
        take(event, objects, version)?;
    }
    Ok(())
}

fn take(
    event: Result<WatchEvent<Value>, RequestError>,
    objects: &mut Objects,
    version: &mut String,
) -> Result<(), Ended> {
    match event.map_err(Ended::Broken)? {
        WatchEvent::Added(object) | WatchEvent::Modified(object) => {
            advance(version, &object);
            objects.insert(key(&object), Arc::new(object));
        }
        WatchEvent::Deleted(object) => {
            advance(version, &object);
            objects.remove(&key(&object));
        }
        WatchEvent::Bookmark(bookmark) => *version = bookmark.metadata.resource_version,
        WatchEvent::Error(status) => {
            return Err(Ended::Broken(RequestError::from_client(
                "watch",
                kube::Error::Api(status),
            )));
        }
    }
    Ok(())
}

fn advance(version: &mut String, object: &Value) {
    if let Some(seen) = object["metadata"]["resourceVersion"].as_str() {
        seen.clone_into(version);
    }
}

fn key(object: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&object["metadata"]["namespace"]),
        text(&object["metadata"]["name"]),
    )
}
