//! Objects that the operators of a hub make, and their references to one another. Values in, values out; no requests.
//! What is asked of objects, and written to them, is in `objects.rs`.

use serde_json::{Map, Value, json};

use crate::client::{name_of, namespace_of};
use crate::kind::Kind;
use crate::objects::uid;

/// A namespace with labels.
pub(crate) fn namespace(name: &str, labels: &[(&str, &str)]) -> Value {
    let mut object = json!({ "metadata": { "name": name } });
    set_labels(&mut object, labels);
    object
}

/// A Deployment of one container; pods are selected by `app: <name>`.
pub(crate) fn deployment(namespace: &str, name: &str, replicas: u32, image: &str) -> Value {
    json!({
        "metadata": { "name": name, "namespace": namespace, "labels": { "app": name } },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": {
                    "serviceAccountName": name,
                    "containers": [{
                        "name": name,
                        "image": image,
                        "imagePullPolicy": "IfNotPresent",
                        "resources": { "requests": { "cpu": "10m", "memory": "64Mi" } },
                    }],
                },
            },
        },
    })
}

/// Lets the pods of a Deployment take so many modelled seconds to start, for what has a large image or much to do.
pub(crate) fn set_start_time(deployment: &mut Value, seconds: u32) {
    let annotations = &mut deployment["spec"]["template"]["metadata"]["annotations"];
    annotations["lab.berth.dev/starts-in-seconds"] = seconds.to_string().into();
}

/// Adds labels to an object, keeping those that it has.
pub(crate) fn set_labels(object: &mut Value, labels: &[(&str, &str)]) {
    extend_metadata(object, "labels", labels);
}

/// Adds annotations to an object, keeping those that it has.
pub(crate) fn set_annotations(object: &mut Value, annotations: &[(&str, &str)]) {
    extend_metadata(object, "annotations", annotations);
}

/// A label's value.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["labels"][key].as_str()
}

/// A reference to an owner that is not a controller, as OLM and others write them.
pub(crate) fn owner(kind: Kind, object: &Value) -> Value {
    json!({
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "name": name_of(object),
        "uid": uid(object),
        "blockOwnerDeletion": false,
        "controller": false,
    })
}

/// A reference to an object, as in `involvedObject` or `installPlanRef`.
pub(crate) fn reference(kind: Kind, object: &Value) -> Value {
    let mut reference = json!({
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "name": name_of(object),
        "uid": uid(object),
        "resourceVersion": object["metadata"]["resourceVersion"],
    });
    if let Some(namespace) = namespace_of(object) {
        reference["namespace"] = namespace.into();
    }
    reference
}

/// Whether a definition is Established.
pub(crate) fn is_established(definition: &Value) -> bool {
    crate::conditions::is_true(definition, "Established")
}

/// The patch that makes an old status the new one, or `None` where they agree.
pub(crate) fn status_patch(old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    let mut patch = Map::new();
    let (empty, none) = (Map::new(), Map::new());
    let old = old.as_object().unwrap_or(&empty);
    let new = new.as_object().unwrap_or(&none);
    for (field, value) in new {
        if old.get(field) != Some(value) {
            // A merge patch goes into objects, so fields that are gone from one have to be nulled: replace lists and
            // scalars, descend into objects.
            let inner = old
                .get(field)
                .filter(|_| value.is_object())
                .and_then(|old| status_patch(old, value));
            patch.insert(field.clone(), inner.unwrap_or_else(|| value.clone()));
        }
    }
    for field in old.keys().filter(|field| !new.contains_key(*field)) {
        patch.insert(field.clone(), Value::Null);
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

fn extend_metadata(object: &mut Value, field: &str, entries: &[(&str, &str)]) {
    if entries.is_empty() {
        return;
    }
    let map = &mut object["metadata"][field];
    if !map.is_object() {
        *map = json!({});
    }
    for (key, value) in entries {
        map[*key] = (*value).into();
    }
}
