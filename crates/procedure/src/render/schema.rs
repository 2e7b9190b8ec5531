//! How an object fits a CRD's schema, asked before it is sent.
//!
//! A server drops an unknown field without an error, so a setting would vanish in silence; what it refuses, it refuses only
//! after other objects are written. Rules in CEL and patterns are left to the server.

use berth_api::views;
use serde_json::Value;

/// Where and how an object does not fit a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The field, as `spec.capabilities`.
    pub field: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The schema does not have it; with the nearest name that it has, if one is near.
    Unknown(Option<String>),
    /// It has another value than the schema allows: why, in a few words.
    Refused(String),
}

/// The fields of an object that a CRD's schema lacks, as `spec.capabilities`; without what is below them.
pub fn unknown_fields(object: &Value, crd: &Value) -> Vec<String> {
    misfits(object, crd)
        .into_iter()
        .filter(|misfit| matches!(misfit.fault, Fault::Unknown(_)))
        .map(|misfit| misfit.field)
        .collect()
}

/// Everything in an object's `spec` that a CRD's schema does not take.
pub fn misfits(object: &Value, crd: &Value) -> Vec<Misfit> {
    let mut found = Vec::new();
    if let (Some(schema), Some(spec)) = (served(crd), object.get("spec")) {
        let schema = views::at(schema, &["properties", "spec"]).unwrap_or(&Value::Null);
        compare(schema, spec, "spec", &mut found);
    }
    found
}

/// Whether a CRD's schema has a field, as `spec.networking.apiServer`; lists are passed through.
pub fn knows_field(crd: &Value, field: &str) -> bool {
    schema_of(crd, field).is_some()
}

/// What a CRD's schema has as a field's default.
pub(crate) fn default_of<'a>(crd: &'a Value, field: &str) -> Option<&'a Value> {
    schema_of(crd, field)?.get("default")
}

fn schema_of<'a>(crd: &'a Value, field: &str) -> Option<&'a Value> {
    let names = field.split('.').map(|name| name.split('[').next().unwrap_or(name));
    let mut schema = served(crd);
    for name in names {
        schema = schema.and_then(|schema| {
            let schema = schema.get("items").unwrap_or(schema);
            views::at(schema, &["properties", name])
        });
    }
    schema
}

/// The schema of the version that Berth writes.
pub(super) fn served(crd: &Value) -> Option<&Value> {
    let versions = views::list(crd, &["spec", "versions"]);
    let version = versions
        .iter()
        .find(|version| views::text(version, &["name"]) == Some("v1beta1"))?;
    views::at(version, &["schema", "openAPIV3Schema"])
}

fn compare(schema: &Value, value: &Value, path: &str, found: &mut Vec<Misfit>) {
    let mut refuse = |why: String| {
        found.push(Misfit {
            field: path.to_owned(),
            fault: Fault::Refused(why),
        });
    };
    if value.is_null() {
        // A null field is a field left out, where the schema does not take a null.
        return;
    }
    if let Some(wanted) = wrong_type(schema, value) {
        return refuse(format!("{wanted} is needed here"));
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let known: Vec<String> = choices.iter().map(plain).filter(|choice| !choice.is_empty()).collect();
        return refuse(format!("`{}` is none of {}", plain(value), known.join(", ")));
    }
    out_of_bounds(schema, value).into_iter().for_each(&mut refuse);
    let is_open = views::flag(schema, &["x-kubernetes-preserve-unknown-fields"]) == Some(true);
    match value {
        Value::Object(fields) => {
            let known = schema.get("properties").and_then(Value::as_object);
            let missing = views::list(schema, &["required"]).iter().filter_map(Value::as_str);
            let has_default = |name: &str| known.and_then(|known| known.get(name)?.get("default")).is_some();
            for name in missing.filter(|name| !fields.contains_key(*name) && !has_default(name)) {
                refuse(format!("`{name}` is missing"));
            }
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                match (
                    known.and_then(|known| known.get(name)),
                    schema.get("additionalProperties"),
                ) {
                    (Some(schema), _) => compare(schema, value, &path, found),
                    (None, Some(schema)) if schema.is_object() => compare(schema, value, &path, found),
                    (None, None) if known.is_some() && !is_open => found.push(Misfit {
                        field: path,
                        fault: Fault::Unknown(nearest(name, known.into_iter().flatten().map(|(name, _)| name))),
                    }),
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, item) in items.iter().enumerate() {
                compare(schema, item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

/// What a schema wants, where the value is of another type.
fn wrong_type(schema: &Value, value: &Value) -> Option<&'static str> {
    if views::flag(schema, &["x-kubernetes-int-or-string"]) == Some(true) {
        let fits = value.is_string() || value.is_i64() || value.is_u64();
        return (!fits).then_some("a text or a number");
    }
    let (fits, wanted) = match views::text(schema, &["type"])? {
        "object" => (value.is_object(), "a map of fields"),
        "array" => (value.is_array(), "a list"),
        "string" => (value.is_string(), "a text"),
        "boolean" => (value.is_boolean(), "`true` or `false`"),
        "integer" => (value.is_i64() || value.is_u64(), "a whole number"),
        "number" => (value.is_number(), "a number"),
        _ => return None,
    };
    (!fits).then_some(wanted)
}

fn out_of_bounds(schema: &Value, value: &Value) -> Vec<String> {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let (size, least, most, of) = match value {
        Value::Number(number) => (number.as_f64(), "minimum", "maximum", ""),
        Value::String(text) => (
            Some(count(text.chars().count())),
            "minLength",
            "maxLength",
            " characters",
        ),
        Value::Array(items) => (Some(count(items.len())), "minItems", "maxItems", " entries"),
        Value::Object(fields) => (Some(count(fields.len())), "minProperties", "maxProperties", " entries"),
        _ => return Vec::new(),
    };
    let Some(size) = size else { return Vec::new() };
    let too_small = bound(least).filter(|least| size < *least);
    let too_large = bound(most).filter(|most| size > *most);
    let small = too_small.map(|least| format!("{size}{of}, at least {least} are needed"));
    let large = too_large.map(|most| format!("{size}{of}, at most {most} are allowed"));
    small.into_iter().chain(large).collect()
}

fn count(length: usize) -> f64 {
    u32::try_from(length).map_or(f64::INFINITY, f64::from)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A name that differs by little more than a slip: capitals, or a letter or two.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> Option<String> {
    let lower = name.to_lowercase();
    known
        .map(|known| (distance(&lower, &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= 2.min(known.len() / 3))
        .min()
        .map(|(_, known)| known.clone())
}

/// How many letters have to be put in, left out or changed.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = above + 1;
        for (index, wanted) in other.iter().enumerate() {
            let changed = corner + usize::from(letter != *wanted);
            corner = row[index + 1];
            row[index + 1] = changed.min(row[index] + 1).min(corner + 1);
        }
    }
    row[other.len()]
}
