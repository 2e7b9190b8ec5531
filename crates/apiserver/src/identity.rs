//! Who asks, what they ask for, and the seam at which it is decided whether they may.

use std::{collections::BTreeMap, sync::Arc};

/// Who makes a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// User name.
    pub user: String,
    /// Unique id, where the authenticator knows one.
    pub uid: String,
    /// Groups, without `system:authenticated`, which everyone is in.
    pub groups: Vec<String>,
    /// What else the authenticator knows.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// What a request wants to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestAttributes {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for a path that is no
    /// resource, the HTTP method in lower case.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Plural name of the resource; empty for a path that is no resource.
    pub resource: String,
    /// `status`, `scale`, …; or empty.
    pub subresource: String,
    /// Namespace; empty for cluster scope.
    pub namespace: String,
    /// Name of the object; empty for a collection.
    pub name: String,
    /// The path of a request for something that is no resource; else empty.
    pub path: String,
}

/// What an authorizer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go ahead.
    Allow,
    /// Refused, with a reason that is appended to the message where it isn't empty.
    Deny(String),
}

/// Decides whether someone may do something.
pub type Authorizer = Arc<dyn Fn(&Identity, &RequestAttributes) -> Decision + Send + Sync>;

// === impl Identity ===

impl Identity {
    /// A user in some groups.
    pub fn new<G: Into<String>>(user: impl Into<String>, groups: impl IntoIterator<Item = G>) -> Self {
        Self {
            user: user.into(),
            groups: groups.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// A user who may do everything, as the built-in group `system:masters` is by convention.
    pub fn admin() -> Self {
        Self::new("system:admin", ["system:masters"])
    }

    /// All groups, `system:authenticated` among them.
    pub(crate) fn all_groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        if !groups.contains(&"system:authenticated") {
            groups.push("system:authenticated");
        }
        groups
    }
}

// === impl RequestAttributes ===

impl RequestAttributes {
    /// Why a refusal is refused, in the words of the field.
    pub(crate) fn refusal(&self, user: &str) -> String {
        if self.resource.is_empty() {
            return format!("User \"{user}\" cannot {} path \"{}\"", self.verb, self.path);
        }
        let resource = match self.subresource.as_str() {
            "" => self.resource.clone(),
            subresource => format!("{}/{subresource}", self.resource),
        };
        let scope = match self.namespace.as_str() {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace \"{namespace}\""),
        };
        format!(
            "User \"{user}\" cannot {} resource \"{resource}\" in API group \"{}\" {scope}",
            self.verb, self.group
        )
    }
}
