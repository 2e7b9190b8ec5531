//! Bodies of requests, read up to a limit, and of answers: bytes, pieces of a long list, or a stream of watch events.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time;

use crate::status::{ApiError, Result};

/// The longest body that a request may have.
pub(crate) const LIMIT: usize = 3 << 20;

/// Long answers are sent in pieces of about so many bytes.
pub(crate) const PIECE: usize = 64 << 10;

/// How long the body of a request may take to arrive.
const PATIENCE: Duration = Duration::from_mins(1);

/// The body of an answer.
pub struct Body(Inner);

enum Inner {
    Whole(Option<Bytes>),
    Pieces(Box<dyn Iterator<Item = Bytes> + Send>),
    Endless(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

// === impl Body ===

impl Body {
    /// No body.
    pub(crate) fn empty() -> Self {
        Self(Inner::Whole(None))
    }

    /// A body of which the length is known.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Inner::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty())))
    }

    /// A body of which each piece is made when the one before was sent. A short one should be sent as a whole.
    pub(crate) fn pieces(pieces: impl Iterator<Item = Bytes> + Send + 'static) -> Self {
        Self(Inner::Pieces(Box::new(pieces)))
    }

    /// A body that goes on for as long as the stream does.
    pub(crate) fn endless(stream: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self(Inner::Endless(Box::pin(stream)))
    }

    /// The pieces of a body that ends and is longer than this; else the body.
    pub(crate) fn into_pieces(self, longer_than: usize) -> Result<Box<dyn Iterator<Item = Bytes> + Send>, Self> {
        match self.0 {
            Inner::Pieces(pieces) => Ok(pieces),
            Inner::Whole(Some(mut bytes)) if bytes.len() > longer_than => Ok(Box::new(std::iter::from_fn(move || {
                let piece = bytes.split_to(bytes.len().min(PIECE));
                (!piece.is_empty()).then_some(piece)
            }))),
            inner => Err(Self(inner)),
        }
    }

    /// The same, but a body that would go on ends at the latest when this future completes.
    pub(crate) fn ended_by(self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        match self.0 {
            Inner::Endless(stream) => Self::endless(stream.take_until(Box::pin(end))),
            Inner::Whole(_) | Inner::Pieces(_) => self,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Inner::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Inner::Pieces(pieces) => Poll::Ready(pieces.next().map(|bytes| Ok(Frame::data(bytes)))),
            Inner::Endless(stream) => stream
                .as_mut()
                .poll_next(context)
                .map(|next| next.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Inner::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Inner::Pieces(_) | Inner::Endless(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Whole(bytes) => write!(f, "Body({} bytes)", bytes.as_ref().map_or(0, Bytes::len)),
            Inner::Pieces(_) => f.write_str("Body(pieces)"),
            Inner::Endless(_) => f.write_str("Body(stream)"),
        }
    }
}

/// Reads the body of a request. It has to arrive in time.
pub(crate) async fn read<B>(body: B) -> Result<Bytes>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let collected = time::timeout(PATIENCE, Limited::new(body, LIMIT).collect()).await;
    let Ok(collected) = collected else {
        let seconds = PATIENCE.as_secs();
        return Err(ApiError::BadRequest(format!(
            "the request's body did not arrive within {seconds} seconds"
        )));
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::TooLarge(format!("limit is {LIMIT}"))),
        Err(error) => Err(ApiError::bad_request(format!(
            "failed to read the request's body: {error}"
        ))),
    }
}
