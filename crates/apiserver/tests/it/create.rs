//! Creating objects: section 8.3 of the conformance list.

use http::Method;
use serde_json::{Value, json};

use crate::Cluster;

const MAPS: &str = "/api/v1/namespaces/t/configmaps";

#[tokio::test(start_paused = true)]
async fn c047_create_sets_what_the_server_sets() {
    let cluster = Cluster::with_namespace().await;
    let map = cluster
        .post(MAPS, json!({"metadata": {"name": "x"}, "data": {"k": "v"}}))
        .await
        .is(201);
    assert_eq!(map.body["kind"], "ConfigMap");
    assert_eq!(map.body["apiVersion"], "v1");
    let metadata = &map.body["metadata"];
    assert_eq!(metadata["namespace"], "t");
    assert_eq!(metadata["creationTimestamp"], "2026-01-02T03:04:05Z");
    assert_eq!(metadata["uid"].as_str().unwrap().len(), 36);
    assert!(map.version() > 0);
}

#[tokio::test(start_paused = true)]
async fn c048_the_same_name_again_is_refused() {
    let cluster = Cluster::with_namespace().await;
    cluster.post(MAPS, json!({"metadata": {"name": "x"}})).await.is(201);
    let refused = cluster.post(MAPS, json!({"metadata": {"name": "x"}})).await;
    let refused = refused.refused(409, "AlreadyExists", "configmaps \"x\" already exists");
    assert_eq!(refused.body["details"]["kind"], "configmaps");
}

#[tokio::test(start_paused = true)]
async fn c049_names_are_generated() {
    let cluster = Cluster::with_namespace().await;
    let map = cluster
        .post(MAPS, json!({"metadata": {"generateName": "a-"}}))
        .await
        .is(201);
    let suffix = map.body["metadata"]["name"]
        .as_str()
        .unwrap()
        .strip_prefix("a-")
        .unwrap();
    assert_eq!(suffix.len(), 5);
    assert!(
        suffix
            .chars()
            .all(|character| "bcdfghjklmnpqrstvwxz2456789".contains(character))
    );
}

#[tokio::test(start_paused = true)]
async fn c050_to_c056_metadata_is_checked() {
    let cluster = Cluster::with_namespace().await;
    let nameless = cluster.post(MAPS, json!({"metadata": {}})).await;
    let nameless = nameless.refused(
        422,
        "Invalid",
        "metadata.name: Required value: name or generateName is required",
    );
    assert_eq!(nameless.body["details"]["causes"][0]["field"], "metadata.name");
    let bad = cluster
        .post(MAPS, json!({"metadata": {"name": "Bad_Name"}}))
        .await
        .refused(422, "Invalid", "RFC 1123 subdomain");
    assert_eq!(bad.body["details"]["causes"][0]["reason"], "FieldValueInvalid");
    let elsewhere = json!({"metadata": {"name": "x", "namespace": "other"}});
    cluster
        .post(MAPS, elsewhere)
        .await
        .refused(400, "BadRequest", "does not match the namespace sent on the request");
    let nowhere = cluster
        .post("/api/v1/namespaces/no/configmaps", json!({"metadata": {"name": "x"}}))
        .await;
    nowhere.refused(404, "NotFound", "namespaces \"no\" not found");
    let versioned = json!({"metadata": {"name": "x", "resourceVersion": "5"}});
    assert!(cluster.post(MAPS, versioned).await.code >= 400);
    cluster.get(&format!("{MAPS}/x")).await.is(404);
    let forged = json!({"metadata": {"name": "x", "uid": "u", "creationTimestamp": "2000-01-01T00:00:00Z",
        "deletionTimestamp": "2000-01-01T00:00:00Z"}});
    let made = cluster.post(MAPS, forged).await.is(201);
    assert_ne!(made.body["metadata"]["uid"], "u");
    assert_eq!(made.body["metadata"]["creationTimestamp"], "2026-01-02T03:04:05Z");
    assert!(made.body["metadata"].get("deletionTimestamp").is_none());
}

