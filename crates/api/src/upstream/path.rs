//! Paths into objects: `spec.services[service=APIServer].servicePublishingStrategy.type`.

use serde_json::{Map, Value, json};

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part<'p> {
    /// A field, by its name or in brackets.
    Field(&'p str),
    /// Every entry of a list.
    Each,
    /// One entry.
    Index(usize),
    /// The entry in which a field has a value.
    Where(&'p str, &'p str),
}

/// What is at a path; for every entry of a list, what they all have alike.
pub fn read_field(object: &Value, path: &str) -> Option<Value> {
    read(object, &parts(path)).filter(|value| !value.is_null())
}

/// Writes a field, and makes what is missing above it; null removes it.
pub fn set_field(object: &mut Value, path: &str, value: Value) {
    set(object, &parts(path), value);
}

fn parts(path: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let end = inside.find(']').unwrap_or(inside.len());
            let inside_text = &inside[..end];
            parts.push(match (inside_text, inside_text.parse(), inside_text.split_once('=')) {
                ("", ..) => Part::Each,
                (_, Ok(index), _) => Part::Index(index),
                (_, _, Some((name, value))) => Part::Where(name, value),
                (name, ..) => Part::Field(name),
            });
            rest = inside.get(end + 1..).unwrap_or_default();
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            parts.push(Part::Field(&name[..end]));
            rest = &name[end..];
        }
    }
    parts
}

fn read(value: &Value, parts: &[Part<'_>]) -> Option<Value> {
    let Some((part, rest)) = parts.split_first() else {
        return Some(value.clone());
    };
    match part {
        Part::Field(name) => read(value.get(*name)?, rest),
        Part::Index(index) => read(value.get(*index)?, rest),
        Part::Where(name, wanted) => read(entry(value.as_array()?, name, wanted)?, rest),
        Part::Each => {
            let mut found = value.as_array()?.iter().map(|entry| read(entry, rest));
            let first = found.next()??;
            found.all(|other| other.as_ref() == Some(&first)).then_some(first)
        }
    }
}

fn entry<'v>(entries: &'v [Value], name: &str, wanted: &str) -> Option<&'v Value> {
    entries.iter().find(|entry| entry[name] == wanted)
}

fn set(target: &mut Value, parts: &[Part<'_>], value: Value) {
    let Some((part, rest)) = parts.split_first() else {
        *target = value;
        return;
    };
    match part {
        Part::Field(name) => {
            if !target.is_object() {
                *target = Value::Object(Map::new());
            }
            let Value::Object(fields) = target else { return };
            if !value.is_null() {
                return set(fields.entry(*name).or_insert(Value::Null), rest, value);
            }
            match (rest.is_empty(), fields.get_mut(*name)) {
                (true, _) => drop(fields.remove(*name)),
                (false, Some(inner)) => set(inner, rest, value),
                (false, None) => {}
            }
        }
        Part::Each => {
            for entry in target.as_array_mut().into_iter().flatten() {
                set(entry, rest, value.clone());
            }
        }
        Part::Index(index) => {
            let Some(entries) = list(target) else { return };
            if entries.len() <= *index {
                entries.resize(index + 1, Value::Null);
            }
            set(&mut entries[*index], rest, value);
        }
        Part::Where(name, wanted) => {
            let Some(entries) = list(target) else { return };
            if entry(entries, name, wanted).is_none() {
                entries.push(json!({*name: wanted}));
            }
            let found = entries.iter_mut().find(|entry| entry[*name] == *wanted);
            if let Some(found) = found {
                set(found, rest, value);
            }
        }
    }
}

/// A list; what is none becomes one.
fn list(value: &mut Value) -> Option<&mut Vec<Value>> {
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_reads_what_it_wrote() {
        let mut object = json!({});
        for (path, value) in [
            ("spec.a.b", json!(1)),
            ("metadata.annotations[x.io/y]", json!("z")),
            ("spec.services[service=APIServer].strategy.type", json!("Route")),
            ("spec.services[service=Ignition].strategy.type", json!("NodePort")),
            ("spec.networks[1].cidr", json!("10.0.0.0/8")),
        ] {
            set_field(&mut object, path, value.clone());
            assert_eq!(read_field(&object, path), Some(value), "{path}");
        }
        assert_eq!(object["metadata"]["annotations"]["x.io/y"], "z");
        assert_eq!(object["spec"]["services"][1]["service"], "Ignition");
        set_field(&mut object, "spec.a.b", Value::Null);
        assert_eq!(object["spec"]["a"], json!({}));
        assert_eq!(read_field(&object, "spec.a.b"), None);
    }

    #[test]
    fn every_entry_is_read_only_where_all_are_alike() {
        let mut object = json!({"n": [{"p": 23}, {"p": 23}]});
        assert_eq!(read_field(&object, "n[].p"), Some(json!(23)));
        object["n"][1]["p"] = json!(64);
        assert_eq!(read_field(&object, "n[].p"), None);
        set_field(&mut object, "n[].p", json!(24));
        assert_eq!(read_field(&object, "n[].p"), Some(json!(24)));
    }
}
