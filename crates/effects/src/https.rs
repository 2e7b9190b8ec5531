//! One request to a guest over HTTPS, with its own CA trusted and no other; time and size are bounded.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::client::WantsClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::time;

const PATIENCE: Duration = Duration::from_secs(20);
const MAX_BYTES: usize = 1 << 20;
pub(crate) const AGENT: &str = concat!("berth/", env!("CARGO_PKG_VERSION"));

/// A client of one guest.
pub(crate) type Https = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Why a request brought no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("the certificates for the guest can't be read")]
    BadCertificate,
    #[error("failed to set up TLS")]
    Tls { source: rustls::Error },
    #[error("{url} is no address to ask")]
    BadUrl { url: String },
    #[error("failed to reach {host}")]
    Unreachable {
        host: String,
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("{host} did not answer within {} s", PATIENCE.as_secs())]
    TimedOut { host: String },
    #[error("the answer of {host} broke off")]
    Broken {
        host: String,
        source: Box<dyn Error + Send + Sync>,
    },
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A certificate with its key, both PEM.
pub(crate) struct ClientCertificate<'a> {
    pub(crate) certificate: &'a str,
    pub(crate) key: &'a str,
}

/// Why no CA can be trusted.
#[derive(Debug)]
pub(crate) enum TrustError {
    /// There is none.
    NoCertificate,
    /// It can't be read.
    BadCertificate(pem::Error),
    /// It can't be used.
    Tls(rustls::Error),
}

/// The beginning of a configuration that trusts a CA and no other.
pub(crate) fn trusting(ca: &str) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        let certificate = certificate.map_err(TrustError::BadCertificate)?;
        roots.add(certificate).map_err(TrustError::Tls)?;
    }
    if roots.is_empty() {
        return Err(TrustError::NoCertificate);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TrustError::Tls)?;
    Ok(config.with_root_certificates(roots))
}

/// A client over HTTPS and nothing else.
pub(crate) fn over<B: Body<Data: Send> + Send>(config: ClientConfig) -> Client<HttpsConnector<HttpConnector>, B> {
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_http1()
        .build();
    Client::builder(TokioExecutor::new()).build(connector)
}

/// A client that trusts a CA, and shows a certificate if it has one.
pub(crate) fn client(ca: &str, own: Option<&ClientCertificate<'_>>) -> Result<Https, CallError> {
    let config = trusting(ca).map_err(|error| match error {
        TrustError::NoCertificate | TrustError::BadCertificate(_) => CallError::BadCertificate,
        TrustError::Tls(source) => CallError::Tls { source },
    })?;
    let config = match own {
        None => config.with_no_client_auth(),
        Some(ClientCertificate { certificate, key }) => {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
            let chain = chain.map_err(|_| CallError::BadCertificate)?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| CallError::BadCertificate)?;
            config
                .with_client_auth_cert(chain, key)
                .map_err(|source| CallError::Tls { source })?
        }
    };
    Ok(over(config))
}

/// Asks, and reads the whole answer.
pub(crate) async fn call(client: &Https, request: Request<Full<Bytes>>) -> Result<Answer, CallError> {
    let host = request.uri().authority().map_or_else(String::new, ToString::to_string);
    let asked = time::timeout(PATIENCE, client.request(request)).await;
    let answer = asked
        .map_err(|_| CallError::TimedOut { host: host.clone() })?
        .map_err(|error| CallError::Unreachable {
            host: host.clone(),
            source: Box::new(error),
        })?;
    let (head, body) = answer.into_parts();
    let read = time::timeout(PATIENCE, Limited::new(body, MAX_BYTES).collect()).await;
    let body = read
        .map_err(|_| CallError::TimedOut { host: host.clone() })?
        .map_err(|source| CallError::Broken { host, source })?;
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body: body.to_bytes(),
    })
}

impl Answer {
    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What an API server says of itself in an answer that is no success.
    pub(crate) fn told(&self) -> String {
        let body = self.json();
        match body["message"].as_str().filter(|message| !message.is_empty()) {
            Some(message) => format!("{}: {message}", self.status),
            None => self.status.to_string(),
        }
    }
}
