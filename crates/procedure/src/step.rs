//! The unit of the procedure that a person would recognise.
//!
//! A step is pure: it looks at [`Facts`] and says what it wants written, what it wants done outside the Kubernetes API,
//! what has to be watched to know, and how far it is. The engine does the rest, and knows steps only through [`Step`].

use std::fmt;

use berth_api::Resource;
use serde::{Deserialize, Serialize};

use crate::assess::{Assessment, Observed};
use crate::blocker::Blocker;
use crate::change::{Change, Removal};
use crate::effect::Effect;
use crate::facts::{Facts, Selector, Target};
use crate::forecast::{Edit, Forecast};
use crate::secret::Secret;

/// A step's name, stable over releases: `ingress`, `guest/guest-cluster-0/pool/workers`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(String);

/// A step that must be ready before another begins, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// The step to wait for.
    pub step: StepId,
    /// Why, as a fragment that fits after "because".
    pub reason: &'static str,
}

/// What a step must hold alone while it writes: one Lease each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Lock {
    /// Writes that the whole management cluster feels.
    Hub,
    /// Writes that one guest feels.
    Guest {
        /// Namespace of the HostedCluster.
        namespace: String,
        /// Name of the HostedCluster.
        name: String,
    },
}

/// What a person would type for the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Command {
    /// What the command is for; empty where the command says so itself.
    pub comment: String,
    /// The command, ready for a shell; secret values are never in it.
    pub line: String,
}

/// One step of the procedure.
pub trait Step: fmt::Debug + Send + Sync {
    /// The step's stable name.
    fn id(&self) -> &StepId;

    /// What the step does, in a few words, for a line of progress.
    fn title(&self) -> String;

    /// The steps that must be ready before this one begins.
    fn after(&self) -> Vec<Dependency>;

    /// What the step must hold alone while it writes.
    fn lock(&self) -> Lock;

    /// The writes that the step wants, in order. Called again whenever facts change; must not depend on what this run
    /// already wrote, only on what is there.
    fn changes(&self, facts: &Facts) -> Vec<Change>;

    /// The actions outside the Kubernetes API that the step wants.
    fn effects(&self, _facts: &Facts) -> Vec<Effect> {
        Vec::new()
    }

    /// What has to be watched for [`Step::changes`] and [`Step::assess`] to be right. May not depend on facts.
    fn watches(&self) -> Vec<Selector>;

    /// How far the step is. Called on every relevant event and at the `recheck_at` of the last answer.
    fn assess(&self, observed: &Observed<'_>) -> Assessment;

    /// What the writes that a plan holds for this step do to what runs.
    fn forecast(&self, _facts: &Facts, _edits: &[Edit]) -> Vec<Forecast> {
        Vec::new()
    }

    /// What has to be read besides for [`Step::forecast`]: once, when a plan is made, and only where it matters.
    fn forecast_watches(&self, _facts: &Facts, _edits: &[Edit]) -> Vec<Selector> {
        Vec::new()
    }

    /// What a person would type instead.
    fn commands(&self, facts: &Facts) -> Vec<Command>;

    /// What goes when the document goes, in order.
    fn remove(&self, _facts: &Facts) -> Vec<Removal> {
        Vec::new()
    }

    /// While what it removes is going: what will not go by itself, innermost first.
    fn blockers(&self, _observed: &Observed<'_>) -> Vec<Blocker> {
        Vec::new()
    }

    /// Kinds that exist once this step is ready, so that a plan can say "known after" it.
    fn provides(&self) -> Vec<&'static Resource> {
        Vec::new()
    }

    /// Kubeconfigs of other API servers that the facts hold by now.
    fn kubeconfigs(&self, _facts: &Facts) -> Vec<(Target, Secret)> {
        Vec::new()
    }

    /// Whether the whole management cluster feels the step's writes, and what they restart: shown apart in a plan.
    fn hub_wide(&self) -> Option<&'static str> {
        None
    }
}

// === impl StepId ===

impl StepId {
    /// A step's name from its text.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for StepId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}
