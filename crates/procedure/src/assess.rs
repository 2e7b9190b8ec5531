//! How far a step is, and why it isn't further.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::facts::Facts;

/// What a step is assessed against.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Everything observed so far.
    pub facts: &'a Facts,
    /// The time of this assessment.
    pub now: Timestamp,
    /// When the step began to be waited for.
    pub since: Timestamp,
}

/// Why something does not move, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The catalogue's stable ID: `P05`, `C14`; empty where the catalogue has none.
    pub id: String,
    /// What is wrong, in one line.
    pub title: String,
    /// The object at fault, as people name it.
    pub object: String,
    /// What shows it, most telling first.
    pub evidence: Vec<String>,
    /// What to do.
    pub fix: String,
}

impl Diagnosis {
    /// What is wrong, behind the catalogue's ID where there is one: `P05 the address pool is empty`.
    pub fn headline(&self) -> String {
        if self.id.is_empty() {
            self.title.clone()
        } else {
            format!("{} {}", self.id, self.title)
        }
    }
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum Assessment {
    /// On its way.
    Waiting {
        /// A stable word: a condition's reason where there is one.
        reason: String,
        /// What it waits for, for people.
        detail: String,
        /// How much is done, where it can be counted.
        done: Option<u32>,
        /// Of how much.
        total: Option<u32>,
        /// When to look again even if nothing changes.
        #[serde(rename = "recheckAt")]
        recheck_at: Option<Timestamp>,
    },
    /// Explained, and still waited for: many failures heal.
    Blocked {
        /// The explanation.
        diagnosis: Diagnosis,
        /// When to look again even if nothing changes.
        #[serde(rename = "recheckAt")]
        recheck_at: Option<Timestamp>,
    },
    /// Will not heal by waiting.
    Fatal {
        /// The explanation.
        diagnosis: Diagnosis,
    },
    /// Done.
    Ready {
        /// What a user may want to know or later steps refer to: names and addresses, never secret values.
        outputs: BTreeMap<String, String>,
    },
}

impl Assessment {
    /// Done, with nothing to tell.
    pub fn ready() -> Self {
        Self::Ready {
            outputs: BTreeMap::new(),
        }
    }

    /// On its way, for a stated reason.
    pub fn waiting(reason: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Waiting {
            reason: reason.into(),
            detail: detail.into(),
            done: None,
            total: None,
            recheck_at: None,
        }
    }

    /// On its way, counted.
    pub fn counted(reason: impl Into<String>, detail: impl Into<String>, done: u32, total: u32) -> Self {
        let (reason, detail) = (reason.into(), detail.into());
        Self::Waiting {
            reason,
            detail,
            done: Some(done),
            total: Some(total),
            recheck_at: None,
        }
    }

    /// Whether the step is done.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready { .. })
    }
}
