//! Why a guest does not come up: from the HostedCluster downwards to the first cause.
//!
//! Each level looks only at what the level above stands on, and the walk stops at the first thing that is wrong, because
//! all that is below or after it is a consequence. IDs are those of the catalogue behind `check` and `doctor`.
//!
//! Not here: how long to wait before speaking up ([`explained`] knows the grace), and what a step waits for (`steps`).

pub(crate) mod control_plane;
pub(crate) mod deletion;
pub(crate) mod guest;
pub(crate) mod images;
pub(crate) mod olm;
pub(crate) mod rollout;
pub(crate) mod storage;
pub(crate) mod workers;

use berth_api::views;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::assess::{Assessment, Diagnosis, Observed};

pub(crate) use guest::GuestRef;

/// How long a wait may last before what only may be wrong is spoken of.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// A first cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The explanation.
    pub(crate) diagnosis: Diagnosis,
    /// How long it is ordinary to see this: nothing for what cannot be right, more for what usually passes.
    pub(crate) grace: SignedDuration,
    /// When it came about, where that is told: a step may have waited for other things long before.
    pub(crate) began: Option<Timestamp>,
}

impl Finding {
    /// Something that cannot be right at any time.
    pub(crate) fn certain(diagnosis: Diagnosis) -> Self {
        Self {
            diagnosis,
            grace: SignedDuration::ZERO,
            began: None,
        }
    }

    /// Something that may pass by itself within moments.
    pub(crate) fn likely(diagnosis: Diagnosis) -> Self {
        Self {
            diagnosis,
            grace: GRACE,
            began: None,
        }
    }

    /// Something that is ordinary for a while.
    pub(crate) fn after(minutes: i64, diagnosis: Diagnosis) -> Self {
        Self {
            diagnosis,
            grace: SignedDuration::from_mins(minutes),
            began: None,
        }
    }

    /// The same, having come about when a condition says.
    pub(crate) fn since(mut self, condition: &views::Condition<'_>) -> Self {
        self.began = condition.last_transition_time;
        self
    }

    /// The same, no older than an object.
    pub(crate) fn with(mut self, object: &Value) -> Self {
        let made = views::text(object, &["metadata", "creationTimestamp"]);
        self.began = made.and_then(|made| made.parse().ok());
        self
    }

    /// When it no longer is ordinary to see this, for somebody who has waited since a time.
    pub(crate) fn due(&self, since: Timestamp) -> Option<Timestamp> {
        since.max(self.began.unwrap_or(since)).checked_add(self.grace).ok()
    }
}

/// Puts the explanation in place of a wait once it has lasted longer than is ordinary.
///
/// A wait that is not explained yet is looked at again when the grace ends, even if nothing changes until then.
pub(crate) fn explained(observed: &Observed<'_>, waiting: Assessment, finding: Option<Finding>) -> Assessment {
    let Some(finding) = finding else {
        return waiting;
    };
    let due = finding.due(observed.since).unwrap_or(observed.now);
    if observed.now >= due {
        return Assessment::Blocked {
            diagnosis: finding.diagnosis,
            recheck_at: None,
        };
    }
    match waiting {
        Assessment::Waiting {
            reason,
            detail,
            done,
            total,
            recheck_at,
        } => Assessment::Waiting {
            reason,
            detail,
            done,
            total,
            recheck_at: Some(sooner(recheck_at, due)),
        },
        other => other,
    }
}

fn sooner(one: Option<Timestamp>, other: Timestamp) -> Timestamp {
    one.map_or(other, |one| one.min(other))
}

/// A diagnosis in one expression.
pub(crate) fn diagnosis(
    id: &str,
    title: impl Into<String>,
    object: impl Into<String>,
    evidence: impl IntoIterator<Item = String>,
    fix: impl Into<String>,
) -> Diagnosis {
    Diagnosis {
        id: id.to_owned(),
        title: title.into(),
        object: object.into(),
        evidence: evidence.into_iter().filter(|line| !line.is_empty()).collect(),
        fix: fix.into(),
    }
}

#[cfg(test)]
mod tests;
