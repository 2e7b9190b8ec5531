//! A plain HTTPS client: one connection, one user, no more work for a request than there must be.

use std::{fs, path::Path, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Where a server is, and as whom to go there.
#[derive(Clone)]
pub(crate) struct Access {
    authority: String,
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

/// One connection.
pub(crate) struct Client {
    authority: String,
    accept: &'static str,
    sender: Sender,
}

enum Sender {
    Http1(conn::http1::SendRequest<Full<Bytes>>),
    Http2(conn::http2::SendRequest<Full<Bytes>>),
}

impl Access {
    /// From a kubeconfig in JSON with one cluster and one user that has a certificate.
    pub(crate) fn read(kubeconfig: &Path) -> Result<Self> {
        let config: Value = serde_json::from_str(&fs::read_to_string(kubeconfig)?)?;
        let (cluster, user) = (&config["clusters"][0]["cluster"], &config["users"][0]["user"]);
        let pem = |value: &Value| BASE64_STANDARD.decode(value.as_str().unwrap_or_default());
        let authority = cluster["server"].as_str().unwrap_or_default();
        let ca = pem(&cluster["certificate-authority-data"])?;
        let (certificate, key) = (pem(&user["client-certificate-data"])?, pem(&user["client-key-data"])?);
        let tls = |protocol: &[u8]| -> Result<Arc<ClientConfig>> {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(&ca)?)?;
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let mut config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(&certificate)?],
                    PrivateKeyDer::from_pem_slice(&key)?,
                )?;
            config.alpn_protocols = vec![protocol.to_vec()];
            Ok(Arc::new(config))
        };
        Ok(Self {
            authority: authority.trim_start_matches("https://").to_owned(),
            http1: tls(b"http/1.1")?,
            http2: tls(b"h2")?,
        })
    }

    pub(crate) async fn http1(&self) -> Result<Client> {
        let stream = self.stream(&self.http1).await?;
        let (sender, connection) = conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        Ok(self.client(Sender::Http1(sender)))
    }

    /// With windows as wide as those of Go's client.
    pub(crate) async fn http2(&self) -> Result<Client> {
        let stream = self.stream(&self.http2).await?;
        let (sender, connection) = conn::http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(1 << 30)
            .handshake(stream)
            .await?;
        tokio::spawn(connection);
        Ok(self.client(Sender::Http2(sender)))
    }

    async fn stream(&self, tls: &Arc<ClientConfig>) -> Result<TokioIo<tokio_rustls::client::TlsStream<TcpStream>>> {
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        Ok(TokioIo::new(
            TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?,
        ))
    }

    fn client(&self, sender: Sender) -> Client {
        Client {
            authority: self.authority.clone(),
            accept: "application/json",
            sender,
        }
    }
}

impl Client {
    /// The same connection, for answers of another form.
    pub(crate) fn accepting(self, accept: &'static str) -> Self {
        Self { accept, ..self }
    }

    /// Sends a request; the answer's body is yet to be read.
    pub(crate) async fn open(&mut self, method: Method, path: &str, body: String) -> Result<Response<Incoming>> {
        let content_type = if method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = Request::builder()
            .method(method)
            .header(header::ACCEPT, self.accept)
            .header(header::CONTENT_TYPE, content_type);
        let body = Full::new(Bytes::from(body));
        Ok(match &mut self.sender {
            Sender::Http1(sender) => {
                let request = request.uri(path).header(header::HOST, &self.authority).body(body)?;
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Sender::Http2(sender) => {
                let request = request.uri(format!("https://{}{path}", self.authority)).body(body)?;
                sender.ready().await?;
                sender.send_request(request).await?
            }
        })
    }

    /// Sends a request and reads the answer away; how long that was.
    pub(crate) async fn send(&mut self, method: Method, path: &str, body: String) -> Result<usize> {
        let mut response = self.open(method, path, body).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(refusal(status, response).await);
        }
        let mut length = 0;
        while let Some(frame) = response.body_mut().frame().await {
            length += frame?.data_ref().map_or(0, Bytes::len);
        }
        Ok(length)
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<usize> {
        self.send(Method::GET, path, String::new()).await
    }
}

async fn refusal(status: StatusCode, response: Response<Incoming>) -> Box<dyn std::error::Error + Send + Sync> {
    let body = response
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    format!("{status}: {}", String::from_utf8_lossy(&body.unwrap_or_default())).into()
}
