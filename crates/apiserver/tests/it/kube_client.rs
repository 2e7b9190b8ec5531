//! The client that Rust operators use, without a socket between.

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::{
    Api, ResourceExt,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
    core::GroupVersionKind,
    runtime::{WatchStreamExt, watcher},
};
use serde_json::json;

use crate::{Cluster, widgets};

#[tokio::test(start_paused = true)]
async fn watchers_apply_and_dynamic_objects() {
    let cluster = Cluster::with_namespace().await;
    let client = cluster.kube();
    assert_eq!(client.apiserver_version().await.unwrap().minor, "30");
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "t");
    let mut events = Box::pin(watcher(maps.clone(), watcher::Config::default()).applied_objects());
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}});
    maps.patch("x", &PatchParams::apply("test"), &Patch::Apply(&map))
        .await
        .unwrap();
    assert_eq!(events.next().await.unwrap().unwrap().name_any(), "x");
    maps.patch("x", &PatchParams::default(), &Patch::Merge(json!({"data": {"a": "2"}})))
        .await
        .unwrap();
    let changed = events.next().await.unwrap().unwrap();
    assert_eq!(changed.data.unwrap()["a"], "2");
    maps.delete("x", &DeleteParams::default()).await.unwrap();
    assert!(maps.get_opt("x").await.unwrap().is_none());

    cluster
        .post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", widgets())
        .await
        .is(201);
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("example.test", "v1", "Widget"));
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), "t", &kind);
    let widget = DynamicObject::new("w", &kind).data(json!({"spec": {"mode": "a"}}));
    let made = api.create(&PostParams::default(), &widget).await.unwrap();
    assert_eq!(made.data["spec"]["replicas"], 1);
    assert_eq!(api.list(&ListParams::default()).await.unwrap().items.len(), 1);

    let error = Api::<Namespace>::all(client).get("none").await.unwrap_err();
    assert!(matches!(error, kube::Error::Api(status) if status.code == 404 && status.reason == "NotFound"));
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_is_a_list() {
    let cluster = Cluster::with_namespace().await;
    let maps: Api<ConfigMap> = Api::namespaced(cluster.kube(), "t");
    for name in ["a", "b"] {
        cluster
            .post("/api/v1/namespaces/t/configmaps", json!({"metadata": {"name": name}}))
            .await
            .is(201);
    }
    let events = watcher(maps, watcher::Config::default().streaming_lists());
    let first: Vec<_> = events.take(4).try_collect().await.unwrap();
    let names: Vec<String> = first
        .iter()
        .filter_map(|event| match event {
            watcher::Event::InitApply(map) => Some(map.name_any()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert!(matches!(first[3], watcher::Event::InitDone));
}
