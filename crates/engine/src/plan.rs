//! The plan: every write and action that a run would make now, as a value.
//!
//! A plan is printable, comparable and serialisable. It holds no secret values.

use berth_procedure::forecast::Forecast;
use berth_procedure::{Assessment, Command, Dependency, Lock, Server, StepId};
use serde::Serialize;

use crate::api::RequestError;
use crate::diff::FieldChange;
use crate::object::ObjectName;
use crate::observe::ReadError;

mod check;
mod compute;

pub use check::check_plan;

/// What a run would do, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The management cluster that it is for.
    pub server: Server,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
}

/// What a run would do for one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// The step.
    pub id: StepId,
    /// What it does, in a few words.
    pub title: String,
    /// The steps that must be ready before.
    pub after: Vec<Dependency>,
    /// What it must hold alone while it writes.
    pub lock: Lock,
    /// What the whole management cluster will feel of its writes.
    pub hub_wide: Option<String>,
    /// Writes, in order, unchanged objects among them.
    pub writes: Vec<PlannedWrite>,
    /// Actions outside the Kubernetes API.
    pub effects: Vec<PlannedEffect>,
    /// What can't be worked out yet.
    pub later: Vec<Later>,
    /// What the writes do to what runs.
    pub forecast: Vec<Forecast>,
    /// What a person would type instead.
    pub commands: Vec<Command>,
    /// How far the step is now.
    pub now: Assessment,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedWrite {
    /// The object.
    pub object: ObjectName,
    /// What will be done to it.
    pub verb: Verb,
    /// The fields that change.
    pub fields: Vec<FieldChange>,
    /// Fields that another manager owns with another value: the write will be refused.
    pub conflicts: Vec<Conflict>,
    /// What the fields were worked out from.
    pub basis: Basis,
    /// Why the server would refuse the write as it stands.
    pub refused: Option<String>,
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// It is made.
    Create,
    /// Fields that Berth owns change.
    Update,
    /// One field of an object that is not Berth's changes.
    Set,
    /// It goes.
    Delete,
    /// It is as it should be.
    Unchanged,
}

/// What a planned write was worked out from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Basis {
    /// The object as it is: no difference, so nothing was asked.
    Live,
    /// The server's own dry run.
    DryRun,
    /// A comparison on this side, for a user who may not write or an object whose namespace does not exist yet.
    Local,
    /// The kind does not exist yet: known after this step, where one provides it.
    KnownAfter(Option<StepId>),
}

/// A field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The field.
    pub path: String,
    /// The manager that owns it.
    pub manager: String,
}

/// One action outside the Kubernetes API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedEffect {
    /// What it does.
    pub what: String,
    /// Whether it is done already.
    pub done: bool,
}

/// Something that is known after another step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Later {
    /// What it will be.
    pub what: String,
    /// The step.
    pub after: StepId,
}

/// Why no plan could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The management cluster could not be read.
    #[error("failed to read the management cluster")]
    Read(#[from] ReadError),
    /// A dry run failed for another reason than the object.
    #[error("failed to work out the plan of step `{step}`")]
    DryRun {
        /// The step.
        step: StepId,
        /// What the server said.
        source: Box<RequestError>,
    },
}

// === impl Plan ===

impl Plan {
    /// Whether there is nothing to do: no write, no action, nothing that is known later.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(PlannedStep::is_empty)
    }

    /// How many writes there are.
    pub fn writes(&self) -> usize {
        self.steps
            .iter()
            .flat_map(|step| &step.writes)
            .filter(|write| write.verb != Verb::Unchanged)
            .count()
    }

    /// The writes that will be refused, each with its step.
    pub fn refusals(&self) -> impl Iterator<Item = (&StepId, &PlannedWrite)> {
        let writes = self
            .steps
            .iter()
            .flat_map(|step| step.writes.iter().map(move |write| (&step.id, write)));
        writes.filter(|(_, write)| !write.conflicts.is_empty() || write.refused.is_some())
    }

    /// The step of this name.
    pub fn step(&self, id: &StepId) -> Option<&PlannedStep> {
        self.steps.iter().find(|step| step.id == *id)
    }
}

// === impl PlannedStep ===

impl PlannedStep {
    /// Whether the step has nothing to do but to be waited for.
    pub fn is_empty(&self) -> bool {
        self.later.is_empty()
            && self.effects.iter().all(|effect| effect.done)
            && self.writes.iter().all(|write| write.verb == Verb::Unchanged)
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Set => "set",
            Self::Delete => "delete",
            Self::Unchanged => "unchanged",
        })
    }
}
