//! One change against one API server: for a plan without writing, for a run with it. The same code does both, so that
//! they can't disagree.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_procedure::{Change, Generate, ObjectRef, StepId};
use serde_json::Value;

use crate::FIELD_MANAGER;
use crate::api::{Api, Found, Mode, RequestError, RequestErrorKind};
use crate::diff::{self, FieldChange};
use crate::known::{Knowledge, is_set, is_terminating};
use crate::plan::{Basis, Conflict, Verb};
use crate::random::Random;

mod set;

/// How far a change is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Compared on this side, with reads only.
    Local,
    /// As `Local`, and where something differs the server is asked what it would make of it.
    DryRun,
    /// Written.
    Write,
}

/// What a change comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled {
    pub(crate) verb: Verb,
    pub(crate) fields: Vec<FieldChange>,
    pub(crate) conflicts: Vec<Conflict>,
    pub(crate) basis: Basis,
    pub(crate) after: After,
}

/// What is known of the object after that.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum After {
    Absent,
    /// As it was read or written.
    Object(Arc<Value>),
    /// Deletion of this UID was asked for.
    Deleted(String),
}

/// Why a change did not come to anything.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    #[error(transparent)]
    Request(Box<RequestError>),
    /// The object is being deleted.
    #[error("{0} is still being deleted")]
    Terminating(ObjectRef),
    /// A field of an object is to be set that is not there.
    #[error("{0} is not there yet")]
    NotThere(ObjectRef),
    /// Another manager owns fields.
    #[error("another manager owns fields")]
    Conflicts(Vec<Conflict>),
    /// Known after another step; nothing to do here.
    #[error("known after `{0}`")]
    Later(StepId),
}

/// Takes a change as far as asked. `known` saves a read where it knows the object.
pub(crate) async fn settle(
    api: &Api,
    random: &Random,
    change: &Change,
    known: Knowledge,
    depth: Depth,
) -> Result<Settled, WorkError> {
    let object = match change {
        Change::Apply { object, .. }
        | Change::CreateOnce { object, .. }
        | Change::Set { object, .. }
        | Change::Merge { object, .. }
        | Change::Absent { object } => object,
        Change::Later { after, .. } => return Err(WorkError::Later(after.clone())),
    };
    let live = match known {
        Knowledge::Object(live) => Some(live),
        Knowledge::Absent => None,
        // A kind that was missing a moment ago may have come: the write itself will tell.
        Knowledge::NoKind if depth == Depth::Write => None,
        Knowledge::Unknown | Knowledge::NoKind => match api.get(object).await {
            Ok(Found::Object(live)) => Some(Arc::new(live)),
            Ok(Found::Absent) => None,
            Ok(Found::NoKind) => return Err(RequestError::no_kind(object).into()),
            // Whoever may not look (at a Secret, say) is shown what is wanted; that a write is refused, the write tells.
            Err(error) if depth != Depth::Write && is_forbidden(&error) && makes(change) => None,
            Err(error) => return Err(error.into()),
        },
    };
    let context = Context { api, object, depth };
    match (change, live) {
        (Change::Absent { .. }, None) => Ok(Settled::unchanged(After::Absent)),
        (Change::Absent { .. }, Some(live)) => context.delete(&live).await,
        (Change::Apply { .. } | Change::CreateOnce { .. } | Change::Set { .. } | Change::Merge { .. }, Some(live))
            if is_terminating(&live) =>
        {
            Err(WorkError::Terminating(object.clone()))
        }
        (Change::Apply { fields, .. }, None) => context.apply_new(&addressed(object, fields)).await,
        (Change::Apply { fields, .. }, Some(live)) => context.apply(&addressed(object, fields), live).await,
        (Change::CreateOnce { .. }, Some(live)) => Ok(Settled::unchanged(After::Object(live))),
        (Change::CreateOnce { fields, generate, .. }, None) => {
            context
                .create(&generated(addressed(object, fields), generate, random, depth))
                .await
        }
        (Change::Set { .. } | Change::Merge { .. }, None) => Err(WorkError::NotThere(object.clone())),
        (Change::Merge { fields, .. }, Some(live)) => context.change(fields, live).await,
        (
            Change::Set {
                path, value, takeover, ..
            },
            Some(live),
        ) => {
            if is_set(&live, path, value.as_ref()) {
                return Ok(Settled::unchanged(After::Object(live)));
            }
            context.set(path, value.as_ref(), *takeover, live).await
        }
        (Change::Later { after, .. }, _) => Err(WorkError::Later(after.clone())),
    }
}

/// One object that is worked on.
struct Context<'a> {
    api: &'a Api,
    object: &'a ObjectRef,
    depth: Depth,
}

