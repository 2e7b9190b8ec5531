//! The OAuth server on a socket.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{OAuthServer, page};

/// How long a client may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How much a form may hold.
const LIMIT: usize = 64 << 10;

/// Serves until it is dropped.
pub(crate) async fn listen(server: OAuthServer, listener: TcpListener, acceptor: TlsAcceptor) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            // Both are cancel-safe: what was not accepted is accepted the next time round.
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a login");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
        };
        let (acceptor, server) = (acceptor.clone(), server.clone());
        connections.spawn(async move {
            let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else {
                return;
            };
            let service = service_fn(move |request| {
                let server = server.clone();
                async move { Ok::<_, Infallible>(answer(&server, request).await.map(Full::new)) }
            });
            // The handshake offers both versions of HTTP, as the real server's does.
            let mut http = auto::Builder::new(TokioExecutor::new());
            http.http1().timer(TokioTimer::new());
            http.http2().timer(TokioTimer::new());
            let connection = http.serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a login broke off");
            }
        });
    }
}

async fn answer(server: &OAuthServer, request: Request<Incoming>) -> super::Answer {
    let (head, body) = request.into_parts();
    match Limited::new(body, LIMIT).collect().await {
        Ok(body) => server.answer(Request::from_parts(head, body.to_bytes())).await,
        Err(_) => page::text(StatusCode::PAYLOAD_TOO_LARGE, "the form is too long\n"),
    }
}
