//! How far a Deployment or a StatefulSet is with its replicas.

use serde_json::Value;

/// A workload's replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// How many are wanted.
    pub wanted: i64,
    /// How many run the current template.
    pub updated: i64,
    /// How many are ready.
    pub ready: i64,
    /// Whether the status is about the current generation.
    pub observed: bool,
}

/// How far a Deployment or a StatefulSet is.
pub fn rollout(object: &Value) -> Rollout {
    let status = |field: &str| super::number(object, &["status", field]).unwrap_or_default();
    Rollout {
        // The API's default where the field is left out.
        wanted: super::number(object, &["spec", "replicas"]).unwrap_or(1),
        updated: status("updatedReplicas"),
        ready: status("readyReplicas"),
        observed: status("observedGeneration") >= super::metadata(object).generation,
    }
}

impl Rollout {
    /// Whether every wanted replica is current and ready.
    pub fn is_complete(&self) -> bool {
        self.observed && self.updated >= self.wanted && self.ready >= self.wanted
    }
}
