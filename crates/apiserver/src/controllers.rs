//! What a cluster does by itself, as far as every client takes it for granted: namespaces that end take their contents
//! along, dependents go with their owners, each namespace gets its ServiceAccount, Events end after a time.
//!
//! One task works through the store's feed of changed objects, one at a time and in order, so that the same requests
//! always lead to the same changes. What can't be done yet it puts on its agenda.

mod agenda;
mod api_service;
mod bootstrap;
mod definition;
mod event;
mod furnish;
mod garbage;
mod namespace;

use std::{
    future::poll_fn,
    sync::{Arc, Weak},
    task::Poll,
    time::Duration,
};

use serde_json::Value;

use self::agenda::Agenda;
pub(crate) use self::bootstrap::bootstrap;
use crate::{
    Identity,
    admission::{Ownership, Write, WriteOptions},
    crd, object, objects,
    resource::Resource,
    server::State,
    status::{ApiError, Result},
    store::{Item, WriteError},
};

/// The field manager and user agent of the controllers.
const MANAGER: &str = "kube-controller-manager";

/// When something that failed, for lack of space perhaps, is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// Works for as long as the server is there.
pub(crate) async fn run(state: Weak<State>) {
    let mut agenda = Agenda::default();
    while let Some((state, item)) = next(&state, &mut agenda).await {
        match reconcile(&state, &item) {
            Ok(None) => {}
            Ok(Some(later)) => agenda.add(item, later),
            Err(error) => {
                tracing::warn!(resource = %item.resource.qualified(), name = %item.key.name, %error, "failed to reconcile");
                agenda.add(item, RETRY);
            }
        }
        drop(state);
        // Requests come first: a cascade of thousands must not hold them up.
        tokio::task::yield_now().await;
    }
}

/// The next object to look at; `None` once the server is gone.
async fn next(state: &Weak<State>, agenda: &mut Agenda) -> Option<(Arc<State>, Item)> {
    poll_fn(|context| {
        let Some(state) = state.upgrade() else {
            return Poll::Ready(None);
        };
        let changed = state.store.with_feed(|feed| {
            // An event that is waited for ends when it ends, however often it is written.
            let item = std::iter::from_fn(|| feed.pop()).find(|item| !(event::is_event(item) && agenda.holds(item)));
            if item.is_none() {
                feed.wait(context.waker().clone());
            }
            item
        });
        match changed {
            Some(item) => Poll::Ready(Some((state, item))),
            None => agenda.poll_due(context).map(|item| Some((state, item))),
        }
    })
    .await
}

/// Does what is to be done about an object; returns when to look at it again if nothing changes.
fn reconcile(state: &State, item: &Item) -> Result<Option<Duration>> {
    let registry = state.registry();
    let Some(resource) = registry.stored(&item.resource) else {
        return Ok(None);
    };
    let is_namespace = resource.is_core("namespaces");
    if resource.is_core("services") {
        api_service::judge_on(state, &item.key)?;
    }
    let Some(stored) = state.store.get(&item.resource, &item.key) else {
        if is_namespace && bootstrap::NAMESPACES.contains(&&*item.key.name) {
            bootstrap::namespace(state, &item.key.name)?;
        }
        return Ok(None);
    };
    if event::is_event(item) {
        return event::expire(state, resource, &stored);
    }
    if is_namespace && !stored.deleting {
        return furnish::furnish(state, &item.key.name).map(|()| None);
    }
    if api_service::is_one(resource) && !stored.deleting {
        api_service::judge(state, resource, item)?;
    }
    let later = garbage::collect(state, resource, item, &stored)?;
    if is_namespace {
        let again = namespace::empty(state, resource, item)?;
        return Ok([later, again].into_iter().flatten().min());
    } else if stored.deleting && resource.id == crd::resource_id() {
        definition::clean_up(state, resource, item)?;
    }
    Ok(later)
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
    let identity = Identity::new(MANAGER, ["system:masters"]);
    let mut write = Write {
        state,
        identity: &identity,
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
