//! What a cluster does by itself, as far as every client takes it for granted: namespaces that end take their contents
//! along, dependents go with their owners, each namespace gets its ServiceAccount.
//!
//! One task works through the store's feed of changed objects, one at a time and in order, so that the same requests
//! always lead to the same changes.

mod bootstrap;
mod definition;
mod furnish;
mod garbage;
mod namespace;

use std::{
    future::poll_fn,
    sync::{Arc, Weak},
    task::Poll,
};

use serde_json::Value;

pub(crate) use self::bootstrap::bootstrap;
use crate::{
    admission::{Ownership, Write, WriteOptions},
    crd, object, objects,
    resource::Resource,
    server::State,
    status::{ApiError, Result},
    store::{Item, WriteError},
};

/// The field manager and user agent of the controllers.
const MANAGER: &str = "kube-controller-manager";

/// Works for as long as the server is there.
pub(crate) async fn run(state: Weak<State>) {
    while let Some((state, item)) = next(&state).await {
        if let Err(error) = reconcile(&state, &item) {
            // The object is looked at again when it, or what holds it back, changes.
            tracing::warn!(resource = %item.resource.qualified(), name = %item.key.name, %error, "failed to reconcile");
        }
        drop(state);
        // Requests come first: a cascade of thousands must not hold them up.
        tokio::task::yield_now().await;
    }
}

/// The next object to look at; `None` once the server is gone.
async fn next(state: &Weak<State>) -> Option<(Arc<State>, Item)> {
    poll_fn(|context| {
        let Some(state) = state.upgrade() else {
            return Poll::Ready(None);
        };
        let item = state.store.with_feed(|feed| {
            let item = feed.pop();
            if item.is_none() {
                feed.wait(context.waker().clone());
            }
            item
        });
        match item {
            Some(item) => Poll::Ready(Some((state, item))),
            None => Poll::Pending,
        }
    })
    .await
}

fn reconcile(state: &State, item: &Item) -> Result<()> {
    let Some(stored) = state.store.get(&item.resource, &item.key) else {
        return Ok(());
    };
    let registry = state.registry();
    let Some(resource) = registry.stored(&item.resource) else {
        return Ok(());
    };
    let is_namespace = resource.is_core("namespaces");
    if is_namespace && !stored.deleting {
        return furnish::furnish(state, &item.key.name);
    }
    garbage::collect(state, resource, item, &stored)?;
    if is_namespace {
        namespace::empty(state, resource, item)
    } else if stored.deleting && resource.id == crd::resource_id() {
        definition::clean_up(state, resource, item)
    } else {
        Ok(())
    }
}

/// Creates an object as a client would; one that is there already is left alone.
fn create(state: &State, resource: &Resource, mut object: Value) -> Result<()> {
    objects::set_type(resource, &mut object);
    if state
        .store
        .get(&resource.id, &objects::key(resource, &object))
        .is_some()
    {
        return Ok(());
    }
    let options = WriteOptions::internal(MANAGER);
    let mut warnings = Vec::new();
    let mut write = Write {
        state,
        resource,
        subresource: "",
        options: &options,
        ownership: Ownership::Update,
        warnings: &mut warnings,
    };
    let object = write.create(object)?;
    match objects::create(state, resource, object) {
        Ok(_) | Err(WriteError::Changed) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Changes an object, and removes it if nothing holds it back any more. An object that is gone is left alone.
fn modify(state: &State, resource: &Resource, item: &Item, change: impl Fn(&mut Value)) -> Result<()> {
    loop {
        let Some(stored) = state.store.get(&item.resource, &item.key) else {
            return Ok(());
        };
        let live = objects::value(resource, &stored);
        let mut object = live.clone();
        change(&mut object);
        let result = if crate::admission::is_finished(resource, &object) {
            objects::remove(state, resource, &stored, object)
        } else if object == live {
            return Ok(());
        } else {
            objects::replace(state, resource, &stored, object)
        };
        match result {
            Ok(_) => return Ok(()),
            Err(WriteError::Changed) => {}
            Err(error) => return Err(ApiError::from(error)),
        }
    }
}

fn remove_finalizer(object: &mut Value, finalizer: &str) {
    let kept: Vec<String> = object::finalizers(object)
        .into_iter()
        .filter(|other| *other != finalizer)
        .map(str::to_owned)
        .collect();
    object::set_finalizers(object, &kept);
}
