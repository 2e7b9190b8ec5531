//! Whether a management cluster can host the guests that documents ask for: the rules that refuse or warn before anything
//! is written.
//!
//! One function a rule, grouped by what they are about. Not here: why something that was begun does not move (`walk`).

pub(crate) mod fields;
mod guests;
pub(crate) mod hub;
mod network;
mod operators;
mod storage;
pub(crate) mod upgrade;

use berth_api::{Documents, Position, resources};
use serde::Serialize;

use crate::facts::{Facts, Seen, Selector};
use crate::step::StepId;

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// The catalogue's stable ID (`P05`), or a word where the catalogue has none.
    pub id: &'static str,
    /// The rule, in one line.
    pub title: String,
    /// What it says here.
    pub verdict: Verdict,
    /// The object that was looked at.
    pub object: String,
    /// What was seen.
    pub evidence: String,
    /// What to do; empty where nothing is.
    pub fix: String,
    /// The field of a document that is at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Fine.
    Pass,
    /// Works, but worth knowing.
    Warn,
    /// Not so yet; this step of the plan makes it so.
    MendedBy(StepId),
    /// Nothing should be written before this is changed.
    Refused,
    /// Could not be judged: not readable, or not there yet.
    Unknown,
}

/// Judges documents against what has been observed. The order is that of the rules, then that of the documents.
pub fn run(documents: &Documents, facts: &Facts) -> Vec<CheckResult> {
    let mut results: Vec<_> = hub::pinned(documents, facts).into_iter().collect();
    results.extend(eased(makes_something(documents, facts), hub::run(documents, facts)));
    results.extend(storage::run(documents, facts));
    results.extend(operators::run(documents, facts));
    results.extend(eased(makes_something(documents, facts), network::run(documents, facts)));
    results.extend(guests::run(documents, facts));
    results
}

/// Whether something that hosting stands on, or a guest, is still to be made. What would keep it from being made does not
/// undo what is there: a cordoned node is no reason to leave running guests alone.
fn makes_something(documents: &Documents, facts: &Facts) -> bool {
    crate::steps::hub::engine(facts).is_none() || documents.guests.iter().any(|guest| !guests::exists(facts, guest))
}

/// Rules about making something only warn where nothing is to be made.
fn eased(is_needed: bool, mut results: Vec<CheckResult>) -> Vec<CheckResult> {
    for result in &mut results {
        if !is_needed && result.is_refused() {
            result.verdict = Verdict::Warn;
        }
    }
    results
}

/// What [`run`] reads.
pub fn watches(documents: &Documents) -> Vec<Selector> {
    let mut watches: Vec<_> = [
        resources::NODE,
        resources::CLUSTER_OPERATOR,
        resources::HYPER_CONVERGED,
        resources::KUBE_VIRT,
        resources::STORAGE_CLASS,
        resources::STORAGE_PROFILE,
        resources::METAL_LB,
        resources::IP_ADDRESS_POOL,
        resources::SERVICE,
        resources::SUBSCRIPTION,
        resources::OPERATOR_GROUP,
        resources::MULTI_CLUSTER_HUB,
        resources::MULTI_CLUSTER_ENGINE,
        resources::HOSTED_CLUSTER,
        resources::NODE_POOL,
        resources::MANAGED_CLUSTER,
    ]
    .map(Selector::all)
    .into();
    watches.extend(fields::watches());
    watches.extend([
        crate::steps::channel::manifests(&documents.management.spec.multicluster_engine),
        Selector::cluster(resources::CLUSTER_VERSION, "version"),
        Selector::cluster(resources::INFRASTRUCTURE, "cluster"),
        Selector::cluster(resources::NETWORK_CONFIG, "cluster"),
        Selector::in_namespace(resources::INGRESS_CONTROLLER, crate::walk::rollout::INGRESS.0),
        Selector::named(
            resources::CONFIG_MAP,
            guests::SUPPORTED_VERSIONS.0,
            guests::SUPPORTED_VERSIONS.1,
        ),
    ]);
    watches
}

/// A rule about to be decided.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    id: &'static str,
    title: String,
    object: String,
    at: Option<Position>,
}

// === impl CheckResult ===

impl CheckResult {
    /// Whether nothing should be written.
    pub fn is_refused(&self) -> bool {
        self.verdict == Verdict::Refused
    }
}

// === impl Rule ===

impl Rule {
    pub(crate) fn new(id: &'static str, title: impl Into<String>, object: impl Into<String>) -> Self {
        Self {
            id,
            title: title.into(),
            object: object.into(),
            at: None,
        }
    }

    /// Points at the field of a document.
    pub(crate) fn at(mut self, position: Option<Position>) -> Self {
        self.at = position;
        self
    }

    fn end(self, verdict: Verdict, evidence: impl Into<String>, fix: impl Into<String>) -> CheckResult {
        let Self { id, title, object, at } = self;
        CheckResult {
            id,
            title,
            verdict,
            object,
            evidence: evidence.into(),
            fix: fix.into(),
            at,
        }
    }

    pub(crate) fn pass(self, evidence: impl Into<String>) -> CheckResult {
        self.end(Verdict::Pass, evidence, "")
    }

    pub(crate) fn warn(self, evidence: impl Into<String>, fix: impl Into<String>) -> CheckResult {
        self.end(Verdict::Warn, evidence, fix)
    }

    pub(crate) fn refused(self, evidence: impl Into<String>, fix: impl Into<String>) -> CheckResult {
        self.end(Verdict::Refused, evidence, fix)
    }

    pub(crate) fn unknown(self, evidence: impl Into<String>) -> CheckResult {
        self.end(Verdict::Unknown, evidence, "")
    }

    pub(crate) fn mended_by(self, step: &str, evidence: impl Into<String>) -> CheckResult {
        self.end(Verdict::MendedBy(step.into()), evidence, "")
    }
}

/// Why a kind cannot be judged, if it cannot.
pub(crate) fn unreadable(facts: &Facts, selector: &Selector) -> Option<String> {
    match facts.seen(selector) {
        Seen::Pending => Some("not read".to_owned()),
        Seen::Unreadable(why) => Some(format!("not readable: {why}")),
        Seen::NoKind | Seen::Objects(_) => None,
    }
}

#[cfg(test)]
mod tests;
