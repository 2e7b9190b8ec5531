//! Bodies of wrong types: refused or completed, never the end of the server.

use serde_json::{Value, json};

use crate::Cluster;

/// Values of all types.
fn values() -> [Value; 7] {
    [
        json!(null),
        json!(true),
        json!(3),
        json!("x"),
        json!([]),
        json!(["x", {}]),
        json!({"x": 1}),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_field_of_any_type_is_answered() {
    let cluster = Cluster::with_namespace().await;
    let mut index = 0;
    for (path, fields) in [
        ("/api/v1/namespaces", &["spec", "status"][..]),
        ("/api/v1/namespaces/t/configmaps", &["data", "immutable"]),
        ("/api/v1/namespaces/t/secrets", &["data", "stringData", "type"]),
        (
            "/api/v1/namespaces/t/services",
            &["spec", "spec/ports", "spec/clusterIP", "spec/type", "status"],
        ),
        ("/api/v1/namespaces/t/pods", &["spec", "status", "spec/containers"]),
        ("/api/v1/persistentvolumes", &["spec", "status"]),
        ("/api/v1/nodes", &["spec", "status"]),
        (
            "/apis/apps/v1/namespaces/t/deployments",
            &[
                "spec",
                "spec/selector",
                "spec/template",
                "spec/template/metadata",
                "spec/template/spec/containers",
            ],
        ),
        ("/apis/batch/v1/namespaces/t/jobs", &["spec", "spec/template"]),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            &["roleRef", "subjects"],
        ),
        (
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            &["spec", "spec/names", "spec/versions", "spec/conversion", "status"],
        ),
        (
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            &["spec", "spec/resourceAttributes"],
        ),
    ] {
        for field in fields {
            for value in values() {
                index += 1;
                let mut body = json!({"metadata": {"name": format!("x{index}")}});
                *place(&mut body, field) = value;
                let made = cluster.post(path, body.clone()).await;
                assert!(made.code < 500, "{path} {body}: {}", made.body);
                if made.code == 201 && made.body["metadata"]["resourceVersion"].is_string() {
                    let put = cluster.put(&format!("{path}/x{index}"), body.clone()).await;
                    assert!(put.code < 500, "{path} {body}: {}", put.body);
                }
            }
        }
    }
}

/// The field at a path, made on the way.
fn place<'a>(object: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('/').fold(object, |object, field| &mut object[field])
}

/// A Deployment with one field of its spec set so.
fn deployment(field: &str, value: Value) -> Value {
    let pod = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let mut deployment =
        json!({"metadata": {"name": "x"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod}});
    deployment["spec"][field] = value;
    deployment
}

#[tokio::test(start_paused = true)]
async fn a_built_in_kind_refuses_other_types_and_what_must_be_there() {
    let cluster = Cluster::with_namespace().await;
    let path = "/apis/apps/v1/namespaces/t/deployments";
    cluster.post(path, deployment("replicas", json!("1"))).await.refused(
        400,
        "BadRequest",
        r#"Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"#,
    );
    let empty = json!({"metadata": {"labels": {"a": "b"}}, "spec": {}});
    let refused = cluster.post(path, deployment("template", empty)).await;
    refused.refused(422, "Invalid", "spec.template.spec.containers: Required value");
    let made = cluster.post(path, deployment("replicas", json!(2))).await.is(201);
    assert_eq!(made.body["spec"]["replicas"], 2);
    let patched = cluster
        .patch(
            "merge-patch+json",
            &format!("{path}/x"),
            json!({"spec": {"replicas": "many"}}),
        )
        .await;
    patched.refused(422, "Invalid", "patch: Invalid value");
}

#[tokio::test(start_paused = true)]
async fn custom_kinds_are_not_sent_in_protobuf() {
    let cluster = Cluster::with_namespace().await;
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    cluster.post(definitions, crate::widgets()).await.is(201);
    let path = "/apis/example.test/v1/namespaces/t/widgets";
    let headers = [("content-type", "application/vnd.kubernetes.protobuf")];
    let widget = cluster
        .send(http::Method::POST, path, &headers, b"k8s\0\x12\0".to_vec())
        .await;
    widget.refused(415, "UnsupportedMediaType", "");
}
