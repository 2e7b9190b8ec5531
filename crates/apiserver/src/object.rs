//! Small reads and writes on objects as JSON.

use serde_json::{Map, Value};

/// A text in `metadata`; empty where there is none.
pub(crate) fn meta<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

pub(crate) fn name(object: &Value) -> &str {
    meta(object, "name")
}

pub(crate) fn namespace(object: &Value) -> &str {
    meta(object, "namespace")
}

/// `metadata` as a map, which is made where it is missing.
pub(crate) fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    let metadata = &mut object["metadata"];
    if !metadata.is_object() {
        *metadata = Value::Object(Map::new());
    }
    metadata.as_object_mut().expect("it was just made one")
}

/// Sets a text in `metadata`, or takes it away where it is empty.
pub(crate) fn set_meta(object: &mut Value, field: &str, text: &str) {
    let metadata = metadata_mut(object);
    if text.is_empty() {
        metadata.remove(field);
    } else {
        metadata.insert(field.to_owned(), text.into());
    }
}

pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    let finalizers = object["metadata"]["finalizers"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    finalizers.iter().filter_map(Value::as_str).collect()
}

/// Sets the finalizers, or takes the field away where there are none.
pub(crate) fn set_finalizers(object: &mut Value, finalizers: &[String]) {
    let metadata = metadata_mut(object);
    if finalizers.is_empty() {
        metadata.remove("finalizers");
    } else {
        metadata.insert("finalizers".to_owned(), finalizers.into());
    }
}

pub(crate) fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Moves a top-level field from one object to another, absent included.
pub(crate) fn copy_field(from: &Value, to: &mut Value, field: &str) {
    match from.get(field) {
        Some(value) => to[field] = value.clone(),
        None => {
            if let Some(object) = to.as_object_mut() {
                object.remove(field);
            }
        }
    }
}

/// The value at a simple JSON path such as `.spec.replicas`.
pub(crate) fn at_path<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut segments = path.trim_start_matches('.').split('.');
    segments
        .try_fold(object, |value, segment| value.get(segment))
        .filter(|value| !value.is_null())
}

/// Sets the value at a simple JSON path, making objects on the way.
pub(crate) fn set_at_path(object: &mut Value, path: &str, value: Value) {
    let mut place = object;
    for segment in path.trim_start_matches('.').split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[segment];
    }
    *place = value;
}

/// What a field selector compares: the text of a scalar, and nothing for what is absent.
pub(crate) fn selector_text(object: &Value, path: &str) -> String {
    match at_path(object, path) {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
        _ => String::new(),
    }
}

/// Takes a field of `metadata` over into an object, absent included.
pub(crate) fn copy_field_of_metadata(metadata: &Value, to: &mut Value, field: &str) {
    let target = metadata_mut(to);
    match metadata.get(field) {
        Some(value) => target.insert(field.to_owned(), value.clone()),
        None => target.remove(field),
    };
}

/// A value as Go prints it.
pub(crate) fn go(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(go).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let mut fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}:{}", go(value)))
                .collect();
            fields.sort();
            format!("map[{}]", fields.join(" "))
        }
        other => other.to_string(),
    }
}
