//! Server-side apply, and the record of who owns which field that every write keeps.
//!
//! [`apply`] merges what a manager wants into what is there; [`update`] only notes what another kind of write changed.
//! Both are pure: they take the live object and give the next one with its `managedFields`. Defaults, pruning and
//! validation come after, and a caller that applies to a part of an object (`/status`) narrows the input first.

mod conflict;
mod field_set;
mod last_applied;
mod managers;
mod path_element;
mod typed;
mod typing;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::{Map, Value};

pub(crate) use self::conflict::{Conflict, Conflicts};
use self::{
    field_set::FieldSet,
    managers::{ManagerId, Managers, Operation},
    path_element::PathElement,
};
use crate::schema::Schema;

/// The owner of the fields of an object that nobody has kept a record for.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Fields of `metadata` that the server alone writes; nobody owns them.
const UNOWNED_METADATA: [&str; 8] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// Who writes, as what, where and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    /// The field manager.
    pub(crate) manager: &'a str,
    /// The `apiVersion` of the object as written.
    pub(crate) api_version: &'a str,
    /// The subresource, or empty.
    pub(crate) subresource: &'a str,
    /// The time, RFC 3339 in whole seconds.
    pub(crate) now: &'a str,
}

/// Merges `applied` into `live` on behalf of a manager.
///
/// What the manager applied before and no longer does goes, unless someone else owns it too. Without `force`, a field
/// that another manager owns with another value is a conflict. Applying the same again changes nothing, not even the
/// record's time.
pub(crate) fn apply(
    schema: &Schema,
    live: Option<&Value>,
    applied: &Value,
    writer: Writer<'_>,
    force: bool,
) -> Result<Value, Conflicts> {
    let applied = without_managed_fields(applied);
    let attempt = Attempt {
        schema,
        live,
        applied: &applied,
        writer,
    };
    let merged = match attempt.run(force) {
        Ok(merged) => merged,
        Err(conflicts) => {
            // What `kubectl apply` wrote the other way is the same person's intent: no conflict.
            let own = live.filter(|_| writer.manager == last_applied::MANAGER);
            let own = own
                .and_then(|live| last_applied::unchanged_fields(schema, live))
                .unwrap_or_default();
            let others = conflicts
                .into_iter()
                .map(|(owner, fields)| (owner, fields.difference(&own)));
            let others: BTreeMap<_, _> = others.filter(|(_, fields)| !fields.is_empty()).collect();
            if !others.is_empty() {
                return Err(Conflicts::of(&others));
            }
            attempt.run(true).map_err(|conflicts| Conflicts::of(&conflicts))?
        }
    };
    Ok(match writer.manager {
        last_applied::MANAGER => last_applied::refresh(merged, &applied),
        _ => merged,
    })
}

/// Says what in a configuration doesn't fit the schema.
pub(crate) fn check(schema: &Schema, applied: &Value) -> Result<(), String> {
    typing::check(schema.root(), applied)
}

/// Notes in `new` who owns what, after a create, a replacement or a patch.
///
/// What differs from `live` belongs to the writer from now on, and to nobody else.
pub(crate) fn update(schema: &Schema, live: Option<&Value>, new: &mut Value, writer: Writer<'_>) {
    let kept = live.and_then(managed_fields);
    let recorded = || kept.map_or_else(Managers::default, Managers::decode_or_none);
    // A record that arrives by way of a subresource is not meant for the object.
    let written = take_managed_fields(new)
        .filter(|written| writer.subresource.is_empty() && Some(written) != kept)
        .map(|written| (is_reset(&written), Managers::decode_or_none(&written)));
    let mut managers = match written {
        Some((true, _)) => Managers::default(),
        Some((false, written)) if !written.is_empty() => written,
        _ => recorded(),
    };
    // An object that exists without a record goes on without: who owned what can't be known any more.
    if managers.is_empty() && live.is_some() {
        return;
    }
    let nothing = Value::Object(Map::new());
    if !note_update(schema, live.unwrap_or(&nothing), new, &mut managers, writer) {
        let recorded = recorded();
        if managers.equal_but_for_time(&recorded) {
            managers = recorded;
        }
    }
    put_managed_fields(new, &managers);
}

/// One try to apply, with or without force.
#[derive(Debug, Clone, Copy)]
struct Attempt<'a> {
    schema: &'a Schema,
    live: Option<&'a Value>,
    applied: &'a Value,
    writer: Writer<'a>,
}

