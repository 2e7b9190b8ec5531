//! `managedFields`: which manager owns which fields.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Writer, field_set::FieldSet};

/// The most `Update` entries that are kept apart.
const MAX_UPDATERS: usize = 10;

/// The manager that the oldest of too many entries are put together under.
const ANCIENT: &str = "ancient-changes";

/// The owners of an object's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Managers {
    entries: BTreeMap<ManagerId, Managed>,
}

/// What tells one entry from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ManagerId {
    /// The field manager's name.
    pub(super) manager: String,
    /// How it wrote.
    pub(super) operation: Operation,
    /// The version that it wrote; empty for one that applies, which has one entry whatever the version.
    pub(super) api_version: String,
    /// The subresource that it wrote, or empty.
    pub(super) subresource: String,
}

/// How a manager wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// By server-side apply.
    Apply,
    /// In any other way.
    Update,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Managed {
    api_version: String,
    time: Option<String>,
    fields: FieldSet,
}

// === impl Managers ===

impl Managers {
    /// Reads `metadata.managedFields`; a record that makes no sense counts as none.
    pub(super) fn decode_or_none(encoded: &Value) -> Self {
        Self::decode(encoded).unwrap_or_default()
    }

    fn decode(encoded: &Value) -> Option<Self> {
        let mut entries = BTreeMap::new();
        for entry in encoded.as_array()? {
            let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let operation = match text("operation").as_str() {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return None,
            };
            let api_version = text("apiVersion");
            if api_version.is_empty() || text("fieldsType") != "FieldsV1" {
                return None;
            }
            let id = ManagerId {
                manager: text("manager"),
                operation,
                api_version: if operation == Operation::Update {
                    api_version.clone()
                } else {
                    String::new()
                },
                subresource: text("subresource"),
            };
            let fields = entry
                .get("fieldsV1")
                .map_or(Some(FieldSet::default()), FieldSet::decode)?;
            let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
            entries.insert(
                id,
                Managed {
                    api_version,
                    time,
                    fields,
                },
            );
        }
        Some(Self { entries })
    }

    /// Writes `metadata.managedFields`: by operation, then time, then name.
    pub(super) fn encode(&self) -> Value {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(id, managed)| {
            (
                id.operation,
                managed.time.as_deref(),
                &id.manager,
                &managed.api_version,
                &id.subresource,
            )
        });
        entries
            .into_iter()
            .map(|(id, managed)| encode_entry(id, managed))
            .collect()
    }

    /// Whether nobody owns anything.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The fields that one manager owns.
    pub(super) fn fields_of(&self, id: &ManagerId) -> FieldSet {
        self.entries
            .get(id)
            .map(|managed| managed.fields.clone())
            .unwrap_or_default()
    }

    /// The fields that anyone owns.
    pub(super) fn all_fields(&self) -> FieldSet {
        self.entries.values().fold(FieldSet::default(), |mut all, managed| {
            all.add(&managed.fields);
            all
        })
    }

    /// Makes these the fields that a manager owns. Its time stays.
    pub(super) fn set(&mut self, id: &ManagerId, writer: Writer<'_>, fields: FieldSet) {
        let managed = self.entries.entry(id.clone()).or_default();
        writer.api_version.clone_into(&mut managed.api_version);
        managed.fields = fields;
    }

    /// Adds to the fields that a manager owns. Its time stays.
    pub(super) fn add(&mut self, id: &ManagerId, writer: Writer<'_>, fields: &FieldSet) {
        let managed = self.entries.entry(id.clone()).or_default();
        writer.api_version.clone_into(&mut managed.api_version);
        managed.fields.add(fields);
    }

    /// Notes when a manager wrote last.
    pub(super) fn touch(&mut self, id: &ManagerId, now: &str) {
        if let Some(managed) = self.entries.get_mut(id) {
            managed.time = Some(now.to_owned());
        }
    }

    /// Which managers, `but` for one, own any of these fields, and which of them.
    pub(super) fn owning(&self, fields: &FieldSet, but: Option<&ManagerId>) -> BTreeMap<ManagerId, FieldSet> {
        let others = self.entries.iter().filter(|(id, _)| Some(*id) != but);
        let owned = others.map(|(id, managed)| (id.clone(), managed.fields.intersection(fields)));
        owned.filter(|(_, fields)| !fields.is_empty()).collect()
    }

    /// Takes these fields from all managers `but` one; who owns nothing any more is forgotten.
    pub(super) fn disown(&mut self, fields: &FieldSet, but: Option<&ManagerId>) {
        self.entries.retain(|id, managed| {
            if Some(id) != but {
                managed.fields.subtract(fields);
            }
            !managed.fields.is_empty()
        });
    }

    /// Whether two records agree in all but when things were written.
    pub(super) fn equal_but_for_time(&self, other: &Self) -> bool {
        let same = |(ours, theirs): ((&ManagerId, &Managed), (&ManagerId, &Managed))| {
            ours.0 == theirs.0 && ours.1.api_version == theirs.1.api_version && ours.1.fields == theirs.1.fields
        };
        self.entries.len() == other.entries.len() && self.entries.iter().zip(&other.entries).all(same)
    }

    /// Puts the oldest `Update` entries together, one bucket for each version, until few enough are left.
    pub(super) fn cap(&mut self) {
        let updaters = self.entries.iter().filter(|(id, _)| id.operation == Operation::Update);
        let mut oldest: Vec<_> = updaters
            .map(|(id, managed)| (managed.time.clone(), id.clone()))
            .collect();
        oldest.sort();
        let mut count = oldest.len();
        let mut first_of_version: BTreeMap<String, ManagerId> = BTreeMap::new();
        for (_, id) in oldest {
            if count <= MAX_UPDATERS {
                return;
            }
            // A version's first entry stays as it is until there is a second one to share a bucket with.
            let Some(first) = first_of_version.get(&id.api_version) else {
                first_of_version.insert(id.api_version.clone(), id);
                continue;
            };
            let bucket = ManagerId {
                manager: ANCIENT.to_owned(),
                operation: Operation::Update,
                api_version: id.api_version.clone(),
                subresource: String::new(),
            };
            if !self.entries.contains_key(&bucket)
                && let Some(managed) = self.entries.remove(first)
            {
                self.entries.insert(bucket.clone(), managed);
            }
            if id == bucket {
                continue;
            }
            if let Some(ancient) = self.entries.remove(&id)
                && let Some(bucket) = self.entries.get_mut(&bucket)
            {
                bucket.fields.add(&ancient.fields);
                bucket.time = ancient.time;
                count -= 1;
            }
        }
    }
}

fn encode_entry(id: &ManagerId, managed: &Managed) -> Value {
    let mut entry = json!({
        "manager": id.manager,
        "operation": match id.operation {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        },
        "apiVersion": managed.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": managed.fields.encode(),
    });
    if let Some(time) = &managed.time {
        entry["time"] = time.as_str().into();
    }
    if !id.subresource.is_empty() {
        entry["subresource"] = id.subresource.as_str().into();
    }
    entry
}

// === impl ManagerId ===

impl ManagerId {
    /// The entry of a writer.
    pub(super) fn new(writer: Writer<'_>, operation: Operation) -> Self {
        Self {
            manager: writer.manager.to_owned(),
            operation,
            api_version: match operation {
                Operation::Apply => String::new(),
                Operation::Update => writer.api_version.to_owned(),
            },
            subresource: writer.subresource.to_owned(),
        }
    }
}
