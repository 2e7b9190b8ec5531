//! Events as lines. Each form of an event is made once and shared by all who watch it in that form.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    handlers::{context::Context, list::Filter, render},
    metrics::Metrics,
    negotiate::Shape,
    registry::Registry,
    resource::{Resource, Source},
    server::State,
    status::ApiError,
    store::{Event, EventKind, Stored},
};

pub(super) struct Encoder {
    /// For wall time in the cells of tables.
    clock: crate::Clock,
    metrics: Arc<Metrics>,
    resource: Arc<Resource>,
    api_version: String,
    namespace: Option<String>,
    shape: Shape,
    filter: Filter,
    include: render::IncludeObject,
    /// What tells lines of this watch from those of other versions and shapes.
    form: Arc<str>,
    /// Whether the next table is the first, which alone has columns.
    first: bool,
}

/// What has become of a kind since a watch of it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Served {
    AsBefore,
    /// With another schema: its objects may look different now.
    Otherwise,
    /// Not at all, or not in this version.
    NoLonger,
}

impl Encoder {
    pub(super) fn new(context: &Context<'_>, shape: Shape, filter: Filter) -> Self {
        let state: &State = context.state;
        let resource = &context.resource;
        let include = render::IncludeObject::of(&context.query);
        let (api_version, fingerprint) = (resource.api_version(), resource.fingerprint());
        let form = match shape {
            Shape::Table => format!("{api_version} {fingerprint} {shape:?} {include:?}"),
            Shape::Itself | Shape::Metadata => format!("{api_version} {fingerprint} {shape:?}"),
        };
        Self {
            clock: Arc::clone(&state.clock),
            metrics: Arc::clone(&state.metrics),
            api_version,
            resource: Arc::clone(resource),
            namespace: context.path.namespace.clone(),
            shape,
            filter,
            include,
            form: form.into(),
            first: true,
        }
    }

    /// The one name that is of interest, where there is one.
    pub(super) fn exact_name(&self) -> Option<&str> {
        self.filter.exact_name()
    }

    /// What has become of the kind.
    pub(super) fn served(&self, registry: &Registry) -> Served {
        let Source::Custom { .. } = self.resource.source else {
            return Served::AsBefore;
        };
        match registry.find(self.resource.group(), &self.resource.version, self.resource.plural()) {
            Some(served) if served.fingerprint() == self.resource.fingerprint() => Served::AsBefore,
            Some(_) => Served::Otherwise,
            None => Served::NoLonger,
        }
    }

    /// An object that was there when the watch began.
    pub(super) fn initial(&mut self, stored: &Stored) -> Option<Bytes> {
        self.filter.matches(&self.resource, stored).then(|| {
            let columns = self.columns();
            self.line("ADDED", stored, columns)
        })
    }

    /// A change, if it is of interest: an object that leaves the selection is gone for those who watch it.
    pub(super) fn event(&mut self, event: &Event) -> Option<Bytes> {
        let elsewhere = |namespace: &String| **namespace != *event.key.namespace;
        if self.namespace.as_ref().is_some_and(elsewhere) {
            return None;
        }
        let selected = |stored: &Arc<Stored>| self.filter.matches(&self.resource, stored);
        let (before, now) = (event.previous.as_ref().is_some_and(selected), selected(&event.object));
        let kind = match (event.kind, before, now) {
            (EventKind::Added, _, true) | (EventKind::Modified, false, true) => "ADDED",
            (EventKind::Modified, true, true) => "MODIFIED",
            (EventKind::Deleted, true, _) | (EventKind::Modified, true, false) => "DELETED",
            _ => return None,
        };
        let columns = self.columns();
        Some(if columns.is_some() {
            self.line_of(kind, event, columns)
        } else {
            event.line(kind, &self.form(), || self.line_of(kind, event, None))
        })
    }

    /// The form of a line that is made now: tables tell ages, so they are shared for no longer than a second.
    fn form(&self) -> Arc<str> {
        match self.shape {
            Shape::Table => format!("{} {}", self.form, (self.clock)().as_second()).into(),
            Shape::Itself | Shape::Metadata => Arc::clone(&self.form),
        }
    }

    /// The columns, if they are to be told: in the first table.
    fn columns(&mut self) -> Option<Value> {
        (self.shape == Shape::Table && std::mem::take(&mut self.first))
            .then(|| render::columns(self.resource.printer()))
    }

    fn line_of(&self, kind: &'static str, event: &Event, columns: Option<Value>) -> Bytes {
        match (event.kind, kind, &event.previous) {
            (EventKind::Modified, "DELETED", Some(previous)) => {
                // The state that was selected, at the version of the change.
                let (value, revision) = (previous.value(), event.object.revision);
                let left = Stored::encode(event.key.clone(), value, revision, previous.schema);
                self.line(kind, &left, columns)
            }
            _ => self.line(kind, &event.object, columns),
        }
    }

    fn line(&self, kind: &str, stored: &Stored, columns: Option<Value>) -> Bytes {
        self.metrics.made_line();
        let mut line = Vec::with_capacity(stored.body.len() + 256);
        line.extend_from_slice(format!("{{\"type\":\"{kind}\",\"object\":").as_bytes());
        if self.shape == Shape::Table {
            let columns = columns.unwrap_or_else(|| json!([]));
            let head = format!(
                r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{{"resourceVersion":"{}"}},"columnDefinitions":{columns},"rows":["#,
                stored.revision
            );
            line.extend_from_slice(head.as_bytes());
            render::write_row(&self.resource, self.include, stored, (self.clock)(), &mut line);
            line.extend_from_slice(b"]}");
        } else {
            render::write_object(&self.resource, self.shape, stored, &mut line);
        }
        line.extend_from_slice(b"}\n");
        line.into()
    }

    /// Where the client is: it has seen everything up to this revision.
    pub(super) fn bookmark(&self, revision: u64, ends_initial: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": revision.to_string(), "creationTimestamp": null});
        if ends_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.shape {
            Shape::Itself => json!({"kind": self.resource.kind, "apiVersion": self.api_version, "metadata": metadata}),
            Shape::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            Shape::Table => {
                let (kind, version) = (&self.resource.kind, &self.api_version);
                let object = json!({"kind": kind, "apiVersion": version, "metadata": metadata});
                json!({
                    "kind": "Table",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": {"resourceVersion": revision.to_string()},
                    "columnDefinitions": [],
                    "rows": [{"cells": [], "object": render::metadata(&object)}],
                })
            }
        };
        of_value("BOOKMARK", &object)
    }

    /// Why the watch ends.
    pub(super) fn error(error: &ApiError) -> Bytes {
        of_value("ERROR", &error.status())
    }
}

fn of_value(kind: &str, object: &Value) -> Bytes {
    format!("{}\n", json!({"type": kind, "object": object})).into()
}
