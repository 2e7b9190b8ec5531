//! What one more server in the same process costs: this process opens many, each with its own CA and socket, and prints
//! milliseconds and MB for one.

use std::{sync::Arc, time::Instant};

use berth_apiserver::{ApiServer, CertificateAuthority, Options, Tls, serve};
use tokio::net::TcpListener;

use crate::{process, subject::milliseconds};

const GUESTS: u32 = 20;

#[tokio::main]
pub(crate) async fn main() {
    // The first one pays for what all share: tables of built-in kinds, the crypto library.
    open().await;
    let pid = std::process::id();
    let (before, start) = (process::resident(pid), Instant::now());
    for _ in 0..GUESTS {
        open().await;
    }
    let took = milliseconds(start.elapsed()) / f64::from(GUESTS);
    let grown = (process::resident(pid) - before) / f64::from(GUESTS);
    println!("{took} {grown}");
}

async fn open() {
    let authority = CertificateAuthority::new("guest CA", Arc::new(jiff::Timestamp::now)).unwrap();
    let mut options = Options::in_memory();
    options.root_ca = Some(authority.certificate().to_owned());
    let server = ApiServer::open(options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = authority.issue_server(["127.0.0.1", "localhost"]).unwrap();
    let tls = Tls::new(&serving, Some(authority.certificate())).unwrap();
    tokio::spawn(serve(server, listener, tls, std::future::pending()));
    // Its controllers get to furnish the first namespaces.
    tokio::task::yield_now().await;
}
