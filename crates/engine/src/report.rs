//! What became of every step of a run.

use std::collections::BTreeMap;

use berth_procedure::{Diagnosis, StepId};
use serde::Serialize;

/// The result of a run: each step with its outcome and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The steps, in order.
    pub steps: Vec<StepReport>,
    /// Writes that were made.
    pub writes: usize,
    /// Milliseconds that the run took.
    pub took_millis: u64,
}

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// The step.
    pub id: StepId,
    /// What it does, in a few words.
    pub title: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Milliseconds from its beginning to its end, or to the end of the run.
    pub took_millis: u64,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub enum Outcome {
    /// It is done.
    Ready {
        /// What a user may want to know of it.
        outputs: BTreeMap<String, String>,
    },
    /// It will not get done by waiting.
    Failed {
        /// Why, and what to do.
        diagnosis: Diagnosis,
    },
    /// It was not begun because another step failed.
    Skipped {
        /// The failed step.
        because: StepId,
    },
    /// The run ended before it did.
    Unfinished {
        /// What it waited for when it was last looked at.
        waiting: String,
        /// The explanation, where there is one.
        diagnosis: Option<Diagnosis>,
    },
    /// The run ended before it began.
    NotBegun {
        /// The steps that it waits for.
        after: Vec<StepId>,
    },
}

impl Report {
    /// Whether every step is ready.
    pub fn is_ready(&self) -> bool {
        self.steps
            .iter()
            .all(|step| matches!(step.outcome, Outcome::Ready { .. }))
    }

    /// Whether a step failed.
    pub fn has_failed(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.outcome, Outcome::Failed { .. }))
    }
}
