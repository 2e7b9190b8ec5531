//! The one way in: several files, each with several documents, to values or to all of their errors.

mod identity;
mod inputs;

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    API_VERSION, DocumentError, GuestClusterDocument, ManagementClusterDocument, Position, Positions, rules,
    structure::{self, nearest},
};
use crate::{
    guest_cluster::GuestCluster,
    management_cluster::ManagementCluster,
    schema,
    views::text,
    yaml::{self, Node, Place},
};

/// A file's text, and the name that errors give it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file, as it was named; paths in its documents are relative to its folder.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// What all documents say together.
#[derive(Clone, Debug, PartialEq)]
pub struct Documents {
    /// The management cluster; all defaults where no document is about it.
    pub management: ManagementCluster,
    /// The guests, in the documents' order.
    pub guests: Vec<GuestCluster>,
}

/// Reads files: `load` itself does no I/O.
type Read<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;
/// Reads environment variables.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Parses and validates documents, and reads the files and variables that they refer to.
///
/// Either everything is well, or all errors of all files come back, in the files' order.
pub fn load(sources: Vec<Source>, read: Read<'_>, env: Env<'_>) -> Result<Documents, Vec<DocumentError>> {
    let mut loader = Loader::new(read, env);
    let files: Vec<PathBuf> = sources.iter().map(|source| source.path.clone()).collect();
    for source in sources {
        loader.file(&source);
    }
    loader.check_together();
    let Loader {
        mut errors,
        managements,
        guests,
        ..
    } = loader;
    if errors.is_empty() {
        return Ok(Documents {
            management: managements.into_iter().next().unwrap_or_default(),
            guests,
        });
    }
    let order = |error: &DocumentError| files.iter().position(|file| *file == error.position.file);
    errors.sort_by(|a, b| (order(a), &a.position, &a.field).cmp(&(order(b), &b.position, &b.field)));
    Err(errors)
}

struct Loader<'a> {
    read: Read<'a>,
    env: Env<'a>,
    errors: Vec<DocumentError>,
    managements: Vec<ManagementCluster>,
    guests: Vec<GuestCluster>,
    /// What each document is called and where, even where the rest of it is wrong.
    named: Vec<Named>,
}

struct Named {
    kind: Kind,
    namespace: String,
    name: String,
    position: Position,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    ManagementCluster,
    GuestCluster,
}

/// A document within its file.
struct Document<'a> {
    file: &'a Path,
    node: &'a Node,
    value: Value,
    positions: Positions,
}

// === impl Loader ===

impl<'a> Loader<'a> {
    fn new(read: Read<'a>, env: Env<'a>) -> Self {
        Self {
            read,
            env,
            errors: Vec::new(),
            managements: Vec::new(),
            guests: Vec::new(),
            named: Vec::new(),
        }
    }

    fn file(&mut self, source: &Source) {
        let file = source.path.as_path();
        let nodes = match yaml::parse_nodes(&source.text) {
            Ok(nodes) => nodes,
            Err(error) => {
                let place = Place {
                    line: error.line.max(1),
                    column: error.column.max(1),
                };
                let cause = format!("this is not YAML: {error}");
                return self.report(file, place, "", cause, "mend the YAML; what follows was not looked at");
            }
        };
        if nodes.is_empty() {
            let fix = "write a GuestCluster; see `berth schema`, or the examples";
            return self.report(
                file,
                Place { line: 1, column: 1 },
                "",
                "there is no document in this file",
                fix,
            );
        }
        for node in &nodes {
            let document = Document {
                file,
                node,
                value: node.to_value(),
                positions: Positions::of(file, node),
            };
            match self.kind(&document) {
                Some(Kind::GuestCluster) => self.guest(document),
                Some(Kind::ManagementCluster) => self.management(document),
                None => {}
            }
        }
    }

