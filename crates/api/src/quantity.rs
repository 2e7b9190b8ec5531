//! Amounts of memory and storage, as Kubernetes writes them.

use std::{borrow::Cow, cmp::Ordering, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An amount with a Kubernetes unit: `10Gi`, `500m`, `1e3`.
///
/// Two spellings of the same amount are equal (`1024Mi` and `1Gi`); the printed form is the canonical one.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    /// In billionths, so that the smallest unit (`n`) is whole.
    nanos: i128,
    family: Family,
}

/// Why a text is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// No text at all.
    #[error("an amount is missing")]
    Empty,
    /// It doesn't begin with a number.
    #[error("`{0}` does not begin with a number")]
    NotANumber(String),
    /// The unit is none that Kubernetes knows.
    #[error("unknown unit `{unit}` in `{text}`")]
    UnknownUnit {
        /// The whole text.
        text: String,
        /// What follows the number.
        unit: String,
        /// What was probably meant.
        suggestions: Vec<String>,
    },
    /// The number is beyond what Kubernetes can hold.
    #[error("`{0}` is too large")]
    TooLarge(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Binary,
    Decimal,
    Exponent,
}

const NANOS: i128 = 1_000_000_000;
/// Kubernetes holds amounts in 64 bits.
const LARGEST: i128 = (i64::MAX as i128) * NANOS;
const BINARY: [(&str, u32); 6] = [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
/// Decimal units as powers of ten over a billionth, largest first.
const DECIMAL: [(&str, u32); 10] = [
    ("E", 27),
    ("P", 24),
    ("T", 21),
    ("G", 18),
    ("M", 15),
    ("k", 12),
    ("", 9),
    ("m", 6),
    ("u", 3),
    ("n", 0),
];

// === impl Quantity ===

impl Quantity {
    /// A whole number of gibibytes.
    pub const fn gibibytes(count: u32) -> Self {
        Self {
            nanos: (count as i128) * (1 << 30) * NANOS,
            family: Family::Binary,
        }
    }

    /// The amount in whole units (bytes, cores), rounded up as Kubernetes does.
    pub fn whole(&self) -> i128 {
        self.nanos.div_euclid(NANOS) + i128::from(self.nanos.rem_euclid(NANOS) != 0)
    }

    /// The amount in thousandths (millicores), rounded up.
    pub fn thousandths(&self) -> i128 {
        self.nanos.div_euclid(1_000_000) + i128::from(self.nanos.rem_euclid(1_000_000) != 0)
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(QuantityError::Empty);
        }
        let end = text
            .find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-'))
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let (mantissa, decimals) = mantissa(number).ok_or_else(|| QuantityError::NotANumber(text.to_owned()))?;
        let unknown = || QuantityError::UnknownUnit {
            text: text.to_owned(),
            unit: unit.to_owned(),
            suggestions: suggestions(number, unit),
        };
        let too_large = || QuantityError::TooLarge(text.to_owned());

        let (factor, family) = if let Some((_, bits)) = BINARY.iter().find(|(name, _)| *name == unit) {
            ((1_i128 << bits).checked_mul(NANOS), Family::Binary)
        } else if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == unit) {
            (10_i128.checked_pow(*power), Family::Decimal)
        } else {
            let power = unit
                .strip_prefix(['e', 'E'])
                .and_then(|power| power.parse::<i32>().ok())
                .ok_or_else(unknown)?;
            let power = u32::try_from(power.saturating_add(9)).map_err(|_| unknown())?;
            (10_i128.checked_pow(power), Family::Exponent)
        };
        let factor = factor.ok_or_else(too_large)?;
        let scaled = mantissa.checked_mul(factor).ok_or_else(too_large)?;
        let divisor = 10_i128.checked_pow(decimals).ok_or_else(too_large)?;
        // What is finer than a billionth is rounded up.
        let nanos = scaled.div_euclid(divisor) + i128::from(scaled.rem_euclid(divisor) != 0);
        if nanos.abs() > LARGEST {
            return Err(too_large());
        }
        Ok(Self { nanos, family })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        match self.family {
            Family::Binary if self.nanos % NANOS == 0 && self.nanos.abs() >= 1024 * NANOS => {
                let whole = self.nanos / NANOS;
                match BINARY.iter().find(|(_, bits)| whole % (1 << bits) == 0) {
                    Some((unit, bits)) => write!(f, "{}{unit}", whole >> bits),
                    None => write!(f, "{whole}"),
                }
            }
            Family::Exponent => {
                let (_, power) = decimal_unit(self.nanos);
                let count = self.nanos / 10_i128.pow(power);
                match i64::from(power) - 9 {
                    0 => write!(f, "{count}"),
                    exponent => write!(f, "{count}e{exponent}"),
                }
            }
            Family::Binary | Family::Decimal => {
                let (unit, power) = decimal_unit(self.nanos);
                write!(f, "{}{unit}", self.nanos / 10_i128.pow(power))
            }
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A bare number of bytes is a quantity as well.
        let value = serde_json::Value::deserialize(deserializer)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "format": "quantity",
            "description": "An amount with a Kubernetes unit: `10Gi`, `500Mi`, `2G`.",
        })
    }
}

impl QuantityError {
    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            Self::UnknownUnit { suggestions, .. } if !suggestions.is_empty() => {
                format!("did you mean `{}`?", suggestions.join("` or `"))
            }
            Self::UnknownUnit { .. } | Self::Empty | Self::NotANumber(_) => {
                "write a number and a unit: Ki, Mi, Gi, Ti (powers of 1024) or k, M, G, T (powers of 1000)".to_owned()
            }
            Self::TooLarge(_) => "write a smaller amount".to_owned(),
        }
    }
}

/// The largest unit in which an amount is whole.
fn decimal_unit(nanos: i128) -> (&'static str, u32) {
    DECIMAL
        .into_iter()
        .find(|(_, power)| nanos % 10_i128.pow(*power) == 0)
        .unwrap_or(("n", 0))
}

/// A decimal number as digits and how many of them stand behind the point.
fn mantissa(text: &str) -> Option<(i128, u32)> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let joined = format!("{whole}{fraction}");
    if joined.is_empty() || !joined.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: i128 = joined.parse().ok()?;
    Some((
        if negative { -value } else { value },
        u32::try_from(fraction.len()).ok()?,
    ))
}

/// What was probably meant by a unit that doesn't exist: `10Gb` → `10Gi`, `10G`.
fn suggestions(number: &str, unit: &str) -> Vec<String> {
    let Some(letter) = unit
        .chars()
        .find(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_uppercase())
    else {
        return Vec::new();
    };
    // `10gb`, `10 GB`, `10GiB`, `10gigabytes`: the first letter tells.
    if !matches!(letter, 'K' | 'M' | 'G' | 'T' | 'P' | 'E') {
        return Vec::new();
    }
    let decimal = if letter == 'K' { 'k' } else { letter };
    vec![format!("{number}{letter}i"), format!("{number}{decimal}")]
}

#[cfg(test)]
mod tests;
