//! The one stream of events that a run tells: progress on a terminal, JSON lines and the console are its readers.
//!
//! As JSON an event is one flat object with `at` (RFC 3339) and `event` (the variant's name in camel case) beside the
//! fields below. Secret values are in none of them.

use std::collections::BTreeMap;

use berth_procedure::forecast::Forecast;
use berth_procedure::{Blocker, Diagnosis, StepId};
use jiff::Timestamp;
use serde::Serialize;

use crate::diff::FieldChange;
use crate::object::ObjectName;
use crate::plan::Verb;

/// One thing that happened, and when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// When, by the engine's clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum What {
    /// A run began.
    RunStarted {
        /// The management cluster's API URL.
        url: String,
        /// The steps, in order.
        steps: Vec<StepTitle>,
        /// How many writes the plan holds.
        writes: usize,
    },
    /// What the plan's writes of a step will do to what runs: told before anything is written.
    Forecast {
        /// The step.
        step: StepId,
        /// What will happen.
        forecast: Forecast,
    },
    /// A step's dependencies are ready, and it begins.
    StepStarted {
        /// The step.
        step: StepId,
    },
    /// An object was written.
    Wrote {
        /// The step that wanted it; `None` for the engine's own leases.
        step: Option<StepId>,
        /// The object.
        object: ObjectName,
        /// What was done to it.
        verb: Verb,
        /// The fields that changed.
        fields: Vec<FieldChange>,
    },
    /// An action outside the Kubernetes API was done, or found done.
    EffectDone {
        /// The step that wanted it.
        step: StepId,
        /// What it was.
        what: String,
        /// Whether an earlier run had done it.
        already: bool,
    },
    /// A step waits.
    Waiting {
        /// The step.
        step: StepId,
        /// A stable word.
        reason: String,
        /// For people.
        detail: String,
        /// How much is done, where it can be counted.
        done: Option<u32>,
        /// Of how much.
        total: Option<u32>,
    },
    /// A step does not move, and why; it is still waited for.
    Blocked {
        /// The step.
        step: StepId,
        /// The explanation.
        diagnosis: Diagnosis,
    },
    /// An attempt failed in a way that may heal, and will be made again.
    Retrying {
        /// The step whose write or effect it was; `None` for an observation.
        step: Option<StepId>,
        /// What was attempted.
        what: String,
        /// Why it failed.
        cause: String,
        /// How many attempts were made.
        attempt: u32,
        /// Milliseconds until the next one.
        next_millis: u64,
    },
    /// A step is done.
    StepReady {
        /// The step.
        step: StepId,
        /// What a user may want to know of it.
        outputs: BTreeMap<String, String>,
        /// Milliseconds since it began.
        took_millis: u64,
    },
    /// A step will not get done in this run.
    StepFailed {
        /// The step.
        step: StepId,
        /// The explanation.
        diagnosis: Diagnosis,
        /// Milliseconds since it began.
        took_millis: u64,
    },
    /// A step was not begun because another one failed.
    StepSkipped {
        /// The step.
        step: StepId,
        /// The failed one.
        because: StepId,
    },
    /// Somebody else writes to the same thing: waited for.
    LeaseWaiting {
        /// The lease's name.
        lease: String,
        /// Who holds it.
        holder: String,
    },
    /// A lease was taken.
    LeaseTaken {
        /// The lease's name.
        lease: String,
        /// The holder that it was taken from, if one that is dead or silent.
        from: Option<String>,
    },
    /// A lease was given back.
    LeaseReleased {
        /// The lease's name.
        lease: String,
    },
    /// An object is being deleted.
    RemovalWaiting {
        /// The object.
        object: ObjectName,
        /// What holds it, for people.
        detail: String,
    },
    /// Something of what a step removes will not go by itself; it is still waited for.
    RemovalBlocked {
        /// The step.
        step: StepId,
        /// What holds it, why, and what letting go would leave behind.
        blocker: Blocker,
    },
    /// What was told to hold a removal does so no longer.
    RemovalUnblocked {
        /// The step.
        step: StepId,
        /// The blocker's name.
        name: String,
    },
    /// A blocker was let go because the user said so.
    LetGo {
        /// The object that was written.
        object: ObjectName,
        /// What was done to it.
        does: String,
    },
    /// An object is gone.
    Removed {
        /// The object.
        object: ObjectName,
        /// Milliseconds since its deletion was asked for.
        took_millis: u64,
    },
    /// A run ended.
    RunFinished {
        /// `ready`, `failed`, `timedOut` or `interrupted`.
        result: &'static str,
        /// Writes that were made.
        writes: usize,
        /// Milliseconds since it began.
        took_millis: u64,
    },
}

/// A step as a run announces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepTitle {
    /// The step's stable name.
    pub id: StepId,
    /// What it does, in a few words.
    pub title: String,
}
