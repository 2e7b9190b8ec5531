//! The built-in types beside those of a real server, by the OpenAPI documents of both: fields, types, which of them merge
//! and how. No number of the list; without a real server there is nothing to compare with.

use std::collections::BTreeMap;

use berth_apiserver::Identity;
use serde_json::{Map, Value};

use crate::{real, suite};

#[test]
fn types_are_those_of_a_real_server() {
    let Some(assets) = real::assets() else {
        println!("skipped: types_are_those_of_a_real_server: no KUBEBUILDER_ASSETS");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (mut compared, mut differences) = (0, Vec::new());
    runtime.block_on(async {
        let server = suite::embedded(&mut |_| {});
        let ours = kube::Client::new(server.service(Identity::admin()), "default");
        let real = real::client(&assets).await;
        let index = get(&ours, "/openapi/v3").await;
        for path in index["paths"].as_object().unwrap().keys() {
            let path = format!("/openapi/v3/{path}");
            let (ours, real) = (schemas(get(&ours, &path).await), schemas(get(&real, &path).await));
            for (name, ours) in ours {
                compared += 1;
                match real.get(&name) {
                    Some(real) => compare(&name, &ours, real, &mut differences),
                    None => differences.push(format!("{name}: the real one has no such type")),
                }
            }
        }
    });
    println!("{compared} types compared");
    differences.sort();
    differences.dedup();
    assert!(compared > 400 && differences.is_empty(), "{}", differences.join("\n"));
}

async fn get(client: &kube::Client, path: &str) -> Value {
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    client.request(request).await.unwrap()
}

fn schemas(document: Value) -> BTreeMap<String, Value> {
    let schemas = document["components"]["schemas"].as_object().unwrap();
    schemas
        .iter()
        .map(|(name, schema)| (name.clone(), plain(schema)))
        .collect()
}

/// A schema in one form of those that it is written in: a lone `allOf` is the schema in it, and builds of the real server
/// with another encoder put the keywords into objects by what wrote them.
fn plain(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut plained = Map::new();
            for (name, field) in fields {
                match (name.as_str(), field) {
                    ("ArbitraryKeys" | "SchemaProps" | "SwaggerSchemaProps", Value::Object(_)) => {
                        plained.extend(plain(field).as_object().cloned().unwrap_or_default());
                    }
                    ("allOf", Value::Array(only)) if only.len() == 1 => {
                        plained.extend(plain(&only[0]).as_object().cloned().unwrap_or_default());
                    }
                    // What people read; and defaults, of which ours are more.
                    ("description" | "default", _) => {}
                    _ => drop(plained.insert(name.clone(), plain(field))),
                }
            }
            Value::Object(plained)
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

fn compare(name: &str, ours: &Value, real: &Value, differences: &mut Vec<String>) {
    let fields = |schema: &Value| schema["properties"].as_object().cloned().unwrap_or_default();
    let (our_fields, real_fields) = (fields(ours), fields(real));
    for (field, real) in &real_fields {
        match our_fields.get(field) {
            None => differences.push(format!("{name}.{field} is missing")),
            Some(ours) if said(ours) != said(real) => {
                differences.push(format!("{name}.{field}:\n  ours {}\n  real {}", said(ours), said(real)));
            }
            Some(_) => {}
        }
    }
    for field in our_fields.keys().filter(|field| !real_fields.contains_key(*field)) {
        differences.push(format!("{name}.{field}: the real one has no such field"));
    }
    let sorted = |schema: &Value| {
        let mut required: Vec<String> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .map(Value::to_string)
            .collect();
        required.sort();
        required
    };
    if sorted(ours) != sorted(real) {
        differences.push(format!(
            "{name}: ours requires {:?}, the real one {:?}",
            sorted(ours),
            sorted(real)
        ));
    }
    if ours["x-kubernetes-map-type"] != real["x-kubernetes-map-type"] {
        differences.push(format!("{name}: how it merges"));
    }
}

/// What a field's schema says, but for what is the same as saying nothing.
fn said(schema: &Value) -> Value {
    let mut said = schema.clone();
    if let Some(fields) = said.as_object_mut() {
        fields.retain(|name, value| !(name == "x-kubernetes-map-type" && value == "granular"));
        // Defaults within items, and the order of what is allowed, are no difference.
        if let Some(allowed) = fields.get_mut("enum").and_then(Value::as_array_mut) {
            allowed.sort_by_key(Value::to_string);
        }
    }
    said
}
