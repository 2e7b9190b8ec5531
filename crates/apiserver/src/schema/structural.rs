//! The rules that make an OpenAPI schema *structural*: every value's type stated once, outside of any logic.
//!
//! Works on the schema as written and only complains; [`super::compile`] then reads it.

mod coverage;
mod list;

use serde_json::{Map, Value};

use crate::field_error::FieldError;

/// Keywords that no schema may use, and why.
const FORBIDDEN: &[(&str, &str)] = &[
    ("$ref", "$ref is not supported"),
    ("definitions", "definitions is not supported"),
    ("dependencies", "dependencies is not supported"),
    ("patternProperties", "patternProperties is not supported"),
    ("additionalItems", "additionalItems is not supported"),
    ("id", "id is not supported"),
];

/// Keywords that say what a value is, and so have no place below `allOf`, `anyOf`, `oneOf` and `not`.
const STRUCTURE: &[(&str, &str)] = &[
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("externalDocs", "must be undefined to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
    ("x-kubernetes-validations", "must be empty to be structural"),
];

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Where in the tree a schema stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Says in which ways `schema` is not structural.
pub(super) fn check(schema: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match schema.as_object() {
        Some(schema) => {
            node(schema, Level::Root, "", &mut errors);
            coverage::check(schema, &mut errors);
        }
        None => errors.push(FieldError::required("", "schemas are required")),
    }
    errors
}

/// Joins a path and a field of the schema.
pub(super) fn child(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn key(path: &str, name: &str) -> String {
    format!("{}[{name}]", child(path, "properties"))
}

fn is_set(schema: &Map<String, Value>, keyword: &str) -> bool {
    match schema.get(keyword) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    }
}

fn is_true(schema: &Map<String, Value>, keyword: &str) -> bool {
    schema.get(keyword) == Some(&Value::Bool(true))
}

fn text<'a>(schema: &'a Map<String, Value>, keyword: &str) -> &'a str {
    schema.get(keyword).and_then(Value::as_str).unwrap_or_default()
}

fn properties(schema: &Map<String, Value>) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| value.as_object().map(|value| (name, value)))
}

fn node(schema: &Map<String, Value>, level: Level, path: &str, errors: &mut Vec<FieldError>) {
    keywords(schema, path, errors);
    kind(schema, level, path, errors);
    extensions(schema, path, errors);
    list::check(schema, path, errors);
    if level == Level::Root || is_true(schema, "x-kubernetes-embedded-resource") {
        object_fields(schema, level, path, errors);
    }
    match schema.get("items") {
        Some(Value::Object(items)) => node(items, Level::Item, &child(path, "items"), errors),
        Some(Value::Array(_)) => {
            errors.push(FieldError::forbidden(
                child(path, "items"),
                "items must be a schema object and not an array",
            ));
        }
        _ if text(schema, "type") == "array" => {
            errors.push(FieldError::required(child(path, "items"), "must be specified"));
        }
        _ => {}
    }
    for (name, property) in properties(schema) {
        node(property, Level::Field, &key(path, name), errors);
    }
    additional(schema, level, path, errors);
    logic(schema, path, errors);
}

fn keywords(schema: &Map<String, Value>, path: &str, errors: &mut Vec<FieldError>) {
    for (keyword, why) in FORBIDDEN {
        if is_set(schema, keyword) {
            errors.push(FieldError::forbidden(child(path, keyword), *why));
        }
    }
    if is_true(schema, "uniqueItems") {
        errors.push(FieldError::forbidden(
            child(path, "uniqueItems"),
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ));
    }
}

fn kind(schema: &Map<String, Value>, level: Level, path: &str, errors: &mut Vec<FieldError>) {
    let place = child(path, "type");
    match (text(schema, "type"), level) {
        ("", _) if is_true(schema, "x-kubernetes-embedded-resource") => {
            errors.push(FieldError::required(
                place,
                "must be object if x-kubernetes-embedded-resource is true",
            ));
        }
        ("", _) if is_true(schema, "x-kubernetes-int-or-string") => {}
        ("", _) if is_true(schema, "x-kubernetes-preserve-unknown-fields") => {}
        ("", Level::Root) => errors.push(FieldError::required(place, "must not be empty at the root")),
        ("", Level::Item) => {
            errors.push(FieldError::required(
                place,
                "must not be empty for specified array items",
            ));
        }
        ("", Level::Field) => {
            errors.push(FieldError::required(
                place,
                "must not be empty for specified object fields",
            ));
        }
        ("null", _) => {
            let why = "type cannot be set to null, use nullable as an alternative";
            errors.push(FieldError::forbidden(place.clone(), why));
            errors.push(FieldError::not_supported(place, "null", TYPES));
        }
        (other, _) if !TYPES.contains(&other) => errors.push(FieldError::not_supported(place, other, TYPES)),
        (other, Level::Root) if other != "object" => {
            errors.push(FieldError::invalid(place, other, "must be object at the root"));
        }
        (other, _) if other != "object" && is_true(schema, "x-kubernetes-embedded-resource") => {
            errors.push(FieldError::invalid(
                place,
                other,
                "must be object if x-kubernetes-embedded-resource is true",
            ));
        }
        _ => {}
    }
}

