//! Where a field stands.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Serialize;

use crate::yaml::{Content, Node, Place};

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// Where each field of a document stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions(BTreeMap<String, Position>);

// === impl Position ===

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

// === impl Positions ===

impl Positions {
    pub(crate) fn of(file: &std::path::Path, document: &Node) -> Self {
        let mut positions = Self::default();
        positions.add(file, document, String::new());
        positions
    }

    fn add(&mut self, file: &std::path::Path, node: &Node, path: String) {
        match &node.content {
            Content::Scalar(_) => {}
            Content::List(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    self.add(file, node, format!("{path}[{index}]"));
                }
            }
            Content::Map(entries) => {
                for entry in entries {
                    self.add(file, &entry.node, join(&path, &entry.key));
                }
            }
        }
        let Place { line, column } = node.place;
        self.0.insert(
            path,
            Position {
                file: file.to_owned(),
                line,
                column,
            },
        );
    }

    /// Whether a field is written.
    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Where a field stands, as `spec.networking.clusterNetwork[0]`; where it is left out, the nearest field around it.
    /// `None` only where there is no document at all.
    pub fn at(&self, path: &str) -> Option<Position> {
        let mut path = path;
        loop {
            if let Some(position) = self.0.get(path) {
                return Some(position.clone());
            }
            path = match path.rfind(['.', '[']) {
                Some(end) => &path[..end],
                None if path.is_empty() => return None,
                None => "",
            };
        }
    }
}

/// The path of a field below another.
pub(crate) fn join(path: &str, key: &str) -> String {
    if key.contains(['.', '[', '/']) {
        format!("{path}[\"{key}\"]")
    } else if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
