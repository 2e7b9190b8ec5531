//! What has been observed of the clusters: a plain value, filled by the engine, read by steps.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use berth_api::Resource;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::effect::{Effect, EffectFailure, Outcome};

/// Which API server a selector, a change or an object is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// The management cluster.
    Management,
    /// A guest, named by its HostedCluster.
    Guest {
        /// Namespace of the HostedCluster.
        namespace: String,
        /// Name of the HostedCluster.
        name: String,
    },
}

/// Which objects of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All of them, in all namespaces.
    All,
    /// All in one namespace.
    Namespace(String),
    /// One, by name.
    Named {
        /// `None` for a cluster-scoped kind, or for whatever namespace it is in.
        namespace: Option<String>,
        /// The object's name.
        name: String,
    },
    /// Those that carry labels, as `key=value,…`.
    Labelled {
        /// `None` for all namespaces or a cluster-scoped kind.
        namespace: Option<String>,
        /// A label selector as the API takes it.
        labels: String,
    },
}

/// What to watch: a kind on an API server, and which objects of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    /// The API server.
    pub target: Target,
    /// The kind.
    pub resource: &'static Resource,
    /// Which objects.
    pub scope: Scope,
}

/// What a selector has shown so far. Its `Debug` form says how many objects there are, not what is in them: some are
/// Secrets.
#[derive(Clone, PartialEq, Default)]
pub enum Seen {
    /// Not read yet.
    #[default]
    Pending,
    /// The server does not have this kind (yet).
    NoKind,
    /// The server could not be asked, or refused: why, in a few words.
    Unreadable(String),
    /// The objects, ordered by namespace and name; none of them if the list is empty.
    Objects(Vec<Arc<Value>>),
}

/// What is known about the management cluster's API server itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Server {
    /// The URL that requests go to.
    pub url: String,
    /// The user as the server sees it, empty if it would not say.
    pub user: String,
    /// The server's version, e.g. `v1.30.4`.
    pub version: String,
}

/// Everything observed so far.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The management cluster's API server.
    pub server: Server,
    /// When these facts were looked at, by the engine's clock: for what is to be written at a time.
    pub now: Timestamp,
    seen: BTreeMap<Selector, Seen>,
    outcomes: BTreeMap<Effect, Result<Outcome, EffectFailure>>,
}

// === impl Selector ===

impl Selector {
    /// All objects of a kind on the management cluster.
    pub fn all(resource: &'static Resource) -> Self {
        Self {
            target: Target::Management,
            resource,
            scope: Scope::All,
        }
    }

    /// All objects of a kind in one namespace of the management cluster.
    pub fn in_namespace(resource: &'static Resource, namespace: impl Into<String>) -> Self {
        Self {
            target: Target::Management,
            resource,
            scope: Scope::Namespace(namespace.into()),
        }
    }

    /// One cluster-scoped object of the management cluster.
    pub fn cluster(resource: &'static Resource, name: impl Into<String>) -> Self {
        Self {
            target: Target::Management,
            resource,
            scope: Scope::Named {
                namespace: None,
                name: name.into(),
            },
        }
    }

    /// One namespaced object of the management cluster.
    pub fn named(resource: &'static Resource, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        let scope = Scope::Named {
            namespace: Some(namespace.into()),
            name: name.into(),
        };
        Self {
            target: Target::Management,
            resource,
            scope,
        }
    }

    /// The objects of one name, in whatever namespace of the management cluster they are.
    pub fn anywhere(resource: &'static Resource, name: impl Into<String>) -> Self {
        Self::cluster(resource, name)
    }

    /// The same selection on another API server.
    #[must_use]
    pub fn on(mut self, target: Target) -> Self {
        self.target = target;
        self
    }
}

// === impl Seen ===

impl Seen {
    /// The objects, none where nothing could be read.
    pub fn objects(&self) -> &[Arc<Value>] {
        match self {
            Self::Objects(objects) => objects,
            Self::Pending | Self::NoKind | Self::Unreadable(_) => &[],
        }
    }

    /// The first object: what a selector by name is about.
    pub fn first(&self) -> Option<&Value> {
        self.objects().first().map(AsRef::as_ref)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("Pending"),
            Self::NoKind => f.write_str("NoKind"),
            Self::Unreadable(why) => f.debug_tuple("Unreadable").field(why).finish(),
            Self::Objects(objects) => write!(f, "Objects({})", objects.len()),
        }
    }
}

// === impl Facts ===

impl Facts {
    /// What a selector has shown. [`Seen::Pending`] for one that nothing watches.
    pub fn seen(&self, selector: &Selector) -> &Seen {
        self.seen.get(selector).unwrap_or(&Seen::Pending)
    }

    /// The objects that a selector has shown.
    pub fn objects(&self, selector: &Selector) -> &[Arc<Value>] {
        self.seen(selector).objects()
    }

    /// The one object that a selector by name has shown.
    pub fn object(&self, selector: &Selector) -> Option<&Value> {
        self.seen(selector).first()
    }

    /// What became of an effect, if it was performed or found done.
    pub fn outcome(&self, effect: &Effect) -> Option<&Result<Outcome, EffectFailure>> {
        self.outcomes.get(effect)
    }

    /// Records what a selector shows now.
    pub fn observe(&mut self, selector: Selector, seen: Seen) {
        self.seen.insert(selector, seen);
    }

    /// Takes over all that others show, in place of what it shows itself of the same.
    pub fn extend(&mut self, others: Self) {
        self.seen.extend(others.seen);
        self.outcomes.extend(others.outcomes);
    }

    /// Forgets what a selector has shown: nothing watches it any longer.
    pub fn forget(&mut self, selector: &Selector) {
        self.seen.remove(selector);
    }

    /// Records what became of an effect.
    pub fn record(&mut self, effect: Effect, outcome: Result<Outcome, EffectFailure>) {
        self.outcomes.insert(effect, outcome);
    }
}

#[cfg(test)]
mod tests {
    use berth_api::resources;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_observed_is_not_printed() {
        let mut facts = Facts::default();
        let secret = Arc::new(json!({ "data": { "password": "aHVudGVyMg==" } }));
        facts.observe(Selector::all(resources::SECRET), Seen::Objects(vec![secret]));
        let printed = format!("{facts:?}");
        assert!(
            printed.contains("Objects(1)") && !printed.contains("aHVudGVyMg"),
            "{printed}"
        );
    }
}
