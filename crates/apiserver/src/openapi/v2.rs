//! The older document (Swagger 2.0), as JSON and in the binary form that Go clients insist on. They ask for it where the
//! newer documents don't name a kind, to see whether there is no such kind or just a server of another age.
//!
//! What is in a kind is told in JSON, and of built-in kinds only: the newer documents tell of all.

use http::{HeaderMap, Response, header};
use serde_json::{Map, Value, json};

use super::{
    definition_name,
    definitions::{Definitions, Style},
    kind,
    paths::{PARAMETERS, item_path},
    with_etag,
};
use crate::{
    Body,
    handlers::cached,
    protobuf::Writer,
    registry::{Document, Registry},
    resource::Resource,
    status::{ApiError, Result},
};

/// What the binary form is called in an answer.
const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// What clients call it: the second is the older spelling.
const ASKED_AS: [&str; 2] = [PROTOBUF, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"];

/// What a patch may be. Strategic merge is not named: see the parent module.
const CONSUMES: [&str; 3] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/apply-patch+yaml",
];

/// Answers in the first form of those asked for that there is.
pub(crate) fn v2(registry: &Registry, headers: &HeaderMap) -> Result<Response<Body>> {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("*/*");
    for media in accept.split(',') {
        let media = media.split(';').next().unwrap_or_default().trim();
        if ASKED_AS.contains(&media) {
            let document = registry
                .documents
                .openapi_v2_protobuf
                .get_or_init(|| Document::new(protobuf(registry)));
            return Ok(cached(document, headers, PROTOBUF));
        }
        if matches!(media, "application/json" | "application/*" | "*/*") {
            let document = registry
                .documents
                .openapi_v2
                .get_or_init(|| with_etag(&swagger(registry)));
            return Ok(cached(document, headers, "application/json"));
        }
    }
    Err(ApiError::NotAcceptable)
}

fn resources(registry: &Registry) -> impl Iterator<Item = &Resource> {
    let versions = registry.groups().iter().flat_map(|group| &group.versions);
    versions.flat_map(|version| version.resources.iter().map(AsRef::as_ref))
}

fn patchable(resource: &Resource) -> bool {
    resource.verbs.contains(&"patch")
}

fn swagger(registry: &Registry) -> Value {
    let mut definitions = Definitions::new(Style::Swagger);
    for resource in resources(registry) {
        let name = definition_name(resource);
        match resource.structure() {
            Some(structure) => definitions.structure(structure),
            None => definitions.define(&name, json!({"type": "object"})),
        }
        definitions.is_kind(&name, &kind(resource));
    }
    let parameters: Value = PARAMETERS
        .iter()
        .map(|(name, kind)| json!({"name": name, "in": "query", "type": kind, "uniqueItems": true}))
        .collect();
    let patch = |resource: &Resource| {
        json!({"patch": {
            "consumes": CONSUMES,
            "parameters": parameters,
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": kind(resource),
        }})
    };
    let paths: Map<String, Value> = resources(registry)
        .filter(|resource| patchable(resource))
        .map(|resource| (item_path(resource), patch(resource)))
        .collect();
    json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1"},
        "paths": paths,
        "definitions": definitions.finish(),
    })
}

/// The same as messages of `openapi.v2`. The numbers are those of their fields.
fn protobuf(registry: &Registry) -> Vec<u8> {
    let mut document = Writer::default();
    document.text(1, "2.0");
    document.message(2, |info| {
        info.text(1, "Kubernetes");
        info.text(2, "v1");
    });
    document.message(8, |paths| {
        for resource in resources(registry).filter(|resource| patchable(resource)) {
            paths.message(2, |named| {
                named.text(1, &item_path(resource));
                named.message(2, |item| item.message(8, |operation| patch(operation, resource)));
            });
        }
    });
    document.message(9, |definitions| {
        for resource in resources(registry) {
            definitions.message(1, |named| {
                named.text(1, &definition_name(resource));
                named.message(2, |schema| {
                    schema.message(22, |kind| kind.text(1, "object"));
                    extension(schema, 31, "x-kubernetes-group-version-kind", &json!([kind(resource)]));
                });
            });
        }
    });
    document.finish()
}

fn patch(operation: &mut Writer, resource: &Resource) {
    for media in CONSUMES {
        operation.text(7, media);
    }
    for (name, kind) in PARAMETERS {
        // An item, of which the parameter is, of which one that is not the body is, of which one of the query is.
        operation.message(8, |item| {
            item.message(1, |parameter| {
                parameter.message(2, |beside_the_body| {
                    beside_the_body.message(3, |query| {
                        query.text(2, "query");
                        query.text(4, name);
                        query.text(6, kind);
                    });
                });
            });
        });
    }
    operation.message(9, |responses| {
        responses.message(1, |named| {
            named.text(1, "200");
            named.message(2, |value| value.message(1, |response| response.text(1, "OK")));
        });
    });
    extension(operation, 13, "x-kubernetes-group-version-kind", &kind(resource));
    extension(operation, 13, "x-kubernetes-action", &"patch".into());
}

/// An extension: a name, and a value in YAML, which JSON is.
fn extension(message: &mut Writer, number: u32, name: &str, value: &Value) {
    message.message(number, |named| {
        named.text(1, name);
        named.message(2, |any| any.text(2, &value.to_string()));
    });
}
