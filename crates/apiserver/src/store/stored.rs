//! One state of one object, as it is kept: encoded, with the little that the store itself needs to know beside it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::ObjectKey;

/// One state of an object.
///
/// The body is its JSON without `apiVersion` and `kind`: a kind that is served in several versions (without conversion)
/// differs in nothing else, so [`Stored::splice`] puts them in front of shared bytes.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) key: ObjectKey,
    pub(crate) revision: u64,
    /// Fingerprint of the schema that it was defaulted and pruned by; 0 for none.
    pub(crate) schema: u64,
    pub(crate) body: Bytes,
    pub(crate) uid: String,
    /// Uids of its owners.
    pub(crate) owners: Vec<String>,
    /// Its labels: what lists and watches select by, without decoding the body.
    labels: Box<[(String, String)]>,
    /// Whether it has a `deletionTimestamp`.
    pub(crate) deleting: bool,
    /// The body as other schemas than its own make it, by those schemas' fingerprints.
    derived: Mutex<Vec<(u64, Bytes)>>,
    /// What field selectors compare, once one did: fields and their texts.
    selectable: OnceLock<Box<[(String, String)]>>,
}

/// A kind has as many schemas as served versions; those of versions that were are not kept for long.
const DERIVED_KEPT: usize = 4;

/// The part of an object that the store reads.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Envelope {
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    uid: String,
    labels: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<Owner>>,
    deletion_timestamp: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Owner {
    uid: String,
}

impl Stored {
    /// Encodes an object at a revision.
    pub(crate) fn encode(key: ObjectKey, mut value: Value, revision: u64, schema: u64) -> Self {
        if let Some(object) = value.as_object_mut() {
            object.remove("apiVersion");
            object.remove("kind");
        }
        value["metadata"]["resourceVersion"] = revision.to_string().into();
        let metadata = &value["metadata"];
        let owners = metadata["ownerReferences"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let labels = metadata["labels"].as_object().into_iter().flatten();
        Self {
            key,
            revision,
            schema,
            uid: text(&metadata["uid"]),
            owners: owners.iter().map(|owner| text(&owner["uid"])).collect(),
            labels: labels.map(|(label, value)| (label.clone(), text(value))).collect(),
            deleting: metadata["deletionTimestamp"].is_string(),
            // Maps of strings to JSON always encode.
            body: serde_json::to_vec(&value).expect("JSON values encode").into(),
            derived: Mutex::default(),
            selectable: OnceLock::new(),
        }
    }

    /// Takes an encoded object from the log.
    pub(crate) fn decode(key: ObjectKey, body: Bytes, revision: u64, schema: u64) -> Self {
        let Envelope { metadata } = serde_json::from_slice(&body).unwrap_or_default();
        let owners = metadata
            .owner_references
            .unwrap_or_default()
            .into_iter()
            .map(|owner| owner.uid)
            .collect();
        Self {
            key,
            revision,
            schema,
            body,
            uid: metadata.uid,
            owners,
            labels: metadata.labels.unwrap_or_default().into_iter().collect(),
            deleting: metadata.deletion_timestamp.is_some(),
            derived: Mutex::default(),
            selectable: OnceLock::new(),
        }
    }

    /// The value of a label.
    pub(crate) fn label(&self, label: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(known, _)| known == label);
        found.map(|(_, value)| value.as_str())
    }

    /// The object, without `apiVersion` and `kind`.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the store's own encoding decodes")
    }

    /// The body as another schema makes it: made once.
    pub(crate) fn derive(&self, fingerprint: u64, make: impl FnOnce(Value) -> Value) -> Bytes {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, body)) = derived.iter().find(|(known, _)| *known == fingerprint) {
            return body.clone();
        }
        let body: Bytes = make(self.value()).to_string().into();
        if derived.len() == DERIVED_KEPT {
            derived.remove(0);
        }
        derived.push((fingerprint, body.clone()));
        body
    }

    /// What field selectors compare a field with. All fields that a kind's selectors know are read at the first question.
    pub(crate) fn selectable(
        &self,
        fields: &[String],
        field: &str,
        read: impl Fn(&Value, &str) -> String,
    ) -> Cow<'_, str> {
        let texts = self.selectable.get_or_init(|| {
            let value = self.value();
            fields
                .iter()
                .map(|field| (field.clone(), read(&value, field)))
                .collect()
        });
        match texts.iter().find(|(known, _)| known == field) {
            Some((_, text)) => text.into(),
            // Another version of the kind asked first, and doesn't have this one.
            None => read(&self.value(), field).into(),
        }
    }

    /// Appends the whole object's JSON: `head` is `{"apiVersion":"v1","kind":"Pod"`, without an end.
    pub(crate) fn splice(head: &[u8], body: &[u8], into: &mut Vec<u8>) {
        into.extend_from_slice(head);
        // A stored object always has metadata, so what follows the brace is never empty.
        into.push(b',');
        into.extend_from_slice(&body[1..]);
    }
}
