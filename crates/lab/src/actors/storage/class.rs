//! Which StorageClass a claim gets.

use std::cmp::Reverse;

use serde_json::Value;

use crate::client::name_of;

const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

/// The class of a claim: the one that it names, or the default where it names none. An empty name means none at all.
pub(super) fn of<'a>(claim: &Value, classes: &'a [Value]) -> Option<&'a Value> {
    match claim["spec"]["storageClassName"].as_str() {
        Some(name) => classes.iter().find(|class| name_of(class) == name),
        None => default(classes),
    }
}

/// The default class: the newest of those that say so, by name where two are as old.
fn default(classes: &[Value]) -> Option<&Value> {
    let defaults = classes
        .iter()
        .filter(|class| class["metadata"]["annotations"][DEFAULT] == "true");
    defaults.min_by_key(|class| (Reverse(class["metadata"]["creationTimestamp"].as_str()), name_of(class)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn class(name: &str, created: &str, default: bool) -> Value {
        let annotations = if default { json!({ DEFAULT: "true" }) } else { json!({}) };
        json!({ "metadata": { "name": name, "creationTimestamp": created, "annotations": annotations } })
    }

    fn check(claim: &Value, classes: &[Value], expected: Option<&str>) {
        assert_eq!(of(&json!({ "spec": claim }), classes).map(name_of), expected);
    }

    #[test]
    fn a_claim_gets_what_it_names_and_else_the_newest_default() {
        let (old, new) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
        let classes = [
            class("b", new, true),
            class("c", old, true),
            class("d", new, false),
            class("a", new, true),
        ];
        check(&json!({}), &classes, Some("a"));
        check(&json!({ "storageClassName": "d" }), &classes, Some("d"));
        check(&json!({ "storageClassName": "gone" }), &classes, None);
        check(&json!({ "storageClassName": "" }), &classes, None);
        check(&json!({}), &classes[2..3], None);
    }
}
