//! Answers: documents, plain texts, redirects, and the few pages that people see.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

use super::Answer;

pub(super) fn json(status: StatusCode, value: &Value) -> Answer {
    with_type(status, "application/json", value.to_string())
}

pub(super) fn text(status: StatusCode, text: &str) -> Answer {
    with_type(status, "text/plain; charset=utf-8", text.to_owned())
}

pub(super) fn not_found() -> Answer {
    text(StatusCode::NOT_FOUND, "404 page not found\n")
}

/// A page with a title; `body` is HTML, with everything in it that isn't ours [escaped].
pub(super) fn html(status: StatusCode, title: &str, body: &str) -> Answer {
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title} (lab)</title></head>\n\
         <body>\n<h1>{title} (lab)</h1>\n{body}</body>\n</html>\n"
    );
    with_type(status, "text/html; charset=utf-8", page)
}

pub(super) fn redirect(to: &str) -> Answer {
    let mut response = with_type(StatusCode::FOUND, "text/plain; charset=utf-8", String::new());
    match HeaderValue::from_str(to) {
        Ok(to) => {
            response.headers_mut().insert(header::LOCATION, to);
            response
        }
        Err(_) => text(StatusCode::BAD_REQUEST, "the redirect is no URL\n"),
    }
}

/// Adds a header whose value is ours.
pub(super) fn with(mut response: Answer, name: header::HeaderName, value: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
    response
}

/// A text that may stand in HTML, in attributes too.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn with_type(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Tokens and codes are in here.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}
