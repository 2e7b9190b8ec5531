//! Everything that a request can be refused with, and its form on the wire: a `Status` object.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    apply::Conflicts,
    field_error::FieldError,
    store::{LogError, ResourceId, WriteError},
};

/// Why a request is not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{0}")]
    BadRequest(String),
    #[error("Unauthorized")]
    Unauthorized,
    /// The resource, the name (or empty), why, and a cause where clients look for one.
    #[error("{}", forbidden(.resource.as_ref(), .name, .why))]
    Forbidden {
        resource: Option<ResourceId>,
        name: String,
        why: String,
        cause: Option<Value>,
    },
    #[error("{} \"{name}\" not found", resource.qualified())]
    NotFound { resource: ResourceId, name: String },
    /// A hook refuses a write, with a code of its own.
    #[error("{}", denied(.hook, .message))]
    Denied { hook: String, code: u16, message: String },
    /// A path under which there is nothing.
    #[error("the server could not find the requested resource")]
    NoSuchPath,
    /// A method that no resource has.
    #[error("the server does not allow this method on the requested resource")]
    NoSuchMethod,
    #[error("{verb} is not supported on resources of kind \"{}\"", resource.qualified())]
    MethodNotAllowed { verb: &'static str, resource: ResourceId },
    #[error("only the following media types are accepted: application/json, application/yaml")]
    NotAcceptable,
    #[error("the body of the request was in an unknown format - accepted media types include: {0}")]
    UnsupportedMediaType(&'static str),
    #[error("{}", exists(.resource, .name, *.detail))]
    AlreadyExists {
        resource: ResourceId,
        name: String,
        detail: Exists,
    },
    #[error("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified())]
    Conflict {
        resource: ResourceId,
        name: String,
        why: String,
    },
    #[error(transparent)]
    ApplyConflict(Conflicts),
    /// The kind, qualified by its group (`Deployment.apps`), the name, and what is wrong.
    #[error("{}", invalid(&qualified(.group, .kind), .name, .errors))]
    Invalid {
        group: String,
        kind: String,
        name: String,
        errors: Vec<FieldError>,
    },
    /// A patch of which the result is no acceptable object.
    #[error("{0}")]
    Unprocessable(String),
    /// The message, and a token with which an inconsistent list goes on.
    #[error("{message}")]
    Expired { message: String, token: Option<String> },
    #[error("Request entity too large: {0}")]
    TooLarge(String),
    #[error("Timeout: Too large resource version: {asked}, current: {current}")]
    TooLargeResourceVersion { asked: u64, current: u64 },
    #[error("Internal error occurred: {0}")]
    Internal(String),
    /// There is no room for what was to be written.
    #[error("{0}")]
    StorageFull(String),
    /// What may succeed later: why not now, a cause where clients look for one, and in how many seconds.
    #[error("{message}")]
    TooManyRequests {
        message: String,
        cause: Option<Value>,
        retry_after: Option<u64>,
    },
    /// An error of code 500 with a text of its own and no reason, as upstream has a few.
    #[error("{0}")]
    Unexplained(String),
}

/// In what state the object is that is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exists {
    Living,
    Terminating,
    /// No free name was found for a `generateName`.
    Generated,
}

pub(crate) type Result<T, E = ApiError> = std::result::Result<T, E>;

// === impl ApiError ===

