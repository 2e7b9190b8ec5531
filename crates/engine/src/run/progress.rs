//! The state of one step of a run.

use berth_api::Resource;
use berth_procedure::{Assessment, Diagnosis, Step, StepId};
use jiff::Timestamp;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::teller::millis;
use crate::report::{Outcome, StepReport};

/// How far a step is in this run.
#[derive(Debug)]
pub(super) struct Progress {
    phase: Phase,
    /// When it began to be waited for, by the engine's clock.
    pub(super) since: Timestamp,
    /// The task that writes or acts for it.
    pub(super) task: Option<AbortHandle>,
    /// Failed attempts in a row.
    pub(super) attempts: u32,
    /// No new attempt before this.
    pub(super) retry: Option<Instant>,
    /// The kind whose change may end the wait for [`Self::retry`] early.
    pub(super) stuck_on: Option<&'static Resource>,
    /// When to assess again even if nothing changes.
    pub(super) look_at: Option<Instant>,
    /// What was last told of it.
    pub(super) shown: Option<Assessment>,
}

#[derive(Debug)]
enum Phase {
    Idle,
    Begun { at: Instant },
    Ended { outcome: Outcome, took_millis: u64 },
}

impl Progress {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            phase: Phase::Idle,
            since: now,
            task: None,
            attempts: 0,
            retry: None,
            stuck_on: None,
            look_at: None,
            shown: None,
        }
    }

    pub(super) fn begin(&mut self, now: Timestamp) {
        self.phase = Phase::Begun { at: Instant::now() };
        self.since = now;
    }

    /// Ends the step; says after how many milliseconds.
    pub(super) fn end(&mut self, outcome: Outcome) -> u64 {
        let took_millis = self.took_millis();
        self.phase = Phase::Ended { outcome, took_millis };
        (self.retry, self.look_at) = (None, None);
        if let Some(task) = self.task.take() {
            task.abort();
        }
        took_millis
    }

    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.phase, Phase::Idle)
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended { .. })
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(
            self.phase,
            Phase::Ended {
                outcome: Outcome::Ready { .. },
                ..
            }
        )
    }

    /// Whether it will never be ready in this run.
    pub(super) fn is_lost(&self) -> bool {
        self.has_ended() && !self.is_ready()
    }

    /// Whether another attempt has to wait.
    pub(super) fn is_backing_off(&self) -> bool {
        self.retry.is_some_and(|retry| retry > Instant::now())
    }

    /// The last attempt went through.
    pub(super) fn succeeded(&mut self) {
        (self.attempts, self.retry, self.stuck_on) = (0, None, None);
    }

    pub(super) fn report(&self, step: &dyn Step) -> StepReport {
        let outcome = match &self.phase {
            Phase::Idle => Outcome::NotBegun {
                after: step
                    .after()
                    .into_iter()
                    .map(|after| after.step)
                    .collect::<Vec<StepId>>(),
            },
            Phase::Begun { .. } => self.unfinished(),
            Phase::Ended { outcome, .. } => outcome.clone(),
        };
        StepReport {
            id: step.id().clone(),
            title: step.title(),
            outcome,
            took_millis: self.took_millis(),
        }
    }

    fn unfinished(&self) -> Outcome {
        let (waiting, diagnosis) = match &self.shown {
            Some(Assessment::Waiting { detail, .. }) => (detail.clone(), None),
            Some(Assessment::Blocked { diagnosis, .. } | Assessment::Fatal { diagnosis }) => {
                (diagnosis.title.clone(), Some(diagnosis.clone()))
            }
            Some(Assessment::Ready { .. }) | None => (String::new(), None::<Diagnosis>),
        };
        Outcome::Unfinished { waiting, diagnosis }
    }

    fn took_millis(&self) -> u64 {
        match &self.phase {
            Phase::Idle => 0,
            Phase::Begun { at } => millis(at.elapsed()),
            Phase::Ended { took_millis, .. } => *took_millis,
        }
    }
}
