//! OpenAPI documents: what is in them, when they change, and the older form, which Go clients read in a binary encoding.

use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use crate::Cluster;

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Where the document of a group and version is, by the index.
async fn url(cluster: &Cluster, path: &str) -> String {
    let index = cluster.get("/openapi/v3").await.is(200).body;
    index["paths"][path]["serverRelativeURL"].as_str().unwrap().to_owned()
}

/// Everything that a document refers to.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[track_caller]
fn is_whole(document: &Value) {
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(
            document.pointer(pointer).is_some(),
            "{reference} is not in the document"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_holds_all_that_it_refers_to() {
    let cluster = Cluster::with_namespace().await;
    cluster.post(CRDS, crate::widgets()).await.is(201);
    let index = cluster.get("/openapi/v3").await.is(200).body;
    for entry in index["paths"].as_object().unwrap().values() {
        let document = cluster.get(entry["serverRelativeURL"].as_str().unwrap()).await.is(200);
        is_whole(&document.body);
    }
    is_whole(&cluster.get("/openapi/v2").await.is(200).body);
}

#[tokio::test(start_paused = true)]
async fn built_in_kinds_are_described_by_their_table() {
    let cluster = Cluster::with_namespace().await;
    let document = cluster.get("/openapi/v3/api/v1").await.is(200).body;
    let schemas = &document["components"]["schemas"];
    assert_eq!(
        schemas["io.k8s.api.core.v1.Pod"]["x-kubernetes-group-version-kind"],
        json!([{"group": "", "version": "v1", "kind": "Pod"}])
    );
    let port = &schemas["io.k8s.api.core.v1.ContainerPort"];
    assert_eq!(port["required"], json!(["containerPort"]));
    assert_eq!(port["properties"]["protocol"]["enum"], json!(["SCTP", "TCP", "UDP"]));
    assert_eq!(port["properties"]["protocol"]["default"], "TCP");
    assert_eq!(port["properties"]["containerPort"]["format"], "int32");
    let mut ports = schemas["io.k8s.api.core.v1.Container"]["properties"]["ports"].clone();
    ports.as_object_mut().unwrap().remove("description");
    assert_eq!(
        ports,
        json!({
            "type": "array",
            "items": {"$ref": "#/components/schemas/io.k8s.api.core.v1.ContainerPort"},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
            "x-kubernetes-patch-strategy": "merge",
            "x-kubernetes-patch-merge-key": "containerPort",
        })
    );
    let probe = &schemas["io.k8s.api.core.v1.Container"]["properties"]["livenessProbe"];
    assert_eq!(
        probe["allOf"],
        json!([{"$ref": "#/components/schemas/io.k8s.api.core.v1.Probe"}])
    );
    let patch = &document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"];
    assert!(
        patch["requestBody"]["content"]
            .get("application/strategic-merge-patch+json")
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn a_document_changes_with_its_definition_alone() {
    let cluster = Cluster::with_namespace().await;
    let mut widgets = cluster.post(CRDS, crate::widgets()).await.is(201).body;
    let (core, before) = (
        url(&cluster, "api/v1").await,
        url(&cluster, "apis/example.test/v1").await,
    );
    let spec = &mut widgets["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    spec["properties"]["color"] = json!({"type": "string", "description": "How it looks."});
    widgets["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    let name = widgets["metadata"]["name"].as_str().unwrap();
    let changed = json!({"spec": widgets["spec"]});
    cluster
        .patch("merge-patch+json", &format!("{CRDS}/{name}"), changed)
        .await
        .is(200);
    let after = url(&cluster, "apis/example.test/v1").await;
    assert_ne!(before, after);
    assert_eq!(core, url(&cluster, "api/v1").await);

    let moved = cluster.get(&before).await;
    assert_eq!((moved.code, moved.header("location")), (301, vec![after.as_str()]));
    let answer = cluster.get(&after).await.is(200);
    assert_eq!(answer.header("cache-control"), ["public, immutable"]);
    assert_eq!(answer.header("expires"), ["Sat, 02 Jan 2027 03:04:05 GMT"]);
    let schema = &answer.body["components"]["schemas"]["test.example.v1.Widget"];
    assert_eq!(
        schema["properties"]["spec"]["properties"]["color"]["description"],
        "How it looks."
    );
    let metadata = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
    assert_eq!(schema["properties"]["metadata"]["allOf"], json!([{"$ref": metadata}]));
    let patch = &answer.body["paths"]["/apis/example.test/v1/namespaces/{namespace}/widgets/{name}"]["patch"];
    let content = patch["requestBody"]["content"].as_object().unwrap();
    assert!(!content.contains_key("application/strategic-merge-patch+json") && content.len() == 3);
}

/// The messages of a number in a message, as far as this test needs to read the encoding.
fn fields(mut bytes: &[u8], wanted: u64) -> Vec<&[u8]> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let length = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let (head, tail) = bytes.split_at(length);
        *bytes = tail;
        head.iter()
            .rev()
            .fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        assert_eq!(tag & 7, 2, "nothing but text and messages is in the document");
        let length = usize::try_from(varint(&mut bytes)).unwrap();
        let (head, tail) = bytes.split_at(length);
        bytes = tail;
        if tag >> 3 == wanted {
            found.push(head);
        }
    }
    found
}

/// The way down to the one message of each number.
fn at<'a>(bytes: &'a [u8], path: &[u64]) -> &'a [u8] {
    path.iter().fold(bytes, |bytes, number| fields(bytes, *number)[0])
}

#[tokio::test(start_paused = true)]
async fn go_clients_get_the_older_document_in_their_form() {
    let cluster = Cluster::with_namespace().await;
    cluster.post(CRDS, crate::widgets()).await.is(201);
    let answered_as = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    for accept in [
        "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf, application/json",
    ] {
        let answer = cluster.get_as("/openapi/v2", accept).await.is(200);
        assert_eq!(answer.header("content-type"), [answered_as]);
        assert_eq!(answer.header("etag").len(), 1);
    }
    let json = cluster.get_as("/openapi/v2", "*/*").await.is(200);
    let path = "/apis/example.test/v1/namespaces/{namespace}/widgets/{name}";
    let kind = &json.body["paths"][path]["patch"]["x-kubernetes-group-version-kind"];
    assert_eq!(
        *kind,
        json!({"group": "example.test", "version": "v1", "kind": "Widget"})
    );
    cluster.get_as("/openapi/v2", "text/html").await.is(406);

    let request = http::Request::get("/openapi/v2").header("accept", answered_as);
    let answer = cluster.raw(request.body(Full::default()).unwrap()).await;
    let document = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(at(&document, &[1]), b"2.0");
    let paths: Vec<&[u8]> = fields(at(&document, &[8]), 2);
    let widgets = paths.iter().find(|named| at(named, &[1]) == path.as_bytes()).unwrap();
    let operation = at(widgets, &[2, 8]);
    let parameters: Vec<&[u8]> = fields(operation, 8)
        .into_iter()
        .map(|item| at(item, &[1, 2, 3, 4]))
        .collect();
    assert!(parameters.contains(&&b"fieldValidation"[..]));
    let extension = fields(operation, 13)[0];
    assert_eq!(at(extension, &[1]), b"x-kubernetes-group-version-kind");
    assert_eq!(serde_json::from_slice::<Value>(at(extension, &[2, 2])).unwrap(), *kind);
    let consumes = fields(operation, 7);
    assert!(!consumes.contains(&&b"application/strategic-merge-patch+json"[..]));
}
