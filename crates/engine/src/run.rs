//! Runs the graph of steps: begins each when what it comes after is ready, writes, acts, waits and assesses until all are
//! done.
//!
//! One loop owns all state (`Run`). Tasks do the I/O and send messages; the loop takes them in, then looks at each step that
//! this may concern (`advance`, `assess`). It is level-triggered: an event only says which steps to look at, and what they do
//! depends on what is there, so a run that was killed is continued by running again. `graph` is what does not change,
//! `progress` the state of one step, `tasks` what is done beside the loop.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use berth_procedure::{
    Change, Effect, EffectFailure, Lock, ObjectRef, Outcome as EffectOutcome, Selector, Step, StepId, Target,
};
use futures::future;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{self, Instant};

use crate::api::Api;
use crate::engine::{Engine, Limits};
use crate::event::{Event, StepTitle, What};
use crate::known::World;
use crate::leases::{Lease, LeaseNews};
use crate::observe::Watcher;
use crate::plan::Plan;
use crate::report::Report;
use crate::work::{Settled, WorkError};

mod advance;
mod assess;
mod error;
mod graph;
mod inbox;
mod interest;
mod locks;
mod progress;
mod tasks;
mod teller;

pub use error::RunError;
use graph::Graph;
use interest::Interest;
use locks::Locks;
use progress::Progress;
pub(crate) use teller::{Teller, millis};

/// Tasks are so many messages ahead of the loop at most; each has one or two to send at a time.
const AHEAD: usize = 64;

/// What tasks tell the loop.
#[derive(Debug)]
enum Message {
    Lease {
        lock: Lock,
        news: LeaseNews,
    },
    Settled {
        step: usize,
        change: Change,
        settled: Settled,
    },
    Looked {
        step: usize,
        is_open: bool,
    },
    WorkEnded {
        step: usize,
        object: Option<ObjectRef>,
        result: Result<(), WorkError>,
    },
    EffectEnded {
        step: usize,
        effect: Effect,
        already: bool,
        result: Result<EffectOutcome, EffectFailure>,
    },
}

/// How a run comes to its end.
enum End {
    Done,
    TimedOut(Duration),
    Interrupted,
}

/// All state of a run.
struct Run<'a> {
    engine: &'a Engine,
    steps: &'a [Box<dyn Step>],
    graph: Graph,
    progress: Vec<Progress>,
    /// The steps to look at.
    due: BTreeSet<usize>,
    /// The guests that are worked on.
    busy: BTreeSet<Lock>,
    interest: Interest,
    world: World,
    watcher: Watcher,
    apis: BTreeMap<Target, Api>,
    /// Selections of the management cluster that have not shown anything yet.
    unread: BTreeSet<Selector>,
    locks: Locks,
    tasks: JoinSet<()>,
    outbox: mpsc::Sender<Message>,
    inbox: mpsc::Receiver<Message>,
    teller: Teller,
    began: Instant,
    writes: usize,
    /// How often each object was written: somebody who keeps changing it back is noticed.
    written: BTreeMap<ObjectRef, u32>,
}

impl Engine {
    /// Runs steps until all are ready. The plan is what was shown to the user: one that holds refusals, or that was made
    /// for another server, is not run. With nothing to write, nothing is written and no lease is taken.
    ///
    /// Dropping the future stops the run at once, as a kill does; `limits.interrupted` also gives the leases back.
    pub async fn run(
        &self,
        steps: &[Box<dyn Step>],
        plan: &Plan,
        events: mpsc::Sender<Event>,
        limits: Limits,
    ) -> Result<Report, RunError> {
        self.admit(plan)?;
        let stuck = never_begun(steps);
        if !stuck.is_empty() {
            return Err(RunError::Cycle { steps: stuck });
        }
        let mut run = Run::new(self, steps, events);
        let titles = steps
            .iter()
            .map(|step| StepTitle {
                id: step.id().clone(),
                title: step.title(),
            })
            .collect();
        let url = self.connection().server.url.clone();
        run.teller
            .tell(What::RunStarted {
                url,
                steps: titles,
                writes: plan.writes(),
            })
            .await;
        for step in &plan.steps {
            for forecast in &step.forecast {
                let (step, forecast) = (step.id.clone(), forecast.clone());
                run.teller.tell(What::Forecast { step, forecast }).await;
            }
        }
        let end = run.until_done(limits).await;
        run.finish(end).await
    }

    fn admit(&self, plan: &Plan) -> Result<(), RunError> {
        let here = &self.connection().server.url;
        if plan.server.url != *here {
            return Err(RunError::ForeignPlan {
                planned: plan.server.url.clone(),
                here: here.clone(),
            });
        }
        let refusals: Vec<_> = plan
            .refusals()
            .map(|(step, write)| teller::refusal(step, write))
            .collect();
        if !refusals.is_empty() {
            return Err(RunError::Refused { refusals });
        }
        if self.connection().options.read_only && plan.writes() > 0 {
            return Err(RunError::ReadOnly);
        }
        Ok(())
    }
}

