//! Writes that a step wants, as values.

use std::fmt;

use berth_api::Resource;
use serde::Serialize;
use serde_json::Value;

use crate::facts::Target;
use crate::step::StepId;

/// An object's address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// The API server it is on.
    pub target: Target,
    /// Its kind.
    pub resource: &'static Resource,
    /// Its namespace; `None` for a cluster-scoped kind.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// A value that is made when an object is created, and never again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Generate {
    /// Random bytes, base64 in `data`.
    RandomBytes {
        /// Key in the Secret's `data`.
        key: String,
        /// How many bytes.
        length: usize,
    },
}

/// One write. Its `Debug` form leaves out what a Secret holds.
#[derive(Clone, PartialEq)]
pub enum Change {
    /// Server-side apply of a whole object by the field manager `berth`; carries `apiVersion` and `kind`.
    Apply {
        /// The object's address.
        object: ObjectRef,
        /// The fields that Berth wants to own. Values of a Secret are never printed.
        fields: Value,
    },
    /// Made once, read back ever after, never changed by a later run.
    CreateOnce {
        /// The object's address.
        object: ObjectRef,
        /// The object as it will be created, without what is generated.
        fields: Value,
        /// What is made up at that moment.
        generate: Vec<Generate>,
    },
    /// One field of an object that is not Berth's. Where another manager owns the field with another value, the plan
    /// shows the conflict, and only `takeover` makes the write.
    Set {
        /// The object's address.
        object: ObjectRef,
        /// The field's path: `["spec", "routeAdmission", "wildcardPolicy"]`.
        path: Vec<String>,
        /// The value to set; `None` removes the field.
        value: Option<Value>,
        /// Whether the document allows to take the field from another manager.
        takeover: bool,
    },
    /// Fields of an object that is there, all at once, because a person asked for them by a command: as a merge patch says
    /// it, `null` removes a field. Whoever owned them before, they are Berth's afterwards.
    Merge {
        /// The object's address.
        object: ObjectRef,
        /// The fields.
        fields: Value,
    },
    /// The object must not exist.
    Absent {
        /// The object's address.
        object: ObjectRef,
    },
    /// A write that can't be worked out before another step is ready.
    Later {
        /// What will be written, in a few words.
        what: String,
        /// The step after which it is known.
        after: StepId,
    },
}

/// One object to delete, and to see gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    /// The object's address.
    pub object: ObjectRef,
    /// Why it goes, or what goes with it: shown in the plan.
    pub note: String,
    /// A merge patch to send before the delete (an annotation that asks an operator to clean up).
    pub before: Option<Value>,
    /// What proves that it may be deleted.
    pub proof: Proof,
}

/// What proves that an object may be deleted with a guest; looked at on the object as it is when it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It carries Berth's label.
    Label,
    /// A field that its maker sets on what belongs to this guest: its path, and the value.
    Field(Vec<String>, String),
}

/// The merge patch that makes a value of what is there. A merge patch leaves alone what it does not name, so each field
/// that goes is `null` in it.
pub fn replacing(live: Option<&Value>, value: &Value) -> Value {
    let (Some(Value::Object(live)), Value::Object(wanted)) = (live, value) else {
        return value.clone();
    };
    let gone = live
        .keys()
        .filter(|name| !wanted.contains_key(*name))
        .map(|name| (name.clone(), Value::Null));
    let kept = wanted
        .iter()
        .map(|(name, value)| (name.clone(), replacing(live.get(name), value)));
    Value::Object(gone.chain(kept).collect())
}

// === impl ObjectRef ===

impl ObjectRef {
    /// A cluster-scoped object of the management cluster.
    pub fn cluster(resource: &'static Resource, name: impl Into<String>) -> Self {
        Self {
            target: Target::Management,
            resource,
            namespace: None,
            name: name.into(),
        }
    }

    /// A namespaced object of the management cluster.
    pub fn namespaced(resource: &'static Resource, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            target: Target::Management,
            resource,
            namespace: Some(namespace.into()),
            name: name.into(),
        }
    }

    /// The same object on another API server.
    #[must_use]
    pub fn on(mut self, target: Target) -> Self {
        self.target = target;
        self
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |object: &ObjectRef, value: &dyn fmt::Debug| {
            if object.resource.kind == "Secret" {
                "<secret>".to_owned()
            } else {
                format!("{value:?}")
            }
        };
        match self {
            Self::Apply { object, fields } => write!(f, "Apply({object}: {})", told(object, fields)),
            Self::CreateOnce {
                object,
                fields,
                generate,
            } => write!(f, "CreateOnce({object}: {}, {generate:?})", told(object, fields)),
            Self::Set {
                object,
                path,
                value,
                takeover,
            } => {
                let value = told(object, value);
                write!(f, "Set({object}: {path:?} = {value}, takeover: {takeover})")
            }
            Self::Merge { object, fields } => write!(f, "Merge({object}: {})", told(object, fields)),
            Self::Absent { object } => write!(f, "Absent({object})"),
            Self::Later { what, after } => write!(f, "Later({what}, after {after})"),
        }
    }
}

impl fmt::Display for ObjectRef {
    /// As people name it: `HostedCluster hcp/guest-cluster-0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.resource.kind, self.name),
            None => write!(f, "{} {}", self.resource.kind, self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use berth_api::resources;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_in_the_value_goes_by_its_name() {
        let live = json!({ "providers": [1], "token": { "age": 1, "idle": "1m" }, "same": 1 });
        let value = json!({ "token": { "age": 2 }, "same": 1, "new": {} });
        let patch = json!({ "providers": null, "token": { "age": 2, "idle": null }, "same": 1, "new": {} });
        assert_eq!(replacing(Some(&live), &value), patch);
        assert_eq!(replacing(None, &value), value);
        assert_eq!(replacing(Some(&json!([1])), &value), value);
    }

    #[test]
    fn what_a_secret_holds_is_not_printed() {
        let change = |resource| Change::Apply {
            object: ObjectRef::namespaced(resource, "hcp", "a"),
            fields: json!({ "data": { "key": "hunter2" } }),
        };
        assert!(format!("{:?}", change(resources::CONFIG_MAP)).contains("hunter2"));
        assert!(!format!("{:?}", change(resources::SECRET)).contains("hunter2"));
    }
}
