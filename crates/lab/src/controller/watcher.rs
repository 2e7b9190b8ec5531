//! A watch that does not end: waits for its kind to exist, goes on where it broke off, and says when it missed something.

use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, StreamExt};

use crate::actor::{Context, Key, Watch};
use crate::client::{self, Event};
use crate::conditions;
use crate::kind::{self, Kind};

/// Pause before a watch that failed is opened anew: the server is in the same process, so a failure is short.
const REOPEN: Duration = Duration::from_millis(20);
const REOPEN_LAST: Duration = Duration::from_secs(2);

/// What a watch has to tell.
pub(super) enum Seen {
    /// Keys that an event wakes.
    Keys(Vec<Key>),
    /// Events may have been missed.
    Gap,
}

/// The stream of one watch.
pub(super) type WatchStream = Pin<Box<dyn Stream<Item = Seen> + Send>>;

struct Watcher {
    context: Context,
    watch: Watch,
    /// The last resourceVersion seen, from which to go on.
    at: Option<String>,
    opened_before: bool,
    failures: u32,
    events: Option<client::Events>,
}

/// Watches for ever.
pub(super) fn open(context: Context, watch: Watch) -> WatchStream {
    let watcher = Watcher {
        context,
        watch,
        at: None,
        opened_before: false,
        failures: 0,
        events: None,
    };
    futures::stream::unfold(watcher, async |mut watcher| {
        let seen = watcher.next().await;
        Some((seen, watcher))
    })
    .boxed()
}

impl Watcher {
    async fn next(&mut self) -> Seen {
        loop {
            let Some(events) = &mut self.events else {
                if self.open().await {
                    return Seen::Gap;
                }
                continue;
            };
            match events.next().await {
                Some(Ok(Event::Applied(object) | Event::Deleted(object))) => {
                    self.failures = 0;
                    self.at = object["metadata"]["resourceVersion"].as_str().map(str::to_owned);
                    let keys = (self.watch.wakes)(&object);
                    if !keys.is_empty() {
                        return Seen::Keys(keys);
                    }
                }
                Some(Err(error)) => {
                    self.events = None;
                    self.failed(&error).await;
                }
                None => self.events = None,
            }
        }
    }

    /// Opens the watch. True where it starts from scratch after having run before, so that deletions may be missed.
    async fn open(&mut self) -> bool {
        let from = self.at.clone();
        match self
            .context
            .client
            .watch_from(self.watch.kind, self.watch.part, from.as_deref())
            .await
        {
            Ok(events) => {
                let gap = self.opened_before && from.is_none();
                self.events = Some(events);
                self.opened_before = true;
                gap
            }
            Err(error) if client::is_not_found(&error) => {
                self.at = None;
                established(&self.context, self.watch.kind).await;
                false
            }
            Err(error) => {
                self.failed(&error).await;
                false
            }
        }
    }

    async fn failed(&mut self, error: &client::Error) {
        tracing::debug!(kind = self.watch.kind.kind, error = %error, "watch broke off");
        if client::is_gone(error) {
            self.at = None;
        }
        let pause = REOPEN.saturating_mul(1 << self.failures.min(7)).min(REOPEN_LAST);
        self.failures = self.failures.saturating_add(1);
        tokio::time::sleep(pause).await;
    }
}

/// Waits until the CRD of a kind is Established.
async fn established(context: &Context, kind: Kind) {
    let name = format!("{}.{}", kind.plural, kind.group);
    loop {
        if let Ok(mut events) = context
            .client
            .watch_named(kind::CUSTOM_RESOURCE_DEFINITION, &name)
            .await
        {
            while let Some(Ok(event)) = events.next().await {
                if matches!(&event, Event::Applied(crd) if conditions::is_true(crd, "Established")) {
                    return;
                }
            }
        }
        tokio::time::sleep(REOPEN_LAST).await;
    }
}
