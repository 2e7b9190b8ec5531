//! The string formats that a schema can ask for. Formats that are not listed here hold for every text.

use std::{net::IpAddr, sync::LazyLock};

use regex::Regex;

/// Formats that are a matter of spelling.
static SPELLINGS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    [
        ("bsonobjectid", "^[0-9a-fA-F]{24}$"),
        ("hexcolor", "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
        ("rgbcolor", r"^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$"),
        ("ssn", r"^\d{3}[- ]?\d{2}[- ]?\d{4}$"),
        ("creditcard", r"^\d{12,19}$"),
        ("uuid", "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
        ("uuid3", "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
        ("uuid4", "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
        ("uuid5", "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
        ("mac", "(?i)^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$|^([0-9a-f]{4}[.]){2}[0-9a-f]{4}$"),
        ("isbn10", r"^(?:\d[- ]?){9}[\dXx]$"),
        ("isbn13", r"^(?:\d[- ]?){13}$"),
        ("isbn", r"^(?:\d[- ]?){9}[\dXx]$|^(?:\d[- ]?){13}$"),
        ("email", r"^[^@\s]+@[^@\s]+$"),
        ("hostname", r"^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$"),
        ("uri", r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|/)\S*$"),
        ("byte", "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"),
        ("duration", r"^[+-]?(?:\d+(?:\.\d*)?\s*(?:ns|us|µs|ms|s|m|h|d|w|(?:nano|micro|milli)?second|minute|hour|day|week)s?\s*)+$|^0$"),
    ]
    .into_iter()
    .map(|(name, pattern)| (name, Regex::new(pattern).expect("the pattern is a constant, compiled by a test")))
    .collect()
});

/// Whether a text has the named format.
pub(crate) fn matches(format: &str, text: &str) -> bool {
    // Upstream ignores dashes in format names.
    let format = format.replace('-', "");
    match format.as_str() {
        "ipv4" => matches!(text.parse(), Ok(IpAddr::V4(_))),
        "ipv6" => matches!(text.parse(), Ok(IpAddr::V6(_))),
        "cidr" => is_cidr(text),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "datetime" => text.contains(['T', 't']) && text.parse::<jiff::Timestamp>().is_ok(),
        format => SPELLINGS
            .iter()
            .find(|(name, _)| *name == format)
            .is_none_or(|(_, pattern)| pattern.is_match(text)),
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let longest = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= longest)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[track_caller]
    fn check(format: &str, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(matches(format, text), "{format}: {text}");
        }
        for text in bad {
            assert!(!matches(format, text), "{format}: {text}");
        }
    }

    #[test]
    fn formats_hold_for_what_they_name() {
        check(
            "date-time",
            &["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5+01:00"],
            &["2026-01-02", "now"],
        );
        check("date", &["2026-01-02"], &["2026-13-02", "2026-01-02T03:04:05Z"]);
        check("duration", &["5m", "1h30m", "0", "2.5s"], &["", "m", "5x"]);
        check("ipv4", &["10.0.0.1"], &["10.0.0", "::1"]);
        check("ipv6", &["::1"], &["10.0.0.1"]);
        check("cidr", &["10.0.0.0/8", "fd00::/64"], &["10.0.0.0", "10.0.0.0/33"]);
        check("byte", &["", "aGk=", "aGkh"], &["a", "a b="]);
        check("uuid", &["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], &["6ba7b810"]);
        check("hostname", &["a.example.org"], &["-a.example", "a_b"]);
        check("uri", &["https://example.org/x", "/path"], &["", "no scheme"]);
        check("mac", &["00:00:5e:00:53:01"], &["00:00:5e"]);
        check("made-up", &["anything"], &[]);
    }
}
