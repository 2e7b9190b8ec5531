//! Strategic merge patches: merge patches that know which lists merge, and by which key.
//!
//! Directives: `$patch` (`replace`, `delete`, `merge`), `$retainKeys`, `$deleteFromPrimitiveList/<field>` and
//! `$setElementOrder/<field>`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::PatchError;
use crate::{object::go, schema::Node};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList/";
const SET_ORDER: &str = "$setElementOrder/";

/// What a patch's object says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// Merges `patch` into `target`, both objects.
pub(super) fn merge(node: &Node, target: &Value, patch: &Value) -> Result<Value, PatchError> {
    let (Some(target), Some(patch)) = (target.as_object(), patch.as_object()) else {
        return Err(PatchError::Malformed(
            "a strategic merge patch must be an object".to_owned(),
        ));
    };
    object(node, target.clone(), patch).map(Value::Object)
}

fn object(
    node: &Node,
    mut target: Map<String, Value>,
    patch: &Map<String, Value>,
) -> Result<Map<String, Value>, PatchError> {
    match directive(patch)? {
        Directive::Merge => {}
        Directive::Replace => return Ok(without_directives(patch)),
        Directive::Delete => return Ok(Map::new()),
    }
    let live = target.clone();
    if let Some(keys) = patch.get(RETAIN_KEYS) {
        let keys = keys
            .as_array()
            .ok_or_else(|| malformed(RETAIN_KEYS, "must be a list"))?;
        target.retain(|name, _| keys.iter().any(|key| key == name));
    }
    for (name, doomed) in prefixed(patch, DELETE_FROM_LIST) {
        let doomed = doomed
            .as_array()
            .ok_or_else(|| malformed(DELETE_FROM_LIST, "must be a list"))?;
        if let Some(list) = target.get_mut(name).and_then(Value::as_array_mut) {
            list.retain(|item| !doomed.contains(item));
        }
    }
    for (name, value) in patch.iter().filter(|(name, _)| !is_directive(name)) {
        field(node.field(name), name, &mut target, value)?;
    }
    for (name, order) in prefixed(patch, SET_ORDER) {
        let order = order.as_array().ok_or_else(|| malformed(SET_ORDER, "must be a list"))?;
        if let Some(list) = target.get_mut(name).and_then(Value::as_array_mut) {
            let live = live
                .get(name)
                .and_then(Value::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default();
            reorder(node.field(name), list, order, live);
        }
    }
    Ok(target)
}

fn field(node: &Node, name: &str, target: &mut Map<String, Value>, value: &Value) -> Result<(), PatchError> {
    let merged = match (value, target.get(name)) {
        (Value::Null, _) => {
            target.remove(name);
            return Ok(());
        }
        (Value::Object(patch), Some(Value::Object(current))) => {
            if directive(patch)? == Directive::Delete {
                target.remove(name);
                return Ok(());
            }
            Value::Object(object(node, current.clone(), patch)?)
        }
        (Value::Object(patch), _) => Value::Object(object(node, Map::new(), patch)?),
        (Value::Array(patch), current) if node.strategy.merge => {
            let live = current.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            Value::Array(list(node, live, patch)?)
        }
        (Value::Array(patch), _) => Value::Array(replaced(patch)?),
        (value, _) => value.clone(),
    };
    target.insert(name.to_owned(), merged);
    Ok(())
}

/// A list that is replaced as a whole; a directive among its items has nothing left to do.
fn replaced(patch: &[Value]) -> Result<Vec<Value>, PatchError> {
    let mut items = Vec::new();
    for item in patch {
        match item.as_object() {
            Some(fields) if fields.contains_key(PATCH) => match directive(fields)? {
                Directive::Merge => items.push(Value::Object(without_directives(fields))),
                Directive::Replace | Directive::Delete => {}
            },
            _ => items.push(item.clone()),
        }
    }
    Ok(items)
}

/// Merges lists item by item. What the patch names comes in the patch's order, the rest as in the live list.
fn list(node: &Node, live: &[Value], patch: &[Value]) -> Result<Vec<Value>, PatchError> {
    let mut merged = unordered(node, live.to_vec(), patch)?;
    reorder(node, &mut merged, patch, live);
    Ok(merged)
}

fn unordered(node: &Node, mut current: Vec<Value>, patch: &[Value]) -> Result<Vec<Value>, PatchError> {
    let Some(key) = &node.strategy.merge_key else {
        for item in patch {
            if !current.contains(item) {
                current.push(item.clone());
            }
        }
        return Ok(current);
    };
    // One `$patch: replace` item says that the other items are the whole list.
    for item in patch.iter().filter_map(Value::as_object) {
        if directive(item)? == Directive::Replace && !item.contains_key(key) {
            current.clear();
        }
    }
    for item in patch {
        let Some(fields) = item.as_object() else {
            return Err(PatchError::Malformed(
                "a list of objects can only be merged with objects".to_owned(),
            ));
        };
        keyed_item(node, key, &mut current, fields)?;
    }
    Ok(current)
}

fn keyed_item(node: &Node, key: &str, current: &mut Vec<Value>, patch: &Map<String, Value>) -> Result<(), PatchError> {
    let directive = directive(patch)?;
    let Some(identity) = patch.get(key) else {
        return match directive {
            Directive::Replace => Ok(()),
            Directive::Merge | Directive::Delete => {
                let patch = go(&Value::Object(patch.clone()));
                Err(PatchError::Malformed(format!(
                    "map: {patch} does not contain declared merge key: {key}"
                )))
            }
        };
    };
    let place = current.iter().position(|item| item.get(key) == Some(identity));
    match (directive, place) {
        (Directive::Delete, _) => current.retain(|item| item.get(key) != Some(identity)),
        (Directive::Replace, Some(place)) => current[place] = Value::Object(without_directives(patch)),
        (Directive::Replace, None) => current.push(Value::Object(without_directives(patch))),
        (Directive::Merge, Some(place)) => {
            let merged = object(
                node.item(),
                current[place].as_object().cloned().unwrap_or_default(),
                patch,
            )?;
            current[place] = Value::Object(merged);
        }
        (Directive::Merge, None) => current.push(Value::Object(object(node.item(), Map::new(), patch)?)),
    }
    Ok(())
}

/// Puts the items that `order` names into its order.
///
/// Items that it doesn't name were added by someone else; each goes before the first item that it was before in the
/// live list.
fn reorder(node: &Node, list: &mut Vec<Value>, order: &[Value], live: &[Value]) {
    let key = node.strategy.merge_key.as_deref();
    let identity = |item: &Value| match key {
        Some(key) => item.get(key).map(Value::to_string),
        None => Some(item.to_string()),
    };
    let wanted = places(order.iter().map(identity));
    let live = places(live.iter().map(identity));
    let place = |places: &BTreeMap<String, usize>, item: &Value| places.get(&identity(item)?).copied();
    let items: Vec<_> = std::mem::take(list)
        .into_iter()
        .map(|item| (place(&wanted, &item), place(&live, &item), item))
        .collect();

    let (mut ours, theirs): (Vec<_>, Vec<_>) = items.into_iter().partition(|(rank, ..)| rank.is_some());
    ours.sort_by_key(|(rank, ..)| *rank);
    let mut theirs = theirs.into_iter().peekable();
    for (_, place, item) in ours {
        let was_before = |other: Option<usize>| other.zip(place).is_some_and(|(other, own)| other < own);
        while let Some((.., other)) = theirs.next_if(|(_, other, _)| was_before(*other)) {
            list.push(other);
        }
        list.push(item);
    }
    list.extend(theirs.map(|(.., item)| item));
}

/// Where each comes first.
fn places(identities: impl Iterator<Item = Option<String>>) -> BTreeMap<String, usize> {
    let mut places = BTreeMap::new();
    for (place, identity) in identities.enumerate() {
        if let Some(identity) = identity {
            places.entry(identity).or_insert(place);
        }
    }
    places
}

fn directive(patch: &Map<String, Value>) -> Result<Directive, PatchError> {
    match patch.get(PATCH) {
        None => Ok(Directive::Merge),
        Some(Value::String(text)) => match text.as_str() {
            "merge" => Ok(Directive::Merge),
            "replace" => Ok(Directive::Replace),
            "delete" => Ok(Directive::Delete),
            other => {
                let patch = go(&Value::Object(patch.clone()));
                Err(PatchError::Malformed(format!(
                    "unknown patch type: {other} in map: {patch}"
                )))
            }
        },
        Some(_) => Err(malformed(PATCH, "must be a text")),
    }
}

fn malformed(directive: &str, why: &str) -> PatchError {
    PatchError::Malformed(format!("{directive} {why}"))
}

fn is_directive(name: &str) -> bool {
    name == PATCH || name == RETAIN_KEYS || name.starts_with(DELETE_FROM_LIST) || name.starts_with(SET_ORDER)
}

fn without_directives(patch: &Map<String, Value>) -> Map<String, Value> {
    let fields = patch.iter().filter(|(name, _)| !is_directive(name));
    fields.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn prefixed<'a>(patch: &'a Map<String, Value>, prefix: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    patch
        .iter()
        .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value)))
}
