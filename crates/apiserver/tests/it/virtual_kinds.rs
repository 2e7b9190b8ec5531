//! Kinds that are computed from what is stored.

use std::sync::Arc;

use berth_apiserver::{Objects, VirtualColumn, VirtualDefinition, VirtualResource};
use serde_json::{Value, json};

use crate::Cluster;

/// One object for each ConfigMap.
struct Echoes;

impl VirtualResource for Echoes {
    fn definition(&self) -> VirtualDefinition {
        VirtualDefinition {
            group: "echo.example.test".to_owned(),
            version: "v1".to_owned(),
            kind: "Echo".to_owned(),
            plural: "echoes".to_owned(),
            short_names: vec!["ec".to_owned()],
            categories: Vec::new(),
            namespaced: true,
            columns: vec![VirtualColumn {
                name: "Of".to_owned(),
                kind: "string".to_owned(),
                json_path: ".status.of".to_owned(),
                priority: 0,
            }],
        }
    }

    fn list(&self, objects: &Objects<'_>, namespace: Option<&str>) -> Vec<Value> {
        let maps = objects.list("", "configmaps", namespace);
        let echo = |map: Value| {
            let metadata = json!({"name": map["metadata"]["name"], "namespace": map["metadata"]["namespace"]});
            json!({"metadata": metadata, "status": {"of": map["metadata"]["uid"]}})
        };
        maps.into_iter().map(echo).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_virtual_kind_is_read_like_any_other_and_never_written() {
    let cluster = Cluster::with(|options| options.virtual_resources.push(Arc::new(Echoes)));
    let map = cluster
        .post(
            "/api/v1/namespaces/default/configmaps",
            json!({"metadata": {"name": "x"}}),
        )
        .await
        .is(201)
        .body;
    let path = "/apis/echo.example.test/v1/namespaces/default/echoes";
    let list = cluster.get(path).await.is(200).body;
    assert_eq!(list["kind"], "EchoList");
    let echo = cluster.get(&format!("{path}/x")).await.is(200).body;
    assert_eq!(
        (&echo["kind"], &echo["status"]["of"]),
        (&json!("Echo"), &map["metadata"]["uid"])
    );
    cluster
        .get(&format!("{path}/y"))
        .await
        .refused(404, "NotFound", "echoes.echo.example.test \"y\" not found");
    let table = cluster
        .get_as(path, "application/json;as=Table;v=v1;g=meta.k8s.io")
        .await
        .is(200)
        .body;
    assert_eq!(table["rows"][0]["cells"], json!(["x", map["metadata"]["uid"]]));
    cluster.post(path, json!({"metadata": {"name": "z"}})).await.refused(
        405,
        "MethodNotAllowed",
        "create is not supported",
    );
    let resources = cluster.get("/apis/echo.example.test/v1").await.is(200).body;
    assert_eq!(resources["resources"][0]["verbs"], json!(["get", "list"]));
}
