//! Schemas of the built-in kinds, as far as merging and defaulting go.
//!
//! [`types`] is the table: which lists merge and by which keys, which maps are one value, which fields have defaults.
//! [`dependent`] has the defaults that follow from other fields. Fields that the table doesn't list are kept as they
//! are; these schemas neither prune nor validate.

mod dependent;
mod types;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

use self::types::{Field, KINDS, TYPES};
use crate::schema::{ListType, MapType, Node, Schema, Strategy, Type};

/// Schemas by group and kind; a kind has the same in all its versions.
static SCHEMAS: LazyLock<BTreeMap<String, Schema>> = LazyLock::new(|| {
    let schema = |group, kind, root| Schema::of(listed(root)).with_dependent_defaults(dependent::of(group, kind));
    KINDS
        .iter()
        .map(|(group, kind, root)| (format!("{group}/{kind}"), schema(group, kind, root)))
        .collect()
});

static UNLISTED: LazyLock<Schema> = LazyLock::new(|| Schema::of(Node::unlisted()));

/// Returns the schema of a built-in kind.
///
/// A kind that isn't listed has the metadata of every object, and lists that merge as one value.
pub(crate) fn schema(group: &str, _version: &str, kind: &str) -> &'static Schema {
    SCHEMAS.get(&format!("{group}/{kind}")).unwrap_or(&UNLISTED)
}

/// The node of a type of the table.
fn listed(name: &str) -> Node {
    let fields = TYPES
        .iter()
        .find(|(type_name, _)| *type_name == name)
        .map_or(&[][..], |(_, fields)| fields);
    let mut node = Node::unlisted();
    for (name, field) in fields {
        let below = node.properties.entry(name, Node::unlisted);
        *below = build(field, std::mem::take(below));
    }
    node
}

/// Adds to a node what one line of the table says; a field may have several lines.
fn build(field: &Field, node: Node) -> Node {
    match *field {
        Field::Struct(name) => Node {
            properties: listed(name).properties,
            ..node
        },
        Field::Metadata => Node::object_meta(),
        Field::List(item) => Node {
            items: Some(Box::new(listed(item))),
            ..node
        },
        Field::Keyed(keys, item) => Node {
            items: Some(Box::new(listed(item))),
            list: ListType::Map(keys.iter().map(|key| (*key).to_owned()).collect()),
            strategy: merge_by(Some(keys[0])),
            ..node
        },
        Field::Patched(key, item) => Node {
            items: Some(Box::new(listed(item))),
            strategy: merge_by(Some(key)),
            ..node
        },
        Field::Set => Node {
            list: ListType::Set,
            strategy: merge_by(None),
            ..node
        },
        Field::Whole => Node {
            map: MapType::Atomic,
            ..node
        },
        Field::Map => Node {
            additional: Some(Box::new(Node::of_type(Type::String))),
            ..node
        },
        Field::RetainKeys => Node {
            strategy: Strategy {
                retain_keys: true,
                ..node.strategy
            },
            ..node
        },
        Field::Raw => Node::anything(),
        Field::Default(text) => {
            let default: Value = serde_json::from_str(text).expect("a default of the table is JSON: a test reads all");
            Node {
                default: Some(Box::new(default)),
                ..node
            }
        }
    }
}

fn merge_by(key: Option<&str>) -> Strategy {
    Strategy {
        merge: true,
        merge_key: key.map(str::to_owned),
        retain_keys: false,
    }
}
