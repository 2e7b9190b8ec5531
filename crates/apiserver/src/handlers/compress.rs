//! Long answers, compressed for those who offer to take them so. Never watches: their lines must not wait for more.

use std::{
    io::Write,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures::Stream;
use http::{HeaderMap, HeaderValue, Response, header};

use crate::Body;

/// Answers up to this length are sent as they are.
const WORTH_IT: usize = 128 << 10;

/// So much is compressed at a time: others get their turn in between, and the client has something to read.
const PIECE: usize = 64 << 10;

/// The answer, compressed if that is worth it and the client takes it.
pub(super) fn compressed(request: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
    let Some(bytes) = response.body().bytes().filter(|bytes| bytes.len() > WORTH_IT) else {
        return response;
    };
    if !accepts_gzip(request) {
        return response;
    }
    let pieces = Pieces {
        bytes: bytes.clone(),
        encoder: Some(GzEncoder::new(Vec::new(), Compression::fast())),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    response.map(|_| Body::stream(pieces))
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    let offered = request.get_all(header::ACCEPT_ENCODING).iter();
    offered
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let refused = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()) == Some(0.0);
            name.trim() == "gzip" && !refused
        })
}

struct Pieces {
    /// What is yet to be compressed.
    bytes: Bytes,
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl Stream for Pieces {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
        Poll::Ready(self.get_mut().next())
    }
}

impl Pieces {
    fn next(&mut self) -> Option<Bytes> {
        let mut encoder = self.encoder.take()?;
        while !self.bytes.is_empty() {
            let piece = self.bytes.split_to(self.bytes.len().min(PIECE));
            encoder.write_all(&piece).expect("a Vec takes all that is written");
            if !encoder.get_ref().is_empty() {
                let made = std::mem::take(encoder.get_mut());
                self.encoder = Some(encoder);
                return Some(made.into());
            }
        }
        Some(encoder.finish().expect("a Vec takes all that is written").into())
    }
}
