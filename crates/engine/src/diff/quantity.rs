//! Whether two scalars are the same quantity, spelled differently: `1Gi` and `1024Mi`, `8` and `"8"`.

use serde_json::Value;

/// Suffixes with their value in thousandths, longest first.
const SUFFIXES: [(&str, i128); 14] = [
    ("Ki", 1_000 << 10),
    ("Mi", 1_000 << 20),
    ("Gi", 1_000 << 30),
    ("Ti", 1_000 << 40),
    ("Pi", 1_000 << 50),
    ("Ei", 1_000 << 60),
    ("m", 1),
    ("k", 1_000_000),
    ("M", 1_000_000_000),
    ("G", 1_000_000_000_000),
    ("T", 1_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000_000),
    ("", 1_000),
];

/// Whether both are the same quantity.
///
/// Two texts without a suffix are never compared as numbers: `4.1` and `4.10` are different versions.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            number.is_i64() && number.to_string() == *text
        }
        (Value::String(a), Value::String(b)) => {
            let suffixed = has_suffix(a) || has_suffix(b);
            suffixed && thousandths(a).is_some_and(|a| Some(a) == thousandths(b))
        }
        _ => false,
    }
}

fn has_suffix(text: &str) -> bool {
    text.bytes().last().is_some_and(|last| last.is_ascii_alphabetic())
}

fn thousandths(text: &str) -> Option<i128> {
    let (digits, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)))?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 15 || fraction.len() > 9 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scaled = digits.checked_mul(factor)?;
    (scaled % scale == 0).then_some(scaled / scale)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spellings_of_one_quantity_are_the_same() {
        for (a, b, expected) in [
            (json!("1Gi"), json!("1024Mi"), true),
            (json!("1000m"), json!("1"), true),
            (json!("0.5Gi"), json!("512Mi"), true),
            (json!("1G"), json!("1Gi"), false),
            (json!(8), json!("8"), true),
            (json!(1), json!(1.0), true),
            (json!("4.1"), json!("4.10"), false),
            (json!("Available"), json!("AvailableM"), false),
            (json!("prom"), json!("prom"), false),
        ] {
            assert_eq!(same(&a, &b), expected, "{a} and {b}");
        }
    }
}
