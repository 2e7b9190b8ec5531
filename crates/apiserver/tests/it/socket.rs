//! A server on a socket, and clients of it.

use std::{net::SocketAddr, sync::Arc};

use berth_apiserver::{ApiServer, CertificateAuthority, Identity, Options, Tls, serve};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Who shows this may do everything.
pub(crate) const TOKEN: &str = "good-token";

pub(crate) struct Served {
    pub(crate) server: ApiServer,
    pub(crate) address: SocketAddr,
    authority: CertificateAuthority,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start() -> Self {
        let mut options = Options::in_memory();
        options.tokens.insert(TOKEN.to_owned(), Identity::admin());
        let server = ApiServer::open(options).unwrap();
        let authority = CertificateAuthority::new("test CA", Arc::new(jiff::Timestamp::now)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = Tls::new(
            &authority.issue_server(["127.0.0.1"]).unwrap(),
            Some(authority.certificate()),
        )
        .unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve(server.clone(), listener, tls, async move {
            let _ = stopped.await;
        }));
        Self {
            server,
            address,
            authority,
            stop,
            serving,
        }
    }

    /// A connection that speaks `h2` or `http/1.1`.
    pub(crate) async fn connect(&self, protocol: &str) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(der(self.authority.certificate())).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = self.address.ip().into();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap()
    }

    /// Ends the server, and waits for that.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }
}

/// A client of the server at a port of this machine.
pub(crate) fn kube_client(port: u16, ca: &str, token: &str) -> kube::Client {
    let mut config = kube::Config::new(format!("https://127.0.0.1:{port}").parse().unwrap());
    config.root_cert = Some(vec![der(ca).to_vec()]);
    config.auth_info.token = Some(token.to_owned().into());
    kube::Client::try_from(config).unwrap()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}
