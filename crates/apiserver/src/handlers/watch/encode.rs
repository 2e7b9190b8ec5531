//! Events as lines. The plain form of an event is made once and shared by all who watch it.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    handlers::{context::Context, list::Filter, render},
    negotiate::Shape,
    objects,
    registry::Registry,
    resource::{Resource, Source},
    server::State,
    status::ApiError,
    store::{Event, EventKind, Stored},
};

pub(super) struct Encoder {
    /// For wall time in the cells of tables.
    clock: crate::Clock,
    resource: Arc<Resource>,
    api_version: String,
    head: String,
    namespace: Option<String>,
    shape: Shape,
    filter: Filter,
    include: render::IncludeObject,
    /// Whether the next table is the first, which alone has columns.
    first: bool,
}

impl Encoder {
    pub(super) fn new(context: &Context<'_>, shape: Shape, filter: Filter) -> Self {
        let state: &State = context.state;
        Self {
            clock: Arc::clone(&state.clock),
            api_version: context.resource.api_version(),
            head: context.resource.head(),
            resource: Arc::clone(&context.resource),
            namespace: context.path.namespace.clone(),
            shape,
            filter,
            include: render::IncludeObject::of(&context.query),
            first: true,
        }
    }

    /// Whether the kind is there still, in this version.
    pub(super) fn still_served(&self, registry: &Registry) -> bool {
        let Source::Custom { .. } = self.resource.source else {
            return true;
        };
        registry
            .find(self.resource.group(), &self.resource.version, self.resource.plural())
            .is_some()
    }

    /// An object that was there when the watch began.
    pub(super) fn initial(&mut self, stored: &Stored) -> Option<Bytes> {
        self.filter
            .matches(&self.resource, stored)
            .then(|| self.line("ADDED", stored))
    }

    /// A change, if it is of interest: an object that leaves the selection is gone for those who watch it.
    pub(super) fn event(&mut self, event: &Event) -> Option<Bytes> {
        if self
            .namespace
            .as_deref()
            .is_some_and(|namespace| *namespace != *event.key.namespace)
        {
            return None;
        }
        if self.filter.is_everything() {
            return Some(self.shared(event));
        }
        let now = self.filter.matches(&self.resource, &event.object);
        let before = event
            .previous
            .as_ref()
            .is_some_and(|previous| self.filter.matches(&self.resource, previous));
        match (event.kind, before, now) {
            (EventKind::Deleted, true, _) | (EventKind::Added, _, true) | (EventKind::Modified, true, true) => {
                Some(self.shared(event))
            }
            (EventKind::Modified, false, true) => Some(self.line("ADDED", &event.object)),
            (EventKind::Modified, true, false) => event.previous.as_ref().map(|previous| {
                // The state that was selected, at the version of the change.
                let value = previous.value();
                let left = Stored::encode(event.key.clone(), value, event.object.revision, previous.schema);
                self.line("DELETED", &left)
            }),
            _ => None,
        }
    }

    fn shared(&mut self, event: &Event) -> Bytes {
        let kind = match event.kind {
            EventKind::Added => "ADDED",
            EventKind::Modified => "MODIFIED",
            EventKind::Deleted => "DELETED",
        };
        let plain = self.shape == Shape::Itself;
        // A line for a schema that has changed since is not for sharing.
        let current = event.object.schema == self.resource.fingerprint() || self.resource.fingerprint() == 0;
        if !plain || !current {
            return self.line(kind, &event.object);
        }
        let (api_version, line) = event.line.get_or_init(|| {
            (
                self.api_version.clone(),
                plain_line(kind, &self.head, &self.resource, &event.object),
            )
        });
        if *api_version == self.api_version {
            line.clone()
        } else {
            self.line(kind, &event.object)
        }
    }

    fn line(&mut self, kind: &str, stored: &Stored) -> Bytes {
        match self.shape {
            Shape::Itself => plain_line(kind, &self.head, &self.resource, stored),
            Shape::Metadata => of_value(kind, &render::metadata(&objects::value(&self.resource, stored))),
            Shape::Table => {
                let object = objects::value(&self.resource, stored);
                let columns = if std::mem::take(&mut self.first) {
                    render::columns(&self.resource)
                } else {
                    json!([])
                };
                let table = json!({
                    "kind": "Table",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": {"resourceVersion": stored.revision.to_string()},
                    "columnDefinitions": columns,
                    "rows": [render::row(&self.resource, self.include, object, (self.clock)())],
                });
                of_value(kind, &table)
            }
        }
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

fn plain_line(kind: &str, head: &str, resource: &Resource, stored: &Stored) -> Bytes {
    let body = objects::body(resource, stored);
    let mut line = Vec::with_capacity(body.len() + head.len() + 32);
    line.extend_from_slice(format!("{{\"type\":\"{kind}\",\"object\":").as_bytes());
    Stored::splice(head.as_bytes(), &body, &mut line);
    line.extend_from_slice(b"}\n");
    line.into()
}

fn of_value(kind: &str, object: &Value) -> Bytes {
    format!("{}\n", json!({"type": kind, "object": object})).into()
}
