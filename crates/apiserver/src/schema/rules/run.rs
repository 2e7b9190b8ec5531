//! Holds an object against the rules of its schema.

use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::{
    super::{
        ListType, Node,
        validate::{by_key, list_key},
    },
    Rule, Verdict, field_path,
};
use crate::{
    cel::{self, EvaluationError, Old, Outcome, Typed, Variables},
    field_error::FieldError,
    value_path::Path,
};

/// What all rules together may use for one object.
const BUDGET: u64 = 10_000_000;

/// The longest message that an expression may make.
const LONGEST_MESSAGE: usize = 5 << 10;

const OUT_OF_BUDGET: &str =
    "validation failed due to running out of cost budget, no further validation rules will be run";

/// Runs all rules that apply; with `old`, those on changes too.
pub(in super::super) fn run(root: &Node, object: &Value, old: Option<&Value>) -> Verdict {
    let mut run = Run {
        budget: BUDGET,
        verdict: Verdict::default(),
    };
    let typed = Typed {
        node: root,
        value: object,
        resource: true,
    };
    // Stopped or not, what is to be said was said.
    let _: ControlFlow<()> = run.value(typed, Before { own: old, around: None }, &Path::Root);
    run.verdict
}

/// Runs the rules of a default, which no object has yet. Paths begin with `default`.
pub(in super::super) fn run_default(node: &Node, default: &Value) -> Vec<FieldError> {
    let mut run = Run {
        budget: BUDGET,
        verdict: Verdict::default(),
    };
    let typed = Typed {
        node,
        value: default,
        resource: node.embedded,
    };
    let before = Before {
        own: None,
        around: None,
    };
    let _: ControlFlow<()> = run.value(typed, before, &Path::Root.field("default"));
    run.verdict.errors
}

/// What a value is compared with to see whether it is new.
#[derive(Clone, Copy)]
struct Before<'a> {
    /// The old value in its place, if it can be found.
    own: Option<&'a Value>,
    /// The nearest value around it of which the old one can be found, and that.
    around: Option<(&'a Value, &'a Value)>,
}

impl<'a> Before<'a> {
    fn is_unchanged(self, value: &Value) -> bool {
        match (self.own, self.around) {
            (Some(old), _) => old == value,
            (None, Some((value, old))) => value == old,
            (None, None) => false,
        }
    }

    /// The same for a value inside of `value`, in place of which the old object has `old`.
    fn inside(self, value: &'a Value, old: Option<&'a Value>) -> Self {
        match self.own {
            Some(own) => Self {
                own: old,
                around: Some((value, own)),
            },
            None => self,
        }
    }
}

struct Run {
    budget: u64,
    verdict: Verdict,
}

