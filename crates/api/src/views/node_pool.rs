//! What Berth reads of a NodePool beyond its conditions.

use serde_json::Value;

/// How many workers a pool wants and has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replicas {
    /// The fewest that will do: what is wanted, or the lower bound of autoscaling.
    pub wanted: i64,
    /// How many there are.
    pub current: i64,
    /// Whether the number is the autoscaler's to choose.
    pub autoscaling: bool,
}

/// How many workers a pool wants and has.
pub fn replicas(object: &Value) -> Replicas {
    let minimum = super::number(object, &["spec", "autoScaling", "min"]);
    Replicas {
        wanted: minimum
            .or_else(|| super::number(object, &["spec", "replicas"]))
            .unwrap_or_default(),
        current: super::number(object, &["status", "replicas"]).unwrap_or_default(),
        autoscaling: minimum.is_some(),
    }
}
