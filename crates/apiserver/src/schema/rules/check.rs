//! Holds the rules of a schema against the schema itself, when a CRD is written.

use super::{
    super::{ListType, Node, default, structural::child},
    Rule, field_path, run_default,
};
use crate::{
    cel::{Scope, Wanted},
    field_error::FieldError,
};

const REASONS: [&str; 4] = [
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
];

/// Says what is wrong with the rules of a schema at the path `at`.
pub(in super::super) fn check(root: &Node, at: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    node(root, true, at, None, &mut errors);
    if errors.is_empty() {
        // They have to hold for what they will be tried on where nothing is said.
        default::for_each(root, at, &mut |node, default, path| {
            errors.extend(run_default(node, default).into_iter().map(|error| error.under(path)));
        });
    }
    errors
}

/// `uncorrelated` is the list whose items have no old value that could be found.
fn node(checked: &Node, resource: bool, path: &str, uncorrelated: Option<&str>, errors: &mut Vec<FieldError>) {
    if !checked.has_rules {
        return;
    }
    for (index, rule) in checked.rules.iter().enumerate() {
        let place = format!("{}[{index}]", child(path, "x-kubernetes-validations"));
        let before = errors.len();
        wording(rule, checked, &place, errors);
        if errors.len() == before {
            meaning(rule, checked, resource, &place, uncorrelated, errors);
        }
    }
    for (name, property) in checked.properties.iter() {
        let place = format!("{}[{name}]", child(path, "properties"));
        node(property, property.embedded, &place, uncorrelated, errors);
    }
    if let Some(value) = &checked.additional {
        node(
            value,
            value.embedded,
            &child(path, "additionalProperties"),
            uncorrelated,
            errors,
        );
    }
    if let Some(item) = &checked.items {
        let correlated = matches!(checked.list, ListType::Map(_));
        let uncorrelated = uncorrelated.or((!correlated).then_some(path));
        node(item, item.embedded, &child(path, "items"), uncorrelated, errors);
    }
}

/// What can be said of a rule without understanding it.
fn wording(rule: &Rule, node: &Node, place: &str, errors: &mut Vec<FieldError>) {
    let at = |field: &str| format!("{place}.{field}");
    let has_break = |text: &str| text.contains(['\n', '\r']);
    let is_blank = |text: &str| !text.is_empty() && text.trim().is_empty();
    let (text, message) = (rule.text.trim(), rule.message.trim());
    if text.is_empty() {
        errors.push(FieldError::required(at("rule"), "rule is not specified"));
    } else if is_blank(&rule.message) {
        errors.push(FieldError::invalid(
            at("message"),
            &*rule.message,
            "must be non-empty if specified",
        ));
    } else if has_break(message) {
        errors.push(FieldError::invalid(
            at("message"),
            &*rule.message,
            "must not contain line breaks",
        ));
    } else if has_break(text) && message.is_empty() {
        errors.push(FieldError::required(
            at("message"),
            "message must be specified if rule contains line breaks",
        ));
    }
    if is_blank(&rule.message_expression) {
        let detail = "messageExpression must be non-empty if specified";
        errors.push(FieldError::required(at("messageExpression"), detail));
    }
    if let Some(reason) = rule.reason.as_deref().filter(|reason| !REASONS.contains(reason)) {
        errors.push(FieldError::not_supported(at("reason"), reason, REASONS));
    }
    if is_blank(&rule.field_path) {
        errors.push(FieldError::invalid(
            at("fieldPath"),
            &*rule.field_path,
            "must be non-empty if specified",
        ));
    }
    if has_break(&rule.field_path) {
        errors.push(FieldError::invalid(
            at("fieldPath"),
            &*rule.field_path,
            "must not contain line breaks",
        ));
    }
    if !rule.field_path.is_empty() && field_path::follow(node, &rule.field_path, true).is_err() {
        errors.push(FieldError::invalid(
            at("fieldPath"),
            &*rule.field_path,
            "must be a valid path",
        ));
    }
}

/// Whether the rule's expressions compile, and fit the schema.
fn meaning(
    rule: &Rule,
    node: &Node,
    resource: bool,
    place: &str,
    uncorrelated: Option<&str>,
    errors: &mut Vec<FieldError>,
) {
    let scope = Scope {
        node,
        resource,
        optional_old: rule.optional_old == Some(true),
    };
    let at = |field: &str| format!("{place}.{field}");
    let expression = match rule.expression() {
        Ok(expression) => expression,
        Err(complaint) => {
            errors.push(FieldError::invalid(at("rule"), rule.shown(), complaint));
            return;
        }
    };
    if let Err(complaint) = expression.check(scope, Wanted::Bool) {
        errors.push(FieldError::invalid(at("rule"), rule.shown(), complaint));
        return;
    }
    if let Some(message) = rule.message_expression() {
        let checked = message
            .map_err(str::to_owned)
            .and_then(|message| message.check(scope, Wanted::Text));
        if let Err(complaint) = checked {
            let complaint = format!("messageExpression {complaint}");
            errors.push(FieldError::invalid(at("messageExpression"), rule.shown(), complaint));
        }
    }
    match (expression.uses_old(), uncorrelated, rule.optional_old) {
        (true, Some(list), _) => {
            let detail = format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {list}");
            errors.push(FieldError::invalid(at("rule"), &*rule.text, detail));
        }
        (false, _, Some(optional)) => {
            let detail = "may not be set if oldSelf is not used in rule";
            errors.push(FieldError::invalid(at("optionalOldSelf"), optional, detail));
        }
        _ => {}
    }
}
