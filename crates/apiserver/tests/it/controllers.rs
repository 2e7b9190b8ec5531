//! Namespaces, owners and dependents: the parts of sections 8.8 and 8.11 that happen in the server's own time.

use berth_apiserver::Storage;
use serde_json::{Value, json};

use crate::Cluster;

const MAPS: &str = "/api/v1/namespaces/t/configmaps";

async fn add(cluster: &Cluster, name: &str, owners: Value) -> String {
    let map = json!({"metadata": {"name": name, "ownerReferences": owners}});
    cluster.post(MAPS, map).await.is(201).body["metadata"]["uid"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn owner(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid, "blockOwnerDeletion": true})
}

#[tokio::test(start_paused = true)]
async fn c155_c158_dependents_go_with_their_last_owner() {
    let cluster = Cluster::with_namespace().await;
    let (one, two) = (
        add(&cluster, "one", json!([])).await,
        add(&cluster, "two", json!([])).await,
    );
    add(&cluster, "of-one", json!([owner("one", &one)])).await;
    add(&cluster, "of-both", json!([owner("one", &one), owner("two", &two)])).await;
    add(&cluster, "of-none", json!([owner("none", "no-such-uid")])).await;
    cluster
        .until(&format!("{MAPS}/of-none"), |answer| answer.code == 404)
        .await;
    cluster.get(&format!("{MAPS}/of-one")).await.is(200);
    cluster
        .delete(&format!("{MAPS}/one"), json!({"propagationPolicy": "Background"}))
        .await
        .is(200);
    cluster
        .until(&format!("{MAPS}/of-one"), |answer| answer.code == 404)
        .await;
    let both = cluster.get(&format!("{MAPS}/of-both")).await.is(200).body;
    assert_eq!(both["metadata"]["ownerReferences"].as_array().unwrap().len(), 1);
    cluster.delete(&format!("{MAPS}/two"), json!({})).await.is(200);
    cluster
        .until(&format!("{MAPS}/of-both"), |answer| answer.code == 404)
        .await;
}

#[tokio::test(start_paused = true)]
async fn c156_in_the_foreground_the_owner_waits() {
    let cluster = Cluster::with_namespace().await;
    let uid = add(&cluster, "owner", json!([])).await;
    let held = json!({"metadata": {"name": "held", "ownerReferences": [owner("owner", &uid)], "finalizers": ["example.test/hold"]}});
    cluster.post(MAPS, held).await.is(201);
    cluster
        .delete(&format!("{MAPS}/owner"), json!({"propagationPolicy": "Foreground"}))
        .await
        .is(200);
    cluster
        .until(&format!("{MAPS}/held"), |answer| {
            answer.body["metadata"]["deletionTimestamp"].is_string()
        })
        .await;
    cluster.get(&format!("{MAPS}/owner")).await.is(200);
    cluster
        .patch(
            "merge-patch+json",
            &format!("{MAPS}/held"),
            json!({"metadata": {"finalizers": null}}),
        )
        .await
        .is(200);
    cluster
        .until(&format!("{MAPS}/owner"), |answer| answer.code == 404)
        .await;
    cluster.get(&format!("{MAPS}/held")).await.is(404);
}

#[tokio::test(start_paused = true)]
async fn c157_orphans_stay() {
    let cluster = Cluster::with_namespace().await;
    let uid = add(&cluster, "owner", json!([])).await;
    add(&cluster, "child", json!([owner("owner", &uid)])).await;
    cluster
        .delete(&format!("{MAPS}/owner"), json!({"propagationPolicy": "Orphan"}))
        .await
        .is(200);
    cluster
        .until(&format!("{MAPS}/owner"), |answer| answer.code == 404)
        .await;
    let child = cluster.get(&format!("{MAPS}/child")).await.is(200).body;
    assert_eq!(child["metadata"].get("ownerReferences"), None);
}

#[tokio::test(start_paused = true)]
async fn c160_c161_c162_namespaces_end() {
    let cluster = Cluster::with_namespace().await;
    let held = json!({"metadata": {"name": "held", "finalizers": ["example.test/hold"]}});
    cluster.post(MAPS, held).await.is(201);
    add(&cluster, "free", json!([])).await;
    let ending = cluster.delete("/api/v1/namespaces/t", json!({})).await.is(200).body;
    assert_eq!(ending["status"]["phase"], "Terminating");
    let refused = cluster.post(MAPS, json!({"metadata": {"name": "late"}})).await;
    let refused = refused.refused(403, "Forbidden", "because it is being terminated");
    assert_eq!(refused.body["details"]["causes"][0]["reason"], "NamespaceTerminating");
    let condition = |namespace: &Value, kind: &str| {
        let conditions = namespace["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        conditions
            .into_iter()
            .find(|condition| condition["type"] == kind)
            .unwrap_or_default()
    };
    let waits = |answer: &crate::Answer| condition(&answer.body, "NamespaceFinalizersRemaining")["status"] == "True";
    let waiting = cluster.until("/api/v1/namespaces/t", waits).await.body;
    assert_eq!(
        condition(&waiting, "NamespaceFinalizersRemaining")["message"],
        "Some content in the namespace has finalizers remaining: example.test/hold in 1 resource instances"
    );
    assert_eq!(
        condition(&waiting, "NamespaceContentRemaining")["message"],
        "Some resources are remaining: configmaps. has 1 resource instances"
    );
    cluster.get(&format!("{MAPS}/free")).await.is(404);
    cluster
        .patch(
            "merge-patch+json",
            &format!("{MAPS}/held"),
            json!({"metadata": {"finalizers": null}}),
        )
        .await
        .is(200);
    cluster.until("/api/v1/namespaces/t", |answer| answer.code == 404).await;
    cluster
        .post("/api/v1/namespaces", json!({"metadata": {"name": "t"}}))
        .await
        .is(201);
    let refused = cluster.delete("/api/v1/namespaces/default", json!({})).await;
    refused.refused(
        403,
        "Forbidden",
        "namespaces \"default\" is forbidden: this namespace may not be deleted",
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_requests_lead_to_the_same_log() {
    let run = async || {
        let cluster = Cluster::with_namespace().await;
        let uid = add(&cluster, "owner", json!([])).await;
        for name in ["a", "b", "c"] {
            add(&cluster, name, json!([owner("owner", &uid)])).await;
        }
        cluster.delete(&format!("{MAPS}/owner"), json!({})).await.is(200);
        cluster.until(&format!("{MAPS}/c"), |answer| answer.code == 404).await;
        cluster.delete("/api/v1/namespaces/t", json!({})).await.is(200);
        cluster.until("/api/v1/namespaces/t", |answer| answer.code == 404).await;
        cluster.storage.fork().open().unwrap()
    };
    assert_eq!(run().await, run().await);
}
