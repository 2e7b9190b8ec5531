//! What is wrong with a document, for people.

use super::Position;

/// One error in a document: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {cause}")]
pub struct DocumentError {
    /// Where it is.
    pub position: Position,
    /// The field at fault, as `spec.nodePools[0].memory`; empty for the document as a whole.
    pub field: String,
    /// What is wrong. Never the text of a secret.
    pub cause: String,
    /// What to do about it.
    pub fix: String,
}
