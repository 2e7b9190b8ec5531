//! What is known of single objects: what watches have shown, and what the last own write or read of an object returned
//! where no watch has caught up with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use berth_procedure::{Change, Facts, ObjectRef, Scope, Seen, Selector};
use serde_json::Value;

use crate::diff;

/// What is known of one object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Knowledge {
    /// Nothing: it has to be read.
    Unknown,
    NoKind,
    Absent,
    Object(Arc<Value>),
}

/// Whether a change is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is as it should be.
    Made,
    /// There is something to write, or to read first.
    Open,
    /// The object is being deleted, and can only be made anew when it is gone.
    Terminating,
}

/// Facts, and what was learned of single objects besides.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) facts: Facts,
    /// How far each selection's watch has come.
    versions: BTreeMap<Selector, Option<u64>>,
    memory: BTreeMap<ObjectRef, Memory>,
}

/// The last own read or write of an object.
#[derive(Clone, Debug, Default)]
struct Memory {
    object: Option<Arc<Value>>,
    /// Fields that a write asked for, with the object that the server made of it.
    accepted: Option<(Value, Arc<Value>)>,
    /// The UID that was asked to be deleted.
    deleted: Option<String>,
}

impl World {
    /// Takes in what a selection shows now.
    pub(crate) fn observe(&mut self, selector: Selector, seen: Seen, version: Option<u64>) {
        self.versions.insert(selector.clone(), version);
        self.facts.observe(selector, seen);
    }

    /// A selection is not watched any longer: what it showed last says nothing of what is there from now on.
    pub(crate) fn unwatch(&mut self, selector: &Selector) {
        self.versions.remove(selector);
        self.facts.forget(selector);
    }

    /// What is known of an object.
    pub(crate) fn knowledge(&self, object: &ObjectRef) -> Knowledge {
        let remembered = self.memory.get(object);
        match self.watched(object) {
            Some((Knowledge::Object(live), version)) => match remembered.and_then(|memory| memory.object.as_ref()) {
                Some(own) if is_newer(own, version) => Knowledge::Object(Arc::clone(own)),
                _ => Knowledge::Object(live),
            },
            // Whoever could write it knows better than a watch that has not been opened anew since the kind came.
            Some((Knowledge::NoKind, _)) => match remembered.and_then(|memory| memory.object.as_ref()) {
                Some(own) => Knowledge::Object(Arc::clone(own)),
                None => Knowledge::NoKind,
            },
            Some((Knowledge::Absent, version)) => match remembered.and_then(|memory| memory.object.as_ref()) {
                Some(own) if is_newer(own, version) => Knowledge::Object(Arc::clone(own)),
                _ => Knowledge::Absent,
            },
            Some((Knowledge::Unknown, _)) | None => match remembered {
                Some(Memory {
                    object: Some(object), ..
                }) => Knowledge::Object(Arc::clone(object)),
                Some(Memory { object: None, .. }) => Knowledge::Absent,
                None => Knowledge::Unknown,
            },
        }
    }

    /// Whether a change is made already.
    pub(crate) fn standing(&self, change: &Change) -> Standing {
        match change {
            Change::Apply { object, fields } => self.standing_of(object, |live| self.is_applied(object, fields, live)),
            Change::CreateOnce { object, .. } => self.standing_of(object, |_| true),
            Change::Set {
                object, path, value, ..
            } => self.standing_of(object, |live| is_set(live, path, value.as_ref())),
            Change::Merge { object, fields } => self.standing_of(object, |live| diff::merged(fields, live).is_empty()),
            Change::Absent { object } => match self.knowledge(object) {
                Knowledge::Object(live) if is_terminating(&live) || self.is_deleted(object, &live) => Standing::Made,
                Knowledge::Object(_) | Knowledge::Unknown => Standing::Open,
                Knowledge::Absent | Knowledge::NoKind => Standing::Made,
            },
            Change::Later { .. } => Standing::Made,
        }
    }

    /// Remembers an object as it was read or written; `None` where it is not there.
    pub(crate) fn remember(&mut self, object: &ObjectRef, now: Option<Arc<Value>>) {
        self.memory.entry(object.clone()).or_default().object = now;
    }

    /// Remembers that the server accepted these fields, and what it made of them.
    pub(crate) fn remember_accepted(&mut self, object: &ObjectRef, fields: &Value, now: Arc<Value>) {
        let memory = self.memory.entry(object.clone()).or_default();
        memory.object = Some(Arc::clone(&now));
        memory.accepted = Some((fields.clone(), now));
    }

