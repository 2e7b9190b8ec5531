//! Kinds that are computed rather than stored, as aggregated API servers provide them: listed and read, never written.

use serde_json::Value;

use crate::{
    server::State,
    store::{ObjectKey, ResourceId},
};

/// What a kind is called that is computed, or stored as it is written, and how it prints.
#[derive(Clone, Debug, Default)]
pub struct VirtualDefinition {
    /// API group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Plural name, as in a path.
    pub plural: String,
    /// Short names.
    pub short_names: Vec<String>,
    /// Categories, such as `all`.
    pub categories: Vec<String>,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// What a table shows after the name.
    pub columns: Vec<VirtualColumn>,
}

/// One column of a table, in the terms of a CRD's `additionalPrinterColumns`.
#[derive(Clone, Debug)]
pub struct VirtualColumn {
    /// Heading.
    pub name: String,
    /// `string`, `integer`, `date`, …
    pub kind: String,
    /// Where the cell's value is in the object.
    pub json_path: String,
    /// 0 for always, more for `-o wide` only.
    pub priority: i64,
}

/// A kind that is computed when it is read.
pub trait VirtualResource: Send + Sync {
    /// What it is called and how it prints.
    fn definition(&self) -> VirtualDefinition;

    /// All objects, of one namespace or of all. `apiVersion` and `kind` are filled in by the server.
    fn list(&self, objects: &Objects<'_>, namespace: Option<&str>) -> Vec<Value>;

    /// One object. What a namespaced kind is asked for always has a namespace.
    fn get(&self, objects: &Objects<'_>, namespace: Option<&str>, name: &str) -> Option<Value> {
        self.list(objects, namespace)
            .into_iter()
            .find(|object| object["metadata"]["name"] == name)
    }
}

/// A read-only view of what the server stores.
pub struct Objects<'a> {
    state: &'a State,
}

impl<'a> Objects<'a> {
    pub(crate) fn new(state: &'a State) -> Self {
        Self { state }
    }

    /// Stored objects of a resource, of one namespace or of all, in order of namespace and name.
    pub fn list(&self, group: &str, plural: &str, namespace: Option<&str>) -> Vec<Value> {
        let stored = self
            .state
            .store
            .list(&ResourceId::new(group, plural), namespace)
            .objects;
        stored.iter().map(|object| object.value()).collect()
    }

    /// One stored object.
    pub fn get(&self, group: &str, plural: &str, namespace: Option<&str>, name: &str) -> Option<Value> {
        let key = ObjectKey::new(namespace.unwrap_or_default(), name);
        let stored = self.state.store.get(&ResourceId::new(group, plural), &key)?;
        Some(stored.value())
    }
}

impl std::fmt::Debug for Objects<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects").finish_non_exhaustive()
    }
}
