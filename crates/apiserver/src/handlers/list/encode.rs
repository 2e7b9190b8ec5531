//! A list as JSON. What is stored of each object is copied as it is.

use std::{iter, sync::Arc, vec};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    Body,
    body::PIECE,
    handlers::{compress::WORTH_IT, context::Context, render},
    negotiate::Shape,
    objects,
    resource::Resource,
    store::Stored,
};

/// A list, written piece by piece.
pub(super) struct Encoder {
    resource: Arc<Resource>,
    shape: Shape,
    include: render::IncludeObject,
    now: Timestamp,
    /// What is yet to be written.
    objects: iter::Enumerate<vec::IntoIter<Arc<Stored>>>,
    piece: Vec<u8>,
    ended: bool,
}

impl Encoder {
    pub(super) fn new(context: &Context<'_>, shape: Shape, metadata: &Value, objects: Vec<Arc<Stored>>) -> Self {
        Self {
            resource: Arc::clone(&context.resource),
            shape,
            include: render::IncludeObject::of(&context.query),
            now: context.state.now(),
            objects: objects.into_iter().enumerate(),
            piece: head(&context.resource, shape, metadata).into_bytes(),
            ended: false,
        }
    }

    /// All of it.
    pub(super) fn whole(mut self) -> Vec<u8> {
        self.next(usize::MAX).unwrap_or_default()
    }

    /// All of a short list; of a long one each piece when the client takes it, so that one who reads slowly keeps no copy
    /// of everything.
    pub(super) fn body(mut self) -> Body {
        let first = self.next(WORTH_IT).unwrap_or_default();
        if self.ended {
            return Body::whole(first);
        }
        let rest = iter::from_fn(move || self.next(PIECE));
        Body::pieces(iter::once(first).chain(rest).map(Into::into))
    }

    /// The next piece, which is about as long as that is enough.
    fn next(&mut self, enough: usize) -> Option<Vec<u8>> {
        if self.ended {
            return None;
        }
        for (index, stored) in self.objects.by_ref() {
            if index > 0 {
                self.piece.push(b',');
            }
            let (resource, shape, piece) = (&self.resource, self.shape, &mut self.piece);
            match shape {
                Shape::Table => render::write_row(resource, self.include, &stored, self.now, piece),
                // Items of built-in lists have no type of their own; those of custom kinds do.
                Shape::Itself if !resource.is_custom() => piece.extend_from_slice(&objects::body(resource, &stored)),
                Shape::Itself | Shape::Metadata => render::write_object(resource, shape, &stored, piece),
            }
            if piece.len() > enough {
                return Some(std::mem::replace(piece, Vec::with_capacity(PIECE * 2)));
            }
        }
        self.ended = true;
        self.piece.extend_from_slice(b"]}");
        Some(std::mem::take(&mut self.piece))
    }
}

/// Everything of a list up to its first item.
fn head(resource: &Resource, shape: Shape, metadata: &Value) -> String {
    let itself = (resource.list_kind.as_str(), &*resource.api_version());
    let ((kind, api_version), items) = match shape {
        Shape::Table => (
            ("Table", "meta.k8s.io/v1"),
            format!("\"columnDefinitions\":{},\"rows\"", render::columns(resource.printer())),
        ),
        Shape::Metadata => (("PartialObjectMetadataList", "meta.k8s.io/v1"), "\"items\"".to_owned()),
        Shape::Itself => (itself, "\"items\"".to_owned()),
    };
    let (kind, api_version) = (Value::from(kind), Value::from(api_version));
    format!("{{\"kind\":{kind},\"apiVersion\":{api_version},\"metadata\":{metadata},{items}:[")
}
