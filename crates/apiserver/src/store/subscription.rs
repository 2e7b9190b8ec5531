//! Following the changes of a resource. A subscription keeps a place in the history and reads on from there: nothing is
//! queued for it, so a slow reader costs no memory; one that falls behind the history is told so.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::Stream;

use super::{Event, ResourceId, Scope, Store, flush::GroupFlush};

/// So many changes are handed out at a time: what a reader that stops in between holds back from being forgotten.
const BATCH: usize = 32;

/// The history no longer reaches back to where the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Where the reader was.
    pub(crate) at: u64,
    /// The oldest revision that can be followed from.
    pub(crate) oldest: u64,
}

/// A stream of changes, some at a time, in order. All of the resource's are handed out; the scope says which of them are not
/// to be waited longer for.
pub(crate) struct Subscription {
    store: Arc<Store>,
    resource: ResourceId,
    scope: Scope,
    id: u64,
    after: u64,
}

impl Subscription {
    pub(super) fn new(store: Arc<Store>, resource: ResourceId, scope: Scope, id: u64, after: u64) -> Self {
        Self {
            store,
            resource,
            scope,
            id,
            after,
        }
    }

    /// The revision up to which this reader has seen everything. Meaningful when the stream was just pending.
    pub(crate) fn seen(&self) -> u64 {
        let inner = self.store.lock();
        let next = inner
            .tables
            .get(&self.resource)
            .and_then(|table| table.after(self.after, 1).ok());
        let seen = match next.and_then(|events| events.first().map(|event| event.object.revision)) {
            Some(unseen) => unseen - 1,
            None => inner.revision.max(self.after),
        };
        let flushed = self.store.flush.as_ref().map_or(u64::MAX, GroupFlush::flushed);
        seen.min(flushed.max(self.after))
    }
}

impl Stream for Subscription {
    type Item = Result<Vec<Arc<Event>>, Lost>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let mut inner = this.store.lock();
        let table = inner.table(&this.resource);
        match table.after(this.after, BATCH) {
            Err(oldest) => Poll::Ready(Some(Err(Lost { at: this.after, oldest }))),
            Ok(events) => {
                let Some(last) = events.last() else {
                    table.wait(this.id, this.scope.clone(), context.waker().clone());
                    return Poll::Pending;
                };
                // What a loss of power could still undo is not shown: the number would come again, for another change.
                let flush = this.store.flush.as_ref();
                if flush.is_some_and(|flush| !flush.reached(last.object.revision, context)) {
                    return Poll::Pending;
                }
                this.after = last.object.revision;
                Poll::Ready(Some(Ok(events)))
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(table) = self.store.lock().tables.get_mut(&self.resource) {
            table.leave(self.id);
        }
    }
}
