//! What can be done with a kind, and how, as OpenAPI describes it.

use serde_json::{Map, Value, json};

use super::kind;
use crate::resource::Resource;

/// The forms of a patch that all kinds take.
const PATCHES: [&str; 3] = [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
];

/// The one that only built-in kinds take.
const STRATEGIC: &str = "application/strategic-merge-patch+json";

/// Parameters that writes have, and their types.
pub(super) const PARAMETERS: [(&str, &str); 4] = [
    ("dryRun", "string"),
    ("fieldManager", "string"),
    ("fieldValidation", "string"),
    ("force", "boolean"),
];

/// The paths of a kind; `schema` is that of its objects.
pub(super) fn of(resource: &Resource, schema: &Value) -> Vec<(String, Value)> {
    let operation = |action: &str| operation(resource, action, &kind(resource), schema);
    let mut collection = Map::new();
    let mut item = Map::new();
    for (verb, method) in [("list", "get"), ("create", "post")] {
        if resource.verbs.contains(&verb) {
            collection.insert(method.to_owned(), operation(verb_name(verb)));
        }
    }
    for (verb, method) in [
        ("get", "get"),
        ("update", "put"),
        ("patch", "patch"),
        ("delete", "delete"),
    ] {
        if resource.verbs.contains(&verb) {
            item.insert(method.to_owned(), operation(verb_name(verb)));
        }
    }
    let path = item_path(resource);
    let mut paths = Vec::new();
    let subresource = |kind: &Value, schema: &Value| {
        let operations = [("get", "get"), ("put", "put"), ("patch", "patch")];
        let operations = operations.map(|(method, action)| {
            let operation = self::operation(resource, action, kind, schema);
            (method.to_owned(), operation)
        });
        Value::Object(operations.into_iter().collect())
    };
    if resource.status {
        paths.push((format!("{path}/status"), subresource(&kind(resource), schema)));
    }
    if resource.scale.is_some() {
        let scale = json!({"group": "autoscaling", "version": "v1", "kind": "Scale"});
        paths.push((format!("{path}/scale"), subresource(&scale, &json!({"type": "object"}))));
    }
    let end = path.len() - "/{name}".len();
    for (path, operations) in [(path[..end].to_owned(), collection), (path.clone(), item)] {
        if !operations.is_empty() {
            paths.push((path, Value::Object(operations)));
        }
    }
    paths
}

/// The path of one object.
pub(super) fn item_path(resource: &Resource) -> String {
    let root = if resource.group().is_empty() {
        "/api".to_owned()
    } else {
        format!("/apis/{}", resource.group())
    };
    let namespace = if resource.namespaced {
        "namespaces/{namespace}/"
    } else {
        ""
    };
    format!("{root}/{}/{namespace}{}/{{name}}", resource.version, resource.plural())
}

/// What upstream calls the action of a verb.
fn verb_name(verb: &str) -> &str {
    match verb {
        "create" => "post",
        "update" => "put",
        verb => verb,
    }
}

fn operation(resource: &Resource, action: &str, kind: &Value, schema: &Value) -> Value {
    let mut operation = json!({
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": kind,
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}},
    });
    let sent = |media: &str| (media.to_owned(), json!({"schema": schema}));
    let content: Map<String, Value> = match action {
        "post" | "put" => ["application/json", "application/yaml"].into_iter().map(sent).collect(),
        "patch" => {
            let strategic = (!resource.is_custom()).then_some(STRATEGIC);
            let patch = |media: &str| (media.to_owned(), json!({"schema": {"type": "object"}}));
            PATCHES.into_iter().chain(strategic).map(patch).collect()
        }
        _ => return operation,
    };
    let parameters = PARAMETERS
        .iter()
        .filter(|(name, _)| *name != "force" || action == "patch");
    operation["parameters"] = parameters
        .map(|(name, kind)| json!({"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": true}}))
        .collect();
    operation["requestBody"] = json!({"content": content, "required": true});
    operation
}
