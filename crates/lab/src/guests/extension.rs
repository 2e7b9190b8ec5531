//! What OpenShift adds to a guest's API server: its OAuth server's tokens, roles and bindings that count, the document that
//! tells clients where to log in, and whoever one is.

use std::sync::{Arc, OnceLock};

use berth_apiserver::{Clock, Decision, Extension, Identity, Objects, RequestAttributes, VirtualDefinition, rbac};
use serde_json::{Value, json};

use crate::kind::USER;
use crate::oauth::{self, KUBE_ADMIN, OAuthServer, WeakOAuthServer};
use crate::openshift;

/// The extension of one guest. Clones are the same.
#[derive(Clone)]
pub(super) struct GuestExtension {
    clock: Clock,
    /// Known once there is an API server that it can be a client of.
    oauth: Arc<OnceLock<WeakOAuthServer>>,
}

impl GuestExtension {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            oauth: Arc::default(),
        }
    }

    pub(super) fn tell_of(&self, oauth: &OAuthServer) {
        // Told once, when the guest starts.
        let _ = self.oauth.set(oauth.downgrade());
    }
}

impl Extension for GuestExtension {
    fn kinds(&self) -> Vec<VirtualDefinition> {
        openshift::oauth_kinds()
    }

    fn identify(&self, objects: &Objects<'_>, token: &str) -> Option<Identity> {
        oauth::identify(objects, token, (self.clock)())
    }

    fn decide(&self, objects: &Objects<'_>, identity: &Identity, request: &RequestAttributes) -> Option<Decision> {
        // Everyone may ask who and what they are.
        let about_oneself = request.resource.starts_with("selfsubject");
        Some(if about_oneself {
            Decision::Allow
        } else {
            rbac(objects, identity, request)
        })
    }

    fn document(&self, objects: &Objects<'_>, identity: Option<&Identity>, path: &str) -> Option<Value> {
        match path {
            "/.well-known/oauth-authorization-server" => self.oauth.get()?.upgrade()?.metadata(),
            "/apis/user.openshift.io/v1/users/~" => Some(oneself(objects, identity?)),
            _ => None,
        }
    }
}

/// Whoever asks, as a User; one that has no object is made up from what is known of it.
fn oneself(objects: &Objects<'_>, identity: &Identity) -> Value {
    let found = objects.get(USER.group, USER.plural, None, &identity.user);
    let found = found.filter(|user| identity.uid.is_empty() || user["metadata"]["uid"] == identity.uid.as_str());
    let mut user = found.filter(|_| identity.user != KUBE_ADMIN).unwrap_or_else(|| {
        let mut groups = identity.groups.clone();
        groups.push("system:authenticated".to_owned());
        json!({ "metadata": { "name": identity.user }, "identities": null, "groups": groups })
    });
    user["apiVersion"] = USER.api_version().into();
    user["kind"] = USER.kind.into();
    user
}
