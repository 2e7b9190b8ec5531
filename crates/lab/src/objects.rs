//! Small things that controllers do to objects: owners, finalizers, conditions, and writes that are left out when they
//! would change nothing.

use serde_json::{Value, json};

use crate::client::{Client, Result, name_of, namespace_of};
use crate::conditions;
use crate::kind::Kind;

/// Conditions of a status that is being computed, with the time at which they change.
#[derive(Debug)]
pub(crate) struct Conditions {
    list: Vec<Value>,
    now: String,
}

/// A controller's owner reference to an object.
pub(crate) fn owner(kind: Kind, object: &Value) -> Value {
    json!({
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "name": name_of(object),
        "uid": object["metadata"]["uid"],
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// Whether an object's owner references name the uid of another.
pub(crate) fn is_owned_by(object: &Value, owner: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.is_some_and(|owners| {
        owners
            .iter()
            .any(|reference| reference["uid"] == owner["metadata"]["uid"])
    })
}

/// The object's uid; empty before it has one.
pub(crate) fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

/// An annotation of an object.
pub(crate) fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object["metadata"]["annotations"].get(name)?.as_str()
}

/// Whether deletion of the object was asked for.
pub(crate) fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Whether the object carries the finalizer.
pub(crate) fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    finalizers(object).any(|name| name == finalizer)
}

/// Whether a Deployment or StatefulSet has all the replicas it wants, of its newest generation.
pub(crate) fn is_rolled_out(workload: &Value) -> bool {
    let status = &workload["status"];
    let wanted = workload["spec"]["replicas"].as_i64().unwrap_or(1);
    let count = |field: &str| status[field].as_i64().unwrap_or(0);
    status["observedGeneration"].as_i64() >= workload["metadata"]["generation"].as_i64()
        && count("availableReplicas") >= wanted
        && count("updatedReplicas") >= wanted
}

/// Creates the object unless it is there; whether it was created.
pub(crate) async fn ensure(client: &Client, kind: Kind, object: &Value) -> Result<bool> {
    if client.get(kind, namespace_of(object), name_of(object)).await?.is_some() {
        return Ok(false);
    }
    client.create(kind, object).await
}

/// A merge patch, left out if the object already is so. Whether it was sent.
pub(crate) async fn merge(client: &Client, kind: Kind, object: &Value, patch: &Value) -> Result<bool> {
    if !would_change(object, patch) {
        return Ok(false);
    }
    client.merge(kind, namespace_of(object), name_of(object), patch).await?;
    Ok(true)
}

/// A merge patch of the status, left out if the object already is so. Whether it was sent.
pub(crate) async fn write_status(client: &Client, kind: Kind, object: &Value, status: &Value) -> Result<bool> {
    if !would_change(&object["status"], status) {
        return Ok(false);
    }
    client
        .status(kind, namespace_of(object), name_of(object), status)
        .await?;
    Ok(true)
}

/// Adds a finalizer; whether it was missing.
pub(crate) async fn add_finalizer(client: &Client, kind: Kind, object: &Value, finalizer: &str) -> Result<bool> {
    if has_finalizer(object, finalizer) {
        return Ok(false);
    }
    let names: Vec<&str> = finalizers(object).chain([finalizer]).collect();
    write_finalizers(client, kind, object, &names).await
}

/// Takes a finalizer away.
pub(crate) async fn drop_finalizer(client: &Client, kind: Kind, object: &Value, finalizer: &str) -> Result<bool> {
    if !has_finalizer(object, finalizer) {
        return Ok(false);
    }
    let names: Vec<&str> = finalizers(object).filter(|name| *name != finalizer).collect();
    write_finalizers(client, kind, object, &names).await
}

/// The whole list goes in one patch that names the version it was made from, so that a finalizer which another
/// controller adds meanwhile is not lost (the conflict is retried by the runner).
async fn write_finalizers(client: &Client, kind: Kind, object: &Value, names: &[&str]) -> Result<bool> {
    let version = &object["metadata"]["resourceVersion"];
    let patch = json!({ "metadata": { "finalizers": names, "resourceVersion": version } });
    Ok(client
        .merge(kind, namespace_of(object), name_of(object), &patch)
        .await?
        .is_some())
}

fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    object["metadata"]["finalizers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The merge patch that makes a value equal to another, at any depth; `None` where it is.
pub(crate) fn replacement(found: &Value, wanted: &Value) -> Option<Value> {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            let gone = found.keys().filter(|name| !wanted.contains_key(*name));
            let mut patch: serde_json::Map<String, Value> = gone.map(|name| (name.clone(), Value::Null)).collect();
            for (name, wanted) in wanted {
                let found = found.get(name).unwrap_or(&Value::Null);
                patch.extend(replacement(found, wanted).map(|change| (name.clone(), change)));
            }
            (!patch.is_empty()).then_some(Value::Object(patch))
        }
        (found, wanted) => (found != wanted).then(|| wanted.clone()),
    }
}

