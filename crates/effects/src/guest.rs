//! A guest for tests: an HTTPS server on this machine with a CA of its own, which knows clients by their certificates, and
//! answers as a function says.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use berth_procedure::GuestServer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A request as the guest sees it.
pub(crate) struct Asked {
    pub(crate) request: Request<()>,
    pub(crate) body: Bytes,
    /// The subject of the client's certificate.
    pub(crate) client: Option<String>,
    /// The guest's own `https://host:port`.
    pub(crate) url: String,
}

pub(crate) type Answers = Arc<dyn Fn(&Asked) -> Response<String> + Send + Sync>;

/// The guest.
pub(crate) struct Guest {
    pub(crate) server: GuestServer,
    /// `METHOD path` of each request.
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Guest {
    pub(crate) async fn start(answers: Answers) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA");
        let key = KeyPair::generate().expect("a key");
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        let leaf = leaf.signed_by(&key, &issuer).expect("a leaf");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(issuer.der().clone()).expect("a root");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .expect("a verifier");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .expect("a configuration");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().expect("an address").port()
        );
        let log = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve(
            listener,
            TlsAcceptor::from(Arc::new(config)),
            answers,
            url.clone(),
            Arc::clone(&log),
        ));
        Self {
            server: GuestServer { url, ca: issuer.pem() },
            log,
            issuer,
        }
    }

    /// What the guest's signer makes of a request.
    pub(crate) fn sign(&self, request: &str) -> String {
        let request = CertificateSigningRequestParams::from_pem(request).expect("a request");
        request.signed_by(&self.issuer).expect("a certificate").pem()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.log.lock().expect("no panic").clone()
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, answers: Answers, url: String, log: Arc<Mutex<Vec<String>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, answers, url, log) = (tls.clone(), Arc::clone(&answers), url.clone(), Arc::clone(&log));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let certificates = stream.get_ref().1.peer_certificates();
            let client = certificates.and_then(|chain| {
                let (_, certificate) = x509_parser::parse_x509_certificate(chain.first()?).ok()?;
                Some(certificate.subject().to_string())
            });
            let service = service_fn(move |request: Request<Incoming>| {
                let (answers, url, log, client) = (Arc::clone(&answers), url.clone(), Arc::clone(&log), client.clone());
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.expect("a body").to_bytes();
                    let asked = Asked {
                        request: Request::from_parts(head, ()),
                        body,
                        client,
                        url,
                    };
                    let told = format!("{} {}", asked.request.method(), asked.request.uri().path());
                    log.lock().expect("no panic").push(told);
                    let answer = answers(&asked).map(|body| Full::new(Bytes::from(body)));
                    Ok::<_, Infallible>(answer)
                }
            });
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
