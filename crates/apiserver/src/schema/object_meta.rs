//! The `metadata` that every object has, whatever its kind says.

use super::{Edge, Node, SharedNode, Type};
use crate::types;

/// `ObjectMeta`.
pub(super) fn metadata() -> &'static SharedNode {
    types::object_meta()
}

/// Makes a root's `apiVersion`, `kind` and `metadata` those of every Kubernetes object.
///
/// The limits that a CRD puts on `metadata.name` and `metadata.generateName` stay.
pub(super) fn install(root: &mut Node) {
    let mut metadata = Edge::Shared(metadata());
    if let Some(written) = root.properties.insert("metadata", metadata.clone()) {
        for name in ["name", "generateName"] {
            let written = written.properties.get(name);
            let Some(written) = written.filter(|written| written.limits.is_some() || written.logic.is_some()) else {
                continue;
            };
            if let Some(field) = metadata.own().properties.get_mut(name) {
                field.limits.clone_from(&written.limits);
                field.logic.clone_from(&written.logic);
            }
        }
        root.properties.insert("metadata", metadata);
    }
    for name in ["apiVersion", "kind"] {
        root.properties.entry(name, || Node::of_type(Type::String));
    }
}
