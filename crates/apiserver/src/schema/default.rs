//! Fills in defaults, from the outside in, and drops nulls that stand for "not said".

mod check;

use serde_json::{Map, Value};

pub(super) use self::check::{check, for_each};
use super::Node;

/// Fills in the defaults of an object.
pub(super) fn default(root: &Node, object: &mut Value) {
    value(root, object);
}

fn value(node: &Node, filled: &mut Value) {
    match filled {
        Value::Object(fields) => object(node, fields),
        Value::Array(items) => {
            let Some(item) = &node.items else { return };
            for filled in items {
                match &item.default {
                    Some(default) if filled.is_null() && !item.nullable => filled.clone_from(default),
                    _ => {}
                }
                value(item, filled);
            }
        }
        _ => {}
    }
}

fn object(node: &Node, fields: &mut Map<String, Value>) {
    fields.retain(|name, field| !field.is_null() || keeps_null(node, name));
    for (name, property) in node.properties.iter() {
        let Some(default) = &property.default else { continue };
        let absent = match fields.get(name) {
            None => true,
            Some(field) => field.is_null() && !property.nullable,
        };
        if absent {
            fields.insert(name.to_owned(), Value::clone(default));
        }
    }
    for (name, field) in fields {
        let Some(known) = node.known_field(name) else { continue };
        match &known.default {
            Some(default) if field.is_null() && !known.nullable => field.clone_from(default),
            _ => {}
        }
        value(known, field);
    }
}

/// Drops the nulls of fields that can't be null, and fills in nothing.
pub(super) fn drop_nulls(node: &Node, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, field| !field.is_null() || node.known_field(name).is_none_or(|known| known.nullable));
            for (name, field) in fields {
                if let Some(known) = node.known_field(name) {
                    drop_nulls(known, field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_nulls(node.item(), item)),
        _ => {}
    }
}

/// Whether a null in this field says something, or at least is replaced by a default later.
fn keeps_null(node: &Node, name: &str) -> bool {
    match node.known_field(name) {
        Some(known) => known.nullable || known.default.is_some(),
        None => true,
    }
}
