//! Server-side apply, where a server may do as it likes.

use serde_json::json;

use crate::Cluster;

#[tokio::test(start_paused = true)]
async fn a_null_that_says_nothing_is_owned_by_nobody() {
    let cluster = Cluster::with_namespace().await;
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    cluster.post(crds, crate::widgets()).await.is(201);
    let widget = json!({
        "apiVersion": "example.test/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {"mode": "a", "note": null},
    });
    let path = "/apis/example.test/v1/namespaces/t/widgets/w?fieldManager=m";
    let apply = async || cluster.patch("apply-patch+yaml", path, widget.clone()).await;
    let first = apply().await.is(201).body;
    assert_eq!(first["spec"], json!({"mode": "a", "replicas": 1}));
    let fields = &first["metadata"]["managedFields"][0]["fieldsV1"];
    assert_eq!(fields, &json!({"f:spec": {"f:mode": {}}}));
    assert_eq!(apply().await.is(200).body, first);
}
