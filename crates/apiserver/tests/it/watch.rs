//! Watching, beyond what every server promises.

use serde_json::{Value, json};

use crate::{Cluster, widgets};

const MAPS: &str = "/api/v1/namespaces/t/configmaps";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

async fn add(cluster: &Cluster, name: &str, labels: Value) {
    cluster
        .post(MAPS, json!({"metadata": {"name": name, "labels": labels}}))
        .await
        .is(201);
}

async fn label(cluster: &Cluster, name: &str, labels: Value) {
    let patch = json!({"metadata": {"labels": labels}});
    cluster
        .patch("merge-patch+json", &format!("{MAPS}/{name}"), patch)
        .await
        .is(200);
}

/// What `/metrics` says of a counter.
async fn counter(cluster: &Cluster, name: &str) -> u64 {
    let metrics = cluster.get("/metrics").await.is(200).body;
    let metrics = metrics.as_str().unwrap().to_owned();
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap().parse().unwrap()
}

const LINES: &str = "apiserver_watch_lines_total";
const ENCODINGS: &str = "apiserver_object_encodings_total";

#[tokio::test(start_paused = true)]
async fn a_thousand_watchers_share_one_encoding_of_each_form() {
    let cluster = Cluster::with_namespace().await;
    add(&cluster, "x", json!({"a": "1"})).await;
    let now = cluster.get(MAPS).await.version();
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let partial = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
    let mut watches = Vec::new();
    for (accept, count) in [("application/json", 1000), (table, 200), (partial, 200)] {
        for number in 0..count {
            // Some look at everything, some select; one event is the same line for all of them.
            let select = ["", "&labelSelector=a", "&fieldSelector=metadata.name%3Dx"][number % 3];
            let path = format!("{MAPS}?watch=true&resourceVersion={now}{select}");
            watches.push(cluster.watch_as(&path, accept).await);
        }
    }
    // The first table has columns, and is no other's.
    label(&cluster, "x", json!({"a": "2"})).await;
    for watch in &mut watches {
        assert_eq!(watch.next().await.unwrap()["type"], "MODIFIED");
    }
    let before = (counter(&cluster, ENCODINGS).await, counter(&cluster, LINES).await);
    label(&cluster, "x", json!({"a": "3"})).await;
    for watch in &mut watches {
        assert_eq!(watch.next().await.unwrap()["type"], "MODIFIED");
    }
    assert_eq!(counter(&cluster, ENCODINGS).await - before.0, 1);
    assert_eq!(counter(&cluster, LINES).await - before.1, 3, "one for each form");
}

#[tokio::test(start_paused = true)]
async fn watchers_that_select_share_what_enters_and_leaves_and_cost_nothing_otherwise() {
    let cluster = Cluster::with_namespace().await;
    let now = cluster.get(MAPS).await.version();
    let path = |selector: &str| format!("{MAPS}?watch=true&resourceVersion={now}&labelSelector={selector}");
    let mut watches = Vec::new();
    for _ in 0..100 {
        watches.push(cluster.watch(&path("on")).await);
    }
    let before = counter(&cluster, LINES).await;
    add(&cluster, "x", json!({})).await;
    assert_eq!(cluster.watch(&path("!on")).await.names(1).await, ["ADDED x"]);
    for watch in &mut watches {
        assert!(watch.is_pending().await);
    }
    assert_eq!(
        counter(&cluster, LINES).await - before,
        1,
        "only for the one that it is for"
    );
    label(&cluster, "x", json!({"on": "1"})).await;
    label(&cluster, "x", json!({"on": null})).await;
    for watch in &mut watches {
        assert_eq!(watch.names(2).await, ["ADDED x", "DELETED x"]);
    }
    assert_eq!(counter(&cluster, LINES).await - before, 3);
}

