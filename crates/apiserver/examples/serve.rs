//! Serves an API server on a loopback port and writes a kubeconfig for it:
//!
//! ```text
//! cargo run -p berth-apiserver --example serve -- /tmp/kubeconfig [FOLDER]
//! kubectl --kubeconfig /tmp/kubeconfig get namespaces
//! ```
//!
//! With a folder, objects outlive the server.

use std::{error::Error, fs, process::ExitCode, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use berth_apiserver::{ApiServer, CertificateAuthority, FileStorage, Options, Tls, serve};
use serde_json::json;
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "an example says why it failed")]
async fn main() -> ExitCode {
    let Err(error) = run().await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let kubeconfig = arguments.next().ok_or("usage: serve KUBECONFIG [FOLDER]")?;

    let authority = CertificateAuthority::new("example CA", Arc::new(jiff::Timestamp::now))?;
    let mut options = match arguments.next() {
        Some(folder) => Options::new(FileStorage::new(folder)),
        None => Options::in_memory(),
    };
    options.root_ca = Some(authority.certificate().to_owned());
    let server = ApiServer::open(options)?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://{}", listener.local_addr()?);
    let tls = Tls::new(
        &authority.issue_server(["127.0.0.1", "localhost"])?,
        Some(authority.certificate()),
    )?;
    let client = authority.issue_client("admin", &["system:masters"])?;
    let base64 = |pem: &str| BASE64_STANDARD.encode(pem);
    // Every JSON document is a YAML document.
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "example",
        "clusters": [{"name": "example", "cluster": {
            "server": url,
            "certificate-authority-data": base64(authority.certificate()),
        }}],
        "users": [{"name": "admin", "user": {
            "client-certificate-data": base64(&client.certificate),
            "client-key-data": base64(&client.key),
        }}],
        "contexts": [{"name": "example", "context": {"cluster": "example", "user": "admin"}}],
    });
    fs::write(&kubeconfig, config.to_string())?;

    let shutdown = async {
        // Without a signal handler the server goes on until it is killed.
        let _ = tokio::signal::ctrl_c().await;
    };
    serve(server, listener, tls, shutdown).await;
    Ok(())
}
