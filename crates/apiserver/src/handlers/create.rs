//! `POST` of a new object, and what every creation has in common (server-side apply and PUT create, too).

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::context::Context;
use crate::{
    Body, Identity,
    admission::{Ownership, Write, WriteOptions},
    object, objects,
    status::{ApiError, Exists, Result},
    store::WriteError,
};

/// How often a generated name is tried.
const TRIES: usize = 8;

/// Longer prefixes of generated names are cut, so that the whole is no longer than a label.
const PREFIX_LIMIT: usize = 58;

/// How long a generated name's suffix is.
const SUFFIX_LENGTH: usize = 5;

pub(super) fn create(context: &mut Context<'_>, body: &Bytes) -> Result<Response<Body>> {
    let options = WriteOptions::parse(&context.query, context.headers(), "CreateOptions")?;
    let mut sent = context.decode(body)?;
    if context.resource.is_signing_request() {
        sign(context.identity, &mut sent.value);
    }
    if !object::meta(&sent.value, "resourceVersion").is_empty() {
        return Err(ApiError::Unexplained(
            "resourceVersion should not be set on objects to be created".to_owned(),
        ));
    }
    let prefix: String = object::meta(&sent.value, "generateName")
        .chars()
        .take(PREFIX_LIMIT)
        .collect();
    if !object::name(&sent.value).is_empty() || prefix.is_empty() {
        return create_object(context, &options, Ownership::Update, sent.value, &sent.complaints);
    }
    for tries in 1.. {
        let mut value = sent.value.clone();
        object::set_meta(
            &mut value,
            "name",
            &format!("{prefix}{}", context.state.random.suffix(SUFFIX_LENGTH)),
        );
        let kept = context.warnings.len();
        match create_object(context, &options, Ownership::Update, value, &sent.complaints) {
            Err(ApiError::AlreadyExists { .. }) if tries < TRIES => context.warnings.truncate(kept),
            Err(ApiError::AlreadyExists { resource, name, .. }) => {
                return Err(ApiError::AlreadyExists {
                    resource,
                    name,
                    detail: Exists::Generated,
                });
            }
            result => return result,
        }
    }
    unreachable!("the last try returns")
}

/// Whoever asks for a certificate is written down as the one who asked.
fn sign(identity: &Identity, request: &mut Value) {
    let spec = &mut request["spec"];
    spec["username"] = identity.user.as_str().into();
    spec["groups"] = identity.all_groups().into();
    if !identity.uid.is_empty() {
        spec["uid"] = identity.uid.as_str().into();
    }
    if !identity.extra.is_empty() {
        spec["extra"] = serde_json::json!(identity.extra);
    }
}

/// Creates an object that is not there.
pub(super) fn create_object(
    context: &mut Context<'_>,
    options: &WriteOptions,
    ownership: Ownership,
    value: Value,
    complaints: &[String],
) -> Result<Response<Body>> {
    let resource = std::sync::Arc::clone(&context.resource);
    let mut write = Write {
        state: context.state,
        identity: context.identity,
        resource: &resource,
        subresource: "",
        options,
        ownership,
        warnings: &mut context.warnings,
    };
    write.complain(complaints)?;
    let value = write.create(value)?;
    let key = objects::key(&resource, &value);
    if let Some(existing) = context.state.store.get(&resource.id, &key) {
        return Err(already_exists(context, object::name(&value), existing.deleting));
    }
    if options.dry_run {
        return context.respond(StatusCode::CREATED, value);
    }
    let name = object::name(&value).to_owned();
    match objects::create(context.state, &resource, value) {
        Ok(stored) => context.respond_stored(StatusCode::CREATED, &stored),
        Err(WriteError::Changed) => Err(already_exists(context, &name, false)),
        Err(error) => Err(error.into()),
    }
}

fn already_exists(context: &Context<'_>, name: &str, terminating: bool) -> ApiError {
    let detail = if terminating {
        Exists::Terminating
    } else {
        Exists::Living
    };
    ApiError::AlreadyExists {
        resource: context.resource.id.clone(),
        name: name.to_owned(),
        detail,
    }
}
