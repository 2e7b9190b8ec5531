//! Secret values stay out of what `get` and `describe` print: only `password` and `kubeconfig` exist to show them.

use serde_json::Value;

/// Where `kubectl apply` keeps a copy of the whole object, values included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Puts each value's length in its place, which is no base64: nobody can apply it by mistake. Other kinds are left alone.
pub(crate) fn hide(object: &mut Value) {
    if object["kind"] != "Secret" {
        return;
    }
    for (_, value) in object["data"].as_object_mut().into_iter().flatten() {
        *value = format!("({} bytes, not shown)", length(value)).into();
    }
    if let Some(annotation) = object
        .pointer_mut("/metadata/annotations")
        .and_then(|all| all.get_mut(LAST_APPLIED))
    {
        *annotation = "(not shown)".into();
    }
}

/// How many bytes a base64 text stands for.
fn length(value: &Value) -> usize {
    let text = value.as_str().unwrap_or_default();
    text.trim_end_matches('=').len() * 3 / 4
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_shows_only_how_long_its_values_are() {
        let copy = r#"{"data":{"key":"c2VjcmV0cw=="}}"#;
        let mut secret = json!({
            "kind": "Secret", "metadata": { "annotations": { LAST_APPLIED: copy } }, "data": { "key": "c2VjcmV0cw==" },
        });
        hide(&mut secret);
        assert_eq!(secret["data"]["key"], "(7 bytes, not shown)");
        assert!(!secret.to_string().contains("c2VjcmV0cw"), "{secret}");

        let mut config = json!({ "kind": "ConfigMap", "data": { "key": "value" } });
        hide(&mut config);
        assert_eq!(config["data"]["key"], "value");
    }
}
