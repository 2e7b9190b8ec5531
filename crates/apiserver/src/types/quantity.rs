//! Quantities (`500m`, `2Gi`, `1e3`) in their canonical form: the largest suffix that leaves a whole number, of the family
//! that was used, and never more precise than a billionth.

/// The form that a quantity must have, as the API tells it.
const FORM: &str = r"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// Suffixes of powers of ten, by exponent.
const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

/// Suffixes of powers of 1024, by exponent.
const BINARY: [(&str, u32); 6] = [("Ki", 1), ("Mi", 2), ("Gi", 3), ("Ti", 4), ("Pi", 5), ("Ei", 6)];

/// How the exponent was written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Decimal,
    Scientific,
    Binary,
}

/// The canonical form of a quantity, or what is wrong with it.
pub(super) fn canonical(text: &str) -> Result<String, String> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-')))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let negative = number.starts_with('-');
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) {
        return Err(FORM.to_owned());
    }
    let (family, exponent, factor) = exponent(suffix)?;
    // Too large to be worth another form.
    let Some(billionths) = billionths(whole, fraction, exponent, factor) else {
        return Ok(text.to_owned());
    };
    let sign = if negative && billionths != 0 { "-" } else { "" };
    Ok(format!("{sign}{}", spelled(billionths, family)))
}

/// The family of a suffix, its power of ten, and the number that it stands for beside that.
fn exponent(suffix: &str) -> Result<(Family, i32, u128), String> {
    if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Ok((Family::Binary, 0, 1024_u128.pow(*power)));
    }
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Ok((Family::Decimal, *exponent, 1));
    }
    match suffix.strip_prefix(['e', 'E']).map(str::parse) {
        Some(Ok(exponent)) => Ok((Family::Scientific, exponent, 1)),
        _ if suffix.bytes().all(|byte| b"eEinumkKMGTP+-0123456789".contains(&byte)) => {
            Err("unable to parse quantity's suffix".to_owned())
        }
        _ => Err(FORM.to_owned()),
    }
}

/// How many billionths it is, rounded up; none if they can't be counted.
fn billionths(whole: &str, fraction: &str, exponent: i32, factor: u128) -> Option<u128> {
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let number: u128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let number = number.checked_mul(factor)?;
    let power = exponent
        .checked_add(9)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let scale = 10_u128.checked_pow(power.unsigned_abs());
    match (power, scale) {
        (0.., scale) => number.checked_mul(scale?),
        (_, Some(scale)) => Some(number.div_ceil(scale)),
        (_, None) => Some(u128::from(number != 0)),
    }
}

fn spelled(billionths: u128, family: Family) -> String {
    const UNIT: u128 = 1_000_000_000;
    if billionths == 0 {
        return "0".to_owned();
    }
    if family == Family::Binary && billionths.is_multiple_of(UNIT) && billionths / UNIT >= 1024 {
        let number = billionths / UNIT;
        let fitting = BINARY
            .iter()
            .rev()
            .find(|(_, power)| number.is_multiple_of(1024_u128.pow(*power)));
        return match fitting {
            Some((suffix, power)) => format!("{}{suffix}", number / 1024_u128.pow(*power)),
            None => number.to_string(),
        };
    }
    let largest = DECIMAL.iter().rev().find_map(|(suffix, exponent)| {
        let unit = 10_u128.pow((exponent + 9).unsigned_abs());
        let fits = billionths.is_multiple_of(unit);
        fits.then(|| (billionths / unit, *suffix, *exponent))
    });
    let (number, suffix, exponent) = largest.unwrap_or((billionths, "n", -9));
    match family {
        Family::Scientific if exponent != 0 => format!("{number}e{exponent}"),
        _ => format!("{number}{suffix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_one_spelling() {
        let spellings = [
            ("0.5", "500m"),
            ("1", "1"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Gi", "512Mi"),
            ("1000", "1k"),
            ("1e3", "1e3"),
            ("100e2", "10e3"),
            ("12e6", "12e6"),
            ("1000Ki", "1000Ki"),
            ("2048", "2048"),
            ("2000", "2k"),
            ("512Ki", "512Ki"),
            ("0", "0"),
            ("0Gi", "0"),
            ("-1", "-1"),
            ("+1", "1"),
            ("1.0", "1"),
            (".5", "500m"),
            ("100", "100"),
            ("0.1m", "100u"),
            ("1n", "1n"),
            ("0.5n", "1n"),
        ];
        for (written, canonical) in spellings {
            assert_eq!(super::canonical(written).as_deref(), Ok(canonical), "{written}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "x", "1x", "1.2.3", "--1", "1 "] {
            assert_eq!(canonical(text), Err(FORM.to_owned()), "{text}");
        }
        for text in ["1KiM", "1e", "1mm"] {
            assert_eq!(
                canonical(text),
                Err("unable to parse quantity's suffix".to_owned()),
                "{text}"
            );
        }
    }
}
