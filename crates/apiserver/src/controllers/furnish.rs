//! What every namespace has: its default ServiceAccount, and the CA to trust.

use serde_json::json;

use super::{create, modify};
use crate::{
    server::State,
    status::Result,
    store::{Item, ObjectKey, ROOT_CA},
};

/// Makes what is missing in a namespace, and puts right what is wrong.
pub(super) fn furnish(state: &State, namespace: &str) -> Result<()> {
    let registry = state.registry();
    let account = json!({"metadata": {"name": "default", "namespace": namespace}});
    create(state, registry.built_in("", "serviceaccounts"), account)?;
    let Some(root_ca) = &state.root_ca else { return Ok(()) };
    let config_map = json!({
        "metadata": {
            "name": ROOT_CA,
            "namespace": namespace,
            "annotations": {
                "kubernetes.io/description": "The CA certificates with which clients verify this cluster's API server.",
            },
        },
        "data": {"ca.crt": root_ca},
    });
    let config_maps = registry.built_in("", "configmaps");
    create(state, config_maps, config_map)?;
    let item = Item {
        resource: config_maps.id.clone(),
        key: ObjectKey::new(namespace, ROOT_CA),
    };
    modify(state, config_maps, &item, |config_map| {
        if config_map["data"]["ca.crt"] != root_ca.as_str() {
            config_map["data"] = json!({"ca.crt": root_ca});
        }
    })
}
