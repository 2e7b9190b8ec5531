//! What the language sees of a schema: fields without a known type don't exist for it, and of an object's metadata only
//! the names.

use std::sync::LazyLock;

use crate::schema::{Fields, Node, Type};

static TEXT: LazyLock<Node> = LazyLock::new(|| Node::of_type(Type::String));
static NAMES: LazyLock<Node> = LazyLock::new(|| Node {
    properties: ["name", "generateName"]
        .map(|name| (name, Node::of_type(Type::String)))
        .into_iter()
        .collect::<Fields>(),
    ..Node::of_type(Type::Object)
});

/// Whether values of this node have a type.
pub(super) fn is_visible(node: &Node) -> bool {
    if node.int_or_string {
        return true;
    }
    match node.kind {
        None => false,
        Some(Type::Array) => node.items.as_deref().is_some_and(is_visible),
        Some(Type::Object) => node.additional.as_deref().is_none_or(is_visible),
        Some(Type::String | Type::Integer | Type::Number | Type::Boolean) => true,
    }
}

/// Whether this is a struct, whose fields have names of their own, and not a map.
pub(super) fn has_fields(node: &Node, resource: bool) -> bool {
    resource || node.additional.is_none()
}

/// The node of a struct's field, if it is visible.
pub(super) fn field<'a>(node: &'a Node, resource: bool, name: &str) -> Option<&'a Node> {
    match name {
        "apiVersion" | "kind" if resource => Some(&TEXT),
        "metadata" if resource => Some(&NAMES),
        _ => node.properties.get(name).filter(|field| is_visible(field)),
    }
}
