//! Listing, where a history of a known length shows.

use serde_json::json;

use crate::Cluster;

const MAPS: &str = "/api/v1/namespaces/t/configmaps";

fn names(list: &serde_json::Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_forgotten_version_is_expired_and_says_how_to_go_on() {
    let cluster = Cluster::with(|options| options.history = 2);
    cluster
        .post("/api/v1/namespaces", json!({"metadata": {"name": "t"}}))
        .await
        .is(201);
    for name in ["a", "b", "c"] {
        cluster.post(MAPS, json!({"metadata": {"name": name}})).await.is(201);
    }
    let first = cluster.get(&format!("{MAPS}?limit=1")).await.is(200);
    for name in ["d", "e", "f"] {
        cluster.post(MAPS, json!({"metadata": {"name": name}})).await.is(201);
    }
    let token = first.body["metadata"]["continue"].as_str().unwrap();
    let expired = cluster.get(&format!("{MAPS}?limit=9&continue={token}")).await;
    let expired = expired.refused(410, "Expired", "continue parameter is too old");
    let token = expired.body["metadata"]["continue"].as_str().unwrap();
    let rest = cluster.get(&format!("{MAPS}?limit=9&continue={token}")).await.is(200);
    assert_eq!(names(&rest.body), ["b", "c", "d", "e", "f"]);
}
