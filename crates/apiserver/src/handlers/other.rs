//! Paths that are no resource: version, health, discovery, metrics.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use serde_json::{Value, json};

use super::{authorize, discovery, user_agent};
use crate::{
    Body, Identity, RequestAttributes,
    negotiate::Encoding,
    openapi,
    query::Query,
    registry::Document,
    server::State,
    status::{ApiError, Result},
};

use super::render::respond;

pub(super) fn answer(
    state: &Arc<State>,
    identity: &Identity,
    parts: &Parts,
    query: &Query,
    segments: &[String],
) -> Result<Response<Body>> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return Err(ApiError::NoSuchPath);
    }
    let method = parts.method.as_str().to_lowercase();
    state.metrics.count(user_agent(parts), &method, String::new(), false);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let registry = state.registry();
    let headers = &parts.headers;
    match segments.as_slice() {
        ["version"] => Ok(json(&version(state))),
        [check @ ("healthz" | "livez" | "readyz"), rest @ ..] => health(check, rest, query),
        [] => Ok(json(&json!({"paths": discovery::paths(&registry)}))),
        ["api"] => Ok(discovery::core(&registry, headers)),
        ["apis"] => Ok(discovery::groups(&registry, headers)),
        ["apis", group] => discovery::group(&registry, group),
        ["api", version] => discovery::resources(&registry, "", version),
        ["apis", group, version] => discovery::resources(&registry, group, version),
        ["openapi", "v2"] => openapi::v2(&registry, headers),
        ["openapi", "v3"] => Ok(openapi::index(&registry, headers)),
        ["openapi", "v3", "api", version] => openapi::document(state, "", version, query, headers),
        ["openapi", "v3", "apis", group, version] => openapi::document(state, group, version, query, headers),
        ["metrics"] => {
            let attributes = RequestAttributes {
                verb: method,
                path: "/metrics".to_owned(),
                ..RequestAttributes::default()
            };
            authorize(state, identity, &attributes)?;
            Ok(text(
                state.metrics.text(state.store.revision(), state.store.encodings()),
            ))
        }
        _ => Err(ApiError::NoSuchPath),
    }
}

fn version(state: &State) -> Value {
    let version = &state.version;
    json!({
        "major": version.major,
        "minor": version.minor,
        "gitVersion": version.git_version,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, architecture()),
    })
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Whether a request is for nothing but this.
pub(super) fn asks_whether_it_is_well(parts: &Parts) -> bool {
    matches!(parts.method, Method::GET | Method::HEAD)
        && matches!(parts.uri.path(), "/healthz" | "/livez" | "/readyz")
        && parts.uri.query().unwrap_or_default().is_empty()
}

pub(super) fn well() -> Response<Body> {
    text("ok".to_owned())
}

/// A server that answers is well: it has no parts that could be otherwise.
fn health(check: &str, rest: &[&str], query: &Query) -> Result<Response<Body>> {
    const CHECKS: [&str; 3] = ["ping", "log", "etcd"];
    match rest {
        [] if query.set_flag("verbose").is_some() => {
            let excluded: Vec<&str> = query.all("exclude").collect();
            let lines = CHECKS.map(|check| {
                let excluded = if excluded.contains(&check) { " excluded:" } else { "" };
                format!("[+]{check}{excluded} ok\n")
            });
            Ok(text(format!("{}{check} check passed\n", lines.concat())))
        }
        [] => Ok(well()),
        [one] if CHECKS.contains(one) => Ok(well()),
        _ => Err(ApiError::NoSuchPath),
    }
}

pub(super) fn json(value: &Value) -> Response<Body> {
    respond(StatusCode::OK, Encoding::Json, value.to_string())
}

fn text(text: String) -> Response<Body> {
    let mut response = Response::new(Body::whole(text));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

/// A document that clients keep: not sent again to those who have it.
pub(crate) fn cached(document: &Document, headers: &HeaderMap, content_type: &'static str) -> Response<Body> {
    let etag = format!("\"{}\"", document.etag);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let mut response = Response::new(if known {
        Body::empty()
    } else {
        Body::whole(document.body.clone())
    });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(
        header::ETAG,
        HeaderValue::from_str(&etag).expect("an etag is hexadecimal"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
    response
}
