//! Objects between the store and those who read and write them: in a served version, and with what a write entails.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::{
    crd, object,
    resource::Resource,
    server::State,
    status::Result,
    store::{Expected, ObjectKey, Stored, WriteError},
};

/// The body of an object as a version shows it, without `apiVersion` and `kind`.
pub(crate) fn body(resource: &Resource, stored: &Stored) -> Bytes {
    let fingerprint = resource.fingerprint();
    if fingerprint == 0 || fingerprint == stored.schema {
        return stored.body.clone();
    }
    // The schema changed since, or it is another version's: what is missing gets its default, what is unknown goes.
    stored.derive(fingerprint, |value| {
        let mut value = resource.of_stored(value);
        resource.schema().prune(&mut value);
        resource.schema().default(&mut value);
        value
    })
}

/// The whole object as a version shows it.
pub(crate) fn value(resource: &Resource, stored: &Stored) -> Value {
    let mut value: Value = serde_json::from_slice(&body(resource, stored)).expect("the store's own encoding decodes");
    set_type(resource, &mut value);
    value
}

pub(crate) fn set_type(resource: &Resource, value: &mut Value) {
    value["apiVersion"] = resource.api_version().into();
    value["kind"] = resource.kind.as_str().into();
}

/// The encoded object, whole.
pub(crate) fn json(resource: &Resource, stored: &Stored) -> Vec<u8> {
    let (head, body) = (resource.head(), body(resource, stored));
    let mut json = Vec::with_capacity(head.len() + body.len() + 1);
    Stored::splice(head.as_bytes(), &body, &mut json);
    json
}

pub(crate) fn key(resource: &Resource, object: &Value) -> ObjectKey {
    ObjectKey::new(
        if resource.namespaced {
            object::namespace(object)
        } else {
            ""
        },
        object::name(object),
    )
}

/// Stores a new object.
pub(crate) fn create(state: &State, resource: &Resource, value: Value) -> Result<Arc<Stored>, WriteError> {
    put(state, resource, Expected::Absent, value)
}

/// Replaces an object.
pub(crate) fn replace(
    state: &State,
    resource: &Resource,
    current: &Stored,
    value: Value,
) -> Result<Arc<Stored>, WriteError> {
    if resource.is_converted() && changes_nothing(resource, current, &value) {
        let same = state.store.get(&resource.id, &current.key);
        return same.ok_or(WriteError::Changed);
    }
    put(state, resource, Expected::Revision(current.revision), value)
}

/// Whether all that is new about an object is lost where it is stored: a version may say in more ways than another what is
/// one thing. Then nothing is written, or who writes so would be told of a change each time.
fn changes_nothing(resource: &Resource, current: &Stored, value: &Value) -> bool {
    let content = |mut value: Value| {
        if let Some(object) = value.as_object_mut() {
            object.remove("apiVersion");
            object.remove("kind");
        }
        if let Some(metadata) = value["metadata"].as_object_mut() {
            // What the server itself notes of a write.
            for noted in ["resourceVersion", "managedFields", "generation"] {
                metadata.remove(noted);
            }
        }
        value
    };
    content(resource.to_stored(value.clone()).0) == content(current.value())
}

/// Removes an object; `value` is its last state.
pub(crate) fn remove(
    state: &State,
    resource: &Resource,
    current: &Stored,
    value: Value,
) -> Result<Arc<Stored>, WriteError> {
    let key = key(resource, &value);
    let (value, _) = resource.to_stored(value);
    let stored = state.store.remove(&resource.id, &key, current.revision, value)?;
    entail(state, resource, &key);
    Ok(stored)
}

fn put(state: &State, resource: &Resource, expected: Expected, value: Value) -> Result<Arc<Stored>, WriteError> {
    let key = key(resource, &value);
    let (value, schema) = resource.to_stored(value);
    let stored = state.store.put(&resource.id, &key, expected, value, schema)?;
    entail(state, resource, &key);
    Ok(stored)
}

/// What follows from a write at once, rather than by a controller in its own time.
fn entail(state: &State, resource: &Resource, key: &ObjectKey) {
    if resource.id == crd::resource_id() {
        crd::settle(state, &key.name);
    }
}
