//! The JSON Schemas of Berth's documents: for editors, and for the check of a document's structure.

mod field;

use std::sync::LazyLock;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::document::{API_VERSION, GuestClusterDocument, ManagementClusterDocument};

#[cfg(test)]
pub(crate) use field::fields;
pub use field::{Edit, Field, fields_of_kind, fixed_fields};

const GUEST_CLUSTER_FILE: &str = "guest-cluster.json";
const MANAGEMENT_CLUSTER_FILE: &str = "management-cluster.json";

/// All schemas, each with the name of its file in `schema/`.
///
/// `berth.json` is for files that mix the kinds: it tells them apart by `kind`.
pub fn schemas() -> Vec<(&'static str, Value)> {
    let when =
        |kind: &str, file: &str| json!({"if": {"properties": {"kind": {"const": kind}}}, "then": {"$ref": file}});
    let any = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Document",
        "description": "A document of Berth's.",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"enum": ["GuestCluster", "ManagementCluster"]},
        },
        "allOf": [when("GuestCluster", GUEST_CLUSTER_FILE), when("ManagementCluster", MANAGEMENT_CLUSTER_FILE)],
    });
    vec![
        ("berth.json", any),
        (GUEST_CLUSTER_FILE, guest_cluster().clone()),
        (MANAGEMENT_CLUSTER_FILE, management_cluster().clone()),
    ]
}

pub(crate) fn guest_cluster() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(of::<GuestClusterDocument>);
    &SCHEMA
}

pub(crate) fn management_cluster() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(of::<ManagementClusterDocument>);
    &SCHEMA
}

/// The schema of a GuestCluster's `spec`.
pub(crate) fn guest_spec() -> &'static Value {
    resolve(guest_cluster(), &guest_cluster()["properties"]["spec"])
}

/// The schema of a pool of a GuestCluster.
pub(crate) fn node_pool() -> &'static Value {
    resolve(guest_cluster(), &guest_spec()["properties"]["nodePools"]["items"])
}

/// Follows a reference within a kind's schema, and the one that an optional field wraps.
pub(crate) fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = target.trim_start_matches('#');
        return root.pointer(pointer).map_or(schema, |schema| resolve(root, schema));
    }
    let optional = schema.get("anyOf").and_then(Value::as_array);
    let inner = optional.and_then(|options| options.iter().find(|option| option.get("$ref").is_some()));
    inner.map_or(schema, |inner| resolve(root, inner))
}

/// The fields of a schema.
pub(crate) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// The texts that a schema allows, where it is a choice.
pub(crate) fn choices(schema: &Value) -> Option<Vec<&str>> {
    if schema.get("enum").is_some() {
        return Some(texts(schema.get("enum")).collect());
    }
    let options = schema.get("oneOf")?.as_array()?;
    Some(
        options
            .iter()
            .flat_map(|option| {
                option
                    .get("const")
                    .and_then(Value::as_str)
                    .into_iter()
                    .chain(texts(option.get("enum")))
            })
            .collect(),
    )
}

/// The types that a schema allows; none where it allows all.
pub(crate) fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(list) => texts(Some(list)).collect(),
        None => Vec::new(),
    }
}

/// The texts of a list.
pub(crate) fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::schemas;

    /// Set `BERTH_UPDATE=1` to write the files anew.
    #[test]
    fn the_committed_schemas_are_the_ones_that_the_types_make() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema");
        for (name, schema) in schemas() {
            let expected = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
            let file = folder.join(name);
            if std::env::var_os("BERTH_UPDATE").is_some() {
                fs::write(&file, &expected).unwrap();
            }
            let committed = fs::read_to_string(&file).unwrap_or_default();
            assert!(
                committed == expected,
                "schema/{name} is out of date: run `BERTH_UPDATE=1 cargo test -p berth-api schema`"
            );
        }
    }
}
