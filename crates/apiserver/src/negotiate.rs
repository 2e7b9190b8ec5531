//! In which form an answer is wanted, and in which form a body was sent.

use http::{HeaderMap, header};

use crate::status::{ApiError, Result};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Yaml,
}

/// What an object or list is turned into before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Itself,
    Table,
    /// Only `metadata`.
    Metadata,
}

/// What an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) encoding: Encoding,
    pub(crate) shape: Shape,
}

/// What is about to be answered: it decides which shapes can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Object,
    List,
    Watch,
}

/// How a body was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyType {
    Json,
    Yaml,
    Protobuf,
}

pub(crate) const BODY_TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

impl Form {
    pub(crate) const JSON: Self = Self {
        encoding: Encoding::Json,
        shape: Shape::Itself,
    };
}

impl Encoding {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
        }
    }
}

/// The first of the alternatives in `Accept` that can be served. Custom kinds have no form in protobuf.
pub(crate) fn form(headers: &HeaderMap, answer: Answer, custom: bool) -> Result<Form> {
    let accept = match headers.get(header::ACCEPT).map(|value| value.to_str()) {
        None => return Ok(Form::JSON),
        Some(accept) => accept.map_err(|_| ApiError::NotAcceptable)?,
    };
    let alternatives: Vec<Media<'_>> = accept
        .split(',')
        .map(Media::parse)
        .filter(|media| !media.kind.is_empty())
        .collect();
    if alternatives.is_empty() {
        return Ok(Form::JSON);
    }
    // A client that lists nothing but protobuf reads JSON too: its decoder follows the answer's Content-Type.
    let only_protobuf = || {
        let mut kinds = alternatives.iter().map(|media| media.kind);
        !custom && kinds.all(|kind| kind == "application/vnd.kubernetes.protobuf")
    };
    alternatives
        .iter()
        .find_map(|media| media.form(answer))
        .or_else(|| only_protobuf().then_some(Form::JSON))
        .ok_or(ApiError::NotAcceptable)
}

/// The type of a body, where JSON and YAML are allowed.
pub(crate) fn body_type(headers: &HeaderMap) -> Result<BodyType> {
    match content_type(headers) {
        "" | "application/json" => Ok(BodyType::Json),
        "application/yaml" => Ok(BodyType::Yaml),
        "application/vnd.kubernetes.protobuf" => Ok(BodyType::Protobuf),
        _ => Err(ApiError::UnsupportedMediaType(BODY_TYPES)),
    }
}

/// `Content-Type` without its parameters.
pub(crate) fn content_type(headers: &HeaderMap) -> &str {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// Whether the discovery document that holds all groups is wanted.
pub(crate) fn aggregated_discovery(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accept
        .split(',')
        .map(Media::parse)
        .find_map(|media| media.discovery())
        .unwrap_or(false)
}

/// One alternative of an `Accept` header.
struct Media<'a> {
    kind: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Media<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        Self {
            kind,
            parameters: parts.filter_map(|part| part.split_once('=')).collect(),
        }
    }

    fn parameter(&self, name: &str) -> &'a str {
        self.parameters
            .iter()
            .find(|(given, _)| *given == name)
            .map_or("", |(_, value)| value)
    }

    fn form(&self, answer: Answer) -> Option<Form> {
        let encoding = match self.kind {
            "application/json" | "*/*" | "application/*" => Encoding::Json,
            "application/yaml" => Encoding::Yaml,
            _ => return None,
        };
        let shape = match (self.parameter("as"), answer) {
            ("", _) => Shape::Itself,
            ("Table", _) if self.parameter("v") == "v1" => Shape::Table,
            ("PartialObjectMetadata", Answer::Object | Answer::Watch) | ("PartialObjectMetadataList", Answer::List) => {
                Shape::Metadata
            }
            _ => return None,
        };
        Some(Form { encoding, shape })
    }

    /// `Some(true)` for the aggregated form that is served, `Some(false)` for plain JSON.
    fn discovery(&self) -> Option<bool> {
        if self.kind != "application/json" {
            return None;
        }
        let asked = (
            self.parameter("g"),
            self.parameter("v"),
            self.parameter("as"),
            self.parameter("profile"),
        );
        match asked {
            ("apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList", "") => Some(true),
            (_, _, "", _) => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(accept: &'static str, answer: Answer) -> Option<Form> {
        form(
            &HeaderMap::from_iter([(header::ACCEPT, http::HeaderValue::from_static(accept))]),
            answer,
            false,
        )
        .ok()
    }

    #[test]
    fn the_first_servable_alternative_wins() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(asked(table, Answer::List).map(|form| form.shape), Some(Shape::Table));
        assert_eq!(
            asked("application/vnd.kubernetes.protobuf,application/json", Answer::Object),
            Some(Form::JSON)
        );
        assert_eq!(
            asked("application/vnd.kubernetes.protobuf", Answer::Object),
            Some(Form::JSON)
        );
        assert_eq!(
            asked("application/yaml", Answer::Object).map(|form| form.encoding),
            Some(Encoding::Yaml)
        );
        assert_eq!(asked("text/html", Answer::List), None);
        assert_eq!(
            asked(
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
                Answer::List
            ),
            None
        );
        assert_eq!(
            asked(
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
                Answer::Watch
            )
            .map(|form| form.shape),
            Some(Shape::Metadata)
        );
    }

    #[test]
    fn no_accept_means_json() {
        assert_eq!(form(&HeaderMap::new(), Answer::List, true).unwrap(), Form::JSON);
    }
}
