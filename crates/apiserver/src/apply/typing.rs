//! Whether a configuration fits its schema before it is applied. What does not is an error here, even where an object that
//! is sent whole would have it dropped: its manager would come to own what isn't there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{path_element::PathElement, typed};
use crate::{
    object::go,
    schema::{ListType, Node, Type, Unknown},
};

/// Says what fits first: `.spec.foo: field not declared in schema`.
pub(super) fn check(node: &Node, value: &Value) -> Result<(), String> {
    at(node, value, "")
}

fn at(node: &Node, value: &Value, path: &str) -> Result<(), String> {
    let unfit = |expected: &str, found: String| Err(format!("{path}: expected {expected}, got {found}"));
    match (node.kind, value) {
        (_, Value::Null) => Ok(()),
        (Some(Type::Object), Value::Object(fields)) => fields.iter().try_for_each(|(name, value)| {
            let path = format!("{path}.{name}");
            match node.known_field(name) {
                Some(known) => at(known, value, &path),
                None if node.unknown == Unknown::Preserve || node.embedded => Ok(()),
                None => Err(format!("{path}: field not declared in schema")),
            }
        }),
        (Some(Type::Array), Value::Array(items)) => list(node, items, path),
        (Some(Type::Object), other) => unfit("map", format!("&{{{}}}", go(other))),
        (Some(Type::Array), other) => unfit("list", format!("&{{{}}}", go(other))),
        (Some(Type::String), Value::Bool(_) | Value::Number(_)) => {
            unfit("string", format!("&value.valueUnstructured{{Value:{value}}}"))
        }
        (Some(Type::String), other) if !other.is_string() => unfit("string", format!("&{{{}}}", go(other))),
        (Some(Type::Integer | Type::Number), other) if !other.is_number() => {
            unfit("numeric (int or float)", go_type(other).to_owned())
        }
        (Some(Type::Boolean), other) if !other.is_boolean() => {
            unfit("boolean", format!("&value.valueUnstructured{{Value:{other}}}"))
        }
        _ => Ok(()),
    }
}

fn list(node: &Node, items: &[Value], path: &str) -> Result<(), String> {
    let mut seen: BTreeSet<PathElement> = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let element = typed::element(node, index, item);
        let path_of_item = format!("{path}{element}");
        at(node.item(), item, &path_of_item)?;
        if node.list != ListType::Atomic && seen.contains(&element) {
            return Err(format!("{path}: duplicate entries for key {element}"));
        }
        seen.insert(element);
    }
    Ok(())
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
        Value::Null | Value::Number(_) => "number",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::built_in;

    #[track_caller]
    fn check(spec: &Value, error: &str) {
        let kind = built_in("apps", "v1", "Deployment");
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec});
        let found = super::check(kind.schema().root(), &object);
        assert_eq!(found.err().unwrap_or_default(), error);
    }

    #[test]
    fn what_does_not_fit_is_worded_as_upstream_words_it() {
        let containers = |containers: Value| json!({"template": {"spec": {"containers": containers}}});
        check(&json!({"replicas": 1, "paused": null}), "");
        check(&json!({"foo": 1}), ".spec.foo: field not declared in schema");
        check(
            &json!({"replicas": "x"}),
            ".spec.replicas: expected numeric (int or float), got string",
        );
        check(
            &containers(json!({})),
            ".spec.template.spec.containers: expected list, got &{map[]}",
        );
        check(
            &containers(json!([{"name": "c", "bar": 1}])),
            r#".spec.template.spec.containers[name="c"].bar: field not declared in schema"#,
        );
        check(
            &containers(json!([{"name": "c"}, {"name": "c"}])),
            r#".spec.template.spec.containers: duplicate entries for key [name="c"]"#,
        );
        check(
            &json!({"template": {"metadata": {"labels": {"n": 1}}}}),
            ".spec.template.metadata.labels.n: expected string, got &value.valueUnstructured{Value:1}",
        );
        check(
            &json!({"template": {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": 1}}}]}}}),
            "",
        );
    }
}
