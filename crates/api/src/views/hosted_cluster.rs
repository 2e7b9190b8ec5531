//! What Berth reads of a HostedCluster beyond its conditions.

use jiff::Timestamp;
use serde_json::Value;

/// One entry of `status.version.history`, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryEntry<'a> {
    /// `Completed` or `Partial`.
    pub state: &'a str,
    /// The version, as `4.17.0`; empty while unknown.
    pub version: &'a str,
    /// When it was begun.
    pub started: Option<Timestamp>,
    /// When it was complete.
    pub completed: Option<Timestamp>,
}

/// The rollouts of a HostedCluster (or a guest's ClusterVersion), newest first.
pub fn history(object: &Value) -> impl Iterator<Item = HistoryEntry<'_>> {
    // A HostedCluster nests it below `version`, a ClusterVersion does not.
    let nested = super::list(object, &["status", "version", "history"]);
    let entries = if nested.is_empty() {
        super::list(object, &["status", "history"])
    } else {
        nested
    };
    entries.iter().map(|entry| HistoryEntry {
        state: super::text(entry, &["state"]).unwrap_or_default(),
        version: super::text(entry, &["version"]).unwrap_or_default(),
        started: super::text(entry, &["startedTime"]).and_then(|time| time.parse().ok()),
        completed: super::text(entry, &["completionTime"]).and_then(|time| time.parse().ok()),
    })
}

/// The name of the Secret with the guest's kubeconfig, once there is one.
pub fn kubeconfig_secret(object: &Value) -> Option<&str> {
    super::text(object, &["status", "kubeconfig", "name"]).filter(|name| !name.is_empty())
}

/// The name of the Secret with the guest's first password, once there is one.
pub fn kubeadmin_password_secret(object: &Value) -> Option<&str> {
    super::text(object, &["status", "kubeadminPassword", "name"]).filter(|name| !name.is_empty())
}

/// The release image that is wanted.
pub fn release_image(object: &Value) -> Option<&str> {
    super::text(object, &["spec", "release", "image"])
}
