//! The JSON Schemas of Berth's documents: for editors, and for the check of a document's structure.

use std::sync::LazyLock;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::document::{API_VERSION, GuestClusterDocument, ManagementClusterDocument};

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