    /// Which of Berth's kinds a document is of.
    fn kind(&mut self, document: &Document<'_>) -> Option<Kind> {
        const KINDS: [&str; 2] = ["GuestCluster", "ManagementCluster"];
        let kind = text(&document.value, &["kind"]).unwrap_or_default();
        let found = match kind {
            "GuestCluster" => Some(Kind::GuestCluster),
            "ManagementCluster" => Some(Kind::ManagementCluster),
            _ => None,
        };
        if found.is_none() {
            let cause = if kind.is_empty() {
                "`kind` is missing".to_owned()
            } else {
                format!("`{kind}` is no kind of Berth's")
            };
            let fix = match nearest(kind, KINDS.into_iter()) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("write `apiVersion: {API_VERSION}` and the kind GuestCluster or ManagementCluster"),
            };
            self.report_at(document, "kind", cause, fix);
        }
        found
    }

    fn guest(&mut self, document: Document<'_>) {
        let before = self.errors.len();
        self.check_structure(&document, schema::guest_cluster());
        for breach in rules::check_guest(&document.value) {
            self.report_at(&document, &breach.field, breach.cause, breach.fix);
        }
        self.remember(Kind::GuestCluster, &document);
        let inputs = self.inputs(&document);
        self.check_admins(&document, &inputs.identity);
        if self.errors.len() > before {
            return;
        }
        let Some(typed) = self.typed::<GuestClusterDocument>(&document) else {
            return;
        };
        let Some(pull_secret) = inputs.pull_secret else { return };
        let GuestClusterDocument { metadata, mut spec, .. } = typed;
        for file in [&mut spec.access.kubeconfig_file, &mut spec.access.password_file]
            .into_iter()
            .flatten()
        {
            *file = beside(document.file, file);
        }
        self.guests.push(GuestCluster {
            name: metadata.name,
            namespace: metadata.namespace,
            labels: metadata.labels,
            annotations: metadata.annotations,
            spec,
            pull_secret,
            ssh_key: inputs.ssh_key,
            trust_bundle: inputs.trust_bundle,
            infra_kubeconfig: inputs.infra_kubeconfig,
            identity: inputs.identity,
            positions: document.positions,
        });
    }

    fn management(&mut self, document: Document<'_>) {
        let before = self.errors.len();
        self.check_structure(&document, schema::management_cluster());
        self.remember(Kind::ManagementCluster, &document);
        if self.errors.len() > before {
            return;
        }
        let Some(typed) = self.typed::<ManagementClusterDocument>(&document) else {
            return;
        };
        let ManagementClusterDocument { metadata, mut spec, .. } = typed;
        if let Some(directory) = &mut spec.cli.directory {
            *directory = beside(document.file, directory);
        }
        self.managements.push(ManagementCluster {
            name: metadata.name,
            spec,
            positions: document.positions,
        });
    }

    fn check_structure(&mut self, document: &Document<'_>, schema: &Value) {
        for finding in structure::check(schema, document.node) {
            self.report(document.file, finding.place, &finding.field, finding.cause, finding.fix);
        }
    }

    /// The typed form of a document whose structure was found right.
    fn typed<T: DeserializeOwned>(&mut self, document: &Document<'_>) -> Option<T> {
        let without_nulls = without_nulls(document.value.clone());
        match serde_json::from_value(without_nulls) {
            Ok(typed) => Some(typed),
            Err(error) => {
                self.report_at(
                    document,
                    "",
                    error.to_string(),
                    "compare the document with `berth schema`",
                );
                None
            }
        }
    }

    fn remember(&mut self, kind: Kind, document: &Document<'_>) {
        let name = text(&document.value, &["metadata", "name"]);
        let namespace = text(&document.value, &["metadata", "namespace"]).unwrap_or("clusters");
        if let (Some(name), Some(position)) = (name, document.positions.at("metadata.name")) {
            self.named.push(Named {
                kind,
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                position,
            });
        }
    }

    /// What can be said only of all documents together.
    fn check_together(&mut self) {
        let mut errors = Vec::new();
        for (index, named) in self.named.iter().enumerate() {
            let mut same_kind = self.named[..index].iter().filter(|other| other.kind == named.kind);
            let (cause, fix) = match named.kind {
                Kind::ManagementCluster => {
                    let Some(first) = same_kind.next() else { continue };
                    let cause = format!("a second ManagementCluster; the first is at {}", first.position);
                    (
                        cause,
                        "leave one of them out: a run is about one management cluster".to_owned(),
                    )
                }
                Kind::GuestCluster => {
                    let Some(first) = same_kind.find(|other| other.name == named.name) else {
                        continue;
                    };
                    let cause = if first.namespace == named.namespace {
                        format!(
                            "a second guest `{}/{}`; the first is at {}",
                            named.namespace, named.name, first.position
                        )
                    } else {
                        format!(
                            "a second guest `{}`; the first, in the namespace `{}`, is at {}",
                            named.name, first.namespace, first.position
                        )
                    };
                    let fix = "give each guest its own name: the multicluster engine knows it by that alone".to_owned();
                    (cause, fix)
                }
            };
            errors.push(DocumentError {
                position: named.position.clone(),
                field: "metadata.name".to_owned(),
                cause,
                fix,
            });
        }
        self.errors.extend(errors);
    }

    fn report(&mut self, file: &Path, place: Place, field: &str, cause: impl Into<String>, fix: impl Into<String>) {
        let position = Position {
            file: file.to_owned(),
            line: place.line,
            column: place.column,
        };
        self.errors.push(DocumentError {
            position,
            field: field.to_owned(),
            cause: cause.into(),
            fix: fix.into(),
        });
    }

    fn report_at(&mut self, document: &Document<'_>, field: &str, cause: impl Into<String>, fix: impl Into<String>) {
        let position = document.positions.at(field);
        let place = position.map_or(document.node.place, |position| Place {
            line: position.line,
            column: position.column,
        });
        self.report(document.file, place, field, cause, fix);
    }
}

/// A path of a document, which is relative to the document's file.
fn beside(file: &Path, path: &Path) -> PathBuf {
    file.parent()
        .map_or_else(|| path.to_owned(), |folder| folder.join(path))
}

/// A field that is null is a field left out, except where upstream's fields stand as they are.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                kept.map(|(key, value)| {
                    let value = if key == "overrides" {
                        value
                    } else {
                        without_nulls(value)
                    };
                    (key, value)
                })
                .collect(),
            )
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        scalar => scalar,
    }
}
