//! Getting and listing: section 8.4 of the conformance list, and the forms of answers.

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
async fn c072_to_c075_lists_and_what_is_missing() {
    let cluster = Cluster::with_namespace().await;
    let missing = cluster
        .get(&format!("{MAPS}/x"))
        .await
        .refused(404, "NotFound", "configmaps \"x\" not found");
    assert_eq!(missing.body["details"]["name"], "x");
    let secrets = cluster.get("/api/v1/namespaces/t/secrets").await.is(200);
    assert_eq!(secrets.body["items"], json!([]));
    assert_eq!(secrets.body["kind"], "SecretList");
    assert!(secrets.version() > 0);
    cluster.get("/api/v1/namespaces/nowhere/secrets").await.is(200);
    cluster.post(MAPS, json!({"metadata": {"name": "x"}})).await.is(201);
    assert_eq!(cluster.get(MAPS).await.body["items"][0].get("kind"), None);
}

#[tokio::test(start_paused = true)]
async fn c077_to_c080_pages_show_one_version() {
    let cluster = with_maps(&["a", "b", "c", "d", "e"]).await;
    let first = cluster.get(&format!("{MAPS}?limit=2")).await.is(200);
    assert_eq!(names(&first.body), ["a", "b"]);
    assert_eq!(first.body["metadata"]["remainingItemCount"], 3);
    cluster.post(MAPS, json!({"metadata": {"name": "bb"}})).await.is(201);
    cluster.delete(&format!("{MAPS}/d"), json!({})).await.is(200);
    let token = first.body["metadata"]["continue"].as_str().unwrap().to_owned();
    let second = cluster.get(&format!("{MAPS}?limit=2&continue={token}")).await.is(200);
    assert_eq!(names(&second.body), ["c", "d"]);
    assert_eq!(second.version(), first.version());
    let token = second.body["metadata"]["continue"].as_str().unwrap().to_owned();
    let third = cluster.get(&format!("{MAPS}?limit=2&continue={token}")).await.is(200);
    assert_eq!(names(&third.body), ["e"]);
    assert_eq!(third.body["metadata"].get("continue"), None);
    let selected = cluster.get(&format!("{MAPS}?limit=1&labelSelector=n")).await.is(200);
    assert_eq!(selected.body["metadata"].get("remainingItemCount"), None);
    cluster
        .get(&format!("{MAPS}?continue=garbage!"))
        .await
        .refused(400, "BadRequest", "invalid continue token");
    cluster
        .get(&format!("{MAPS}?continue={token}&resourceVersion=5"))
        .await
        .refused(400, "BadRequest", "not allowed");
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
async fn c081_c082_c088_versions_of_lists() {
    let cluster = with_maps(&["a"]).await;
    let get = async |query: &str| cluster.get(&format!("{MAPS}?{query}")).await;
    get("resourceVersionMatch=Exact")
        .await
        .refused(422, "Invalid", "resourceVersionMatch");
    get("resourceVersionMatch=Exact&resourceVersion=0")
        .await
        .refused(422, "Invalid", "resourceVersionMatch");
    let future = get("resourceVersion=999999999999&resourceVersionMatch=NotOlderThan").await;
    let future = future.refused(504, "Timeout", "Too large resource version");
    assert_eq!(future.body["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
    get("resourceVersion=abc")
        .await
        .refused(400, "BadRequest", "invalid resource version");
    get("sendInitialEvents=true")
        .await
        .refused(422, "Invalid", "sendInitialEvents");
    let before = get("").await.version();
    cluster.delete(&format!("{MAPS}/a"), json!({})).await.is(200);
    let exact = get(&format!("resourceVersion={before}&resourceVersionMatch=Exact"))
        .await
        .is(200);
    assert_eq!(names(&exact.body), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn c083_to_c086_selectors() {
    let cluster = with_maps(&["x", "y", "z"]).await;
    let listed = async |query: &str| {
        let list = cluster.get(&format!("{MAPS}?{query}")).await.is(200).body;
        names(&list).join(" ")
    };
    assert_eq!(listed("labelSelector=n+in+(x,y),!b").await, "x y");
    assert_eq!(listed("labelSelector=n!%3Dx").await, "y z");
    assert_eq!(listed("fieldSelector=metadata.name%3Dx").await, "x");
    cluster
        .get(&format!("{MAPS}?labelSelector=a+in"))
        .await
        .refused(400, "BadRequest", "");
    let unknown = cluster.get(&format!("{MAPS}?fieldSelector=data.k%3Dv")).await;
    unknown.refused(400, "BadRequest", "is not a known field selector");
    cluster
        .get("/api/v1/pods?fieldSelector=spec.nodeName%3D,status.phase!%3DFailed")
        .await
        .is(200);
    cluster.get("/api/v1/pods?fieldSelector=spec.foo%3Da").await.refused(
        400,
        "BadRequest",
        "field label not supported",
    );
}

#[tokio::test(start_paused = true)]
async fn answers_come_in_the_form_that_was_asked_for() {
    let cluster = with_maps(&["x"]).await;
    let yaml = cluster.get_as(&format!("{MAPS}/x"), "application/yaml").await.is(200);
    assert!(yaml.body.as_str().unwrap().contains("name: x\n"), "{}", yaml.body);
    let html = cluster.get_as(MAPS, "text/html").await;
    html.refused(406, "NotAcceptable", "only the following media types are accepted");
    let partial = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    let metadata = cluster.get_as(&format!("{MAPS}/x"), partial).await.is(200).body;
    assert_eq!(metadata["kind"], "PartialObjectMetadata");
    cluster.get_as(MAPS, partial).await.is(406);
    let table = cluster
        .get_as(MAPS, "application/json;as=Table;v=v1;g=meta.k8s.io")
        .await
        .is(200)
        .body;
    assert_eq!(table["kind"], "Table");
    assert_eq!(table["rows"][0]["cells"][0], "x");
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let head = cluster
        .send(http::Method::HEAD, "/api/v1/namespaces/default", &[], Vec::new())
        .await
        .is(200);
    assert_eq!(head.body, "");
}

#[tokio::test(start_paused = true)]
async fn c001_to_c024_paths_that_are_no_resource() {
    let cluster = Cluster::new();
    assert!(
        cluster.get("/version/").await.is(200).body["gitVersion"]
            .as_str()
            .unwrap()
            .starts_with("v1.")
    );
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(cluster.get(path).await.is(200).body, "ok");
        assert!(
            cluster
                .get(&format!("{path}?verbose"))
                .await
                .body
                .as_str()
                .unwrap()
                .ends_with("check passed\n")
        );
    }
    assert_eq!(cluster.get("/api/").await.body["versions"], json!(["v1"]));
    let groups = cluster.get("/apis").await.body;
    let has = |name: &str| {
        groups["groups"]
            .as_array()
            .unwrap()
            .iter()
            .any(|group| group["name"] == name)
    };
    assert!(has("apps") && has("batch") && has("rbac.authorization.k8s.io") && has("apiextensions.k8s.io"));
    let aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    let all = cluster.get_as("/apis", aggregated).await.is(200);
    assert_eq!(all.body["kind"], "APIGroupDiscoveryList");
    assert_eq!(
        all.header("content-type"),
        ["application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"]
    );
    let etag = all.header("etag")[0].to_owned();
    let again = [("accept", aggregated), ("if-none-match", etag.as_str())];
    cluster
        .send(http::Method::GET, "/apis", &again, Vec::new())
        .await
        .is(304);
    let scale = cluster.get("/apis/apps/v1").await.body;
    let scale = scale["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|resource| resource["name"] == "deployments/scale")
        .unwrap();
    assert_eq!(
        (&scale["group"], &scale["kind"]),
        (&json!("autoscaling"), &json!("Scale"))
    );
    cluster.get("/apis/nope/v1").await.is(404);
    cluster
        .get("/api/v1/nopes")
        .await
        .refused(404, "NotFound", "the server could not find the requested resource");
    let index = cluster.get("/openapi/v3").await.is(200).body;
    let url = index["paths"]["api/v1"]["serverRelativeURL"].as_str().unwrap();
    let document = cluster.get(url).await.is(200);
    assert_eq!(document.header("cache-control"), ["public, immutable"]);
    let patch = &document.body["paths"]["/api/v1/namespaces/{name}"]["patch"];
    assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "Namespace");
    assert!(
        patch["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .any(|parameter| parameter["name"] == "fieldValidation")
    );
    cluster.get("/openapi/v3/api/v1?hash=wrong").await.is(301);
    assert!(cluster.get("/").await.is(200).body["paths"].is_array());
}

#[tokio::test(start_paused = true)]
async fn c041_long_answers_are_compressed_for_those_who_take_it() {
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
