//! Questions about who one is and what one may: answered, never stored.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::context::Context;
use crate::{Body, Decision, Identity, RequestAttributes, server::State, status::Result};

pub(super) fn answer(context: &Context<'_>, body: &Bytes) -> Result<Response<Body>> {
    let mut review = context.decode(body)?.value;
    let spec = review["spec"].clone();
    review["status"] = match context.resource.kind.as_str() {
        "SelfSubjectReview" => json!({"userInfo": user_info(context.identity)}),
        "SelfSubjectAccessReview" => access(context.state, context.identity, &spec),
        "SubjectAccessReview" | "LocalSubjectAccessReview" => access(context.state, &subject(&spec), &spec),
        "SelfSubjectRulesReview" => rules(context),
        _ => token(context.state, &spec),
    };
    context.respond(StatusCode::CREATED, review)
}

fn user_info(identity: &Identity) -> Value {
    let mut info = json!({"username": identity.user, "groups": identity.all_groups()});
    if !identity.uid.is_empty() {
        info["uid"] = identity.uid.as_str().into();
    }
    if !identity.extra.is_empty() {
        info["extra"] = json!(identity.extra);
    }
    info
}

/// Whom a review asks about.
fn subject(spec: &Value) -> Identity {
    let groups = spec["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    Identity::new(spec["user"].as_str().unwrap_or_default(), groups)
}

fn access(state: &State, identity: &Identity, spec: &Value) -> Value {
    match state.decide(identity, &attributes(spec)) {
        Decision::Allow => json!({"allowed": true}),
        Decision::Deny(reason) if reason.is_empty() => json!({"allowed": false}),
        Decision::Deny(reason) => json!({"allowed": false, "reason": reason}),
    }
}

fn attributes(spec: &Value) -> RequestAttributes {
    let (resource, other) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let text = |field: &str| resource[field].as_str().unwrap_or_default().to_owned();
    if other.is_object() {
        let text = |field: &str| other[field].as_str().unwrap_or_default().to_owned();
        return RequestAttributes {
            verb: text("verb"),
            path: text("path"),
            ..RequestAttributes::default()
        };
    }
    RequestAttributes {
        verb: text("verb"),
        group: text("group"),
        version: text("version"),
        resource: text("resource"),
        subresource: text("subresource"),
        namespace: text("namespace"),
        name: text("name"),
        path: String::new(),
    }
}

/// An authorizer answers questions; it can't list what it would allow. Without one, everything is.
fn rules(context: &Context<'_>) -> Value {
    if context.state.decides() {
        return json!({
            "resourceRules": [],
            "nonResourceRules": [],
            "incomplete": true,
            "evaluationError": "the authorizer does not support user rule resolution",
        });
    }
    json!({
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        "incomplete": false,
    })
}

fn token(state: &State, spec: &Value) -> Value {
    match state.token(spec["token"].as_str().unwrap_or_default()) {
        Some(identity) => json!({"authenticated": true, "user": user_info(&identity)}),
        None => json!({"authenticated": false, "error": "invalid bearer token", "user": {}}),
    }
}
