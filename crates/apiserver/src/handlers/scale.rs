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
    field_error::FieldError,
    negotiate::{self, Answer, Shape},
    object, objects,
    resource::{Resource, Scale},
    status::{ApiError, Result},
    table,
    types::{self, Spelling},
};

const GROUP: &str = "autoscaling";
const API_VERSION: &str = "autoscaling/v1";
const KIND: &str = "Scale";

pub(super) fn get(context: &Context<'_>) -> Result<Response<Body>> {
    let object = objects::value(&context.resource, &*context.stored()?);
    let scale = of_object(&context.resource, &object)?;
    match (context.form(Answer::Object)?.shape, table::builtin(GROUP, KIND)) {
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
    let sent = read(decode::decode(body, negotiate::body_type(context.headers())?)?.value)?;
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
    write(context, &options, |scale| {
        let patched = patch::patched(kind, &resource, scale, &sent)?;
        read(patched).map_err(|error| patch::unfit(kind, &resource, scale, &sent, error))
    })
}

/// A scale that a client made, if that is what it is.
fn read(mut scale: Value) -> Result<Value> {
    let refuse = |why: String| {
        Err(ApiError::BadRequest(format!(
            "{KIND} in version \"v1\" cannot be handled as a {KIND}: {why}"
        )))
    };
    if !scale.is_object() {
        return refuse("the body is no object".to_owned());
    }
    for (field, expected) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        match scale[field].as_str().unwrap_or_default() {
            "" => scale[field] = expected.into(),
            given if given == expected => {}
            given => return refuse(format!("its {field} is {given}, not {expected}")),
        }
    }
    let structure = types::kind(GROUP, "v1", KIND).expect("the table of types has it");
    match types::decode(structure, &mut scale, Spelling::Canonical) {
        Ok(_) => Ok(scale),
        Err(error) => refuse(error),
    }
}

fn check_name(expected: &str, given: &str) -> Result<()> {
    match given {
        "" => Err(ApiError::BadRequest(format!(
            "the name of the object ({expected} based on URL) was undeterminable: name must be provided"
        ))),
        given if given == expected => Ok(()),
        given => Err(ApiError::BadRequest(format!(
            "the name of the object ({given}) does not match the name on the URL ({expected})"
        ))),
    }
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
        check_name(object::name(live), object::name(&scale))?;
        check_preconditions(&resource.id, live, &scale)?;
        // Clients whose types leave out what is zero say so by saying nothing.
        let replicas = scale["spec"]["replicas"].as_i64().unwrap_or(0);
        if replicas < 0 {
            let error = FieldError::invalid("spec.replicas", replicas, "must be greater than or equal to 0");
            return Err(ApiError::Invalid {
                group: GROUP.to_owned(),
                kind: KIND.to_owned(),
                name: object::name(live).to_owned(),
                errors: vec![error],
            });
        }
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
        "kind": KIND,
        "apiVersion": API_VERSION,
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
pub(super) fn selector_text(selector: &Value) -> String {
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
