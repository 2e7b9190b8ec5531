//! What objects are filed under. The version that they are served in is no part of it.

use std::{cmp::Ordering, iter, sync::Arc};

/// A resource: all objects of a group and plural name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ResourceId {
    group: Arc<str>,
    plural: Arc<str>,
}

/// An object among those of its resource. The namespace is empty for cluster scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectKey {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
}

impl ResourceId {
    pub(crate) fn new(group: &str, plural: &str) -> Self {
        Self {
            group: group.into(),
            plural: plural.into(),
        }
    }

    pub(crate) fn group(&self) -> &str {
        &self.group
    }

    pub(crate) fn plural(&self) -> &str {
        &self.plural
    }

    /// `pods`, or `deployments.apps`: how messages name a resource.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_string()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }
}

impl ObjectKey {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

/// Clients see lists in the order of upstream's keys, in which a slash follows the namespace: `a-b/x` before `a/x`.
impl Ord for ObjectKey {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.namespace == other.namespace {
            return self.name.cmp(&other.name);
        }
        let slash = || iter::once(b'/');
        let (one, two) = (self.namespace.bytes(), other.namespace.bytes());
        one.chain(slash()).cmp(two.chain(slash()))
    }
}

impl PartialOrd for ObjectKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_paths() {
        let key = |text: &str| {
            let (namespace, name) = text.split_once('/').unwrap();
            ObjectKey::new(namespace, name)
        };
        let texts = ["/a", "/b", "a-b/a", "a-b/b.c", "a/b", "a/b-c", "a/c", "a0/a", "b/a"];
        let mut keys: Vec<ObjectKey> = texts.iter().rev().map(|text| key(text)).collect();
        keys.sort();
        let sorted: Vec<String> = keys
            .iter()
            .map(|key| format!("{}/{}", key.namespace, key.name))
            .collect();
        assert_eq!(sorted, texts);
    }
}
