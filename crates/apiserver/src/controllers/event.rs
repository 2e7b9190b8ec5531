//! Events: those that the controllers write, and the end of every one when it is no news any more.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::create;
use crate::{
    object, objects,
    resource::Resource,
    server::State,
    status::Result,
    store::{Item, Stored, WriteError},
};

pub(super) fn is_event(item: &Item) -> bool {
    item.resource.group().is_empty() && item.resource.plural() == "events"
}

/// Removes an event that is old enough, or says when it will be.
pub(super) fn expire(state: &State, resource: &Arc<Resource>, stored: &Arc<Stored>) -> Result<Option<Duration>> {
    let event = objects::value(resource, stored);
    let Some(written) = last_written(&event) else {
        return Ok(None);
    };
    let age = Duration::try_from(state.now().duration_since(written)).unwrap_or_default();
    if let Some(left) = state.event_ttl.checked_sub(age).filter(|left| !left.is_zero()) {
        // Timestamps are whole seconds, so that nothing is gained by looking more often.
        return Ok(Some(left.max(Duration::from_secs(1))));
    }
    // As time does it upstream: no finalizer holds it back.
    match objects::remove(state, resource, stored, event) {
        Ok(_) | Err(WriteError::Changed) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// When an object was last written, as far as it says so itself: each write that changes something leaves its time.
fn last_written(object: &Value) -> Option<Timestamp> {
    let metadata = &object["metadata"];
    let managers = metadata["managedFields"].as_array().into_iter().flatten();
    let times = managers.map(|manager| &manager["time"]);
    times
        .chain([&metadata["creationTimestamp"]])
        .filter_map(|time| time.as_str()?.parse().ok())
        .max()
}

/// Writes a warning about an object, once.
pub(super) fn warn(state: &State, resource: &Resource, about: &Value, reason: &str, message: &str) -> Result<()> {
    let (name, uid, now) = (object::name(about), object::meta(about, "uid"), state.stamp());
    let digest = format!("{:x}", Sha256::digest(format!("{uid} {reason} {message}")));
    let suffix = &digest[..16];
    let namespace = match object::namespace(about) {
        "" => "default",
        namespace => namespace,
    };
    let component = "garbage-collector-controller";
    let event = json!({
        "metadata": {"name": format!("{name}.{suffix}"), "namespace": namespace},
        "involvedObject": {
            "kind": resource.kind,
            "namespace": object::namespace(about),
            "name": name,
            "uid": uid,
            "apiVersion": resource.api_version(),
            "resourceVersion": object::meta(about, "resourceVersion"),
        },
        "reason": reason,
        "message": message,
        "source": {"component": component},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "type": "Warning",
        "eventTime": null,
        "reportingComponent": component,
        "reportingInstance": "",
    });
    create(state, state.registry().built_in("", "events"), event)
}
