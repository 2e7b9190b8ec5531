//! What an actor is: a small controller that plays one real operator, on the public API only.
//!
//! Actors are level-triggered: `reconcile` is given a key, looks at what is there, and makes the next thing so. It may
//! be called at any time, any number of times, and after any kill. The runner (`controller.rs`) watches, keeps at most
//! one reconcile a key in flight, retries with back-off, and honours [`Next::After`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use berth_apiserver::Random;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::client::{self, Client, Part, name_of, namespace_of};
use crate::generation::Generation;
use crate::kind::Kind;
use crate::time::Time;

/// Names what is to be reconciled: an object of the actor's main kind, mostly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

/// A kind to watch, and which keys an event on one of its objects wakes.
pub(crate) struct Watch {
    pub(crate) kind: Kind,
    pub(crate) part: Part,
    pub(crate) wakes: Wakes,
}

/// The keys that an event on an object wakes. It is shown the object's metadata only, unless the watch is of
/// [whole](Watch::whole) objects.
pub(crate) type Wakes = Box<dyn Fn(&Value) -> Vec<Key> + Send + Sync>;

/// When to reconcile the key again, besides on events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// When something that wakes it happens.
    OnEvent,
    /// After this much modelled time (scaled by the lab's speed), or on an event.
    After(Duration),
    /// After this much wall time, or on an event: for what is due at a date, which no speed brings nearer.
    AfterWall(Duration),
}

/// What an actor is given besides the key.
#[derive(Clone)]
pub(crate) struct Context {
    /// Its API server, writing under the actor's own field manager.
    pub(crate) client: Client,
    /// Modelled work and wall time.
    pub(crate) time: Time,
    /// Names and passwords, from the world's seed.
    pub(crate) random: Random,
    /// The upstream versions that are played.
    pub(crate) generation: Generation,
    /// What actors know of the world beyond the API: addresses of the lab's own endpoints.
    pub(crate) site: Arc<crate::site::Site>,
}

/// One real operator, played.
pub(crate) trait Actor: Send + Sync + 'static {
    /// The actor's name, as in `--without NAME`.
    fn name(&self) -> &'static str;

    /// The field manager and user agent of the operator that it plays.
    fn manager(&self) -> &'static str;

    /// What wakes it. A kind that does not exist yet is watched once its CRD is Established.
    fn watches(&self) -> Vec<Watch>;

    /// Looks at what is there for the key and makes the next thing so.
    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>>;
}

// === impl Next ===

impl Next {
    /// The earlier of two, for a key that stands for several objects.
    pub(crate) fn sooner(self, other: Self) -> Self {
        match (self, other) {
            (Self::After(one), Self::After(other)) => Self::After(one.min(other)),
            (Self::AfterWall(one), Self::AfterWall(other)) => Self::AfterWall(one.min(other)),
            (Self::OnEvent, next) | (next, Self::OnEvent) => next,
            // Which is sooner depends on the speed. The pass that modelled work asks for will ask for the date again.
            (work @ Self::After(_), Self::AfterWall(_)) | (Self::AfterWall(_), work @ Self::After(_)) => work,
        }
    }
}

// === impl Key ===

impl Key {
    /// The key of an object itself.
    pub(crate) fn of(object: &Value) -> Self {
        Self {
            namespace: namespace_of(object).map(str::to_owned),
            name: name_of(object).to_owned(),
        }
    }

    pub(crate) fn named(namespace: Option<&str>, name: &str) -> Self {
        Self {
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

// === impl Watch ===

impl Watch {
    /// An event on an object wakes the key of that object.
    pub(crate) fn own(kind: Kind) -> Self {
        Self {
            kind,
            part: Part::Metadata,
            wakes: Box::new(|object| vec![Key::of(object)]),
        }
    }

    /// An event on an object wakes its owner of a kind, in the same namespace.
    pub(crate) fn owned(kind: Kind, owner: Kind) -> Self {
        let wakes = move |object: &Value| {
            let owners = object["metadata"]["ownerReferences"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let of_kind = owners.iter().filter(|reference| reference["kind"] == owner.kind);
            let namespace = if owner.namespaced { namespace_of(object) } else { None };
            of_kind
                .filter_map(|reference| Some(Key::named(namespace, reference["name"].as_str()?)))
                .collect()
        };
        Self {
            kind,
            part: Part::Metadata,
            wakes: Box::new(wakes),
        }
    }

    /// An event on an object wakes whatever keys a function names.
    pub(crate) fn mapped(kind: Kind, wakes: impl Fn(&Value) -> Vec<Key> + Send + Sync + 'static) -> Self {
        Self {
            kind,
            part: Part::Metadata,
            wakes: Box::new(wakes),
        }
    }

    /// The same, where metadata do not tell which keys to wake.
    pub(crate) fn whole(self) -> Self {
        Self {
            part: Part::Whole,
            ..self
        }
    }
}
