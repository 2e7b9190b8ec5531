//! Which keys an object wakes where the object itself does not say: learnt from the watch of the main kind.
//!
//! A watch is a function of one object. "Every NodePool of this HostedCluster" needs to know the NodePools, so the watch of
//! NodePools notes them here as they pass by. Built anew on each start, for a watch begins with everything that is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::actor::Key;

/// Keys by what they belong to. Clones share one table.
#[derive(Clone, Debug, Default)]
pub(super) struct Index(Arc<Mutex<BTreeMap<Key, BTreeSet<Key>>>>);

impl Index {
    /// Notes that a key belongs to something.
    pub(super) fn note(&self, belongs_to: Key, key: Key) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(belongs_to)
            .or_default()
            .insert(key);
    }

    /// The keys that belong to it.
    pub(super) fn of(&self, belongs_to: &Key) -> Vec<Key> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table
            .get(belongs_to)
            .map(|keys| keys.iter().cloned().collect())
            .unwrap_or_default()
    }
}
