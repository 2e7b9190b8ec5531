//! The one door for YAML, so that all of Berth reads and writes it alike.
//!
//! Reading: multi-document, duplicate keys refused, `0644` octal, no includes, bounded against alias bombs. Writing: as
//! `kubectl` and `hcp` print it.

mod emit;
mod node;

use serde_json::Value;

pub use emit::to_string;
pub(crate) use node::{Content, Entry, Node, Place};

/// Why a text is not YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// What is wrong; never with a piece of the text, which may be a secret.
    pub message: String,
    /// The line, from 1; 0 where it is not known.
    pub line: u32,
    /// The column, from 1; 0 where it is not known.
    pub column: u32,
}

/// All documents of a text. Empty ones are left out.
pub fn parse(text: &str) -> Result<Vec<Value>, YamlError> {
    Ok(parse_nodes(text)?.iter().map(Node::to_value).collect())
}

/// All documents of a text, each node with its place.
pub(crate) fn parse_nodes(text: &str) -> Result<Vec<Node>, YamlError> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    let nodes: Vec<Node> = serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let location = error.location();
        let number = |value: Option<u64>| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(0);
        YamlError {
            message: first_line(&error.without_snippet().to_string()),
            line: number(location.map(|location| location.line())),
            column: number(location.map(|location| location.column())),
        }
    })?;
    Ok(nodes.into_iter().filter(|node| !node.is_null()).collect())
}

/// The message alone: its place is told apart.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.rsplit_once(" at line ")
        .map_or(line, |(message, _)| message)
        .to_owned()
}

#[cfg(test)]
mod tests;
