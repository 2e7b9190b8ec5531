//! `GET` with `watch`: a stream of changes, one JSON document a line.

mod encode;

use std::{
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context as TaskContext, Poll},
    time::Duration,
    vec,
};

use bytes::Bytes;
use futures::Stream;
use http::{Response, StatusCode, header};
use tokio::time::{Instant, Sleep};

use self::encode::{Encoder, Served};
use super::{
    context::Context,
    list::{self, Filter},
};
use crate::{
    Body,
    negotiate::{Answer, Encoding},
    server::State,
    status::{ApiError, Result},
    store::{Event, Lost, Scope, Stored, Subscription},
};

/// How long a watch lasts if the client doesn't say.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(30);

/// How often a client hears where it is, if it wants to.
const BOOKMARKS: Duration = Duration::from_mins(1);

/// What is asked for besides the selection.
struct WatchOptions {
    /// Follow from here; `None` for all that is there, and then from now on.
    after: Option<u64>,
    initial: bool,
    /// Whether the end of what was there at first is to be marked.
    marks_end: bool,
    bookmarks: bool,
    timeout: Duration,
}

pub(super) fn watch(context: &Context<'_>) -> Result<Response<Body>> {
    let form = context.form(Answer::Watch)?;
    if form.encoding != Encoding::Json {
        return Err(ApiError::NotAcceptable);
    }
    let filter = Filter::parse(context)?;
    let options = WatchOptions::parse(context)?;
    let encoder = Encoder::new(context, form.shape, filter);
    let (mut initial, mut next) = (Vec::new(), None);
    let (store, resource) = (&context.state.store, &context.resource);
    let after = match options.after {
        Some(after) if !options.initial => after,
        _ => {
            let listing = store.list(&resource.id, context.path.namespace.as_deref());
            if options.initial {
                initial = listing.objects;
            }
            if options.marks_end {
                next = Some(encoder.bookmark(listing.revision, true));
            }
            listing.revision
        }
    };
    let scope = Scope {
        namespace: context.path.namespace.as_deref().map(Arc::from),
        name: encoder.exact_name().map(Arc::from),
    };
    let stream = WatchStream {
        state: Arc::downgrade(context.state),
        subscription: store.subscribe(&resource.id, scope, after),
        encoder,
        initial: initial.into_iter(),
        next,
        events: Vec::new().into_iter(),
        ends: Box::pin(tokio::time::sleep(options.timeout)),
        bookmark: options.bookmarks.then(|| Box::pin(tokio::time::sleep(BOOKMARKS))),
        finished: false,
    };
    let mut response = Response::new(Body::endless(stream));
    *response.status_mut() = StatusCode::OK;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    Ok(response)
}

impl WatchOptions {
    fn parse(context: &Context<'_>) -> Result<Self> {
        let query = &context.query;
        let asked = query
            .get("resourceVersion")
            .map(list::revision)
            .transpose()?
            .filter(|revision| *revision > 0);
        let (initial, matching) = (query.set_flag("sendInitialEvents"), query.get("resourceVersionMatch"));
        match (initial, matching) {
            (Some(_), Some("NotOlderThan")) | (None, None) => {}
            (Some(_), _) => {
                let text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
                return Err(list::forbidden("resourceVersionMatch", text));
            }
            (None, Some(_)) => {
                let text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
                return Err(list::forbidden("resourceVersionMatch", text));
            }
        }
        let timeout = match query.get("timeoutSeconds") {
            None => DEFAULT_TIMEOUT,
            Some(text) => {
                let seconds = text
                    .parse()
                    .map_err(|_| ApiError::BadRequest(format!("invalid timeoutSeconds: {text}")))?;
                if seconds == 0 {
                    DEFAULT_TIMEOUT
                } else {
                    Duration::from_secs(seconds)
                }
            }
        };
        let bookmarks = query.flag("allowWatchBookmarks");
        let begins = initial.unwrap_or(asked.is_none());
        Ok(Self {
            after: asked,
            initial: begins,
            marks_end: begins && bookmarks,
            bookmarks,
            timeout,
        })
    }
}

/// The lines of a watch, each made when it can be sent.
struct WatchStream {
    /// Weak: a client that keeps its watch open does not keep a server alive that its owner has dropped.
    state: Weak<State>,
    subscription: Subscription,
    encoder: Encoder,
    /// What was there at first and is yet to be sent.
    initial: vec::IntoIter<Arc<Stored>>,
    /// A line to be sent after that.
    next: Option<Bytes>,
    /// Changes that are yet to be sent.
    events: vec::IntoIter<Arc<Event>>,
    ends: Pin<Box<Sleep>>,
    bookmark: Option<Pin<Box<Sleep>>>,
    finished: bool,
}

impl Stream for WatchStream {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Option<Bytes>> {
        let this = self.get_mut();
        loop {
            if let Some(line) = this.line() {
                return Poll::Ready(Some(line));
            }
            if this.finished {
                return Poll::Ready(None);
            }
            match Pin::new(&mut this.subscription).poll_next(context) {
                // Who comes again sees these changes as the new schema shows them.
                Poll::Ready(Some(Ok(_))) if this.served() == Served::Otherwise => this.finished = true,
                Poll::Ready(Some(Ok(events))) => this.events = events.into_iter(),
                Poll::Ready(Some(Err(Lost { at, oldest }))) => {
                    this.next = Some(Encoder::error(&ApiError::expired_at(at, oldest)));
                    this.finished = true;
                }
                Poll::Ready(None) => this.finished = true,
                Poll::Pending => {
                    if !this.waits(context) {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl WatchStream {
    /// The next line of what is known already.
    fn line(&mut self) -> Option<Bytes> {
        let encoder = &mut self.encoder;
        let initial = self.initial.find_map(|stored| encoder.initial(&stored));
        initial
            .or_else(|| self.next.take())
            .or_else(|| self.events.find_map(|event| encoder.event(&event)))
    }

    fn served(&self) -> Served {
        let state = self.state.upgrade();
        state.map_or(Served::NoLonger, |state| self.encoder.served(&state.registry()))
    }

    /// Looks at the clocks while nothing changes; whether there is now something to send, or an end.
    fn waits(&mut self, context: &mut TaskContext<'_>) -> bool {
        if self.served() != Served::AsBefore {
            self.finished = true;
            return true;
        }
        if self.ends.as_mut().poll(context).is_ready() {
            if self.bookmark.is_some() {
                self.next = Some(self.encoder.bookmark(self.subscription.seen(), false));
            }
            self.finished = true;
            return true;
        }
        let Some(bookmark) = &mut self.bookmark else {
            return false;
        };
        if bookmark.as_mut().poll(context).is_pending() {
            return false;
        }
        bookmark.as_mut().reset(Instant::now() + BOOKMARKS);
        self.next = Some(self.encoder.bookmark(self.subscription.seen(), false));
        true
    }
}
