//! What strangers learn, what is too much, and how many may share a connection.

use bytes::Bytes;
use futures::{StreamExt, future::join_all};
use http::{Method, Request};
use http_body_util::{BodyStream, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    Cluster,
    socket::{Served, TOKEN},
};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[tokio::test]
async fn strangers_learn_that_the_server_is_well_and_nothing_else() {
    let served = Served::start().await;
    let ask = async |line: &str, headers: &str| {
        let mut stream = served.connect("http/1.1").await;
        let request = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let headers = head.lines().skip(1).filter(|line| !line.starts_with("date: "));
        (
            head[9..12].to_owned(),
            format!("{}\n{body}", headers.collect::<Vec<_>>().join("\n")),
        )
    };
    for path in ["/healthz", "/livez", "/readyz"] {
        let (code, text) = ask(&format!("GET {path}"), "").await;
        assert!(code == "200" && text.ends_with("\nok"), "{path}: {code} {text}");
    }
    let (_, refusal) = ask("GET /api", "").await;
    assert!(refusal.contains("\"message\":\"Unauthorized\""), "{refusal}");
    for line in [
        "GET /",
        "GET /version",
        "GET /apis",
        "GET /openapi/v2",
        "GET /metrics",
        "GET /readyz?verbose",
        "GET /readyz/etcd",
        "POST /readyz",
        "GET /no/such/path",
        "GET /%zz",
        "GET /api/v1/namespaces/default",
        "GET /api/v1/namespaces/absent",
        "GET /api/v1/nonsense",
        "GET /api/v1/pods?limit=%zz",
        "DELETE /api/v1/namespaces/default",
        "BREW /api/v1/pods",
    ] {
        for headers in ["", "authorization: Bearer wrong\r\n", "authorization: Basic eDp5\r\n"] {
            let answer = ask(line, headers).await;
            assert_eq!(answer, ("401".to_owned(), refusal.clone()), "{line} {headers}");
        }
    }
    let counted = served.server.requests();
    assert!(counted.is_empty(), "strangers take no memory: {counted:?}");
    served.stop().await;
}

#[tokio::test]
async fn c109_a_hundred_watches_share_one_connection() {
    let served = Served::start().await;
    let stream = TokioIo::new(served.connect("h2").await);
    let (client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let send = |method: Method, path: String, body: String| {
        let mut client = client.clone();
        let request = Request::builder()
            .method(method)
            .uri(format!("https://x{path}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .body(Full::<Bytes>::from(body))
            .unwrap();
        async move { client.send_request(request).await.unwrap() }
    };
    let watches = join_all((0..100).map(|_| send(Method::GET, format!("{MAPS}?watch=true"), String::new()))).await;
    let mut watches: Vec<_> = watches
        .into_iter()
        .map(|answer| {
            assert_eq!(answer.status(), 200);
            BodyStream::new(answer.into_body())
        })
        .collect();
    for name in ["a", "b"] {
        let map = json!({"metadata": {"name": name}}).to_string();
        assert_eq!(send(Method::POST, MAPS.to_owned(), map).await.status(), 201);
        for watch in &mut watches {
            let line = watch.next().await.unwrap().unwrap().into_data().unwrap();
            let event: Value = serde_json::from_slice(&line).unwrap();
            assert_eq!(event["object"]["metadata"]["name"], name);
        }
    }
    // The end of the server is an end of each watch, and no failure.
    served.stop().await;
    for watch in &mut watches {
        while let Some(frame) = watch.next().await {
            assert_eq!(frame.unwrap().into_data().unwrap(), Bytes::new());
        }
    }
    drop(client);
    connection.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_refused() {
    let cluster = Cluster::new();
    let send =
        async |kind: &str, body: Vec<u8>| cluster.send(Method::POST, MAPS, &[("content-type", kind)], body).await;
    let body = vec![b' '; (3 << 20) + 1];
    let refused = send("application/json", body).await;
    refused.refused(413, "RequestEntityTooLarge", "limit is 3145728");
    let large = json!({"metadata": {"name": "x"}, "data": {"a": "x".repeat(1 << 19), "b": "x".repeat(1 << 20)}});
    cluster.post(MAPS, large).await.refused(500, "", "request is too large");
    let deep = format!(
        "{{\"metadata\":{{\"name\":\"x\"}},\"data\":{}1{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    send("application/json", deep.clone().into()).await.is(400);
    send("application/yaml", deep.into()).await.is(400);
    let bomb = (1..12).fold("a0: &a0 [x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
        format!(
            "{text}a{level}: &a{level} [{}]\n",
            vec![format!("*a{}", level - 1); 8].join(",")
        )
    });
    send("application/yaml", bomb.into()).await.is(400);
    cluster.get(&format!("{MAPS}/x")).await.is(404);
}

#[tokio::test(start_paused = true)]
async fn a_json_patch_may_not_grow_what_it_patches_without_end() {
    let cluster = Cluster::new();
    cluster
        .post(
            MAPS,
            json!({"metadata": {"name": "x"}, "data": {"k": "v".repeat(1000)}}),
        )
        .await
        .is(201);
    let path = format!("{MAPS}/x");
    let patch = async |operations: Vec<Value>| cluster.patch("json-patch+json", &path, Value::Array(operations)).await;
    let doubling = |name: usize| json!({"op": "copy", "from": "/metadata/annotations", "path": format!("/metadata/annotations/{name}")});
    let mut operations = vec![json!({"op": "add", "path": "/metadata/annotations", "value": {"a": "x".repeat(1000)}})];
    operations.extend((0..40).map(doubling));
    patch(operations).await.refused(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
    );
    let test = json!({"op": "test", "path": "/metadata/name", "value": "x"});
    patch(vec![test.clone(); 10_000]).await.is(200);
    let refused = patch(vec![test; 10_001]).await;
    refused.refused(
        413,
        "RequestEntityTooLarge",
        "The allowed maximum operations in a JSON patch is 10000, got 10001",
    );
    let copied = patch(vec![json!({"op": "copy", "from": "/data/k", "path": "/data/l"})])
        .await
        .is(200);
    assert_eq!(copied.body["data"]["k"], copied.body["data"]["l"]);
}

#[tokio::test]
async fn long_heads_of_requests_are_taken_to_a_point() {
    let served = Served::start().await;
    let ask = async |length: usize| {
        let mut stream = served.connect("http/1.1").await;
        let path = format!("{MAPS}?labelSelector=a%20in%20({}b)", "b,".repeat(length / 2));
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
        // It may be refused before all of it was sent.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer.get(9..12).unwrap_or_default().to_owned()
    };
    assert_eq!(ask(50_000).await, "200");
    assert_ne!(ask(2_000_000).await, "200");
    served.stop().await;
}
