//! Listing, beyond what every server promises.

use serde_json::json;

use crate::Cluster;

const MAPS: &str = "/api/v1/namespaces/t/configmaps";

async fn with_maps(names: &[&str]) -> Cluster {
    let cluster = Cluster::with_namespace().await;
    for name in names {
        let map = json!({"metadata": {"name": name, "labels": {"n": name}}});
        cluster.post(MAPS, map).await.is(201);
    }
    cluster
}

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

#[tokio::test(start_paused = true)]
async fn long_answers_are_compressed_for_those_who_take_it() {
    let cluster = with_maps(&["a"]).await;
    for name in ["b", "c", "d"] {
        let map = json!({"metadata": {"name": name}, "data": {"text": "long ".repeat(20 << 10)}});
        cluster.post(MAPS, map).await.is(201);
    }
    let plain = cluster.get(MAPS).await.is(200);
    let get = async |path: &str, offered: &str| {
        let headers = [("accept-encoding", offered)];
        cluster
            .send(http::Method::GET, path, &headers, Vec::new())
            .await
            .is(200)
    };
    for offered in ["gzip", "deflate, gzip;q=0.5", "br,gzip"] {
        let request = http::Request::get(MAPS).header("accept-encoding", offered);
        let response = cluster
            .raw(request.body(http_body_util::Full::default()).unwrap())
            .await;
        assert_eq!(response.headers()["content-encoding"], "gzip");
        assert_eq!(response.headers()["vary"], "Accept-Encoding");
        let body = http_body_util::BodyExt::collect(response.into_body())
            .await
            .unwrap()
            .to_bytes();
        assert!(body.len() < 20 << 10);
        let list: serde_json::Value = serde_json::from_reader(flate2::read::GzDecoder::new(&*body)).unwrap();
        assert_eq!(list, plain.body);
    }
    for (path, offered) in [
        (MAPS, "gzip;q=0"),
        (MAPS, "identity"),
        ("/api/v1/namespaces/t/configmaps/a", "gzip"),
        ("/api/v1/namespaces/t/configmaps?limit=1", "gzip"),
    ] {
        assert!(
            get(path, offered).await.header("content-encoding").is_empty(),
            "{path} {offered}"
        );
    }
    let now = plain.version();
    let path = format!("{MAPS}?watch=true&resourceVersion={now}&timeoutSeconds=1");
    assert!(get(&path, "gzip").await.header("content-encoding").is_empty());
}

#[tokio::test(start_paused = true)]
async fn fields_of_a_kind_are_selected_by_whatever_version_asks() {
    let cluster = Cluster::with_namespace().await;
    let mut definition = crate::widgets();
    let versions = definition["spec"]["versions"].as_array_mut().unwrap();
    let mut older = versions[0].clone();
    older["name"] = "v1beta1".into();
    older["storage"] = false.into();
    versions[0]["selectableFields"] = json!([{"jsonPath": ".spec.mode"}]);
    older["selectableFields"] = json!([{"jsonPath": ".spec.note"}]);
    versions.push(older);
    cluster
        .post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        .await
        .is(201);
    let path = |version: &str| format!("/apis/example.test/{version}/namespaces/t/widgets");
    for (name, mode, note) in [("x", "a", "one"), ("y", "b", "two")] {
        let widget = json!({"apiVersion": "example.test/v1", "kind": "Widget", "metadata": {"name": name},
            "spec": {"mode": mode, "note": note}});
        cluster.post(&path("v1"), widget).await.is(201);
    }
    for (version, selector, found) in [
        ("v1", "spec.mode%3Da", "x"),
        ("v1beta1", "spec.note%3Dtwo", "y"),
        ("v1", "spec.mode!%3Da", "y"),
    ] {
        let list = cluster
            .get(&format!("{}?fieldSelector={selector}", path(version)))
            .await
            .is(200);
        assert_eq!(names(&list.body), [found], "{version} {selector}");
    }
}
