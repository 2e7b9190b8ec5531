//! What every write goes through between the request and the store: one function for objects that are new, one for objects
//! that change. Nothing here reads a request or writes to the store.
//!
//! The order is upstream's: metadata, pruning, defaults, what the kind itself prepares, field ownership, hooks that change,
//! validation, hooks that refuse.

mod hooks;
mod kinds;
mod namespaces;
mod options;

use serde_json::Value;

pub use self::hooks::{AdmissionHook, AdmissionRequest, Operation, Refusal};
pub(crate) use self::options::{FieldValidation, WriteOptions, dry_run};
use crate::{
    Identity,
    apply::{self, Writer},
    crd,
    field_error::FieldError,
    object, object_meta,
    resource::Resource,
    server::State,
    status::{ApiError, Result},
    types,
};

/// A write under way.
pub(crate) struct Write<'a> {
    pub(crate) state: &'a State,
    pub(crate) identity: &'a Identity,
    pub(crate) resource: &'a Resource,
    pub(crate) subresource: &'a str,
    pub(crate) options: &'a WriteOptions,
    pub(crate) ownership: Ownership,
    pub(crate) warnings: &'a mut Vec<String>,
}

/// Who settles which manager owns which field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Whoever writes owns what changed.
    Update,
    /// Server-side apply did it before.
    Applied,
}

/// What an update comes to.
#[derive(Debug)]
pub(crate) enum Change {
    /// Nothing: the object stays at its version.
    None,
    /// The object changes to this.
    To(Value),
    /// Its last finalizer went, and with it the object.
    Gone(Value),
}

