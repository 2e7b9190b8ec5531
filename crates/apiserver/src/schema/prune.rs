//! Drops the fields that a schema doesn't know.
//!
//! Values of a wrong type are left as they are: saying so is validation's business.

use serde_json::Value;

use super::{Node, Unknown, object_meta};
use crate::value_path::Path;

/// Drops unknown fields and returns their paths in the order of the object.
pub(super) fn prune(root: &Node, object: &mut Value) -> Vec<String> {
    let mut dropped = Vec::new();
    value(root, object, &Path::Root, &mut dropped);
    dropped
}

fn value(node: &Node, pruned: &mut Value, path: &Path<'_>, dropped: &mut Vec<String>) {
    match pruned {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                let known = is_kept(node, name);
                if !known {
                    dropped.push(path.field(name).to_string());
                }
                known
            });
            for (name, field) in fields {
                let place = path.field(name);
                match node.known_field(name) {
                    None if node.embedded && name == "metadata" => {
                        value(object_meta::metadata(), field, &place, dropped);
                    }
                    Some(known) => value(known, field, &place, dropped),
                    // Kept without a description: there is nothing to hold its inside against.
                    None => {}
                }
            }
        }
        Value::Array(items) => {
            let Some(item) = &node.items else { return };
            for (index, pruned) in items.iter_mut().enumerate() {
                value(item, pruned, &path.item(index), dropped);
            }
        }
        _ => {}
    }
}

fn is_kept(node: &Node, name: &str) -> bool {
    node.known_field(name).is_some()
        || node.unknown != Unknown::Prune
        || (node.embedded && ["apiVersion", "kind", "metadata"].contains(&name))
}
