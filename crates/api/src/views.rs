//! Typed views of upstream objects: exactly the fields that Berth reads, borrowed from the JSON that the server sent.
//!
//! A view never fails: what is absent is `None` or empty, because a condition or a status that isn't there yet is the
//! ordinary case. Generation differences are seen here as absence, not as versions.

mod condition;
mod deployment;
mod hosted_cluster;
mod metadata;
mod node_pool;
mod olm;

use serde_json::Value;

pub use condition::{Condition, Status, condition, conditions, is_false, is_true};
pub use deployment::{Rollout, rollout};
pub use hosted_cluster::{HistoryEntry, history, kubeadmin_password_secret, kubeconfig_secret, release_image};
pub use metadata::{Metadata, Owner, metadata};
pub use node_pool::{Replicas, replicas};
pub use olm::{Link, channels, default_channel, download_links};

/// The value at a path of field names: `at(object, &["status", "phase"])`.
pub fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, field| value.get(field))
}

/// The text at a path of field names.
pub fn text<'a>(object: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(object, path)?.as_str()
}

/// The number at a path of field names.
pub fn number(object: &Value, path: &[&str]) -> Option<i64> {
    at(object, path)?.as_i64()
}

/// The truth at a path of field names.
pub fn flag(object: &Value, path: &[&str]) -> Option<bool> {
    at(object, path)?.as_bool()
}

/// The list at a path of field names; empty where there is none.
pub fn list<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    at(object, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
