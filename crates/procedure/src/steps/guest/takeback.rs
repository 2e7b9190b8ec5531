//! What a command set on a guest of Berth's own, and its document does not say: what of it the document takes back.
//!
//! Server-side apply lets go of what an earlier apply of the same document said, and of nothing else. So the one of two
//! ways to size a pool that a command chose, and a pause, would stay for good beside a document without them.

use berth_api::{resources, views};
use serde_json::{Value, json};

use crate::adopt;
use crate::change::{Change, ObjectRef};

/// The write that takes back what the document does not say, and from `fields`, which is to be applied after it, what that
/// write says already.
pub(super) fn taken_back(object: &ObjectRef, fields: &mut Value, live: &Value) -> Option<Change> {
    let mut patch = json!({ "spec": {} });
    if object.resource == resources::NODE_POOL
        && is_sized_otherwise(fields, live)
        && let Some(sizing) = adopt::sizing(fields, live)
    {
        adopt::without_sizing(fields);
        patch = sizing;
    }
    let is_unsaid = fields["spec"]["pausedUntil"].is_null() && !live["spec"]["pausedUntil"].is_null();
    let paused_by = makers(live, "pausedUntil");
    let is_own = paused_by.contains(&(BERTH, "Update")) && paused_by.iter().all(|(manager, _)| *manager == BERTH);
    if is_unsaid && is_own {
        patch["spec"]["pausedUntil"] = Value::Null;
    }
    let is_empty = patch["spec"].as_object().is_none_or(serde_json::Map::is_empty);
    (!is_empty).then(|| Change::Merge {
        object: object.clone(),
        fields: patch,
    })
}

/// How Berth calls itself when it writes.
const BERTH: &str = "berth";

/// Whether a pool has the way of sizing that its document has not, and applying the document would leave it.
fn is_sized_otherwise(fields: &Value, live: &Value) -> bool {
    let is_left = |field: &str| {
        let is_there = |object: &Value| !object["spec"][field].is_null();
        is_there(live) && !is_there(fields) && makers(live, field) != [(BERTH, "Apply")]
    };
    adopt::SIZING.into_iter().any(is_left)
}

/// Who wrote a field of the spec, and how.
fn makers<'a>(live: &'a Value, field: &str) -> Vec<(&'a str, &'a str)> {
    let path = format!("f:{field}");
    let entries = views::list(live, &["metadata", "managedFields"]).iter();
    let wrote = entries.filter(|entry| entry["fieldsV1"]["f:spec"].get(&path).is_some());
    let text = |value: &'a Value| value.as_str().unwrap_or_default();
    wrote
        .map(|entry| (text(&entry["manager"]), text(&entry["operation"])))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(wanted: &Value, live: &Value, makers: &[(&str, &str, &str)]) -> (Value, Value) {
        let object = ObjectRef::namespaced(resources::NODE_POOL, "hcp", "a");
        let entries: Vec<Value> = makers
            .iter()
            .map(|(manager, operation, field)| {
                json!({ "manager": manager, "operation": operation, "fieldsV1": { "f:spec": { format!("f:{field}"): {} } } })
            })
            .collect();
        let mut fields = json!({ "spec": wanted });
        let live = json!({ "spec": live, "metadata": { "managedFields": entries } });
        let patch = match taken_back(&object, &mut fields, &live) {
            Some(Change::Merge { fields, .. }) => fields["spec"].clone(),
            None => Value::Null,
            other => panic!("{other:?}"),
        };
        (patch, fields["spec"].clone())
    }

    #[test]
    fn bounds_or_a_size_that_a_command_set_make_way_for_the_document_s() {
        let bounds = json!({ "min": 1, "max": 4 });
        assert_eq!(
            taken(
                &json!({ "replicas": 2, "release": 1 }),
                &json!({ "autoScaling": bounds }),
                &[("berth", "Update", "autoScaling")]
            ),
            (json!({ "replicas": 2, "autoScaling": null }), json!({ "release": 1 }))
        );
        assert_eq!(
            taken(
                &json!({ "autoScaling": bounds }),
                &json!({ "replicas": 2 }),
                &[("berth", "Apply", "replicas"), ("berth", "Update", "replicas")]
            ),
            (json!({ "replicas": null, "autoScaling": bounds }), json!({}))
        );
        // The document's own former word goes with its next apply; and a size that differs is no other way to size.
        let plain = json!({ "autoScaling": bounds });
        let applied = taken(&plain, &json!({ "replicas": 2 }), &[("berth", "Apply", "replicas")]);
        assert_eq!(applied, (Value::Null, plain));
        let size = json!({ "replicas": 3 });
        let scaled = taken(&size, &json!({ "replicas": 2 }), &[("berth", "Update", "replicas")]);
        assert_eq!(scaled, (Value::Null, size));
    }

    #[test]
    fn a_pause_goes_where_berth_made_it() {
        let pause =
            |wanted: Value, makers: &[(&str, &str, &str)]| taken(&wanted, &json!({ "pausedUntil": "true" }), makers).0;
        let own = ("berth", "Update", "pausedUntil");
        assert_eq!(pause(json!({}), &[own]), json!({ "pausedUntil": null }));
        assert_eq!(pause(json!({ "pausedUntil": "true" }), &[own]), Value::Null);
        assert_eq!(
            pause(json!({}), &[("kubectl-patch", "Update", "pausedUntil")]),
            Value::Null
        );
        assert_eq!(pause(json!({}), &[]), Value::Null);
    }
}
