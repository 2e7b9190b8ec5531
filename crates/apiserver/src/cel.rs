//! Expressions in the Common Expression Language, as the rules of schemas use them.
//!
//! The rest of the server sees [`Expression`]: compiled from its text, held against a schema, evaluated on values.
//! Parsing and evaluating are the crate `cel`'s; nothing outside of this module knows it. What is added here:
//!
//! ```text
//! engine      the crate behind the trait; the meter that ends an evaluation which takes too long
//! depth       how deep an expression may be
//! check       what is known before there is a value: fields and functions that don't exist, types that don't fit
//! value       objects as the language sees them, by their schema, converted as far as they are looked at
//! functions/  what Kubernetes adds to the language
//! ```
//!
//! Not here: which rules there are, on which values they run, and what becomes of a failure: [`crate::schema`].

mod check;
mod depth;
mod engine;
mod escape;
mod functions;
mod meter;
mod node;
mod signature;
mod types;
mod value;

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use serde_json::Value;

pub(crate) use self::engine::compile;
use crate::schema::Node;

/// A compiled expression.
pub(crate) trait Expression: fmt::Debug + Send + Sync {
    /// Whether it looks at the old value.
    fn uses_old(&self) -> bool;

    /// Holds it against the types of its variables; the error is the whole complaint, with the places in the text.
    fn check(&self, scope: Scope<'_>, wanted: Wanted) -> Result<(), String>;

    /// What it comes to. Takes what it used off `budget`, which is never asked for more than a single evaluation may take.
    fn evaluate(&self, variables: Variables<'_>, budget: &mut u64) -> Result<Outcome, EvaluationError>;
}

/// Expressions, shared by all that have the same text.
pub(crate) type Shared = Arc<dyn Expression>;

/// A value and what its schema says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typed<'a> {
    pub(crate) node: &'a Node,
    pub(crate) value: &'a Value,
    /// Whether it is a whole object, or one embedded in another: these have `apiVersion`, `kind` and a name.
    pub(crate) resource: bool,
}

/// The types of an expression's variables: `self`, and `oldSelf` of the same type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) node: &'a Node,
    pub(crate) resource: bool,
    /// Whether `oldSelf` is an optional.
    pub(crate) optional_old: bool,
}

/// The values of an expression's variables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variables<'a> {
    pub(crate) new: Typed<'a>,
    pub(crate) old: Old<'a>,
}

/// The value of `oldSelf`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Old<'a> {
    /// There is no such variable.
    Absent,
    /// A value.
    Value(Typed<'a>),
    /// An optional.
    Optional(Option<Typed<'a>>),
}

/// What an expression must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Bool,
    Text,
}

/// What an expression came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Bool(bool),
    Text(String),
    /// Something that no caller asks for.
    Other,
}

/// Why an expression came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EvaluationError {
    /// It took more than a single evaluation may take.
    #[error("operation cancelled: actual cost limit exceeded")]
    TooLong,
    /// It took more than was left for the whole object.
    #[error("out of budget")]
    OutOfBudget,
    /// A key that isn't there, a division by zero, a type that doesn't fit, …
    #[error("{0}")]
    Failed(String),
}
