//! Deleting what takes its time.

use serde_json::json;

use crate::Cluster;

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