impl Write<'_> {
    /// Makes an object ready to be created.
    pub(crate) fn create(&mut self, mut object: Value) -> Result<Value> {
        let resource = self.resource;
        namespaces::admit(self.state, resource, &object)?;
        object_meta::wipe(&mut object);
        object_meta::unique_owners(&mut object, self.warnings);
        // A kubelet registers its node with what it found there.
        if resource.status && !resource.is_core("nodes") {
            drop_field(&mut object, "status");
        }
        self.default(&mut object);
        object::set_meta(&mut object, "uid", &self.state.random.uuid());
        object::set_meta(&mut object, "creationTimestamp", &self.state.stamp());
        if resource.rules.generation {
            object::metadata_mut(&mut object).insert("generation".to_owned(), 1.into());
        }
        if self.ownership == Ownership::Update {
            self.own(None, &mut object);
        }
        self.let_hooks_change(None, &mut object)?;
        kinds::prepare_create(self.state, resource, &mut object)?;
        self.validate(&object, None)?;
        self.let_hooks_refuse(None, &object)?;
        Ok(object)
    }

    /// Makes a changed object ready to replace the live one.
    pub(crate) fn update(&mut self, live: &Value, mut object: Value) -> Result<Change> {
        let resource = self.resource;
        self.settle(live, &mut object)?;
        let is_live = object == *live && !is_finished(resource, live);
        // Nobody owns what a hook changes.
        if self.ownership == Ownership::Update && !is_live {
            self.own(Some(live), &mut object);
        }
        let changed = self.let_hooks_change(Some(live), &mut object)?;
        if changed {
            self.settle(live, &mut object)?;
        } else if is_live {
            self.let_hooks_refuse(Some(live), &object)?;
            return Ok(Change::None);
        }
        if resource.rules.generation && wanted_differs(live, &object) {
            let generation = live["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
            object::metadata_mut(&mut object).insert("generation".to_owned(), generation.into());
        }
        self.validate(&object, Some(live))?;
        self.let_hooks_refuse(Some(live), &object)?;
        Ok(if is_finished(resource, &object) {
            Change::Gone(object)
        } else if object == *live {
            Change::None
        } else {
            Change::To(object)
        })
    }

    /// Puts back what no write on this path changes, and completes the rest.
    fn settle(&mut self, live: &Value, object: &mut Value) -> Result<()> {
        object_meta::restore(live, object);
        object_meta::unique_owners(object, self.warnings);
        self.keep_what_this_path_does_not_write(live, object);
        self.default(object);
        kinds::prepare_update(self.state, self.resource, live, object)?;
        let version = object::meta(live, "resourceVersion").to_owned();
        object::set_meta(object, "resourceVersion", &version);
        Ok(())
    }

    /// Says, in the way that was asked for, what was wrong with an object as it was sent: `unknown field "spec.foo"`.
    pub(crate) fn complain(&mut self, complaints: &[String]) -> Result<()> {
        match self.options.validation {
            FieldValidation::Ignore => {}
            FieldValidation::Warn => self.warnings.extend_from_slice(complaints),
            FieldValidation::Strict if complaints.is_empty() => {}
            FieldValidation::Strict => {
                let (kind, version) = (&self.resource.kind, &self.resource.version);
                let complaints = complaints.join(", ");
                return Err(ApiError::BadRequest(format!(
                    "{kind} in version {version:?} cannot be handled as a {kind}: strict decoding error: {complaints}"
                )));
            }
        }
        Ok(())
    }

    /// The writer as the ownership of fields records it.
    pub(crate) fn with_writer<R>(&self, api_version: &str, record: impl FnOnce(Writer<'_>) -> R) -> R {
        let now = self.state.stamp();
        record(Writer {
            manager: &self.options.manager,
            api_version,
            subresource: self.subresource,
            now: &now,
        })
    }

    fn own(&self, live: Option<&Value>, object: &mut Value) {
        let api_version = self.resource.api_version();
        self.with_writer(&api_version, |writer| {
            apply::update(self.resource.schema(), live, object, writer);
        });
    }

    fn default(&self, object: &mut Value) {
        self.resource.schema().default(object);
        if self.resource.id == crd::resource_id() {
            crd::prepare(object);
        }
        kinds::default(self.resource, object);
    }

    /// The main path doesn't write the status where that has a path of its own, and the other way round.
    fn keep_what_this_path_does_not_write(&self, live: &Value, object: &mut Value) {
        if matches!(self.subresource, "status" | "approval") {
            if self.resource.is_custom() {
                let metadata = std::mem::replace(&mut object["metadata"], live["metadata"].clone());
                object::copy_field_of_metadata(&metadata, object, "managedFields");
            }
            keep_all_but_status(live, object);
            if self.resource.is_signing_request() {
                keep_what_the_other_decides(self.subresource, live, object);
            }
        } else if self.resource.status && self.subresource.is_empty() {
            object::copy_field(live, object, "status");
        }
    }

    fn validate(&mut self, object: &Value, live: Option<&Value>) -> Result<()> {
        let resource = self.resource;
        let mut errors = object_meta::validate(resource, object, live);
        errors.extend(match resource.structure() {
            Some(structure) => types::missing(structure, object, live),
            None => resource.schema().validate(object, live),
        });
        errors.extend(kinds::validate(resource, object, live));
        if resource.schema().has_rules() {
            self.run_rules(object, live, &mut errors);
        }
        if resource.id == crd::resource_id() {
            errors.extend(crd::validate(object, live));
        }
        invalid(resource, object::name(object), errors)
    }

    fn run_rules(&mut self, object: &Value, live: Option<&Value>, errors: &mut Vec<FieldError>) {
        if errors.iter().any(FieldError::blocks_rules) {
            let detail = "some validation rules were not checked because the object was invalid; correct the existing errors \
                          to complete validation";
            errors.push(FieldError::invalid("", Value::Null, detail));
            return;
        }
        let verdict = self.resource.schema().run_rules(object, live);
        errors.extend(verdict.errors);
        self.warnings.extend(verdict.warnings);
    }
}

/// An error for an object that is invalid in some fields; none for none.
pub(crate) fn invalid(resource: &Resource, name: &str, errors: Vec<FieldError>) -> Result<()> {
    if errors.is_empty() {
        return Ok(());
    }
    let (group, kind) = (resource.group().to_owned(), resource.kind.clone());
    Err(ApiError::Invalid {
        group,
        kind,
        name: name.to_owned(),
        errors,
    })
}

/// Whether nothing holds back the removal of an object that is being deleted.
pub(crate) fn is_finished(resource: &Resource, object: &Value) -> bool {
    let grace = object["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0);
    let namespace = resource.is_core("namespaces");
    let held = namespace
        && object["spec"]["finalizers"]
            .as_array()
            .is_some_and(|finalizers| !finalizers.is_empty());
    object::is_deleting(object) && object::finalizers(object).is_empty() && grace == 0 && !held
}

/// The fields of what is wanted: all but metadata and status.
fn wanted(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let fields = object.as_object().into_iter().flatten();
    fields.filter(|(field, _)| !matches!(field.as_str(), "metadata" | "status"))
}

fn wanted_differs(one: &Value, two: &Value) -> bool {
    !wanted(one).eq(wanted(two))
}

/// Makes what is wanted that of the live object. What agrees already, which is nearly always all of it, stays in place.
fn keep_all_but_status(live: &Value, object: &mut Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|field, _| matches!(field.as_str(), "metadata" | "status") || live.get(field).is_some());
    }
    for (field, value) in wanted(live) {
        if object.get(field) != Some(value) {
            object[field] = value.clone();
        }
    }
}

/// Approval and denial are written on a path of their own, and nothing else is written there.
fn keep_what_the_other_decides(subresource: &str, live: &Value, object: &mut Value) {
    let decides = |condition: &Value| condition["type"] == "Approved" || condition["type"] == "Denied";
    let of = |object: &Value, decisions: bool| -> Vec<Value> {
        let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
        conditions
            .filter(|condition| decides(condition) == decisions)
            .cloned()
            .collect()
    };
    let conditions = if subresource == "approval" {
        let conditions = [of(object, true), of(live, false)].concat();
        object::copy_field(live, object, "status");
        conditions
    } else {
        [of(live, true), of(object, false)].concat()
    };
    if !conditions.is_empty() || object["status"]["conditions"].is_array() {
        object["status"]["conditions"] = conditions.into();
    }
}

fn drop_field(object: &mut Value, field: &str) {
    if let Some(object) = object.as_object_mut() {
        object.remove(field);
    }
}
