//! What keeps a removal from going on, what letting go of it would leave behind, and how it is let go.
//!
//! A blocker is let go by one write of one object, never by more: whoever strips all finalizers at once never learns what
//! is left running (D14).

use serde::Serialize;
use serde_json::Value;

use crate::assess::Diagnosis;
use crate::change::ObjectRef;

/// One thing that a removal waits for and that will not end by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocker {
    /// Its stable name within the guest: `machine/workers-abc12-x7k2p/drain`.
    pub name: String,
    /// Why it holds, and what to do about it.
    pub diagnosis: Diagnosis,
    /// What nobody would look after any more if it were let go; empty where nothing is left behind.
    pub orphans: Vec<String>,
    /// Whether it can be let go.
    pub release: Release,
    /// The blocker that explains this one: it is named where a choice is asked for, not told by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explained_by: Option<String>,
    /// Whether a removal must not even begin while this is so.
    pub forbids: bool,
}

/// Whether and how a blocker can be let go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "possible")]
pub enum Release {
    /// Nothing that lives would take it away.
    Yes(LetGo),
    /// A controller that lives may still get there: only where that is said again.
    Contested {
        /// Who may still get there.
        by: String,
        /// The write.
        #[serde(flatten)]
        let_go: LetGo,
    },
    /// Not here, or not now.
    No {
        /// Why.
        why: String,
    },
}

/// The one write that lets go of a blocker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LetGo {
    /// What it does, for people.
    pub does: String,
    /// The object that is written.
    #[serde(skip)]
    pub object: ObjectRef,
    /// A merge patch that names the version it was made for, so that it is refused where the object has moved on.
    #[serde(skip)]
    pub patch: Value,
}

impl Release {
    /// The write, if there is one.
    pub fn let_go(&self) -> Option<&LetGo> {
        match self {
            Self::Yes(let_go) | Self::Contested { let_go, .. } => Some(let_go),
            Self::No { .. } => None,
        }
    }
}
