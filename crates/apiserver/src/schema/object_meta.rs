//! The `metadata` that every object has, whatever its kind says.

use std::sync::LazyLock;

use super::{Fields, ListType, MapType, Node, Strategy, Type, Unknown};

/// `ObjectMeta`.
pub(super) static METADATA: LazyLock<Node> = LazyLock::new(object_meta);

/// Makes a root's `apiVersion`, `kind` and `metadata` those of every Kubernetes object.
///
/// The limits that a CRD puts on `metadata.name` and `metadata.generateName` stay.
pub(super) fn install(root: &mut Node) {
    let mut metadata = METADATA.clone();
    if let Some(written) = root.properties.insert("metadata", Node::default()) {
        for name in ["name", "generateName"] {
            let (Some(written), Some(field)) = (written.properties.get(name), metadata.properties.get_mut(name)) else {
                continue;
            };
            field.limits.clone_from(&written.limits);
            field.logic.clone_from(&written.logic);
        }
    }
    root.properties.insert("metadata", metadata);
    for name in ["apiVersion", "kind"] {
        root.properties.entry(name, text);
    }
}

fn text() -> Node {
    Node::of_type(Type::String)
}

fn fields(fields: impl IntoIterator<Item = (&'static str, Node)>) -> Fields {
    fields.into_iter().collect()
}

fn object_meta() -> Node {
    let texts = || Node {
        additional: Some(Box::new(text())),
        ..Node::of_type(Type::Object)
    };
    let integer = || Node::of_type(Type::Integer);
    Node {
        properties: fields([
            ("name", text()),
            ("generateName", text()),
            ("namespace", text()),
            ("selfLink", text()),
            ("uid", text()),
            ("resourceVersion", text()),
            ("generation", integer()),
            // Clients send `creationTimestamp: null`; it says nothing and is dropped like any other null.
            ("creationTimestamp", text()),
            ("deletionTimestamp", text()),
            ("deletionGracePeriodSeconds", integer()),
            ("labels", texts()),
            ("annotations", texts()),
            ("ownerReferences", owner_references()),
            ("finalizers", finalizers()),
            ("managedFields", managed_fields()),
        ]),
        ..Node::of_type(Type::Object)
    }
}

fn owner_references() -> Node {
    let reference = Node {
        properties: fields([
            ("apiVersion", text()),
            ("kind", text()),
            ("name", text()),
            ("uid", text()),
            ("controller", Node::of_type(Type::Boolean)),
            ("blockOwnerDeletion", Node::of_type(Type::Boolean)),
        ]),
        map: MapType::Atomic,
        ..Node::of_type(Type::Object)
    };
    Node {
        items: Some(Box::new(reference)),
        list: ListType::Map(vec!["uid".to_owned()]),
        strategy: Strategy {
            merge: true,
            merge_key: Some("uid".to_owned()),
            ..Strategy::default()
        },
        ..Node::of_type(Type::Array)
    }
}

fn finalizers() -> Node {
    Node {
        items: Some(Box::new(text())),
        list: ListType::Set,
        strategy: Strategy {
            merge: true,
            ..Strategy::default()
        },
        ..Node::of_type(Type::Array)
    }
}

fn managed_fields() -> Node {
    let entry = Node {
        unknown: Unknown::Preserve,
        ..Node::of_type(Type::Object)
    };
    Node {
        items: Some(Box::new(entry)),
        ..Node::of_type(Type::Array)
    }
}
