//! Whether the defaults of a schema are values that the schema itself allows.

use serde_json::Value;

use super::super::{Node, prune, structural::child, validate};
use crate::{field_error::FieldError, value_path::Path};

/// What is wrong with the defaults of a node, and of all below it.
pub(in super::super) fn check(node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    if let Some(default) = &node.default {
        let place = child(path, "default");
        let mut pruned = default.clone();
        if prune::prune(node, &mut pruned).is_empty() {
            let found = validate::validate_at(node, default, &Path::Root.field("default"));
            errors.extend(found.into_iter().map(|error| error.under(path)));
        } else {
            let detail = "must not have unknown fields";
            errors.push(FieldError::invalid(place, Value::clone(default), detail));
        }
    }
    for (name, field) in node.properties.iter() {
        check(field, &format!("{}[{name}]", child(path, "properties")), errors);
    }
    if let Some(value) = &node.additional {
        check(value, &child(path, "additionalProperties"), errors);
    }
    if let Some(item) = &node.items {
        check(item, &child(path, "items"), errors);
    }
}
