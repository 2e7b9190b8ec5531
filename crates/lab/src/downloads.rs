//! Serves the `hcp` archive over HTTPS, under the paths that the multicluster engine's download service has
//! (`/<os>/<arch>/hcp.tar.gz`, or `/hcp-<os>-<arch>.tar.gz`). What is in it is this very program, which is a drop-in for `hcp`
//! under that name.
//!
//! Only the archive for this machine's own system exists: there is no program of another to put in.

mod archive;

use std::convert::Infallible;
use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::sockets::serve_https;

type Body = BoxBody<Bytes, std::io::Error>;

/// Serves until it is dropped. The program is an open file, so that it is the one that runs even where another took its
/// place on the disk meanwhile.
pub(crate) async fn serve(listener: TcpListener, tls: Arc<rustls::ServerConfig>, program: Arc<File>) -> Infallible {
    serve_https(listener, TlsAcceptor::from(tls), "download", || {
        let program = Arc::clone(&program);
        service_fn(move |request| {
            let answer = answer(&request, &program);
            async move { Ok(answer) }
        })
    })
    .await
}

fn answer(request: &Request<Incoming>, program: &Arc<File>) -> Response<Body> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are served here\n");
    }
    if !own_paths().contains(&request.uri().path().to_owned()) {
        return text(
            StatusCode::NOT_FOUND,
            "this lab has only the archive for its own system\n",
        );
    }
    let body = if request.method() == Method::HEAD {
        Full::new(Bytes::new()).map_err(|never| match never {}).boxed()
    } else {
        archive::stream(Arc::clone(program))
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/gzip"),
    );
    response
}

/// The paths of this machine's archive, in the words of Go's ports: each generation's links have their own.
fn own_paths() -> [String; 2] {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        other => other,
    };
    let os = if std::env::consts::OS == "macos" {
        "darwin"
    } else {
        std::env::consts::OS
    };
    [format!("/{os}/{arch}/hcp.tar.gz"), format!("/hcp-{os}-{arch}.tar.gz")]
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(
        Full::new(Bytes::from_static(text.as_bytes()))
            .map_err(|never| match never {})
            .boxed(),
    );
    *response.status_mut() = status;
    response
}
