//! OpenAPI documents: what there is to write and how, and what is in each kind, for clients that check, merge and explain by
//! them. One document a group and version, made when it is asked for; their index only names their etags, which are made of
//! what goes into them.
//!
//! `definitions.rs` describes the built-in types, `custom.rs` the kinds of CRDs, `paths.rs` what can be done with a kind,
//! `v2.rs` writes the older document.

mod custom;
mod definitions;
mod paths;
mod v2;

use std::sync::{Arc, PoisonError};

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use self::definitions::{Definitions, Style};
pub(crate) use self::v2::v2;
use crate::{
    Body,
    handlers::{cached, document as with_etag},
    negotiate::Encoding,
    query::Query,
    registry::{Document, Registry, Version},
    resource::{Resource, Source},
    server::State,
    status::{ApiError, Result},
    types,
};

/// The index of the documents, one for each group and version.
pub(crate) fn index(registry: &Registry, headers: &HeaderMap) -> Response<Body> {
    let groups = registry.groups().iter();
    let versions = groups.flat_map(|group| group.versions.iter().map(|version| (group.name.as_str(), version)));
    let entry = |(group, version): (&str, &Version)| {
        let path = path(group, &version.name);
        let url = format!("/openapi/v3/{path}?hash={}", etag(version));
        (path, json!({"serverRelativeURL": url}))
    };
    let paths: Map<String, Value> = versions.map(entry).collect();
    cached(&with_etag(&json!({"paths": paths})), headers, "application/json")
}

/// The document of a group and version.
pub(crate) fn document(
    state: &State,
    group: &str,
    version: &str,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Response<Body>> {
    let registry = state.registry();
    let path = path(group, version);
    let version = registry.version(group, version).ok_or(ApiError::NoSuchPath)?;
    let etag = etag(version);
    match query.get("hash") {
        Some(hash) if hash != etag => {
            let url = format!("/openapi/v3/{path}?hash={etag}");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
            let url = HeaderValue::from_str(&url).map_err(|_| ApiError::NoSuchPath)?;
            response.headers_mut().insert(header::LOCATION, url);
            Ok(response)
        }
        hash => {
            let document = made(state, &registry, &path, version, etag);
            let mut response = cached(&document, headers, Encoding::Json.content_type());
            if hash.is_some() {
                let forever = HeaderValue::from_static("public, immutable");
                response.headers_mut().insert(header::CACHE_CONTROL, forever);
                response.headers_mut().insert(header::EXPIRES, in_a_year(state.now())?);
            }
            Ok(response)
        }
    }
}

fn in_a_year(now: Timestamp) -> Result<HeaderValue> {
    let then = now.checked_add(SignedDuration::from_hours(365 * 24)).unwrap_or(now);
    let text = then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).map_err(|error| ApiError::Internal(error.to_string()))
}

fn path(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

/// The document, which is made unless it was made before from the same.
fn made(state: &State, registry: &Registry, path: &str, version: &Version, etag: String) -> Document {
    let documents = Arc::clone(&registry.documents.openapi_v3);
    let known = documents
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(path)
        .cloned();
    if let Some(known) = known.filter(|known| known.etag == etag) {
        return known;
    }
    let body = of_version(state, version).to_string();
    let document = Document {
        etag,
        body: body.into(),
    };
    let mut documents = documents.lock().unwrap_or_else(PoisonError::into_inner);
    documents.insert(path.to_owned(), document.clone());
    document
}

/// What tells the document of a version from any other, made of all that the document is made of.
fn etag(version: &Version) -> String {
    let mut digest = Sha256::new();
    digest.update(env!("CARGO_PKG_VERSION"));
    digest.update(types::digest());
    for resource in &version.resources {
        digest.update(format!(
            "{} {} {} {} {} {} {:?}\n",
            resource.api_version(),
            resource.kind,
            resource.list_kind,
            resource.namespaced,
            resource.status,
            resource.scale.is_some(),
            resource.verbs,
        ));
        digest.update(resource.plural());
        digest.update(resource.fingerprint().to_le_bytes());
    }
    format!("{:X}", digest.finalize())
}

fn of_version(state: &State, version: &Version) -> Value {
    let mut paths = Map::new();
    let mut definitions = Definitions::new(Style::OpenApi);
    for resource in &version.resources {
        let name = define(state, resource, &mut definitions);
        paths.extend(paths::of(resource, &definitions.reference_to(&name)));
    }
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1"},
        "paths": paths,
        "components": {"schemas": definitions.finish()},
    })
}

/// Defines a kind and its list, and returns the name.
fn define(state: &State, resource: &Resource, definitions: &mut Definitions) -> String {
    let name = definition_name(resource);
    match (&resource.source, resource.structure()) {
        (Source::Custom { .. }, _) => custom::define(state, resource, &name, definitions),
        (_, Some(structure)) => definitions.structure(structure),
        (_, None) => definitions.define(&name, json!({"type": "object"})),
    }
    definitions.is_kind(&name, &kind(resource));
    if resource.verbs.contains(&"list") {
        definitions.list(&name, resource);
    }
    name
}

fn kind(resource: &Resource) -> Value {
    json!({"group": resource.group(), "version": resource.version, "kind": resource.kind})
}

/// `test.example.v1.Widget`: the group backwards, as upstream names the schemas of custom kinds.
fn definition_name(resource: &Resource) -> String {
    if let Some(structure) = resource.structure() {
        return structure.open_api_name();
    }
    let mut parts: Vec<&str> = resource.group().split('.').rev().collect();
    parts.extend([resource.version.as_str(), resource.kind.as_str()]);
    parts.join(".")
}
