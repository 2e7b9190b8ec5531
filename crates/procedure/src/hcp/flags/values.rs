//! What a flag's value may be, by its kind: Go's grammars of numbers, lengths of time, lists and maps.

use berth_api::GoDuration;

use super::Kind;

/// Takes a value in, as one or several entries, or says why not as Go does.
pub(super) fn accept(kind: Kind, value: &str) -> Result<Vec<String>, String> {
    let one = |value: &str| Ok(vec![value.to_owned()]);
    match kind {
        Kind::Text | Kind::TextArray => one(value),
        Kind::Bool => match value {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => one("true"),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => one("false"),
            _ => Err(format!("strconv.ParseBool: parsing \"{value}\": invalid syntax")),
        },
        Kind::Int32 => integer(value, "ParseInt", i32::MIN.into(), i32::MAX.into()),
        Kind::Uint32 => integer(value, "ParseUint", 0, u32::MAX.into()),
        Kind::Duration => duration(value).map(|value| vec![value]),
        Kind::TextSlice if value.is_empty() => Ok(Vec::new()),
        Kind::TextSlice => record(value),
        Kind::TextMap => pairs(value),
        Kind::UpgradeType => match value.to_lowercase().as_str() {
            "replace" => one("Replace"),
            "inplace" => one("InPlace"),
            _ => Err(format!("unknown upgrade type used '{value}'")),
        },
        Kind::OlmCatalogPlacement => match value.to_lowercase().as_str() {
            placement @ ("management" | "guest") => one(placement),
            _ => Err(format!("unknown OLMCatalogPlacement type used '{value}'")),
        },
    }
}

/// A number as Go reads it from a flag: decimal, or `0x`, `0o` or `0`, `0b` before it, with `_` between digits.
fn integer(value: &str, function: &str, least: i64, most: i64) -> Result<Vec<String>, String> {
    let error = |why: &str| format!("strconv.{function}: parsing \"{value}\": {why}");
    let signed = function == "ParseInt";
    let (negative, digits) = match value.as_bytes() {
        [b'-', ..] if signed => (true, &value[1..]),
        [b'+', ..] if signed => (false, &value[1..]),
        _ => (false, value),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        Some(_) if lower.starts_with('0') => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    let plain = digits.replace('_', "");
    if plain.is_empty() || !plain.chars().all(|digit| digit.is_digit(radix)) {
        return Err(error("invalid syntax"));
    }
    let number = i64::from_str_radix(&plain, radix).map_err(|_| error("value out of range"))?;
    let number = if negative { -number } else { number };
    if (least..=most).contains(&number) {
        Ok(vec![number.to_string()])
    } else {
        Err(error("value out of range"))
    }
}

/// A length of time as Go prints it. A sign may stand before it.
fn duration(value: &str) -> Result<String, String> {
    let (sign, length) = match value.strip_prefix('-') {
        Some(length) => ("-", length),
        None => ("", value.strip_prefix('+').unwrap_or(value)),
    };
    match length.parse::<GoDuration>() {
        Ok(length) if length.get().is_zero() => Ok(length.to_string()),
        Ok(length) => Ok(format!("{sign}{length}")),
        Err(_) => {
            let what = match unknown_unit(length) {
                Some(unit) => format!("unknown unit \"{unit}\" in"),
                None if length.parse::<f64>().is_ok() => "missing unit in".to_owned(),
                None => "invalid".to_owned(),
            };
            Err(format!("time: {what} duration \"{value}\""))
        }
    }
}

/// The first unit of a length of time that Go does not know.
fn unknown_unit(length: &str) -> Option<&str> {
    let in_number = |c: char| c.is_ascii_digit() || c == '.';
    let mut rest = length;
    while rest.starts_with(in_number) {
        rest = rest.trim_start_matches(in_number);
        let unit = &rest[..rest.find(in_number).unwrap_or(rest.len())];
        if !unit.is_empty() && !["ns", "us", "µs", "μs", "ms", "s", "m", "h"].contains(&unit) {
            return Some(unit);
        }
        rest = &rest[unit.len()..];
    }
    None
}

/// `k=v` alone keeps its commas; with more than one `=` the text is a list of pairs.
fn pairs(value: &str) -> Result<Vec<String>, String> {
    let malformed = |pair: &str| format!("{pair} must be formatted as key=value");
    let pairs = match value.matches('=').count() {
        0 => return Err(malformed(value)),
        1 => vec![value.trim_matches('"').to_owned()],
        _ => record(value)?,
    };
    match pairs.iter().find(|pair| !pair.contains('=')) {
        Some(pair) => Err(malformed(pair)),
        None => Ok(pairs),
    }
}

/// The fields of a line of comma-separated values; a field in quotes may hold commas, and doubled quotes.
fn record(line: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let column = line.len() - rest.len() + 1;
        let (field, after) = if let Some(quoted) = rest.strip_prefix('"') {
            unquoted(quoted).ok_or_else(|| quote_error(column, "extraneous or missing \" in quoted-field"))?
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            if let Some(at) = rest[..end].find('"') {
                return Err(quote_error(column + at, "bare \" in non-quoted field"));
            }
            (rest[..end].to_owned(), &rest[end..])
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => return Err(quote_error(column, "extraneous or missing \" in quoted-field")),
        }
    }
}

/// What is in quotes, whose first is gone already, and what follows.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Some((field, rest)),
        }
    }
}

fn quote_error(column: usize, what: &str) -> String {
    format!("parse error on line 1, column {column}: {what}")
}
