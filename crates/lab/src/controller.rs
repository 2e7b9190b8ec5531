//! Runs an actor: opens its watches, turns events into keys, and reconciles each key until it has nothing left to do.
//!
//! One task an actor. A key is reconciled at most once at a time; different keys side by side. An event on a key that is
//! being reconciled makes it run again afterwards. All of it happens in one future, in an order that depends only on the
//! order of events, so that a simulated world repeats itself.

mod queue;
mod watcher;

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, SelectAll};
use futures::{FutureExt, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::actor::{Actor, Context, Key, Next};
use crate::client;

use queue::Queue;
use watcher::{Seen, WatchStream};

/// Runs an actor until it is told to stop. Reconciles in flight are dropped then: actors survive a kill at any point.
pub(crate) async fn run(actor: Arc<dyn Actor>, context: Context, shutdown: CancellationToken) {
    let mut watches: SelectAll<WatchStream> = actor
        .watches()
        .into_iter()
        .map(|watch| watcher::open(context.clone(), watch))
        .collect();
    let mut queue = Queue::new(context.time.clone(), context.random.clone());
    let mut running: FuturesUnordered<BoxFuture<'static, (Key, client::Result<Next>)>> = FuturesUnordered::new();
    loop {
        for key in queue.take_ready() {
            running.push(reconcile(&actor, &context, key));
        }
        // Every arm is cancel-safe: a stream that is not polled to an item loses none, and the timer is made anew.
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            Some((key, result)) = running.next() => {
                if let Err(error) = &result {
                    report(&*actor, &key, error);
                }
                queue.done(key, result.ok());
            }
            Some(seen) = watches.next() => match seen {
                Seen::Keys(keys) => keys.into_iter().for_each(|key| queue.wake(key)),
                Seen::Gap => queue.wake_known(),
            },
            () = queue.next_due() => {}
        }
    }
}

fn reconcile(actor: &Arc<dyn Actor>, context: &Context, key: Key) -> BoxFuture<'static, (Key, client::Result<Next>)> {
    let (actor, context) = (Arc::clone(actor), context.clone());
    async move {
        let result = actor.reconcile(&context, &key).await;
        (key, result)
    }
    .boxed()
}

/// Conflicts are the daily bread of controllers and not worth a warning.
fn report(actor: &dyn Actor, key: &Key, error: &client::Error) {
    if client::is_conflict(error) {
        tracing::debug!(actor = actor.name(), key = %key, "conflict, will retry");
    } else {
        tracing::warn!(actor = actor.name(), key = %key, error = %error, "reconcile failed, will retry");
    }
}

#[cfg(test)]
mod tests;
