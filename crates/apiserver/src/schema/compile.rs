//! Reads a CRD's OpenAPI schema into the tree.
//!
//! What a schema may look like is checked by [`super::structural`] first; here the only news is a pattern that is no
//! regular expression.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Bound, Limits, ListType, Logic, MapType, Node, Range, Rule, Strategy, Type, Unknown,
    pattern::Pattern,
    structural::{self, child},
};
use crate::field_error::FieldError;

/// Compiles a whole schema, or says everything that is wrong with it.
pub(super) fn compile(schema: &Value) -> Result<Node, Vec<FieldError>> {
    let mut errors = structural::check(schema);
    let node = node(schema, "", &mut errors);
    if errors.is_empty() { Ok(node) } else { Err(errors) }
}

fn node(schema: &Value, path: &str, errors: &mut Vec<FieldError>) -> Node {
    let Some(schema) = schema.as_object() else {
        return Node::anything();
    };
    let flag = |keyword: &str| schema.get(keyword) == Some(&Value::Bool(true));
    let kind = schema.get("type").and_then(Value::as_str).and_then(type_named);
    let preserve = flag("x-kubernetes-preserve-unknown-fields");
    let mut node = Node {
        kind,
        properties: schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                (
                    name.as_str(),
                    node(value, &format!("{}[{name}]", child(path, "properties")), errors),
                )
            })
            .collect(),
        additional: match schema.get("additionalProperties") {
            None | Some(Value::Null | Value::Bool(false)) => None,
            Some(value) => Some(node(value, &child(path, "additionalProperties"), errors).into()),
        },
        items: schema
            .get("items")
            .map(|items| node(items, &child(path, "items"), errors).into()),
        unknown: if preserve { Unknown::Preserve } else { Unknown::Prune },
        nullable: flag("nullable"),
        int_or_string: flag("x-kubernetes-int-or-string"),
        embedded: flag("x-kubernetes-embedded-resource"),
        list: list_type(schema),
        map: match schema.get("x-kubernetes-map-type").and_then(Value::as_str) {
            Some("atomic") => MapType::Atomic,
            _ => MapType::Granular,
        },
        default: schema.get("default").cloned().map(Box::new),
        limits: limits(schema, path, errors),
        logic: logic(schema, path, errors),
        rules: schema
            .get("x-kubernetes-validations")
            .and_then(Value::as_array)
            .map(|rules| rules.iter().map(Rule::read).collect())
            .unwrap_or_default(),
        has_rules: false,
        strategy: Strategy::default(),
    };
    node.has_rules = !node.rules.is_empty()
        || node.properties.iter().any(|(_, field)| field.has_rules)
        || node.items.as_ref().is_some_and(|item| item.has_rules)
        || node.additional.as_ref().is_some_and(|value| value.has_rules);
    node
}

fn type_named(name: &str) -> Option<Type> {
    [
        Type::Object,
        Type::Array,
        Type::String,
        Type::Integer,
        Type::Number,
        Type::Boolean,
    ]
    .into_iter()
    .find(|kind| kind.name() == name)
}

fn list_type(schema: &Map<String, Value>) -> ListType {
    match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
        Some("set") => ListType::Set,
        Some("map") => ListType::Map(texts(schema, "x-kubernetes-list-map-keys").collect()),
        _ => ListType::Atomic,
    }
}

fn texts<'a>(schema: &'a Map<String, Value>, keyword: &str) -> impl Iterator<Item = String> + 'a {
    let texts = schema.get(keyword).and_then(Value::as_array);
    texts
        .into_iter()
        .flatten()
        .filter_map(|text| text.as_str().map(str::to_owned))
}

fn limits(schema: &Map<String, Value>, path: &str, errors: &mut Vec<FieldError>) -> Option<Box<Limits>> {
    let number = |keyword: &str| schema.get(keyword).and_then(Value::as_number).cloned();
    let flag = |keyword: &str| schema.get(keyword) == Some(&Value::Bool(true));
    let bound = |keyword: &str, exclusive: &str| {
        number(keyword).map(|value| Bound {
            value,
            exclusive: flag(exclusive),
        })
    };
    let range = |least: &str, most: &str| Range {
        min: schema.get(least).and_then(Value::as_u64),
        max: schema.get(most).and_then(Value::as_u64),
    };
    let limits = Limits {
        required: texts(schema, "required").collect::<BTreeSet<_>>(),
        allowed: schema.get("enum").and_then(Value::as_array).cloned(),
        minimum: bound("minimum", "exclusiveMinimum"),
        maximum: bound("maximum", "exclusiveMaximum"),
        multiple_of: number("multipleOf"),
        length: range("minLength", "maxLength"),
        items: range("minItems", "maxItems"),
        properties: range("minProperties", "maxProperties"),
        pattern: pattern(schema, path, errors),
        format: schema.get("format").and_then(Value::as_str).map(str::to_owned),
    };
    (limits != Limits::default()).then(|| Box::new(limits))
}

fn pattern(schema: &Map<String, Value>, path: &str, errors: &mut Vec<FieldError>) -> Option<Pattern> {
    let pattern = schema
        .get("pattern")
        .and_then(Value::as_str)
        .filter(|pattern| !pattern.is_empty())?;
    match Pattern::compile(pattern) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let why = format!("must be a valid regular expression, but isn't: error parsing regexp: {error}");
            errors.push(FieldError::invalid(child(path, "pattern"), pattern, why));
            None
        }
    }
}

fn logic(schema: &Map<String, Value>, path: &str, errors: &mut Vec<FieldError>) -> Option<Box<Logic>> {
    let mut branches = |keyword: &str| -> Vec<Node> {
        let branches = schema
            .get(keyword)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .enumerate();
        branches
            .map(|(index, branch)| node(branch, &format!("{}[{index}]", child(path, keyword)), errors))
            .collect()
    };
    let (all_of, any_of, one_of) = (branches("allOf"), branches("anyOf"), branches("oneOf"));
    let not = schema
        .get("not")
        .map(|not| Box::new(node(not, &child(path, "not"), errors)));
    let logic = Logic {
        all_of,
        any_of,
        one_of,
        not,
    };
    (!logic.is_empty()).then(|| Box::new(logic))
}
