//! Schemas of the built-in kinds, from the table: what pruning, defaulting and merging work on.
//!
//! An object's node is made once, when it is first needed, and shared by all that have such an object in them: a pod's
//! template is in seven kinds, and a JSON schema is in itself.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, OnceLock},
};

use serde_json::Value;

use super::{
    dependent,
    table::{self, Field, Name, Struct, Type},
};
use crate::schema::{self, Edge, MapType, Node, Schema, SharedNode, Strategy, Unknown};

/// A served kind of the table, or one that the table lacks.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    /// What it is made of.
    pub(crate) structure: Option<&'static Struct>,
    group: &'static str,
    kind: &'static str,
    schema: OnceLock<Schema>,
}

/// Returns a served kind.
pub(crate) fn built_in(group: &'static str, version: &'static str, kind: &'static str) -> BuiltIn {
    BuiltIn {
        structure: table::kind(group, version, kind),
        group,
        kind,
        schema: OnceLock::new(),
    }
}

impl BuiltIn {
    /// Its schema. One that the table lacks has the metadata of every object, and keeps all else.
    pub(crate) fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| {
            let root = match self.structure {
                Some(structure) => of_struct(structure),
                None => Node::anything(),
            };
            Schema::of(root).with_dependent_defaults(dependent::of(self.group, self.kind))
        })
    }
}

/// The metadata of every object.
pub(crate) fn object_meta() -> &'static SharedNode {
    shared(Name {
        package: "meta/v1",
        name: "ObjectMeta",
    })
}

static NODES: LazyLock<BTreeMap<Name, SharedNode>> = LazyLock::new(|| {
    let node = |structure: &'static Struct| -> SharedNode { LazyLock::new(Box::new(move || of_struct(structure))) };
    table::structures()
        .map(|structure| (structure.name, node(structure)))
        .collect()
});

fn shared(name: Name) -> &'static SharedNode {
    NODES
        .get(&name)
        .expect("the table names no object that it lacks: a test reads all")
}

fn of_struct(structure: &'static Struct) -> Node {
    let types = ["apiVersion", "kind"].into_iter().filter(|_| structure.typed);
    let types = types.map(|name| (name, of_type(&Type::String)));
    let fields = structure.members().map(|field| (field.name, of_field(field)));
    Node {
        properties: types.chain(fields).collect(),
        map: map_type(structure.whole),
        ..Node::of_type(schema::Type::Object)
    }
}

/// The node of a field: that of its type, unless there is more to say of the field itself.
fn of_field(field: &Field) -> Edge {
    let edge = of_type(&field.kind);
    let strategy = Strategy {
        merge: field.strategies.contains(&"merge"),
        merge_key: field.merge_key.map(str::to_owned),
        retain_keys: field.strategies.contains(&"retainKeys"),
    };
    if field.list.is_none() && field.default.is_none() && !field.whole && strategy == Strategy::default() {
        return edge;
    }
    let mut node = Node::clone(&edge);
    if let Some(list) = &field.list {
        node.list.clone_from(list);
    }
    if field.whole {
        node.map = MapType::Atomic;
    }
    node.strategy = strategy;
    node.default = field.default.map(|text| {
        let value: Value = serde_json::from_str(text).expect("a default of the table is JSON: a test reads all");
        Box::new(value)
    });
    node.into()
}

fn of_type(kind: &Type) -> Edge {
    let plain = |kind| Node::of_type(kind).into();
    match kind {
        Type::String | Type::Bytes | Type::Time | Type::MicroTime | Type::Duration | Type::Uid | Type::Text(_) => {
            plain(schema::Type::String)
        }
        Type::Bool => plain(schema::Type::Boolean),
        Type::Int32 | Type::Int64 => plain(schema::Type::Integer),
        Type::Float64 => plain(schema::Type::Number),
        Type::Quantity => Node::default().into(),
        Type::IntOrString => Node {
            int_or_string: true,
            ..Node::default()
        }
        .into(),
        Type::Raw | Type::FieldsV1 => Node {
            unknown: Unknown::Preserve,
            ..Node::of_type(schema::Type::Object)
        }
        .into(),
        Type::Json => Node::anything().into(),
        // A schema where it is an object; what else it may be has no parts.
        Type::SchemaOrArray | Type::SchemaOrBool | Type::SchemaOrStrings => Edge::Shared(shared(Name {
            package: "apiextensions/v1",
            name: "JSONSchemaProps",
        })),
        Type::Struct(name) => Edge::Shared(shared(*name)),
        Type::List(item) | Type::Wrapped(item) => Node {
            items: Some(of_type(item)),
            ..Node::of_type(schema::Type::Array)
        }
        .into(),
        Type::Map(item) => Node {
            additional: Some(of_type(item)),
            ..Node::of_type(schema::Type::Object)
        }
        .into(),
    }
}

fn map_type(whole: bool) -> MapType {
    if whole { MapType::Atomic } else { MapType::Granular }
}
