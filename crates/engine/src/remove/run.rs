//! Deletes, and waits until things are gone. Guests go side by side, the management cluster's own parts after them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use berth_procedure::{Lock, Removal, Selector, Step, Target};
use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{self, Instant};

use super::gone::{Sight, named};
use super::plan::{is_proven, removals_of};
use super::tell::Told;
use super::{Blocked, RemovalPlan, RemovalReport, RemoveError, RemovedObject};
use crate::api::{Api, Found, Mode, RequestError, RequestErrorKind};
use crate::backoff;
use crate::engine::{Engine, Limits};
use crate::event::{Event, StepTitle, What};
use crate::known::{World, is_terminating};
use crate::leases::{Lease, LeaseError, LeaseNews};
use crate::object::ObjectName;
use crate::observe::Watcher;
use crate::plan::Verb;
use crate::run::{Teller, millis};

/// A removal under way.
pub(super) struct Removing<'a> {
    pub(super) engine: &'a Engine,
    pub(super) api: Api,
    steps: &'a [Box<dyn Step>],
    pub(super) teller: Teller,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    removed: Vec<RemovedObject>,
    /// What is being waited for, and what holds it.
    pub(super) waiting: BTreeMap<ObjectName, String>,
    /// What will not go by itself.
    pub(super) blockers: Vec<Blocked>,
}

/// Why one object did not go.
enum Stop {
    Request {
        object: ObjectName,
        source: Box<RequestError>,
    },
    Lease(LeaseError),
}

impl Engine {
    /// Deletes what the plan shows, in its order, and waits until it is gone. What has appeared since the plan was made is
    /// left alone; no finalizer is ever stripped.
    pub async fn remove(
        &self,
        steps: &[Box<dyn Step>],
        plan: &RemovalPlan,
        events: mpsc::Sender<Event>,
        limits: Limits,
    ) -> Result<RemovalReport, RemoveError> {
        if self.connection().options.read_only && !plan.is_empty() {
            return Err(RemoveError::ReadOnly);
        }
        let world = self.read_world(steps, &[]).await?;
        let shown: BTreeSet<&ObjectName> = plan
            .removals
            .iter()
            .filter(|removal| removal.left.is_none())
            .map(|removal| &removal.object)
            .collect();
        let mut removals = removals_of(steps, &world);
        removals.retain(|(_, removal)| shown.contains(&ObjectName::from(&removal.object)));
        let removing = Removing {
            engine: self,
            api: self.management(),
            steps,
            teller: Teller::new(self, events),
            began: Instant::now(),
            state: Mutex::new(State::default()),
        };
        removing.until_done(removals, limits).await
    }
}

