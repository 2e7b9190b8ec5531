//! What an identity section becomes upstream: `spec.configuration.oauth` or `.authentication`, and the Secrets and
//! ConfigMaps that these refer to, in the HostedCluster's namespace.
//!
//! The names of what is made here are given by the caller: which revision of a Secret is referred to depends on what is
//! there. What the guest's OAuth server makes of it is HyperShift's.

mod oidc;
mod provider;

use std::collections::BTreeMap;

use berth_api::{GuestCluster, Identity, SecretInput, resources};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Rendered;
use crate::change::ObjectRef;
use crate::secret::Secret;

/// A text that upstream wants in an object of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    /// The field of the section that brings it, as `providers[0].openID.clientSecret`.
    pub(crate) field: String,
    /// The key that upstream reads.
    pub(crate) key: &'static str,
    /// What the object's name begins with; a revision follows.
    pub(crate) base: String,
    /// What is in it.
    pub(crate) content: Content,
}

/// What a piece holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// A secret.
    Secret(Secret),
    /// Certificates.
    Certificates(String),
    /// A Secret that exists; nothing is made.
    Existing(String),
    /// Users with passwords, still to be hashed: each with the field that brings the password.
    Users(Vec<(String, String)>),
}

/// How the fields of `spec.configuration` that decide who may log in are, or are to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Login {
    /// `oauth.identityProviders`; null for none.
    pub(crate) providers: Value,
    /// `authentication.oidcProviders`; null for none.
    pub(crate) oidc: Value,
}

/// All that a section refers to.
pub(crate) fn pieces(guest: &GuestCluster, identity: &Identity) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, provider) in identity.providers.iter().enumerate() {
        provider::pieces(guest, index, provider, &mut pieces);
    }
    if let Some(oidc) = &identity.oidc {
        oidc::pieces(guest, oidc, &mut pieces);
    }
    pieces
}

/// What a section asks for; `name` names the object of a piece by its field.
pub(crate) fn login(identity: &Identity, name: &dyn Fn(&str) -> String) -> Login {
    let providers: Vec<Value> = identity
        .providers
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| provider::entry(index, entry, name))
        .collect();
    Login {
        providers: if providers.is_empty() {
            Value::Null
        } else {
            providers.into()
        },
        oidc: identity
            .oidc
            .as_ref()
            .map_or(Value::Null, |oidc| json!([oidc::entry(oidc, name)])),
    }
}

/// The names that stand in where nothing is there yet: the first revision of each.
pub(crate) fn first_names(guest: &GuestCluster, identity: &Identity) -> impl Fn(&str) -> String {
    let named: BTreeMap<String, String> = pieces(guest, identity)
        .into_iter()
        .map(|piece| (piece.field.clone(), piece.name(1)))
        .collect();
    move |field| named.get(field).cloned().unwrap_or_default()
}

/// What an identity section sets of the HostedCluster, to be held against a hub's schema.
pub(crate) fn shape(guest: &GuestCluster) -> Option<Rendered> {
    let section = guest.spec.identity.as_ref()?;
    let Login { providers, oidc } = login(section, &first_names(guest, section));
    let mut configuration = json!({});
    if !providers.is_null() {
        configuration["oauth"] = json!({ "identityProviders": providers });
    }
    if !oidc.is_null() {
        configuration["authentication"] = json!({ "type": "OIDC", "oidcProviders": oidc });
    }
    Some(Rendered {
        object: ObjectRef::namespaced(resources::HOSTED_CLUSTER, &guest.namespace, &guest.name),
        fields: json!({ "spec": { "configuration": configuration } }),
        values: BTreeMap::new(),
        generate: Vec::new(),
    })
}

