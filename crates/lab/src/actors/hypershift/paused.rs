//! `spec.pausedUntil`: `true`, a date, or nothing.

use jiff::Timestamp;
use serde_json::Value;

/// Why reconciliation stands still, as the condition's message; `None` where it doesn't.
pub(super) fn paused(object: &Value, now: Timestamp) -> Option<String> {
    let until = object["spec"]["pausedUntil"].as_str()?;
    if matches!(until, "true" | "True" | "TRUE" | "t" | "T" | "1") {
        return Some("Reconciliation paused until field removed".to_owned());
    }
    let date: Timestamp = until.parse().ok()?;
    (date > now).then(|| format!("Reconciliation paused until: {until}"))
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
