//! Rows of volumes, claims and storage classes.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    age,
    value::{self, list, text, text_of, text_or},
};

const DEFAULT_CLASS: &str = "/metadata/annotations/storageclass.kubernetes.io~1is-default-class";

fn access_modes(object: &Value, pointer: &str) -> String {
    let modes = list(object, pointer).iter().filter_map(Value::as_str);
    let short = modes.map(|mode| match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        other => other,
    });
    short.collect::<Vec<_>>().join(",")
}

fn quantity(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).map(text_of).unwrap_or_default()
}

/// The phase, unless the object is on its way out.
fn phase(object: &Value) -> &str {
    let deleted = object
        .pointer("/metadata/deletionTimestamp")
        .is_some_and(|time| !time.is_null());
    if deleted {
        "Terminating"
    } else {
        text(object, "/status/phase")
    }
}

pub(super) fn volume(object: &Value, now: Timestamp) -> Vec<Value> {
    let claim = match text(object, "/spec/claimRef/name") {
        "" => String::new(),
        name => format!("{}/{name}", text(object, "/spec/claimRef/namespace")),
    };
    vec![
        value::name(object),
        quantity(object, "/spec/capacity/storage").into(),
        access_modes(object, "/spec/accessModes").into(),
        text(object, "/spec/persistentVolumeReclaimPolicy").into(),
        phase(object).into(),
        claim.into(),
        text(object, "/spec/storageClassName").into(),
        text_or(object, "/spec/volumeAttributesClassName", "<unset>").into(),
        text(object, "/status/reason").into(),
        age::of_object(object, now),
        text_or(object, "/spec/volumeMode", "<unset>").into(),
    ]
}

pub(super) fn claim(object: &Value, now: Timestamp) -> Vec<Value> {
    // Only a bound claim knows what it got.
    let bound = !text(object, "/spec/volumeName").is_empty();
    let (capacity, modes) = if bound {
        (
            quantity(object, "/status/capacity/storage"),
            access_modes(object, "/status/accessModes"),
        )
    } else {
        (String::new(), String::new())
    };
    vec![
        value::name(object),
        phase(object).into(),
        text(object, "/spec/volumeName").into(),
        capacity.into(),
        modes.into(),
        text(object, "/spec/storageClassName").into(),
        text_or(object, "/spec/volumeAttributesClassName", "<unset>").into(),
        age::of_object(object, now),
        text_or(object, "/spec/volumeMode", "<unset>").into(),
    ]
}

pub(super) fn class(object: &Value, now: Timestamp) -> Vec<Value> {
    let suffix = if text(object, DEFAULT_CLASS) == "true" {
        " (default)"
    } else {
        ""
    };
    vec![
        format!("{}{suffix}", text(object, "/metadata/name")).into(),
        text(object, "/provisioner").into(),
        text_or(object, "/reclaimPolicy", "Delete").into(),
        text_or(object, "/volumeBindingMode", "Immediate").into(),
        object
            .get("allowVolumeExpansion")
            .cloned()
            .unwrap_or(Value::Bool(false)),
        age::of_object(object, now),
    ]
}
