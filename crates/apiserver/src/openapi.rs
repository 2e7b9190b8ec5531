//! OpenAPI documents, as far as clients need them to write: which kinds can be patched, and that `fieldValidation` is
//! known. Schemas only name their kind; what is in a kind is not told yet.
//!
//! Strategic merge patch is not announced: a client that computes such patches from these schemas would need all of a
//! kind's merge keys in them, and falls back to those that it was built with where it isn't.

mod v2;

use std::{collections::BTreeMap, sync::LazyLock};

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

pub(crate) use self::v2::v2;
use crate::{
    Body,
    handlers::{cached, document as with_etag},
    negotiate::Encoding,
    query::Query,
    registry::{Document, Group, Registry, Version},
    resource::{Resource, Source},
    status::{ApiError, Result},
};

/// The index of the documents, one for each group and version.
pub(crate) fn index(registry: &Registry, headers: &HeaderMap) -> Response<Body> {
    let entry = |(path, document): (&String, &Document)| {
        let url = format!("/openapi/v3/{path}?hash={}", document.etag);
        (path.clone(), json!({"serverRelativeURL": url}))
    };
    let paths: Map<String, Value> = documents(registry).iter().map(entry).collect();
    cached(&with_etag(&json!({"paths": paths})), headers, "application/json")
}

/// The document of a group and version.
pub(crate) fn document(
    registry: &Registry,
    group: &str,
    version: &str,
    query: &Query,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Response<Body>> {
    let path = path(group, version);
    let document = documents(registry).get(&path).ok_or(ApiError::NoSuchPath)?;
    match query.get("hash") {
        Some(hash) if hash != document.etag => {
            let url = format!("/openapi/v3/{path}?hash={}", document.etag);
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
            let url = HeaderValue::from_str(&url).map_err(|_| ApiError::NoSuchPath)?;
            response.headers_mut().insert(header::LOCATION, url);
            Ok(response)
        }
        hash => {
            let mut response = cached(document, headers, Encoding::Json.content_type());
            if hash.is_some() {
                let forever = HeaderValue::from_static("public, immutable");
                response.headers_mut().insert(header::CACHE_CONTROL, forever);
                response.headers_mut().insert(header::EXPIRES, in_a_year(now)?);
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

fn documents(registry: &Registry) -> &BTreeMap<String, Document> {
    registry.documents.openapi_v3.get_or_init(|| {
        let of_group = |group: &Group| -> Vec<(String, Document)> {
            let documents = group.versions.iter();
            documents
                .map(|version| (path(&group.name, &version.name), of_version(version)))
                .collect()
        };
        registry.groups().iter().flat_map(of_group).collect()
    })
}

fn of_version(version: &Version) -> Document {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for resource in version
        .resources
        .iter()
        .filter(|resource| !matches!(resource.source, Source::Review))
    {
        paths.insert(item_path(resource), operations(resource));
        schemas.insert(definition_name(resource), definition(resource));
    }
    with_etag(&json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }))
}

fn item_path(resource: &Resource) -> String {
    let root = if resource.group().is_empty() {
        "/api".to_owned()
    } else {
        format!("/apis/{}", resource.group())
    };
    let namespace = if resource.namespaced {
        "namespaces/{namespace}/"
    } else {
        ""
    };
    format!("{root}/{}/{namespace}{}/{{name}}", resource.version, resource.plural())
}

fn operations(resource: &Resource) -> Value {
    static PARAMETERS: LazyLock<Value> = LazyLock::new(|| {
        let parameter = |name: &str, kind: &str| json!({"name": name, "in": "query", "schema": {"type": kind}});
        json!([
            parameter("dryRun", "string"),
            parameter("fieldManager", "string"),
            parameter("fieldValidation", "string"),
            parameter("force", "boolean"),
        ])
    });
    let schema = json!({"$ref": format!("#/components/schemas/{}", definition_name(resource))});
    let answer = json!({"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}});
    let kind = kind(resource);
    let mut operations =
        json!({"get": {"x-kubernetes-action": "get", "x-kubernetes-group-version-kind": kind, "responses": answer}});
    if resource.verbs.contains(&"patch") {
        let content: Map<String, Value> = [
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
        ]
        .into_iter()
        .map(|media| (media.to_owned(), json!({"schema": {"type": "object"}})))
        .collect();
        operations["patch"] = json!({
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": kind,
            "parameters": *PARAMETERS,
            "requestBody": {"content": content},
            "responses": answer,
        });
    }
    operations
}

fn kind(resource: &Resource) -> Value {
    json!({"group": resource.group(), "version": resource.version, "kind": resource.kind})
}

/// `test.example.v1.Widget`: the group backwards, as upstream names the schemas of custom kinds.
fn definition_name(resource: &Resource) -> String {
    if !resource.is_custom() {
        let group = resource
            .group()
            .split('.')
            .next()
            .filter(|group| !group.is_empty())
            .unwrap_or("core");
        return format!("io.k8s.api.{group}.{}.{}", resource.version, resource.kind);
    }
    let mut parts: Vec<&str> = resource.group().split('.').rev().collect();
    parts.extend([resource.version.as_str(), resource.kind.as_str()]);
    parts.join(".")
}

fn definition(resource: &Resource) -> Value {
    let mut definition = json!({"type": "object"});
    definition["x-kubernetes-group-version-kind"] = json!([kind(resource)]);
    definition
}
