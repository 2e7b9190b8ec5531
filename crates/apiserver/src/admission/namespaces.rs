//! A namespaced object needs its namespace, and one that isn't ending.

use serde_json::{Value, json};

use crate::{
    object,
    resource::Resource,
    server::State,
    status::{ApiError, Result},
    store::{ObjectKey, ResourceId},
};

/// Refuses a new object where its namespace isn't there or is ending.
pub(super) fn admit(state: &State, resource: &Resource, object: &Value) -> Result<()> {
    let name = object::namespace(object);
    if !resource.namespaced || name.is_empty() {
        return Ok(());
    }
    let namespaces = ResourceId::new("", "namespaces");
    let Some(namespace) = state.store.get(&namespaces, &ObjectKey::new("", name)) else {
        return Err(ApiError::NotFound {
            resource: namespaces,
            name: name.to_owned(),
        });
    };
    if !namespace.deleting {
        return Ok(());
    }
    Err(ApiError::Forbidden {
        resource: Some(resource.id.clone()),
        name: object::name(object).to_owned(),
        why: format!("unable to create new content in namespace {name} because it is being terminated"),
        cause: Some(json!({
            "reason": "NamespaceTerminating",
            "message": format!("namespace {name} is being terminated"),
            "field": "metadata.namespace",
        })),
    })
}
