//! The kinds of CRDs as OpenAPI describes them: their own schemas, with what every object has.
//!
//! The schema as written is in the CRD alone; what serves requests is compiled from it.

use serde_json::{Map, Value, json};

use super::definitions::Definitions;
use crate::{crd, resource::Resource, server::State, store::ObjectKey};

/// Adds the definition of a custom kind.
pub(super) fn define(state: &State, resource: &Resource, name: &str, definitions: &mut Definitions) {
    let mut definition = schema(state, resource).unwrap_or_else(|| json!({"type": "object"}));
    let shared = definitions.of_every_object();
    complete_embedded(&mut definition, &shared);
    add_properties(&mut definition, &shared);
    definitions.define(name, definition);
}

/// Adds to the schemas of objects inside others what every object has. These say what they are.
fn complete_embedded(schema: &mut Value, shared: &Map<String, Value>) {
    let Some(fields) = schema.as_object_mut() else { return };
    if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
        for property in properties.values_mut() {
            complete_embedded(property, shared);
        }
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = fields.get_mut(inner) {
            complete_embedded(inner, shared);
        }
    }
    if schema["x-kubernetes-embedded-resource"] == true {
        add_properties(schema, shared);
        let mut required = schema["required"].as_array().cloned().unwrap_or_default();
        for field in ["kind", "apiVersion"] {
            if !required.iter().any(|known| known == field) {
                required.push(field.into());
            }
        }
        schema["required"] = required.into();
    }
}

/// Adds properties, whatever the schema says of them.
fn add_properties(schema: &mut Value, shared: &Map<String, Value>) {
    let Some(fields) = schema.as_object_mut() else { return };
    let properties = fields.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    if let Some(properties) = properties.as_object_mut() {
        properties.extend(shared.clone());
    }
}

fn schema(state: &State, resource: &Resource) -> Option<Value> {
    let name = format!("{}.{}", resource.plural(), resource.group());
    let mut crd = state
        .store
        .get(&crd::resource_id(), &ObjectKey::new("", &name))?
        .value();
    let versions = crd["spec"]["versions"].as_array_mut()?;
    let version = versions
        .iter_mut()
        .find(|version| version["name"] == resource.version.as_str())?;
    Some(version["schema"]["openAPIV3Schema"].take()).filter(Value::is_object)
}
