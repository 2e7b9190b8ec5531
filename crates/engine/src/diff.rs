//! What a write changes, field by field: for plans, events, and the question whether there is anything to write.
//!
//! Values of Secrets are compared and never shown.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

mod local;
mod owned;
mod quantity;

pub(crate) use local::{equally_far, local};
pub(crate) use owned::owners;

/// One field that a write changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// The field: `spec.nodePools[0].replicas`.
    pub path: String,
    /// What is there.
    pub from: Shown,
    /// What will be there.
    pub to: Shown,
}

/// A value as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Shown {
    /// There is none.
    Absent,
    /// There is one, and nobody may see it.
    Secret,
    /// The value itself.
    Value(Value),
}

/// Fields of `metadata` that a server keeps for itself.
const KEPT_BY_SERVER: [&str; 7] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "uid",
    "selfLink",
    "deletionTimestamp",
];

/// Why writing to a string is expected to work.
const INFALLIBLE: &str = "writing to a string does not fail";

/// What differs between two states of an object, apart from what the server keeps and from the status, which no write
/// here touches.
pub(crate) fn between(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare(
        &mut String::new(),
        Some(&written(before)),
        Some(&written(after)),
        &mut changes,
    );
    hide(after, &mut changes);
    changes
}

/// All fields of an object that is created.
pub(crate) fn created(object: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    leaves(&mut String::new(), &written(object), &mut changes);
    hide(object, &mut changes);
    changes
}

/// What a merge patch would change: `null` removes a field.
pub(crate) fn merged(fields: &Value, live: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    merge(&mut String::new(), fields, Some(live), &mut changes);
    hide(live, &mut changes);
    changes
}

/// Two values that mean the same to an API server.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    a == b || quantity::same(a, b)
}

/// The value at a path of field names.
pub(crate) fn at<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter()
        .try_fold(object, |value, name| value.get(name))
        .filter(|value| !value.is_null())
}

/// Makes what the values of a Secret are unseeable.
pub(crate) fn hide(object: &Value, changes: &mut [FieldChange]) {
    if object["kind"] != "Secret" {
        return;
    }
    for change in changes {
        let FieldChange { path, from, to } = change;
        // An annotation may repeat the data (`kubectl apply` does that), so only metadata that can't is shown.
        let shown =
            path == "type" || path.starts_with("metadata.labels") || path.starts_with("metadata.ownerReferences");
        for value in [from, to] {
            if !shown && matches!(value, Shown::Value(_)) {
                *value = Shown::Secret;
            }
        }
    }
}

/// One field of an object that can't be looked at, as it is to be.
pub(crate) fn wanted(kind: &str, path: &[String], value: Option<&Value>) -> FieldChange {
    let mut text = String::new();
    for name in path {
        push(&mut text, name);
    }
    let to = if kind == "Secret" { Shown::Secret } else { shown(value) };
    FieldChange {
        path: text,
        from: Shown::Absent,
        to,
    }
}

/// Appends a field's name to a path.
pub(crate) fn push(path: &mut String, name: &str) {
    let plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !plain {
        write!(path, "[{name:?}]").expect(INFALLIBLE);
    } else if path.is_empty() {
        path.push_str(name);
    } else {
        path.push('.');
        path.push_str(name);
    }
}

fn merge(path: &mut String, wanted: &Value, live: Option<&Value>, changes: &mut Vec<FieldChange>) {
    let is = live.filter(|live| !live.is_null());
    match wanted {
        Value::Object(fields) => {
            let length = path.len();
            for (name, wanted) in fields {
                push(path, name);
                merge(path, wanted, is.and_then(|is| is.get(name)), changes);
                path.truncate(length);
            }
        }
        Value::Null if is.is_none() => {}
        wanted if is.is_some_and(|is| same(is, wanted)) => {}
        wanted => changes.push(FieldChange {
            path: path.clone(),
            from: shown(is),
            to: if wanted.is_null() {
                Shown::Absent
            } else {
                shown(Some(wanted))
            },
        }),
    }
}

fn compare(path: &mut String, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<FieldChange>) {
    let length = path.len();
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let names = before
                .keys()
                .chain(after.keys().filter(|name| !before.contains_key(*name)));
            for name in names {
                push(path, name);
                compare(path, before.get(name), after.get(name), changes);
                path.truncate(length);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if before.len() == after.len() => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                write!(path, "[{index}]").expect(INFALLIBLE);
                compare(path, Some(before), Some(after), changes);
                path.truncate(length);
            }
        }
        (None, Some(after)) => leaves(path, after, changes),
        (before, after) if before == after => {}
        (before, after) => changes.push(FieldChange {
            path: path.clone(),
            from: shown(before),
            to: shown(after),
        }),
    }
}

fn leaves(path: &mut String, value: &Value, changes: &mut Vec<FieldChange>) {
    let length = path.len();
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                push(path, name);
                leaves(path, value, changes);
                path.truncate(length);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                write!(path, "[{index}]").expect(INFALLIBLE);
                leaves(path, item, changes);
                path.truncate(length);
            }
        }
        value => changes.push(FieldChange {
            path: path.clone(),
            from: Shown::Absent,
            to: Shown::Value(value.clone()),
        }),
    }
}

/// The part of an object that writers decide, without its address.
fn written(object: &Value) -> Value {
    let mut written = object.clone();
    if let Some(fields) = written.as_object_mut() {
        for name in ["apiVersion", "kind", "status"] {
            fields.remove(name);
        }
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata
                .retain(|name, _| !KEPT_BY_SERVER.contains(&name.as_str()) && name != "name" && name != "namespace");
            if metadata.is_empty() {
                fields.remove("metadata");
            }
        }
    }
    written
}

fn shown(value: Option<&Value>) -> Shown {
    value.map_or(Shown::Absent, |value| Shown::Value(value.clone()))
}

#[cfg(test)]
mod tests;