#[tokio::test(start_paused = true)]
async fn c059_to_c064_options_and_bodies_are_checked() {
    let cluster = Cluster::with_namespace().await;
    let twice = br#"{"metadata":{"name":"x"},"data":{"a":"1","a":"2"}}"#.to_vec();
    let json_type = [("content-type", "application/json")];
    let strict = cluster
        .send(
            Method::POST,
            &format!("{MAPS}?fieldValidation=Strict"),
            &json_type,
            twice.clone(),
        )
        .await;
    strict.refused(400, "BadRequest", "duplicate field \"data.a\"");
    let warned = cluster.send(Method::POST, MAPS, &json_type, twice).await.is(201);
    assert_eq!(warned.header("warning"), ["299 - \"duplicate field \\\"data.a\\\"\""]);
    let map = |name: &str| json!({"metadata": {"name": name}});
    cluster
        .post(&format!("{MAPS}?fieldValidation=Foo"), map("y"))
        .await
        .refused(422, "Invalid", "fieldValidation");
    cluster.post(&format!("{MAPS}?dryRun=All"), map("y")).await.is(201);
    cluster.get(&format!("{MAPS}/y")).await.is(404);
    cluster
        .post(&format!("{MAPS}?dryRun=X"), map("y"))
        .await
        .refused(422, "Invalid", "dryRun");
    let mut wrong = map("y");
    wrong["apiVersion"] = "apps/v1".into();
    cluster
        .post(MAPS, wrong)
        .await
        .refused(400, "BadRequest", "does not match the expected API version");
    let mut wrong = map("y");
    wrong["kind"] = "Secret".into();
    cluster
        .post(MAPS, wrong)
        .await
        .refused(400, "BadRequest", "cannot be handled as a ConfigMap");
    cluster
        .send(Method::POST, MAPS, &json_type, b"{".to_vec())
        .await
        .refused(400, "BadRequest", "");
    cluster
        .send(Method::POST, MAPS, &json_type, Vec::new())
        .await
        .refused(400, "BadRequest", "");
    cluster
        .send(Method::POST, MAPS, &[("content-type", "text/plain")], b"{}".to_vec())
        .await
        .refused(415, "UnsupportedMediaType", "");
    let large = format!("{{\"data\":{{\"a\":\"{}\"}}}}", "x".repeat(4 << 20));
    cluster
        .send(Method::POST, MAPS, &[], large.into_bytes())
        .await
        .refused(413, "RequestEntityTooLarge", "3145728");
    let yaml = b"metadata:\n  name: from-yaml\n".to_vec();
    cluster
        .send(Method::POST, MAPS, &[("content-type", "application/yaml")], yaml)
        .await
        .is(201);
    cluster
        .send(Method::POST, MAPS, &[], map("untyped").to_string().into_bytes())
        .await
        .is(201);
}

#[tokio::test(start_paused = true)]
async fn c066_services_get_addresses_and_ports() {
    let cluster = Cluster::with_namespace().await;
    let path = "/api/v1/namespaces/t/services";
    let service =
        |name: &str| json!({"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], "type": "NodePort"}});
    let one = cluster.post(path, service("one")).await.is(201).body;
    let two = cluster.post(path, service("two")).await.is(201).body;
    assert_eq!(one["spec"]["ports"][0]["protocol"], "TCP");
    assert_eq!(one["spec"]["ports"][0]["targetPort"], 80);
    assert_ne!(one["spec"]["clusterIP"], two["spec"]["clusterIP"]);
    assert_ne!(one["spec"]["ports"][0]["nodePort"], two["spec"]["ports"][0]["nodePort"]);
    let headless = json!({"metadata": {"name": "headless"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}});
    let headless = cluster.post(path, headless).await.is(201).body;
    assert_eq!(headless["spec"]["clusterIP"], "None");
    assert_eq!(headless["spec"]["type"], "ClusterIP");
}

#[tokio::test(start_paused = true)]
async fn c067_c069_deployments() {
    let cluster = Cluster::with_namespace().await;
    let path = "/apis/apps/v1/namespaces/t/deployments";
    let mut deployment = json!({
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "other"}}, "spec": {"containers": [{"name": "web", "image": "web"}]}},
        },
        "status": {"replicas": 5},
    });
    cluster
        .post(path, deployment.clone())
        .await
        .refused(422, "Invalid", "`selector` does not match template `labels`");
    deployment["spec"]["template"]["metadata"]["labels"]["app"] = "web".into();
    let made = cluster.post(path, deployment).await.is(201).body;
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(made["status"].get("replicas"), None);
    assert_eq!(made["spec"]["replicas"], 1);
    let mut changed = made;
    changed["spec"]["selector"]["matchLabels"]["app"] = "else".into();
    changed["spec"]["template"]["metadata"]["labels"]["app"] = "else".into();
    cluster
        .put(&format!("{path}/web"), changed)
        .await
        .refused(422, "Invalid", "field is immutable");
}

