//! An object's address in plans, events and reports: what people and JSON readers see of an `ObjectRef`.

use std::fmt;

use berth_procedure::{Change, ObjectRef, Target};
use serde::Serialize;

/// An object's address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// The API server it is on.
    pub target: Target,
    /// API group and version, as in the object.
    pub api_version: String,
    /// Kind, as in the object.
    pub kind: String,
    /// Namespace; `None` for a cluster-scoped kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl From<&ObjectRef> for ObjectName {
    fn from(object: &ObjectRef) -> Self {
        let ObjectRef {
            target,
            resource,
            namespace,
            name,
        } = object;
        Self {
            target: target.clone(),
            api_version: resource.api_version(),
            kind: resource.kind.to_owned(),
            namespace: namespace.clone(),
            name: name.clone(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name)?,
            None => write!(f, "{} {}", self.kind, self.name)?,
        }
        match &self.target {
            Target::Management => Ok(()),
            Target::Guest { namespace, name } => write!(f, " (in guest {namespace}/{name})"),
        }
    }
}

/// The object that a change is about; `None` for one that is known later.
pub(crate) fn object_of(change: &Change) -> Option<&ObjectRef> {
    match change {
        Change::Apply { object, .. }
        | Change::CreateOnce { object, .. }
        | Change::Set { object, .. }
        | Change::Merge { object, .. }
        | Change::Absent { object } => Some(object),
        Change::Later { .. } => None,
    }
}
