//! The OpenAPI document of the older form, which Go clients read in a binary encoding.

use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use crate::Cluster;

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
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    cluster.post(crds, crate::widgets()).await.is(201);
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