impl Removing<'_> {
    async fn until_done(&self, removals: Vec<(Lock, Removal)>, limits: Limits) -> Result<RemovalReport, RemoveError> {
        let Limits {
            timeout,
            mut interrupted,
        } = limits;
        self.begin(removals.len()).await;
        let all: Vec<ObjectName> = removals.iter().map(|(_, removal)| (&removal.object).into()).collect();
        let locks: BTreeSet<Lock> = removals.iter().map(|(lock, _)| lock.clone()).collect();
        let time_is_over = async {
            match timeout {
                Some(timeout) => time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        // Dropping the work midway is safe: each of its requests may be made again.
        let ended = tokio::select! {
            biased;
            () = &mut interrupted => Err(RemoveError::Interrupted { report: Box::default() }),
            () = time_is_over => Err(RemoveError::TimedOut { waiting: self.waiting(), blockers: self.blockers(), report: Box::default() }),
            stopped = self.all(removals) => stopped.map_err(|stop| match stop {
                Stop::Lease(error) => RemoveError::Lease(error),
                Stop::Request { object, source } => RemoveError::Delete { object, source, report: Box::default() },
            }),
        };
        if ended.is_err() {
            for lock in &locks {
                Lease::new(self.engine, lock).release().await;
            }
        }
        self.finish(all, ended).await
    }

    async fn begin(&self, writes: usize) {
        let titles = self.steps.iter().map(|step| StepTitle {
            id: step.id().clone(),
            title: step.title(),
        });
        let (url, steps) = (self.engine.connection().server.url.clone(), titles.collect());
        self.teller.tell(What::RunStarted { url, steps, writes }).await;
    }

    async fn finish(&self, all: Vec<ObjectName>, ended: Result<(), RemoveError>) -> Result<RemovalReport, RemoveError> {
        let removed = std::mem::take(&mut self.state().removed);
        let remaining = all
            .into_iter()
            .filter(|object| removed.iter().all(|removed| removed.object != *object))
            .collect();
        let (writes, took_millis) = (removed.len(), millis(self.began.elapsed()));
        let made = RemovalReport {
            removed,
            remaining,
            took_millis,
        };
        let (result, told) = match ended {
            Ok(()) => (Ok(made), "ready"),
            Err(RemoveError::Interrupted { .. }) => {
                (Err(RemoveError::Interrupted { report: Box::new(made) }), "interrupted")
            }
            Err(RemoveError::TimedOut { waiting, blockers, .. }) => (
                Err(RemoveError::TimedOut {
                    waiting,
                    blockers,
                    report: Box::new(made),
                }),
                "timedOut",
            ),
            Err(RemoveError::Delete { object, source, .. }) => (
                Err(RemoveError::Delete {
                    object,
                    source,
                    report: Box::new(made),
                }),
                "failed",
            ),
            Err(error) => (Err(error), "failed"),
        };
        self.teller
            .tell(What::RunFinished {
                result: told,
                writes,
                took_millis,
            })
            .await;
        result
    }

    /// Guests first, side by side; then what the whole management cluster feels.
    async fn all(&self, removals: Vec<(Lock, Removal)>) -> Result<(), Stop> {
        let mut groups: BTreeMap<Lock, Vec<Removal>> = BTreeMap::new();
        for (lock, removal) in removals {
            groups.entry(lock).or_default().push(removal);
        }
        let hub = groups.remove(&Lock::Hub);
        let at_once = self.engine.connection().options.parallel_guests.get();
        let guests = stream::iter(groups)
            .map(|(lock, removals)| self.group(lock, removals))
            .buffer_unordered(at_once);
        let ended: Vec<Result<(), Stop>> = guests.collect().await;
        ended.into_iter().collect::<Result<(), Stop>>()?;
        match hub {
            Some(removals) => self.group(Lock::Hub, removals).await,
            None => Ok(()),
        }
    }

    /// One lock's removals, in order, while the lease is held; from the beginning where it was lost midway.
    async fn group(&self, lock: Lock, removals: Vec<Removal>) -> Result<(), Stop> {
        let lease = Lease::new(self.engine, &lock);
        loop {
            let (sender, mut news) = mpsc::channel(8);
            let mut keeper = JoinSet::new();
            keeper.spawn(lease.clone().hold(sender, |news| news));
            self.taken(&lease, &mut news).await?;
            // Cancel safe: each request of the work may be made again, receiving loses nothing.
            tokio::select! {
                biased;
                () = lost(&mut news) => {}
                ended = self.in_order(&lock, &removals) => {
                    keeper.shutdown().await;
                    match lock {
                        // What the lease stood for is gone.
                        Lock::Guest { .. } if ended.is_ok() => lease.discard().await,
                        Lock::Guest { .. } | Lock::Hub => { lease.release().await; }
                    }
                    self.teller.tell(What::LeaseReleased { lease: lease.name().to_owned() }).await;
                    return ended;
                }
            }
        }
    }

    async fn taken(&self, lease: &Lease, news: &mut mpsc::Receiver<LeaseNews>) -> Result<(), Stop> {
        while let Some(news) = news.recv().await {
            if let Some(event) = news.event(lease.name()) {
                self.teller.tell(event).await;
            }
            match news {
                LeaseNews::Taken { .. } => return Ok(()),
                LeaseNews::Failed(error) => return Err(Stop::Lease(error)),
                _ => {}
            }
        }
        Ok(())
    }

    async fn in_order(&self, lock: &Lock, removals: &[Removal]) -> Result<(), Stop> {
        let began = Instant::now();
        let mut sight = self.sight(lock, removals);
        for step in &sight.steps {
            self.teller
                .tell(What::StepStarted {
                    step: step.id().clone(),
                })
                .await;
        }
        for removal in removals {
            let began = Instant::now();
            let Some(uid) = self.ask(removal).await? else { continue };
            self.until_gone(&removal.object, &uid, &mut sight).await;
            let (object, took_millis) = (ObjectName::from(&removal.object), millis(began.elapsed()));
            {
                let mut state = self.state();
                state.waiting.remove(&object);
                state.removed.push(RemovedObject {
                    object: object.clone(),
                    took_millis,
                });
            }
            self.teller.tell(What::Removed { object, took_millis }).await;
        }
        for step in &sight.steps {
            let (step, outputs, took_millis) = (step.id().clone(), BTreeMap::new(), millis(began.elapsed()));
            self.teller
                .tell(What::StepReady {
                    step,
                    outputs,
                    took_millis,
                })
                .await;
        }
        Ok(())
    }

    /// Opens what a lock's steps watch, and what they remove.
    fn sight(&self, lock: &Lock, removals: &[Removal]) -> Sight<'_> {
        let steps = || self.steps.iter().map(Box::as_ref).filter(|step| step.lock() == *lock);
        let all: BTreeSet<Selector> = steps().flat_map(Step::watches).collect();
        let (hub, in_guests): (BTreeSet<_>, BTreeSet<_>) = all
            .into_iter()
            .partition(|selector| selector.target == Target::Management);
        let mut watcher = Watcher::new(self.engine);
        let named = removals.iter().map(|removal| named(&removal.object));
        watcher.open(&Target::Management, &self.api, hub.iter().cloned().chain(named));
        Sight {
            watcher,
            world: World::default(),
            unread: hub,
            in_guests,
            steps: steps().collect(),
            told: Told::new(steps().collect(), self.engine.now()),
        }
    }

    /// Asks for the deletion of an object; its UID, or nothing where it is gone or not ours.
    async fn ask(&self, removal: &Removal) -> Result<Option<String>, Stop> {
        let mut attempt = 0;
        loop {
            let error = match self.try_ask(removal).await {
                Ok(uid) => return Ok(uid),
                Err(error) => error,
            };
            let object = ObjectName::from(&removal.object);
            if !error.is_transient() {
                return Err(Stop::Request {
                    object,
                    source: Box::new(error),
                });
            }
            attempt += 1;
            let delay = backoff::delay(attempt, error.retry_after, &self.engine.connection().random);
            let (what, next_millis) = (error.attempt.clone(), millis(delay));
            self.teller
                .tell(What::Retrying {
                    step: None,
                    what,
                    cause: error.told(),
                    attempt,
                    next_millis,
                })
                .await;
            time::sleep(delay).await;
        }
    }

    async fn try_ask(&self, removal: &Removal) -> Result<Option<String>, RequestError> {
        let object = &removal.object;
        let Found::Object(live) = self.api.get(object).await? else {
            return Ok(None);
        };
        if !is_proven(removal, &live) {
            return Ok(None);
        }
        let uid = live["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        if is_terminating(&live) {
            return Ok(Some(uid));
        }
        if let Some(before) = &removal.before {
            match self.api.merge(object, before, Mode::Write).await {
                Err(error) if matches!(error.kind, RequestErrorKind::NotFound | RequestErrorKind::NoKind) => {
                    return Ok(None);
                }
                patched => patched.map(|_| ())?,
            }
        }
        self.api.delete(object, &uid).await?;
        let wrote = What::Wrote {
            step: None,
            object: object.into(),
            verb: Verb::Delete,
            fields: Vec::new(),
        };
        self.teller.tell(wrote).await;
        Ok(Some(uid))
    }

    fn waiting(&self) -> Vec<String> {
        self.state().waiting.values().cloned().collect()
    }

    /// The innermost of what would not have gone by itself, each once.
    fn blockers(&self) -> Vec<Blocked> {
        self.state().blockers.clone()
    }

    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn lost(news: &mut mpsc::Receiver<LeaseNews>) {
    while let Some(told) = news.recv().await {
        if matches!(told, LeaseNews::Lost) {
            return;
        }
    }
    std::future::pending::<()>().await;
}
