//! Whether a CRD may have the names that it asks for, and the status that says so.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    definition::{Approval, approval},
    set_condition,
};
use crate::registry::Registry;

/// The status that a CRD should have.
pub(super) fn status(registry: &Registry, crd: &Value, now: &str) -> Value {
    let mut status = crd["status"].clone();
    if !status.is_object() {
        status = json!({});
    }
    match conflict(registry, crd) {
        None => {
            status["acceptedNames"] = crd["spec"]["names"].clone();
            set_condition(
                &mut status,
                "NamesAccepted",
                true,
                "NoConflicts",
                "no conflicts found",
                now,
            );
            let message = "the initial names have been accepted";
            set_condition(&mut status, "Established", true, "InitialNamesAccepted", message, now);
        }
        Some(Conflict { reason, message }) => {
            set_condition(&mut status, "NamesAccepted", false, reason, &message, now);
            // A kind that is served stays so under the names that were accepted.
            if status["acceptedNames"]["plural"]
                .as_str()
                .unwrap_or_default()
                .is_empty()
            {
                status["acceptedNames"] = json!({"kind": "", "plural": ""});
                set_condition(
                    &mut status,
                    "Established",
                    false,
                    "NotAccepted",
                    "not all names are accepted",
                    now,
                );
            }
        }
    }
    status["storedVersions"] = stored_versions(crd).into_iter().collect();
    let policy = "KubernetesAPIApprovalPolicyConformant";
    match approval(crd) {
        Some(Approval::Approved(url)) => {
            let message = format!("approved in {url}");
            set_condition(&mut status, policy, true, "ApprovedAnnotation", &message, now);
        }
        Some(Approval::Bypassed(reason)) => {
            let message = format!("not approved: {reason:?}");
            set_condition(&mut status, policy, false, "UnapprovedAnnotation", &message, now);
        }
        Some(Approval::Missing | Approval::Malformed) | None => {}
    }
    status
}

struct Conflict {
    reason: &'static str,
    message: String,
}

/// The versions that objects may have been stored in: those so far, and the one that new ones are stored in.
fn stored_versions(crd: &Value) -> Vec<String> {
    let listed = crd["status"]["storedVersions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut versions: Vec<String> = listed.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let storage = crd["spec"]["versions"]
        .as_array()
        .and_then(|all| all.iter().find(|version| version["storage"] == true));
    if let Some(storage) = storage.and_then(|version| version["name"].as_str())
        && !versions.iter().any(|version| version == storage)
    {
        versions.push(storage.to_owned());
    }
    versions
}

fn conflict(registry: &Registry, crd: &Value) -> Option<Conflict> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (name, group, names) = (
        text(&crd["metadata"]["name"]),
        text(&crd["spec"]["group"]),
        &crd["spec"]["names"],
    );
    let (mut resources, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for other in registry.others_of_group(&name, &group) {
        resources.extend([other.plural().to_owned(), other.singular.clone()]);
        resources.extend(other.short_names.iter().cloned());
        kinds.extend([other.kind.clone(), other.list_kind.clone()]);
    }
    let checks = [
        ("plural", "PluralConflict", &resources),
        ("singular", "SingularConflict", &resources),
    ];
    let checks = checks.into_iter().chain([
        ("kind", "KindConflict", &kinds),
        ("listKind", "ListKindConflict", &kinds),
    ]);
    for (field, reason, taken) in checks {
        let wanted = text(&names[field]);
        if taken.contains(&wanted) {
            return Some(Conflict {
                reason,
                message: format!("{wanted:?} is already in use"),
            });
        }
    }
    let short_names = names["shortNames"].as_array().map(Vec::as_slice).unwrap_or_default();
    let taken = short_names
        .iter()
        .filter_map(Value::as_str)
        .find(|short_name| resources.contains(*short_name))?;
    Some(Conflict {
        reason: "ShortNamesConflict",
        message: format!("{taken:?} is already in use"),
    })
}
