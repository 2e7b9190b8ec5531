//! Watching, beyond what every server promises.

use serde_json::json;

use crate::Cluster;

#[tokio::test(start_paused = true)]
async fn a_bookmark_knows_of_changes_of_other_kinds() {
    let cluster = Cluster::with_namespace().await;
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = cluster.watch(&format!("/api/v1/namespaces/t/secrets?{query}")).await;
    assert_eq!(watch.next().await.unwrap()["type"], "BOOKMARK");
    let map = json!({"metadata": {"name": "elsewhere"}});
    cluster.post("/api/v1/namespaces/t/configmaps", map).await.is(201);
    let idle = watch.next().await.unwrap();
    assert_eq!(
        idle["object"]["metadata"]["resourceVersion"],
        cluster.server.revision().to_string()
    );
}