impl Run {
    fn value<'a>(&mut self, typed: Typed<'a>, before: Before<'a>, path: &Path<'_>) -> ControlFlow<()> {
        if !typed.node.has_rules || typed.value.is_null() {
            return ControlFlow::Continue(());
        }
        for rule in &typed.node.rules {
            self.rule(rule, typed, before, path)?;
        }
        match typed.value {
            Value::Object(fields) => self.fields(typed, fields, before, path),
            Value::Array(items) => self.items(typed, items, before, path),
            _ => ControlFlow::Continue(()),
        }
    }

    fn fields<'a>(
        &mut self,
        typed: Typed<'a>,
        fields: &'a Map<String, Value>,
        before: Before<'a>,
        path: &Path<'_>,
    ) -> ControlFlow<()> {
        for (name, value) in fields {
            let named = typed.node.properties.get(name);
            let Some(node) = named.or(typed.node.additional.as_deref()) else {
                continue;
            };
            let place = if named.is_some() {
                path.field(name)
            } else {
                path.key(name)
            };
            let inside = Typed {
                node,
                value,
                resource: node.embedded,
            };
            let old = before.own.and_then(|object| object.get(name));
            self.value(inside, before.inside(typed.value, old), &place)?;
        }
        ControlFlow::Continue(())
    }

    fn items<'a>(
        &mut self,
        typed: Typed<'a>,
        items: &'a [Value],
        before: Before<'a>,
        path: &Path<'_>,
    ) -> ControlFlow<()> {
        let Some(node) = &typed.node.items else {
            return ControlFlow::Continue(());
        };
        // Only items with keys can be told to be the same ones as before.
        let keys = match &typed.node.list {
            ListType::Map(keys) => keys.as_slice(),
            ListType::Atomic | ListType::Set => &[],
        };
        let old = before.own.and_then(Value::as_array);
        let old = old.map(|items| by_key(items, keys)).unwrap_or_default();
        for (index, value) in items.iter().enumerate() {
            let inside = Typed {
                node,
                value,
                resource: node.embedded,
            };
            let old = list_key(value, keys).and_then(|key| old.get(&key.to_string()).copied());
            self.value(inside, before.inside(typed.value, old), &path.item(index))?;
        }
        ControlFlow::Continue(())
    }

    fn rule<'a>(&mut self, rule: &Rule, typed: Typed<'a>, before: Before<'a>, path: &Path<'_>) -> ControlFlow<()> {
        let shown = typed.node.kind.map_or("", super::super::Type::name);
        let expression = match rule.expression() {
            Ok(expression) => expression,
            Err(complaint) => {
                self.error(FieldError::invalid(
                    path,
                    shown,
                    format!("rule compile error: {complaint}"),
                ));
                return ControlFlow::Continue(());
            }
        };
        let old = before.own.filter(|old| !old.is_null());
        let old = old.map(|value| Typed { value, ..typed });
        let old = match (old, rule.optional_old == Some(true)) {
            // What has no old value has not changed.
            (None, false) if expression.uses_old() => return ControlFlow::Continue(()),
            (None, false) => Old::Absent,
            (Some(old), false) => Old::Value(old),
            (old, true) => Old::Optional(old),
        };
        let variables = Variables { new: typed, old };
        match expression.evaluate(variables, &mut self.budget) {
            Ok(Outcome::Bool(true)) => ControlFlow::Continue(()),
            Ok(_) => {
                let ratchets = !expression.uses_old() && before.is_unchanged(typed.value);
                self.violation(rule, variables, ratchets, path)
            }
            Err(EvaluationError::OutOfBudget) => {
                self.error(FieldError::invalid(path, shown, OUT_OF_BUDGET));
                ControlFlow::Break(())
            }
            Err(error @ EvaluationError::TooLong) => {
                let label = rule.label();
                let detail = format!(
                    "'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {label}"
                );
                self.error(FieldError::invalid(path, shown, detail));
                ControlFlow::Break(())
            }
            Err(EvaluationError::Failed(error)) => {
                let label = rule.label();
                let detail = if error.starts_with("no such overload") {
                    let why = "call arguments did not match a supported operator, function or macro signature for rule";
                    format!("'{error}': {why}: {label}")
                } else {
                    format!("{error} evaluating rule: {label}")
                };
                self.error(FieldError::invalid(path, shown, detail));
                ControlFlow::Continue(())
            }
        }
    }

    /// Says that a rule is broken; or only warns of it, where the value was like that before.
    fn violation(&mut self, rule: &Rule, variables: Variables<'_>, ratchets: bool, path: &Path<'_>) -> ControlFlow<()> {
        let typed = variables.new;
        let field = field_path::follow(typed.node, &rule.field_path, true).map_or(String::new(), |(path, _)| path);
        let path = match (String::from(path), field.is_empty()) {
            (path, true) => path,
            (path, false) if path.is_empty() => field,
            (path, false) => format!("{path}.{field}"),
        };
        let (detail, flow) = match rule.message_expression() {
            Some(Ok(expression)) => self.message(rule, expression, variables),
            _ => (default_message(rule), ControlFlow::Continue(())),
        };
        let shows = !matches!(typed.value, Value::Object(_) | Value::Array(_));
        let error = match rule.reason.as_deref() {
            Some("FieldValueForbidden") => FieldError::forbidden(path, detail),
            Some("FieldValueRequired") => FieldError::required(path, detail),
            Some("FieldValueDuplicate") if shows => FieldError::duplicate(path, typed.value.clone()),
            Some("FieldValueDuplicate") => FieldError::duplicate(path, Value::Null).without_value(),
            _ if shows => FieldError::invalid(path, typed.value.clone(), detail),
            _ => FieldError::invalid(path, Value::Null, detail).without_value(),
        };
        if ratchets {
            self.verdict.warnings.push(error.to_string());
        } else {
            self.error(error);
        }
        flow
    }

    /// The message that the rule's expression makes, or else the fixed one.
    fn message(
        &mut self,
        rule: &Rule,
        expression: &cel::Shared,
        variables: Variables<'_>,
    ) -> (String, ControlFlow<()>) {
        let made = match expression.evaluate(variables, &mut self.budget) {
            Ok(Outcome::Text(text)) => text,
            Ok(_) | Err(EvaluationError::Failed(_)) => String::new(),
            Err(EvaluationError::OutOfBudget) => {
                let detail = "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run";
                return (detail.to_owned(), ControlFlow::Break(()));
            }
            Err(EvaluationError::TooLong) => {
                let text = Value::from(&*rule.message_expression);
                let detail = format!(
                    "no further validation rules will be run due to call cost exceeds limit for messageExpression: {text}"
                );
                return (detail, ControlFlow::Break(()));
            }
        };
        let made = made.trim();
        if made.is_empty() || made.len() > LONGEST_MESSAGE || made.contains('\n') {
            return (default_message(rule), ControlFlow::Continue(()));
        }
        (made.to_owned(), ControlFlow::Continue(()))
    }

    fn error(&mut self, error: FieldError) {
        self.verdict.errors.push(error);
    }
}

fn default_message(rule: &Rule) -> String {
    if rule.message.is_empty() {
        format!("failed rule: {}", rule.text.trim())
    } else {
        rule.message.trim().to_owned()
    }
}