impl<'a> Run<'a> {
    fn new(engine: &'a Engine, steps: &'a [Box<dyn Step>], events: mpsc::Sender<Event>) -> Self {
        let (outbox, inbox) = mpsc::channel(AHEAD);
        let mut world = World::default();
        world.facts.server = engine.connection().server.clone();
        world.facts.now = engine.now();
        Self {
            engine,
            steps,
            graph: Graph::new(steps),
            due: (0..steps.len()).collect(),
            busy: BTreeSet::new(),
            interest: Interest::default(),
            progress: steps.iter().map(|_| Progress::new(engine.now())).collect(),
            world,
            watcher: Watcher::new(engine),
            apis: BTreeMap::from([(Target::Management, engine.management())]),
            unread: BTreeSet::new(),
            locks: Locks::default(),
            tasks: JoinSet::new(),
            outbox,
            inbox,
            teller: Teller::new(engine, events),
            began: Instant::now(),
            writes: 0,
            written: BTreeMap::new(),
        }
    }

    async fn until_done(&mut self, limits: Limits) -> End {
        let Limits {
            timeout,
            mut interrupted,
        } = limits;
        let deadline = timeout.map(|timeout| self.began + timeout);
        loop {
            self.world.facts.now = self.engine.now();
            self.advance().await;
            if self.progress.iter().all(Progress::has_ended) {
                return End::Done;
            }
            let wake = self.next_look();
            // Cancel safe: receiving from channels loses nothing, sleeping keeps no state, joining is safe by its contract.
            tokio::select! {
                biased;
                () = &mut interrupted => return End::Interrupted,
                () = until(deadline) => return End::TimedOut(timeout.unwrap_or_default()),
                Some(message) = self.inbox.recv() => self.take(message).await,
                sighting = self.watcher.next() => self.see(sighting).await,
                Some(ended) = self.tasks.join_next() => carry_on(ended),
                () = until(wake) => {}
            }
            self.take_more().await;
        }
    }

    /// Takes in all that has been told by now, so that steps are looked at once for it.
    async fn take_more(&mut self) {
        while let Ok(message) = self.inbox.try_recv() {
            self.take(message).await;
        }
        while let Some(sighting) = self.watcher.ready() {
            self.see(sighting).await;
        }
    }

    async fn finish(mut self, end: End) -> Result<Report, RunError> {
        self.tasks.abort_all();
        self.give_all_back().await;
        if let End::TimedOut(_) = end {
            self.explain_unfinished();
        }
        let report = self.report();
        let result = match end {
            End::Done if report.is_ready() => Ok(report),
            End::Done => Err(RunError::Failed {
                report: Box::new(report),
            }),
            End::TimedOut(after) => Err(RunError::TimedOut {
                after,
                report: Box::new(report),
            }),
            End::Interrupted => Err(RunError::Interrupted {
                report: Box::new(report),
            }),
        };
        let told = match &result {
            Ok(_) => "ready",
            Err(RunError::TimedOut { .. }) => "timedOut",
            Err(RunError::Interrupted { .. }) => "interrupted",
            Err(_) => "failed",
        };
        let took_millis = teller::millis(self.began.elapsed());
        self.teller
            .tell(What::RunFinished {
                result: told,
                writes: self.writes,
                took_millis,
            })
            .await;
        result
    }

    fn report(&self) -> Report {
        let each = self.steps.iter().zip(&self.progress);
        let steps = each.map(|(step, progress)| progress.report(step.as_ref())).collect();
        Report {
            steps,
            writes: self.writes,
            took_millis: teller::millis(self.began.elapsed()),
        }
    }

    /// All at once: a server that does not answer must not hold up the end of a run once for each guest.
    async fn give_all_back(&mut self) {
        let held: Vec<Lease> = self
            .locks
            .all()
            .iter()
            .filter(|lock| self.locks.forget(lock))
            .map(|lock| Lease::new(self.engine, lock))
            .collect();
        let released = future::join_all(held.iter().map(Lease::release)).await;
        for (lease, _) in held.iter().zip(released).filter(|(_, released)| *released) {
            let lease = lease.name().to_owned();
            self.teller.tell(What::LeaseReleased { lease }).await;
        }
    }

    async fn give_back(&mut self, lock: &Lock) {
        if self.locks.forget(lock) {
            let lease = Lease::new(self.engine, lock);
            if lease.release().await {
                self.teller
                    .tell(What::LeaseReleased {
                        lease: lease.name().to_owned(),
                    })
                    .await;
            }
        }
    }
}

/// Steps that wait for each other, or for those that do. What a run leaves out is taken to be ready.
fn never_begun(steps: &[Box<dyn Step>]) -> Vec<StepId> {
    let mut stuck: BTreeSet<&StepId> = steps.iter().map(|step| step.id()).collect();
    loop {
        let waits = |step: &dyn Step| step.after().iter().any(|dependency| stuck.contains(&dependency.step));
        let free: Vec<_> = steps
            .iter()
            .filter(|step| stuck.contains(step.id()) && !waits(step.as_ref()))
            .map(|step| step.id())
            .collect();
        if free.is_empty() {
            break;
        }
        stuck.retain(|id| !free.contains(id));
    }
    let in_order = steps.iter().filter(|step| stuck.contains(step.id()));
    in_order.map(|step| step.id().clone()).collect()
}

/// A task that was aborted is no news; one that panicked takes the run with it.
fn carry_on(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
