//! Objects and lists in the shape and encoding that was asked for.
//!
//! What is stored is not taken apart for that: `write_…` copy the parts that stay as they are.

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json, value::RawValue};

use super::context::Context;
use crate::{
    Body,
    negotiate::{Encoding, Shape},
    objects,
    query::Query,
    resource::Resource,
    status::{ApiError, Result},
    store::Stored,
    table::{Column, Printer},
};

/// What a row of a table carries besides its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IncludeObject {
    None,
    Metadata,
    Object,
}

impl IncludeObject {
    pub(super) fn of(query: &Query) -> Self {
        match query.get("includeObject") {
            Some("None") => Self::None,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// An answer of bytes.
pub(super) fn respond(status: StatusCode, encoding: Encoding, bytes: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::whole(bytes));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(encoding.content_type()));
    response
}

/// Writes a value down.
pub(super) fn encoded(
    context: &Context<'_>,
    status: StatusCode,
    encoding: Encoding,
    value: &Value,
) -> Result<Response<Body>> {
    let text = match encoding {
        Encoding::Json if context.pretty() => format!("{value:#}\n"),
        Encoding::Json => value.to_string(),
        Encoding::Yaml => serde_saphyr::to_string(value).map_err(|error| ApiError::Internal(error.to_string()))?,
    };
    Ok(respond(status, encoding, text))
}

/// One object in a shape.
pub(super) fn object(context: &Context<'_>, shape: Shape, object: Value) -> Value {
    match shape {
        Shape::Itself => object,
        Shape::Metadata => metadata(&object),
        Shape::Table => {
            let version = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
            table(context, &version, true, vec![object])
        }
    }
}

/// A table with a row for each object.
pub(super) fn table(context: &Context<'_>, metadata: &Value, with_columns: bool, objects: Vec<Value>) -> Value {
    table_by(context, context.resource.printer(), metadata, with_columns, objects)
}

/// A table of objects that need not be of the request's kind.
pub(super) fn table_by(
    context: &Context<'_>,
    printer: &Printer,
    metadata: &Value,
    with_columns: bool,
    objects: Vec<Value>,
) -> Value {
    let include = IncludeObject::of(&context.query);
    let now = context.state.now();
    let columns = if with_columns { columns(printer) } else { json!([]) };
    let rows: Vec<Value> = objects
        .into_iter()
        .map(|object| row(printer, include, object, now))
        .collect();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    })
}

/// One object's row.
pub(super) fn row(printer: &Printer, include: IncludeObject, object: Value, now: jiff::Timestamp) -> Value {
    let mut row = json!({"cells": printer.cells(&object, now)});
    match include {
        IncludeObject::None => {}
        IncludeObject::Metadata => row["object"] = metadata(&object),
        IncludeObject::Object => row["object"] = object,
    }
    row
}

pub(super) fn columns(printer: &Printer) -> Value {
    let column = |column: &Column| {
        json!({
            "name": column.name,
            "type": column.kind,
            "format": column.format,
            "description": column.description,
            "priority": column.priority,
        })
    };
    printer.columns().iter().map(column).collect()
}

/// Appends a stored object's row: what [`row`] makes of its value.
pub(super) fn write_row(
    resource: &Resource,
    include: IncludeObject,
    stored: &Stored,
    now: jiff::Timestamp,
    into: &mut Vec<u8>,
) {
    let cells = resource.printer().cells(&objects::value(resource, stored), now);
    into.extend_from_slice(b"{\"cells\":");
    into.extend_from_slice(Value::from(cells).to_string().as_bytes());
    if include != IncludeObject::None {
        into.extend_from_slice(b",\"object\":");
        let shape = match include {
            IncludeObject::Object => Shape::Itself,
            _ => Shape::Metadata,
        };
        write_object(resource, shape, stored, into);
    }
    into.push(b'}');
}

/// Appends a stored object, whole or as nothing but its metadata.
pub(super) fn write_object(resource: &Resource, shape: Shape, stored: &Stored, into: &mut Vec<u8>) {
    #[derive(serde::Deserialize)]
    struct Metadata<'a> {
        #[serde(borrow)]
        metadata: &'a RawValue,
    }
    let body = objects::body(resource, stored);
    if shape != Shape::Metadata {
        return Stored::splice(resource.head().as_bytes(), &body, into);
    }
    let Metadata { metadata } = serde_json::from_slice(&body).expect("a stored object has metadata");
    into.extend_from_slice(br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#);
    into.extend_from_slice(metadata.get().as_bytes());
    into.push(b'}');
}

/// Nothing but the metadata of an object.
pub(super) fn metadata(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}
