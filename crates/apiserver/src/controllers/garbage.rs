//! Owners and dependents: what goes when its owner goes, what waits for it, what is let go.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{event, modify, remove_finalizer};
use crate::{
    handlers::{DeleteOptions, FOREGROUND, ORPHAN, Propagation, delete_one},
    object, objects,
    registry::Registry,
    resource::{Resource, Source},
    server::State,
    status::Result,
    store::{Item, ObjectKey, Stored},
};

/// When an object of which an owner's kind isn't served is looked at again.
const UNKNOWN_KIND: Duration = Duration::from_mins(1);

/// What a reference to an owner comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// It is there.
    Solid,
    /// It is there until its dependents are gone.
    Waiting,
    /// It is not there.
    Absent,
    /// Nobody can tell: its kind isn't served.
    Unknown,
    /// It is in a namespace, and so can't own what is in none.
    Misplaced,
}

/// Looks at an object as an owner that is going, and as a dependent; returns when to look again.
pub(super) fn collect(
    state: &State,
    resource: &Arc<Resource>,
    item: &Item,
    stored: &Arc<Stored>,
) -> Result<Option<Duration>> {
    if !stored.deleting {
        return if stored.owners.is_empty() {
            Ok(None)
        } else {
            dependent(state, resource, item, stored)
        };
    }
    let value = stored.value();
    let finalizers = object::finalizers(&value);
    if finalizers.contains(&ORPHAN) {
        for dependent in state.store.dependents(&stored.uid) {
            disown(state, &dependent, |owner| owner["uid"] == stored.uid.as_str())?;
        }
        modify(state, resource, item, |object| remove_finalizer(object, ORPHAN))?;
    } else if finalizers.contains(&FOREGROUND) {
        foreground(state, resource, item, stored)?;
    }
    Ok(None)
}

/// Deletes the dependents of an owner that waits for them, and lets it go when none blocks it.
fn foreground(state: &State, resource: &Arc<Resource>, item: &Item, owner: &Stored) -> Result<()> {
    let registry = state.registry();
    for item in state.store.dependents(&owner.uid) {
        let stored = state.store.get(&item.resource, &item.key);
        if let (Some(kind), Some(stored)) = (registry.stored(&item.resource), stored)
            && !stored.deleting
        {
            dependent(state, kind, &item, &stored)?;
        }
    }
    let blocks = |item: &Item| {
        let stored = state.store.get(&item.resource, &item.key);
        stored.is_some_and(|stored| {
            let blocks =
                |reference: &Value| reference["uid"] == owner.uid.as_str() && reference["blockOwnerDeletion"] == true;
            owners(&stored.value()).iter().any(blocks)
        })
    };
    if state.store.dependents(&owner.uid).iter().any(blocks) {
        return Ok(());
    }
    modify(state, resource, item, |object| remove_finalizer(object, FOREGROUND))
}

/// Deletes an object that no owner keeps; where one does, the others that are gone or going are forgotten.
fn dependent(state: &State, resource: &Arc<Resource>, item: &Item, stored: &Arc<Stored>) -> Result<Option<Duration>> {
    let registry = state.registry();
    let value = objects::value(resource, stored);
    let references = owners(&value);
    let found: Vec<Owner> = references
        .iter()
        .map(|reference| find(state, &registry, item, reference))
        .collect();
    for (reference, owner) in references.iter().zip(&found) {
        if matches!(owner, Owner::Absent | Owner::Misplaced) {
            report_elsewhere(state, resource, item, &value, reference)?;
        }
    }
    if found.contains(&Owner::Misplaced) {
        return Ok(None);
    }
    if found.contains(&Owner::Unknown) {
        return Ok(Some(UNKNOWN_KIND));
    }
    if found.contains(&Owner::Solid) {
        let others = references
            .iter()
            .zip(&found)
            .filter(|(_, owner)| **owner != Owner::Solid);
        let uids: Vec<&Value> = others.map(|(reference, _)| &reference["uid"]).collect();
        if !uids.is_empty() {
            disown(state, item, |owner| uids.contains(&&owner["uid"]))?;
        }
        return Ok(None);
    }
    let dependents = state.store.dependents(&stored.uid);
    let waited_for = found.contains(&Owner::Waiting) && !dependents.is_empty();
    if waited_for && dependents.iter().any(|dependent| waits(state, dependent)) {
        // Owners that wait for each other would wait for ever.
        modify(state, resource, item, unblock)?;
    }
    let options = DeleteOptions {
        propagation: Some(if waited_for {
            Propagation::Foreground
        } else {
            by_finalizer(&value)
        }),
        uid: Some(stored.uid.clone()),
        ..DeleteOptions::default()
    };
    if let Some(stored) = state.store.get(&item.resource, &item.key) {
        delete_one(state, resource, stored, &options)?;
    }
    Ok(None)
}

/// Looks for the owner where the reference says that it is.
fn find(state: &State, registry: &Registry, item: &Item, reference: &Value) -> Owner {
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    let kind = registry.of_kind(group, text("kind"));
    let Some(kind) = kind.filter(|kind| matches!(kind.source, Source::BuiltIn | Source::Custom { .. })) else {
        // The kind may have gone together with the owner.
        return if state.store.was_owner(text("uid")) {
            Owner::Absent
        } else {
            Owner::Unknown
        };
    };
    if kind.namespaced && item.key.namespace.is_empty() {
        return Owner::Misplaced;
    }
    let namespace = if kind.namespaced { &*item.key.namespace } else { "" };
    let owner = state.store.get(&kind.id, &ObjectKey::new(namespace, text("name")));
    match owner.filter(|owner| owner.uid == text("uid")) {
        None => Owner::Absent,
        Some(owner) if is_waiting(&owner) => Owner::Waiting,
        Some(_) => Owner::Solid,
    }
}

/// Tells people of an owner that is there, but in another namespace.
fn report_elsewhere(state: &State, resource: &Resource, item: &Item, value: &Value, reference: &Value) -> Result<()> {
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let (uid, namespace) = (text("uid"), &item.key.namespace);
    let owner = state.store.find(uid);
    if !owner.is_some_and(|owner| !owner.key.namespace.is_empty() && owner.key.namespace != *namespace) {
        return Ok(());
    }
    let message = format!(
        "ownerRef [{}/{}, namespace: {namespace}, name: {}, uid: {uid}] does not exist in namespace {:?}",
        text("apiVersion"),
        text("kind"),
        text("name"),
        &**namespace
    );
    event::warn(state, resource, value, "OwnerRefInvalidNamespace", &message)
}

fn waits(state: &State, item: &Item) -> bool {
    let stored = state.store.get(&item.resource, &item.key);
    stored.is_some_and(|stored| is_waiting(&stored))
}

fn is_waiting(stored: &Stored) -> bool {
    stored.deleting && object::finalizers(&stored.value()).contains(&FOREGROUND)
}

fn unblock(object: &mut Value) {
    let owners = object::metadata_mut(object).get_mut("ownerReferences");
    for owner in owners.and_then(Value::as_array_mut).into_iter().flatten() {
        if owner["blockOwnerDeletion"] == true {
            owner["blockOwnerDeletion"] = false.into();
        }
    }
}

/// How an object wants to be deleted.
fn by_finalizer(object: &Value) -> Propagation {
    let finalizers = object::finalizers(object);
    if finalizers.contains(&ORPHAN) {
        Propagation::Orphan
    } else if finalizers.contains(&FOREGROUND) {
        Propagation::Foreground
    } else {
        Propagation::Background
    }
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
