//! Keys that watches have shown, so that an event on one kind of object can wake all of them.
//!
//! Needed where what wakes has no way to name what it wakes: a CatalogSource concerns every namespace with Subscriptions.
//! Filled by the watches themselves, so it is complete after every start; keys that are gone do no harm.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::actor::{Key, Watch};
use crate::kind::Kind;

/// A set of keys. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<BTreeSet<Key>>>);

impl Seen {
    /// A watch whose events wake these keys, which are remembered.
    pub(crate) fn remember(&self, kind: Kind, keys: impl Fn(&Value) -> Vec<Key> + Send + Sync + 'static) -> Watch {
        let seen = self.clone();
        Watch::mapped(kind, move |object| {
            let keys = keys(object);
            seen.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(keys.iter().cloned());
            keys
        })
    }

    /// A watch whose events wake every key remembered so far, if the object matters.
    pub(crate) fn wake_all(&self, kind: Kind, matters: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Watch {
        let seen = self.clone();
        Watch::mapped(kind, move |object| {
            if matters(object) {
                seen.0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .iter()
                    .cloned()
                    .collect()
            } else {
                Vec::new()
            }
        })
    }
}
