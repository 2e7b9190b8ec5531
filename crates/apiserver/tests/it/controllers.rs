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