impl Context<'_> {
    async fn apply_new(&self, fields: &Value) -> Result<Settled, WorkError> {
        let meant = match self.depth {
            Depth::Local => return Ok(Settled::create(fields, Basis::Local, After::Absent)),
            Depth::DryRun => Mode::DryRun,
            Depth::Write => Mode::Write,
        };
        match self.api.apply(self.object, fields, meant).await {
            Ok(made) => Ok(Settled::create(fields, Basis::DryRun, self.written(made))),
            Err(error) if self.is_unanswerable(&error) => Ok(Settled::create(fields, Basis::Local, After::Absent)),
            Err(error) => refused(error),
        }
    }

    async fn apply(&self, fields: &Value, live: Arc<Value>) -> Result<Settled, WorkError> {
        let differences = diff::local(fields, &live);
        if differences.is_empty() {
            return Ok(Settled::unchanged(After::Object(live)));
        }
        let local = Settled::change(
            Verb::Update,
            differences,
            Basis::Local,
            After::Object(Arc::clone(&live)),
        );
        if self.depth == Depth::Local {
            return Ok(local);
        }
        match self.api.apply(self.object, fields, Mode::DryRun).await {
            Ok(would_be) => {
                let differences = diff::between(&live, &would_be);
                if differences.is_empty() {
                    return Ok(Settled::unchanged(After::Object(live)));
                }
                if self.depth == Depth::DryRun {
                    return Ok(Settled::change(
                        Verb::Update,
                        differences,
                        Basis::DryRun,
                        After::Object(live),
                    ));
                }
            }
            Err(error) if error.kind == RequestErrorKind::ManagerConflict && are_own(&error) => {
                return self.reclaim(fields, live, local).await;
            }
            Err(error) if error.kind == RequestErrorKind::ManagerConflict => {
                let conflicts = conflicts(&error);
                return self.conflicting(local, conflicts);
            }
            Err(error) if self.is_unanswerable(&error) => return Ok(local),
            // An admission webhook may be unable to answer dry runs; the write is then its own trial.
            Err(error) if self.depth == Depth::Write && error.kind == RequestErrorKind::Invalid => {}
            Err(error) => return Err(error.into()),
        }
        match self.api.apply(self.object, fields, Mode::Write).await {
            Ok(made) => {
                let differences = diff::between(&live, &made);
                Ok(Settled::change(
                    Verb::Update,
                    differences,
                    Basis::DryRun,
                    After::Object(Arc::new(made)),
                ))
            }
            Err(error) => refused(error),
        }
    }

    /// Fields that a command of Berth's own set, and nobody else: the document has the last word on them.
    async fn reclaim(&self, fields: &Value, live: Arc<Value>, local: Settled) -> Result<Settled, WorkError> {
        let meant = if self.depth == Depth::Write {
            Mode::Write
        } else {
            Mode::DryRun
        };
        match self.api.reclaim(self.object, fields, meant).await {
            Ok(made) => {
                let differences = diff::between(&live, &made);
                let after = if meant == Mode::Write { Arc::new(made) } else { live };
                Ok(Settled::change(
                    Verb::Update,
                    differences,
                    Basis::DryRun,
                    After::Object(after),
                ))
            }
            Err(error) if self.is_unanswerable(&error) => Ok(local),
            Err(error) => refused(error),
        }
    }

    /// A merge patch with the version that was compared.
    async fn change(&self, fields: &Value, live: Arc<Value>) -> Result<Settled, WorkError> {
        let differences = diff::merged(fields, &live);
        if differences.is_empty() {
            return Ok(Settled::unchanged(After::Object(live)));
        }
        let mut patch = fields.clone();
        patch["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        let local = Settled::change(Verb::Update, differences, Basis::Local, After::Object(live));
        self.send_merge(&patch, local).await
    }

    /// Sends a merge patch as far as asked. `local` is what it comes to, worked out on this side.
    async fn send_merge(&self, patch: &Value, local: Settled) -> Result<Settled, WorkError> {
        let meant = match self.depth {
            Depth::Local => return Ok(local),
            Depth::DryRun => Mode::DryRun,
            Depth::Write => Mode::Write,
        };
        match self.api.merge(self.object, patch, meant).await {
            Ok(_) if meant == Mode::DryRun => Ok(Settled {
                basis: Basis::DryRun,
                ..local
            }),
            Ok(made) => Ok(Settled {
                basis: Basis::DryRun,
                after: After::Object(Arc::new(made)),
                ..local
            }),
            Err(error) if self.is_unanswerable(&error) => Ok(local),
            Err(error) => Err(error.into()),
        }
    }

    async fn create(&self, content: &Value) -> Result<Settled, WorkError> {
        let meant = match self.depth {
            Depth::Local => return Ok(Settled::create(content, Basis::Local, After::Absent)),
            Depth::DryRun => Mode::DryRun,
            Depth::Write => Mode::Write,
        };
        match self.api.create(self.object, content, meant).await {
            Ok(made) => Ok(Settled::create(content, Basis::DryRun, self.written(made))),
            // Made by a run that was killed, or by another one, since it was looked for: it stays as it is.
            Err(error) if error.kind == RequestErrorKind::AlreadyExists => match self.api.get(self.object).await? {
                Found::Object(live) => Ok(Settled::unchanged(After::Object(Arc::new(live)))),
                Found::Absent | Found::NoKind => Err(error.into()),
            },
            Err(error) if self.is_unanswerable(&error) => Ok(Settled::create(content, Basis::Local, After::Absent)),
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, live: &Arc<Value>) -> Result<Settled, WorkError> {
        if is_terminating(live) {
            return Ok(Settled::unchanged(After::Object(Arc::clone(live))));
        }
        let uid = live["metadata"]["uid"].as_str().unwrap_or_default();
        if self.depth == Depth::Write {
            self.api.delete(self.object, uid).await?;
        }
        Ok(Settled::change(
            Verb::Delete,
            Vec::new(),
            Basis::Live,
            After::Deleted(uid.to_owned()),
        ))
    }

    /// A plan shows a conflict, a run stops at it.
    fn conflicting(&self, local: Settled, conflicts: Vec<Conflict>) -> Result<Settled, WorkError> {
        match self.depth {
            Depth::Write => Err(WorkError::Conflicts(conflicts)),
            Depth::Local | Depth::DryRun => Ok(Settled { conflicts, ..local }),
        }
    }

    /// Whether a dry run failed for a reason that says nothing of the object: the user may not write, its namespace is
    /// made by the same plan, or a webhook can't answer dry runs.
    fn is_unanswerable(&self, error: &RequestError) -> bool {
        self.depth != Depth::Write
            && match error.kind {
                RequestErrorKind::Forbidden => !error.message.contains("denied the request"),
                RequestErrorKind::NotFound | RequestErrorKind::NotAllowed => true,
                RequestErrorKind::Invalid => error.message.contains("dry run") || error.message.contains("dryRun"),
                _ => false,
            }
    }

    /// What a dry run returns is not there.
    fn written(&self, made: Value) -> After {
        if self.depth == Depth::Write {
            After::Object(Arc::new(made))
        } else {
            After::Absent
        }
    }
}

/// Whether only Berth itself holds the fields: a command set them, by another way of writing than a document does.
fn are_own(error: &RequestError) -> bool {
    error.conflicts.iter().all(|conflict| conflict.manager == FIELD_MANAGER)
}

fn is_forbidden(error: &RequestError) -> bool {
    error.kind == RequestErrorKind::Forbidden
}

/// Whether a change makes its object where there is none.
fn makes(change: &Change) -> bool {
    matches!(change, Change::Apply { .. } | Change::CreateOnce { .. })
}

/// A refusal for the sake of another manager is told as such.
fn refused(error: RequestError) -> Result<Settled, WorkError> {
    match error.kind {
        RequestErrorKind::ManagerConflict => Err(WorkError::Conflicts(conflicts(&error))),
        _ => Err(error.into()),
    }
}

impl From<RequestError> for WorkError {
    fn from(error: RequestError) -> Self {
        Self::Request(Box::new(error))
    }
}

impl Settled {
    fn unchanged(after: After) -> Self {
        Self::change(Verb::Unchanged, Vec::new(), Basis::Live, after)
    }

    fn create(content: &Value, basis: Basis, after: After) -> Self {
        Self::change(Verb::Create, diff::created(content), basis, after)
    }

    fn change(verb: Verb, fields: Vec<FieldChange>, basis: Basis, after: After) -> Self {
        Self {
            verb,
            fields,
            conflicts: Vec::new(),
            basis,
            after,
        }
    }
}

/// Fields with the address that the object is written to.
fn addressed(object: &ObjectRef, fields: &Value) -> Value {
    let mut addressed = fields.clone();
    addressed["apiVersion"] = object.resource.api_version().into();
    addressed["kind"] = object.resource.kind.into();
    addressed["metadata"]["name"] = object.name.as_str().into();
    if let Some(namespace) = &object.namespace {
        addressed["metadata"]["namespace"] = namespace.as_str().into();
    }
    addressed
}

/// Makes up what is to be made up. A plan draws nothing: what it shows is hidden anyway.
fn generated(mut content: Value, generate: &[Generate], random: &Random, depth: Depth) -> Value {
    for value in generate {
        match value {
            Generate::RandomBytes { key, length } => {
                let bytes = if depth == Depth::Write {
                    random.bytes(*length)
                } else {
                    vec![0; *length]
                };
                content["data"][key] = STANDARD.encode(bytes).into();
            }
        }
    }
    content
}

fn conflicts(error: &RequestError) -> Vec<Conflict> {
    error
        .conflicts
        .iter()
        .map(|conflict| Conflict {
            path: conflict.field.clone(),
            manager: conflict.manager.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use berth_api::resources;
    use serde_json::json;

    use super::*;

    #[test]
    fn generated_values_are_made_up_only_for_a_write() {
        let object = ObjectRef::namespaced(resources::SECRET, "hcp", "key");
        let generate = [Generate::RandomBytes {
            key: "key".into(),
            length: 32,
        }];
        let random = Random::seeded(1);
        let at = |depth| {
            generated(
                addressed(&object, &json!({"type": "Opaque"})),
                &generate,
                &random,
                depth,
            )
        };
        let zeros = STANDARD.encode([0; 32]);
        assert_eq!(at(Depth::DryRun)["data"]["key"], zeros);
        let made = at(Depth::Write);
        assert_ne!(made["data"]["key"], zeros);
        assert_ne!(made, at(Depth::Write));
        assert_eq!(made["metadata"], json!({"name": "key", "namespace": "hcp"}));
    }
}
