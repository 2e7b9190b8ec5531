//! Writes YAML as Go's tools do: keys sorted, lists not indented below their key, quotes only where needed.
//!
//! `kubectl`, `oc` and `hcp` all print through the same Go library, and what Berth prints is compared with it.

use std::fmt::Write as _;

use serde_json::Value;

/// A value as YAML, with a line feed at its end.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => write_map(&mut out, value, 0, false),
        Value::Array(items) if !items.is_empty() => write_list(&mut out, value, 0, false),
        scalar => {
            write_scalar(&mut out, scalar, 0);
            out.push('\n');
        }
    }
    out
}

/// Writes the fields of a map; `inline` where the first follows a dash on the same line.
fn write_map(out: &mut String, value: &Value, indent: usize, inline: bool) {
    let Some(map) = value.as_object() else { return };
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 || !inline {
            pad(out, indent);
        }
        write_text(out, key, indent, true);
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                write_map(out, value, indent + 2, false);
            }
            Value::Array(inner) if !inner.is_empty() => {
                out.push('\n');
                write_list(out, value, indent, false);
            }
            scalar => {
                out.push(' ');
                write_scalar(out, scalar, indent + 2);
                out.push('\n');
            }
        }
    }
}

/// Writes the items of a list; `inline` where the first follows a dash on the same line.
fn write_list(out: &mut String, value: &Value, indent: usize, inline: bool) {
    let Some(items) = value.as_array() else { return };
    for (index, item) in items.iter().enumerate() {
        if index > 0 || !inline {
            pad(out, indent);
        }
        out.push_str("- ");
        match item {
            Value::Object(inner) if !inner.is_empty() => write_map(out, item, indent + 2, true),
            Value::Array(inner) if !inner.is_empty() => write_list(out, item, indent + 2, true),
            scalar => {
                write_scalar(out, scalar, indent + 2);
                out.push('\n');
            }
        }
    }
}

fn write_scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_text(out, text, indent, false),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

fn write_text(out: &mut String, text: &str, indent: usize, key: bool) {
    if text.contains('\n') && !key && fits_literal(text) {
        return write_literal(out, text, indent);
    }
    if text.is_empty() || reads_as_other(text) || text.chars().any(must_escape) {
        return write_double_quoted(out, text);
    }
    if is_plain(text) {
        out.push_str(text);
    } else {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    }
}

/// Writes a text of several lines as a block.
fn write_literal(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text.ends_with("\n\n") || text == "\n" {
        out.push('+');
    }
    let body = text.strip_suffix('\n').unwrap_or(text);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
    }
}

fn write_double_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if must_escape(c) && u32::from(c) <= 0xFF => {
                write!(out, "\\x{:02X}", u32::from(c)).expect("a String takes all");
            }
            c if must_escape(c) => write!(out, "\\u{:04X}", u32::from(c)).expect("a String takes all"),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Characters that only double quotes can carry.
fn must_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// A block keeps everything but characters that need escapes and spaces at the ends of lines.
fn fits_literal(text: &str) -> bool {
    !text.chars().any(|c| c != '\n' && must_escape(c)) && !text.split('\n').any(|line| line.ends_with(' '))
}

/// Whether a text without quotes would be read as something else than a text, by YAML 1.1 or 1.2.
fn reads_as_other(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", "<<",
    ];
    let lower = text.to_ascii_lowercase();
    if WORDS.contains(&lower.as_str()) || matches!(lower.as_str(), ".inf" | "+.inf" | "-.inf" | "=") {
        return true;
    }
    let digits = lower.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let plain = digits.replace('_', "");
    plain.parse::<f64>().is_ok()
        || is_radix(&plain, "0x", 16)
        || is_radix(&plain, "0o", 8)
        || is_radix(&plain, "0b", 2)
        || is_sexagesimal(&plain)
        || is_date(&lower)
}

fn is_radix(text: &str, prefix: &str, radix: u32) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
}

/// `1:30`: a number of base 60 in YAML 1.1.
fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    text.contains(':')
        && parts.all(|part| number(part) || part.split_once('.').is_some_and(|(a, b)| number(a) && number(b)))
}

/// `2026-01-31`, alone or with a time.
fn is_date(text: &str) -> bool {
    let date = text.split(['t', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    parts.len() == 3
        && parts[0].len() == 4
        && parts
            .iter()
            .all(|part| (1..=4).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit()))
}

/// Whether a text can stand without quotes.
fn is_plain(text: &str) -> bool {
    let starts_badly = text.starts_with([
        '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', ' ',
    ]);
    // A dash, a question mark or a colon may begin a text if something follows at once.
    let excused = text.len() > 1
        && text.starts_with(['-', '?', ':'])
        && !text[1..].starts_with([' ', ',', '[', ']', '{', '}'])
        && !text.starts_with("---");
    (!starts_badly || excused)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("...")
}