// === impl Attempt ===

impl Attempt<'_> {
    fn run(self, force: bool) -> Result<Value, BTreeMap<ManagerId, FieldSet>> {
        let live = self
            .live
            .map_or_else(|| Value::Object(Map::new()), without_managed_fields);
        let recorded = self.recorded(&live);
        let id = ManagerId::new(self.writer, Operation::Apply);
        let root = self.schema.root();

        let mut managers = recorded.clone();
        let former = recorded.fields_of(&id);
        managers.set(&id, self.writer, typed::to_set(root, self.applied));
        let mut merged = typed::merge(root, &live, self.applied);
        typed::remove_abandoned(root, &mut merged, &former, &managers.all_fields().union(&identity()));

        let comparison = typed::compare(root, &live, &merged);
        let changed = comparison.modified.union(&comparison.added);
        let conflicts = managers.owning(&changed, Some(&id));
        if !force && !conflicts.is_empty() {
            return Err(conflicts);
        }
        managers.disown(&changed, Some(&id));
        managers.disown(&comparison.removed, Some(&id));
        managers.disown(&UNOWNED, None);
        // Who takes what is there already has changed nothing, and the record has no time for that.
        if merged != live {
            managers.touch(&id, self.writer.now);
        }
        put_managed_fields(&mut merged, &managers);
        Ok(merged)
    }

    /// The record as it stands; an object without one belongs to whoever wrote it before.
    fn recorded(&self, live: &Value) -> Managers {
        let recorded = self
            .live
            .and_then(managed_fields)
            .map_or_else(Managers::default, Managers::decode_or_none);
        if !recorded.is_empty() {
            return recorded;
        }
        let mut recorded = Managers::default();
        let writer = Writer {
            manager: BEFORE_FIRST_APPLY,
            ..self.writer
        };
        note_update(self.schema, &Value::Object(Map::new()), live, &mut recorded, writer);
        recorded
    }
}

/// Gives the writer what changed, and takes it from all others; whether anything did.
fn note_update(schema: &Schema, before: &Value, after: &Value, managers: &mut Managers, writer: Writer<'_>) -> bool {
    let mut comparison = typed::compare(schema.root(), before, after);
    comparison.removed.subtract(&UNOWNED);
    let mut changed = comparison.modified;
    changed.add(&comparison.added);
    changed.subtract(&UNOWNED);
    let id = ManagerId::new(writer, Operation::Update);
    managers.disown(&changed, Some(&id));
    managers.disown(&comparison.removed, None);
    managers.disown(&UNOWNED, None);
    if !changed.is_empty() {
        managers.add(&id, writer, &changed);
        managers.touch(&id, writer.now);
    }
    managers.cap();
    !(changed.is_empty() && comparison.removed.is_empty())
}

/// The fields that no manager owns.
static UNOWNED: LazyLock<FieldSet> = LazyLock::new(|| {
    let metadata = PathElement::field("metadata");
    let mut set = FieldSet::default();
    for name in ["apiVersion", "kind"] {
        set.insert(&[PathElement::field(name)]);
    }
    for name in UNOWNED_METADATA {
        set.insert(&[metadata.clone(), PathElement::field(name)]);
    }
    set.insert(&[metadata]);
    set
});

/// What every apply names, so that giving up the last label doesn't take the object's name along.
fn identity() -> FieldSet {
    let mut set = FieldSet::default();
    set.insert(&[PathElement::field("metadata"), PathElement::field("name")]);
    set
}

fn managed_fields(object: &Value) -> Option<&Value> {
    object.get("metadata")?.get("managedFields")
}

fn take_managed_fields(object: &mut Value) -> Option<Value> {
    object.get_mut("metadata")?.as_object_mut()?.remove("managedFields")
}

fn without_managed_fields(object: &Value) -> Value {
    let mut object = object.clone();
    take_managed_fields(&mut object);
    object
}

/// Whether a written record asks for all records to be dropped: `[]` or `[{}]`.
fn is_reset(written: &Value) -> bool {
    match written.as_array().map(Vec::as_slice) {
        Some([]) => true,
        Some([only]) => only.as_object().is_some_and(Map::is_empty),
        _ => false,
    }
}

fn put_managed_fields(object: &mut Value, managers: &Managers) {
    if managers.is_empty() {
        take_managed_fields(object);
    } else if let Some(object) = object.as_object_mut() {
        let metadata = object.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("managedFields".to_owned(), managers.encode());
        }
    }
}
