//! Each class by a listener on this machine that behaves so.

use std::net::Ipv4Addr;

use berth_procedure::Secret;
use berth_procedure::access::Plugin;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

const SOON: Duration = Duration::from_secs(20);

/// An authority.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// What a server does.
struct Server {
    /// Of what its certificate is for.
    name: &'static str,
    /// Whether its certificate ended long ago.
    ended: bool,
    /// Whether it wants a certificate of its client, signed by an authority that nobody has.
    picky: bool,
    /// What it says after the handshake; nothing, and the line stays open, where there is nothing.
    says: Option<&'static str>,
    /// What it says a little later.
    says_more: &'static str,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            name: "127.0.0.1",
            ended: false,
            picky: false,
            says: Some("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            says_more: "",
        }
    }
}

impl Server {
    /// Listens, and gives the way there for whoever trusts its authority.
    async fn start(self) -> Entry {
        let authority = authority();
        let mut params = CertificateParams::new(vec![self.name.to_owned()]).expect("a name");
        if self.ended {
            (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &authority).expect("signed");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions");
        let builder = if self.picky {
            let mut roots = RootCertStore::empty();
            roots.add(super::tests::authority().der().clone()).expect("a root");
            let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = builder
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a config");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            let Ok((stream, _)) = listener.accept().await else {
                return;
            };
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            if let Some(words) = self.says {
                let _ = stream.write_all(words.as_bytes()).await;
                let _ = stream.flush().await;
                if self.says_more.is_empty() {
                    let _ = stream.shutdown().await;
                    return;
                }
                time::sleep(Duration::from_millis(20)).await;
                let _ = stream.write_all(self.says_more.as_bytes()).await;
                let _ = stream.read(&mut request).await;
            } else {
                let _ = stream.read(&mut request).await;
            }
        });
        Entry {
            server: format!("https://127.0.0.1:{port}"),
            ca: Some(authority.pem()),
            ..Entry::default()
        }
    }
}

async fn tried(way: &Entry) -> Reach {
    attempt(way, SOON).await.unwrap_or_else(|reach| reach)
}

#[tokio::test]
async fn a_server_that_answers_is_reached() {
    let way = Server::default().start().await;
    assert_eq!(tried(&way).await, Reach::Answers);
}

#[tokio::test]
async fn http_says_who_may() {
    for (says, reach) in [
        (
            "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n",
            Reach::Unauthorized,
        ),
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", Reach::Forbidden),
        (
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            Reach::Status { code: 503 },
        ),
    ] {
        let server = Server {
            says: Some(says),
            ..Server::default()
        };
        assert_eq!(tried(&server.start().await).await, reach);
    }
}

#[tokio::test]
async fn tls_says_what_is_wrong_with_the_certificate() {
    let way = Entry {
        ca: Some(authority().pem()),
        ..Server::default().start().await
    };
    assert_eq!(tried(&way).await, Reach::Untrusted);

    let other = Server {
        name: "api.example.com",
        ..Server::default()
    };
    let Reach::WrongName { name, names } = tried(&other.start().await).await else {
        panic!("a wrong name");
    };
    assert_eq!(
        (name.as_str(), names),
        ("127.0.0.1", vec!["api.example.com".to_owned()])
    );

    // A kubeconfig may say by which name it goes.
    let other = Server {
        name: "api.example.com",
        ..Server::default()
    };
    let way = Entry {
        tls_server_name: Some("api.example.com".to_owned()),
        ..other.start().await
    };
    assert_eq!(tried(&way).await, Reach::Answers);

    let ended = Server {
        ended: true,
        ..Server::default()
    };
    assert!(matches!(tried(&ended.start().await).await, Reach::OutOfDate { .. }));

    let picky = || Server {
        picky: true,
        ..Server::default()
    };
    let way = with_certificate(picky().start().await);
    let reach = tried(&way).await;
    assert!(matches!(reach, Reach::ClientRefused { .. }), "{reach:?}");
    // Who shows none is refused for something else than what is in it.
    let reach = tried(&picky().start().await).await;
    assert!(
        matches!(&reach, Reach::NoTls { why } if why.contains("CertificateRequired")),
        "{reach:?}"
    );
}

