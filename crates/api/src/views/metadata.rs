//! What every object carries.

use jiff::Timestamp;
use serde_json::Value;

/// An object's `metadata`.
#[derive(Clone, Copy, Debug)]
pub struct Metadata<'a> {
    value: &'a Value,
    /// The object's name.
    pub name: &'a str,
    /// Its namespace; `None` for a cluster-scoped kind.
    pub namespace: Option<&'a str>,
    /// Its identity on its server; empty before the server made it.
    pub uid: &'a str,
    /// Counts changes of what is wanted; 0 where the kind does not count.
    pub generation: i64,
}

/// An object that owns another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The owner's kind.
    pub kind: &'a str,
    /// The owner's name.
    pub name: &'a str,
    /// The owner's identity.
    pub uid: &'a str,
    /// Whether the owner manages the object.
    pub controller: bool,
}

/// An object's `metadata`.
pub fn metadata(object: &Value) -> Metadata<'_> {
    let value = object.get("metadata").unwrap_or(&Value::Null);
    let text = |field: &str| value.get(field).and_then(Value::as_str);
    Metadata {
        value,
        name: text("name").unwrap_or_default(),
        namespace: text("namespace"),
        uid: text("uid").unwrap_or_default(),
        generation: value.get("generation").and_then(Value::as_i64).unwrap_or_default(),
    }
}

impl<'a> Metadata<'a> {
    /// A label's value.
    pub fn label(&self, key: &str) -> Option<&'a str> {
        self.value.get("labels")?.get(key)?.as_str()
    }

    /// All labels, ordered by key.
    pub fn labels(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        pairs(self.value.get("labels"))
    }

    /// An annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&'a str> {
        self.value.get("annotations")?.get(key)?.as_str()
    }

    /// All annotations, ordered by key.
    pub fn annotations(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        pairs(self.value.get("annotations"))
    }

    /// The objects that own this one.
    pub fn owners(&self) -> impl Iterator<Item = Owner<'a>> + use<'a> {
        super::list(self.value, &["ownerReferences"]).iter().map(|owner| Owner {
            kind: super::text(owner, &["kind"]).unwrap_or_default(),
            name: super::text(owner, &["name"]).unwrap_or_default(),
            uid: super::text(owner, &["uid"]).unwrap_or_default(),
            controller: super::flag(owner, &["controller"]).unwrap_or_default(),
        })
    }

    /// The names of those that must clean up before the object goes.
    pub fn finalizers(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        super::list(self.value, &["finalizers"])
            .iter()
            .filter_map(Value::as_str)
    }

    /// When the object was made.
    pub fn created(&self) -> Option<Timestamp> {
        super::text(self.value, &["creationTimestamp"])?.parse().ok()
    }

    /// When its deletion was asked for, if it was.
    pub fn deleted(&self) -> Option<Timestamp> {
        super::text(self.value, &["deletionTimestamp"])?.parse().ok()
    }
}

fn pairs(map: Option<&Value>) -> impl Iterator<Item = (&str, &str)> {
    map.and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}
