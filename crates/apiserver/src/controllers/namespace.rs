//! The end of a namespace: everything in it is deleted, and while something stays, the status says what and why.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;

use super::{RETRY, api_service, modify};
use crate::{
    crd::set_condition,
    handlers::{DeleteOptions, delete_one},
    object,
    resource::Resource,
    server::State,
    status::{ApiError, Result},
    store::Item,
};

/// What is still there.
#[derive(Default)]
struct Remaining {
    /// How many objects of each resource.
    resources: BTreeMap<String, usize>,
    /// How many objects carry each finalizer.
    finalizers: BTreeMap<String, usize>,
    /// Why objects could not be deleted.
    errors: Vec<String>,
    /// Groups and versions of which nobody can say what there is: their servers don't answer.
    undiscovered: Vec<String>,
}

/// Deletes what is in a namespace that ends, and lets it go when it is empty, and known to be. Says when to try again.
pub(super) fn empty(state: &State, resource: &Arc<Resource>, item: &Item) -> Result<Option<Duration>> {
    let mut remaining = delete_contents(state, &item.key.name);
    remaining.undiscovered = api_service::unavailable(state);
    let now = state.stamp();
    modify(state, resource, item, |namespace| {
        if remaining.resources.is_empty()
            && remaining.undiscovered.is_empty()
            && let Some(spec) = namespace["spec"].as_object_mut()
        {
            spec.remove("finalizers");
        }
        remaining.write(&mut namespace["status"], &now);
    })?;
    match remaining.errors.into_iter().next() {
        // Tried again later.
        Some(error) => Err(ApiError::Internal(error)),
        None => Ok((!remaining.undiscovered.is_empty()).then_some(RETRY)),
    }
}

/// Pods go first, and the rest only when they are gone: they may need what is there to end as they should.
fn delete_contents(state: &State, namespace: &str) -> Remaining {
    let registry = state.registry();
    let mut remaining = Remaining::default();
    let (pods, others): (Vec<_>, Vec<_>) = state
        .store
        .resources()
        .into_iter()
        .filter_map(|id| registry.stored(&id).filter(|resource| resource.namespaced))
        .partition(|resource| resource.is_core("pods"));
    for resources in [pods, others] {
        for resource in resources {
            remaining.delete(state, resource, namespace);
        }
        if !remaining.resources.is_empty() {
            break;
        }
    }
    remaining
}

impl Remaining {
    /// Deletes all objects of a resource, and notes which stay.
    fn delete(&mut self, state: &State, resource: &Arc<Resource>, namespace: &str) {
        let id = &resource.id;
        for stored in state.store.list(id, Some(namespace)).objects {
            if stored.deleting {
                continue;
            }
            if let Err(error) = delete_one(state, resource, stored, &DeleteOptions::background()) {
                self.errors.push(error.to_string());
            }
        }
        for stored in state.store.list(id, Some(namespace)).objects {
            let resource = format!("{}.{}", id.plural(), id.group());
            *self.resources.entry(resource).or_default() += 1;
            for finalizer in object::finalizers(&stored.value()) {
                *self.finalizers.entry(finalizer.to_owned()).or_default() += 1;
            }
        }
    }

    /// The five conditions of a namespace that ends: all are always there, and say `False` where all is well.
    fn write(&self, status: &mut Value, now: &str) {
        let mut set = |kind, value, reason, message: &str| set_condition(status, kind, value, reason, message, now);
        if self.undiscovered.is_empty() {
            let message = "All resources successfully discovered";
            set(
                "NamespaceDeletionDiscoveryFailure",
                false,
                "ResourcesDiscovered",
                message,
            );
        } else {
            let stale = |version: &String| format!("{version}: stale GroupVersion discovery: {version}");
            let failures: Vec<String> = self.undiscovered.iter().map(stale).collect();
            let message = format!(
                "Discovery failed for some groups, {} failing: unable to retrieve the complete list of server APIs: {}",
                failures.len(),
                failures.join(", ")
            );
            set("NamespaceDeletionDiscoveryFailure", true, "DiscoveryFailed", &message);
        }
        let message = "All legacy kube types successfully parsed";
        set(
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            "ParsedGroupVersions",
            message,
        );
        if self.errors.is_empty() {
            let message = "All content successfully deleted, may be waiting on finalization";
            set("NamespaceDeletionContentFailure", false, "ContentDeleted", message);
        } else {
            let (count, texts) = (self.errors.len(), self.errors.join(", "));
            let message = format!("Failed to delete all resource types, {count} remaining: {texts}");
            set(
                "NamespaceDeletionContentFailure",
                true,
                "ContentDeletionFailed",
                &message,
            );
        }
        let parts: Vec<String> = self
            .resources
            .iter()
            .map(|(resource, count)| format!("{resource} has {count} resource instances"))
            .collect();
        if parts.is_empty() {
            set(
                "NamespaceContentRemaining",
                false,
                "ContentRemoved",
                "All content successfully removed",
            );
        } else {
            let message = format!("Some resources are remaining: {}", parts.join(", "));
            set("NamespaceContentRemaining", true, "SomeResourcesRemain", &message);
        }
        let parts: Vec<String> = self
            .finalizers
            .iter()
            .map(|(finalizer, count)| format!("{finalizer} in {count} resource instances"))
            .collect();
        if parts.is_empty() {
            set(
                "NamespaceFinalizersRemaining",
                false,
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished",
            );
        } else {
            let message = format!(
                "Some content in the namespace has finalizers remaining: {}",
                parts.join(", ")
            );
            set("NamespaceFinalizersRemaining", true, "SomeFinalizersRemain", &message);
        }
    }
}
