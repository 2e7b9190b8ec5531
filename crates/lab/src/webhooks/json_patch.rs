//! The one thing that the webhooks refuse: JSON patches for virtual machines that are none.

use serde_json::{Map, Value};

const ANNOTATION: &str = "hypershift.openshift.io/kubevirt-vm-jsonpatch";

/// Checks the annotation of a HostedCluster or a NodePool, if it has one.
pub(super) fn check(object: &Value) -> Result<(), String> {
    let Some(text) = object["metadata"]["annotations"][ANNOTATION].as_str() else {
        return Ok(());
    };
    problem_of(text).map_or(Ok(()), |problem| {
        Err(format!(
            "wrong json patch structure in the {ANNOTATION:?} annotation: {problem}"
        ))
    })
}

/// What the operator's parser says is wrong with a patch.
fn problem_of(text: &str) -> Option<String> {
    let operations = match serde_json::from_str(text) {
        Err(_) => return Some("invalid state detected".to_owned()),
        Ok(Value::Null) => return None,
        Ok(Value::Array(operations)) => operations,
        Ok(other) => return Some(mistyped(&other, "Patch")),
    };
    operations.iter().find_map(|operation| match operation {
        Value::Object(operation) => problem_of_operation(operation),
        Value::Null => problem_of_operation(&Map::new()),
        other => Some(mistyped(other, "Operation")),
    })
}

fn problem_of_operation(operation: &Map<String, Value>) -> Option<String> {
    let kind = operation.get("op").and_then(Value::as_str);
    match kind {
        None | Some("unknown") => return Some("missing op field".to_owned()),
        // Moves and copies need none, but are asked for one all the same.
        Some(kind) if kind != "remove" && !operation.contains_key("value") => {
            return Some("operation, missing value field: missing value, <nil>".to_owned());
        }
        Some(_) => {}
    }
    let path = operation.get("path").and_then(Value::as_str);
    path.is_none()
        .then(|| "operation missing path field: missing value".to_owned())
}

fn mistyped(value: &Value, wanted: &str) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("json: cannot unmarshal {kind} into Go value of type jsonpatch.{wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_needs_what_the_operator_asks_for() {
        let cases = [
            (r#"[{"op":"add","path":"/spec/a","value":null}]"#, None),
            (r#"[{"op":"remove","path":"/spec/a"}]"#, None),
            ("[]", None),
            ("null", None),
            ("nonsense", Some("invalid state detected")),
            (
                "{}",
                Some("json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
            ),
            (
                r#"["add"]"#,
                Some("json: cannot unmarshal string into Go value of type jsonpatch.Operation"),
            ),
            (r#"[{"path":"/a","value":1}]"#, Some("missing op field")),
            (
                r#"[{"op":"move","from":"/b","path":"/a"}]"#,
                Some("operation, missing value field: missing value, <nil>"),
            ),
            (
                r#"[{"op":"remove"}]"#,
                Some("operation missing path field: missing value"),
            ),
        ];
        for (text, problem) in cases {
            assert_eq!(problem_of(text).as_deref(), problem, "{text}");
        }
    }
}
