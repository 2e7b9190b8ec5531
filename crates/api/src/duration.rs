//! Lengths of time, as Go and Kubernetes write them.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time: `90s`, `1h30m`. Printed as Go prints it: `10m` is `10m0s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(std::time::Duration);

/// Why a text is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length of time")]
pub struct DurationError(String);

const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
];

impl GoDuration {
    /// The length as std knows it.
    pub fn get(&self) -> std::time::Duration {
        self.0
    }
}

impl DurationError {
    /// What to do about it.
    pub fn fix(&self) -> String {
        "write numbers with the units h, m and s, as in `1h30m`".to_owned()
    }
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || DurationError(text.to_owned());
        if text == "0" {
            return Ok(Self::default());
        }
        let mut rest = text;
        let mut nanos: u64 = 0;
        if rest.is_empty() {
            return Err(error());
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(error)?;
            let (whole, fraction) = rest[..end].split_once('.').unwrap_or((&rest[..end], ""));
            let (unit, size) = UNITS
                .into_iter()
                .find(|(unit, _)| rest[end..].starts_with(unit))
                .ok_or_else(error)?;
            if whole.is_empty() && fraction.is_empty() {
                return Err(error());
            }
            let whole: u64 = if whole.is_empty() {
                0
            } else {
                whole.parse().map_err(|_| error())?
            };
            nanos = whole
                .checked_mul(size)
                .and_then(|part| nanos.checked_add(part))
                .ok_or_else(error)?;
            nanos = nanos
                .checked_add(fraction_of(fraction, size).ok_or_else(error)?)
                .ok_or_else(error)?;
            rest = &rest[end + unit.len()..];
        }
        // Go holds lengths of time in 63 bits of nanoseconds.
        if i64::try_from(nanos).is_err() {
            return Err(error());
        }
        Ok(Self(std::time::Duration::from_nanos(nanos)))
    }
}

/// The share of a unit that digits behind a point stand for.
fn fraction_of(digits: &str, size: u64) -> Option<u64> {
    if digits.is_empty() {
        return Some(0);
    }
    // Digits beyond a billionth of the largest unit can't be seen in nanoseconds.
    let digits = &digits[..digits.len().min(15)];
    let value: u128 = digits.parse().ok()?;
    u64::try_from(value * u128::from(size) / 10_u128.pow(u32::try_from(digits.len()).ok()?)).ok()
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0s");
        }
        if nanos < 1_000_000_000 {
            let (unit, size) = if nanos < 1_000 {
                ("ns", 1)
            } else if nanos < 1_000_000 {
                ("µs", 1_000)
            } else {
                ("ms", 1_000_000)
            };
            return write_decimal(f, nanos, size, unit);
        }
        let (hours, minutes) = (nanos / 3_600_000_000_000, nanos / 60_000_000_000 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        write_decimal(f, nanos % 60_000_000_000, 1_000_000_000, "s")
    }
}

fn write_decimal(f: &mut fmt::Formatter<'_>, nanos: u128, size: u128, unit: &str) -> fmt::Result {
    write!(f, "{}", nanos / size)?;
    let fraction = nanos % size;
    if fraction > 0 {
        let width = size.ilog10() as usize;
        let digits = format!("{fraction:0width$}");
        write!(f, ".{}", digits.trim_end_matches('0'))?;
    }
    f.write_str(unit)
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for GoDuration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "go-duration",
            "description": "A length of time: `90s`, `10m`, `1h30m`.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::GoDuration;

    #[track_caller]
    fn check(text: &str, printed: &str) {
        assert_eq!(text.parse::<GoDuration>().unwrap().to_string(), printed);
    }

    #[test]
    fn prints_as_go_does() {
        check("0", "0s");
        check("0s", "0s");
        check("10m", "10m0s");
        check("90s", "1m30s");
        check("1h", "1h0m0s");
        check("1.5h", "1h30m0s");
        check("1500ms", "1.5s");
        check("250us", "250µs");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "5", "m", "5 m", "-5m", "5x", ".s", "99999999999h"] {
            assert!(text.parse::<GoDuration>().is_err(), "`{text}` was accepted");
        }
    }
}
