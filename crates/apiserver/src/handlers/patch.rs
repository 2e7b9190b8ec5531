//! `PATCH`, in its four types.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::{
    context::{Context, complaints},
    create::create_object,
    update::{self, change, check_preconditions},
};
use crate::{
    Body,
    admission::{FieldValidation, Ownership, WriteOptions},
    apply, decode,
    field_error::FieldError,
    negotiate::{self, BodyType},
    object,
    patch::{self, PatchError},
    resource::Resource,
    status::{ApiError, Result},
    types::Spelling,
};

/// The type of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PatchType {
    Json,
    Merge,
    Strategic,
    Apply,
}

pub(super) fn patch(context: &mut Context<'_>, body: &Bytes) -> Result<Response<Body>> {
    let kind = patch_type(context)?;
    let options = WriteOptions::parse(&context.query, context.headers(), "PatchOptions")?;
    if kind == PatchType::Apply {
        return server_side_apply(context, &options, body);
    }
    if context.query.set_flag("force").is_some() {
        let error = FieldError::forbidden("force", "may not be specified for non-apply patch");
        return Err(ApiError::invalid_option("PatchOptions", error));
    }
    let patch = decode::decode(body, BodyType::Json)?.value;
    let (resource, name) = (Arc::clone(&context.resource), context.name().to_owned());
    change(context, &options, Ownership::Update, |context, live| {
        let mut patched = patched(kind, &resource, live, &patch)?;
        context.check_type(&mut patched)?;
        // What a patch makes of an object is refused as invalid where an object that was sent is a bad request.
        let unknown = resource.read(&mut patched, Spelling::Canonical);
        let unknown = unknown.map_err(|error| unfit(kind, &resource, live, &patch, error))?;
        if object::name(&patched) != name {
            return Err(ApiError::BadRequest(format!(
                "the name of the object ({}) does not match the name on the URL ({name})",
                object::name(&patched)
            )));
        }
        if object::namespace(&patched) != object::namespace(live) {
            let text = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(ApiError::bad_request(text));
        }
        check_preconditions(&resource.id, live, &patched)?;
        let complained =
            update::writer(context, &resource, &options, Ownership::Update).complain(&complaints(&unknown, &[]));
        complained.map_err(|error| unfit(kind, &resource, live, &patch, error))?;
        Ok(patched)
    })
}

/// The type of the patch of a request, if the kind allows it.
pub(super) fn patch_type(context: &Context<'_>) -> Result<PatchType> {
    let custom = context.resource.is_custom();
    match negotiate::content_type(context.headers()) {
        "application/json-patch+json" => Ok(PatchType::Json),
        "application/merge-patch+json" => Ok(PatchType::Merge),
        "application/strategic-merge-patch+json" if !custom => Ok(PatchType::Strategic),
        "application/apply-patch+yaml" => Ok(PatchType::Apply),
        _ if custom => Err(ApiError::UnsupportedMediaType(
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        )),
        _ => Err(ApiError::UnsupportedMediaType(
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml, \
             application/strategic-merge-patch+json",
        )),
    }
}

/// An object with a patch of any type but apply.
pub(super) fn patched(kind: PatchType, resource: &Resource, live: &Value, patch: &Value) -> Result<Value> {
    let result = match kind {
        PatchType::Json => patch::json_patch(live, patch),
        PatchType::Strategic => patch::strategic_merge(resource.schema(), live, patch),
        PatchType::Merge | PatchType::Apply => {
            if !patch.is_object() {
                return Err(ApiError::bad_request("the patch must be an object"));
            }
            Ok(patch::merge_patch(live, patch))
        }
    };
    result.map_err(|error| match error {
        // Upstream has no other word for a strategic patch that makes no sense.
        PatchError::Malformed(text) if kind == PatchType::Strategic => ApiError::Unexplained(text),
        PatchError::Malformed(text) => ApiError::BadRequest(text),
        error @ PatchError::TooManyOperations(_) => ApiError::TooLarge(error.to_string()),
        PatchError::Unprocessable(why) => {
            tracing::debug!(%why, "a patch does not fit its object");
            ApiError::Unprocessable("the server rejected our request due to an error in our request".to_owned())
        }
    })
}

/// A refusal of what a patch makes of an object; a strategic one is shown itself, of others what they come to.
pub(super) fn unfit(kind: PatchType, resource: &Resource, live: &Value, patch: &Value, error: ApiError) -> ApiError {
    let ApiError::BadRequest(text) = error else {
        return error;
    };
    let detail = text
        .split_once("cannot be handled as a ")
        .and_then(|(_, rest)| rest.split_once(": "))
        .map_or(text.as_str(), |(_, detail)| detail);
    let shown = match kind {
        PatchType::Strategic => object::go(patch),
        _ => patched(kind, resource, live, patch).map_or_else(|_| String::new(), |patched| patched.to_string()),
    };
    let error = FieldError::invalid("patch", shown, detail);
    // Upstream says of no object that its patch does not fit.
    ApiError::Invalid {
        group: String::new(),
        kind: String::new(),
        name: String::new(),
        errors: vec![error],
    }
}

