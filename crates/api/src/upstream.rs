//! What a document's fields become in upstream's objects, and back: both ways by what the schema says of each field.
//!
//! A field's schema carries `x-becomes` (a path in the HostedCluster or NodePool; one that begins with a dot is below that of
//! the field around it; of several, parted by `|`, the first that is there), `x-true` and `x-false` (words in place of
//! yes and no), `x-joined` (a list as one text), `x-text` (a number as a text) and `x-encoded` (JSON as a text). Not here: what has defaults of its own, or
//! depends on another field; that is rendering.

mod path;

use serde_json::{Map, Value};

use crate::{
    guest_cluster::{GuestClusterSpec, NodePool},
    schema,
};

pub use path::{read_field, set_field};

/// The fields of a HostedCluster that a document asks for, beyond what it says by saying nothing: paths and values.
pub fn hosted_cluster_fields(spec: &GuestClusterSpec) -> Vec<(String, Value)> {
    wanted(schema::guest_spec(), spec)
}

/// The fields of a NodePool that a pool of a document asks for, beyond what it says by saying nothing.
pub fn node_pool_fields(pool: &NodePool) -> Vec<(String, Value)> {
    wanted(schema::node_pool(), pool)
}

/// The `spec` of a document that comes nearest to a HostedCluster; without its pools.
pub fn spec_of_hosted_cluster(cluster: &Value) -> Map<String, Value> {
    fields_of(schema::guest_spec(), cluster, "")
}

/// The pool of a document that comes nearest to a NodePool.
pub fn pool_of_node_pool(pool: &Value) -> Map<String, Value> {
    fields_of(schema::node_pool(), pool, "")
}

fn wanted(schema: &'static Value, typed: &impl serde::Serialize) -> Vec<(String, Value)> {
    let mut fields = Vec::new();
    // What could not be written as JSON could not have been read from a document.
    let value = serde_json::to_value(typed).unwrap_or_default();
    wanted_below(schema, "", &value, &mut fields);
    fields
}

fn wanted_below(schema: &'static Value, base: &str, value: &Value, fields: &mut Vec<(String, Value)>) {
    for (name, property) in schema::properties(schema) {
        if let Some(value) = value.get(name) {
            wanted_field(property, base, value, fields);
        }
    }
}

fn wanted_field(property: &'static Value, base: &str, value: &Value, fields: &mut Vec<(String, Value)>) {
    let becomes = text(property, "x-becomes");
    let path = below(base, becomes.unwrap_or_default());
    if value.is_null() || path.contains('|') || property.get("default") == Some(value) {
        return;
    }
    let inner = resolve(property);
    match value {
        Value::Object(_) if schema::properties(inner).next().is_some() => wanted_below(inner, &path, value, fields),
        _ if becomes.is_none() => {}
        _ if property.get("x-encoded").is_some() => fields.push((path, value.to_string().into())),
        Value::Array(items) => match text(property, "x-joined") {
            Some(mark) => {
                let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                fields.push((path, words.join(mark).into()));
            }
            None if path.contains("[]") => {
                let of_items = inner.get("items").map_or(&Value::Null, resolve);
                for (index, item) in items.iter().enumerate() {
                    let path = path.replace("[]", &format!("[{index}]"));
                    match item {
                        Value::Object(_) => wanted_below(of_items, &path, item, fields),
                        scalar => fields.push((path, scalar.clone())),
                    }
                }
            }
            None => fields.push((path, value.clone())),
        },
        Value::Bool(flag) if property.get("x-true").is_some() => {
            let word = property.get(if *flag { "x-true" } else { "x-false" });
            fields.extend(word.map(|word| (path, word.clone())));
        }
        Value::Number(number) if property.get("x-text").is_some() => fields.push((path, number.to_string().into())),
        other => fields.push((path, other.clone())),
    }
}

fn fields_of(schema: &'static Value, object: &Value, base: &str) -> Map<String, Value> {
    let found = |(name, property): (&String, &'static Value)| Some((name.clone(), field_of(property, object, base)?));
    schema::properties(schema).filter_map(found).collect()
}

/// A field's value by what is in an object; `None` where nothing is, or what the field says by being left out.
fn field_of(property: &'static Value, object: &Value, base: &str) -> Option<Value> {
    let becomes = text(property, "x-becomes");
    let path = below(base, becomes.unwrap_or_default());
    let inner = resolve(property);
    let value = if schema::properties(inner).next().is_some() {
        let fields = fields_of(inner, object, &path);
        (!fields.is_empty()).then(|| fields.into())?
    } else {
        becomes?;
        path.split('|')
            .find_map(|alternative| plain_value(property, inner, object, &below(base, alternative)))?
    };
    (property.get("default") != Some(&value)).then_some(value)
}

fn plain_value(property: &'static Value, inner: &'static Value, object: &Value, path: &str) -> Option<Value> {
    if let Some(items) = inner.get("items").map(resolve)
        && let Some(list) = path.strip_suffix("[]")
    {
        let elements = read_field(object, list)?.as_array()?.clone();
        let elements = elements.iter().map(|element| fields_of(items, element, "").into());
        return Some(Value::Array(elements.collect()));
    }
    let is_list = inner.get("type").is_some_and(|kind| *kind == "array");
    if is_list && let Some((list, rest)) = path.split_once("[].") {
        let elements = read_field(object, list)?.as_array()?.clone();
        let parts: Option<Vec<Value>> = elements.iter().map(|element| read_field(element, rest)).collect();
        return parts.map(Value::Array);
    }
    let value = read_field(object, path).filter(|value| *value != "")?;
    if property.get("x-encoded").is_some() {
        return serde_json::from_str(value.as_str()?).ok();
    }
    if property.get("x-text").is_some() {
        let text = value.as_str()?;
        return Some(text.parse::<u32>().map_or_else(|_| text.into(), Value::from));
    }
    if let Some(mark) = text(property, "x-joined") {
        let words = value.as_str()?.split(mark).filter(|word| !word.is_empty());
        return Some(words.map(str::trim).map(Value::from).collect());
    }
    if property.get("x-true").is_some() {
        let is = |word: &str| property.get(word) == Some(&value);
        return if is("x-true") {
            Some(true.into())
        } else if is("x-false") {
            Some(false.into())
        } else {
            // A pause has a time in place of yes.
            (inner["format"] == "paused-until").then_some(value)
        };
    }
    let choices = schema::choices(inner);
    choices
        .is_none_or(|choices| value.as_str().is_some_and(|text| choices.contains(&text)))
        .then_some(value)
}

fn resolve(schema: &'static Value) -> &'static Value {
    schema::resolve(schema::guest_cluster(), schema)
}

fn text<'v>(schema: &'v Value, name: &str) -> Option<&'v str> {
    schema.get(name).and_then(Value::as_str)
}

/// The path that a field's `x-becomes` is, below the path of the field around it.
pub(crate) fn below(base: &str, becomes: &str) -> String {
    if becomes.is_empty() {
        return base.to_owned();
    }
    let paths = becomes.split('|').map(|path| match path.strip_prefix('.') {
        Some(rest) if base.is_empty() => rest.to_owned(),
        Some(rest) => format!("{base}.{rest}"),
        None => path.to_owned(),
    });
    paths.collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests;
