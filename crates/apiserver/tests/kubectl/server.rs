//! A server for one scenario, over TLS on a loopback port: in memory, its clock standing still and its ids seeded, so that
//! ages and generated names are the same in each run. Where `KUBEBUILDER_ASSETS` names a folder with a real one, it is that.

use std::{fs, path::Path, sync::Arc, thread};

use base64::{Engine, prelude::BASE64_STANDARD};
use berth_apiserver::{ApiServer, CertificateAuthority, Options, Random, ServerVersion, Tls, serve};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

use crate::real::{self, RealServer};

/// New enough that a `kubectl` which chooses its version by the server's chooses a new one.
const VERSION: &str = "1.34.2";

/// A server that ends when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) kubeconfig: String,
    _running: Running,
}

/// What is to be kept as long as the server is to run.
#[expect(dead_code, reason = "they are kept to be dropped")]
enum Running {
    Ours(Serving),
    Real(RealServer),
}

/// This process serves.
struct Serving {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

// === impl Server ===

impl Server {
    pub(crate) fn start() -> Self {
        match real::assets() {
            Some(assets) => Self::real(&assets),
            None => Self::ours(),
        }
    }

    fn real(assets: &Path) -> Self {
        let server = RealServer::start(assets).unwrap();
        let kubeconfig = fs::read_to_string(&server.kubeconfig).unwrap();
        let config: Value = serde_json::from_str(&kubeconfig).unwrap();
        Self {
            url: config["clusters"][0]["cluster"]["server"].as_str().unwrap().to_owned(),
            kubeconfig,
            _running: Running::Real(server),
        }
    }

    fn ours() -> Self {
        // Certificates are made by the real clock, which clients check them by.
        let authority = CertificateAuthority::new("test CA", Arc::new(jiff::Timestamp::now)).unwrap();
        let mut options = Options::in_memory();
        let now = jiff::Timestamp::now();
        options.clock = Arc::new(move || now);
        options.random = Random::seeded(1);
        options.version = ServerVersion::release(VERSION);
        options.service_range = ([10, 0, 0, 0].into(), 24);
        options.root_ca = Some(authority.certificate().to_owned());
        let server = ApiServer::open(options).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let kubeconfig = kubeconfig(&authority, &url);
        let tls = Tls::new(
            &authority.issue_server(["127.0.0.1"]).unwrap(),
            Some(authority.certificate()),
        )
        .unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(serve(server, listener, tls, async move {
                let _ = stopped.await;
            }));
        });
        Self {
            url,
            kubeconfig,
            _running: Running::Ours(Serving {
                stop: Some(stop),
                thread: Some(thread),
            }),
        }
    }
}

// === impl Serving ===

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn kubeconfig(authority: &CertificateAuthority, url: &str) -> String {
    let client = authority.issue_client("admin", &["system:masters"]).unwrap();
    let base64 = |pem: &str| BASE64_STANDARD.encode(pem);
    // Every JSON document is a YAML document.
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {
            "server": url,
            "certificate-authority-data": base64(authority.certificate()),
        }}],
        "users": [{"name": "admin", "user": {
            "client-certificate-data": base64(&client.certificate),
            "client-key-data": base64(&client.key),
        }}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
    })
    .to_string()
}
