//! The rules of `metadata`, which all kinds share: its types, names, labels, owners, and who may set what.

mod names;

pub(crate) use self::names::{complaint as name_complaint, label_value, qualified as qualified_name};
use serde_json::{Map, Value};

use crate::{
    field_error::FieldError,
    object,
    resource::Resource,
    status::{ApiError, Result},
};

/// How much all annotations of an object may take together.
const ANNOTATIONS_LIMIT: usize = 256 << 10;

/// What says that an object is being deleted.
const ENDING: [&str; 2] = ["deletionTimestamp", "deletionGracePeriodSeconds"];

/// Refuses `metadata` of wrong types, and takes away what is null or empty. An empty `managedFields` means something.
pub(crate) fn decode(resource: &Resource, value: &mut Value) -> Result<()> {
    let refuse = |field: &str, expected: &str| {
        let (kind, version) = (&resource.kind, &resource.version);
        let message =
            format!("{kind} in version {version:?} cannot be handled as a {kind}: metadata{field} must be {expected}");
        Err(ApiError::BadRequest(message))
    };
    match value.get("metadata") {
        None | Some(Value::Null) => value["metadata"] = Value::Object(Map::new()),
        Some(Value::Object(_)) => {}
        Some(_) => return refuse("", "an object"),
    }
    let metadata = object::metadata_mut(value);
    metadata.retain(|_, member| !member.is_null());
    for (field, member) in metadata.iter_mut() {
        match field.as_str() {
            "name" | "generateName" | "namespace" | "uid" | "resourceVersion" | "creationTimestamp"
            | "deletionTimestamp"
                if !member.is_string() =>
            {
                return refuse(&format!(".{field}"), "a string");
            }
            "labels" | "annotations" => {
                let Some(texts) = member.as_object_mut() else {
                    return refuse(&format!(".{field}"), "a map of strings");
                };
                texts.retain(|_, text| !text.is_null());
                if let Some((key, _)) = texts.iter().find(|(_, text)| !text.is_string()) {
                    return refuse(&format!(".{field}[{key:?}]"), "a string");
                }
            }
            "finalizers"
                if !member
                    .as_array()
                    .is_some_and(|items| items.iter().all(Value::is_string)) =>
            {
                return refuse(".finalizers", "a list of strings");
            }
            "ownerReferences" | "managedFields"
                if !member
                    .as_array()
                    .is_some_and(|items| items.iter().all(Value::is_object)) =>
            {
                return refuse(&format!(".{field}"), "a list of objects");
            }
            _ => {}
        }
    }
    metadata.retain(|field, member| field == "managedFields" || !is_empty(member));
    Ok(())
}

fn is_empty(member: &Value) -> bool {
    member.as_array().is_some_and(Vec::is_empty) || member.as_object().is_some_and(Map::is_empty)
}

/// Takes away what only the server sets.
pub(crate) fn wipe(value: &mut Value) {
    let metadata = object::metadata_mut(value);
    for field in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "selfLink",
    ] {
        metadata.remove(field);
    }
}

/// Puts back what no update can change. That an object ends can't be made up either, but is refused instead.
pub(crate) fn restore(live: &Value, value: &mut Value) {
    for field in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "selfLink",
        "generateName",
    ] {
        let (from, to) = (&live["metadata"], object::metadata_mut(value));
        match from.get(field) {
            Some(member) => to.insert(field.to_owned(), member.clone()),
            None if field == "generateName" || ENDING.contains(&field) => continue,
            None => to.remove(field),
        };
    }
}

/// Drops owners that are named twice, and says so.
pub(crate) fn unique_owners(value: &mut Value, warnings: &mut Vec<String>) {
    let Some(owners) = object::metadata_mut(value)
        .get_mut("ownerReferences")
        .and_then(Value::as_array_mut)
    else {
        return;
    };
    let mut seen: Vec<Value> = Vec::new();
    owners.retain(|owner| {
        let duplicate = seen.contains(owner);
        if duplicate {
            warnings.push(format!(
                ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may \
                 reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
                owner["uid"].as_str().unwrap_or_default()
            ));
        } else {
            seen.push(owner.clone());
        }
        !duplicate
    });
}

