//! The server on a socket: HTTPS, HTTP/1.1 and HTTP/2. Listener and end are the caller's.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time,
};
use tokio_rustls::TlsAcceptor;

use crate::{ApiServer, Tls, service::ConnectionService, tls};

/// How long a client may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long connections may go on after the end was asked for. Watches never end by themselves.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait after the system refused to accept (out of file descriptors, most likely).
const REFUSED: Duration = Duration::from_millis(100);

/// Informers hold one stream each, and a client may have hundreds of them on its one connection.
const STREAMS: u32 = 1000;

/// Serves until `shutdown` completes, and then lets open requests finish for a moment.
pub async fn serve(server: ApiServer, listener: TcpListener, tls: Tls, shutdown: impl Future<Output = ()>) {
    let acceptor = TlsAcceptor::from(tls.0);
    let graceful = GracefulShutdown::new();
    let mut connections = tokio::task::JoinSet::new();
    let mut shutdown = pin!(shutdown);
    server.start();
    loop {
        tokio::select! {
            biased;
            // Cancel-safe: a pinned future of the caller's.
            () = &mut shutdown => break,
            // Cancel-safe by tokio's documentation.
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let watcher = graceful.watcher();
                    connections.spawn(connection(server.clone(), acceptor.clone(), stream, watcher));
                }
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a connection");
                    time::sleep(REFUSED).await;
                }
            },
            // Cancel-safe; this only keeps the set from growing.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    // What is left after the grace is aborted when the set is dropped.
    let _ = time::timeout(GRACE, graceful.shutdown()).await;
}

async fn connection(
    server: ApiServer,
    acceptor: TlsAcceptor,
    stream: TcpStream,
    watcher: hyper_util::server::graceful::Watcher,
) {
    // Small answers should not wait for others to fill a packet.
    let _ = stream.set_nodelay(true);
    let stream = match time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => return tracing::debug!("TLS handshake took too long"),
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let identity = certificate
        .and_then(|certificate| tls::identity_of(certificate))
        .map(Arc::new);
    let service = TowerToHyperService::new(ConnectionService::new(server, identity));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .adaptive_window(true);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection.into_owned()).await {
        tracing::debug!(error = %error, "connection ended");
    }
}
