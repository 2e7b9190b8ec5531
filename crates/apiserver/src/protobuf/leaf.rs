//! Small types that have a form of their own in JSON: times, quantities, numbers or text.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    ProtobufError, Result,
    wire::{Raw, Reader},
};

pub(super) fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| ProtobufError::Malformed("text that is not UTF-8"))
}

pub(super) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

/// A time; none of it is none.
pub(super) fn time(bytes: &[u8], micros: bool) -> Result<Value> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in Reader::new(bytes) {
        match field? {
            (1, raw) => seconds = raw.number()?,
            (2, raw) => nanos = raw.number()?,
            _ => {}
        }
    }
    if (seconds, nanos) == (0, 0) {
        return Ok(Value::Null);
    }
    let out_of_range = ProtobufError::Malformed("a time is out of range");
    let nanos = i32::try_from(nanos)
        .ok()
        .and_then(|nanos| Timestamp::new(seconds, nanos).ok());
    let format = if micros {
        "%Y-%m-%dT%H:%M:%S.%6fZ"
    } else {
        "%Y-%m-%dT%H:%M:%SZ"
    };
    Ok(nanos.ok_or(out_of_range)?.strftime(format).to_string().into())
}

/// A span of time, in nanoseconds on the wire, as Go writes it: `1h2m3s`.
pub(super) fn duration(bytes: &[u8]) -> Result<Value> {
    let nanos = first(bytes)?.map_or(Ok(0), Raw::number)?;
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = if rest == 0 {
        String::new()
    } else {
        format!(".{rest:09}").trim_end_matches('0').to_owned()
    };
    Ok(match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, _) => format!("{minutes}m{seconds}{fraction}s"),
        _ => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
    .into())
}

pub(super) fn quantity(bytes: &[u8]) -> Result<Value> {
    match first(bytes)? {
        Some(raw) => Ok(text(raw.bytes()?)?.into()),
        None => Ok("0".into()),
    }
}

pub(super) fn int_or_string(bytes: &[u8]) -> Result<Value> {
    let (mut is_text, mut number, mut string) = (false, 0, String::new());
    for field in Reader::new(bytes) {
        match field? {
            (1, raw) => is_text = raw.number()? == 1,
            (2, raw) => number = raw.number()?,
            (3, raw) => string = text(raw.bytes()?)?,
            _ => {}
        }
    }
    Ok(if is_text { string.into() } else { number.into() })
}

/// JSON within.
pub(super) fn raw_json(bytes: &[u8]) -> Result<Value> {
    match first(bytes)? {
        None => Ok(Value::Null),
        Some(raw) => {
            serde_json::from_slice(raw.bytes()?).map_err(|_| ProtobufError::Malformed("raw JSON that is none"))
        }
    }
}

/// The field of number 1.
fn first(bytes: &[u8]) -> Result<Option<Raw<'_>>> {
    let mut found = None;
    for field in Reader::new(bytes) {
        let (number, raw) = field?;
        if number == 1 {
            found = Some(raw);
        }
    }
    Ok(found)
}