fn extensions(schema: &Map<String, Value>, path: &str, errors: &mut Vec<FieldError>) {
    if is_true(schema, "x-kubernetes-int-or-string") {
        for other in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] {
            if is_true(schema, other) {
                let why = "must be false if x-kubernetes-int-or-string is true";
                errors.push(FieldError::invalid(child(path, other), true, why));
            }
        }
    }
    let embedded = is_true(schema, "x-kubernetes-embedded-resource");
    if embedded && !is_true(schema, "x-kubernetes-preserve-unknown-fields") && properties(schema).next().is_none() {
        errors.push(FieldError::required(
            child(path, "properties"),
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
        ));
    }
    let map_type = text(schema, "x-kubernetes-map-type");
    if !map_type.is_empty() && text(schema, "type") != "object" {
        let (place, why) = (
            child(path, "type"),
            "must be object if x-kubernetes-map-type is specified",
        );
        errors.push(match text(schema, "type") {
            "" => FieldError::required(place, why),
            other => FieldError::invalid(place, other, why),
        });
    }
    if !["", "atomic", "granular"].contains(&map_type) {
        let place = child(path, "x-kubernetes-map-type");
        errors.push(FieldError::not_supported(place, map_type, ["atomic", "granular"]));
    }
    let preserve = "x-kubernetes-preserve-unknown-fields";
    if schema.get(preserve) == Some(&Value::Bool(false)) {
        errors.push(FieldError::invalid(
            child(path, preserve),
            false,
            "must be true or undefined",
        ));
    }
}

/// `apiVersion`, `kind` and `metadata` of what is a whole object.
fn object_fields(schema: &Map<String, Value>, level: Level, path: &str, errors: &mut Vec<FieldError>) {
    for (name, property) in properties(schema) {
        let kind = text(property, "type");
        let place = key(path, name);
        if level == Level::Root && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) {
            forbid_defaults(property, name, &place, errors);
        }
        match name.as_str() {
            "apiVersion" | "kind" if kind != "string" => {
                errors.push(FieldError::invalid(child(&place, "type"), kind, "must be string"));
            }
            "metadata" if kind != "object" => {
                errors.push(FieldError::invalid(child(&place, "type"), kind, "must be object"));
            }
            "metadata" if level == Level::Root && restricts_metadata(property) => {
                errors.push(FieldError::forbidden(
                    place,
                    "must not specify anything other than name and generateName, but metadata is implicitly specified",
                ));
            }
            _ => {}
        }
    }
}

/// What every object has is never filled in by a schema.
fn forbid_defaults(schema: &Map<String, Value>, of: &str, path: &str, errors: &mut Vec<FieldError>) {
    if is_set(schema, "default") {
        let why = format!("must not be set in top-level {of}");
        errors.push(FieldError::forbidden(child(path, "default"), why));
    }
    for (name, property) in properties(schema) {
        forbid_defaults(property, of, &key(path, name), errors);
    }
}

fn restricts_metadata(schema: &Map<String, Value>) -> bool {
    let names = ["name", "generateName"];
    let says_more = |keyword: &String| !["type", "properties", "description"].contains(&keyword.as_str());
    properties(schema).any(|(name, _)| !names.contains(&name.as_str())) || schema.keys().any(says_more)
}

fn additional(schema: &Map<String, Value>, level: Level, path: &str, errors: &mut Vec<FieldError>) {
    let Some(additional) = schema
        .get("additionalProperties")
        .filter(|additional| !additional.is_null())
    else {
        return;
    };
    let place = child(path, "additionalProperties");
    if level == Level::Root {
        errors.push(FieldError::forbidden(place.clone(), "must not be used at the root"));
    }
    if is_true(schema, "x-kubernetes-embedded-resource") {
        errors.push(FieldError::forbidden(
            place.clone(),
            "must not be used if x-kubernetes-embedded-resource is set",
        ));
    }
    if properties(schema).next().is_some() {
        errors.push(FieldError::forbidden(
            place.clone(),
            "additionalProperties and properties are mutual exclusive",
        ));
    }
    match additional {
        Value::Bool(false) => {
            errors.push(FieldError::forbidden(
                place,
                "additionalProperties cannot be set to false",
            ));
        }
        Value::Object(additional) => node(additional, Level::Field, &place, errors),
        _ => {}
    }
}

/// The schemas that only restrict further, and the one way in which they may name types: int-or-string.
fn logic(schema: &Map<String, Value>, path: &str, errors: &mut Vec<FieldError>) {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let branches = schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
        if keyword == "anyOf" && is_int_or_string(schema) {
            continue;
        }
        for (index, branch) in branches.enumerate() {
            let Some(branch) = branch.as_object() else { continue };
            restriction(branch, &format!("{}[{index}]", child(path, keyword)), errors);
        }
    }
    if let Some(not) = schema.get("not").and_then(Value::as_object) {
        restriction(not, &child(path, "not"), errors);
    }
}

fn is_int_or_string(schema: &Map<String, Value>) -> bool {
    let int_or_string = serde_json::json!([{"type": "integer"}, {"type": "string"}]);
    schema.get("anyOf") == Some(&int_or_string)
}

fn restriction(schema: &Map<String, Value>, path: &str, errors: &mut Vec<FieldError>) {
    keywords(schema, path, errors);
    for (keyword, why) in STRUCTURE {
        if is_set(schema, keyword) {
            errors.push(FieldError::forbidden(child(path, keyword), *why));
        }
    }
    if let Some(items) = schema.get("items").and_then(Value::as_object) {
        restriction(items, &child(path, "items"), errors);
    }
    for (name, property) in properties(schema) {
        let place = key(path, name);
        if name == "metadata" {
            errors.push(FieldError::forbidden(
                place.clone(),
                "must not be specified in a nested context",
            ));
        }
        restriction(property, &place, errors);
    }
    logic(schema, path, errors);
}
