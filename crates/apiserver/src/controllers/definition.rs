//! The end of a CustomResourceDefinition: its objects go first.

use std::sync::Arc;

use super::{modify, remove_finalizer};
use crate::{
    crd,
    handlers::{DeleteOptions, delete_one},
    object,
    resource::Resource,
    server::State,
    status::Result,
    store::Item,
};

/// Deletes the objects of a kind that ends, and lets its CRD go when none is left.
pub(super) fn clean_up(state: &State, resource: &Arc<Resource>, item: &Item) -> Result<()> {
    let Some(stored) = state.store.get(&item.resource, &item.key) else {
        return Ok(());
    };
    if !object::finalizers(&stored.value()).contains(&crd::CLEANUP) {
        return Ok(());
    }
    let registry = state.registry();
    for id in registry.ids_of(&item.key.name).into_iter().take(1) {
        let Some(kind) = registry.stored(&id) else { continue };
        for stored in state.store.list(&id, None).objects {
            if !stored.deleting {
                delete_one(state, kind, stored, &DeleteOptions::background())?;
            }
        }
        if !state.store.list(&id, None).objects.is_empty() {
            return Ok(());
        }
    }
    let now = state.stamp();
    modify(state, resource, item, |definition| {
        let message = "removed all instances";
        crd::set_condition(
            &mut definition["status"],
            "Terminating",
            false,
            "InstanceDeletionCompleted",
            message,
            &now,
        );
        remove_finalizer(definition, crd::CLEANUP);
    })
}
