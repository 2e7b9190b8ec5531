//! Deleting: section 8.8 of the conformance list, as far as a request alone goes.

use http::Method;
use serde_json::{Value, json};

use crate::Cluster;

const MAPS: &str = "/api/v1/namespaces/t/configmaps";

async fn add(cluster: &Cluster, name: &str, metadata: Value) -> Value {
    let mut map = json!({"metadata": metadata});
    map["metadata"]["name"] = name.into();
    cluster.post(MAPS, map).await.is(201).body
}

#[tokio::test(start_paused = true)]
async fn c146_c147_answers() {
    let cluster = Cluster::with_namespace().await;
    let map = add(&cluster, "x", json!({})).await;
    let deleted = cluster.delete(&format!("{MAPS}/x"), json!({})).await.is(200).body;
    assert_eq!(
        (&deleted["kind"], &deleted["status"]),
        (&json!("Status"), &json!("Success"))
    );
    assert_eq!(
        deleted["details"],
        json!({"name": "x", "kind": "configmaps", "uid": map["metadata"]["uid"]})
    );
    cluster.get(&format!("{MAPS}/x")).await.is(404);
    cluster.delete(&format!("{MAPS}/x"), json!({})).await.is(404);
    let accounts = "/api/v1/namespaces/t/serviceaccounts";
    cluster.post(accounts, json!({"metadata": {"name": "x"}})).await.is(201);
    assert_eq!(
        cluster.delete(&format!("{accounts}/x"), json!({})).await.is(200).body["kind"],
        "ServiceAccount"
    );
}

#[tokio::test(start_paused = true)]
async fn c148_c154_finalizers_hold_an_object_back() {
    let cluster = Cluster::with_namespace().await;
    add(&cluster, "x", json!({"finalizers": ["example.test/hold"]})).await;
    let path = format!("{MAPS}/x");
    let now = cluster.get(&path).await.version();
    let mut watch = cluster.watch(&format!("{MAPS}?watch=true&resourceVersion={now}")).await;
    let marked = cluster.delete(&path, json!({})).await.is(200).body;
    assert_eq!(marked["metadata"]["deletionTimestamp"], "2026-01-02T03:04:05Z");
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 0);
    cluster.delete(&path, json!({})).await.is(200);
    let again = cluster.post(MAPS, json!({"metadata": {"name": "x"}})).await;
    again.refused(
        409,
        "AlreadyExists",
        "object is being deleted: configmaps \"x\" already exists",
    );
    cluster
        .patch("merge-patch+json", &path, json!({"metadata": {"finalizers": null}}))
        .await
        .is(200);
    cluster.get(&path).await.is(404);
    assert_eq!(watch.names(2).await, ["MODIFIED x", "DELETED x"]);
}

#[tokio::test(start_paused = true)]
async fn c149_to_c153_options() {
    let cluster = Cluster::with_namespace().await;
    let map = add(&cluster, "x", json!({})).await;
    let path = format!("{MAPS}/x");
    let conditions = |uid: &Value| json!({"preconditions": {"uid": uid}});
    cluster.delete(&path, conditions(&json!("wrong"))).await.refused(
        409,
        "Conflict",
        "the UID in the precondition (wrong)",
    );
    cluster
        .delete(&path, json!({"preconditions": {"resourceVersion": "1"}}))
        .await
        .refused(409, "Conflict", "ResourceVersion");
    cluster.delete(&path, json!({"dryRun": ["All"]})).await.is(200);
    cluster.get(&path).await.is(200);
    cluster
        .delete(&path, json!({"propagationPolicy": "Bogus"}))
        .await
        .refused(422, "Invalid", "propagationPolicy");
    let both = json!({"propagationPolicy": "Orphan", "orphanDependents": true});
    cluster.delete(&path, both).await.refused(422, "Invalid", "");
    cluster.delete(&path, conditions(&map["metadata"]["uid"])).await.is(200);
    add(&cluster, "y", json!({})).await;
    let query = cluster
        .send(
            Method::DELETE,
            &format!("{MAPS}/y?propagationPolicy=Foreground"),
            &[],
            Vec::new(),
        )
        .await
        .is(200);
    assert_eq!(query.body["metadata"]["finalizers"], json!(["foregroundDeletion"]));
}

#[tokio::test(start_paused = true)]
async fn c152_a_selection_is_deleted_and_listed() {
    let cluster = Cluster::with_namespace().await;
    for (name, label) in [("a", "1"), ("b", "2"), ("c", "1")] {
        add(&cluster, name, json!({"labels": {"l": label}})).await;
    }
    let deleted = cluster
        .delete(&format!("{MAPS}?labelSelector=l%3D1"), json!({}))
        .await
        .is(200)
        .body;
    assert_eq!(deleted["items"].as_array().unwrap().len(), 2);
    let left = cluster.get(&format!("{MAPS}?labelSelector=l")).await.body;
    assert_eq!(left["items"][0]["metadata"]["name"], "b");
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn pods_that_run_end_in_their_own_time() {
    let cluster = Cluster::with_namespace().await;
    let path = "/api/v1/namespaces/t/pods";
    let pod = |name: &str, node: Option<&str>| json!({"metadata": {"name": name}, "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i"}]}});
    cluster.post(path, pod("running", Some("n"))).await.is(201);
    cluster.post(path, pod("pending", None)).await.is(201);
    cluster.delete(&format!("{path}/pending"), json!({})).await.is(200);
    cluster.get(&format!("{path}/pending")).await.is(404);
    let ending = cluster.delete(&format!("{path}/running"), json!({})).await.is(200).body;
    assert_eq!(ending["metadata"]["deletionGracePeriodSeconds"], 30);
    assert_eq!(ending["metadata"]["deletionTimestamp"], "2026-01-02T03:04:35Z");
    cluster.get(&format!("{path}/running")).await.is(200);
    cluster
        .delete(&format!("{path}/running"), json!({"gracePeriodSeconds": 0}))
        .await
        .is(200);
    cluster.get(&format!("{path}/running")).await.is(404);
}
