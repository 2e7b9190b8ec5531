//! The seam for admission of one's own: what webhooks are to a real server, called in process.
//!
//! # Order
//!
//! Hooks are asked in the order in which [`Options::admission`](crate::Options::admission) names them. An object is decoded,
//! pruned and defaulted, and its writer owns its fields, before hooks may change it; what they change is pruned and defaulted
//! again, and nobody owns it. The schema and its rules are checked after that, and only then is each hook asked whether it
//! refuses. All of it happens in a dry run, and again where the object changed meanwhile.
//!
//! # Caveats
//!
//! Deletions are not told. A hook is called with every lock released, but in the request's own task: it should take
//! microseconds.

use serde_json::Value;

use super::Write;
use crate::{
    Identity, Objects, object,
    status::{ApiError, Result},
    types::Spelling,
};

/// Code of a refusal for which a webhook gives no other.
const FORBIDDEN: u16 = 403;

/// Changes or refuses objects that are written.
pub trait AdmissionHook: Send + Sync {
    /// Its name, as refusals show it.
    fn name(&self) -> &str;

    /// Whether it is to be asked about a resource (its plural name), or about one of its subresources.
    fn concerns(&self, group: &str, resource: &str, subresource: &str) -> bool;

    /// The object as it is to be instead, or `None` to leave it as it is.
    fn mutate(&self, _request: &AdmissionRequest<'_>) -> Result<Option<Value>, Refusal> {
        Ok(None)
    }

    /// Whether the object may be written.
    fn validate(&self, _request: &AdmissionRequest<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}

/// What is about to be written, and by whom.
#[derive(Debug)]
pub struct AdmissionRequest<'a> {
    /// Whether it is new.
    pub operation: Operation,
    /// API group; empty for the core group.
    pub group: &'a str,
    /// API version, in which the objects are.
    pub version: &'a str,
    /// Plural name of the resource.
    pub resource: &'a str,
    /// `status`, `scale`, …; or empty. The object of `scale` is the one that is scaled.
    pub subresource: &'a str,
    /// Namespace; empty for cluster scope.
    pub namespace: &'a str,
    /// Name of the object.
    pub name: &'a str,
    /// The object as it would be written.
    pub object: &'a Value,
    /// The object as it is, unless it is new.
    pub old: Option<&'a Value>,
    /// Whether nothing will be written in the end.
    pub dry_run: bool,
    /// Who writes.
    pub user: &'a Identity,
    /// What is stored.
    pub objects: Objects<'a>,
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It is made, by whatever verb.
    Create,
    /// It is changed, by whatever verb.
    Update,
}

/// Why an object is not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The hook says no, with an HTTP status code of 400 or more.
    Denied {
        /// HTTP status code.
        code: u16,
        /// Why.
        message: String,
    },
    /// The hook stands for a webhook that can't be called, and must not be done without: why it can't.
    Unreachable(String),
}

// === impl Refusal ===

impl Refusal {
    /// A refusal with the code that webhooks have by default.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::Denied {
            code: FORBIDDEN,
            message: message.into(),
        }
    }

    fn of(self, hook: &dyn AdmissionHook) -> ApiError {
        let hook = hook.name().to_owned();
        match self {
            Self::Denied { code, message } => ApiError::Denied { hook, code, message },
            Self::Unreachable(why) => ApiError::Internal(format!("failed calling webhook {hook:?}: {why}")),
        }
    }
}

// === impl Write ===

impl<'a> Write<'a> {
    /// Lets hooks change an object; whether one did.
    pub(super) fn let_hooks_change(&self, live: Option<&Value>, object: &mut Value) -> Result<bool> {
        let mut changed = false;
        for hook in self.hooks() {
            let answer = hook.mutate(&self.request(live, object));
            let Some(mut answer) = answer.map_err(|refusal| refusal.of(hook))? else {
                continue;
            };
            self.resource.read(&mut answer, Spelling::Canonical)?;
            self.default(&mut answer);
            *object = answer;
            changed = true;
        }
        Ok(changed)
    }

    /// Asks hooks whether an object may be written.
    pub(super) fn let_hooks_refuse(&self, live: Option<&Value>, object: &Value) -> Result<()> {
        for hook in self.hooks() {
            let answer = hook.validate(&self.request(live, object));
            answer.map_err(|refusal| refusal.of(hook))?;
        }
        Ok(())
    }

    fn hooks(&self) -> impl Iterator<Item = &'a dyn AdmissionHook> {
        let (resource, subresource) = (self.resource, self.subresource);
        let hooks = self.state.hooks.iter().map(AsRef::as_ref);
        hooks.filter(move |hook| hook.concerns(resource.group(), resource.plural(), subresource))
    }

    fn request<'b>(&'b self, live: Option<&'b Value>, object: &'b Value) -> AdmissionRequest<'b> {
        AdmissionRequest {
            operation: live.map_or(Operation::Create, |_| Operation::Update),
            group: self.resource.group(),
            version: &self.resource.version,
            resource: self.resource.plural(),
            subresource: self.subresource,
            namespace: object::namespace(object),
            name: object::name(object),
            object,
            old: live,
            dry_run: self.options.dry_run,
            user: self.identity,
            objects: Objects::new(self.state),
        }
    }
}
