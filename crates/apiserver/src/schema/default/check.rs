//! Whether the defaults of a schema are values that the schema itself allows.

use serde_json::Value;

use super::super::{Node, prune, structural::child, validate};
use crate::{field_error::FieldError, value_path::Path};

/// What is wrong with the defaults of a node, and of all below it.
pub(in super::super) fn check(root: &Node, path: &str, errors: &mut Vec<FieldError>) {
    for_each(root, path, &mut |node, default, path| {
        let mut pruned = default.clone();
        if prune::prune(node, &mut pruned).is_empty() {
            let found = validate::validate_at(node, default, &Path::Root.field("default"));
            errors.extend(found.into_iter().map(|error| error.under(path)));
        } else {
            let detail = "must not have unknown fields";
            errors.push(FieldError::invalid(child(path, "default"), default.clone(), detail));
        }
    });
}

/// Calls with each default of a node and of all below it: with its own node, and that one's path.
pub(in super::super) fn for_each(node: &Node, path: &str, found: &mut impl FnMut(&Node, &Value, &str)) {
    if let Some(default) = &node.default {
        found(node, default, path);
    }
    for (name, field) in node.properties.iter() {
        for_each(field, &format!("{}[{name}]", child(path, "properties")), found);
    }
    if let Some(value) = &node.additional {
        for_each(value, &child(path, "additionalProperties"), found);
    }
    if let Some(item) = &node.items {
        for_each(item, &child(path, "items"), found);
    }
}
