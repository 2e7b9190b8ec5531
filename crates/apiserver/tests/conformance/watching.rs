//! A watch, read line by line.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http_body::Body;
use http_body_util::BodyStream;
use serde_json::Value;

use crate::answer::type_and_name;

/// The events of a watch.
pub(crate) struct Watch {
    frames: Pin<Box<dyn Stream<Item = Bytes>>>,
    read: BytesMut,
}

impl Watch {
    pub(crate) fn new(body: impl Body<Data = Bytes> + 'static) -> Self {
        // A frame that isn't data (trailers) or an error ends the stream for us.
        let frames = BodyStream::new(body)
            .map(|frame| frame.ok().and_then(|frame| frame.into_data().ok()))
            .take_while(|data| std::future::ready(data.is_some()))
            .filter_map(std::future::ready);
        Self {
            frames: Box::pin(frames),
            read: BytesMut::new(),
        }
    }

    /// The next event, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(end + 1);
                return Some(serde_json::from_slice(&line).unwrap());
            }
            match self.frames.next().await {
                Some(bytes) => self.read.extend_from_slice(&bytes),
                None if self.read.is_empty() => return None,
                None => panic!("the watch ends within a line: {:?}", self.read),
            }
        }
    }

    /// The next events as `TYPE name`.
    pub(crate) async fn names(&mut self, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(type_and_name(&self.next().await.expect("the watch goes on")));
        }
        names
    }
}
