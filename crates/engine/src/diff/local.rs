//! What server-side apply would change, worked out without a request: good enough to know that nothing would, and to
//! show a plan to a user who may only read. The server's own dry run has the last word where something differs.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{FieldChange, INFALLIBLE, Shown, hide, owned, push, same};

/// Walks desired fields along the live object.
struct Walk {
    path: String,
    changes: Vec<FieldChange>,
}

/// Desired fields that the live object lacks or has otherwise, and fields that Berth applied before and no longer wants.
pub(crate) fn local(desired: &Value, live: &Value) -> Vec<FieldChange> {
    let mut changes = unhidden(desired, live);
    hide(live, &mut changes);
    changes
}

/// Whether two states of an object differ from what is desired in the same way: what a server made of an accepted write
/// (a default, a normal form) is no reason to write again.
pub(crate) fn equally_far(desired: &Value, a: &Value, b: &Value) -> bool {
    unhidden(desired, a) == unhidden(desired, b)
}

fn unhidden(desired: &Value, live: &Value) -> Vec<FieldChange> {
    let desired = as_stored(desired);
    let applied = owned::applied(live);
    let mut walk = Walk {
        path: String::new(),
        changes: Vec::new(),
    };
    walk.wanted(&desired, Some(live), applied);
    if let Some(applied) = applied {
        walk.dropped(applied, &desired, live);
    }
    walk.changes
}

/// A Secret's `stringData` is stored as `data`. The address is no field.
fn as_stored(desired: &Value) -> Value {
    let mut stored = desired.clone();
    if let Some(fields) = stored.as_object_mut() {
        fields.remove("apiVersion");
        let kind = fields.remove("kind");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("name");
            metadata.remove("namespace");
        }
        if kind.is_some_and(|kind| kind == "Secret")
            && let Some(Value::Object(texts)) = fields.remove("stringData")
        {
            let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
            for (name, text) in texts {
                data[name] = STANDARD.encode(text.as_str().unwrap_or_default()).into();
            }
        }
    }
    stored
}

impl Walk {
    fn wanted(&mut self, desired: &Value, live: Option<&Value>, applied: Option<&Value>) {
        match (desired, live) {
            (Value::Null, None | Some(Value::Null)) => {}
            (Value::Object(desired), Some(Value::Object(live))) => {
                for (name, value) in desired {
                    let applied = applied.and_then(|applied| applied.get(format!("f:{name}")));
                    self.within(name, |walk| walk.wanted(value, live.get(name), applied));
                }
            }
            (Value::Object(desired), None | Some(Value::Null)) if !desired.is_empty() => {
                for (name, value) in desired {
                    self.within(name, |walk| walk.wanted(value, None, None));
                }
            }
            (Value::Array(desired), Some(Value::Array(live))) => self.wanted_list(desired, live, applied),
            (desired, Some(live)) if same(desired, live) => {}
            (desired, live) => self.change(live, Some(desired)),
        }
    }

    /// Whether a list is keyed is not known here but where Berth applied it before: its ownership then names the keys.
    fn wanted_list(&mut self, desired: &[Value], live: &[Value], applied: Option<&Value>) {
        let entries = || applied.and_then(Value::as_object).into_iter().flatten();
        let keys = entries().find_map(|(entry, _)| owned::parsed(entry, "k:"));
        if let Some(Value::Object(keys)) = keys {
            for item in desired {
                let key: Map<_, _> = keys
                    .keys()
                    .filter_map(|name| Some((name.clone(), item.get(name)?.clone())))
                    .collect();
                let key = Value::Object(key);
                let applied = entries().find(|(entry, _)| owned::parsed(entry, "k:").as_ref() == Some(&key));
                self.item(&key, |walk| {
                    walk.wanted(item, owned::item_of(live, &key), applied.map(|(_, fields)| fields));
                });
            }
        } else if entries().any(|(entry, _)| entry.starts_with("v:")) {
            for item in desired.iter().filter(|item| !live.contains(item)) {
                self.item(item, |walk| walk.change(None, Some(item)));
            }
        } else if desired.len() == live.len() {
            for (index, (desired, live)) in desired.iter().zip(live).enumerate() {
                self.item(&index.into(), |walk| walk.wanted(desired, Some(live), None));
            }
        } else {
            self.change(Some(&Value::from(live)), Some(&Value::from(desired)));
        }
    }

    fn dropped(&mut self, applied: &Value, desired: &Value, live: &Value) {
        for (entry, fields) in applied.as_object().into_iter().flatten() {
            if let Some(name) = entry.strip_prefix("f:") {
                // Nobody can own a name or the server's own metadata; a value that is gone already needs no removal.
                let Some(live) = live.get(name) else { continue };
                self.within(name, |walk| walk.dropped_below(fields, desired.get(name), live));
            } else if let Some(key) = owned::parsed(entry, "k:") {
                let Some(live) = live.as_array().and_then(|items| owned::item_of(items, &key)) else {
                    continue;
                };
                let desired = desired.as_array().and_then(|items| owned::item_of(items, &key));
                self.item(&key, |walk| walk.dropped_below(fields, desired, live));
            } else if let Some(value) = owned::parsed(entry, "v:") {
                let has = |list: &Value| list.as_array().is_some_and(|items| items.contains(&value));
                if has(live) && !has(desired) {
                    self.item(&value, |walk| walk.change(Some(&value), None));
                }
            }
        }
    }

    fn dropped_below(&mut self, fields: &Value, desired: Option<&Value>, live: &Value) {
        match desired {
            Some(desired) => self.dropped(fields, desired, live),
            // What lies below a map without an entry of its own may be others': only the leaves go.
            None if fields
                .as_object()
                .is_some_and(|fields| !fields.is_empty() && !fields.contains_key(".")) =>
            {
                self.dropped(fields, &Value::Null, live);
            }
            None => self.change(Some(live), None),
        }
    }

    fn change(&mut self, from: Option<&Value>, to: Option<&Value>) {
        let shown = |value: Option<&Value>| match value {
            None | Some(Value::Null) => Shown::Absent,
            Some(value) => Shown::Value(value.clone()),
        };
        self.changes.push(FieldChange {
            path: self.path.clone(),
            from: shown(from),
            to: shown(to),
        });
    }

    fn within(&mut self, name: &str, walk: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        push(&mut self.path, name);
        walk(self);
        self.path.truncate(length);
    }

    fn item(&mut self, key: &Value, walk: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        write!(self.path, "[{key}]").expect(INFALLIBLE);
        walk(self);
        self.path.truncate(length);
    }
}
