//! The OAuth server on a socket.

use std::convert::Infallible;

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{OAuthServer, page};
use crate::sockets::serve_https;

/// How much a form may hold.
const LIMIT: usize = 64 << 10;

/// Serves until it is dropped.
pub(crate) async fn listen(server: OAuthServer, listener: TcpListener, acceptor: TlsAcceptor) -> Infallible {
    serve_https(listener, acceptor, "login", || {
        let server = server.clone();
        service_fn(move |request| {
            let server = server.clone();
            async move { Ok(answer(&server, request).await.map(Full::new)) }
        })
    })
    .await
}

async fn answer(server: &OAuthServer, request: Request<Incoming>) -> super::Answer {
    let (head, body) = request.into_parts();
    match Limited::new(body, LIMIT).collect().await {
        Ok(body) => server.answer(Request::from_parts(head, body.to_bytes())).await,
        Err(_) => page::text(StatusCode::PAYLOAD_TOO_LARGE, "the form is too long\n"),
    }
}
