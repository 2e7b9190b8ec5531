//! The store: versioned, watchable objects, kept in a log. No HTTP, no kinds, no rules.
//!
//! One counter numbers all changes of the server. A write names the version that it replaces and fails if another came
//! first. Every change goes to the log before anyone sees it. Objects are kept encoded, without `apiVersion` and `kind`
//! (see [`Stored`]), so that every served version of a kind, every get, list and watch shares one encoding.

mod feed;
mod flush;
mod keys;
mod log;
mod record;
mod stored;
mod subscription;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;

pub(crate) use self::{
    feed::{Feed, Item, ROOT_CA},
    keys::{ObjectKey, ResourceId},
    log::LogError,
    stored::Stored,
    subscription::{Lost, Subscription},
    table::{Event, EventKind, Scope},
};
use self::{flush::GroupFlush, log::Log, record::Operation, table::Table};
use crate::Storage;

/// How large an object may be: what etcd takes by default, and with it most clusters.
const OBJECT_LIMIT: usize = 3 << 19;

/// All objects of a server.
pub(crate) struct Store {
    inner: Mutex<Inner>,
    flush: Option<GroupFlush>,
    encodings: AtomicU64,
}

struct Inner {
    /// Number of the last change.
    revision: u64,
    /// Changes up to this one may be missing from the histories of tables that are yet to be made.
    floor: u64,
    history: usize,
    tables: BTreeMap<ResourceId, Table>,
    /// Who is there, by uid.
    uids: BTreeMap<String, Item>,
    /// Dependents by their owner's uid, whether the owner is there or not.
    dependents: BTreeMap<String, BTreeSet<Item>>,
    /// Of these owners, those that were there once.
    former: BTreeSet<String>,
    log: Log,
    feed: Feed,
    subscriptions: u64,
}

/// What a write expects to replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Absent,
    Revision(u64),
}

/// Why a write did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Something else is there than what was to be replaced.
    #[error("the object has changed")]
    Changed,
    /// No object may be so large.
    #[error("an object may take up to {OBJECT_LIMIT} bytes")]
    TooLarge,
    /// The log could not be written. The object stays as it was.
    #[error("failed to write to `{log}`")]
    Log {
        /// The log's name.
        log: String,
        #[source]
        source: io::Error,
    },
    /// The change is made and in the log, but the medium didn't take it.
    #[error("failed to flush `{log}`")]
    Flush {
        /// The log's name.
        log: String,
        #[source]
        source: io::Error,
    },
}

/// Objects of a resource at a revision.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) revision: u64,
    pub(crate) objects: Vec<Arc<Stored>>,
}

// === impl Store ===

impl Store {
    /// Opens a log and replays it.
    pub(crate) fn open(storage: Box<dyn Storage>, history: usize) -> Result<Self, LogError> {
        let (log, records) = Log::open(storage)?;
        let mut inner = Inner {
            revision: 0,
            floor: 0,
            history,
            tables: BTreeMap::new(),
            uids: BTreeMap::new(),
            dependents: BTreeMap::new(),
            former: BTreeSet::new(),
            log,
            feed: Feed::default(),
            subscriptions: 0,
        };
        for record in records {
            inner.replay(record);
        }
        inner.feed = Feed::default();
        let flush = match inner.log.flush() {
            None => None,
            Some(flush) => Some(GroupFlush::start(flush, inner.revision).map_err(|error| inner.log.open_error(error))?),
        };
        Ok(Self {
            inner: Mutex::new(inner),
            flush,
            encodings: AtomicU64::new(0),
        })
    }

    /// Number of the last change.
    pub(crate) fn revision(&self) -> u64 {
        self.lock().revision
    }

    /// How many times an object was encoded.
    pub(crate) fn encodings(&self) -> u64 {
        self.encodings.load(Ordering::Relaxed)
    }

    /// One object.
    pub(crate) fn get(&self, resource: &ResourceId, key: &ObjectKey) -> Option<Arc<Stored>> {
        self.lock().tables.get(resource)?.get(key)
    }

    /// Whether an object of this uid is there.
    pub(crate) fn find(&self, uid: &str) -> Option<Item> {
        self.lock().uids.get(uid).cloned()
    }

    /// Whether an owner of this uid was there once, and left dependents that are there still.
    pub(crate) fn was_owner(&self, uid: &str) -> bool {
        self.lock().former.contains(uid)
    }

