//! `PUT`, and what every change of an object has in common.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::{context::Context, create::create_object};
use crate::{
    Body,
    admission::{self, Change, Ownership, Write, WriteOptions},
    field_error::FieldError,
    object, objects,
    status::{ApiError, Result},
    store::{ResourceId, Stored, WriteError},
};

/// How often a change is made anew because the object changed meanwhile.
const TRIES: usize = 16;

pub(super) fn update(context: &mut Context<'_>, body: &Bytes) -> Result<Response<Body>> {
    let options = WriteOptions::parse(&context.query, context.headers(), "UpdateOptions")?;
    let mut sent = context.decode(body)?;
    let resource = Arc::clone(&context.resource);
    let creates = resource.rules.create_on_update && context.subresource().is_empty();
    if creates && context.state.store.get(&resource.id, &context.key()).is_none() {
        object::set_meta(&mut sent.value, "resourceVersion", "");
        return create_object(context, &options, Ownership::Update, sent.value, &sent.complaints);
    }
    context.stored()?;
    if object::meta(&sent.value, "resourceVersion").is_empty() && resource.rules.needs_version {
        let error = FieldError::invalid("metadata.resourceVersion", 0, "must be specified for an update");
        // Upstream names the resource where elsewhere it names the kind.
        return Err(ApiError::Invalid {
            group: resource.group().to_owned(),
            kind: resource.plural().to_owned(),
            name: context.name().to_owned(),
            errors: vec![error],
        });
    }
    writer(context, &resource, &options, Ownership::Update).complain(&sent.complaints)?;
    change(context, &options, Ownership::Update, |_, live| {
        check_preconditions(&resource.id, live, &sent.value)?;
        Ok(sent.value.clone())
    })
}

/// Changes an object: makes its next state from the live one, and again if the object changed meanwhile.
pub(super) fn change(
    context: &mut Context<'_>,
    options: &WriteOptions,
    ownership: Ownership,
    next: impl Fn(&mut Context<'_>, &Value) -> Result<Value>,
) -> Result<Response<Body>> {
    let resource = Arc::clone(&context.resource);
    for _ in 0..TRIES {
        let stored = context.stored()?;
        let kept = context.warnings.len();
        let live = objects::value(&resource, &stored);
        let object = next(context, &live)?;
        let change = writer(context, &resource, options, ownership).update(&live, object)?;
        match commit(context, options, &stored, change) {
            Ok(response) => return response,
            Err(WriteError::Changed) => context.warnings.truncate(kept),
            Err(error) => return Err(error.into()),
        }
    }
    Err(WriteError::Changed.into())
}

fn commit(
    context: &Context<'_>,
    options: &WriteOptions,
    stored: &Arc<Stored>,
    change: Change,
) -> Result<Result<Response<Body>>, WriteError> {
    let (state, resource) = (context.state, &context.resource);
    let stored = match change {
        Change::None => Arc::clone(stored),
        Change::To(object) | Change::Gone(object) if options.dry_run => {
            return Ok(context.respond(StatusCode::OK, object));
        }
        Change::To(object) => objects::replace(state, resource, stored, object)?,
        Change::Gone(object) => objects::remove(state, resource, stored, object)?,
    };
    Ok(context.respond_stored(StatusCode::OK, &stored))
}

/// The version and uid that an update names must be the live ones.
pub(super) fn check_preconditions(id: &ResourceId, live: &Value, object: &Value) -> Result<()> {
    let conflict = |why: String| {
        Err(ApiError::Conflict {
            resource: id.clone(),
            name: object::name(live).to_owned(),
            why,
        })
    };
    let (given, current) = (object::meta(object, "uid"), object::meta(live, "uid"));
    if !given.is_empty() && given != current {
        return conflict(format!(
            "Precondition failed: UID in precondition: {given}, UID in object meta: {current}"
        ));
    }
    let (given, current) = (
        object::meta(object, "resourceVersion"),
        object::meta(live, "resourceVersion"),
    );
    if !given.is_empty() && given != current {
        let text = "the object has been modified; please apply your changes to the latest version and try again";
        return conflict(text.to_owned());
    }
    Ok(())
}

/// `PUT` to a namespace's `finalize`: only its own finalizers are taken.
pub(super) fn finalize(context: &mut Context<'_>, body: &Bytes) -> Result<Response<Body>> {
    let options = WriteOptions::parse(&context.query, context.headers(), "UpdateOptions")?;
    let sent = context.decode(body)?;
    for _ in 0..TRIES {
        let stored = context.stored()?;
        let mut object = objects::value(&context.resource, &stored);
        check_preconditions(&context.resource.id, &object, &sent.value)?;
        object::copy_field(&sent.value, &mut object, "spec");
        let change = if admission::is_finished(&context.resource, &object) {
            Change::Gone(object)
        } else {
            Change::To(object)
        };
        match commit(context, &options, &stored, change) {
            Err(WriteError::Changed) => {}
            Err(error) => return Err(error.into()),
            Ok(response) => return response,
        }
    }
    Err(WriteError::Changed.into())
}

pub(super) fn writer<'a>(
    context: &'a mut Context<'_>,
    resource: &'a crate::resource::Resource,
    options: &'a WriteOptions,
    ownership: Ownership,
) -> Write<'a> {
    Write {
        state: context.state,
        identity: context.identity,
        resource,
        subresource: context.path.subresource.as_deref().unwrap_or_default(),
        options,
        ownership,
        warnings: &mut context.warnings,
    }
}
