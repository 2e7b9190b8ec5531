//! Requests in, answers out: as `tower` services, for a known user in process and for a connection.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use tokio_util::sync::CancellationToken;

use crate::{
    ApiServer, Body, Identity, handlers,
    server::State,
    status::{ApiError, Result},
};

/// Makes requests as one user, without a socket. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ApiService {
    server: ApiServer,
    identity: Arc<Identity>,
}

/// Makes the requests of one connection: as the user of its certificate, or of the request's token.
#[derive(Clone)]
pub(crate) struct ConnectionService {
    server: ApiServer,
    certificate: Option<Arc<Identity>>,
    /// Ends the watches.
    end: CancellationToken,
    /// Whether there was a request.
    used: Arc<AtomicBool>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

// === impl ApiService ===

impl ApiService {
    pub(crate) fn new(server: ApiServer, identity: Identity) -> Self {
        Self {
            server,
            identity: Arc::new(identity),
        }
    }
}

impl<B> tower::Service<Request<B>> for ApiService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answer {
        self.server.start();
        let (server, identity) = (self.server.clone(), Arc::clone(&self.identity));
        Box::pin(async move { Ok(handlers::handle(server.state(), Ok(identity), request).await) })
    }
}

// === impl ConnectionService ===

impl ConnectionService {
    pub(crate) fn new(server: ApiServer, certificate: Option<Arc<Identity>>, end: CancellationToken) -> Self {
        Self {
            server,
            certificate,
            end,
            used: Arc::default(),
        }
    }

    /// Tells whether there was a request.
    pub(crate) fn used(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.used)
    }
}

impl<B> tower::Service<Request<B>> for ConnectionService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answer {
        self.used.store(true, Ordering::Relaxed);
        let (server, end) = (self.server.clone(), self.end.clone());
        let identity = authenticate(server.state(), self.certificate.as_ref(), request.headers());
        Box::pin(async move {
            let response = handlers::handle(server.state(), identity, request).await;
            Ok(response.map(|body| body.ended_by(end.cancelled_owned())))
        })
    }
}

/// The certificate's user, or the token's. A token that is wrong is refused, also beside a certificate.
fn authenticate(state: &State, certificate: Option<&Arc<Identity>>, headers: &HeaderMap) -> Result<Arc<Identity>> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
    match (certificate, token) {
        (Some(identity), None) => Ok(Arc::clone(identity)),
        (_, Some(token)) => state.token(token.trim()).map(Arc::new).ok_or(ApiError::Unauthorized),
        (None, None) => Err(ApiError::Unauthorized),
    }
}
