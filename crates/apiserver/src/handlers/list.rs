//! `GET` of a collection: selected, in pages, at a version.

mod encode;
mod options;

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

pub(super) use self::options::{Filter, ListOptions, check_not_in_the_future, forbidden, revision};
use self::{
    encode::Encoder,
    options::{Page, Position},
};
use super::{context::Context, render};
use crate::{
    Body,
    negotiate::{Answer, Encoding},
    status::{ApiError, Result},
    store::{Listing, ObjectKey, Stored},
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
    let encoder = Encoder::new(context, form.shape, &metadata, found.objects);
    if form.encoding == Encoding::Json && !context.pretty() {
        let response = render::respond(StatusCode::OK, Encoding::Json, Vec::new());
        return Ok(response.map(|_| encoder.body()));
    }
    let value = serde_json::from_slice(&encoder.whole()).expect("what was just encoded decodes");
    render::encoded(context, StatusCode::OK, form.encoding, &value)
}

/// The objects that a request selects: what `deletecollection` works on.
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
            (listing, Some(ObjectKey::new(last, name)))
        }
    };
    Ok(page(context, options, listing, start))
}

fn page(context: &Context<'_>, options: &ListOptions, listing: Listing, start: Option<ObjectKey>) -> Found {
    let filter = &options.filter;
    let Listing { revision, objects } = listing;
    let mut objects: Vec<Arc<Stored>> = objects
        .into_iter()
        .filter(|stored| filter.matches(&context.resource, stored))
        .collect();
    if let Some(start) = start {
        let after = objects.partition_point(|stored| stored.key <= start);
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
