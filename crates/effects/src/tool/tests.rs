use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use berth_procedure::{Effect, EffectFailure, Perform};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::Effects;

/// What a server says at each path: a status, a place to go instead, a body.
type Pages = BTreeMap<&'static str, (StatusCode, Option<&'static str>, Vec<u8>)>;

/// An HTTPS server on this machine with a CA of its own.
struct Server {
    address: SocketAddr,
    ca: String,
}

impl Server {
    async fn start(pages: Pages) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA");
        let key = KeyPair::generate().expect("a key");
        let leaf = CertificateParams::new(vec!["localhost".to_owned()])
            .expect("parameters")
            .signed_by(&key, &ca)
            .expect("a leaf");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .expect("a configuration");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(answer(listener, TlsAcceptor::from(Arc::new(config)), Arc::new(pages)));
        Self { address, ca: ca.pem() }
    }

    fn effect(&self, path: &str) -> Effect {
        Effect::FetchTool {
            name: "hcp".into(),
            url: format!("https://localhost:{}{path}", self.address.port()),
            ca: Some(self.ca.clone()),
            probe: vec!["version".into()],
        }
    }
}

async fn answer(listener: TcpListener, tls: TlsAcceptor, pages: Arc<Pages>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, pages) = (tls.clone(), Arc::clone(&pages));
        tokio::spawn(async move {
            // A client that does not trust the certificate ends the handshake.
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = service_fn(move |request: Request<Incoming>| {
                let (status, location, body) = pages[request.uri().path()].clone();
                let mut response = Response::builder().status(status);
                if let Some(location) = location {
                    response = response.header(header::LOCATION, location);
                }
                async move { Ok::<_, Infallible>(response.body(Full::new(Bytes::from(body))).expect("a response")) }
            });
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// An archive with a program that says of itself what a script says.
fn archive(script: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut entry = tar::Header::new_gnu();
    entry.set_size(script.len() as u64);
    entry.set_mode(0o600);
    tar.append_data(&mut entry, "hcp", script.as_bytes()).expect("an entry");
    tar.into_inner().and_then(GzEncoder::finish).expect("an archive")
}

fn page(body: Vec<u8>) -> (StatusCode, Option<&'static str>, Vec<u8>) {
    (StatusCode::OK, None, body)
}

#[track_caller]
fn is_bare(folder: &Path) {
    let names: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

async fn failure(pages: Pages, path: &str) -> EffectFailure {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(pages).await;
    let failure = Effects::new(folder.path(), folder.path())
        .perform(&server.effect(path))
        .await
        .expect_err("a failure");
    is_bare(folder.path());
    failure
}

#[tokio::test]
async fn a_tool_is_installed_and_recognised_until_it_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = folder.path().join("bin");
    let script = "#!/bin/sh\n[ \"$1\" = version ] && echo 'Client Version: test'\n";
    let server = Server::start(Pages::from([
        ("/hcp.tar.gz", page(archive(script))),
        ("/moved", (StatusCode::FOUND, Some("/hcp.tar.gz"), Vec::new())),
    ]))
    .await;
    let (effects, effect) = (Effects::new(&bin, &bin), server.effect("/moved"));
    assert_eq!(effects.done(&effect).await, None);
    let outcome = effects.perform(&effect).await.expect("installed");
    assert_eq!(
        outcome,
        Outcome::Tool {
            path: bin.join("hcp"),
            version: "Client Version: test".into()
        }
    );
    assert_eq!(
        fs::metadata(bin.join("hcp")).expect("metadata").permissions().mode() & 0o777,
        0o755
    );
    assert_eq!(effects.done(&effect).await, Some(outcome));
    assert_eq!(
        effects.done(&server.effect("/hcp.tar.gz")).await,
        None,
        "from elsewhere"
    );
    fs::write(bin.join("hcp"), "changed").expect("written");
    assert_eq!(effects.done(&effect).await, None, "changed");
    effects.perform(&effect).await.expect("installed again");
    assert_eq!(fs::read_to_string(bin.join("hcp")).expect("read"), script);
}

#[tokio::test]
async fn a_server_that_the_ca_does_not_vouch_for_is_not_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, other) = (Server::start(Pages::new()).await, Server::start(Pages::new()).await);
    let effect = Effect::FetchTool {
        name: "hcp".into(),
        url: format!("https://localhost:{}/", server.address.port()),
        ca: Some(other.ca),
        probe: Vec::new(),
    };
    let failure = Effects::new(folder.path(), folder.path())
        .perform(&effect)
        .await
        .expect_err("untrusted");
    assert!(!failure.transient && failure.fix.contains("ingress CA"), "{failure:?}");
    is_bare(folder.path());
}

#[tokio::test]
async fn without_a_ca_nothing_is_trusted() {
    let folder = tempfile::tempdir().expect("a folder");
    let effect = Effect::FetchTool {
        name: "hcp".into(),
        url: "https://localhost:1/".into(),
        ca: None,
        probe: Vec::new(),
    };
    let failure = Effects::new(folder.path(), folder.path())
        .perform(&effect)
        .await
        .expect_err("no CA");
    assert_eq!(
        failure.message,
        "failed to download the tool: no CA certificate is known for the download"
    );
}

#[tokio::test]
async fn a_server_that_is_not_up_yet_is_tried_again_and_a_missing_page_is_not() {
    let down = failure(
        Pages::from([("/hcp", (StatusCode::SERVICE_UNAVAILABLE, None, Vec::new()))]),
        "/hcp",
    )
    .await;
    assert!(down.transient && down.message.contains("503"), "{down:?}");
    let gone = failure(
        Pages::from([("/hcp", (StatusCode::NOT_FOUND, None, Vec::new()))]),
        "/hcp",
    )
    .await;
    assert!(!gone.transient, "{gone:?}");
}

#[tokio::test]
async fn redirects_stay_on_https_and_come_to_an_end() {
    let plain = failure(
        Pages::from([("/a", (StatusCode::FOUND, Some("http://localhost/a"), Vec::new()))]),
        "/a",
    )
    .await;
    assert!(
        plain.message.ends_with("`http://localhost/a` is not https"),
        "{plain:?}"
    );
    let circle = failure(Pages::from([("/a", (StatusCode::FOUND, Some("/a"), Vec::new()))]), "/a").await;
    assert!(circle.message.ends_with("redirects too often"), "{circle:?}");
}

#[tokio::test]
async fn a_tool_that_does_not_run_is_not_installed() {
    let broken = archive("#!/bin/sh\necho 'no such machine' >&2\nexit 1\n");
    let failure = failure(Pages::from([("/hcp", page(broken))]), "/hcp").await;
    assert!(
        failure.message.contains("no such machine") && !failure.transient,
        "{failure:?}"
    );
}

#[tokio::test]
async fn what_is_no_archive_is_refused() {
    let failure = failure(Pages::from([("/hcp", page(b"<html>log in</html>".to_vec()))]), "/hcp").await;
    assert!(failure.message.starts_with("failed to unpack the tool"), "{failure:?}");
}
