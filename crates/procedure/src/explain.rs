//! What a field of a document is: one on demand, all of them as `docs/configuration.md`.
//!
//! All of it comes from the schemas, and from the table of what older servers lack; a test holds the page to it.

use std::fmt::Write as _;

use berth_api::{Edit, Field, fields_of_kind};
use serde_json::Value;

use crate::versions;

const INTRO: &str = include_str!("explain/intro.md");

/// Why there is nothing to explain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// Neither of Berth's kinds.
    #[error("`{0}` is no kind of Berth's")]
    Kind(String),
    /// The kind has no such field.
    #[error("{kind} has no field `{path}`")]
    Field {
        /// The kind.
        kind: &'static str,
        /// The path that was asked for.
        path: String,
        /// The fields where it was looked for.
        known: Vec<String>,
    },
}

/// A field in words: `guestcluster.spec.controlPlane.etcd`. Capitals and the brackets of lists don't matter.
pub fn explain(what: &str) -> Result<String, ExplainError> {
    let (word, path) = what.split_once('.').unwrap_or((what, ""));
    let (kind, fields) = fields_of_kind(word).ok_or_else(|| ExplainError::Kind(word.to_owned()))?;
    let wanted = plain(path);
    let object = |field: &Field| {
        if field.path.starts_with("spec.nodePools") {
            "NodePool"
        } else {
            "HostedCluster"
        }
    };
    let mut text = String::new();
    if wanted.is_empty() {
        let _ = writeln!(text, "{kind}, a document of Berth's.");
    } else {
        let Some(field) = fields.iter().find(|field| plain(&field.path) == wanted) else {
            return Err(unknown(kind, &fields, path));
        };
        let _ = writeln!(text, "{kind}: {}\n\n  {}\n", field.path, field.description);
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "  {name:<9} {value}");
        };
        line("type", &type_of(field));
        for (word, meaning) in &field.choices {
            line("", &format!("{word:<20} {meaning}"));
        }
        if let Some(default) = field.default.as_ref().filter(|_| field.is_leaf) {
            line("default", &shown(default));
        }
        if field.required {
            line("required", "yes");
        }
        if kind == "GuestCluster" && (field.is_leaf || field.edit != Edit::Free) {
            line("later", later(field));
        }
        if !field.becomes.is_empty() {
            line(
                "becomes",
                &format!("{} {}", object(field), field.becomes.replace('|', " or ")),
            );
        }
        if let Some(since) = newer(field) {
            line(
                "needs",
                &format!("a server that has it: {since} does, 4.17's has not; `berth check` asks it"),
            );
        }
    }
    let below = children(&fields, &wanted);
    if !below.is_empty() {
        let width = below.iter().map(|field| last(&field.path).len()).max().unwrap_or(0);
        text.push_str("\nFields:\n");
        for field in below {
            let _ = writeln!(text, "  {:<width$}  {}", last(&field.path), field.description);
        }
    }
    Ok(text)
}

/// The whole page about both kinds.
pub fn configuration() -> String {
    let mut page = INTRO.to_owned();
    for kind in ["GuestCluster", "ManagementCluster"] {
        let Some((kind, fields)) = fields_of_kind(kind) else {
            continue;
        };
        let _ = write!(page, "\n## {kind}\n");
        section(&mut page, kind, &fields, "");
        for field in fields.iter().filter(|field| !field.is_leaf) {
            let _ = write!(page, "\n### `{}`\n\n{}\n", field.path, field.description);
            section(&mut page, kind, &fields, &plain(&field.path));
        }
    }
    page
}

/// The fields directly below a path, as a table.
fn section(page: &mut String, kind: &str, fields: &[Field], path: &str) {
    let is_guest = kind == "GuestCluster";
    page.push_str(if is_guest {
        "\n| field | what it is | may be | left out | later | becomes |\n| --- | --- | --- | --- | --- | --- |\n"
    } else {
        "\n| field | what it is | may be | left out |\n| --- | --- | --- | --- |\n"
    });
    for field in children(fields, path) {
        let mut may_be = type_of(field);
        if !field.choices.is_empty() {
            let words: Vec<String> = field.choices.iter().map(|(word, _)| format!("`{word}`")).collect();
            may_be = words.join(", ");
        }
        let left_out = match field.default.as_ref().filter(|_| field.is_leaf) {
            Some(default) => format!("`{}`", shown(default)),
            None if field.required => "**required**".to_owned(),
            None => String::new(),
        };
        let name = format!("`{}`", last(&field.path));
        let _ = write!(
            page,
            "| {name} | {} | {} | {left_out} |",
            cell(&field.description),
            cell(&may_be)
        );
        if is_guest {
            let mut becomes = field.becomes.replace('|', "` or `");
            if !becomes.is_empty() {
                becomes = format!("`{becomes}`");
            }
            if newer(field).is_some() {
                becomes.push_str(" (newer than 4.17)");
            }
            let _ = write!(page, " {} | {becomes} |", later_in_short(field));
        }
        page.push('\n');
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A path without brackets, in small letters.
fn plain(path: &str) -> String {
    path.replace("[]", "").to_lowercase()
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn children<'f>(fields: &'f [Field], path: &str) -> Vec<&'f Field> {
    let parent = |field: &Field| plain(field.path.rsplit_once('.').map_or("", |(parent, _)| parent));
    fields.iter().filter(|field| parent(field) == path).collect()
}

fn type_of(field: &Field) -> String {
    let mut words = vec![field.kind.clone()];
    words.extend(field.bounds.iter().cloned());
    words.join(": ")
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The first release that is known to have what a field becomes.
fn newer(field: &Field) -> Option<&'static str> {
    let is_pool = field.path.starts_with("spec.nodePools");
    versions::since(&field.becomes).filter(|_| !is_pool)
}

fn later(field: &Field) -> &'static str {
    match field.edit {
        Edit::Fixed => "can't be changed",
        Edit::Rollout => "rolls the workers: new machines take the place of old ones, or with InPlace each restarts",
        Edit::Machines => {
            "rolls the workers: new machines take the place of old ones; with InPlace only new ones have it"
        }
        Edit::NewWorkers => "new workers have it; those that are there stay as they are",
        Edit::Free => "can be changed; no worker is replaced or restarted",
    }
}

fn later_in_short(field: &Field) -> &'static str {
    match field.edit {
        Edit::Fixed => "fixed",
        Edit::Rollout => "rolls workers",
        Edit::Machines => "replaces machines",
        Edit::NewWorkers => "new workers",
        Edit::Free => "",
    }
}

fn unknown(kind: &'static str, fields: &[Field], path: &str) -> ExplainError {
    // The fields where the path was still right.
    let mut parent = plain(path);
    let known = loop {
        parent = parent
            .rsplit_once('.')
            .map_or(String::new(), |(parent, _)| parent.to_owned());
        let known = children(fields, &parent);
        if !known.is_empty() || parent.is_empty() {
            break known;
        }
    };
    ExplainError::Field {
        kind,
        path: path.to_owned(),
        known: known.into_iter().map(|field| last(&field.path).to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests;
