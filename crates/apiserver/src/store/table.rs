//! The objects of one resource, and the last changes of them.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::{Arc, OnceLock},
    task::Waker,
};

use bytes::Bytes;

use super::{ObjectKey, Stored};

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    Added,
    Modified,
    Deleted,
}

/// One change of one object.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) key: ObjectKey,
    /// The object after the change; for a deletion its last state.
    pub(crate) object: Arc<Stored>,
    /// The object before.
    pub(crate) previous: Option<Arc<Stored>>,
    /// The event as one line for watchers, made by the first that needs it: (the `apiVersion` it is for, the line).
    pub(crate) line: OnceLock<(String, Bytes)>,
}

/// A history of large objects is shorter: it may take so many bytes, unless it has hardly any events.
const HISTORY_BYTES: usize = 8 << 20;
const HISTORY_LEAST: usize = 32;

#[derive(Debug)]
pub(crate) struct Table {
    objects: BTreeMap<ObjectKey, Arc<Stored>>,
    history: VecDeque<Arc<Event>>,
    /// How much the objects of the history take.
    bytes: usize,
    /// Changes up to this revision may be missing from the history.
    floor: u64,
    capacity: usize,
    /// Who waits for the next change. Ordered, so that all are woken in the order in which they came.
    waiting: BTreeMap<u64, Waker>,
}

impl Table {
    pub(crate) fn new(floor: u64, capacity: usize) -> Self {
        Self {
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            bytes: 0,
            floor,
            capacity,
            waiting: BTreeMap::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    pub(crate) fn get(&self, key: &ObjectKey) -> Option<Arc<Stored>> {
        self.objects.get(key).cloned()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ObjectKey, &Arc<Stored>)> {
        self.objects.iter()
    }

    pub(crate) fn list(&self, namespace: Option<&str>) -> Vec<Arc<Stored>> {
        range(&self.objects, namespace)
            .map(|(_, stored)| Arc::clone(stored))
            .collect()
    }

    /// The objects as they were at a revision: today's, with the changes since undone.
    pub(crate) fn list_at(&self, namespace: Option<&str>, revision: u64) -> Option<Vec<Arc<Stored>>> {
        if revision < self.floor {
            return None;
        }
        let mut objects: BTreeMap<ObjectKey, Arc<Stored>> = range(&self.objects, namespace)
            .map(|(key, stored)| (key.clone(), Arc::clone(stored)))
            .collect();
        for event in self
            .history
            .iter()
            .rev()
            .take_while(|event| event.object.revision > revision)
        {
            if namespace.is_some_and(|namespace| *event.key.namespace != *namespace) {
                continue;
            }
            match &event.previous {
                Some(previous) => objects.insert(event.key.clone(), Arc::clone(previous)),
                None => objects.remove(&event.key),
            };
        }
        Some(objects.into_values().collect())
    }

    /// Changes after a revision; `Err` with the oldest revision that can be asked for, where some are missing.
    pub(crate) fn after(&self, revision: u64) -> Result<Vec<Arc<Event>>, u64> {
        if revision < self.floor {
            return Err(self.floor);
        }
        let start = self.history.partition_point(|event| event.object.revision <= revision);
        Ok(self.history.range(start..).cloned().collect())
    }

    pub(crate) fn wait(&mut self, subscription: u64, waker: Waker) {
        self.waiting.insert(subscription, waker);
    }

    pub(crate) fn leave(&mut self, subscription: u64) {
        self.waiting.remove(&subscription);
    }

    /// Records a change and returns whom to wake.
    pub(crate) fn change(&mut self, key: &ObjectKey, object: Arc<Stored>, removes: bool) -> Vec<Waker> {
        let previous = if removes {
            self.objects.remove(key)
        } else {
            self.objects.insert(key.clone(), Arc::clone(&object))
        };
        let kind = match (removes, &previous) {
            (true, _) => EventKind::Deleted,
            (false, None) => EventKind::Added,
            (false, Some(_)) => EventKind::Modified,
        };
        self.bytes += object.body.len();
        self.history.push_back(Arc::new(Event {
            kind,
            key: key.clone(),
            object,
            previous,
            line: OnceLock::new(),
        }));
        while self.is_too_long() {
            if let Some(oldest) = self.history.pop_front() {
                self.bytes -= oldest.object.body.len();
                self.floor = oldest.object.revision;
            }
        }
        self.wakers()
    }

    fn is_too_long(&self) -> bool {
        let length = self.history.len();
        length > self.capacity || (self.bytes > HISTORY_BYTES && length > HISTORY_LEAST)
    }

    /// Everyone who waits, in the order in which they came; they have to come again.
    pub(crate) fn wakers(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// Drops the history: the changes up to this revision are not known.
    pub(crate) fn forget(&mut self, revision: u64) {
        self.history.clear();
        self.bytes = 0;
        self.floor = revision;
    }
}

fn range<'a>(
    objects: &'a BTreeMap<ObjectKey, Arc<Stored>>,
    namespace: Option<&'a str>,
) -> impl Iterator<Item = (&'a ObjectKey, &'a Arc<Stored>)> {
    let start = match namespace {
        Some(namespace) => Bound::Included(ObjectKey::new(namespace, "")),
        None => Bound::Unbounded,
    };
    let within = move |key: &ObjectKey| namespace.is_none_or(|namespace| *key.namespace == *namespace);
    objects
        .range((start, Bound::Unbounded))
        .take_while(move |(key, _)| within(key))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table_after(changes: u64, size: usize) -> Table {
        let mut table = Table::new(0, 100);
        let key = ObjectKey::new("", "x");
        for revision in 1..=changes {
            let value = json!({"metadata": {}, "data": "x".repeat(size)});
            table.change(&key, Arc::new(Stored::encode(key.clone(), value, revision, 0)), false);
        }
        table
    }

    #[track_caller]
    fn check(changes: u64, size: usize, kept: u64) {
        let table = table_after(changes, size);
        let floor = changes - kept;
        assert_eq!(table.after(floor).map(|events| events.len() as u64), Ok(kept));
        if floor > 0 {
            assert_eq!(table.after(floor - 1).map(|events| events.len()), Err(floor));
        }
    }

    #[test]
    fn a_history_is_as_long_as_it_may_be() {
        check(50, 10, 50);
        check(150, 10, 100);
        check(70, 100 << 10, 70);
        check(90, 100 << 10, 81);
        check(40, 1 << 20, 32);
    }
}
