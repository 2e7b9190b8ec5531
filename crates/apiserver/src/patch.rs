//! The three patch types that change what is there: JSON patch, merge patch, strategic merge patch.
//!
//! Server-side apply, the fourth, is in [`crate::apply`].

mod strategic;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::schema::Schema;

/// The most operations that one JSON patch may have.
const MAX_OPERATIONS: usize = 10_000;

/// How deeply a JSON patch may nest: as deeply as JSON may come, so that what is stored can be read.
const DEPTH_LIMIT: usize = 120;

/// How much the copies of one JSON patch may add up to.
const COPY_LIMIT: usize = 3 << 20;

/// Why a patch was not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PatchError {
    /// The document is not a patch: a bad request.
    #[error("{0}")]
    Malformed(String),
    /// The JSON patch has too many operations: too large.
    #[error("The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {0}")]
    TooManyOperations(usize),
    /// The patch doesn't fit the object (a failed test, a missing path): unprocessable.
    #[error("{0}")]
    Unprocessable(String),
}

/// Applies an RFC 6902 patch.
pub(crate) fn json_patch(target: &Value, patch: &Value) -> Result<Value, PatchError> {
    let Some(operations) = patch.as_array().map(Vec::len) else {
        let found = match patch {
            Value::Object(_) => "object",
            Value::String(_) => "string",
            Value::Bool(_) => "bool",
            _ => "number",
        };
        return Err(PatchError::Malformed(format!(
            "error decoding patch: json: cannot unmarshal {found} into Go value of type []handlers.jsonPatchOp"
        )));
    };
    if operations > MAX_OPERATIONS {
        return Err(PatchError::TooManyOperations(operations));
    }
    let patch: json_patch::Patch =
        serde_json::from_value(patch.clone()).map_err(|error| PatchError::Malformed(error.to_string()))?;
    let mut patched = target.clone();
    let mut copied = 0;
    // One operation at a time, so that each copy can be measured. What is patched here is thrown away on an error.
    for operation in &patch.0 {
        if let json_patch::PatchOperation::Copy(copy) = operation {
            copied += patched
                .pointer(copy.from.as_str())
                .map_or(0, |value| value.to_string().len());
            if copied > COPY_LIMIT {
                return Err(PatchError::Unprocessable(format!(
                    "Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the limit \
                     {COPY_LIMIT}"
                )));
            }
        }
        let slice = std::slice::from_ref(operation);
        json_patch::patch_unsafe(&mut patched, slice).map_err(|error| PatchError::Unprocessable(error.to_string()))?;
        if depth_after(&patched, operation) > DEPTH_LIMIT {
            return Err(PatchError::Unprocessable(format!(
                "the result is nested too deeply: the limit is {DEPTH_LIMIT}"
            )));
        }
    }
    Ok(patched)
}

/// How deeply the place that an operation wrote to is nested now, with what is in it.
fn depth_after(patched: &Value, operation: &json_patch::PatchOperation) -> usize {
    use json_patch::PatchOperation::{Remove, Test};
    if matches!(operation, Remove(_) | Test(_)) {
        return 0;
    }
    let path = operation.path();
    // What was appended to a list (`-`) is its last.
    let appended = || path.parent()?.resolve(patched).ok()?.as_array()?.last();
    let written = path.resolve(patched).ok().or_else(appended);
    path.tokens().count() + written.map_or(0, depth)
}

/// How many levels of lists and maps are in a value. It recurses; what is passed here is never much deeper than the limit.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Applies an RFC 7386 patch.
pub(crate) fn merge_patch(target: &Value, patch: &Value) -> Value {
    let mut patched = target.clone();
    json_patch::merge(&mut patched, patch);
    patched
}

/// Applies a strategic merge patch, with the merge keys of `schema`.
pub(crate) fn strategic_merge(schema: &Schema, target: &Value, patch: &Value) -> Result<Value, PatchError> {
    strategic::merge(schema.root(), target, patch)
}
