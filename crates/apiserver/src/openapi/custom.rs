//! The kinds of CRDs as OpenAPI describes them: their own schemas, with what every object has.
//!
//! The schema as written is in the CRD alone; what serves requests is compiled from it.

use serde_json::{Map, Value, json};

use super::definitions::Definitions;
use crate::{
    crd,
    resource::Resource,
    server::State,
    store::ObjectKey,
    types::{Name, Type},
};

/// Adds the definition of a custom kind.
pub(super) fn define(state: &State, resource: &Resource, name: &str, definitions: &mut Definitions) {
    let mut definition = schema(state, resource).unwrap_or_else(|| json!({"type": "object"}));
    if let Some(schema) = definition.as_object_mut() {
        let metadata = definitions.referring(&Type::Struct(Name {
            package: "meta/v1",
            name: "ObjectMeta",
        }));
        let properties = schema.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        if let Some(properties) = properties.as_object_mut() {
            for field in ["apiVersion", "kind"] {
                properties.entry(field).or_insert_with(|| json!({"type": "string"}));
            }
            properties.insert("metadata".to_owned(), metadata);
        }
    }
    definitions.define(name, definition);
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
