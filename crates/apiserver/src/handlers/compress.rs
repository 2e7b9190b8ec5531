//! Long answers, compressed for those who offer to take them so. Never watches: their lines must not wait for more.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Response, header};

use crate::Body;

/// Answers up to this length are sent as they are.
pub(super) const WORTH_IT: usize = 128 << 10;

/// The answer, compressed if that is worth it and the client takes it.
pub(super) fn compressed(request: &HeaderMap, response: Response<Body>) -> Response<Body> {
    if !accepts_gzip(request) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = match body.into_pieces(WORTH_IT) {
        Err(body) => body,
        Ok(pieces) => {
            parts
                .headers
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            parts
                .headers
                .append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
            Body::pieces(Compressed {
                pieces,
                encoder: Some(GzEncoder::new(Vec::new(), Compression::fast())),
            })
        }
    };
    Response::from_parts(parts, body)
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

/// Compresses a piece at a time: others get their turn in between, and the client has something to read.
struct Compressed {
    /// What is yet to be compressed.
    pieces: Box<dyn Iterator<Item = Bytes> + Send>,
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl Iterator for Compressed {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut encoder = self.encoder.take()?;
        for piece in self.pieces.by_ref() {
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
