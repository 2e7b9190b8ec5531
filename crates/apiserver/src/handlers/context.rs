//! One request for a resource, taken apart.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header, request::Parts};
use serde_json::Value;

use super::render;
use crate::{
    Body, Identity, decode,
    negotiate::{self, Answer, BodyType},
    object, objects,
    path::ResourcePath,
    query::Query,
    resource::Resource,
    server::State,
    status::{ApiError, Result},
    store::{ObjectKey, Stored},
    types::Spelling,
};

/// Warnings may take so much of an answer's head.
const WARNINGS_LIMIT: usize = 4096;

pub(super) struct Context<'a> {
    pub(super) state: &'a Arc<State>,
    pub(super) identity: &'a Identity,
    pub(super) parts: &'a Parts,
    pub(super) query: Query,
    pub(super) path: ResourcePath,
    pub(super) resource: Arc<Resource>,
    pub(super) warnings: Vec<String>,
}

/// A body that was sent to be an object of the request's kind.
pub(super) struct Sent {
    pub(super) value: Value,
    /// What there is to say of it: fields that the kind doesn't have, or that were given twice.
    pub(super) complaints: Vec<String>,
}

/// What there is to say of fields that were sent.
pub(super) fn complaints(unknown: &[String], duplicates: &[String]) -> Vec<String> {
    let unknown = unknown.iter().map(|path| format!("unknown field \"{path}\""));
    let duplicates = duplicates.iter().map(|path| format!("duplicate field \"{path}\""));
    unknown.chain(duplicates).collect()
}

impl<'a> Context<'a> {
    pub(super) fn new(
        state: &'a Arc<State>,
        identity: &'a Identity,
        parts: &'a Parts,
        query: Query,
        path: ResourcePath,
        resource: Arc<Resource>,
    ) -> Self {
        let warnings = resource.deprecation.iter().cloned().collect();
        Self {
            state,
            identity,
            parts,
            query,
            path,
            resource,
            warnings,
        }
    }

