//! `spec.pausedUntil` as the operator reads it: `true`, or a time to come; anything else pauses nothing. Pure.

use berth_api::views;
use jiff::Timestamp;
use serde_json::Value;

use crate::read::text;

/// Until when an object is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Until somebody resumes it.
    Resumed,
    /// Until a time.
    Time(Timestamp),
}

/// Until when an object is paused; `None` where it is not. Without a clock, a time is taken to be still to come.
pub(crate) fn until(object: &Value, now: Option<Timestamp>) -> Option<Until> {
    let field = text(object, &["spec", "pausedUntil"])?;
    if matches!(field, "true" | "True" | "TRUE" | "t" | "T" | "1") {
        return Some(Until::Resumed);
    }
    let time: Timestamp = field.parse().ok()?;
    now.is_none_or(|now| time > now).then_some(Until::Time(time))
}

/// Since when the operator says that it leaves the object alone.
pub(crate) fn since(object: &Value) -> Option<Timestamp> {
    let condition = views::condition(object, "ReconciliationActive")?;
    condition.is_false().then_some(condition.last_transition_time)?
}

impl std::fmt::Display for Until {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Resumed => f.write_str("until it is resumed"),
            Self::Time(time) => write!(f, "until {time}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_true_and_a_time_to_come_pause() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let check = |field: &str| until(&json!({ "spec": { "pausedUntil": field } }), Some(now));
        assert_eq!(check("true"), Some(Until::Resumed));
        assert!(matches!(check("2026-01-02T00:00:00Z"), Some(Until::Time(_))));
        for not in ["2025-12-31T00:00:00Z", "false", "soon"] {
            assert_eq!(check(not), None, "{not}");
        }
        assert_eq!(until(&json!({ "spec": {} }), Some(now)), None);
    }
}
