//! Every field that a restriction of the whole object names must be described by the structure as well.

use serde_json::{Map, Value};

use super::{child, key, properties};
use crate::field_error::FieldError;

/// Says which restricted fields have no description. Upstream looks at the restrictions of the root only.
pub(super) fn check(schema: &Map<String, Value>, errors: &mut Vec<FieldError>) {
    for (place, branch) in branches(schema, "") {
        covered(branch, Some(schema), "", &place, errors);
    }
}

fn branches<'a>(schema: &'a Map<String, Value>, path: &str) -> Vec<(String, &'a Map<String, Value>)> {
    let mut found = Vec::new();
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let branches = schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
        for (index, branch) in branches.filter_map(Value::as_object).enumerate() {
            found.push((format!("{}[{index}]", child(path, keyword)), branch));
        }
    }
    if let Some(not) = schema.get("not").and_then(Value::as_object) {
        found.push((child(path, "not"), not));
    }
    found
}

fn covered(
    restriction: &Map<String, Value>,
    structure: Option<&Map<String, Value>>,
    path: &str,
    place: &str,
    errors: &mut Vec<FieldError>,
) {
    let Some(structure) = structure else {
        errors.push(FieldError::required(path, format!("because it is defined in {place}")));
        return;
    };
    for (inner_place, branch) in branches(restriction, place) {
        covered(branch, Some(structure), path, &inner_place, errors);
    }
    if let Some(items) = restriction.get("items").and_then(Value::as_object) {
        let structure = structure.get("items").and_then(Value::as_object);
        covered(items, structure, &child(path, "items"), &child(place, "items"), errors);
    }
    for (name, property) in properties(restriction) {
        let described = properties(structure)
            .find(|(known, _)| *known == name)
            .map(|(_, property)| property);
        covered(property, described, &key(path, name), &key(place, name), errors);
    }
}
