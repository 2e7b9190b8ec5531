//! Writes that change nothing.

use serde_json::{Value, json};

use crate::{Cluster, widgets};

const MAPS: &str = "/api/v1/namespaces/t/configmaps";
const WIDGETS: &str = "/apis/example.test/v1/namespaces/t/widgets";

async fn with_map() -> (Cluster, Value) {
    let cluster = Cluster::with_namespace().await;
    let map = cluster
        .post(MAPS, json!({"metadata": {"name": "x"}, "data": {"k": "v"}}))
        .await
        .is(201)
        .body;
    (cluster, map)
}

async fn with_widget() -> (Cluster, Value) {
    let cluster = Cluster::with_namespace().await;
    cluster
        .post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", widgets())
        .await
        .is(201);
    let widget = cluster
        .post(WIDGETS, json!({"metadata": {"name": "w"}, "spec": {"mode": "a"}}))
        .await
        .is(201)
        .body;
    (cluster, widget)
}

#[tokio::test(start_paused = true)]
async fn a_write_that_changes_nothing_keeps_the_version() {
    let (cluster, widget) = with_widget().await;
    let path = format!("{WIDGETS}/w");
    let status = json!({"status": {"replicas": 2}});
    let status = cluster
        .patch("merge-patch+json", &format!("{path}/status"), status)
        .await
        .is(200);
    let (version, revision) = (status.version(), cluster.server.revision());
    let live = status.body.clone();
    let answers = [
        cluster.put(&path, live.clone()).await,
        cluster.put(&format!("{path}/status"), live.clone()).await,
        cluster.patch("merge-patch+json", &path, json!({})).await,
        cluster
            .patch(
                "merge-patch+json",
                &path,
                json!({"spec": widget["spec"], "status": {"replicas": 9}}),
            )
            .await,
        cluster
            .patch(
                "merge-patch+json",
                &format!("{path}/status"),
                json!({"status": {"replicas": 2}}),
            )
            .await,
        cluster
            .patch(
                "json-patch+json",
                &path,
                json!([{"op": "replace", "path": "/spec/mode", "value": "a"}]),
            )
            .await,
    ];
    for answer in answers {
        let answer = answer.is(200);
        assert_eq!(answer.version(), version);
        assert_eq!(answer.body, live);
    }
    assert_eq!(cluster.server.revision(), revision, "nothing was written");
    let (cluster, map) = with_map().await;
    let path = format!("{MAPS}/x");
    let mut same = map.clone();
    // What a client that knows nothing of versions and owners sends.
    same["metadata"] = json!({"name": "x", "labels": map["metadata"]["labels"]});
    for answer in [
        cluster.put(&path, map.clone()).await,
        cluster.put(&path, same).await,
        cluster
            .patch("strategic-merge-patch+json", &path, json!({"data": map["data"]}))
            .await,
    ] {
        assert_eq!(answer.is(200).body, map);
    }
}