#[tokio::test(start_paused = true)]
async fn c068_secrets() {
    let cluster = Cluster::with_namespace().await;
    let path = "/api/v1/namespaces/t/secrets";
    let secret = json!({"metadata": {"name": "s"}, "stringData": {"a": "text"}, "immutable": true});
    let made = cluster.post(path, secret).await.is(201).body;
    assert_eq!(made["data"]["a"], "dGV4dA==");
    assert_eq!(made.get("stringData"), None);
    assert_eq!(made["type"], "Opaque");
    let patch = json!({"data": {"a": "eA=="}});
    cluster
        .patch("merge-patch+json", &format!("{path}/s"), patch)
        .await
        .refused(422, "Invalid", "immutable");
}

#[tokio::test(start_paused = true)]
async fn c070_c071_annotations_and_owners() {
    let cluster = Cluster::with_namespace().await;
    let large = json!({"metadata": {"name": "x", "annotations": {"a": "x".repeat(300 << 10)}}});
    cluster
        .post(MAPS, large)
        .await
        .refused(422, "Invalid", "metadata.annotations");
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "o"});
    let ownerless = json!({"metadata": {"name": "x", "ownerReferences": [owner]}});
    cluster
        .post(MAPS, ownerless)
        .await
        .refused(422, "Invalid", "metadata.ownerReferences[0].uid");
    let owner =
        |uid: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": uid, "controller": true});
    let controlled = json!({"metadata": {"name": "x", "ownerReferences": [owner("1"), owner("2")]}});
    cluster
        .post(MAPS, controlled)
        .await
        .refused(422, "Invalid", "Controller");
}

#[tokio::test(start_paused = true)]
async fn c031_c033_protobuf_bodies_of_built_in_kinds() {
    let cluster = Cluster::with_namespace().await;
    let field =
        |number: u8, content: &[u8]| [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat();
    let body = |kind: &str, object: Vec<u8>| {
        let type_meta = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [b"k8s\0".to_vec(), field(1, &type_meta), field(2, &object)].concat()
    };
    let headers = [("content-type", "application/vnd.kubernetes.protobuf")];
    let entry = [field(1, b"k"), field(2, b"v")].concat();
    let map = [field(1, &field(1, b"x")), field(2, &entry)].concat();
    let made = cluster
        .send(Method::POST, MAPS, &headers, body("ConfigMap", map))
        .await
        .is(201)
        .body;
    assert_eq!(made["data"], json!({"k": "v"}));
    let wrong = body("DeleteOptions", field(2, &field(1, b"other-uid")));
    let path = format!("{MAPS}/x");
    cluster
        .send(Method::DELETE, &path, &headers, wrong)
        .await
        .refused(409, "Conflict", "other-uid");
    cluster
        .send(Method::DELETE, &path, &headers, body("DeleteOptions", Vec::new()))
        .await
        .is(200);
    cluster
        .post(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            crate::widgets(),
        )
        .await
        .is(201);
    let widget = cluster.send(
        Method::POST,
        "/apis/example.test/v1/namespaces/t/widgets",
        &headers,
        body("Widget", Vec::new()),
    );
    widget.await.refused(415, "UnsupportedMediaType", "");
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
async fn c057_c058_fields_that_a_built_in_kind_lacks() {
    let cluster = Cluster::with_namespace().await;
    let path = "/apis/apps/v1/namespaces/t/deployments";
    let body = deployment("foo", json!(null));
    let strict = cluster
        .post(&format!("{path}?fieldValidation=Strict"), body.clone())
        .await;
    strict.refused(
        400,
        "BadRequest",
        r#"Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.foo""#,
    );
    let ignored = cluster
        .post(&format!("{path}?fieldValidation=Ignore&dryRun=All"), body.clone())
        .await;
    assert_eq!(ignored.is(201).header("warning"), [""; 0]);
    let warned = cluster.post(path, body).await.is(201);
    assert_eq!(warned.header("warning"), [r#"299 - "unknown field \"spec.foo\"""#]);
    assert_eq!(warned.body["spec"].get("foo"), None);
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
