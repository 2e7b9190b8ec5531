//! Server-side apply: section 8.7 of the conformance list.

use serde_json::{Value, json};

use crate::{Answer, Cluster};

const PATH: &str = "/api/v1/namespaces/t/configmaps/x";

async fn apply(cluster: &Cluster, manager: &str, data: Value) -> Answer {
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data});
    cluster
        .patch("apply-patch+yaml", &format!("{PATH}?{manager}"), body)
        .await
}

#[tokio::test(start_paused = true)]
async fn c132_c133_applying_twice_is_applying_once() {
    let cluster = Cluster::with_namespace().await;
    let first = apply(&cluster, "fieldManager=m", json!({"a": "1"})).await.is(201);
    let second = apply(&cluster, "fieldManager=m", json!({"a": "1"})).await.is(200);
    assert_eq!(first.version(), second.version());
    let entry = &second.body["metadata"]["managedFields"][0];
    assert_eq!(entry["manager"], "m");
    assert_eq!(entry["operation"], "Apply");
    assert_eq!(entry["fieldsV1"], json!({"f:data": {"f:a": {}}}));
}

#[tokio::test(start_paused = true)]
async fn c134_c143_c144_what_an_apply_must_say() {
    let cluster = Cluster::with_namespace().await;
    apply(&cluster, "", json!({})).await.refused(
        422,
        "Invalid",
        "fieldManager: Required value: is required for apply patch",
    );
    let managed = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "managedFields": []}});
    let managed = cluster
        .patch("apply-patch+yaml", &format!("{PATH}?fieldManager=m"), managed)
        .await;
    managed.refused(400, "BadRequest", "metadata.managedFields must be nil");
    apply(&cluster, "fieldManager=m", json!({})).await.is(201);
    cluster
        .patch("merge-patch+json", &format!("{PATH}?force=true"), json!({}))
        .await
        .refused(422, "Invalid", "force");
}

#[tokio::test(start_paused = true)]
async fn c135_to_c138_owners_and_conflicts() {
    let cluster = Cluster::with_namespace().await;
    apply(&cluster, "fieldManager=one", json!({"a": "1", "b": "1"}))
        .await
        .is(201);
    let conflict = apply(&cluster, "fieldManager=two", json!({"a": "2"})).await;
    let conflict = conflict.refused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"one\"");
    assert_eq!(conflict.body["details"]["causes"][0]["reason"], "FieldManagerConflict");
    assert_eq!(conflict.body["details"]["causes"][0]["field"], ".data.a");
    apply(&cluster, "fieldManager=two&force=true", json!({"a": "2"}))
        .await
        .is(200);
    // The first one drops what it lost, and what it alone had; the other's stays.
    let kept = apply(&cluster, "fieldManager=one", json!({})).await.is(200);
    assert_eq!(kept.body["data"], json!({"a": "2"}));
    apply(&cluster, "fieldManager=three", json!({"a": "2"})).await.is(200);
    assert_eq!(
        apply(&cluster, "fieldManager=two", json!({})).await.is(200).body["data"],
        json!({"a": "2"})
    );
    let empty = apply(&cluster, "fieldManager=three", json!({})).await.is(200);
    assert_eq!(empty.body["data"].get("a"), None);
}

#[tokio::test(start_paused = true)]
async fn c139_an_update_takes_ownership() {
    let cluster = Cluster::with_namespace().await;
    apply(&cluster, "fieldManager=one", json!({"a": "1"})).await.is(201);
    cluster
        .patch(
            "merge-patch+json",
            &format!("{PATH}?fieldManager=hand"),
            json!({"data": {"a": "2"}}),
        )
        .await
        .is(200);
    let conflict = apply(&cluster, "fieldManager=one", json!({"a": "1"})).await;
    conflict.refused(
        409,
        "Conflict",
        "Apply failed with 1 conflict: conflict with \"hand\" using v1",
    );
}

#[tokio::test(start_paused = true)]
async fn c062_the_user_agent_is_the_manager_unless_one_is_named() {
    let cluster = Cluster::with_namespace().await;
    let body = json!({"metadata": {"name": "x"}, "data": {"a": "1"}}).to_string();
    let headers = [("user-agent", "tool/1.2 (linux)"), ("content-type", "application/json")];
    let path = "/api/v1/namespaces/t/configmaps";
    let made = cluster
        .send(http::Method::POST, path, &headers, body.into())
        .await
        .is(201)
        .body;
    assert_eq!(made["metadata"]["managedFields"][0]["manager"], "tool");
    assert_eq!(made["metadata"]["managedFields"][0]["operation"], "Update");
}

#[tokio::test(start_paused = true)]
async fn c141_a_status_is_applied_on_its_own() {
    let cluster = Cluster::with_namespace().await;
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    cluster.post(crds, crate::widgets()).await.is(201);
    let path = "/apis/example.test/v1/namespaces/t/widgets";
    cluster
        .post(path, json!({"metadata": {"name": "w"}, "spec": {"mode": "a"}}))
        .await
        .is(201);
    let status = json!({
        "apiVersion": "example.test/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "status": {"replicas": 3},
    });
    let applied = cluster
        .patch("apply-patch+yaml", &format!("{path}/w/status?fieldManager=m"), status)
        .await
        .is(200)
        .body;
    assert_eq!(
        (&applied["status"]["replicas"], &applied["spec"]["mode"]),
        (&json!(3), &json!("a"))
    );
    let entries = applied["metadata"]["managedFields"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["manager"] == "m").unwrap();
    assert_eq!(entry["subresource"], "status");
    assert_eq!(entry["fieldsV1"], json!({"f:status": {"f:replicas": {}}}));
}

#[tokio::test(start_paused = true)]
async fn each_path_owns_only_what_it_writes() {
    let cluster = Cluster::with_namespace().await;
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    cluster.post(crds, crate::widgets()).await.is(201);
    let path = "/apis/example.test/v1/namespaces/t/widgets/w";
    let everything = json!({
        "apiVersion": "example.test/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "labels": {"a": "b"}},
        "spec": {"mode": "a", "note": null},
        "status": {"replicas": 3},
    });
    let apply = async |path: &str| {
        let path = format!("{path}?fieldManager=m");
        cluster.patch("apply-patch+yaml", &path, everything.clone()).await
    };
    let main = apply(path).await.is(201);
    assert_eq!(main.body.get("status"), None);
    assert_eq!(main.body["spec"], json!({"mode": "a", "replicas": 1}));
    // The null said nothing, so saying it again changes nothing.
    assert_eq!(apply(path).await.is(200).version(), main.version());
    let status = apply(&format!("{path}/status")).await.is(200);
    assert_eq!(
        apply(&format!("{path}/status")).await.is(200).version(),
        status.version()
    );
    let entries = status.body["metadata"]["managedFields"].as_array().unwrap();
    let owned: Vec<&Value> = entries.iter().map(|entry| &entry["fieldsV1"]).collect();
    assert_eq!(
        owned,
        [
            &json!({"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:mode": {}}}),
            &json!({"f:status": {"f:replicas": {}}}),
        ]
    );
}
