//! Versions of a kind that have another form, converted in process.

use std::sync::Arc;

use berth_apiserver::{Converter, MemoryStorage};
use serde_json::{Value, json};

use crate::{Cluster, widgets::version};

const GROUP: &str = "convert.example.test";

/// `v1` writes seconds as a number, `v2` as a text with a unit.
struct Seconds;

impl Converter for Seconds {
    fn converts(&self, group: &str, plural: &str) -> bool {
        (group, plural) == (GROUP, "widgets")
    }

    fn convert(&self, _: &str, _: &str, mut object: Value, from: &str, to: &str) -> Value {
        let spec = object["spec"].as_object_mut().unwrap();
        match (from, to) {
            ("v1", "v2") => {
                if let Some(wait) = spec.remove("seconds") {
                    spec.insert("wait".to_owned(), format!("{wait}s").into());
                }
            }
            ("v2", "v1") => {
                if let Some(wait) = spec.remove("wait") {
                    let number: u64 = wait.as_str().unwrap().trim_end_matches('s').parse().unwrap();
                    spec.insert("seconds".to_owned(), number.into());
                }
            }
            _ => panic!("from {from} to {to}"),
        }
        object
    }
}

/// Two versions, of which `v1` is stored.
fn definition(strategy: &str) -> Value {
    let mut versions = [version("v1"), version("v2")];
    for (version, (field, kind)) in versions.iter_mut().zip([("seconds", "integer"), ("wait", "string")]) {
        version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][field] = json!({"type": kind});
    }
    let webhook = json!({
        "clientConfig": {"service": {"namespace": "default", "name": "nobody"}},
        "conversionReviewVersions": ["v1"],
    });
    let mut conversion = json!({"strategy": strategy});
    if strategy == "Webhook" {
        conversion["webhook"] = webhook;
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{GROUP}")},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": versions,
            "conversion": conversion,
        },
    })
}

fn path(version: &str, name: &str) -> String {
    format!("/apis/{GROUP}/{version}/namespaces/default/widgets{name}")
}

async fn cluster(storage: MemoryStorage, strategy: &str) -> Cluster {
    let cluster = Cluster::on(storage, |options| options.converter = Some(Arc::new(Seconds)));
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    cluster.post(definitions, definition(strategy)).await;
    cluster
}

#[tokio::test(start_paused = true)]
async fn each_version_shows_its_own_form_whatever_was_written() {
    let storage = MemoryStorage::new();
    let cluster = cluster(storage.clone(), "Webhook").await;
    let made = json!({"metadata": {"name": "w"}, "spec": {"wait": "90s", "mode": "a"}});
    let made = cluster.post(&path("v2", ""), made).await.is(201).body;
    assert_eq!(made["spec"], json!({"wait": "90s", "mode": "a", "replicas": 1}));
    let old = cluster.get(&path("v1", "/w")).await.is(200).body;
    assert_eq!(old["apiVersion"], format!("{GROUP}/v1"));
    assert_eq!(old["spec"], json!({"seconds": 90, "mode": "a", "replicas": 1}));
    cluster
        .patch("merge-patch+json", &path("v1", "/w"), json!({"spec": {"seconds": 30}}))
        .await
        .is(200);
    let list = cluster.get(&path("v2", "")).await.is(200).body;
    assert_eq!(list["items"][0]["spec"]["wait"], "30s");
    assert_eq!(list["items"][0]["metadata"]["generation"], 2);

    // What is kept is read by the next server all the same.
    drop(cluster);
    let again = Cluster::on(storage, |options| options.converter = Some(Arc::new(Seconds)));
    assert_eq!(again.get(&path("v2", "/w")).await.body["spec"]["wait"], "30s");
    let deleted = again.delete(&path("v2", "/w"), json!({})).await.is(200);
    assert_eq!(deleted.body["status"], "Success");
    again.get(&path("v1", "/w")).await.is(404);
}

#[tokio::test(start_paused = true)]
async fn what_is_the_same_once_stored_is_no_change() {
    let cluster = cluster(MemoryStorage::new(), "Webhook").await;
    let made = json!({"metadata": {"name": "w"}, "spec": {"wait": "30s"}});
    let made = cluster.post(&path("v2", ""), made).await.is(201).body;
    let same = cluster
        .patch("merge-patch+json", &path("v2", "/w"), json!({"spec": {"wait": "030s"}}))
        .await
        .is(200)
        .body;
    assert_eq!(same["spec"]["wait"], "30s");
    assert_eq!(same["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"]);
    assert_eq!(same["metadata"]["generation"], 1);
}

#[tokio::test(start_paused = true)]
async fn watches_of_a_version_get_its_form_even_of_what_is_gone() {
    let cluster = cluster(MemoryStorage::new(), "Webhook").await;
    let since = cluster.get(&path("v2", "")).await.body["metadata"]["resourceVersion"].clone();
    let made = json!({"metadata": {"name": "w"}, "spec": {"seconds": 5}});
    cluster.post(&path("v1", ""), made).await.is(201);
    cluster.delete(&path("v1", "/w"), json!({})).await.is(200);
    let query = format!("?watch=true&resourceVersion={}", since.as_str().unwrap());
    let mut watch = cluster.watch(&(path("v2", "") + &query)).await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let event = watch.next().await.unwrap();
        seen.push((event["type"].clone(), event["object"]["spec"]["wait"].clone()));
    }
    assert_eq!(seen, [(json!("ADDED"), json!("5s")), (json!("DELETED"), json!("5s"))]);
}

#[tokio::test(start_paused = true)]
async fn without_the_strategy_nothing_is_converted() {
    let cluster = cluster(MemoryStorage::new(), "None").await;
    let made = json!({"metadata": {"name": "w"}, "spec": {"wait": "30s"}});
    cluster.post(&path("v2", ""), made).await.is(201);
    let old = cluster.get(&path("v1", "/w")).await.is(200).body;
    assert_eq!(old["spec"], json!({"replicas": 1}));
}
