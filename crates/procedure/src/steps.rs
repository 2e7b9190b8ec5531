//! The steps: one file each, in the order in which they run.
//!
//! Each is a small value with what it needs of the documents. What they share (where the multicluster engine is, whether
//! somebody else manages it) is in [`hub`]; ids are spelled in [`ids`] alone.

pub(crate) mod channel;
pub(crate) mod cli;
pub(crate) mod engine;
pub(crate) mod engine_operator;
pub(crate) mod guest;
pub(crate) mod hub;
pub mod ids;
pub(crate) mod ingress;
pub(crate) mod prerequisites;
pub(crate) mod storage;

use crate::step::Command;

/// A command with what it is for.
pub(crate) fn command(comment: impl Into<String>, line: impl Into<String>) -> Command {
    Command {
        comment: comment.into(),
        line: line.into(),
    }
}

/// `oc apply` of an object as a person would type it.
pub(crate) fn apply_command(comment: impl Into<String>, object: &serde_json::Value) -> Command {
    let text = berth_api::yaml::to_string(object);
    command(comment, format!("oc apply -f - <<'EOF'\n{}\nEOF", text.trim_end()))
}

#[cfg(test)]
mod tests;
