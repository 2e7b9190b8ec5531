//! The way back: deletes what Berth made, in order, and nothing else.

use berth_procedure::{Blocker, Observed, Step, StepId};
use serde::Serialize;

use crate::leases::LeaseError;
use crate::object::ObjectName;
use crate::observe::ReadError;

mod gone;
mod plan;
mod release;
mod run;
mod tell;

pub use release::ReleaseError;

/// What a removal would delete, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalPlan {
    /// The objects, in the order in which they go.
    pub removals: Vec<PlannedRemoval>,
    /// What stays behind and may have to be looked at, for people.
    pub stays: Vec<String>,
    /// What would not go by itself, as far as it can be told now.
    pub blockers: Vec<Blocked>,
    /// Those, and what mostly passes by itself and is told when a removal ends before it did: all that can be let go by name.
    #[serde(skip)]
    pub soon: Vec<Blocked>,
}

/// What keeps a step's removal from going on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocked {
    /// The step whose removal it is.
    pub step: StepId,
    /// What it is.
    #[serde(flatten)]
    pub blocker: Blocker,
}

impl Blocked {
    /// All that holds a step's removal, as things are observed.
    fn of(step: &dyn Step, observed: &Observed<'_>) -> Vec<Self> {
        let blockers = step.blockers(observed).into_iter();
        let blocked = blockers.map(|blocker| Self {
            step: step.id().clone(),
            blocker,
        });
        blocked.collect()
    }
}

/// One object to delete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedRemoval {
    /// The object.
    pub object: ObjectName,
    /// Why it goes, or what goes with it.
    pub note: String,
    /// Why it will be left alone after all: nothing proves that it may be deleted.
    pub left: Option<String>,
    /// Whether it is being deleted already.
    pub terminating: bool,
}

/// What a removal did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalReport {
    /// The objects that are gone, in order.
    pub removed: Vec<RemovedObject>,
    /// Objects that were not reached, or did not go.
    pub remaining: Vec<ObjectName>,
    /// Milliseconds that it took.
    pub took_millis: u64,
}

/// An object that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovedObject {
    /// The object.
    pub object: ObjectName,
    /// Milliseconds from the request to its end.
    pub took_millis: u64,
}

/// Why a removal did not get to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// This engine never writes.
    #[error("nothing was removed: read-only")]
    ReadOnly,
    /// The management cluster could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A lease could not be taken.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// An object could not be deleted.
    #[error("failed to remove {object}")]
    Delete {
        /// The object.
        object: ObjectName,
        /// What is gone all the same.
        report: Box<RemovalReport>,
        /// What the server said.
        source: Box<crate::api::RequestError>,
    },
    /// The time was over.
    #[error("timed out: {}", waiting.join("; "))]
    TimedOut {
        /// What was waited for, and what held it.
        waiting: Vec<String>,
        /// What would not have gone by itself, innermost first.
        blockers: Vec<Blocked>,
        /// What is gone all the same.
        report: Box<RemovalReport>,
    },
    /// The user stopped it. It is safe to run again.
    #[error("interrupted; safe to run again")]
    Interrupted {
        /// What is gone all the same.
        report: Box<RemovalReport>,
    },
}

impl RemovalPlan {
    /// Why the removal must not even begin: the first of what would not go that is of that kind.
    pub fn forbidden(&self) -> Option<&Blocked> {
        self.blockers.iter().find(|blocked| blocked.blocker.forbids)
    }

    /// Whether there is nothing to delete.
    pub fn is_empty(&self) -> bool {
        self.removals.iter().all(|removal| removal.left.is_some())
    }
}
