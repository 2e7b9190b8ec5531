//! Which fields of an object a server does not know.
//!
//! A server drops an unknown field without an error, so a setting would vanish in silence.

use berth_api::views;
use serde_json::Value;

/// The fields of an object that a CRD's schema lacks, as `spec.capabilities`; without what is below them.
pub fn unknown_fields(object: &Value, crd: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    if let (Some(schema), Some(spec)) = (served(crd), object.get("spec")) {
        let schema = views::at(schema, &["properties", "spec"]).unwrap_or(&Value::Null);
        compare(schema, spec, "spec", &mut unknown);
    }
    unknown
}

/// The schema of the version that Berth writes.
pub(super) fn served(crd: &Value) -> Option<&Value> {
    let versions = views::list(crd, &["spec", "versions"]);
    let version = versions
        .iter()
        .find(|version| views::text(version, &["name"]) == Some("v1beta1"))?;
    views::at(version, &["schema", "openAPIV3Schema"])
}

fn compare(schema: &Value, value: &Value, path: &str, unknown: &mut Vec<String>) {
    if views::flag(schema, &["x-kubernetes-preserve-unknown-fields"]) == Some(true) {
        return;
    }
    match value {
        Value::Object(fields) => {
            let Some(known) = schema.get("properties").and_then(Value::as_object) else {
                return;
            };
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                match known.get(name) {
                    Some(schema) => compare(schema, value, &path, unknown),
                    None => unknown.push(path),
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, item) in items.iter().enumerate() {
                compare(schema, item, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}
