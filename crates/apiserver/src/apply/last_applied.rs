//! The two ways of `kubectl apply` side by side.
//!
//! Client-side apply keeps what it applied in an annotation. When the same person goes on with server-side apply, fields
//! that still are as the annotation says are theirs, and the annotation is kept up to date for the way back.

use serde_json::Value;

use super::{field_set::FieldSet, take_managed_fields, typed};
use crate::schema::Schema;

/// The field manager of `kubectl apply --server-side`.
pub(super) const MANAGER: &str = "kubectl";

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The most bytes that all annotations of an object may have.
const MAX_ANNOTATION: usize = 256 * 1024;

/// The fields that are as the annotation says.
pub(super) fn unchanged_fields(schema: &Schema, live: &Value) -> Option<FieldSet> {
    let annotation = live.get("metadata")?.get("annotations")?.get(ANNOTATION)?.as_str()?;
    let last_applied: Value = serde_json::from_str(annotation).ok()?;
    let mut live = live.clone();
    take_managed_fields(&mut live);
    let root = schema.root();
    let comparison = typed::compare(root, &last_applied, &live);
    let changed = comparison.modified.union(&comparison.added).union(&comparison.removed);
    Some(typed::to_set(root, &last_applied).difference(&changed))
}

/// Brings the annotation up to date, if there is one.
pub(super) fn refresh(mut merged: Value, applied: &Value) -> Value {
    let annotations = merged
        .get_mut("metadata")
        .and_then(|metadata| metadata.get_mut("annotations"));
    if let Some(annotation) = annotations.and_then(|annotations| annotations.get_mut(ANNOTATION)) {
        let text = annotation_for(applied);
        // One that would be too large is emptied rather than left to tell an old tale.
        *annotation = if text.len() > MAX_ANNOTATION {
            String::new()
        } else {
            text
        }
        .into();
    }
    merged
}

fn annotation_for(applied: &Value) -> String {
    let mut applied = applied.clone();
    if let Some(metadata) = applied.get_mut("metadata").and_then(Value::as_object_mut)
        && let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut)
    {
        annotations.remove(ANNOTATION);
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    format!("{applied}\n")
}
