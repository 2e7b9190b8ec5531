//! How far an upgrade is, as a HostedCluster and its parts tell. Pure.
//!
//! Not here: whether one may begin (`checks::upgrade`), and the writes (`steps`).

use berth_api::{resources, views};
use serde_json::Value;

use crate::facts::Facts;
use crate::read::{as_count, objects, text};
use crate::versions::{Version, release_of};
use crate::walk::{GuestRef, rollout};

/// The newest release that a HostedCluster completed, with its image; `None` before there is one.
pub(crate) fn completed(cluster: &Value) -> Option<(&str, &str)> {
    let history = views::list(cluster, &["status", "version", "history"]);
    let entry = history
        .iter()
        .find(|entry| text(entry, &["state"]) == Some("Completed"))?;
    Some((
        text(entry, &["version"]).unwrap_or_default(),
        text(entry, &["image"]).unwrap_or_default(),
    ))
}

/// Whether an image is newer than what the control plane has completed: a pool may not have it yet.
///
/// Where versions can't be told (an image by digest), an image is taken to be newer that the control plane is just being
/// brought to. Before the first release is complete nothing is: control plane and pools are made together.
pub(crate) fn is_ahead(cluster: &Value, image: &str) -> bool {
    let Some((version, completed)) = completed(cluster) else {
        return false;
    };
    match (release_of(image), version.parse::<Version>()) {
        (Some(wanted), Ok(has)) => wanted > has,
        _ => completed != image && !completed.is_empty(),
    }
}

/// Whether the control plane is being brought to another release.
pub(crate) fn is_under_way(cluster: &Value) -> bool {
    let newest = views::list(cluster, &["status", "version", "history"]).first();
    newest.is_some_and(|entry| text(entry, &["state"]) == Some("Partial")) && completed(cluster).is_some()
}

/// What the guest goes to, in words: a version where one is told, else the image.
pub(crate) fn target(cluster: &Value) -> String {
    let image = text(cluster, &["spec", "release", "image"]).unwrap_or_default();
    release_of(image).map_or_else(|| image.to_owned(), |version| version.to_string())
}

/// How far the control plane and the guest's operators are.
pub(crate) fn progress(facts: &Facts, guest: &GuestRef, cluster: &Value) -> String {
    let from = completed(cluster).map_or("", |(version, _)| version);
    let mut parts = vec![format!("the control plane goes from {from} to {}", target(cluster))];
    let components: Vec<&Value> = objects(facts, &guest.inside(resources::CONTROL_PLANE_COMPONENT)).collect();
    let wanted = target(cluster);
    if !components.is_empty() {
        let done = components.iter().filter(|component| {
            text(component, &["status", "version"]) == Some(&wanted) && views::is_true(component, "RolloutComplete")
        });
        parts.push(format!("{} of {} components are there", done.count(), components.len()));
    }
    let (unavailable, total) = rollout::operators(facts, guest);
    if total > 0 {
        let there = rollout::at_version(facts, guest, &wanted);
        let missing = as_count(unavailable.len());
        parts.push(format!("{there} of {total} cluster operators are at {wanted}"));
        if missing > 0 {
            parts.push(format!("{missing} are not available"));
        }
    }
    parts.join(", ")
}
