//! The rules of a schema: conditions on values, written in the language of [`crate::cel`].
//!
//! `check.rs` holds them against the schema when a CRD is written, `run.rs` holds objects against them. A rule is compiled
//! when it is first needed: a server that starts has thousands, and most of them are of fields that nobody sets.

mod check;
mod field_path;
mod run;

use std::sync::OnceLock;

use serde_json::{Value, json};

pub(crate) use self::field_path::follow;
pub(super) use self::{
    check::check,
    run::{run, run_default},
};
use crate::{cel, field_error::FieldError};

/// One of a node's `x-kubernetes-validations`.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    text: Box<str>,
    /// What to say of a value that breaks the rule.
    message: Box<str>,
    /// The same, as an expression.
    message_expression: Box<str>,
    reason: Option<Box<str>>,
    /// The field that is to blame, from here.
    field_path: Box<str>,
    /// Whether the old value is an optional. Unset is not the same as no.
    optional_old: Option<bool>,
    compiled: OnceLock<Result<cel::Shared, Box<str>>>,
    compiled_message: OnceLock<Result<cel::Shared, Box<str>>>,
}

/// What rules had to say of an object.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) errors: Vec<FieldError>,
    /// Complaints about values that were there, unchanged, before.
    pub(crate) warnings: Vec<String>,
}

impl Rule {
    /// Reads a rule as a schema has it.
    pub(super) fn read(rule: &Value) -> Self {
        let text = |field: &str| rule[field].as_str().unwrap_or_default().into();
        Self {
            text: text("rule"),
            message: text("message"),
            message_expression: text("messageExpression"),
            reason: rule["reason"].as_str().map(Into::into),
            field_path: text("fieldPath"),
            optional_old: rule["optionalOldSelf"].as_bool(),
            compiled: OnceLock::new(),
            compiled_message: OnceLock::new(),
        }
    }

    fn expression(&self) -> Result<&cel::Shared, &str> {
        let compiled = self
            .compiled
            .get_or_init(|| cel::compile(&self.text).map_err(Into::into));
        compiled.as_ref().map_err(AsRef::as_ref)
    }

    /// The expression for the message, if there is one.
    fn message_expression(&self) -> Option<Result<&cel::Shared, &str>> {
        if self.message_expression.is_empty() {
            return None;
        }
        let compile = || cel::compile(&self.message_expression).map_err(Into::into);
        Some(
            self.compiled_message
                .get_or_init(compile)
                .as_ref()
                .map_err(AsRef::as_ref),
        )
    }

    /// The rule as an error shows it.
    fn shown(&self) -> Value {
        json!({
            "Rule": &*self.text,
            "Message": &*self.message,
            "MessageExpression": &*self.message_expression,
            "Reason": self.reason,
            "FieldPath": &*self.field_path,
            "OptionalOldSelf": self.optional_old,
        })
    }

    /// How an error that is no plain violation names the rule.
    fn label(&self) -> &str {
        if self.message.is_empty() {
            self.text.trim()
        } else {
            self.message.trim()
        }
    }
}