#[tokio::test(start_paused = true)]
async fn each_served_version_has_one_line_for_all_its_watchers() {
    let cluster = Cluster::with_namespace().await;
    let mut definition = widgets();
    let mut older = definition["spec"]["versions"][0].clone();
    older["name"] = "v1beta1".into();
    older["storage"] = false.into();
    definition["spec"]["versions"].as_array_mut().unwrap().push(older);
    cluster.post(DEFINITIONS, definition).await.is(201);
    let path = |version: &str| format!("/apis/example.test/{version}/namespaces/t/widgets");
    let mut watches = Vec::new();
    // Taking turns, so that no version's line is simply the last one made.
    for _ in 0..50 {
        for version in ["v1", "v1beta1"] {
            let watch = cluster.watch(&format!("{}?watch=true", path(version))).await;
            watches.push((version, watch));
        }
    }
    let before = (counter(&cluster, ENCODINGS).await, counter(&cluster, LINES).await);
    let widget = json!({"apiVersion": "example.test/v1", "kind": "Widget", "metadata": {"name": "x"}});
    cluster.post(&path("v1"), widget).await.is(201);
    for (version, watch) in &mut watches {
        let event = watch.next().await.unwrap();
        assert_eq!(event["object"]["apiVersion"], format!("example.test/{version}"));
    }
    assert_eq!(counter(&cluster, ENCODINGS).await - before.0, 1);
    assert_eq!(counter(&cluster, LINES).await - before.1, 2);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_when_the_schema_of_its_kind_changes() {
    let cluster = Cluster::with_namespace().await;
    cluster.post(DEFINITIONS, widgets()).await.is(201);
    let path = "/apis/example.test/v1/namespaces/t/widgets";
    let mut watch = cluster.watch(&format!("{path}?watch=true")).await;
    let field = json!([{
        "op": "add",
        "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/color",
        "value": {"type": "string"},
    }]);
    cluster
        .patch("json-patch+json", &format!("{DEFINITIONS}/widgets.example.test"), field)
        .await
        .is(200);
    let widget = json!({"apiVersion": "example.test/v1", "kind": "Widget", "metadata": {"name": "x"},
        "spec": {"color": "red"}});
    cluster.post(path, widget).await.is(201);
    // It would show the object without its new field.
    assert_eq!(watch.next().await, None);
    let mut again = cluster.watch(&format!("{path}?watch=true")).await;
    assert_eq!(again.next().await.unwrap()["object"]["spec"]["color"], "red");
}

#[tokio::test(start_paused = true)]
async fn what_was_there_at_first_comes_before_what_happened_since() {
    let cluster = Cluster::with_namespace().await;
    for name in ["a", "b", "c"] {
        add(&cluster, name, json!({})).await;
    }
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = cluster.watch(&format!("{MAPS}?{query}")).await;
    // Nothing has been read yet: the reader is slower than the writers.
    label(&cluster, "b", json!({"n": "1"})).await;
    cluster.delete(&format!("{MAPS}/c"), json!({})).await.is(200);
    assert_eq!(
        watch.names(6).await,
        ["ADDED a", "ADDED b", "ADDED c", "BOOKMARK ", "MODIFIED b", "DELETED c"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_far_behind_gets_every_change_once_and_in_order() {
    let cluster = Cluster::with_namespace().await;
    let now = cluster.get(MAPS).await.version();
    let mut watch = cluster.watch(&format!("{MAPS}?watch=true&resourceVersion={now}")).await;
    for number in 0..200 {
        add(&cluster, &format!("m{number:03}"), json!({})).await;
    }
    let expected: Vec<String> = (0..200).map(|number| format!("ADDED m{number:03}")).collect();
    assert_eq!(watch.names(200).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_bookmark_knows_of_changes_of_other_kinds() {
    let cluster = Cluster::with_namespace().await;
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = cluster.watch(&format!("/api/v1/namespaces/t/secrets?{query}")).await;
    assert_eq!(watch.next().await.unwrap()["type"], "BOOKMARK");
    add(&cluster, "elsewhere", json!({})).await;
    let idle = watch.next().await.unwrap();
    assert_eq!(
        idle["object"]["metadata"]["resourceVersion"],
        cluster.server.revision().to_string()
    );
}