/// What is wrong with the metadata of an object.
pub(crate) fn validate(resource: &Resource, value: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let name = object::name(value);
    if name.is_empty() {
        errors.push(FieldError::required(
            "metadata.name",
            "name or generateName is required",
        ));
    } else if let (None, Some(complaint)) = (live, names::complaint(resource.rules.name, name)) {
        errors.push(FieldError::invalid("metadata.name", name, complaint));
    }
    let metadata = &value["metadata"];
    errors.extend(labels(&metadata["labels"], "metadata.labels"));
    errors.extend(annotations(&metadata["annotations"]));
    errors.extend(owners(&metadata["ownerReferences"]));
    for (index, finalizer) in object::finalizers(value).into_iter().enumerate() {
        if let Some(complaint) = names::qualified(finalizer) {
            errors.push(FieldError::invalid(
                format!("metadata.finalizers[{index}]"),
                finalizer,
                complaint,
            ));
        }
    }
    if let Some(live) = live {
        errors.extend(late_finalizers(value, live));
        let made_up = ENDING
            .into_iter()
            .filter(|field| live["metadata"][*field] != metadata[*field]);
        errors.extend(made_up.map(|field| {
            FieldError::invalid(
                format!("metadata.{field}"),
                metadata[field].clone(),
                "field is immutable",
            )
        }));
    }
    errors
}

/// What is wrong with a map of labels.
pub(crate) fn labels(labels: &Value, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (key, text) in labels.as_object().into_iter().flatten() {
        if let Some(complaint) = names::qualified(key) {
            errors.push(FieldError::invalid(path, key.as_str(), complaint));
        }
        if let Some(complaint) = names::label_value(text.as_str().unwrap_or_default()) {
            errors.push(FieldError::invalid(path, text.clone(), complaint));
        }
    }
    errors
}

fn annotations(annotations: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut total = 0;
    for (key, text) in annotations.as_object().into_iter().flatten() {
        total += key.len() + text.as_str().map_or(0, str::len);
        // Keys of annotations are compared without regard to case.
        if let Some(complaint) = names::qualified(&key.to_lowercase()) {
            errors.push(FieldError::invalid("metadata.annotations", key.as_str(), complaint));
        }
    }
    if total > ANNOTATIONS_LIMIT {
        errors.push(FieldError::too_long("metadata.annotations", ANNOTATIONS_LIMIT as u64));
    }
    errors
}

/// Upstream's messages name the list of owners, not the place in it.
fn owners(owners: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut controller: Option<String> = None;
    for owner in owners.as_array().into_iter().flatten() {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        for field in ["apiVersion", "kind", "name", "uid"] {
            if text(field).is_empty() {
                let path = format!("metadata.ownerReferences.{field}");
                let detail = if field == "apiVersion" {
                    "version must not be empty"
                } else {
                    "must not be empty"
                };
                errors.push(FieldError::invalid(path, "", detail));
            }
        }
        if owner["controller"] != true {
            continue;
        }
        let this = format!("{}/{}", text("kind"), text("name"));
        match &controller {
            None => controller = Some(this),
            Some(first) => {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                );
                errors.push(FieldError::invalid("metadata.ownerReferences", owners.clone(), detail));
            }
        }
    }
    errors
}

/// An object that is being deleted gets no more finalizers.
fn late_finalizers(value: &Value, live: &Value) -> Option<FieldError> {
    if !object::is_deleting(live) {
        return None;
    }
    let known = object::finalizers(live);
    let late: Vec<String> = object::finalizers(value)
        .into_iter()
        .filter(|finalizer| !known.contains(finalizer))
        .map(|text| format!("{text:?}"))
        .collect();
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        late.join(", ")
    );
    (!late.is_empty()).then(|| FieldError::forbidden("metadata.finalizers", detail))
}
