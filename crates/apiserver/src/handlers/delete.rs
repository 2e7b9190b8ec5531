//! `DELETE`: of one object, or of a selection. The rules are here also for the controllers, which delete as clients do.

mod options;

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

pub(crate) use self::options::{DeleteOptions, Propagation};
use super::{context::Context, list};
use crate::{
    Body,
    admission::is_finished,
    crd, object, objects,
    resource::Resource,
    server::State,
    status::{self, ApiError, Result},
    store::{ResourceId, Stored, WriteError},
};

pub(crate) const ORPHAN: &str = "orphan";
pub(crate) const FOREGROUND: &str = "foregroundDeletion";

const PROTECTED: &[&str] = &["default", "kube-system", "kube-public"];

/// How often a deletion is tried because the object changed meanwhile.
const TRIES: usize = 16;

/// What a deletion comes to; with the object's last state.
#[derive(Debug)]
pub(crate) enum Deleted {
    Removed(Value),
    /// Something holds it back.
    Marked(Value),
}

pub(super) fn delete(context: &Context<'_>, body: &Bytes) -> Result<Response<Body>> {
    let options = DeleteOptions::parse(context, body)?;
    let stored = context.stored()?;
    let resource = &context.resource;
    let uid = stored.uid.clone();
    match delete_one(context.state, resource, stored, &options)?.ok_or_else(|| context.not_found())? {
        Deleted::Removed(_) if !resource.rules.returns_deleted => {
            context.respond_plain(StatusCode::OK, &status::deleted(&resource.id, context.name(), &uid))
        }
        Deleted::Removed(object) | Deleted::Marked(object) => context.respond(StatusCode::OK, object),
    }
}

pub(super) fn delete_collection(context: &Context<'_>, body: &Bytes) -> Result<Response<Body>> {
    let options = DeleteOptions::parse(context, body)?;
    let resource = &context.resource;
    let mut items = Vec::new();
    for stored in list::selected(context)? {
        if let Some(Deleted::Removed(object) | Deleted::Marked(object)) =
            delete_one(context.state, resource, stored, &options)?
        {
            items.push(object);
        }
    }
    let list = json!({
        "kind": resource.list_kind,
        "apiVersion": resource.api_version(),
        "metadata": {"resourceVersion": context.state.store.revision().to_string()},
        "items": items,
    });
    context.respond_plain(StatusCode::OK, &list)
}

