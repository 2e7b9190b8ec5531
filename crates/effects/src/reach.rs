//! Finds out how far one comes on the way to an API server: name, address, TLS, HTTP. Reads only, and changes nothing.
//!
//! Each stage is gone through by itself, since a client that does all of them at once can't tell which one failed. What a
//! result means is the procedure's business (`berth_procedure::access`).

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use berth_procedure::access::{Entry, Reach, place};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider, aws_lc_rs};
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::net::{TcpStream, lookup_host};
use tokio::time;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long each stage may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every user may ask for, and nobody else.
const QUESTION: &str = "/api";

/// How far one comes.
pub async fn reach(way: &Entry) -> Reach {
    attempt(way, PATIENCE).await.unwrap_or_else(|reach| reach)
}

/// Whether something listens at a URL; what it is, is not asked.
pub async fn listens(url: &str) -> Result<(), Reach> {
    let (host, port) = place(url).ok_or(Reach::BadUrl)?;
    connect(&host, port, PATIENCE).await.map(drop)
}

/// The stages in their order; the first that fails is the answer.
async fn attempt(way: &Entry, patience: Duration) -> Result<Reach, Reach> {
    if let Some(proxy) = &way.proxy {
        return Err(Reach::Proxied { proxy: proxy.clone() });
    }
    let (host, port) = place(&way.server).ok_or(Reach::BadUrl)?;
    let stream = connect(&host, port, patience).await?;
    let name = way.tls_server_name.as_deref().unwrap_or(&host);
    let stream = handshake(way, name, stream, patience).await?;
    match ask(way, &host, stream, patience).await? {
        StatusCode::OK => Ok(Reach::Answers),
        // Without credentials there is nothing else to be said.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if way.leaves_credentials_out() => Ok(Reach::Answers),
        StatusCode::UNAUTHORIZED => Err(Reach::Unauthorized),
        StatusCode::FORBIDDEN => Err(Reach::Forbidden),
        other => Err(Reach::Status { code: other.as_u16() }),
    }
}

/// Name and address: the first address that takes the connection, or why the last did not.
async fn connect(host: &str, port: u16, patience: Duration) -> Result<TcpStream, Reach> {
    let no_name = |why: String| Reach::NoName {
        host: host.to_owned(),
        why,
    };
    let found = time::timeout(patience, lookup_host((host, port))).await;
    let addresses: Vec<SocketAddr> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(no_name(resolver_said(&error))),
        Err(_) => return Err(no_name("the resolver does not answer".to_owned())),
    };
    let mut failure = no_name("it has no address".to_owned());
    for address in addresses {
        let tried = time::timeout(patience, TcpStream::connect(address)).await;
        let address = address.to_string();
        failure = match tried {
            Ok(Ok(stream)) => return Ok(stream),
            Err(_) => Reach::NoAnswer { address },
            Ok(Err(error)) => match error.kind() {
                io::ErrorKind::ConnectionRefused => Reach::Refused { address },
                io::ErrorKind::TimedOut => Reach::NoAnswer { address },
                _ => Reach::NoRoute {
                    address,
                    why: error.to_string(),
                },
            },
        };
    }
    Err(failure)
}

/// The system's words, without what the library puts in front.
fn resolver_said(error: &io::Error) -> String {
    let said = error.to_string();
    said.rsplit(": ").next().unwrap_or(&said).to_owned()
}

async fn handshake(
    way: &Entry,
    name: &str,
    stream: TcpStream,
    patience: Duration,
) -> Result<TlsStream<TcpStream>, Reach> {
    let config = config(way)?;
    let server = ServerName::try_from(name.to_owned()).map_err(|_| Reach::BadUrl)?;
    let connected = time::timeout(patience, TlsConnector::from(Arc::new(config)).connect(server, stream)).await;
    match connected {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(of_tls(&error, name, way).unwrap_or_else(|| Reach::NoTls { why: error.to_string() })),
        Err(_) => Err(Reach::NoTls {
            why: "it says nothing".to_owned(),
        }),
    }
}