/// Whether a merge patch would change the value.
fn would_change(value: &Value, patch: &Value) -> bool {
    match patch {
        Value::Object(fields) if value.is_object() => fields.iter().any(|(name, patch)| match value.get(name) {
            None => !patch.is_null(),
            Some(_) if patch.is_null() => true,
            Some(value) => would_change(value, patch),
        }),
        other => value != other,
    }
}

// === impl Conditions ===

impl Conditions {
    /// Those that the object has, to be changed at the given time.
    pub(crate) fn of(object: &Value, now: String) -> Self {
        let list = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        Self { list, now }
    }

    /// Sets one; `lastTransitionTime` moves only with the status.
    pub(crate) fn set(&mut self, kind: &str, status: bool, reason: &str, message: &str) {
        self.set_text(kind, if status { "True" } else { "False" }, reason, message);
    }

    /// Sets one whose status is not known.
    pub(crate) fn set_unknown(&mut self, kind: &str, reason: &str, message: &str) {
        self.set_text(kind, "Unknown", reason, message);
    }

    /// Sets one with the status as text.
    pub(crate) fn set_text(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        conditions::set(&mut self.list, &self.now, kind, status, reason, message);
    }

    /// Copies one that another object has, under the same type; whether it was there.
    pub(crate) fn copy(&mut self, from: &Value, kind: &str) -> bool {
        let Some(condition) = conditions::find(from, kind) else {
            return false;
        };
        let text = |field: &str| condition[field].as_str().unwrap_or_default();
        self.set_text(kind, text("status"), text("reason"), text("message"));
        true
    }

    /// Takes one away.
    pub(crate) fn remove(&mut self, kind: &str) {
        self.list.retain(|condition| condition["type"] != kind);
    }

    /// Whether it is there and `True`.
    pub(crate) fn is_true(&self, kind: &str) -> bool {
        self.get(kind).is_some_and(|condition| condition["status"] == "True")
    }

    /// One of them.
    pub(crate) fn get(&self, kind: &str) -> Option<&Value> {
        self.list.iter().find(|condition| condition["type"] == kind)
    }

    /// The list as Cluster API's kinds have it: what is empty is left out, as their schemas demand.
    pub(crate) fn into_sparse_value(self) -> Value {
        let mut list = self.list;
        for condition in list.iter_mut().filter_map(Value::as_object_mut) {
            condition.retain(|_, value| value != "");
        }
        list.into()
    }

    /// The list, to go under `status.conditions`.
    pub(crate) fn into_value(self) -> Value {
        Value::Array(self.list)
    }

    /// The list, each with the generation that it was computed from.
    pub(crate) fn observed(mut self, generation: &Value) -> Value {
        for condition in &mut self.list {
            condition["observedGeneration"] = generation.clone();
        }
        Value::Array(self.list)
    }
}
