//! What `metadata.managedFields` tells of who owns a field.

use serde_json::Value;

use crate::FIELD_MANAGER;

/// The fields that Berth applied, as a tree of `f:`, `k:` and `v:` keys.
pub(super) fn applied(live: &Value) -> Option<&Value> {
    entries(live)
        .find(|entry| {
            entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply" && entry["subresource"].is_null()
        })
        .map(|entry| &entry["fieldsV1"])
}

/// Managers other than Berth that own the field at a path of names.
pub(crate) fn owners(live: &Value, path: &[String]) -> Vec<String> {
    let mut owners: Vec<String> = entries(live)
        .filter(|entry| entry["manager"] != FIELD_MANAGER && owns(&entry["fieldsV1"], path))
        .filter_map(|entry| Some(entry["manager"].as_str()?.to_owned()))
        .collect();
    owners.sort();
    owners.dedup();
    owners
}

/// The item of a list that a `k:` key names.
pub(super) fn item_of<'a>(items: &'a [Value], key: &Value) -> Option<&'a Value> {
    let wanted = key.as_object()?;
    items
        .iter()
        .find(|item| wanted.iter().all(|(name, value)| item.get(name) == Some(value)))
}

/// The key of a `k:` or value of a `v:` entry.
pub(super) fn parsed(entry: &str, prefix: &str) -> Option<Value> {
    serde_json::from_str(entry.strip_prefix(prefix)?).ok()
}

fn entries(live: &Value) -> impl Iterator<Item = &Value> {
    live["metadata"]["managedFields"].as_array().into_iter().flatten()
}

fn owns(fields: &Value, path: &[String]) -> bool {
    path.iter()
        .try_fold(fields, |fields, name| fields.get(format!("f:{name}")))
        .is_some()
}
