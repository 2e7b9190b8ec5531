//! Holds a document against its kind's JSON Schema: fields, types, choices, bounds and formats, all at once.
//!
//! The schema is the one that `berth schema` prints, so an editor and Berth agree on what a document may say. Only the
//! keywords that occur in our own schemas are known here.

use serde_json::Value;

use super::{format, position::join};
use crate::{
    schema::{self, choices, texts, types},
    views,
    yaml::{Content, Entry, Node, Place},
};

/// One thing that is wrong, within a document.
pub(super) struct Finding {
    pub(super) place: Place,
    pub(super) field: String,
    pub(super) cause: String,
    pub(super) fix: String,
}

/// Everything in which a document differs from its kind's schema.
pub(super) fn check(schema: &Value, document: &Node) -> Vec<Finding> {
    let mut checker = Checker {
        root: schema,
        findings: Vec::new(),
    };
    checker.node(schema, document, "");
    checker.findings
}

struct Checker<'a> {
    root: &'a Value,
    findings: Vec<Finding>,
}

impl<'a> Checker<'a> {
    fn report(&mut self, place: Place, field: &str, cause: impl Into<String>, fix: impl Into<String>) {
        self.findings.push(Finding {
            place,
            field: field.to_owned(),
            cause: cause.into(),
            fix: fix.into(),
        });
    }

    fn node(&mut self, schema: &'a Value, node: &Node, path: &str) {
        let schema = self.resolve(schema);
        let types = types(schema);
        if node.is_null() && types.contains(&"null") {
            return;
        }
        if let Some(choices) = choices(schema) {
            return self.choice(&choices, node, path);
        }
        if !types.is_empty() && !types.iter().any(|kind| is_of(kind, node)) {
            return self.wrong_type(&types, schema, node, path);
        }
        match &node.content {
            Content::Map(entries) => self.map(schema, entries, node.place, path),
            Content::List(nodes) => self.list(schema, nodes, node.place, path),
            Content::Scalar(value) => self.scalar(schema, value, node.place, path),
        }
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        schema::resolve(self.root, schema)
    }

    fn map(&mut self, schema: &'a Value, entries: &[Entry], place: Place, path: &str) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let additional = schema.get("additionalProperties");
        for entry in entries {
            let field = join(path, &entry.key);
            match (properties.and_then(|known| known.get(&entry.key)), additional) {
                (None, Some(Value::Bool(false))) => self.unknown_field(schema, entry, path),
                (Some(inner), _) | (None, Some(inner)) => self.node(inner, &entry.node, &field),
                (None, None) => {}
            }
        }
        let has = |name: &str| entries.iter().any(|entry| entry.key == name);
        for name in texts(schema.get("required")).filter(|name| !has(name)) {
            let fix = format!("add `{name}`{}", what_is(schema, name));
            self.report(place, &join(path, name), format!("`{name}` is missing"), fix);
        }
        let names = || {
            properties
                .map(|known| quoted(known.keys().map(String::as_str)))
                .unwrap_or_default()
        };
        let count = entries.len() as u64;
        if schema
            .get("maxProperties")
            .and_then(Value::as_u64)
            .is_some_and(|most| count > most)
            || schema
                .get("minProperties")
                .and_then(Value::as_u64)
                .is_some_and(|fewest| count < fewest)
        {
            let cause = format!("exactly one of {} is needed here", names());
            self.report(place, path, cause, "write one of them");
        }
    }

    fn list(&mut self, schema: &'a Value, nodes: &[Node], place: Place, path: &str) {
        if let Some(items) = schema.get("items") {
            for (index, node) in nodes.iter().enumerate() {
                self.node(items, node, &format!("{path}[{index}]"));
            }
        }
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let count = nodes.len() as u64;
        if let Some(fewest) = bound("minItems").filter(|fewest| count < *fewest) {
            self.report(
                place,
                path,
                format!("{count} entries, at least {fewest} are needed"),
                "add entries",
            );
        }
        if let Some(most) = bound("maxItems").filter(|most| count > *most) {
            self.report(
                place,
                path,
                format!("{count} entries, at most {most} are allowed"),
                "remove entries",
            );
        }
    }

