//! The objects of one resource, and the last changes of them.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    /// The event as watchers get it, in each form that one of them wanted.
    lines: Mutex<Vec<Line>>,
}

#[derive(Debug)]
struct Line {
    kind: &'static str,
    form: Arc<str>,
    bytes: Bytes,
}

/// A history of large objects is shorter: it may take so many bytes, unless it has hardly any events.
const HISTORY_BYTES: usize = 8 << 20;
const HISTORY_LEAST: usize = 32;

/// So many of the last events keep their lines: those who keep up share them, and who lags has them made again.
const LINES_KEPT: usize = 64;

/// Whoever waits is woken after so many changes of others, so that nobody falls behind the shortest history.
const UNSEEN: usize = HISTORY_LEAST / 2;

/// Which objects of a resource somebody follows; all where neither is said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) namespace: Option<Arc<str>>,
    pub(crate) name: Option<Arc<str>>,
}

#[derive(Debug)]
struct Waiting {
    scope: Scope,
    waker: Waker,
}

impl Scope {
    fn concerns(&self, key: &ObjectKey) -> bool {
        self.namespace
            .as_ref()
            .is_none_or(|namespace| *namespace == key.namespace)
            && self.name.as_ref().is_none_or(|name| *name == key.name)
    }
}

impl Event {
    /// The event as a line of a kind (`ADDED`) in a form (whatever tells one version or shape from another). It is made
    /// by the first watcher that needs it, while others wait, and shared by all.
    pub(crate) fn line(&self, kind: &'static str, form: &Arc<str>, make: impl FnOnce() -> Bytes) -> Bytes {
        let mut lines = self.lines();
        let known = lines.iter().find(|line| line.kind == kind && line.form == *form);
        if let Some(line) = known {
            return line.bytes.clone();
        }
        let bytes = make();
        lines.push(Line {
            kind,
            form: Arc::clone(form),
            bytes: bytes.clone(),
        });
        bytes
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
    waiting: BTreeMap<u64, Waiting>,
    /// How many changes there were since everyone was woken.
    unseen: usize,
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
            unseen: 0,
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
        if self.history.back().is_none_or(|last| last.object.revision <= revision) {
            return Some(self.list(namespace));
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

    /// The first few changes after a revision; `Err` with the oldest revision that can be asked for, where some are missing.
    pub(crate) fn after(&self, revision: u64, most: usize) -> Result<Vec<Arc<Event>>, u64> {
        if revision < self.floor {
            return Err(self.floor);
        }
        let start = self.history.partition_point(|event| event.object.revision <= revision);
        Ok(self.history.range(start..).take(most).cloned().collect())
    }

    pub(crate) fn wait(&mut self, subscription: u64, scope: Scope, waker: Waker) {
        self.waiting.insert(subscription, Waiting { scope, waker });
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
            lines: Mutex::default(),
        }));
        if let Some(index) = self.history.len().checked_sub(LINES_KEPT + 1) {
            self.history[index].lines().clear();
        }
        while self.is_too_long() {
            if let Some(oldest) = self.history.pop_front() {
                self.bytes -= oldest.object.body.len();
                self.floor = oldest.object.revision;
            }
        }
        self.unseen += 1;
        if self.unseen >= UNSEEN.min(self.capacity / 2) {
            return self.wakers();
        }
        let concerned = self.waiting.extract_if(.., |_, waiting| waiting.scope.concerns(key));
        concerned.map(|(_, waiting)| waiting.waker).collect()
    }

    fn is_too_long(&self) -> bool {
        let length = self.history.len();
        length > self.capacity || (self.bytes > HISTORY_BYTES && length > HISTORY_LEAST)
    }

    /// Everyone who waits, in the order in which they came; they have to come again.
    pub(crate) fn wakers(&mut self) -> Vec<Waker> {
        self.unseen = 0;
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_values().map(|waiting| waiting.waker).collect()
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
        assert_eq!(
            table.after(floor, usize::MAX).map(|events| events.len() as u64),
            Ok(kept)
        );
        if floor > 0 {
            assert_eq!(
                table.after(floor - 1, usize::MAX).map(|events| events.len()),
                Err(floor)
            );
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

    #[test]
    fn a_change_wakes_those_whom_it_concerns_and_the_others_before_they_fall_behind() {
        let mut table = Table::new(0, 1000);
        let scope = |namespace: &str, name: Option<&str>| Scope {
            namespace: Some(namespace.into()),
            name: name.map(Arc::from),
        };
        table.wait(1, Scope::default(), Waker::noop().clone());
        table.wait(2, scope("a", None), Waker::noop().clone());
        table.wait(3, scope("a", Some("x")), Waker::noop().clone());
        table.wait(4, scope("b", None), Waker::noop().clone());
        let woken: Vec<usize> = (1..=HISTORY_LEAST as u64)
            .map(|revision| {
                let key = ObjectKey::new("a", "y");
                let stored = Stored::encode(key.clone(), json!({"metadata": {}}), revision, 0);
                table.change(&key, Arc::new(stored), false).len()
            })
            .collect();
        assert_eq!(woken[0], 2);
        assert_eq!(woken.iter().sum::<usize>(), 4);
    }
}
