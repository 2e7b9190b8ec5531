//! What a list must be whose items are told apart: a set, or a list with keys.

use serde_json::{Map, Value};

use super::{child, is_true, key, properties, text};
use crate::field_error::FieldError;

/// Says what is wrong with the type of a list.
pub(super) fn check(schema: &Map<String, Value>, path: &str, errors: &mut Vec<FieldError>) {
    let list_type = text(schema, "x-kubernetes-list-type");
    let place = child(path, "x-kubernetes-list-type");
    let keys: Vec<&str> = schema
        .get("x-kubernetes-list-map-keys")
        .and_then(Value::as_array)
        .map_or(Vec::new(), |keys| keys.iter().filter_map(Value::as_str).collect());
    if !list_type.is_empty() && text(schema, "type") != "array" {
        let (place, why) = (
            child(path, "type"),
            "must be array if x-kubernetes-list-type is specified",
        );
        errors.push(match text(schema, "type") {
            "" => FieldError::required(place, why),
            other => FieldError::invalid(place, other, why),
        });
    }
    if !["", "atomic", "set", "map"].contains(&list_type) {
        errors.push(FieldError::not_supported(
            place.clone(),
            list_type,
            ["atomic", "set", "map"],
        ));
    }
    let why = "must be map if x-kubernetes-list-map-keys is non-empty";
    match (list_type, keys.is_empty()) {
        ("map", true) => {
            let place = child(path, "x-kubernetes-list-map-keys");
            let why = "must not be empty if x-kubernetes-list-type is map";
            errors.push(FieldError::required(place, why));
        }
        ("map", false) => map_keys(schema, &keys, path, errors),
        ("", false) => errors.push(FieldError::required(place, why)),
        (other, false) => errors.push(FieldError::invalid(place, other, why)),
        (_, true) => {}
    }
    if ["set", "map"].contains(&list_type) {
        told_apart(schema, list_type, &child(path, "items"), errors);
    }
}

/// Items that are told apart are there, and whole.
fn told_apart(schema: &Map<String, Value>, list_type: &str, path: &str, errors: &mut Vec<FieldError>) {
    let Some(items) = schema.get("items").and_then(Value::as_object) else {
        return;
    };
    if is_true(items, "nullable") {
        let why = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
        errors.push(FieldError::forbidden(child(path, "nullable"), why));
    }
    let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let extension = match text(items, "type") {
        "array" if list_type == "set" => "x-kubernetes-list-type",
        "object" if list_type == "set" => "x-kubernetes-map-type",
        _ => return,
    };
    let is_atomic = match text(items, extension) {
        // Lists are atomic unless they say otherwise, and maps are not.
        "" => extension == "x-kubernetes-list-type",
        other => other == "atomic",
    };
    if !is_atomic {
        let shown = items.get("x-kubernetes-list-type").cloned().unwrap_or_default();
        errors.push(FieldError::invalid(child(path, extension), shown, why));
    }
}

fn map_keys(schema: &Map<String, Value>, keys: &[&str], path: &str, errors: &mut Vec<FieldError>) {
    let items = schema.get("items").and_then(Value::as_object);
    let at_items = child(path, "items");
    let Some(items) = items.filter(|items| text(items, "type") == "object") else {
        let found = items.map_or("", |items| text(items, "type"));
        let why = "must be object if parent array's x-kubernetes-list-type is map";
        errors.push(FieldError::invalid(child(&at_items, "type"), found, why));
        return;
    };
    let required = |name: &str| {
        let required = items.get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|field| field == name))
    };
    let mut complain = |why: &str| {
        let place = child(path, "x-kubernetes-list-map-keys");
        errors.push(FieldError::invalid(place, Value::from(keys.to_vec()), why));
    };
    for (index, name) in keys.iter().enumerate() {
        if !properties(items).any(|(property, _)| property == name) {
            complain("entries must all be names of item properties");
        }
        if keys[..index].contains(name) {
            complain("must not contain duplicate entries");
        }
    }
    for &name in keys {
        let place = key(&at_items, name);
        let Some((_, property)) = properties(items).find(|(property, _)| *property == name) else {
            continue;
        };
        if ["array", "object"].contains(&text(property, "type")) {
            let why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            errors.push(FieldError::invalid(child(&place, "type"), text(property, "type"), why));
        } else if !required(name) && !property.contains_key("default") {
            let why =
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            errors.push(FieldError::required(child(&place, "default"), why));
        }
        if is_true(property, "nullable") {
            let why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            errors.push(FieldError::forbidden(child(&place, "nullable"), why));
        }
    }
}
