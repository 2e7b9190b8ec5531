//! CustomResourceDefinitions: from the object to served kinds, and through their life.
//!
//! `definition.rs` checks and defaults the object, `names.rs` decides about its names, `versions.rs` compiles what it
//! serves. Here: what happens after one was written. It is settled at once, in the request that wrote it, as one more
//! write to its status: clients wait for that event.

mod definition;
mod names;
mod versions;

use std::sync::{Arc, PoisonError};

use serde_json::{Value, json};

pub(crate) use self::definition::{prepare, validate};
use crate::{
    Converter,
    resource::Resource,
    server::State,
    store::{Expected, ObjectKey, ResourceId, Stored},
};

/// Holds back the removal of a CRD until its objects are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

pub(crate) fn resource_id() -> ResourceId {
    ResourceId::new("apiextensions.k8s.io", "customresourcedefinitions")
}

/// Registers all CRDs that the store holds.
pub(crate) fn load(state: &State) {
    for stored in state.store.list(&resource_id(), None).objects {
        settle(state, &stored.key.name);
    }
}

/// Brings the status of a CRD, and the kinds that are served, in line with its spec. Called after each write to one.
pub(crate) fn settle(state: &State, name: &str) {
    let key = ObjectKey::new("", name);
    let _settling = state.settling.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let Some(stored) = state.store.get(&resource_id(), &key) else {
            let before = state.registry();
            state.set_registry(before.with_custom(name, Vec::new()));
            // Watches of a kind that is gone end.
            before.ids_of(name).iter().for_each(|id| state.store.wake(id));
            return;
        };
        let crd = stored.value();
        let mut settled = crd.clone();
        settled["status"] = names::status(&state.registry(), &crd, &state.stamp());
        if settled != crd && !write(state, &key, &stored, settled.clone()) {
            continue;
        }
        state.set_registry(
            state
                .registry()
                .with_custom(name, served(&settled, state.converter.as_ref())),
        );
        return;
    }
}

/// The kinds that a CRD serves: none before its names are accepted.
fn served(crd: &Value, converter: Option<&Arc<dyn Converter>>) -> Vec<Resource> {
    if condition(crd, "Established") == Some("True") {
        versions::resources(crd, converter)
    } else {
        Vec::new()
    }
}

fn write(state: &State, key: &ObjectKey, current: &Stored, value: Value) -> bool {
    // What fails for another reason than a change is tried again with the next write, or at the next start.
    !matches!(
        state
            .store
            .put(&resource_id(), key, Expected::Revision(current.revision), value, 0),
        Err(crate::store::WriteError::Changed)
    )
}

/// The status of a condition.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a str> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == kind)?["status"].as_str()
}

/// Sets a condition, keeping the time of its last change where the status stays the same.
pub(crate) fn set_condition(status: &mut Value, kind: &str, value: bool, reason: &str, message: &str, now: &str) {
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let value = if value { "True" } else { "False" };
    let conditions = status["conditions"].as_array_mut().expect("it was just made one");
    let since = conditions
        .iter()
        .find(|condition| condition["type"] == kind && condition["status"] == value);
    let since = since.map_or_else(|| now.into(), |condition| condition["lastTransitionTime"].clone());
    let condition =
        json!({"type": kind, "status": value, "reason": reason, "message": message, "lastTransitionTime": since});
    match conditions.iter_mut().find(|condition| condition["type"] == kind) {
        Some(place) => *place = condition,
        None => conditions.push(condition),
    }
}
