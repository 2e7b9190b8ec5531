//! What a schema makes of a value: its fields as a set, and merging, comparing and removing by those fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    field_set::{Entry, FieldSet},
    path_element::PathElement,
};
use crate::schema::{ListType, MapType, Node};

/// How one object differs from another.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// In the second only.
    pub(super) added: FieldSet,
    /// In the first only.
    pub(super) removed: FieldSet,
    /// In both, with different values.
    pub(super) modified: FieldSet,
}

/// A part of a value that can be owned apart from the rest.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    node: &'a Node,
    value: &'a Value,
    /// Whether being there is itself something to own: list items and the entries of maps, not the fields of structs.
    is_entry: bool,
}

/// The fields that a value sets.
pub(super) fn to_set(node: &Node, value: &Value) -> FieldSet {
    let mut set = FieldSet::default();
    for (element, part) in parts(node, value).unwrap_or_default() {
        // What has no parts is owned itself: a plain value, a whole, something empty.
        let has_parts = parts(part.node, part.value).is_some_and(|parts| !parts.is_empty());
        let owned = part.is_entry || !has_parts;
        set.put(
            element,
            Entry {
                owned,
                below: to_set(part.node, part.value),
            },
        );
    }
    set
}

/// The live value with the applied one merged over it.
pub(super) fn merge(node: &Node, live: &Value, applied: &Value) -> Value {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) if node.map == MapType::Granular => {
            let mut merged = live.clone();
            for (name, value) in applied {
                let value = match live.get(name) {
                    Some(live) => merge(node.field(name), live, value),
                    None => value.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (Value::Array(live), Value::Array(applied)) if node.list != ListType::Atomic => {
            Value::Array(merge_items(node, live, applied))
        }
        _ => applied.clone(),
    }
}

/// Merges lists item by item. The applied order holds; items that only the live list has go before, as far as the order
/// of what is in both allows.
fn merge_items(node: &Node, live: &[Value], applied: &[Value]) -> Vec<Value> {
    let name = |(index, item)| element(node, index, item);
    let live: Vec<_> = live.iter().enumerate().map(|item| (name(item), item.1)).collect();
    let applied: Vec<_> = applied.iter().enumerate().map(|item| (name(item), item.1)).collect();
    let mut live_by_name: BTreeMap<&PathElement, &Value> = BTreeMap::new();
    for (name, item) in &live {
        live_by_name.entry(name).or_insert(item);
    }
    let is_applied: BTreeSet<&PathElement> = applied.iter().map(|(name, _)| name).collect();
    let in_both = applied.iter().map(|(name, _)| name);
    let mut in_both = in_both.filter(|name| live_by_name.contains_key(name)).peekable();

    let (mut merged, mut done) = (Vec::new(), BTreeSet::new());
    let mut rest = live.iter().peekable();
    for (name, item) in &applied {
        while let Some((next, live_item)) = rest.peek() {
            if !is_applied.contains(next) {
                merged.push((*live_item).clone());
            } else if next == name || in_both.peek().is_none_or(|shared| *shared == next) {
                break;
            }
            rest.next();
        }
        // It has its place already, or gets it now.
        rest.next_if(|(next, _)| next == name || done.contains(next));
        in_both.next_if_eq(&name);
        done.insert(name);
        merged.push(match live_by_name.get(name) {
            Some(live) => merge(node.item(), live, item),
            None => (*item).clone(),
        });
    }
    let only_live = rest.filter(|(name, _)| !is_applied.contains(name));
    merged.extend(only_live.map(|(_, item)| (*item).clone()));
    merged
}

/// How `after` differs from `before`.
pub(super) fn compare(node: &Node, before: &Value, after: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    compare_at(node, Some(before), Some(after), &mut Vec::new(), &mut comparison);
    comparison
}

fn compare_at(
    node: &Node,
    before: Option<&Value>,
    after: Option<&Value>,
    path: &mut Vec<PathElement>,
    comparison: &mut Comparison,
) {
    if before == after {
        return;
    }
    let before_parts = before.and_then(|before| parts(node, before));
    let after_parts = after.and_then(|after| parts(node, after));
    match (before, after) {
        (None, _) => comparison.added.insert(path),
        (_, None) => comparison.removed.insert(path),
        // A value that can't be taken apart, before or after, changes as a whole.
        _ if before_parts.is_none() || after_parts.is_none() => comparison.modified.insert(path),
        _ => {}
    }
    let before_parts = by_element(before_parts);
    let after_parts = by_element(after_parts);
    for (element, part) in &before_parts {
        path.push(element.clone());
        compare_at(
            part.node,
            Some(part.value),
            after_parts.get(element).map(|part| part.value),
            path,
            comparison,
        );
        path.pop();
    }
    for (element, part) in after_parts
        .iter()
        .filter(|(element, _)| !before_parts.contains_key(*element))
    {
        path.push(element.clone());
        compare_at(part.node, None, Some(part.value), path, comparison);
        path.pop();
    }
}

/// Of several items with one name the first is meant.
fn by_element(parts: Option<Vec<(PathElement, Part<'_>)>>) -> BTreeMap<PathElement, Part<'_>> {
    let mut by_element = BTreeMap::new();
    for (element, part) in parts.unwrap_or_default() {
        by_element.entry(element).or_insert(part);
    }
    by_element
}

/// Removes the `former` fields of a manager that nobody, itself included, keeps.
pub(super) fn remove_abandoned(node: &Node, value: &mut Value, former: &FieldSet, kept: &FieldSet) {
    let fate = |element: &PathElement| match (former.get(element), kept.get(element)) {
        (Some(former), None) if former.owned || element.field_name().is_some() => Fate::Goes,
        (Some(former), Some(kept)) => Fate::Partly(former.below.clone(), kept.below.clone()),
        _ => Fate::Stays,
    };
    match value {
        Value::Object(fields) if node.map == MapType::Granular => {
            fields.retain(|name, value| match fate(&PathElement::field(name)) {
                Fate::Stays => true,
                Fate::Goes => false,
                Fate::Partly(former, kept) => {
                    remove_abandoned(node.field(name), value, &former, &kept);
                    true
                }
            });
        }
        Value::Array(items) if node.list != ListType::Atomic => {
            let mut index = 0;
            items.retain_mut(|value| {
                let element = element(node, index, value);
                index += 1;
                match fate(&element) {
                    Fate::Stays => true,
                    Fate::Goes => false,
                    Fate::Partly(former, kept) => {
                        remove_abandoned(node.item(), value, &former, &kept);
                        true
                    }
                }
            });
        }
        _ => {}
    }
}

enum Fate {
    Stays,
    Goes,
    Partly(FieldSet, FieldSet),
}

/// The parts of a value that merge on their own; none for one that is a whole.
fn parts<'a>(node: &'a Node, value: &'a Value) -> Option<Vec<(PathElement, Part<'a>)>> {
    match value {
        Value::Object(fields) if node.map == MapType::Granular => {
            let parts = fields.iter().map(|(name, value)| {
                let is_struct_field = node.properties.contains(name);
                (
                    PathElement::field(name),
                    Part {
                        node: node.field(name),
                        value,
                        is_entry: !is_struct_field,
                    },
                )
            });
            Some(parts.collect())
        }
        Value::Array(items) if node.list != ListType::Atomic => {
            let parts = items.iter().enumerate().map(|(index, value)| {
                (
                    element(node, index, value),
                    Part {
                        node: node.item(),
                        value,
                        is_entry: true,
                    },
                )
            });
            Some(parts.collect())
        }
        _ => None,
    }
}

/// What a list's item is called.
pub(super) fn element(node: &Node, index: usize, item: &Value) -> PathElement {
    match (&node.list, item) {
        (ListType::Map(keys), Value::Object(fields)) => {
            let key: Map<String, Value> = keys
                .iter()
                .filter_map(|name| {
                    let default = || node.item().properties.get(name)?.default.as_deref();
                    let value = fields.get(name).or_else(default)?;
                    Some((name.clone(), value.clone()))
                })
                .collect();
            if key.is_empty() {
                PathElement::index(index)
            } else {
                PathElement::key(key)
            }
        }
        (ListType::Set, item) => PathElement::value(item),
        _ => PathElement::index(index),
    }
}
