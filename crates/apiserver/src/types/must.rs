//! What an object of a built-in kind must have, and which values of a few that are allowed it has: what the table says of
//! `must` and `enum`. Rules that connect fields, or look into a text, are the kind's own (`crate::admission`).

use serde_json::{Map, Value};

use super::{
    place::Place,
    table::{Struct, Text, Type},
};
use crate::field_error::FieldError;

/// Says what is missing in an object, or is none of the values that it may be. What `old` has just so stays allowed.
///
/// Metadata has rules of its own, and a status is written by those who know.
pub(crate) fn missing(structure: &'static Struct, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    // Definitions of kinds are validated as a whole.
    if structure.name.package != "apiextensions/v1" {
        let fields = object.as_object().cloned().unwrap_or_default();
        let fields = fields
            .into_iter()
            .filter(|(name, _)| !matches!(name.as_str(), "metadata" | "status"));
        self::fields(structure, &fields.collect(), old, &Place::Root, &mut errors);
    }
    errors
}

fn fields(
    structure: &'static Struct,
    fields: &Map<String, Value>,
    old: Option<&Value>,
    place: &Place<'_>,
    errors: &mut Vec<FieldError>,
) {
    for field in structure.members() {
        let (value, old) = (fields.get(field.name), old.and_then(|old| old.get(field.name)));
        if value.is_some() && value == old {
            continue;
        }
        let place = Place::Field(place, structure, field.name);
        match (&field.kind, value) {
            (Type::Struct(inner), None) if field.must => {
                self::fields(inner.structure(), &Map::new(), None, &place, errors);
            }
            (_, value) if field.must && value.is_none_or(is_empty) => {
                errors.push(FieldError::required(place.to_string(), ""));
            }
            (kind, Some(value)) => self::value(kind, value, old, &place, errors),
            (_, None) => {}
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn value(kind: &Type, value: &Value, old: Option<&Value>, place: &Place<'_>, errors: &mut Vec<FieldError>) {
    match (kind, value) {
        (Type::Struct(inner), Value::Object(fields)) => self::fields(inner.structure(), fields, old, place, errors),
        (Type::Text(text), Value::String(given)) => errors.extend(other_value(text, given, place)),
        (Type::List(item), Value::Array(items)) if has_rules(item) => {
            let old = old.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            for (index, value) in items.iter().enumerate().filter(|(_, value)| !old.contains(value)) {
                self::value(item, value, None, &Place::Item(place, index), errors);
            }
        }
        (Type::Map(item), Value::Object(entries)) if has_rules(item) => {
            for (key, value) in entries {
                let old = old.and_then(|old| old.get(key));
                self::value(item, value, old, &Place::Entry(place, key), errors);
            }
        }
        _ => {}
    }
}

/// Whether there may be something to say of the parts of a list or map.
fn has_rules(item: &Type) -> bool {
    matches!(item, Type::Struct(_) | Type::Text(_))
}

fn other_value(text: &Text, given: &str, place: &Place<'_>) -> Option<FieldError> {
    let fine = given.is_empty() || text.values.is_empty() || text.values.contains(&given);
    (!fine).then(|| FieldError::not_supported(place.to_string(), given, &text.values))
}