fn server_side_apply(context: &mut Context<'_>, options: &WriteOptions, body: &Bytes) -> Result<Response<Body>> {
    if context.query.get("fieldManager").is_none() {
        let error = FieldError::required("fieldManager", "is required for apply patch");
        return Err(ApiError::invalid_option("PatchOptions", error));
    }
    let (mut applied, complaints) = applied(context, body)?;
    let force = context.query.flag("force");
    let resource = Arc::clone(&context.resource);
    update::writer(context, &resource, options, Ownership::Applied).complain(&complaints)?;
    narrow(&resource, context.subresource(), &mut applied);
    let quiet = WriteOptions {
        validation: FieldValidation::Ignore,
        ..options.clone()
    };
    let absent = context.state.store.get(&resource.id, &context.key()).is_none();
    if absent {
        if !context.subresource().is_empty() {
            return Err(context.not_found());
        }
        if !object::meta(&applied, "uid").is_empty() {
            let why = format!(
                "uid mismatch: the provided object specified uid {}, and no existing object was found",
                object::meta(&applied, "uid")
            );
            return Err(ApiError::Conflict {
                resource: resource.id.clone(),
                name: context.name().to_owned(),
                why,
            });
        }
        let object = merge(context, &resource, &quiet, None, &applied, force)?;
        return create_object(context, &quiet, Ownership::Applied, object, &[]);
    }
    change(context, &quiet, Ownership::Applied, |context, live| {
        check_preconditions(&resource.id, live, &applied)?;
        merge(context, &resource, &quiet, Some(live), &applied, force)
    })
}

/// Takes out of an applied configuration what this path doesn't write, so that nobody comes to own it, and the nulls that
/// say nothing: they would be merged in and dropped again each time.
fn narrow(resource: &Resource, subresource: &str, applied: &mut Value) {
    if resource.is_custom() {
        resource.schema().drop_nulls(applied);
    }
    let Some(fields) = applied.as_object_mut() else { return };
    match subresource {
        "status" => {
            fields.retain(|field, _| matches!(field.as_str(), "apiVersion" | "kind" | "metadata" | "status"));
            let identity = ["name", "namespace", "uid", "resourceVersion"];
            object::metadata_mut(applied).retain(|field, _| identity.contains(&field.as_str()));
        }
        _ if resource.status => {
            fields.remove("status");
        }
        _ => {}
    }
}

fn merge(
    context: &mut Context<'_>,
    resource: &Resource,
    options: &WriteOptions,
    live: Option<&Value>,
    applied: &Value,
    force: bool,
) -> Result<Value> {
    let write = update::writer(context, resource, options, Ownership::Applied);
    let api_version = resource.api_version();
    let merged = write.with_writer(&api_version, |writer| {
        apply::apply(resource.schema(), live, applied, writer, force)
    });
    let mut merged = merged.map_err(ApiError::ApplyConflict)?;
    if !resource.is_custom() {
        resource.read(&mut merged, Spelling::Canonical)?;
    }
    Ok(merged)
}

/// Decodes an applied configuration: YAML, or the JSON that is YAML too.
fn applied(context: &Context<'_>, body: &Bytes) -> Result<(Value, Vec<String>)> {
    let json = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let decode::Decoded { mut value, duplicates } =
        decode::decode(body, if json { BodyType::Json } else { BodyType::Yaml })?;
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    if value.is_object() && (version != context.resource.api_version() || kind != context.resource.kind) {
        let group = if version.contains('/') { "" } else { "/" };
        return Err(ApiError::BadRequest(format!(
            "invalid object type: {group}{version}, Kind={kind}"
        )));
    }
    context.check_type(&mut value)?;
    if value
        .pointer("/metadata/managedFields")
        .is_some_and(|written| !written.is_null())
    {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    apply::check(context.resource.schema(), &value).map_err(|error| {
        let (namespace, name) = (object::namespace(&value), object::name(&value));
        let (version, kind) = (context.resource.api_version(), &context.resource.kind);
        ApiError::Unexplained(format!(
            "failed to create typed patch object ({namespace}/{name}; {version}, Kind={kind}): {error}"
        ))
    })?;
    let unknown = context.resource.read(&mut value, Spelling::AsWritten)?;
    context.check_place(&mut value)?;
    Ok((value, complaints(&unknown, &duplicates)))
}
