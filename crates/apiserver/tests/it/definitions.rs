//! Custom kinds: section 8.9 of the conformance list.

use serde_json::json;

use crate::{Cluster, widgets};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

async fn with_widgets() -> Cluster {
    let cluster = Cluster::with_namespace().await;
    cluster.post(CRDS, widgets()).await.is(201);
    cluster
}

#[tokio::test(start_paused = true)]
async fn a_definition_is_established_after_it_is_made() {
    let cluster = Cluster::with_namespace().await;
    let now = cluster.get(CRDS).await.version();
    let made = cluster.post(CRDS, widgets()).await.is(201).body;
    assert_eq!(made["status"]["conditions"], json!([]));
    let mut watch = cluster.watch(&format!("{CRDS}?watch=true&resourceVersion={now}")).await;
    assert_eq!(watch.next().await.unwrap()["type"], "ADDED");
    let settled = watch.next().await.unwrap();
    assert_eq!(settled["type"], "MODIFIED");
    let conditions = settled["object"]["status"]["conditions"].as_array().unwrap();
    assert!(
        conditions
            .iter()
            .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
    );
}

#[tokio::test(start_paused = true)]
async fn verbs_of_custom_kinds_are_in_upstreams_order() {
    let cluster = with_widgets().await;
    let list = cluster.get("/apis/example.test/v1").await.is(200).body;
    assert_eq!(
        list["resources"][0]["verbs"],
        json!([
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "create",
            "update",
            "watch",
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn names_that_are_taken_are_not_accepted() {
    let cluster = with_widgets().await;
    let mut crd = widgets();
    crd["metadata"]["name"] = "gadgets.example.test".into();
    crd["spec"]["names"] = json!({"kind": "Gadget", "plural": "gadgets", "shortNames": ["wi"]});
    cluster.post(CRDS, crd).await.is(201);
    let status = cluster.get(&format!("{CRDS}/gadgets.example.test")).await.body["status"].clone();
    assert_eq!(status["conditions"][0]["reason"], "ShortNamesConflict");
    assert_eq!(status["conditions"][1]["reason"], "NotAccepted");
    cluster.get("/apis/example.test/v1/gadgets").await.is(404);
}
