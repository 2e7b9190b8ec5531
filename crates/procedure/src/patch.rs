//! JSON merge patches: `null` removes a field.

use serde_json::{Map, Value};

/// Merges fields over an object.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Whether a patch would change nothing.
pub(crate) fn is_merged(patch: &Value, live: &Value) -> bool {
    match patch {
        Value::Object(fields) => fields.iter().all(|(name, wanted)| match live.get(name) {
            Some(live) => is_merged(wanted, live),
            None => {
                wanted.is_null()
                    || wanted
                        .as_object()
                        .is_some_and(|wanted| wanted.values().all(Value::is_null))
            }
        }),
        wanted => wanted == live,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_removes_and_what_is_left_out_stays() {
        let mut object = json!({ "a": { "b": 1, "c": 2 }, "d": [1, 2] });
        let patch = json!({ "a": { "b": null, "e": { "f": 3 } }, "d": [4], "g": null });
        assert!(!is_merged(&patch, &object));
        merge(&mut object, &patch);
        assert_eq!(object, json!({ "a": { "c": 2, "e": { "f": 3 } }, "d": [4] }));
        assert!(is_merged(&patch, &object));
    }
}
