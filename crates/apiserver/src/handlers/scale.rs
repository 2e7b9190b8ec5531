//! The scale subresource: how many replicas of anything that has replicas, in one form for all of them.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    context::Context,
    patch::{self, PatchType},
    render,
    update::{change, check_preconditions},
};
use crate::{
    Body,
    admission::{Ownership, WriteOptions},
    decode,
    negotiate::{self, Answer, Shape},
    object, objects,
    resource::{Resource, Scale},
    status::{ApiError, Result},
    table,
};

pub(super) fn get(context: &Context<'_>) -> Result<Response<Body>> {
    let object = objects::value(&context.resource, &*context.stored()?);
    let scale = of_object(&context.resource, &object)?;
    match (
        context.form(Answer::Object)?.shape,
        table::builtin("autoscaling", "Scale"),
    ) {
        (Shape::Table, Some(printer)) => {
            let version = json!({"resourceVersion": scale["metadata"]["resourceVersion"]});
            let table = render::table_by(context, printer, &version, true, vec![scale]);
            context.respond_plain(StatusCode::OK, &table)
        }
        _ => context.respond_plain(StatusCode::OK, &scale),
    }
}

pub(super) fn update(context: &mut Context<'_>, body: &Bytes) -> Result<Response<Body>> {
    let options = WriteOptions::parse(&context.query, context.headers(), "UpdateOptions")?;
    let sent = decode::decode(body, negotiate::body_type(context.headers())?)?.value;
    write(context, &options, |_| Ok(sent.clone()))
}

pub(super) fn patch(context: &mut Context<'_>, body: &Bytes) -> Result<Response<Body>> {
    let options = WriteOptions::parse(&context.query, context.headers(), "PatchOptions")?;
    let kind = match patch::patch_type(context)? {
        // A Scale has no lists and one writer: a merge is what either comes to.
        PatchType::Strategic | PatchType::Apply => PatchType::Merge,
        kind => kind,
    };
    let sent = decode::decode(body, negotiate::BodyType::Yaml)
        .or_else(|_| decode::decode(body, negotiate::BodyType::Json))?
        .value;
    let resource = Arc::clone(&context.resource);
    write(context, &options, |scale| patch::patched(kind, &resource, scale, &sent))
}

/// Writes the number of replicas of a scale into the object that it stands for.
fn write(
    context: &mut Context<'_>,
    options: &WriteOptions,
    next: impl Fn(&Value) -> Result<Value>,
) -> Result<Response<Body>> {
    let resource = Arc::clone(&context.resource);
    let response = change(context, options, Ownership::Update, |_, live| {
        let scale = next(&of_object(&resource, live)?)?;
        check_preconditions(&resource.id, live, &scale)?;
        let Some(replicas) = scale["spec"]["replicas"].as_i64().filter(|replicas| *replicas >= 0) else {
            return Err(ApiError::Invalid {
                group: "autoscaling".to_owned(),
                kind: "Scale".to_owned(),
                name: object::name(live).to_owned(),
                errors: vec![crate::field_error::FieldError::invalid(
                    "spec.replicas",
                    scale["spec"]["replicas"].clone(),
                    "must be greater than or equal to 0",
                )],
            });
        };
        let mut object = live.clone();
        object::set_at_path(&mut object, &paths(&resource)?.spec_replicas, replicas.into());
        Ok(object)
    })?;
    if options.dry_run {
        return Ok(response);
    }
    get(context)
}

fn paths(resource: &Resource) -> Result<&Scale> {
    resource.scale.as_ref().ok_or(ApiError::NoSuchPath)
}

fn of_object(resource: &Resource, object: &Value) -> Result<Value> {
    let paths = paths(resource)?;
    let wanted = object::at_path(object, &paths.spec_replicas).cloned();
    let Some(wanted) = wanted else {
        return Err(ApiError::Internal(format!(
            "the spec replicas field {:?} does not exist",
            paths.spec_replicas
        )));
    };
    let actual = object::at_path(object, &paths.status_replicas)
        .cloned()
        .unwrap_or_else(|| 0.into());
    let metadata = &object["metadata"];
    let mut scale = json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": metadata["name"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
            "creationTimestamp": metadata["creationTimestamp"],
        },
        "spec": {"replicas": wanted},
        "status": {"replicas": actual},
    });
    if resource.namespaced {
        scale["metadata"]["namespace"] = metadata["namespace"].clone();
    }
    let selector = match &paths.selector {
        Some(path) => object::selector_text(object, path),
        None => selector_text(&object["spec"]["selector"]),
    };
    if !selector.is_empty() {
        scale["status"]["selector"] = selector.into();
    }
    Ok(scale)
}

/// A label selector as text. A ReplicationController's is a plain map.
fn selector_text(selector: &Value) -> String {
    let is_map = selector
        .as_object()
        .is_some_and(|map| map.values().all(Value::is_string));
    let labels = if is_map { selector } else { &selector["matchLabels"] };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut parts: Vec<String> = labels
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", text(value)))
        .collect();
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let values: Vec<String> = expression["values"]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect();
        let (key, values) = (text(&expression["key"]), values.join(","));
        parts.push(match expression["operator"].as_str() {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key,
        });
    }
    parts.join(",")
}