    /// Objects that name this uid as an owner.
    pub(crate) fn dependents(&self, uid: &str) -> Vec<Item> {
        self.lock()
            .dependents
            .get(uid)
            .map(|items| items.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// All objects of a resource, or those of one namespace, in order of namespace and name.
    pub(crate) fn list(&self, resource: &ResourceId, namespace: Option<&str>) -> Listing {
        let inner = self.lock();
        let objects = inner
            .tables
            .get(resource)
            .map(|table| table.list(namespace))
            .unwrap_or_default();
        Listing {
            revision: inner.revision,
            objects,
        }
    }

    /// As [`Store::list`], as it was at a revision; `None` where that is no longer known.
    pub(crate) fn list_at(&self, resource: &ResourceId, namespace: Option<&str>, revision: u64) -> Option<Listing> {
        let inner = self.lock();
        let objects = match inner.tables.get(resource) {
            Some(table) => table.list_at(namespace, revision)?,
            None if revision < inner.floor => return None,
            None => Vec::new(),
        };
        Some(Listing { revision, objects })
    }

    /// Resources that have objects.
    pub(crate) fn resources(&self) -> Vec<ResourceId> {
        let inner = self.lock();
        inner
            .tables
            .iter()
            .filter(|(_, table)| !table.is_empty())
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Creates or replaces an object. Sets its `resourceVersion`.
    pub(crate) fn put(
        &self,
        resource: &ResourceId,
        key: &ObjectKey,
        expected: Expected,
        value: Value,
        schema: u64,
    ) -> Result<Arc<Stored>, WriteError> {
        self.write(
            resource,
            key,
            expected,
            |revision| Stored::encode(key.clone(), value, revision, schema),
            false,
        )
    }

    /// Removes an object; `value` is its last state. Deletions have a number of their own, which that state then carries.
    pub(crate) fn remove(
        &self,
        resource: &ResourceId,
        key: &ObjectKey,
        expected: u64,
        value: Value,
    ) -> Result<Arc<Stored>, WriteError> {
        let encode = |revision| Stored::encode(key.clone(), value, revision, 0);
        self.write(resource, key, Expected::Revision(expected), encode, true)
    }

    fn write(
        &self,
        resource: &ResourceId,
        key: &ObjectKey,
        expected: Expected,
        encode: impl FnOnce(u64) -> Stored,
        removes: bool,
    ) -> Result<Arc<Stored>, WriteError> {
        let (stored, wakers) = {
            let mut inner = self.lock();
            let current = inner.tables.get(resource).and_then(|table| table.get(key));
            let as_expected = match (expected, &current) {
                (Expected::Absent, None) => true,
                (Expected::Revision(revision), Some(current)) => current.revision == revision,
                _ => false,
            };
            if !as_expected {
                return Err(WriteError::Changed);
            }
            let stored = encode(inner.revision + 1);
            self.encodings.fetch_add(1, Ordering::Relaxed);
            if !removes && stored.body.len() > OBJECT_LIMIT {
                return Err(WriteError::TooLarge);
            }
            let operation = if removes {
                Operation::Delete {
                    body: stored.body.clone(),
                }
            } else {
                Operation::Put {
                    schema: stored.schema,
                    body: stored.body.clone(),
                }
            };
            let stored = Arc::new(stored);
            self.append(&mut inner, &stored, operation, resource)?;
            let wakers = inner.change(resource, key, Arc::clone(&stored), removes);
            if inner.log.worth_compacting() {
                // The change itself is in the log already; a compaction that fails is tried again later.
                if let Err(error) = self.rewrite(&mut inner) {
                    tracing::warn!(%error, "failed to compact the log");
                }
            }
            (stored, wakers)
        };
        // Outside the lock: a waker may poll at once.
        wakers.into_iter().for_each(std::task::Waker::wake);
        Ok(stored)
    }

    fn append(
        &self,
        inner: &mut Inner,
        stored: &Stored,
        operation: Operation,
        resource: &ResourceId,
    ) -> Result<(), WriteError> {
        // After a failure nobody knows what the log's end looks like; but what it should hold is all here.
        let result = if inner.log.is_broken() || self.flush.as_ref().is_some_and(GroupFlush::has_failed) {
            self.rewrite(inner)
        } else {
            Ok(())
        };
        result
            .and_then(|()| inner.log.append(stored.revision, operation, resource, &stored.key))
            .map_err(|source| WriteError::Log {
                log: inner.log.name(),
                source,
            })?;
        if let Some(flush) = &self.flush {
            flush.wrote(stored.revision);
        }
        Ok(())
    }

    /// Writes the log anew, as what is there now.
    fn rewrite(&self, inner: &mut Inner) -> io::Result<()> {
        let tables = inner.tables.iter();
        let live = tables.flat_map(|(resource, table)| table.iter().map(move |(key, stored)| (resource, key, stored)));
        inner.log.compact(inner.revision, live)?;
        if let Some(flush) = &self.flush {
            flush.rewrote();
        }
        Ok(())
    }

    /// Completes once everything that can be seen now would outlive what the storage promises to outlive.
    pub(crate) async fn settled(&self) -> Result<(), WriteError> {
        let Some(flush) = &self.flush else { return Ok(()) };
        let revision = self.revision();
        flush.wait(revision).await.map_err(|source| WriteError::Flush {
            log: self.lock().log.name(),
            source,
        })
    }

    /// Follows changes of a resource after a revision. Those in the scope are told at once, others at some time.
    pub(crate) fn subscribe(self: &Arc<Self>, resource: &ResourceId, scope: Scope, after: u64) -> Subscription {
        let id = {
            let mut inner = self.lock();
            inner.subscriptions += 1;
            inner.subscriptions
        };
        Subscription::new(Arc::clone(self), resource.clone(), scope, id, after)
    }

    /// Wakes all who follow a resource, though nothing changed in it: so that they see that its kind is gone.
    pub(crate) fn wake(&self, resource: &ResourceId) {
        let wakers = self
            .lock()
            .tables
            .get_mut(resource)
            .map(Table::wakers)
            .unwrap_or_default();
        wakers.into_iter().for_each(std::task::Waker::wake);
    }

    /// Objects to look at again, for the one controller task.
    pub(crate) fn with_feed<R>(&self, use_feed: impl FnOnce(&mut Feed) -> R) -> R {
        use_feed(&mut self.lock().feed)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Inner ===

impl Inner {
    fn table(&mut self, resource: &ResourceId) -> &mut Table {
        let (floor, history) = (self.floor, self.history);
        self.tables
            .entry(resource.clone())
            .or_insert_with(|| Table::new(floor, history))
    }

    fn replay(&mut self, record: record::Record) {
        match record.operation {
            Operation::Put { schema, body } => {
                let stored = Arc::new(Stored::decode(record.key.clone(), body, record.revision, schema));
                self.change(&record.resource, &record.key, stored, false);
            }
            Operation::Delete { body } => {
                let stored = Arc::new(Stored::decode(record.key.clone(), body, record.revision, 0));
                self.change(&record.resource, &record.key, stored, true);
            }
            // The record that ends the snapshot says all there is to say of it.
            Operation::Snapshot { .. } => return,
            Operation::Revision => {
                // The records before this one are a snapshot: which changes led to it is not known.
                self.floor = record.revision;
                self.tables.values_mut().for_each(|table| table.forget(record.revision));
            }
        }
        self.revision = self.revision.max(record.revision);
    }

    /// Makes a change visible, and returns whom to wake.
    fn change(
        &mut self,
        resource: &ResourceId,
        key: &ObjectKey,
        stored: Arc<Stored>,
        removes: bool,
    ) -> Vec<std::task::Waker> {
        self.revision = self.revision.max(stored.revision);
        let item = Item {
            resource: resource.clone(),
            key: key.clone(),
        };
        let previous = self.table(resource).get(key);
        if let Some(previous) = &previous {
            self.log.forget(previous);
            self.unindex(&item, previous);
        }
        if !removes {
            self.log.remember(&stored);
            self.uids.insert(stored.uid.clone(), item.clone());
            for owner in &stored.owners {
                self.dependents.entry(owner.clone()).or_default().insert(item.clone());
            }
        }
        self.feed.changed(&item, &stored, removes);
        let before = previous.iter().flat_map(|previous| &previous.owners);
        // An owner that waits for its dependents may now have none left.
        for owner in before.chain(&stored.owners) {
            if let Some(owner) = self.uids.get(owner) {
                let table = self.tables.get(&owner.resource);
                if table
                    .and_then(|table| table.get(&owner.key))
                    .is_some_and(|owner| owner.deleting)
                {
                    self.feed.push(owner.clone());
                }
            }
        }
        if removes && let Some(dependents) = self.dependents.get(&stored.uid) {
            self.former.insert(stored.uid.clone());
            for dependent in dependents {
                self.feed.push(dependent.clone());
            }
        }
        self.table(resource).change(key, stored, removes)
    }

    fn unindex(&mut self, item: &Item, stored: &Stored) {
        if self.uids.get(&stored.uid) == Some(item) {
            self.uids.remove(&stored.uid);
        }
        for owner in &stored.owners {
            if let Some(items) = self.dependents.get_mut(owner) {
                items.remove(item);
                if items.is_empty() {
                    self.dependents.remove(owner);
                    self.former.remove(owner);
                }
            }
        }
    }
}
