//! The server behind a socket, for what depends on connections and credentials. A server in process gets one, with an
//! authority of its own; the clock of its test goes on by itself from then on.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use berth_apiserver::{CertificateAuthority, Tls, serve};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kube::client::Body;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::{Server, Suite, real};

/// Where the server listens, and whom it trusts.
pub(crate) struct Socket {
    /// Host and port.
    address: String,
    authority: CertificateAuthority,
}

/// How a client says who it is.
pub(crate) enum Credentials {
    None,
    Token(&'static str),
    /// A certificate of a user of groups.
    Certificate(&'static str, &'static [&'static str]),
}

impl Socket {
    pub(crate) async fn of(suite: &Suite) -> Self {
        match &suite.server {
            Server::Embedded(server) => {
                tokio::time::resume();
                let authority = CertificateAuthority::new("conformance CA", Arc::new(jiff::Timestamp::now)).unwrap();
                let serving = authority.issue_server(["127.0.0.1"]).unwrap();
                let tls = Tls::new(&serving, Some(authority.certificate())).unwrap();
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap().to_string();
                tokio::spawn(serve(server.clone(), listener, tls, std::future::pending()));
                Self { address, authority }
            }
            Server::Real(assets) => {
                let url = real::config(assets).await.cluster_url;
                Self {
                    address: url.authority().unwrap().to_string(),
                    authority: real::authority(assets),
                }
            }
        }
    }

    /// The test as a client with these credentials.
    pub(crate) async fn client(&self, suite: &Suite, credentials: Credentials) -> Suite {
        let base64 = |pem: &str| BASE64_STANDARD.encode(pem);
        let user = match credentials {
            Credentials::None => json!({}),
            Credentials::Token(token) => json!({"token": token}),
            Credentials::Certificate(user, groups) => {
                let issued = self.authority.issue_client(user, groups).unwrap();
                json!({
                    "client-certificate-data": base64(&issued.certificate),
                    "client-key-data": base64(&issued.key),
                })
            }
        };
        let cluster = json!({
            "server": format!("https://{}", self.address),
            "certificate-authority-data": base64(self.authority.certificate()),
        });
        let kubeconfig = json!({
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "c", "user": user}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        });
        let kubeconfig = serde_json::from_value(kubeconfig).unwrap();
        let options = kube::config::KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .unwrap();
        suite.with_client(kube::Client::try_from(config).unwrap())
    }

    /// One connection of HTTP/2, as an administrator.
    pub(crate) async fn http2(&self) -> hyper::client::conn::http2::SendRequest<Body> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        roots.add(certificate(self.authority.certificate())).unwrap();
        let admin = self.authority.issue_client("admin", &["system:masters"]).unwrap();
        let key = PrivateKeyDer::from_pem_slice(admin.key.as_bytes()).unwrap();
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate(&admin.certificate)], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TokioIo::new(connector.connect(name, stream).await.unwrap());
        let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let (sender, connection) = builder.handshake(stream).await.unwrap();
        tokio::spawn(async move { connection.await.unwrap() });
        sender
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }
}
