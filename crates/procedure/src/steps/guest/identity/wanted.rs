//! The login that a document wants, with the names of what it refers to: which of them, depends on what is there.
//!
//! A Secret or ConfigMap that a login refers to is never changed. One with other contents is a new revision (`…-2`), so that
//! what was before can be put back by its old names, and so that HyperShift sees every change.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_api::{GuestCluster, Identity, Resource, SecretInput, resources, views};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Record, beside, htpasswd, record::Phase};
use crate::change::Change;
use crate::facts::{Facts, Seen, Selector};
use crate::owner::Owner;
use crate::read::{decoded, find, is_ours, label, name, objects, text};
use crate::render::identity::{Content, Login, Piece, first_names, login, pieces};
use crate::walk::GuestRef;

/// The label that tells a guest's identity objects from its others.
const LABEL: (&str, &str) = ("berth.dev/part-of", "identity");

/// What a document wants; hashes passwords once.
#[derive(Debug)]
pub(crate) struct Wanting {
    guest: Arc<GuestCluster>,
    section: Identity,
    pieces: Vec<Piece>,
    made: Made,
}

/// htpasswd files by what they were made of: a hash takes long, and this is asked again and again. Mute, as they are secrets.
#[derive(Default)]
struct Made(Mutex<BTreeMap<Vec<u8>, String>>);

/// A login, and what it refers to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) login: Login,
    /// The kind, the name, the key, the contents.
    objects: Vec<(&'static Resource, String, &'static str, Value)>,
}

/// Why it can't be told what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// Something is not read or not there yet.
    Yet(String),
    /// The document refers to what is not there: one line each.
    Lacking(Vec<String>),
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Made")
    }
}

// === impl Wanting ===

impl Wanting {
    pub(crate) fn new(guest: Arc<GuestCluster>, section: Identity) -> Self {
        Self {
            pieces: pieces(&guest, &section),
            guest,
            section,
            made: Made::default(),
        }
    }

    /// What is wanted where nothing is there yet.
    pub(crate) fn shape(&self) -> Login {
        login(&self.section, &first_names(&self.guest, &self.section))
    }

    /// What is wanted, as things are.
    pub(crate) fn of(&self, facts: &Facts) -> Result<Wanted, Unknown> {
        self.check_existing(facts)?;
        let uid = self.uid(facts);
        let mut names = BTreeMap::new();
        let mut wanted = Vec::new();
        for piece in &self.pieces {
            let (resource, contents) = match &piece.content {
                Content::Existing(_) => {
                    names.insert(piece.field.clone(), piece.name(0));
                    continue;
                }
                Content::Secret(secret) => (resources::SECRET, STANDARD.encode(secret.reveal())),
                Content::Certificates(text) => (resources::CONFIG_MAP, text.clone()),
                Content::Users(users) => {
                    let uid = uid.ok_or_else(|| Unknown::Yet("the guest's UID salts the hashes".to_owned()))?;
                    (resources::SECRET, STANDARD.encode(self.file(facts, uid, piece, users)?))
                }
            };
            let name = self.revision(facts, resource, piece, &contents)?;
            names.insert(piece.field.clone(), name.clone());
            wanted.push((resource, name, piece.key, contents.into()));
        }
        Ok(Wanted {
            login: login(&self.section, &|field| names.get(field).cloned().unwrap_or_default()),
            objects: wanted,
        })
    }

    /// The password of a field, wherever it comes from.
    pub(crate) fn password(&self, facts: &Facts, field: &str) -> Option<crate::secret::Secret> {
        match self.guest.identity.secrets.get(field)? {
            SecretInput::Content(secret) => Some(secret.clone()),
            SecretInput::Existing(name) => {
                let secrets = Selector::in_namespace(resources::SECRET, &self.guest.namespace);
                // A file that became a Secret ends with a line's end, which nobody types.
                let text = decoded(find(facts, &secrets, name)?, &["data", "password"])?;
                Some(crate::secret::Secret::new(text.trim_end_matches(['\r', '\n'])))
            }
        }
    }