/// Trusts every server, as a kubeconfig with `insecure-skip-tls-verify` does; that a server has the key of the certificate
/// that it shows is looked at all the same.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Trust and credentials as the kubeconfig has them.
fn config(way: &Entry) -> Result<ClientConfig, Reach> {
    let mut roots = RootCertStore::empty();
    if way.ca.is_none() {
        // As every client does with a kubeconfig that names no authority: a certificate of a public one is enough.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    for certificate in CertificateDer::pem_slice_iter(way.ca.as_deref().unwrap_or_default().as_bytes()).flatten() {
        // One that can't be read is none that is trusted.
        let _ = roots.add(certificate);
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Reach::NoTls { why: error.to_string() })?;
    let builder = if way.trusts_all {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
    } else {
        builder.with_root_certificates(roots)
    };
    let (Some(certificate), Some(key)) = (&way.certificate, &way.key) else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
        .flatten()
        .collect();
    let unusable = || Reach::ClientRefused {
        why: "the kubeconfig's key can't be used".to_owned(),
    };
    let key = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes()).map_err(|_| unusable())?;
    builder.with_client_auth_cert(chain, key).map_err(|_| unusable())
}

/// One request, and the status of its answer.
async fn ask(way: &Entry, host: &str, stream: TlsStream<TcpStream>, patience: Duration) -> Result<StatusCode, Reach> {
    let mut request = Request::get(QUESTION)
        .header(header::HOST, host)
        .header(header::USER_AGENT, concat!("berth/", env!("CARGO_PKG_VERSION")));
    if let Some(token) = &way.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()));
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|_| Reach::BadUrl)?;
    let talk = async {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let answer = async {
            let answer = sender.send_request(request).await;
            // Without its sender, and with nobody to read the rest of the answer, the connection ends, and with it the other
            // half of this.
            drop(sender);
            answer.map(|answer| answer.status())
        };
        // A server that refuses a client's certificate may say so only after the handshake: the connection hears it.
        let (answer, ended) = futures::join!(answer, connection);
        match (answer, ended) {
            (Ok(status), _) => Ok(status),
            (Err(_), Err(ended)) => Err(ended),
            (Err(error), Ok(())) => Err(error),
        }
    };
    match time::timeout(patience, talk).await {
        Ok(Ok(status)) => Ok(status),
        Ok(Err(error)) => Err(of_tls(&error, host, way).unwrap_or_else(|| Reach::Silent { why: error.to_string() })),
        Err(_) => Err(Reach::Silent {
            why: format!("nothing came within {} s", patience.as_secs()),
        }),
    }
}

/// What a TLS error says, somewhere down the causes.
fn of_tls(error: &(dyn Error + 'static), name: &str, way: &Entry) -> Option<Reach> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(tls(error, name, way));
    }
    // An I/O error's `source` leaves out the very error that it was made from.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => of_tls(inner, name, way),
        None => error.source().and_then(|source| of_tls(source, name, way)),
    }
}

fn tls(error: &rustls::Error, name: &str, way: &Entry) -> Reach {
    match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::NotValidForName => Reach::WrongName {
                name: name.to_owned(),
                names: Vec::new(),
            },
            CertificateError::NotValidForNameContext { presented, .. } => Reach::WrongName {
                name: name.to_owned(),
                names: presented.iter().map(|name| plain(name)).collect(),
            },
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Reach::OutOfDate {
                why: "it has ended".to_owned(),
            },
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Reach::OutOfDate {
                why: "it has not begun".to_owned(),
            },
            _ => Reach::Untrusted,
        },
        rustls::Error::AlertReceived(alert) if way.sends_certificate() && is_of_certificate(*alert) => {
            Reach::ClientRefused {
                why: format!("{alert:?}"),
            }
        }
        other => Reach::NoTls { why: other.to_string() },
    }
}

/// Whether a server sends this because of its client's certificate.
fn is_of_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate
    )
}

/// `DnsName("api.example.com")` as people write it.
fn plain(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests;
