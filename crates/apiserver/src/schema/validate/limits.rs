//! What a single value must satisfy beyond its type: lengths, bounds, patterns, lists of allowed values.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::super::{Limits, Range, format};
use crate::{field_error::FieldError, value_path::Path};

/// Holds one value against its limits; each applies to values of its own type only.
pub(super) fn check(limits: &Limits, value: &Value, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(allowed) = &limits.allowed
        && !allowed.contains(value)
    {
        let shown = allowed
            .iter()
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        errors.push(FieldError::not_supported(path, value.clone(), shown));
    }
    match value {
        Value::String(text) => string(limits, text, path, errors),
        Value::Number(number) => bounds(limits, number, path, errors),
        Value::Array(items) => count(limits.items, items.len(), "items", value, path, errors),
        Value::Object(fields) => count(limits.properties, fields.len(), "properties", value, path, errors),
        Value::Null | Value::Bool(_) => {}
    }
}

fn string(limits: &Limits, text: &str, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let length = text.chars().count() as u64;
    if let Some(max) = limits.length.max.filter(|max| length > *max) {
        errors.push(FieldError::too_long(path, max));
    }
    if let Some(min) = limits.length.min.filter(|min| length < *min) {
        let detail = format!("{path} in body should be at least {min} chars long");
        errors.push(FieldError::invalid(path, text, detail));
    }
    if let Some(pattern) = limits.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
        let detail = format!("{path} in body should match '{}'", pattern.as_str());
        errors.push(FieldError::invalid(path, text, detail));
    }
    if let Some(format) = limits.format.as_deref().filter(|format| !format::matches(format, text)) {
        let detail = format!("{path} in body must be of type {format}: {}", Value::from(text));
        errors.push(FieldError::type_invalid(path, text, detail));
    }
}

fn bounds(limits: &Limits, number: &Number, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let mut complain = |what: String| {
        let detail = format!("{path} in body should be {what}");
        errors.push(FieldError::invalid(path, Value::Number(number.clone()), detail));
    };
    if let Some(bound) = &limits.minimum {
        match (compare(number, &bound.value), bound.exclusive) {
            (Ordering::Less, false) => complain(format!("greater than or equal to {}", bound.value)),
            (Ordering::Less | Ordering::Equal, true) => complain(format!("greater than {}", bound.value)),
            _ => {}
        }
    }
    if let Some(bound) = &limits.maximum {
        match (compare(number, &bound.value), bound.exclusive) {
            (Ordering::Greater, false) => complain(format!("less than or equal to {}", bound.value)),
            (Ordering::Greater | Ordering::Equal, true) => complain(format!("less than {}", bound.value)),
            _ => {}
        }
    }
    if let Some(factor) = limits
        .multiple_of
        .as_ref()
        .filter(|factor| !is_multiple(number, factor))
    {
        complain(format!("a multiple of {factor}"));
    }
}

/// Compares numbers exactly where both are whole, as floating point otherwise.
fn compare(left: &Number, right: &Number) -> Ordering {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left
            .as_f64()
            .unwrap_or_default()
            .total_cmp(&right.as_f64().unwrap_or_default()),
    }
}

fn is_multiple(number: &Number, factor: &Number) -> bool {
    match (number.as_i128(), factor.as_i128()) {
        (Some(_), Some(0)) => true,
        (Some(number), Some(factor)) => number % factor == 0,
        _ => {
            let ratio = number.as_f64().unwrap_or_default() / factor.as_f64().unwrap_or(1.0);
            (ratio - ratio.round()).abs() < 1e-9
        }
    }
}

fn count(range: Range, actual: usize, what: &str, value: &Value, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(max) = range.max.filter(|max| actual as u64 > *max) {
        errors.push(FieldError::too_many(path, actual, max));
    }
    if let Some(min) = range.min.filter(|min| (actual as u64) < *min) {
        let detail = format!("{path} in body should have at least {min} {what}");
        errors.push(FieldError::invalid(path, value.clone(), detail));
    }
}