/// Deletes an object, or marks it for deletion; `None` if it was gone already.
pub(crate) fn delete_one(
    state: &State,
    resource: &Arc<Resource>,
    mut stored: Arc<Stored>,
    options: &DeleteOptions,
) -> Result<Option<Deleted>> {
    for _ in 0..TRIES {
        let live = objects::value(resource, &stored);
        check(resource, &live, options)?;
        let marked = marked(state, resource, &live, options);
        let finished = is_finished(resource, &marked);
        if options.dry_run {
            return Ok(Some(if finished {
                Deleted::Removed(marked)
            } else {
                Deleted::Marked(marked)
            }));
        }
        let result = if finished {
            // The last state is the one before it was marked, unless it had been marked by an earlier deletion.
            let last = if object::is_deleting(&live) { marked } else { live };
            objects::remove(state, resource, &stored, last)
                .map(|stored| Deleted::Removed(objects::value(resource, &stored)))
        } else if marked == live {
            Ok(Deleted::Marked(live))
        } else {
            objects::replace(state, resource, &stored, marked)
                .map(|stored| Deleted::Marked(objects::value(resource, &stored)))
        };
        match result {
            Ok(deleted) => return Ok(Some(deleted)),
            Err(WriteError::Changed) => {
                let Some(changed) = state.store.get(&resource.id, &stored.key) else {
                    return Ok(None);
                };
                stored = changed;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(WriteError::Changed.into())
}

fn check(resource: &Resource, live: &Value, options: &DeleteOptions) -> Result<()> {
    let name = object::name(live).to_owned();
    let conflict = |what: &str, asked: &str, found: &str| {
        let why = format!(
            "the {what} in the precondition ({asked}) does not match the {what} in record ({found}). The object might have been \
             deleted and then recreated"
        );
        // Upstream names the kind where elsewhere it names the resource.
        Err(ApiError::Conflict {
            resource: ResourceId::new(resource.group(), &resource.kind),
            name: name.clone(),
            why,
        })
    };
    if let Some(uid) = &options.uid {
        let found = object::meta(live, "uid");
        if uid != found {
            return conflict("UID", uid, found);
        }
    }
    if let Some(version) = &options.resource_version {
        let found = object::meta(live, "resourceVersion");
        if version != found {
            return conflict("ResourceVersion", version, found);
        }
    }
    if resource.is_core("namespaces") && PROTECTED.contains(&name.as_str()) {
        let why = "this namespace may not be deleted".to_owned();
        return Err(ApiError::Forbidden {
            resource: Some(resource.id.clone()),
            name,
            why,
            cause: None,
        });
    }
    Ok(())
}

/// The object as a deletion leaves it if something holds it back.
fn marked(state: &State, resource: &Resource, live: &Value, options: &DeleteOptions) -> Value {
    let mut object = live.clone();
    let propagation = options.propagation.unwrap_or(if resource.rules.orphans {
        Propagation::Orphan
    } else {
        Propagation::Background
    });
    let mut finalizers: Vec<String> = object::finalizers(live).into_iter().map(str::to_owned).collect();
    // A later deletion that says nothing leaves an earlier one's choice.
    if options.propagation.is_some() || !object::is_deleting(live) {
        finalizers.retain(|finalizer| !matches!(finalizer.as_str(), ORPHAN | FOREGROUND));
        match propagation {
            Propagation::Background => {}
            Propagation::Foreground => finalizers.push(FOREGROUND.to_owned()),
            Propagation::Orphan => finalizers.push(ORPHAN.to_owned()),
        }
    }
    if resource.id == crd::resource_id() && !object::is_deleting(live) {
        finalizers.push(crd::CLEANUP.to_owned());
        let message = "CustomResource deletion is in progress";
        crd::set_condition(
            &mut object["status"],
            "Terminating",
            true,
            "InstanceDeletionInProgress",
            message,
            &state.stamp(),
        );
    }
    object::set_finalizers(&mut object, &finalizers);
    let grace = grace(resource, live, options);
    let metadata = object::metadata_mut(&mut object);
    if metadata.get("deletionTimestamp").is_none() {
        let at = state.now() + jiff::SignedDuration::from_secs(grace);
        metadata.insert(
            "deletionTimestamp".to_owned(),
            at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into(),
        );
        metadata.insert("deletionGracePeriodSeconds".to_owned(), grace.into());
        if let Some(generation) = metadata
            .get("generation")
            .and_then(Value::as_i64)
            .filter(|generation| *generation > 0)
        {
            metadata.insert("generation".to_owned(), (generation + 1).into());
        }
        if resource.is_core("namespaces") {
            object["status"]["phase"] = "Terminating".into();
        }
    } else if metadata
        .get("deletionGracePeriodSeconds")
        .and_then(Value::as_i64)
        .unwrap_or(0)
        > grace
    {
        // May only become shorter.
        metadata.insert("deletionGracePeriodSeconds".to_owned(), grace.into());
    }
    object
}

/// How long a pod may take to end, which only matters while it runs somewhere.
fn grace(resource: &Resource, live: &Value, options: &DeleteOptions) -> i64 {
    if !resource.is_core("pods") {
        return 0;
    }
    let unscheduled = live["spec"]["nodeName"].as_str().unwrap_or_default().is_empty();
    let finished = matches!(live["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if unscheduled || finished {
        return 0;
    }
    let own = live["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
    options.grace.unwrap_or(own).max(0)
}
