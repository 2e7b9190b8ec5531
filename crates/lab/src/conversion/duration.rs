//! Durations as the API writes them (`1h2m3s`), and as whole seconds.

/// The seconds that a text stands for; `None` where it is no duration.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut total = 0.0_f64;
    let mut rest = text;
    if rest == "0" {
        return Some(0);
    }
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (value, after) = rest.split_at(number);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let unit = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        total += value.parse::<f64>().ok()? * unit;
        rest = after;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and a cast saturates"
    )]
    (!text.is_empty()).then_some(total as u64)
}

/// The text for some seconds.
pub(super) fn text(seconds: u64) -> String {
    let (hours, minutes, left) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{left}s"),
        (0, _) => format!("{minutes}m{left}s"),
        _ => format!("{hours}h{minutes}m{left}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_go_to_seconds_and_back() {
        for (given, count, canonical) in [
            ("0s", 0, "0s"),
            ("0", 0, "0s"),
            ("90s", 90, "1m30s"),
            ("30m", 1800, "30m0s"),
            ("1h1m1s", 3661, "1h1m1s"),
            ("1.5h", 5400, "1h30m0s"),
        ] {
            assert_eq!(seconds(given), Some(count), "{given}");
            assert_eq!(text(count), canonical);
        }
        for wrong in ["", "5", "ten", "5d", "s"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
