//! Durations as `kubectl` prints them: two units at most, less exact the longer ago.

use jiff::Timestamp;
use serde_json::Value;

/// The age of what has no time.
pub(super) const UNKNOWN: &str = "<unknown>";

/// The time since a field's timestamp.
pub(super) fn of_value(time: &Value, now: Timestamp) -> Value {
    match time.as_str() {
        None | Some("") => UNKNOWN.into(),
        Some(time) => since(time, now).unwrap_or_else(|| "<invalid>".to_owned()).into(),
    }
}

/// The time since an object was created.
pub(super) fn of_object(object: &Value, now: Timestamp) -> Value {
    of_value(&object["metadata"]["creationTimestamp"], now)
}

/// The time since a timestamp, unless it is none.
pub(super) fn since(time: &str, now: Timestamp) -> Option<String> {
    let time: Timestamp = time.parse().ok()?;
    Some(human(now.as_second() - time.as_second()))
}

/// A number of seconds for people.
pub(super) fn human(seconds: i64) -> String {
    let pair = |big: i64, big_unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{big}{big_unit}")
        } else {
            format!("{big}{big_unit}{small}{small_unit}")
        }
    };
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        // A clock that is a little ahead is no reason for alarm.
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => pair(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => pair(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn ages_read_like_kubectls() {
        let (m, h, d) = (60, 3600, 86_400);
        for (seconds, expected) in [
            (-5, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (2 * m, "2m"),
            (5 * m + 7, "5m7s"),
            (10 * m + 7, "10m"),
            (179 * m, "179m"),
            (3 * h, "3h"),
            (3 * h + 5 * m, "3h5m"),
            (8 * h + 5 * m, "8h"),
            (47 * h, "47h"),
            (3 * d + 2 * h, "3d2h"),
            (8 * d + 2 * h, "8d"),
            (729 * d, "729d"),
            (731 * d, "2y1d"),
            (9 * 365 * d + d, "9y"),
        ] {
            assert_eq!(human(seconds), expected, "{seconds}");
        }
    }
}