    fn scalar(&mut self, schema: &Value, value: &Value, place: Place, path: &str) {
        if let Some(constant) = schema.get("const").filter(|constant| *constant != value) {
            let cause = format!("`{}` is not `{}`", plain(value), plain(constant));
            return self.report(place, path, cause, format!("write `{}`", plain(constant)));
        }
        if let Some(number) = value.as_f64().filter(|_| value.is_number()) {
            let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
            if let Some(least) = bound("minimum").filter(|least| number < *least) {
                self.report(
                    place,
                    path,
                    format!("`{value}` is too small"),
                    format!("write at least {least}"),
                );
            }
            if let Some(most) = bound("maximum").filter(|most| number > *most) {
                self.report(
                    place,
                    path,
                    format!("`{value}` is too large"),
                    format!("write at most {most}"),
                );
            }
        }
        let Some(format) = schema.get("format").and_then(Value::as_str) else {
            if value.as_str() == Some("") && schema.get("minLength").is_some() {
                self.report(place, path, "this is empty", "write a text, or leave the field out");
            }
            return;
        };
        // A bare number may be a quantity; a truth never has a format.
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) if format == "quantity" => number.to_string(),
            _ => return,
        };
        if let Err(misfit) = format::check(format, &text) {
            self.report(place, path, misfit.cause, misfit.fix);
        }
    }

    fn choice(&mut self, choices: &[&str], node: &Node, path: &str) {
        let known = quoted(choices.iter().copied());
        let Content::Scalar(value) = &node.content else {
            return self.report(
                node.place,
                path,
                format!("one of {known} is needed here"),
                "write one of them",
            );
        };
        let text = plain(value);
        if choices.contains(&text.as_str()) {
            return;
        }
        let fix = match nearest(&text, choices.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("write one of {known}"),
        };
        self.report(node.place, path, format!("`{text}` is none of {known}"), fix);
    }

    fn wrong_type(&mut self, types: &[&str], schema: &Value, node: &Node, path: &str) {
        let wanted: Vec<&str> = types
            .iter()
            .filter(|kind| **kind != "null")
            .map(|kind| type_name(kind))
            .collect();
        let wanted = wanted.join(" or ");
        // A text is never repeated here: it may be a secret in the wrong place.
        let (found, quotable) = match &node.content {
            Content::Scalar(Value::Null) => ("nothing".to_owned(), false),
            Content::Scalar(Value::String(_)) => ("a text".to_owned(), false),
            Content::Scalar(value @ Value::Number(_)) => (format!("the number `{value}`"), true),
            Content::Scalar(value) => (format!("`{value}` (yes or no)"), true),
            Content::List(_) => ("a list".to_owned(), false),
            Content::Map(_) => ("a map".to_owned(), false),
        };
        let fix = if quotable && types.contains(&"string") {
            "put it in quotes".to_owned()
        } else if types.contains(&"array") && !node.is_null() {
            "write a list: one entry a line, each after `- `".to_owned()
        } else if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
            format!("write fields here: {}", quoted(fields.keys().map(String::as_str)))
        } else {
            format!("write {wanted}")
        };
        self.report(node.place, path, format!("{found} where {wanted} is needed"), fix);
    }

    fn unknown_field(&mut self, schema: &Value, entry: &Entry, path: &str) {
        let known: Vec<&str> = schema
            .get("properties")
            .and_then(Value::as_object)
            .map(|known| known.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let fix = match nearest(&entry.key, known.iter().copied()).map(str::to_owned) {
            Some(close) => format!("did you mean `{close}`?"),
            None => match self.find_field(&entry.key, path) {
                Some(place) => format!("it belongs to `{place}`"),
                None if path.starts_with("spec") => {
                    format!(
                        "fields here: {}; what upstream knows goes below `spec.overrides`",
                        quoted(known.into_iter())
                    )
                }
                None => format!("fields here: {}", quoted(known.into_iter())),
            },
        };
        self.report(
            entry.place,
            &join(path, &entry.key),
            format!("unknown field `{}`", entry.key),
            fix,
        );
    }

    /// Where in the schema a field of this name is, if anywhere; of several places the one nearest to a path.
    fn find_field(&self, name: &str, near: &str) -> Option<String> {
        let near = without_indices(near);
        let mut found: Vec<String> = Vec::new();
        let mut places = vec![(String::new(), self.root)];
        while let Some((path, schema)) = places.pop() {
            let schema = self.resolve(schema);
            for (key, inner) in schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                if key == name {
                    found.push(if path.is_empty() {
                        "the document itself".to_owned()
                    } else {
                        path.clone()
                    });
                }
                places.push((join(&path, key), inner));
            }
            places.extend(schema.get("items").map(|items| (format!("{path}[]"), items)));
        }
        let shared = |path: &String| path.chars().zip(near.chars()).take_while(|(a, b)| a == b).count();
        found.into_iter().max_by_key(shared)
    }
}

/// What a field is, to be put behind its name.
fn what_is(schema: &Value, name: &str) -> String {
    let text = views::text(schema, &["properties", name, "description"]);
    text.map(|text| format!(": {}", text.trim_end_matches('.')))
        .unwrap_or_default()
}

/// `spec.nodePools[3].name` → `spec.nodePools[].name`.
fn without_indices(path: &str) -> String {
    path.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn is_of(kind: &str, node: &Node) -> bool {
    match (&node.content, kind) {
        (Content::Map(_), "object") | (Content::List(_), "array") => true,
        (Content::Scalar(value), "integer") => value.is_i64() || value.is_u64(),
        (Content::Scalar(value), "number") => value.is_number(),
        (Content::Scalar(value), "string") => value.is_string(),
        (Content::Scalar(value), "boolean") => value.is_boolean(),
        (Content::Scalar(value), "null") => value.is_null(),
        _ => false,
    }
}

fn type_name(kind: &str) -> &str {
    match kind {
        "object" => "a map of fields",
        "array" => "a list",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "boolean" => "`true` or `false`",
        other => other,
    }
}

/// The candidate that was probably meant, if one is close.
pub(super) fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let lower = word.to_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.87)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

pub(super) fn quoted<'c>(words: impl Iterator<Item = &'c str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