    pub(super) fn headers(&self) -> &'a HeaderMap {
        &self.parts.headers
    }

    pub(super) fn name(&self) -> &str {
        self.path.name.as_deref().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        self.path.namespace.as_deref().unwrap_or_default()
    }

    pub(super) fn subresource(&self) -> &str {
        self.path.subresource.as_deref().unwrap_or_default()
    }

    pub(super) fn key(&self) -> ObjectKey {
        ObjectKey::new(self.namespace(), self.name())
    }

    /// The object that the request names.
    pub(super) fn stored(&self) -> Result<Arc<Stored>> {
        self.state
            .store
            .get(&self.resource.id, &self.key())
            .ok_or_else(|| self.not_found())
    }

    pub(super) fn not_found(&self) -> ApiError {
        ApiError::NotFound {
            resource: self.resource.id.clone(),
            name: self.name().to_owned(),
        }
    }

    /// Decodes a body that should be an object of this kind, and completes what the path says of it.
    pub(super) fn decode(&self, body: &Bytes) -> Result<Sent> {
        let kind = negotiate::body_type(self.headers())?;
        if kind == BodyType::Protobuf && self.resource.is_custom() {
            return Err(ApiError::UnsupportedMediaType("application/json, application/yaml"));
        }
        let decode::Decoded { mut value, duplicates } = decode::decode(body, kind)?;
        self.check_type(&mut value)?;
        let unknown = self.resource.read(&mut value, Spelling::Canonical)?;
        if !self.name().is_empty() && object::name(&value).is_empty() {
            return Err(ApiError::BadRequest(format!(
                "the name of the object ({} based on URL) was undeterminable: name must be provided",
                self.name()
            )));
        }
        self.check_place(&mut value)?;
        let complaints = complaints(&unknown, &duplicates);
        Ok(Sent { value, complaints })
    }

    /// `apiVersion` and `kind` must be the path's own, or absent.
    pub(super) fn check_type(&self, value: &mut Value) -> Result<()> {
        let resource = &self.resource;
        if !value.is_object() {
            let message = format!(
                "{} in version {:?} cannot be handled as a {0}: the body is no object",
                resource.kind, resource.version
            );
            return Err(ApiError::BadRequest(message));
        }
        let (given, expected) = (value["apiVersion"].as_str().unwrap_or_default(), resource.api_version());
        if !given.is_empty() && given != expected {
            return Err(ApiError::BadRequest(format!(
                "the API version in the data ({given}) does not match the expected API version ({expected})"
            )));
        }
        let given = value["kind"].as_str().unwrap_or_default();
        if !given.is_empty() && given != resource.kind {
            return Err(ApiError::BadRequest(format!(
                "{given} in version {:?} cannot be handled as a {}: converting ({given}) to ({}): unknown conversion",
                resource.version, resource.kind, resource.kind
            )));
        }
        objects::set_type(resource, value);
        Ok(())
    }

    /// Name and namespace must be the path's, or absent.
    pub(super) fn check_place(&self, value: &mut Value) -> Result<()> {
        let (given, expected) = (object::namespace(value), self.namespace());
        if self.resource.namespaced && !given.is_empty() && given != expected {
            return Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        let namespace = self.namespace().to_owned();
        object::set_meta(value, "namespace", &namespace);
        let (given, expected) = (object::name(value), self.name());
        if !expected.is_empty() && !given.is_empty() && given != expected {
            return Err(ApiError::BadRequest(format!(
                "the name of the object ({given}) does not match the name on the URL ({expected})"
            )));
        }
        if !expected.is_empty() {
            let expected = expected.to_owned();
            object::set_meta(value, "name", &expected);
        }
        Ok(())
    }

    /// In which form the answer is wanted.
    pub(super) fn form(&self, answer: Answer) -> Result<negotiate::Form> {
        negotiate::form(self.headers(), answer, self.resource.is_custom())
    }

    /// Answers with an object that is stored.
    pub(super) fn respond_stored(&self, status: StatusCode, stored: &Stored) -> Result<Response<Body>> {
        let form = self.form(Answer::Object)?;
        if form == negotiate::Form::JSON && !self.pretty() {
            let json = objects::json(&self.resource, stored);
            return Ok(render::respond(status, form.encoding, json));
        }
        self.respond(status, objects::value(&self.resource, stored))
    }

    /// Answers with an object of the request's kind.
    pub(super) fn respond(&self, status: StatusCode, object: Value) -> Result<Response<Body>> {
        let form = self.form(Answer::Object)?;
        let shaped = render::object(self, form.shape, object);
        render::encoded(self, status, form.encoding, &shaped)
    }

    /// Answers with something that is no object of the request's kind, such as a `Status`.
    pub(super) fn respond_plain(&self, status: StatusCode, value: &Value) -> Result<Response<Body>> {
        let encoding = negotiate::form(self.headers(), Answer::Object, false)
            .map_or(negotiate::Encoding::Json, |form| form.encoding);
        render::encoded(self, status, encoding, value)
    }

    /// Whether a person reads the answer as it is.
    pub(super) fn pretty(&self) -> bool {
        let agent = self
            .headers()
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let by_hand = ["curl", "Wget", "Mozilla/5.0"]
            .iter()
            .any(|prefix| agent.starts_with(prefix));
        self.query.set_flag("pretty").unwrap_or(by_hand)
    }

    /// Adds the warnings, each once.
    pub(super) fn with_warnings(&self, mut response: Response<Body>) -> Response<Body> {
        let mut seen: Vec<&str> = Vec::new();
        let mut total = 0;
        for warning in &self.warnings {
            let text: String = warning.chars().filter(|character| !character.is_control()).collect();
            let line = format!("299 - \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            total += line.len();
            if total > WARNINGS_LIMIT || seen.contains(&warning.as_str()) {
                continue;
            }
            seen.push(warning);
            if let Ok(value) = HeaderValue::from_bytes(line.as_bytes()) {
                response.headers_mut().append(header::WARNING, value);
            }
        }
        response
    }
}
