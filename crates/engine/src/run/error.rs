//! Why a run did not get every step ready.

use std::time::Duration;

use berth_procedure::StepId;

use crate::report::{Outcome, Report};

/// Why a run did not get every step ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The plan is for another server.
    #[error("the plan is for {planned}, and this is {here}")]
    ForeignPlan {
        /// The plan's server.
        planned: String,
        /// The engine's.
        here: String,
    },
    /// The plan holds writes that will be refused; nothing was written.
    #[error("nothing was written: {}", refusals.join("; "))]
    Refused {
        /// Each of them, for people.
        refusals: Vec<String>,
    },
    /// Steps wait for each other, so that none of them would ever begin; nothing was written.
    #[error("nothing was written: the steps {} wait for each other", steps.iter().map(|step| format!("`{step}`")).collect::<Vec<_>>().join(", "))]
    Cycle {
        /// The steps that could never begin, in order.
        steps: Vec<StepId>,
    },
    /// The plan holds writes, and this engine never writes.
    #[error("nothing was written: read-only")]
    ReadOnly,
    /// Steps failed. All that did not depend on them went on.
    #[error("{} failed", failed_steps(report))]
    Failed {
        /// What became of each step.
        report: Box<Report>,
    },
    /// The time was over.
    #[error("timed out after {} s", after.as_secs())]
    TimedOut {
        /// The time that was given.
        after: Duration,
        /// What became of each step, with what was last seen of each unfinished one.
        report: Box<Report>,
    },
    /// The user stopped it. It is safe to run again.
    #[error("interrupted; safe to run again")]
    Interrupted {
        /// What became of each step.
        report: Box<Report>,
    },
}

fn failed_steps(report: &Report) -> String {
    let failed = report
        .steps
        .iter()
        .filter(|step| matches!(step.outcome, Outcome::Failed { .. }));
    failed
        .map(|step| format!("`{}`", step.id))
        .collect::<Vec<_>>()
        .join(", ")
}
