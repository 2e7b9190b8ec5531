//! What is to be looked at again later, if nothing changes before.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{self, Instant, Sleep};

use crate::store::Item;

#[derive(Default)]
pub(super) struct Agenda {
    /// In the order in which they are due, and of those that are due at once the order in which they came.
    due: BTreeMap<Instant, Vec<Item>>,
    items: BTreeSet<Item>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Agenda {
    /// Notes an object, unless it is noted already. A time that is too far away to be told never comes.
    pub(super) fn add(&mut self, item: Item, later: Duration) {
        // Only tokio's time passes here.
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        if let Some(due) = Instant::now().checked_add(later)
            && self.items.insert(item.clone())
        {
            self.due.entry(due).or_default().push(item);
        }
    }

    pub(super) fn holds(&self, item: &Item) -> bool {
        self.items.contains(item)
    }

    /// Takes the next object that is due.
    pub(super) fn poll_due(&mut self, context: &mut Context<'_>) -> Poll<Item> {
        let Some(mut first) = self.due.first_entry() else {
            return Poll::Pending;
        };
        let at = *first.key();
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(time::sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        if sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let item = first.get_mut().remove(0);
        if first.get().is_empty() {
            first.remove();
        }
        self.items.remove(&item);
        Poll::Ready(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ObjectKey, ResourceId};

    #[tokio::test(start_paused = true)]
    async fn what_is_due_at_the_end_of_time_is_never_due() {
        let mut agenda = Agenda::default();
        let item = |name: &str| Item {
            resource: ResourceId::new("", "events"),
            key: ObjectKey::new("default", name),
        };
        agenda.add(item("never"), Duration::MAX);
        agenda.add(item("soon"), Duration::from_secs(1));
        let due = std::future::poll_fn(|context| agenda.poll_due(context)).await;
        assert_eq!(due, item("soon"));
        assert!(!agenda.holds(&item("never")));
    }
}
