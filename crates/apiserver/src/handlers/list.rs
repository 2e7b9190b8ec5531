//! `GET` of a collection: selected, in pages, at a version.

mod options;

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

pub(super) use self::options::{Filter, ListOptions, check_not_in_the_future, forbidden, revision};
use self::options::{Page, Position};
use super::{compress::WORTH_IT, context::Context, render};
use crate::{
    Body,
    body::PIECE,
    negotiate::{Answer, Encoding, Form, Shape},
    objects,
    status::{ApiError, Result},
    store::{Listing, Stored},
};

/// One page of a list.
struct Found {
    revision: u64,
    objects: Vec<Arc<Stored>>,
    next: Option<String>,
    remaining: Option<usize>,
}

pub(super) fn list(context: &Context<'_>) -> Result<Response<Body>> {
    let options = ListOptions::parse(context)?;
    let form = context.form(Answer::List)?;
    let found = find(context, &options)?;
    let metadata = metadata(&found);
    match form {
        Form {
            encoding: Encoding::Json,
            shape: Shape::Itself,
        } if !context.pretty() => {
            let body = encode(context, &metadata, found.objects);
            Ok(render::respond(StatusCode::OK, Encoding::Json, Vec::new()).map(|_| body))
        }
        Form { encoding, shape } => {
            let value = value(context, shape, &metadata, &found.objects);
            render::encoded(context, StatusCode::OK, encoding, &value)
        }
    }
}

/// The objects of a request, all of them in one page: what `deletecollection` works on.
pub(super) fn selected(context: &Context<'_>) -> Result<Vec<Arc<Stored>>> {
    let options = ListOptions::parse(context)?;
    Ok(find(context, &options)?.objects)
}

fn find(context: &Context<'_>, options: &ListOptions) -> Result<Found> {
    let (store, resource) = (&context.state.store, &context.resource);
    let namespace = context.path.namespace.as_deref();
    let (listing, start) = match &options.position {
        Position::Now => (store.list(&resource.id, namespace), None),
        Position::Exactly(revision) => {
            let at = store.list_at(&resource.id, namespace, *revision);
            (
                at.ok_or_else(|| ApiError::expired_at(*revision, store.revision()))?,
                None,
            )
        }
        Position::After(Page {
            revision,
            namespace: last,
            name,
        }) => {
            let Some(listing) = store.list_at(&resource.id, namespace, *revision) else {
                return Err(expired_page(store.revision(), last, name));
            };
            (listing, Some((last.as_str(), name.as_str())))
        }
    };
    Ok(page(context, options, listing, start))
}

fn page(context: &Context<'_>, options: &ListOptions, listing: Listing, start: Option<(&str, &str)>) -> Found {
    let filter = &options.filter;
    let Listing { revision, objects } = listing;
    let mut objects: Vec<Arc<Stored>> = objects
        .into_iter()
        .filter(|stored| filter.matches(&context.resource, stored))
        .collect();
    if let Some(start) = start {
        let after = objects.partition_point(|stored| (&*stored.key.namespace, &*stored.key.name) <= start);
        objects.drain(..after);
    }
    let mut found = Found {
        revision,
        objects,
        next: None,
        remaining: None,
    };
    if let Some(limit) = options.limit.filter(|limit| *limit < found.objects.len()) {
        let remaining = found.objects.len() - limit;
        found.objects.truncate(limit);
        found.remaining = filter.is_everything().then_some(remaining);
        found.next = found
            .objects
            .last()
            .map(|last| Page::after(revision, &last.key).token());
    }
    found
}

/// A page of a list that is too long ago: the rest can be had as it is now.
fn expired_page(now: u64, namespace: &str, name: &str) -> ApiError {
    let rest = Page {
        revision: now,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let message = "The provided continue parameter is too old to display a consistent list result. You can start a new list \
                   without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
                   results. Continuing with the provided token results in an inconsistent list - objects that were created, \
                   modified, or deleted between the time the first chunk was returned and now may show up in the list.";
    ApiError::Expired {
        message: message.to_owned(),
        token: Some(rest.token()),
    }
}

fn metadata(found: &Found) -> Value {
    let mut metadata = json!({"resourceVersion": found.revision.to_string()});
    if let Some(next) = &found.next {
        metadata["continue"] = next.as_str().into();
    }
    if let Some(remaining) = found.remaining {
        metadata["remainingItemCount"] = remaining.into();
    }
    metadata
}

/// The list's JSON, with every item's bytes taken as they are stored: whole, or for a long list piece by piece as the client
/// takes it, so that one who reads slowly keeps no copy of everything.
fn encode(context: &Context<'_>, metadata: &Value, objects: Vec<Arc<Stored>>) -> Body {
    let resource = Arc::clone(&context.resource);
    let mut piece = Vec::new();
    let head = format!(
        "{{\"kind\":{},\"apiVersion\":{},\"metadata\":{metadata},\"items\":[",
        Value::from(resource.list_kind.as_str()),
        Value::from(resource.api_version())
    );
    piece.extend_from_slice(head.as_bytes());
    let head = resource.head();
    let mut objects = objects.into_iter().enumerate();
    let mut next = move |enough: usize| {
        for (index, stored) in objects.by_ref() {
            if index > 0 {
                piece.push(b',');
            }
            let body = objects::body(&resource, &stored);
            // Items of built-in lists have no type of their own; those of custom kinds do.
            if resource.is_custom() {
                Stored::splice(head.as_bytes(), &body, &mut piece);
            } else {
                piece.extend_from_slice(&body);
            }
            if piece.len() > enough {
                return (std::mem::replace(&mut piece, Vec::with_capacity(PIECE * 2)), false);
            }
        }
        piece.extend_from_slice(b"]}");
        (std::mem::take(&mut piece), true)
    };
    let (first, whole) = next(WORTH_IT);
    if whole {
        return Body::whole(first);
    }
    let mut ended = false;
    let rest = std::iter::from_fn(move || {
        let (piece, last) = (!ended).then(|| next(PIECE))?;
        ended = last;
        Some(piece)
    });
    Body::pieces(std::iter::once(first).chain(rest).map(Into::into))
}

fn value(context: &Context<'_>, shape: Shape, metadata: &Value, objects: &[Arc<Stored>]) -> Value {
    let resource = &context.resource;
    let values = objects.iter().map(|stored| objects::value(resource, stored));
    match shape {
        Shape::Table => render::table(context, metadata, true, values.collect()),
        Shape::Metadata => json!({
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "items": values.map(|object| render::metadata(&object)).collect::<Vec<_>>(),
        }),
        Shape::Itself => json!({
            "kind": resource.list_kind,
            "apiVersion": resource.api_version(),
            "metadata": metadata,
            "items": values.collect::<Vec<_>>(),
        }),
    }
}