/// The same way with a client's certificate that nobody signed.
fn with_certificate(way: Entry) -> Entry {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, "somebody");
    let certificate = params.self_signed(&key);
    Entry {
        certificate: Some(certificate.expect("signed").pem()),
        key: Some(Secret::new(key.serialize_pem())),
        ..way
    }
}

#[test]
fn an_alert_is_of_the_client_only_where_it_speaks_of_certificates() {
    let way = with_certificate(Entry::default());
    for (alert, is_client) in [
        (AlertDescription::BadCertificate, true),
        (AlertDescription::UnknownCA, true),
        (AlertDescription::ProtocolVersion, false),
        (AlertDescription::HandshakeFailure, false),
        (AlertDescription::UnrecognisedName, false),
        (AlertDescription::InternalError, false),
    ] {
        let error = rustls::Error::AlertReceived(alert);
        let refused = |way: &Entry| matches!(tls(&error, "api", way), Reach::ClientRefused { .. });
        assert_eq!(refused(&way), is_client, "{alert:?}");
        assert!(!refused(&Entry::default()), "{alert:?}");
    }
}

#[tokio::test]
async fn an_answer_in_several_pieces_is_one() {
    let server = Server {
        says: Some("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 6\r\n\r\nnot"),
        says_more: "yet",
        ..Server::default()
    };
    let way = server.start().await;
    let reach = attempt(&way, Duration::from_secs(2)).await;
    assert_eq!(reach, Err(Reach::Status { code: 503 }));
}

#[tokio::test]
async fn who_trusts_every_server_verifies_none() {
    let other = Server {
        name: "api.example.com",
        ..Server::default()
    };
    let way = Entry {
        ca: None,
        trusts_all: true,
        ..other.start().await
    };
    assert_eq!(tried(&way).await, Reach::Answers);
}

#[tokio::test]
async fn credentials_that_a_program_fetches_are_not_judged() {
    for says in [
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
    ] {
        let server = Server {
            says: Some(says),
            ..Server::default()
        };
        let plugin = Plugin {
            command: "login".to_owned(),
            guest: None,
        };
        let way = Entry {
            plugin: Some(plugin),
            ..server.start().await
        };
        assert_eq!(tried(&way).await, Reach::Answers);
    }
}

#[tokio::test]
async fn an_address_at_which_nobody_listens_refuses() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let way = Entry {
        server: format!("https://{address}"),
        ..Entry::default()
    };
    assert_eq!(
        tried(&way).await,
        Reach::Refused {
            address: address.clone()
        }
    );
    assert_eq!(
        listens(&format!("https://{address}/console")).await,
        Err(Reach::Refused { address })
    );
}

#[tokio::test]
async fn a_name_that_nobody_has_is_dns() {
    let way = Entry {
        server: "https://no-such-guest.invalid:6443".to_owned(),
        ..Entry::default()
    };
    let reach = tried(&way).await;
    assert!(
        matches!(&reach, Reach::NoName { host, .. } if host == "no-such-guest.invalid"),
        "{reach:?}"
    );
}

#[tokio::test]
async fn what_does_not_speak_tls_is_told_apart() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let _ = stream.write_all(b"SSH-2.0-somebody\r\n").await;
    });
    let way = Entry {
        server: format!("https://127.0.0.1:{port}"),
        ..Entry::default()
    };
    let reach = tried(&way).await;
    assert!(matches!(reach, Reach::NoTls { .. }), "{reach:?}");
}

#[tokio::test]
async fn who_says_nothing_is_waited_for_only_so_long() {
    let soon = Duration::from_millis(20);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let way = Entry {
        server: format!("https://{}", listener.local_addr().expect("an address")),
        ..Entry::default()
    };
    // The system takes the connection; nobody takes it from there.
    let reach = attempt(&way, soon).await.expect_err("nobody answers");
    assert!(matches!(reach, Reach::NoTls { .. }), "{reach:?}");

    let silent = Server {
        says: None,
        ..Server::default()
    };
    let way = silent.start().await;
    let (host, port) = place(&way.server).expect("a URL");
    let stream = connect(&host, port, SOON).await.expect("connected");
    let stream = handshake(&way, &host, stream, SOON).await.expect("a handshake");
    let reach = ask(&way, &host, stream, soon).await.expect_err("no answer");
    assert!(matches!(reach, Reach::Silent { .. }), "{reach:?}");
}
