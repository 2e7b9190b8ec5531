//! What is there in every cluster from the start, and what is left to do after a restart.

use std::sync::Arc;

use serde_json::json;

use super::create;
use crate::{server::State, status::Result, store::Item};

/// Namespaces that are always there.
pub(super) const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Makes a namespace that is missing.
pub(super) fn namespace(state: &State, name: &str) -> Result<()> {
    let registry = state.registry();
    let namespaces = registry.built_in("", "namespaces");
    create(state, namespaces, json!({"metadata": {"name": name}}))
}

/// Makes what every cluster has, and queues what an earlier run may have left unfinished.
pub(crate) fn bootstrap(state: &Arc<State>) -> Result<()> {
    let registry = state.registry();
    for name in NAMESPACES {
        namespace(state, name)?;
    }
    let service = json!({
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {"ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}]},
    });
    create(state, registry.built_in("", "services"), service)?;
    let classes = registry.built_in("scheduling.k8s.io", "priorityclasses");
    for (name, value) in [
        ("system-cluster-critical", 2_000_000_000_u32),
        ("system-node-critical", 2_000_001_000),
    ] {
        create(
            state,
            classes,
            json!({"metadata": {"name": name}, "value": value, "preemptionPolicy": "PreemptLowerPriority"}),
        )?;
    }
    resume(state);
    Ok(())
}

fn resume(state: &State) {
    let registry = state.registry();
    for id in state.store.resources() {
        let Some(resource) = registry.stored(&id) else { continue };
        for stored in state.store.list(&id, None).objects {
            let always = resource.is_core("namespaces") || resource.is_core("events");
            if !(always || stored.deleting || !stored.owners.is_empty()) {
                continue;
            }
            let item = Item {
                resource: id.clone(),
                key: stored.key.clone(),
            };
            state.store.with_feed(|feed| feed.push(item));
        }
    }
}
