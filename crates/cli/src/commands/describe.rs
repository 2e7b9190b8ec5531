//! `berth describe`: an object field by field, then what happened to it.

use std::fmt::Write as _;

use kube::Client;
use serde_json::{Map, Value};

use crate::args::DescribeArgs;
use crate::discovery::{Discovery, get};
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::printer::Printer;
use crate::secrets;
use crate::table::Table;

/// Prints one object and its events.
pub(crate) async fn run(printer: &Printer, client: &Client, args: DescribeArgs) -> Result<Exit> {
    let DescribeArgs { kind, name, namespace } = args;
    let (kind, name) = match (kind.split_once('/'), name) {
        (Some((kind, name)), None) => (kind.to_owned(), name.to_owned()),
        (None, Some(name)) => (kind, name),
        _ => return Err(Failure::usage("describe takes TYPE NAME, or TYPE/NAME")),
    };
    let discovery = Discovery::ask(client).await?;
    let served = discovery.find(&kind)?[0];
    let namespace = namespace.unwrap_or_else(|| "default".to_owned());
    let path = served.path(Some(&namespace), Some(&name));
    let mut object = get(client, &path, "application/json")
        .await
        .attempted(format!("could not get {} {name}", served.kind))?;
    secrets::hide(&mut object);
    printer.out(&describe(&object));
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
    printer.out(&events(client, namespace, uid).await?);
    Ok(Exit::Done)
}

/// The object's fields under words.
fn describe(object: &Value) -> String {
    let mut text = String::new();
    let metadata = &object["metadata"];
    field(&mut text, "Name", metadata["name"].as_str().unwrap_or_default());
    if let Some(namespace) = metadata["namespace"].as_str() {
        field(&mut text, "Namespace", namespace);
    }
    pairs(&mut text, "Labels", &metadata["labels"]);
    pairs(&mut text, "Annotations", &metadata["annotations"]);
    field(
        &mut text,
        "API Version",
        object["apiVersion"].as_str().unwrap_or_default(),
    );
    field(&mut text, "Kind", object["kind"].as_str().unwrap_or_default());
    for name in ["creationTimestamp", "deletionTimestamp"] {
        if let Some(time) = metadata[name].as_str() {
            field(&mut text, &words(name), time);
        }
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        if matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
            continue;
        }
        match value {
            Value::Object(map) if name == "data" => data(&mut text, map),
            value => nested(&mut text, &words(name), value, 0),
        }
    }
    text
}

/// Of a ConfigMap or Secret: its keys are names, not words.
fn data(text: &mut String, map: &Map<String, Value>) {
    text.push_str("Data:\n");
    for (key, value) in map {
        let value = plain(value);
        if value.contains('\n') {
            let _ = writeln!(text, "  {key}:");
            value.lines().for_each(|line| _ = writeln!(text, "    {line}"));
        } else {
            let _ = writeln!(text, "  {key}:  {value}");
        }
    }
}

fn field(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{:<20}{value}", format!("{name}:"));
}

fn pairs(text: &mut String, name: &str, map: &Value) {
    let mut name = name;
    for (key, value) in map.as_object().into_iter().flatten() {
        let line = format!("{key}={}", value.as_str().unwrap_or_default());
        let _ = writeln!(
            text,
            "{:<20}{line}",
            if name.is_empty() {
                String::new()
            } else {
                format!("{name}:")
            }
        );
        name = "";
    }
    if !name.is_empty() {
        field(text, name, "<none>");
    }
}

fn nested(text: &mut String, name: &str, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) if map.is_empty() => _ = writeln!(text, "{indent}{name}:  <none>"),
        Value::Object(map) => {
            let _ = writeln!(text, "{indent}{name}:");
            for (key, value) in map {
                nested(text, &words(key), value, depth + 1);
            }
        }
        Value::Array(list) => {
            let _ = writeln!(text, "{indent}{name}:{}", if list.is_empty() { "  <none>" } else { "" });
            for item in list {
                match item {
                    Value::Object(map) => {
                        for (key, value) in map {
                            nested(text, &words(key), value, depth + 1);
                        }
                        let _ = writeln!(text);
                    }
                    other => _ = writeln!(text, "{indent}  {}", plain(other)),
                }
            }
            // Between items, not after the last.
            if text.ends_with("\n\n") {
                text.pop();
            }
        }
        other => _ = writeln!(text, "{indent}{name}:  {}", plain(other)),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `creationTimestamp` → `Creation Timestamp`.
fn words(name: &str) -> String {
    let mut text = String::new();
    for (index, letter) in name.chars().enumerate() {
        if index == 0 {
            text.extend(letter.to_uppercase());
        } else {
            if letter.is_uppercase() && !text.ends_with(|last: char| last.is_uppercase()) {
                text.push(' ');
            }
            text.push(letter);
        }
    }
    text
}

async fn events(client: &Client, namespace: &str, uid: &str) -> Result<String> {
    let path = format!("/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.uid%3D{uid}");
    let list = get(client, &path, "application/json")
        .await
        .attempted("could not get the object's events")?;
    let rows: Vec<Vec<String>> = list["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| {
            let source = event["source"]["component"]
                .as_str()
                .or(event["reportingComponent"].as_str());
            let seen = event["lastTimestamp"].as_str().or(event["eventTime"].as_str());
            [
                event["type"].as_str(),
                event["reason"].as_str(),
                seen,
                source,
                event["message"].as_str(),
            ]
            .map(|cell| cell.unwrap_or_default().to_owned())
            .to_vec()
        })
        .collect();
    if rows.is_empty() {
        return Ok("Events:  <none>\n".to_owned());
    }
    let headings = ["TYPE", "REASON", "LAST SEEN", "FROM", "MESSAGE"]
        .map(str::to_owned)
        .to_vec();
    let table = Table { headings, rows }.render();
    Ok(format!(
        "Events:\n{}",
        table
            .lines()
            .fold(String::new(), |text, line| text + "  " + line + "\n")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_of_data_are_left_as_they_are() {
        let object = json!({ "kind": "ConfigMap", "data": { "ca-bundle.crt": "one\ntwo\n", "mtu": "9000" } });
        let text = describe(&object);
        assert!(
            text.ends_with("Data:\n  ca-bundle.crt:\n    one\n    two\n  mtu:  9000\n"),
            "{text}"
        );
    }

    #[test]
    fn an_object_reads_as_words() {
        let object = json!({
            "apiVersion": "hypershift.openshift.io/v1beta1", "kind": "NodePool",
            "metadata": { "name": "workers", "namespace": "hcp", "labels": { "a": "b", "c": "d" } },
            "spec": { "clusterName": "guest", "replicas": 3, "taints": [] },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }, { "type": "AllNodesHealthy", "status": "False" }] },
        });
        insta::assert_snapshot!(describe(&object), @r"
        Name:               workers
        Namespace:          hcp
        Labels:             a=b
                            c=d
        Annotations:        <none>
        API Version:        hypershift.openshift.io/v1beta1
        Kind:               NodePool
        Spec:
          Cluster Name:  guest
          Replicas:  3
          Taints:  <none>
        Status:
          Conditions:
            Status:  True
            Type:  Ready

            Status:  False
            Type:  AllNodesHealthy
        ");
    }
}
