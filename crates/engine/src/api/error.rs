//! What can go wrong with one request, sorted by what a caller can do about it.

use std::time::Duration;

use berth_procedure::ObjectRef;
use http::{StatusCode, header, response};
use kube::core::response::{Status, StatusCause};

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
#[error("failed to {attempt}: {message}")]
pub struct RequestError {
    /// What was attempted: `apply Namespace hcp`.
    pub attempt: String,
    /// What a caller can do about it.
    pub kind: RequestErrorKind,
    /// The server's words, or what is known of a server that did not answer.
    pub message: String,
    /// When the server wants to be asked again.
    pub retry_after: Option<Duration>,
    pub(crate) conflicts: Vec<ManagerConflict>,
    #[source]
    source: Option<Box<kube::Error>>,
}

/// What a caller can do about a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestErrorKind {
    /// The server does not have this kind: it may come.
    NoKind,
    /// The object (or its namespace) does not exist.
    NotFound,
    /// An object of this name exists.
    AlreadyExists,
    /// Somebody else wrote at the same time: read again.
    Stale,
    /// Another field manager owns a field with another value.
    ManagerConflict,
    /// The user may not.
    Forbidden,
    /// The server does not know the user.
    Unauthorized,
    /// The server can't do this to this kind.
    NotAllowed,
    /// The version asked for is too old: list again.
    Expired,
    /// The server refuses the object.
    Invalid,
    /// The server can't now: try again.
    Busy,
    /// No answer: try again.
    Unreachable,
}

/// A field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ManagerConflict {
    /// The field's path as the server writes it, without the leading dot.
    pub(crate) field: String,
    /// The manager, as the server tells of it.
    pub(crate) manager: String,
}

impl RequestError {
    /// Whether the same request may succeed later without anybody changing it.
    pub fn is_transient(&self) -> bool {
        use RequestErrorKind as Kind;
        !matches!(
            self.kind,
            Kind::ManagerConflict | Kind::Forbidden | Kind::Unauthorized | Kind::NotAllowed | Kind::Invalid
        )
    }

    /// The message with its causes, for a place that can't keep the chain.
    pub(crate) fn told(&self) -> String {
        let mut told = self.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if !told.contains(&text) {
                told = format!("{told}: {text}");
            }
            cause = error.source();
        }
        told
    }

    pub(crate) fn no_kind(object: &ObjectRef) -> Self {
        let attempt = format!("read {object}");
        Self::new(
            &attempt,
            RequestErrorKind::NoKind,
            format!("the API server does not have the kind {}", object.resource.kind),
        )
    }

    pub(super) fn unanswered(attempt: &str) -> Self {
        Self::new(
            attempt,
            RequestErrorKind::Unreachable,
            "the API server did not answer in time",
        )
    }

    pub(super) fn unsendable(attempt: &str, error: http::Error) -> Self {
        let source = Some(Box::new(kube::Error::HttpError(error)));
        Self {
            source,
            ..Self::new(attempt, RequestErrorKind::Invalid, "the request can't be written")
        }
    }

    pub(super) fn undecodable(attempt: &str, error: serde_json::Error) -> Self {
        let source = Some(Box::new(kube::Error::SerdeError(error)));
        Self {
            source,
            ..Self::new(
                attempt,
                RequestErrorKind::Unreachable,
                "the API server's answer is not JSON",
            )
        }
    }

    pub(crate) fn from_client(attempt: &str, error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::from_status(attempt, &status, None),
            error @ kube::Error::Auth(_) => {
                let source = Some(Box::new(error));
                Self {
                    source,
                    ..Self::new(
                        attempt,
                        RequestErrorKind::Unauthorized,
                        "no credentials for the API server",
                    )
                }
            }
            error => {
                let source = Some(Box::new(error));
                Self {
                    source,
                    ..Self::new(
                        attempt,
                        RequestErrorKind::Unreachable,
                        "the API server can't be reached",
                    )
                }
            }
        }
    }

    pub(super) fn from_answer(attempt: &str, head: &response::Parts, body: &[u8]) -> Self {
        let retry_after = head
            .headers
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let mut status = serde_json::from_slice::<Status>(body).unwrap_or_else(|_| {
            // A proxy, or a path that the server does not have: plain text, of which a line is enough.
            let text = String::from_utf8_lossy(body);
            Status::failure(text.lines().next().unwrap_or_default(), "")
        });
        status.code = head.status.as_u16();
        Self::from_status(attempt, &status, retry_after.map(Duration::from_secs))
    }

    fn from_status(attempt: &str, status: &Status, retry_after: Option<Duration>) -> Self {
        let details = status.details.as_ref();
        let conflicts: Vec<_> = details
            .into_iter()
            .flat_map(|details| &details.causes)
            .filter(|cause| cause.reason == "FieldManagerConflict")
            .map(manager_conflict)
            .collect();
        let asked = details
            .map(|details| u64::from(details.retry_after_seconds))
            .filter(|seconds| *seconds > 0);
        let message = match (status.message.as_str(), StatusCode::from_u16(status.code)) {
            ("", Ok(code)) => format!("the API server answered {code}"),
            (message, _) => message.to_owned(),
        };
        Self {
            kind: kind(status, !conflicts.is_empty()),
            retry_after: retry_after.or(asked.map(Duration::from_secs)),
            conflicts,
            ..Self::new(attempt, RequestErrorKind::Invalid, message)
        }
    }

    fn new(attempt: &str, kind: RequestErrorKind, message: impl Into<String>) -> Self {
        let (attempt, message) = (attempt.to_owned(), message.into());
        Self {
            attempt,
            kind,
            message,
            retry_after: None,
            conflicts: Vec::new(),
            source: None,
        }
    }
}

fn kind(status: &Status, manager_conflict: bool) -> RequestErrorKind {
    use RequestErrorKind as Kind;
    match (status.code, status.reason.as_str()) {
        // A missing object is told by its name; a missing kind is told in plain text, or without a name.
        (404, _) if status.details.as_ref().is_some_and(|details| !details.name.is_empty()) => Kind::NotFound,
        (404, _) => Kind::NoKind,
        (_, "AlreadyExists") => Kind::AlreadyExists,
        (409, _) if manager_conflict => Kind::ManagerConflict,
        (409, _) => Kind::Stale,
        (401, _) => Kind::Unauthorized,
        (403, _) => Kind::Forbidden,
        (405, _) => Kind::NotAllowed,
        (410, _) => Kind::Expired,
        (408 | 429 | 500.., _) => Kind::Busy,
        _ => Kind::Invalid,
    }
}

/// `conflict with "m" using v1 at <time>`, with the manager's name in quotes.
fn manager_conflict(cause: &StatusCause) -> ManagerConflict {
    let manager = cause.message.split('"').nth(1).unwrap_or(&cause.message).to_owned();
    ManagerConflict {
        field: cause.field.trim_start_matches('.').to_owned(),
        manager,
    }
}

#[cfg(test)]
mod tests;
