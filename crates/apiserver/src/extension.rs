//! What a distribution adds to the server: kinds of its own API servers, tokens, rights, documents, and a say in evictions.
//!
//! Everything here reads what is stored; nothing writes. How a request is read and answered stays the server's.

use futures::future::BoxFuture;
use serde_json::Value;

use crate::{Decision, Identity, Objects, RequestAttributes, VirtualDefinition, server::State};

/// What a distribution adds. Each part may be left as it is: it adds nothing then.
pub trait Extension: Send + Sync {
    /// Kinds that are stored as they are written, as an aggregated API server has them: without a schema, and with names
    /// that may be anything that fits into a path.
    fn kinds(&self) -> Vec<VirtualDefinition> {
        Vec::new()
    }

    /// Who a bearer token stands for that [`Options::tokens`](crate::Options::tokens) doesn't know.
    fn identify(&self, _objects: &Objects<'_>, _token: &str) -> Option<Identity> {
        None
    }

    /// Whether someone may do something; `None` leaves it to [`Options::authorizer`](crate::Options::authorizer).
    fn decide(&self, _objects: &Objects<'_>, _identity: &Identity, _request: &RequestAttributes) -> Option<Decision> {
        None
    }

    /// The document that a GET of a path is answered with, for someone or (without an identity) for a stranger; `None`
    /// where the path is not the distribution's own. Asked for every GET, so a path that isn't must be told quickly.
    fn document(&self, _objects: &Objects<'_>, _identity: Option<&Identity>, _path: &str) -> Option<Value> {
        None
    }

    /// Told of each eviction of a pod before its disruption budget is looked at, as an admission webhook is: an error
    /// refuses it, for now, with this message.
    fn before_eviction(&self, _pod: Value) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl State {
    /// Who a bearer token stands for.
    pub(crate) fn token(&self, token: &str) -> Option<Identity> {
        let known = self.tokens.get(token).cloned();
        known.or_else(|| self.extension.as_ref()?.identify(&Objects::new(self), token))
    }

    /// Whether someone may do something. Who no one decides about may do everything.
    pub(crate) fn decide(&self, identity: &Identity, request: &RequestAttributes) -> Decision {
        let extended =
            (self.extension.as_ref()).and_then(|extension| extension.decide(&Objects::new(self), identity, request));
        extended.unwrap_or_else(|| match &self.authorizer {
            Some(authorizer) => authorizer(identity, request),
            None => Decision::Allow,
        })
    }

    /// The distribution's own document at a path.
    pub(crate) fn document(&self, identity: Option<&Identity>, path: &str) -> Option<Value> {
        self.extension.as_ref()?.document(&Objects::new(self), identity, path)
    }

    /// Whether somebody decides who may do what.
    pub(crate) fn decides(&self) -> bool {
        self.authorizer.is_some() || self.extension.is_some()
    }
}