    /// Remembers that the object with this UID was asked to be deleted.
    pub(crate) fn remember_deleted(&mut self, object: &ObjectRef, uid: String) {
        let memory = self.memory.entry(object.clone()).or_default();
        (memory.object, memory.deleted) = (None, Some(uid));
    }

    /// Forgets what no watch shows, so that it is read again.
    pub(crate) fn forget(&mut self, object: &ObjectRef) {
        self.memory.remove(object);
    }

    /// Objects that name another one as their owner, as people name them.
    pub(crate) fn dependents(&self, owner: &Value) -> Vec<String> {
        let uid = &owner["metadata"]["uid"];
        let seen = self.versions.keys().flat_map(|selector| self.facts.objects(selector));
        let dependents = seen.filter(|object| {
            object["metadata"]["ownerReferences"]
                .as_array()
                .is_some_and(|owners| owners.iter().any(|owner| owner["uid"] == *uid))
        });
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let names = dependents.map(|object| format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"])));
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn standing_of(&self, object: &ObjectRef, made: impl FnOnce(&Value) -> bool) -> Standing {
        match self.knowledge(object) {
            Knowledge::Object(live) if is_terminating(&live) => Standing::Terminating,
            Knowledge::Object(live) if made(&live) => Standing::Made,
            Knowledge::Object(_) | Knowledge::Unknown | Knowledge::Absent | Knowledge::NoKind => Standing::Open,
        }
    }

    fn is_applied(&self, object: &ObjectRef, fields: &Value, live: &Value) -> bool {
        let accepted = self.memory.get(object).and_then(|memory| memory.accepted.as_ref());
        diff::local(fields, live).is_empty()
            || accepted.is_some_and(|(asked, made)| asked == fields && diff::equally_far(fields, made, live))
    }

    fn is_deleted(&self, object: &ObjectRef, live: &Value) -> bool {
        let deleted = self.memory.get(object).and_then(|memory| memory.deleted.as_deref());
        deleted.is_some() && deleted == live["metadata"]["uid"].as_str()
    }

    /// What the selections that cover an object show, the one that has come furthest.
    fn watched(&self, object: &ObjectRef) -> Option<(Knowledge, Option<u64>)> {
        let shown = covering(object).into_iter().filter_map(|selector| {
            let version = self.versions.get(&selector)?;
            match self.facts.seen(&selector) {
                Seen::Objects(objects) => Some((find(objects, object), *version)),
                Seen::NoKind => Some((Knowledge::NoKind, None)),
                Seen::Pending | Seen::Unreadable(_) => None,
            }
        });
        shown.max_by_key(|(_, version)| *version)
    }
}

/// The selections that show the object if it exists.
fn covering(object: &ObjectRef) -> Vec<Selector> {
    let name = &object.name;
    let named = |namespace| Scope::Named {
        namespace,
        name: name.clone(),
    };
    let in_namespace = object.namespace.iter().cloned().map(Scope::Namespace);
    let in_namespace = in_namespace.chain([named(None)]);
    let exact = object.namespace.iter().map(|namespace| named(Some(namespace.clone())));
    let scopes = std::iter::once(Scope::All).chain(in_namespace).chain(exact);
    let selector = |scope| Selector {
        target: object.target.clone(),
        resource: object.resource,
        scope,
    };
    scopes.map(selector).collect()
}

fn find(objects: &[Arc<Value>], object: &ObjectRef) -> Knowledge {
    let found = objects.iter().find(|candidate| {
        let metadata = &candidate["metadata"];
        metadata["name"] == object.name.as_str() && metadata["namespace"].as_str() == object.namespace.as_deref()
    });
    found.map_or(Knowledge::Absent, |object| Knowledge::Object(Arc::clone(object)))
}

/// Whether a change of one field is made.
pub(crate) fn is_set(live: &Value, path: &[String], value: Option<&Value>) -> bool {
    match (diff::at(live, path), value) {
        (Some(is), Some(wanted)) => diff::same(is, wanted),
        (is, wanted) => is.is_none() && wanted.is_none_or(Value::is_null),
    }
}

/// Whether an object is being deleted.
pub(crate) fn is_terminating(live: &Value) -> bool {
    !live["metadata"]["deletionTimestamp"].is_null()
}

/// Versions of one kind are ordered numbers in every API server there is, and clients may rely on it since 1.35. Where one
/// is no number, a watch is trusted.
fn is_newer(own: &Value, watched: Option<u64>) -> bool {
    version(own).is_some_and(|own| watched.is_some_and(|watched| own > watched))
}

/// An object's version as a number.
pub(crate) fn version(object: &Value) -> Option<u64> {
    object["metadata"]["resourceVersion"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests;
