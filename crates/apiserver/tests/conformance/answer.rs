//! An answer of a server, and what tests say about it. Other targets use the file as it is.

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Body;
use http_body_util::BodyExt;
use serde_json::Value;

/// An answer, with its body read as JSON (or text).
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// Reads a response to its end.
    pub(crate) async fn read<E: std::fmt::Debug>(response: Response<impl Body<Data = Bytes, Error = E>>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body =
            serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into());
        Self {
            code: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    #[track_caller]
    pub(crate) fn is(self, code: u16) -> Self {
        assert_eq!(self.code, code, "{}", self.body);
        self
    }

    /// An error: its code, its reason, and a part of its message.
    #[track_caller]
    pub(crate) fn refused(self, code: u16, reason: &str, message: &str) -> Self {
        assert_eq!(self.code, code, "{}", self.body);
        assert_eq!(
            self.body["reason"].as_str().unwrap_or_default(),
            reason,
            "{}",
            self.body
        );
        let text = text(&self.body["message"]);
        assert!(text.contains(message), "`{text}` does not contain `{message}`");
        self
    }

    /// An error with a cause for a field: `("FieldValueInvalid", "metadata.name")`.
    #[track_caller]
    pub(crate) fn caused_by(self, reason: &str, field: &str) -> Self {
        let causes = &self.body["details"]["causes"];
        let found = causes
            .as_array()
            .into_iter()
            .flatten()
            .any(|cause| cause["reason"] == reason && cause["field"] == field);
        assert!(found, "no cause {reason} for {field} in {causes}");
        self
    }

    /// The values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect()
    }

    /// The object's (or list's) resourceVersion.
    pub(crate) fn version(&self) -> u64 {
        text(&self.body["metadata"]["resourceVersion"]).parse().unwrap()
    }

    /// The names of a list's items.
    pub(crate) fn names(&self) -> Vec<String> {
        let items = self.body["items"].as_array().expect("items are a list, never null");
        items.iter().map(|item| text(&item["metadata"]["name"])).collect()
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An event of a watch as `TYPE name`.
pub(crate) fn type_and_name(event: &Value) -> String {
    format!(
        "{} {}",
        text(&event["type"]),
        text(&event["object"]["metadata"]["name"])
    )
}
