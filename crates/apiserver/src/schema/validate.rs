//! Holds an object against its schema, with the wording of the Kubernetes API.
//!
//! Names and label syntax of `metadata` are not checked here beyond their types, and rules are [`super::rules`]' business.

mod limits;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{ListType, Logic, MapType, Node, Type, object_meta};
use crate::{field_error::FieldError, value_path::Path};

/// Says what is wrong with a value that stands somewhere in an object.
pub(super) fn validate_at(node: &Node, checked: &Value, path: &Path<'_>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    value(node, checked, None, path, &mut errors);
    errors
}

/// Says what is wrong with an object; with `old`, only as far as it was changed.
pub(super) fn validate(root: &Node, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    value(root, object, old, &Path::Root, &mut errors);
    errors
}

fn value(node: &Node, checked: &Value, old: Option<&Value>, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    // Ratcheting: what was stored like this before stays allowed, whatever the schema has become since.
    if old == Some(checked) {
        return;
    }
    if checked.is_null() && node.nullable {
        return;
    }
    if let Some(expected) = wrong_type(node, checked) {
        let found = type_name(checked);
        let detail = format!("{path} in body must be of type {expected}: \"{found}\"");
        errors.push(FieldError::type_invalid(path, found, detail));
        return;
    }
    if let Some(limits) = &node.limits {
        limits::check(limits, checked, path, errors);
    }
    match checked {
        Value::Object(fields) => object(node, fields, old, path, errors),
        Value::Array(items) => array(node, items, old, path, errors),
        _ => {}
    }
    if let Some(logic) = &node.logic {
        combinations(node, logic, checked, old, path, errors);
    }
}

/// The type that a value should have been of.
fn wrong_type(node: &Node, value: &Value) -> Option<&'static str> {
    if node.int_or_string {
        return (!value.is_string() && !is_integer(value)).then_some("integer");
    }
    let expected = node.kind?;
    let fits = match expected {
        Type::Object => value.is_object(),
        Type::Array => value.is_array(),
        Type::String => value.is_string(),
        Type::Integer => is_integer(value),
        Type::Number => value.is_number(),
        Type::Boolean => value.is_boolean(),
    };
    (!fits).then_some(expected.name())
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) if is_integer(value) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn object(
    node: &Node,
    fields: &Map<String, Value>,
    old: Option<&Value>,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    let old = old.filter(|_| node.map == MapType::Granular).and_then(Value::as_object);
    let required = node.limits.iter().flat_map(|limits| &limits.required);
    for name in required.filter(|name| !fields.contains_key(*name)) {
        errors.push(FieldError::required(&path.field(name), ""));
    }
    for (name, field) in fields {
        if let Some(known) = node.known_field(name) {
            value(
                known,
                field,
                old.and_then(|old| old.get(name)),
                &path.field(name),
                errors,
            );
        }
    }
    if node.embedded {
        embedded(node, fields, old, path, errors);
    }
}

/// What every whole object must have, inside another as well.
fn embedded(
    node: &Node,
    fields: &Map<String, Value>,
    old: Option<&Map<String, Value>>,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    for name in ["apiVersion", "kind"] {
        if fields.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            errors.push(FieldError::required(&path.field(name), "must not be empty"));
        }
    }
    if let Some(metadata) = fields.get("metadata").filter(|_| !node.properties.contains("metadata")) {
        let old = old.and_then(|old| old.get("metadata"));
        value(object_meta::metadata(), metadata, old, &path.field("metadata"), errors);
    }
}

fn array(node: &Node, items: &[Value], old: Option<&Value>, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let old = old.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let keys = match &node.list {
        ListType::Map(keys) => keys.as_slice(),
        ListType::Set | ListType::Atomic => &[],
    };
    if let Some(item) = &node.items {
        let old = by_key(old, keys);
        for (index, checked) in items.iter().enumerate() {
            // Only a keyed item can be told to be the same one as before.
            let old = list_key(checked, keys).and_then(|key| old.get(&key.to_string()).copied());
            value(item, checked, old, &path.item(index), errors);
        }
    }
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let identity = match node.list {
            ListType::Atomic => return,
            ListType::Set => Some(item.clone()),
            ListType::Map(_) => list_key(item, keys),
        };
        let Some(identity) = identity else { continue };
        if !seen.insert(identity.to_string()) {
            errors.push(FieldError::duplicate(&path.item(index), identity));
        }
    }
}

/// Items by the fields that tell them apart, written as text; none where no fields do. Of several with the same the first.
pub(super) fn by_key<'a>(items: &'a [Value], keys: &[String]) -> BTreeMap<String, &'a Value> {
    let mut by_key = BTreeMap::new();
    for item in items.iter().filter(|_| !keys.is_empty()) {
        if let Some(key) = list_key(item, keys) {
            by_key.entry(key.to_string()).or_insert(item);
        }
    }
    by_key
}

/// The fields of an item that tell it apart, as an object.
pub(super) fn list_key(item: &Value, keys: &[String]) -> Option<Value> {
    let item = item.as_object()?;
    let key = keys
        .iter()
        .filter_map(|name| Some((name.clone(), item.get(name)?.clone())));
    Some(Value::Object(key.collect()))
}

fn combinations(
    node: &Node,
    logic: &Logic,
    checked: &Value,
    old: Option<&Value>,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    let failures = |branch: &Node| {
        let mut errors = Vec::new();
        value(branch, checked, old, path, &mut errors);
        errors
    };
    let complain = |errors: &mut Vec<FieldError>, what: &str| {
        errors.push(FieldError::invalid("", "", format!("\"{path}\" must {what}")));
    };
    let all_of: Vec<FieldError> = logic.all_of.iter().flat_map(failures).collect();
    if !all_of.is_empty() {
        complain(errors, "validate all the schemas (allOf)");
        errors.extend(all_of);
    }
    let any_of: Vec<_> = logic.any_of.iter().map(failures).collect();
    // The two branches of an int-or-string name types only, which has been looked at already.
    if !node.int_or_string && !any_of.is_empty() && !any_of.iter().any(Vec::is_empty) {
        complain(errors, "validate at least one schema (anyOf)");
        errors.extend(any_of.into_iter().min_by_key(Vec::len).unwrap_or_default());
    }
    let one_of: Vec<_> = logic.one_of.iter().map(failures).collect();
    match one_of.iter().filter(|failures| failures.is_empty()).count() {
        0 if !one_of.is_empty() => {
            complain(errors, "validate one and only one schema (oneOf). Found none valid");
            errors.extend(one_of.into_iter().min_by_key(Vec::len).unwrap_or_default());
        }
        0 | 1 => {}
        count => {
            let what = format!("validate one and only one schema (oneOf). Found {count} valid alternatives");
            complain(errors, &what);
        }
    }
    if logic.not.as_ref().is_some_and(|not| failures(not).is_empty()) {
        complain(errors, "not validate the schema (not)");
    }
}