    fn uid<'a>(&self, facts: &'a Facts) -> Option<&'a str> {
        let place = GuestRef::new(&self.guest.namespace, &self.guest.name);
        text(facts.object(&place.hosted_cluster())?, &["metadata", "uid"])
    }

    fn file(&self, facts: &Facts, uid: &str, piece: &Piece, users: &[(String, String)]) -> Result<String, Unknown> {
        let known: Option<Vec<(String, String)>> = users
            .iter()
            .map(|(user, field)| Some((user.clone(), self.password(facts, field)?.reveal().to_owned())))
            .collect();
        let known = known.ok_or_else(|| Unknown::Yet("a password is not read yet".to_owned()))?;
        let key = Sha256::digest(format!("{uid}\0{}\0{known:?}", piece.field)).to_vec();
        let mut made = self.made.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = made.get(&key) {
            return Ok(file.clone());
        }
        let file = htpasswd::file(uid, &piece.base, &known).ok_or_else(|| {
            Unknown::Lacking(vec![format!(
                "a password of spec.identity.{} is none that bcrypt takes: it has more than 72 bytes",
                piece.field
            )])
        })?;
        made.insert(key, file.clone());
        Ok(file)
    }

    /// The revision that holds these contents, or the next one.
    fn revision(
        &self,
        facts: &Facts,
        resource: &'static Resource,
        piece: &Piece,
        contents: &str,
    ) -> Result<String, Unknown> {
        let selector = Selector::in_namespace(resource, &self.guest.namespace);
        match facts.seen(&selector) {
            Seen::Pending => return Err(Unknown::Yet(format!("the {} are not read yet", resource.plural))),
            Seen::NoKind | Seen::Unreadable(_) | Seen::Objects(_) => {}
        }
        let prefix = format!("{}-", piece.base);
        let mut newest = 0;
        for object in objects(facts, &selector) {
            let number = name(object)
                .strip_prefix(&prefix)
                .and_then(|rest| rest.parse::<u32>().ok());
            let Some(number) = number else { continue };
            if text(object, &["data", piece.key]) == Some(contents) {
                return Ok(piece.name(number));
            }
            newest = newest.max(number);
        }
        Ok(piece.name(newest + 1))
    }

    /// Secrets and ConfigMaps that the document says exist, with the key that is read of each.
    fn check_existing(&self, facts: &Facts) -> Result<(), Unknown> {
        let keyed = self.pieces.iter().filter_map(|piece| match &piece.content {
            Content::Existing(name) => Some((name, piece.key, piece.field.as_str())),
            _ => None,
        });
        let passwords = self
            .guest
            .identity
            .secrets
            .iter()
            .filter_map(|(field, secret)| match secret {
                SecretInput::Existing(name) if field.ends_with(".password") => Some((name, "password", field.as_str())),
                _ => None,
            });
        let referred: Vec<_> = keyed.chain(passwords).collect();
        let namespace = &self.guest.namespace;
        let mut lacking = Vec::new();
        for (name, key, field) in referred {
            let resource = if field.rsplit('.').next() == Some("ca") {
                resources::CONFIG_MAP
            } else {
                resources::SECRET
            };
            let selector = Selector::in_namespace(resource, namespace);
            match facts.seen(&selector) {
                Seen::Pending => return Err(Unknown::Yet(format!("the {} are not read yet", resource.plural))),
                // Whoever may not look is told by the condition instead.
                Seen::NoKind | Seen::Unreadable(_) => continue,
                Seen::Objects(_) => {}
            }
            let kind = resource.kind;
            match find(facts, &selector, name) {
                None => lacking.push(format!(
                    "{kind} {namespace}/{name} is not there (spec.identity.{field})"
                )),
                Some(object) if text(object, &["data", key]).is_none() => {
                    lacking.push(format!(
                        "{kind} {namespace}/{name} has no `{key}` (spec.identity.{field})"
                    ));
                }
                Some(_) => {}
            }
        }
        if lacking.is_empty() {
            Ok(())
        } else {
            Err(Unknown::Lacking(lacking))
        }
    }
}

// === impl Wanted ===

impl Wanted {
    /// The writes of what the login refers to.
    pub(crate) fn changes(&self, guest: &GuestCluster) -> Vec<Change> {
        let place = GuestRef::new(&guest.namespace, &guest.name);
        let owner = Owner::guest(&guest.namespace, &guest.name);
        let change = |(resource, name, key, contents): &(&'static Resource, String, &'static str, Value)| {
            let mut fields = json!({
                "apiVersion": "v1", "kind": resource.kind,
                "metadata": {
                    "name": name, "namespace": guest.namespace,
                    "labels": { LABEL.0: LABEL.1, "hypershift.openshift.io/safe-to-delete-with-cluster": "true" },
                },
                "data": { *key: contents },
            });
            if *resource == resources::SECRET {
                fields["type"] = "Opaque".into();
            }
            owner.mark(&mut fields);
            Change::Apply {
                object: beside(&place, resource, name),
                fields,
            }
        };
        self.objects.iter().map(change).collect()
    }
}

/// Revisions that nothing refers to any more: neither what is there, nor what would be put back.
pub(super) fn outdated(facts: &Facts, place: &GuestRef, record: &Record) -> Vec<Change> {
    let Some(cluster) = facts.object(&place.hosted_cluster()) else {
        return Vec::new();
    };
    let mut kept = Login::of(cluster).names();
    if record.phase != Phase::Settled {
        return Vec::new();
    }
    kept.extend(record.former.names());
    kept.extend(record.before.names());
    made(facts, place)
        .filter(|(_, name)| !kept.iter().any(|kept| kept == name))
        .map(|(resource, name)| Change::Absent {
            object: beside(place, resource, name),
        })
        .collect()
}

/// Whether an object was made for an identity.
pub(super) fn is_part(object: &Value) -> bool {
    is_ours(object) && label(object, LABEL.0) == Some(LABEL.1)
}

/// What was made for this guest's identity.
pub(super) fn made<'a>(
    facts: &'a Facts,
    place: &'a GuestRef,
) -> impl Iterator<Item = (&'static Resource, &'a str)> + use<'a> {
    [resources::SECRET, resources::CONFIG_MAP]
        .into_iter()
        .flat_map(move |resource| {
            objects(facts, &Selector::in_namespace(resource, &place.namespace))
                .filter(|object| {
                    is_part(object)
                        && label(object, crate::owner::DOCUMENT_LABEL) == Some(&place.name)
                        && views::text(object, &["metadata", "deletionTimestamp"]).is_none()
                })
                .map(move |object| (resource, name(object)))
        })
}
