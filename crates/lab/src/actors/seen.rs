//! Keys that watches have shown, so that an event on one kind of object can wake all of them.
//!
//! Needed where what wakes has no way to name what it wakes: a CatalogSource concerns every namespace with Subscriptions.
//! Filled by the watches themselves, so it is complete after every start; keys that are gone do no harm.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::actor::{Key, Watch};
use crate::client::namespace_of;
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

    /// A watch whose events wake the keys remembered so far that have to do with the object.
    pub(crate) fn wake_matching(
        &self,
        kind: Kind,
        concerns: impl Fn(&Value, &Key) -> bool + Send + Sync + 'static,
    ) -> Watch {
        let seen = self.clone();
        Watch::mapped(kind, move |object| {
            let keys = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
            keys.iter().filter(|key| concerns(object, key)).cloned().collect()
        })
    }

    /// A watch whose events wake the keys remembered so far in the object's own namespace, if it matters.
    pub(crate) fn wake_beside(&self, kind: Kind, matters: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Watch {
        let seen = self.clone();
        Watch::mapped(kind, move |object| {
            if !matters(object) {
                return Vec::new();
            }
            let first = Key::named(namespace_of(object), "");
            let keys = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
            let beside = keys.range(first.clone()..);
            beside
                .take_while(|key| key.namespace == first.namespace)
                .cloned()
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kind::{DEPLOYMENT, MACHINE};

    #[test]
    fn an_event_wakes_all_or_those_beside_it() {
        let object = |namespace: &str, name: &str| json!({ "metadata": { "namespace": namespace, "name": name } });
        let seen = Seen::default();
        let remember = seen.remember(MACHINE, |machine| vec![Key::of(machine)]);
        for (namespace, name) in [("a", "x"), ("b", "y"), ("b", "z"), ("c", "w")] {
            (remember.wakes)(&object(namespace, name));
        }
        let named = |watch: &Watch, deployment: &Value| -> Vec<String> {
            (watch.wakes)(deployment).iter().map(ToString::to_string).collect()
        };
        let matters = |deployment: &Value| deployment["metadata"]["name"] == "cluster-api";
        let (all, beside) = (
            seen.wake_all(DEPLOYMENT, matters),
            seen.wake_beside(DEPLOYMENT, matters),
        );
        assert_eq!(named(&all, &object("b", "cluster-api")).len(), 4);
        assert_eq!(named(&beside, &object("b", "cluster-api")), ["b/y", "b/z"]);
        assert!(named(&beside, &object("b", "etcd")).is_empty());
    }
}
