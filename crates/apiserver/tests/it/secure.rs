//! Over a socket: how serving ends.

use std::sync::Arc;

use berth_apiserver::{ApiServer, CertificateAuthority, Options, Tls, serve};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

#[tokio::test]
async fn serving_ends_when_it_is_told_to() {
    let authority = CertificateAuthority::new("test CA", Arc::new(jiff::Timestamp::now)).unwrap();
    let tls = Tls::new(&authority.issue_server(["127.0.0.1"]).unwrap(), None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = ApiServer::open(Options::in_memory()).unwrap();
    let serving = tokio::spawn(serve(server, listener, tls, async move {
        let _ = stopped.await;
    }));
    TcpStream::connect(address).await.unwrap();
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
