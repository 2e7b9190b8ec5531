//! `spec.pausedUntil`: `true`, a date, or nothing.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::actor::Next;
use crate::objects::Conditions;

/// Why reconciliation stands still, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    /// As the condition's message.
    pub(super) message: String,
    /// How much of wall time is left of it; `None` where it ends with the field.
    left: Option<Duration>,
}

/// What pauses an object's reconciliation; `None` where nothing does.
pub(super) fn paused(object: &Value, now: Timestamp) -> Option<Pause> {
    let until = object["spec"]["pausedUntil"].as_str()?;
    if is_true(until) {
        let message = "Reconciliation paused until field removed".to_owned();
        return Some(Pause { message, left: None });
    }
    let date: Timestamp = until.parse().ok()?;
    let left = Duration::try_from(date.duration_since(now))
        .ok()
        .filter(|left| !left.is_zero())?;
    Some(Pause {
        message: format!("Reconciliation paused until: {until}"),
        left: Some(left),
    })
}

/// Sets the condition that tells of it. What is neither `true` nor a date pauses nothing, and is told.
pub(super) fn tell(conditions: &mut Conditions, object: &Value, pause: Option<&Pause>, active: &str) {
    let kind = "ReconciliationActive";
    if let Some(pause) = pause {
        return conditions.set(kind, false, "ReconciliationPaused", &pause.message);
    }
    let until = object["spec"]["pausedUntil"].as_str().unwrap_or_default();
    if until.is_empty() || is_false(until) || until.parse::<Timestamp>().is_ok() {
        return conditions.set(kind, true, active, "Reconciliation active on resource");
    }
    let message = format!("Invalid pausedUntil value: {until}: neither a boolean nor a date");
    conditions.set(kind, true, "InvalidPausedUntilValue", &message);
}

fn is_true(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "t" | "T" | "1")
}

fn is_false(text: &str) -> bool {
    matches!(text, "false" | "False" | "FALSE" | "f" | "F" | "0")
}

// === impl Pause ===

impl Pause {
    /// When to look again.
    pub(super) fn ends(&self) -> Next {
        self.left.map_or(Next::OnEvent, Next::AfterWall)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_true_and_a_date_to_come_pause() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let check = |until: &str| paused(&json!({ "spec": { "pausedUntil": until } }), now).is_some();
        assert!(check("true"));
        assert!(check("2026-01-02T00:00:00Z"));
        assert!(!check("2025-12-31T00:00:00Z"));
        assert!(!check("false"));
        assert!(!check("some day"));
        assert!(paused(&json!({ "spec": {} }), now).is_none());
    }
}
