//! What every namespace has: its default ServiceAccount, and the CA to trust.

use serde_json::json;

use super::create;
use crate::{server::State, status::Result};

/// Makes what is missing in a namespace.
pub(super) fn furnish(state: &State, namespace: &str) -> Result<()> {
    let registry = state.registry();
    let account = json!({"metadata": {"name": "default", "namespace": namespace}});
    create(state, registry.built_in("", "serviceaccounts"), account)?;
    let Some(root_ca) = &state.root_ca else { return Ok(()) };
    let config_map = json!({
        "metadata": {
            "name": "kube-root-ca.crt",
            "namespace": namespace,
            "annotations": {
                "kubernetes.io/description": "The CA certificates with which clients verify this cluster's API server.",
            },
        },
        "data": {"ca.crt": root_ca},
    });
    create(state, registry.built_in("", "configmaps"), config_map)
}