impl ApiError {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }

    /// Something in the query that is no valid option.
    pub(crate) fn invalid_option(kind: &str, error: FieldError) -> Self {
        Self::Invalid {
            group: "meta.k8s.io".to_owned(),
            kind: kind.to_owned(),
            name: String::new(),
            errors: vec![error],
        }
    }

    pub(crate) fn expired_at(at: u64, oldest: u64) -> Self {
        Self::Expired {
            message: format!("too old resource version: {at} ({oldest})"),
            token: None,
        }
    }

    pub(crate) fn code(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            // What is no code of a failure is none.
            Self::Denied { code, .. } => (StatusCode::from_u16(*code).ok())
                .filter(|code| code.as_u16() >= 400)
                .unwrap_or(StatusCode::BAD_REQUEST),
            Self::NotFound { .. } | Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } | Self::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::AlreadyExists { .. } | Self::Conflict { .. } | Self::ApplyConflict(_) => StatusCode::CONFLICT,
            Self::Invalid { .. } | Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Expired { .. } => StatusCode::GONE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooLargeResourceVersion { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::StorageFull(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Internal(_) | Self::Unexplained(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The word that clients branch on.
    fn reason(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "BadRequest",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden { .. } => "Forbidden",
            Self::Denied { code, .. } => match code {
                400 => "BadRequest",
                403 => "Forbidden",
                404 => "NotFound",
                409 => "Conflict",
                422 => "Invalid",
                500 => "InternalError",
                _ => "",
            },
            Self::NotFound { .. } | Self::NoSuchPath => "NotFound",
            Self::MethodNotAllowed { .. } | Self::NoSuchMethod => "MethodNotAllowed",
            Self::NotAcceptable => "NotAcceptable",
            Self::UnsupportedMediaType(_) => "UnsupportedMediaType",
            Self::AlreadyExists { .. } => "AlreadyExists",
            Self::Conflict { .. } | Self::ApplyConflict(_) => "Conflict",
            Self::Invalid { .. } | Self::Unprocessable(_) => "Invalid",
            Self::Expired { .. } => "Expired",
            Self::TooLarge(_) => "RequestEntityTooLarge",
            Self::TooLargeResourceVersion { .. } => "Timeout",
            Self::TooManyRequests { .. } => "TooManyRequests",
            Self::Internal(_) => "InternalError",
            Self::StorageFull(_) => "InsufficientStorage",
            Self::Unexplained(_) => "",
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Forbidden {
                resource: Some(resource),
                name,
                cause,
                ..
            } => {
                let mut details = of_resource(resource, name);
                if let Some(cause) = cause {
                    details["causes"] = json!([cause]);
                }
                details
            }
            Self::NotFound { resource, name } | Self::Conflict { resource, name, .. } => of_resource(resource, name),
            Self::AlreadyExists { resource, name, detail } => {
                let mut details = of_resource(resource, name);
                if *detail == Exists::Generated {
                    details["retryAfterSeconds"] = 1.into();
                }
                details
            }
            Self::MethodNotAllowed { resource, .. } => of_resource(resource, ""),
            Self::ApplyConflict(conflicts) => {
                let cause = |conflict: &crate::apply::Conflict| json!({"reason": "FieldManagerConflict", "message": conflict.message(), "field": conflict.field});
                json!({"causes": conflicts.0.iter().map(cause).collect::<Vec<_>>()})
            }
            Self::Invalid {
                group,
                kind,
                name,
                errors,
            } => {
                let cause = |error: &FieldError| json!({"reason": error.cause_reason(), "message": error.body(), "field": error.path});
                let mut details = json!({"kind": kind, "causes": errors.iter().map(cause).collect::<Vec<_>>()});
                set_unless_empty(&mut details, "group", group);
                set_unless_empty(&mut details, "name", name);
                details
            }
            Self::TooLargeResourceVersion { .. } => json!({
                "retryAfterSeconds": 1,
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            }),
            Self::TooManyRequests { cause, retry_after, .. } => {
                let mut details = json!({});
                if let Some(cause) = cause {
                    details["causes"] = json!([cause]);
                }
                if let Some(seconds) = retry_after {
                    details["retryAfterSeconds"] = (*seconds).into();
                }
                details
            }
            Self::BadRequest(_)
            | Self::Unauthorized
            | Self::Denied { .. }
            | Self::Forbidden { resource: None, .. }
            | Self::NoSuchPath
            | Self::NoSuchMethod
            | Self::NotAcceptable
            | Self::UnsupportedMediaType(_)
            | Self::Unprocessable(_)
            | Self::Expired { .. }
            | Self::TooLarge(_)
            | Self::Internal(_)
            | Self::StorageFull(_)
            | Self::Unexplained(_) => json!({}),
        }
    }

    /// Seconds after which the same request may succeed.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooLargeResourceVersion { .. } => Some(1),
            Self::TooManyRequests { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The `Status` object.
    pub(crate) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.to_string(),
            "details": self.details(),
            "code": self.code().as_u16(),
        });
        set_unless_empty(&mut status, "reason", self.reason());
        if let Self::Expired { token: Some(token), .. } = self {
            status["metadata"]["continue"] = token.as_str().into();
        }
        status
    }
}

impl From<LogError> for ApiError {
    fn from(error: LogError) -> Self {
        Self::Internal(error.to_string())
    }
}

/// A write that failed for a reason that no retry mends.
impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Changed => Self::Internal("the object keeps changing".to_owned()),
            // Clients know it by these words.
            WriteError::TooLarge => Self::Unexplained(format!("request is too large: {error}")),
            WriteError::Flush { log, source } => Self::Internal(format!(
                "failed to flush `{log}`: {source}. The change is made, but may not outlive a loss of power; the next write \
                 tries to save it, too"
            )),
            WriteError::Log { log, source } => {
                use std::io::ErrorKind::{QuotaExceeded, StorageFull};
                let text = format!("failed to write to `{log}`: {source}");
                if matches!(source.kind(), StorageFull | QuotaExceeded) {
                    Self::StorageFull(format!(
                        "{text}. Nothing was changed; free some space there, and writes go on"
                    ))
                } else {
                    Self::Internal(text)
                }
            }
        }
    }
}

/// The `Status` that answers a deletion.
pub(crate) fn deleted(resource: &ResourceId, name: &str, uid: &str) -> Value {
    let mut details = of_resource(resource, name);
    details["uid"] = uid.into();
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

fn of_resource(resource: &ResourceId, name: &str) -> Value {
    let mut details = json!({"kind": resource.plural()});
    set_unless_empty(&mut details, "name", name);
    set_unless_empty(&mut details, "group", resource.group());
    details
}

fn set_unless_empty(object: &mut Value, field: &str, text: &str) {
    if !text.is_empty() {
        object[field] = text.into();
    }
}

fn forbidden(resource: Option<&ResourceId>, name: &str, why: &str) -> String {
    match resource {
        None => format!("forbidden: {why}"),
        Some(resource) if name.is_empty() => format!("{} is forbidden: {why}", resource.qualified()),
        Some(resource) => format!("{} \"{name}\" is forbidden: {why}", resource.qualified()),
    }
}

fn denied(hook: &str, message: &str) -> String {
    let denied = format!("admission webhook {hook:?} denied the request");
    match message {
        "" => format!("{denied} without explanation"),
        message => format!("{denied}: {message}"),
    }
}

fn exists(resource: &ResourceId, name: &str, detail: Exists) -> String {
    let (before, after) = match detail {
        Exists::Living => ("", ""),
        Exists::Terminating => ("object is being deleted: ", ""),
        Exists::Generated => ("", ", the server was not able to generate a unique name for the object"),
    };
    format!("{before}{} \"{name}\" already exists{after}", resource.qualified())
}

fn invalid(kind: &str, name: &str, errors: &[FieldError]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let text = match texts.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    format!("{kind} \"{name}\" is invalid: {text}")
}

fn qualified(group: &str, kind: &str) -> String {
    if group.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}.{group}")
    }
}
