//! What single built-in kinds prepare and refuse beyond what all kinds share.

mod service;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use crate::{
    field_error::FieldError,
    object,
    resource::{Resource, Source},
    server::State,
    status::{ApiError, Result},
};

/// What a kind says of itself beyond its schema's defaults. It counts as written by whoever wrote the object.
pub(super) fn default(resource: &Resource, object: &mut Value) {
    match (resource.group(), resource.plural()) {
        ("", "namespaces") => {
            let name = object::name(object).to_owned();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name.into();
        }
        ("", "secrets") => {
            merge_string_data(object);
            if !object["type"].is_string() {
                object["type"] = "Opaque".into();
            }
        }
        ("", "services") => service::default(object),
        _ => {}
    }
}

/// Completes a new object as its kind does. What is set here is the server's own.
pub(super) fn prepare_create(state: &State, resource: &Resource, object: &mut Value) -> Result<()> {
    if let Source::Custom { terminating: true } = resource.source {
        return Err(ApiError::Forbidden {
            resource: Some(resource.id.clone()),
            name: object::name(object).to_owned(),
            why: "create not allowed while custom resource definition is terminating".to_owned(),
            cause: None,
        });
    }
    match (resource.group(), resource.plural()) {
        ("", "namespaces") => {
            hold(object);
            object["status"] = json!({"phase": "Active"});
        }
        ("", "services") => service::prepare_create(state, object)?,
        ("batch", "jobs") => select_own_pods(object),
        ("", "pods" | "persistentvolumes" | "persistentvolumeclaims") => {
            object["status"] = json!({"phase": "Pending"});
        }
        _ => {}
    }
    Ok(())
}

/// Completes a changed object as its kind does.
pub(super) fn prepare_update(state: &State, resource: &Resource, live: &Value, object: &mut Value) -> Result<()> {
    match (resource.group(), resource.plural()) {
        // Set and taken away by the path `finalize` only.
        ("", "namespaces") => object::copy_field(live, object, "spec"),
        ("", "services") => service::prepare_update(state, live, object)?,
        _ => {}
    }
    Ok(())
}

/// What is wrong with an object of a kind.
pub(super) fn validate(resource: &Resource, object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match (resource.group(), resource.plural()) {
        ("", "services") => errors.extend(service::validate(object)),
        ("", "secrets" | "configmaps") => {
            errors.extend(data_keys(object));
            errors.extend(live.and_then(|live| immutable_data(object, live)));
        }
        ("apps", "deployments" | "replicasets" | "statefulsets" | "daemonsets") => {
            errors.extend(selector(object, live));
        }
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings")
            if live.is_some_and(|live| live["roleRef"] != object["roleRef"]) =>
        {
            let detail = "cannot change roleRef";
            errors.push(FieldError::invalid("roleRef", object["roleRef"].clone(), detail));
        }
        _ => {}
    }
    errors
}

/// Nothing but the path `finalize` lets a namespace go that this finalizer holds.
fn hold(namespace: &mut Value) {
    const HOLD: &str = "kubernetes";
    let mut finalizers = namespace["spec"]["finalizers"].as_array().cloned().unwrap_or_default();
    if !finalizers.iter().any(|finalizer| finalizer == HOLD) {
        finalizers.push(HOLD.into());
    }
    namespace["spec"] = json!({"finalizers": finalizers});
}

/// A Job counts pods that no other object's selector can select: they bear its uid.
fn select_own_pods(job: &mut Value) {
    if job["spec"]["manualSelector"] == true {
        return;
    }
    let (uid, name) = (object::meta(job, "uid").to_owned(), object::name(job).to_owned());
    job["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
    let metadata = &mut job["spec"]["template"]["metadata"];
    if !metadata["labels"].is_object() {
        metadata["labels"] = json!({});
    }
    // The names without a group are those of old.
    for (label, value) in [("controller-uid", uid), ("job-name", name)] {
        metadata["labels"][label] = value.clone().into();
        metadata["labels"][format!("batch.kubernetes.io/{label}")] = value.into();
    }
    let labels = metadata["labels"].clone();
    if !job["metadata"]["labels"].is_object() {
        job["metadata"]["labels"] = labels;
    }
}

/// `stringData` is for writing only: it is merged into `data`.
fn merge_string_data(object: &mut Value) {
    let Some(Value::Object(texts)) = object.as_object_mut().and_then(|object| object.remove("stringData")) else {
        return;
    };
    if !object["data"].is_object() {
        object["data"] = Value::Object(Map::new());
    }
    for (key, text) in texts {
        object["data"][key] = BASE64_STANDARD.encode(text.as_str().unwrap_or_default()).into();
    }
}

/// The keys of a ConfigMap or a Secret become names of files.
fn data_keys(object: &Value) -> Vec<FieldError> {
    const LIMIT: usize = 253;
    let mut errors = Vec::new();
    for field in ["data", "binaryData"] {
        for key in object[field].as_object().into_iter().flatten().map(|(key, _)| key) {
            let mut invalid = |detail: String| {
                errors.push(FieldError::invalid(format!("{field}[{key}]"), key.as_str(), detail));
            };
            let allowed = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
            if key.len() > LIMIT {
                invalid(format!("must be no more than {LIMIT} characters"));
            }
            if key.is_empty() || !key.chars().all(allowed) {
                invalid(
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  \
                     or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                        .to_owned(),
                );
            }
            if key == "." || key == ".." {
                invalid(format!("must not be '{key}'"));
            } else if key.starts_with("..") {
                invalid("must not start with '..'".to_owned());
            }
        }
    }
    errors
}

fn immutable_data(object: &Value, live: &Value) -> Option<FieldError> {
    if live["immutable"] != true {
        return None;
    }
    let detail = "field is immutable when `immutable` is set";
    if object["immutable"] != true {
        return Some(FieldError::forbidden("immutable", detail));
    }
    let fields = ["data", "binaryData"];
    fields
        .into_iter()
        .find(|field| object[*field] != live[*field])
        .map(|field| FieldError::forbidden(field, detail))
}

/// The selector must select the template's pods, and never changes.
fn selector(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let selector = &object["spec"]["selector"];
    let labels = &object["spec"]["template"]["metadata"]["labels"];
    if !selector.is_object() {
        errors.push(FieldError::required("spec.selector", ""));
    }
    let wanted = selector["matchLabels"].as_object();
    if !selector.is_object() || wanted.into_iter().flatten().any(|(key, value)| labels[key] != *value) {
        let detail = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid(
            "spec.template.metadata.labels",
            labels.clone(),
            detail,
        ));
    }
    if live.is_some_and(|live| live["spec"]["selector"] != *selector) {
        errors.push(FieldError::invalid(
            "spec.selector",
            selector.clone(),
            "field is immutable",
        ));
    }
    errors
}
