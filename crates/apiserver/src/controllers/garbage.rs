//! Owners and dependents: what goes when its owner goes, what waits for it, what is let go.

use std::sync::Arc;

use serde_json::Value;

use super::{modify, remove_finalizer};
use crate::{
    handlers::{DeleteOptions, FOREGROUND, ORPHAN, Propagation, delete_one},
    object,
    resource::Resource,
    server::State,
    status::Result,
    store::{Item, Stored},
};

/// Looks at an object as an owner that is going, and as a dependent.
pub(super) fn collect(state: &State, resource: &Arc<Resource>, item: &Item, stored: &Arc<Stored>) -> Result<()> {
    if stored.deleting {
        let value = stored.value();
        let finalizers = object::finalizers(&value);
        if finalizers.contains(&ORPHAN) {
            for dependent in state.store.dependents(&stored.uid) {
                disown(state, &dependent, |owner| owner["uid"] == stored.uid.as_str())?;
            }
            return modify(state, resource, item, |object| remove_finalizer(object, ORPHAN));
        }
        if finalizers.contains(&FOREGROUND) {
            return foreground(state, resource, item, stored);
        }
    }
    if stored.owners.is_empty() {
        Ok(())
    } else {
        dependent(state, resource, item, stored)
    }
}

/// Deletes the dependents of an owner that waits for them, and lets it go when none blocks it.
fn foreground(state: &State, resource: &Arc<Resource>, item: &Item, owner: &Stored) -> Result<()> {
    let registry = state.registry();
    let mut blocked = false;
    for dependent in state.store.dependents(&owner.uid) {
        let (Some(kind), Some(stored)) = (
            registry.stored(&dependent.resource),
            state.store.get(&dependent.resource, &dependent.key),
        ) else {
            continue;
        };
        let blocks = owners(&stored.value())
            .iter()
            .any(|reference| reference["uid"] == owner.uid.as_str() && reference["blockOwnerDeletion"] == true);
        if !stored.deleting {
            let options = DeleteOptions {
                propagation: Some(Propagation::Foreground),
                ..DeleteOptions::default()
            };
            delete_one(state, kind, stored, &options)?;
        }
        blocked |= blocks && state.store.get(&dependent.resource, &dependent.key).is_some();
    }
    if blocked {
        Ok(())
    } else {
        modify(state, resource, item, |object| remove_finalizer(object, FOREGROUND))
    }
}

/// Deletes an object of which all owners are gone; of several, those that are gone are forgotten.
fn dependent(state: &State, resource: &Arc<Resource>, item: &Item, stored: &Arc<Stored>) -> Result<()> {
    let absent = |uid: &str| {
        let owner = state.store.find(uid);
        // An owner in another namespace is none.
        !owner.is_some_and(|owner| owner.key.namespace.is_empty() || owner.key.namespace == item.key.namespace)
    };
    let gone: Vec<&String> = stored.owners.iter().filter(|uid| absent(uid)).collect();
    if gone.is_empty() {
        return Ok(());
    }
    if gone.len() < stored.owners.len() {
        return disown(state, item, |owner| gone.iter().any(|uid| owner["uid"] == uid.as_str()));
    }
    if stored.deleting {
        return Ok(());
    }
    let options = DeleteOptions {
        uid: Some(stored.uid.clone()),
        ..DeleteOptions::background()
    };
    delete_one(state, resource, Arc::clone(stored), &options).map(|_| ())
}

/// Takes references to owners out of an object.
fn disown(state: &State, item: &Item, is_former: impl Fn(&Value) -> bool) -> Result<()> {
    let registry = state.registry();
    let Some(resource) = registry.stored(&item.resource) else {
        return Ok(());
    };
    modify(state, resource, item, |object| {
        let metadata = object::metadata_mut(object);
        if let Some(owners) = metadata.get_mut("ownerReferences").and_then(Value::as_array_mut) {
            owners.retain(|owner| !is_former(owner));
            if owners.is_empty() {
                metadata.remove("ownerReferences");
            }
        }
    })
}

fn owners(object: &Value) -> &[Value] {
    object["metadata"]["ownerReferences"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}