fn piece(guest: &GuestCluster, field: String, what: &str, key: &'static str) -> Option<Piece> {
    let content = match (guest.identity.secrets.get(&field), guest.identity.texts.get(&field)) {
        (Some(SecretInput::Content(secret)), _) => Content::Secret(secret.clone()),
        (Some(SecretInput::Existing(name)), _) => Content::Existing(name.clone()),
        (None, Some(text)) => Content::Certificates(text.clone()),
        (None, None) => return None,
    };
    Some(Piece {
        field,
        key,
        base: format!("{}-{what}", guest.name),
        content,
    })
}

/// A name as part of an object's name; one that loses something gets a mark of what it was.
fn slug(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(40)
        .collect();
    let plain = plain.trim_matches('-');
    if plain == name {
        return plain.to_owned();
    }
    let mark = format!("{:x}", Sha256::digest(name));
    format!("{plain}-{}", &mark[..6]).trim_matches('-').to_owned()
}

/// A reference by name.
fn reference(name: &str) -> Value {
    json!({ "name": name })
}

/// Adds a list where there is something in it.
fn put_list(object: &mut Value, field: &str, list: &[String]) {
    if !list.is_empty() {
        object[field] = json!(list);
    }
}

// === impl Piece ===

impl Piece {
    /// The name of a revision of the piece's object.
    pub(crate) fn name(&self, revision: u32) -> String {
        match &self.content {
            Content::Existing(name) => name.clone(),
            _ => format!("{}-{revision}", self.base),
        }
    }
}

/// Whether a HostedCluster says how people log in: any such word removes kubeadmin, providers or not.
pub fn removes_kubeadmin(cluster: &Value) -> bool {
    let at = |path| cluster.pointer(path).filter(|value| !value.is_null());
    at("/spec/configuration/oauth").is_some()
        || at("/spec/configuration/authentication/type").is_some_and(|kind| kind == "OIDC")
}

// === impl Login ===

impl Login {
    /// What a HostedCluster or a HostedControlPlane says.
    pub(crate) fn of(cluster: &Value) -> Self {
        let configuration = cluster.pointer("/spec/configuration");
        let at = |path: &str| {
            let value = configuration.and_then(|configuration| configuration.pointer(path));
            value.and_then(normal).unwrap_or_default()
        };
        let is_oidc = at("/authentication/type") == "OIDC";
        Self {
            providers: at("/oauth/identityProviders"),
            oidc: if is_oidc {
                at("/authentication/oidcProviders")
            } else {
                Value::Null
            },
        }
    }

    /// Whether both let the same people in: fields that say nothing don't count.
    pub(crate) fn is(&self, other: &Self) -> bool {
        normal(&self.providers) == normal(&other.providers) && normal(&self.oidc) == normal(&other.oidc)
    }

    /// Whether this lets nobody in.
    pub(crate) fn is_nobody(&self) -> bool {
        self.is(&Self::default())
    }

    /// What tells this apart from any other; of references and settings alone, never of what is in a Secret.
    pub(crate) fn digest(&self) -> String {
        let told = json!([normal(&self.providers), normal(&self.oidc)]).to_string();
        format!("{:x}", Sha256::digest(told))[..16].to_owned()
    }

    /// The names of the objects that this refers to.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for list in [&self.providers, &self.oidc] {
            for entry in list.as_array().into_iter().flatten() {
                referred(entry, &mut names);
            }
        }
        names
    }
}

/// A reference is a map with a name and nothing else; the entries themselves have more.
fn referred(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(fields) => match (fields.get("name").and_then(Value::as_str), fields.len()) {
            (Some(name), 1) => names.push(name.to_owned()),
            _ => fields.values().for_each(|value| referred(value, names)),
        },
        Value::Array(items) => items.iter().for_each(|item| referred(item, names)),
        _ => {}
    }
}

/// A value without what says nothing: HyperShift writes its specs back with empty fields in them.
pub(crate) fn normal(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) => (!text.is_empty()).then(|| value.clone()),
        Value::Object(fields) => {
            let kept: serde_json::Map<_, _> = fields
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), normal(value)?)))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let kept: Vec<_> = items.iter().filter_map(normal).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        Value::Bool(true) | Value::Number(_) => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests;
