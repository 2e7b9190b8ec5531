//! The server on a socket: HTTPS, HTTP/1.1 and HTTP/2. Listener and end are the caller's.
//!
//! All that a client can hold here without using it is bounded in time: the handshake, the first request, the head of
//! each request, and what it was sent but doesn't read.

#[cfg(test)]
mod tests;

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::{ApiServer, Tls, service::ConnectionService, stall::Impatient, tls};

/// How long a client may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a client may take from there to its first request.
const FIRST_REQUEST: Duration = Duration::from_secs(30);

/// How long an HTTP/1.1 connection may take from the end of a request to the head of the next one. Longer than clients
/// keep a connection that they don't use (90 seconds, most): a request must not run into its end.
const NEXT_REQUEST: Duration = Duration::from_mins(2);

/// How often an HTTP/2 client is asked whether it is there, and how long it may take to answer.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);

/// How long a client may leave what it was sent in the socket without reading any of it.
const UNREAD: Duration = Duration::from_mins(1);

/// The longest head of a request: selectors can be long.
const HEAD: u32 = 256 << 10;

/// How much of an answer may wait for one HTTP/2 stream's window, besides a piece that is larger.
const SEND_BUFFER: usize = 128 << 10;

/// How long connections may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait after the system refused to accept (out of file descriptors, most likely).
const REFUSED: Duration = Duration::from_millis(100);

/// Informers hold one stream each, and a client may have hundreds of them on its one connection.
const STREAMS: u32 = 1000;

/// Serves until `shutdown` completes; then watches end, and other requests may finish within a moment.
pub async fn serve(server: ApiServer, listener: TcpListener, tls: Tls, shutdown: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let end = CancellationToken::new();
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
                    // Small answers should not wait for others to fill a packet.
                    let _ = stream.set_nodelay(true);
                    let (server, acceptor, end) = (server.clone(), TlsAcceptor::from(tls.config()), end.clone());
                    connections.spawn(connection(server, acceptor, stream, graceful.watcher(), end));
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
    end.cancel();
    // What is left after the grace is aborted when the set is dropped.
    let _ = time::timeout(GRACE, graceful.shutdown()).await;
}

async fn connection<S>(server: ApiServer, acceptor: TlsAcceptor, stream: S, watcher: Watcher, end: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = Impatient::new(stream, UNREAD);
    let stream = match time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => return tracing::debug!("TLS handshake took too long"),
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let identity = certificate
        .and_then(|certificate| tls::identity_of(certificate))
        .map(Arc::new);
    let service = ConnectionService::new(server, identity, end);
    let used = service.used();
    let builder = builder();
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::select! {
        // Neither branch is polled again after the other completed.
        ended = watcher.watch(connection.into_owned()) => if let Err(error) = ended {
            tracing::debug!(error = %error, "connection ended");
        },
        () = stays_unused(&used) => tracing::debug!("connection without a request closed"),
    }
}

/// Completes if a connection has not been used in time.
async fn stays_unused(used: &AtomicBool) {
    time::sleep(FIRST_REQUEST).await;
    if used.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(NEXT_REQUEST)
        .max_buf_size(HEAD as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD)
        .max_send_buf_size(SEND_BUFFER)
        .adaptive_window(true);
    builder
}
