//! Sets of fields, and their form on the wire (`fieldsV1`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::path_element::PathElement;

/// A set of paths, as a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldSet {
    entries: BTreeMap<PathElement, Entry>,
}

/// What a set says of one element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Whether the element itself is in the set.
    pub(super) owned: bool,
    /// What of its inside is.
    pub(super) below: FieldSet,
}

// === impl FieldSet ===

impl FieldSet {
    /// Whether there is no path in the set.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What the set says of an element at its top.
    pub(super) fn get(&self, element: &PathElement) -> Option<&Entry> {
        self.entries.get(element)
    }

    /// Adds one path; the empty path, which is the whole object, is nobody's.
    pub(super) fn insert(&mut self, path: &[PathElement]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let entry = self.entries.entry(first.clone()).or_default();
        if rest.is_empty() {
            entry.owned = true;
        } else {
            entry.below.insert(rest);
        }
    }

    /// Puts what is known of one element; nothing at all leaves no trace.
    pub(super) fn put(&mut self, element: PathElement, entry: Entry) {
        if !entry.is_empty() {
            self.entries.insert(element, entry);
        }
    }

    /// The paths that are in either set.
    pub(super) fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        union.add(other);
        union
    }

    /// Adds the paths of the other set.
    pub(super) fn add(&mut self, other: &Self) {
        for (element, theirs) in &other.entries {
            if let Some(ours) = self.entries.get_mut(element) {
                ours.owned |= theirs.owned;
                ours.below.add(&theirs.below);
            } else {
                self.entries.insert(element.clone(), theirs.clone());
            }
        }
    }

    /// Takes away the paths of the other set.
    pub(super) fn subtract(&mut self, other: &Self) {
        for (element, theirs) in &other.entries {
            let Some(ours) = self.entries.get_mut(element) else {
                continue;
            };
            ours.owned &= !theirs.owned;
            ours.below.subtract(&theirs.below);
            if ours.is_empty() {
                self.entries.remove(element);
            }
        }
    }

    /// The paths that are in both sets.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        let mut result = Self::default();
        for (element, ours) in &self.entries {
            let Some(theirs) = other.entries.get(element) else {
                continue;
            };
            let both = Entry {
                owned: ours.owned && theirs.owned,
                below: ours.below.intersection(&theirs.below),
            };
            result.put(element.clone(), both);
        }
        result
    }

    /// The paths of this set that are not in the other.
    pub(super) fn difference(&self, other: &Self) -> Self {
        let mut difference = self.clone();
        difference.subtract(other);
        difference
    }

    /// Every path, as people read it: `.spec.containers[name="a"].image`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect_paths("", &mut paths);
        paths
    }

    fn collect_paths(&self, prefix: &str, paths: &mut Vec<String>) {
        for (element, entry) in &self.entries {
            let path = format!("{prefix}{element}");
            if entry.owned {
                paths.push(path.clone());
            }
            entry.below.collect_paths(&path, paths);
        }
    }

    /// The form on the wire.
    pub(super) fn encode(&self) -> Value {
        let encoded = self.entries.iter().map(|(element, entry)| {
            let mut below = entry.below.encode();
            if let Some(below) = below.as_object_mut().filter(|below| entry.owned && !below.is_empty()) {
                below.insert(".".to_owned(), Value::Object(Map::new()));
            }
            (element.as_str().to_owned(), below)
        });
        Value::Object(encoded.collect())
    }

    /// Reads the form on the wire; nothing if it is none.
    pub(super) fn decode(encoded: &Value) -> Option<Self> {
        let mut set = Self::default();
        for (element, inside) in encoded.as_object()?.iter().filter(|(element, _)| *element != ".") {
            let fields = inside.as_object()?;
            let owned = fields.is_empty() || fields.contains_key(".");
            set.put(
                PathElement::parse(element)?,
                Entry {
                    owned,
                    below: Self::decode(inside)?,
                },
            );
        }
        Some(set)
    }
}

// === impl Entry ===

impl Entry {
    fn is_empty(&self) -> bool {
        !self.owned && self.below.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(encoded: &Value) -> FieldSet {
        FieldSet::decode(encoded).expect("the set is well-formed")
    }

    #[test]
    fn the_wire_form_comes_back_as_it_was() {
        let encoded = json!({
            "f:metadata": {"f:labels": {".": {}, "f:a": {}}, "f:finalizers": {".": {}, "v:\"x\"": {}}},
            "f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}, "f:list": {"i:0": {}}},
        });
        assert_eq!(set(&encoded).encode(), encoded);
    }

    #[test]
    fn malformed_sets_are_refused() {
        for encoded in [
            json!({"spec": {}}),
            json!({"k:x": {}}),
            json!({"v:": {}}),
            json!({"f:a": 1}),
            json!([]),
        ] {
            assert_eq!(FieldSet::decode(&encoded), None, "{encoded}");
        }
    }

    #[test]
    fn sets_combine_by_path() {
        let left = set(&json!({"f:a": {".": {}, "f:b": {}}, "f:c": {}}));
        let right = set(&json!({"f:a": {"f:b": {}, "f:d": {}}}));
        assert_eq!(
            left.union(&right).encode(),
            json!({"f:a": {".": {}, "f:b": {}, "f:d": {}}, "f:c": {}})
        );
        assert_eq!(left.intersection(&right).encode(), json!({"f:a": {"f:b": {}}}));
        assert_eq!(left.difference(&right).encode(), json!({"f:a": {}, "f:c": {}}));
        assert!(left.difference(&left).is_empty());
    }

    #[test]
    fn paths_read_as_upstream_prints_them() {
        let set = set(
            &json!({"f:spec": {"f:c": {"k:{\"name\":\"a\"}": {"f:image": {}}}, "f:s": {"v:\"x\"": {}}, "f:l": {"i:2": {}}}}),
        );
        assert_eq!(
            set.paths(),
            [r#".spec.c[name="a"].image"#, ".spec.l[2]", r#".spec.s[="x"]"#]
        );
    }
}
