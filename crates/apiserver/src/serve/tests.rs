//! Connections in memory, with the clock paused: what a client may hold, and for how long.

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    task::JoinHandle,
    time::Instant,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::ServiceExt;

use super::*;
use crate::{CertificateAuthority, Identity, Options};

const TOKEN: &str = "good";

struct World {
    server: ApiServer,
    authority: CertificateAuthority,
    graceful: GracefulShutdown,
    end: CancellationToken,
}

impl World {
    fn new() -> Self {
        let mut options = Options::in_memory();
        options.tokens.insert(TOKEN.to_owned(), Identity::admin());
        Self {
            server: ApiServer::open(options).unwrap(),
            authority: CertificateAuthority::new("test CA", Arc::new(jiff::Timestamp::now)).unwrap(),
            graceful: GracefulShutdown::new(),
            end: CancellationToken::new(),
        }
    }

    /// A connection; its server's side ends with the task.
    fn connect(&self) -> (DuplexStream, JoinHandle<()>) {
        let (client, stream) = tokio::io::duplex(16 << 10);
        let serving = self.authority.issue_server(["localhost"]).unwrap();
        let acceptor = TlsAcceptor::from(Tls::new(&serving, None).unwrap().config());
        let watcher = self.graceful.watcher();
        let (server, end) = (self.server.clone(), self.end.clone());
        (client, tokio::spawn(connection(server, acceptor, stream, watcher, end)))
    }

    /// A connection after the handshake, over HTTP/1.1.
    async fn secure(&self) -> (TlsStream<DuplexStream>, JoinHandle<()>) {
        let (client, task) = self.connect();
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.authority.certificate().as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), client);
        (stream.await.unwrap(), task)
    }

    /// Makes a ConfigMap of some size, in process.
    async fn create(&self, name: &str, size: usize) {
        let map = json!({"metadata": {"name": name}, "data": {"filler": "x".repeat(size)}});
        let request = http::Request::post("/api/v1/namespaces/default/configmaps")
            .header("content-type", "application/json")
            .body(http_body_util::Full::<bytes::Bytes>::from(map.to_string()))
            .unwrap();
        let answer = self.server.service(Identity::admin()).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 201);
    }
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\r\n")
}

/// All that comes until the server closes; an end without a proper farewell is one, too.
async fn rest(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_end_is_given_up() {
    let world = World::new();
    for sent in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let started = Instant::now();
        let (mut client, task) = world.connect();
        client.write_all(sent).await.unwrap();
        rest(&mut client).await;
        task.await.unwrap();
        assert_eq!(started.elapsed().as_secs(), HANDSHAKE.as_secs());
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_is_given_up() {
    let world = World::new();
    for sent in [
        "",
        "GET /version HTT",
        "PRI * HTTP/2.0\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let (mut client, task) = world.secure().await;
        let started = Instant::now();
        client.write_all(sent.as_bytes()).await.unwrap();
        rest(&mut client).await;
        task.await.unwrap();
        assert_eq!(started.elapsed().as_secs(), FIRST_REQUEST.as_secs(), "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_rest_between_requests_but_a_head_has_to_come() {
    let world = World::new();
    let (mut client, task) = world.secure().await;
    for _ in 0..3 {
        client.write_all(request("/healthz").as_bytes()).await.unwrap();
        let mut answer = [0; 1000];
        let length = client.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK"));
        time::sleep(Duration::from_secs(100)).await;
    }
    let started = Instant::now();
    client.write_all(b"GET /healthz HTTP/1.1\r\nhost").await.unwrap();
    rest(&mut client).await;
    task.await.unwrap();
    assert!(started.elapsed() <= NEXT_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn a_body_has_to_come_in_time() {
    let world = World::new();
    let (mut client, _task) = world.secure().await;
    let head = request("/api/v1/namespaces/default/configmaps").replace("GET", "POST");
    let head = head.replace(
        "\r\n\r\n",
        "\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let started = Instant::now();
    let answer = rest(&mut client).await;
    assert!(answer.contains("did not arrive within 60 seconds"), "{answer}");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(started.elapsed() < Duration::from_mins(4));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_never_read_holds_up_nobody_and_is_given_up() {
    let world = World::new();
    let (mut client, task) = world.secure().await;
    let watch = request("/api/v1/configmaps?watch=true");
    client.write_all(watch.as_bytes()).await.unwrap();
    let mut start = [0; 15];
    client.read_exact(&mut start).await.unwrap();
    let started = Instant::now();
    for number in 0..20 {
        world.create(&format!("m{number}"), 100 << 10).await;
    }
    assert_eq!(started.elapsed(), Duration::ZERO, "a writer waited");
    task.await.unwrap();
    assert_eq!(started.elapsed().as_secs(), UNREAD.as_secs());
    let received = rest(&mut client).await;
    assert!(
        received.len() < 200 << 10,
        "{} bytes had been sent ahead",
        received.len()
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_may_be_read_slowly_and_changes_meanwhile_do_not_show() {
    let world = World::new();
    for number in 0..8 {
        world.create(&format!("m{number}"), 50 << 10).await;
    }
    let (mut client, _task) = world.secure().await;
    let list = request("/api/v1/namespaces/default/configmaps");
    client
        .write_all(list.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let (mut answer, mut piece) = (Vec::new(), vec![0; 1024]);
    loop {
        time::sleep(Duration::from_secs(1)).await;
        match client.read(&mut piece).await.unwrap() {
            0 => break,
            count => answer.extend_from_slice(&piece[..count]),
        }
        if answer.len() == piece.len() {
            world.create("late", 10).await;
        }
    }
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let list: Value = serde_json::from_str(&unchunked(body)).unwrap();
    let names: Vec<&str> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"]);
}

/// A body in chunks as one.
fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let (chunk, rest) = rest.split_at(usize::from_str_radix(size, 16).unwrap());
        whole.push_str(chunk);
        body = &rest[2..];
    }
    whole
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_server_ends_watches_as_such() {
    let world = World::new();
    let (mut client, _task) = world.secure().await;
    let watch = request("/api/v1/configmaps?watch=true").replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    client.write_all(watch.as_bytes()).await.unwrap();
    let mut start = [0; 15];
    client.read_exact(&mut start).await.unwrap();
    let started = Instant::now();
    world.end.cancel();
    let answer = rest(&mut client).await;
    assert!(answer.ends_with("0\r\n\r\n"), "a proper end of the body: {answer}");
    assert_eq!(started.elapsed(), Duration::ZERO);
}
