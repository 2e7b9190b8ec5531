//! How something is to be deleted: in the body of a request, or its query.

use bytes::Bytes;
use serde_json::Value;

use crate::{
    admission::dry_run,
    decode,
    field_error::FieldError,
    handlers::context::Context,
    negotiate,
    query::Query,
    status::{ApiError, Result},
};

#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) propagation: Option<Propagation>,
    pub(crate) grace: Option<i64>,
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: Option<String>,
    pub(crate) dry_run: bool,
}

/// What becomes of an object's dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    /// They go in their own time.
    Background,
    /// They go first.
    Foreground,
    /// They stay.
    Orphan,
}

impl DeleteOptions {
    pub(crate) fn background() -> Self {
        Self {
            propagation: Some(Propagation::Background),
            ..Self::default()
        }
    }

    pub(super) fn parse(context: &Context<'_>, body: &Bytes) -> Result<Self> {
        let sent = if body.is_empty() {
            from_query(context)?
        } else {
            decode::decode(body, negotiate::body_type(context.headers())?)?.value
        };
        Self::of(&sent, &context.query)
    }

    /// As an object has them that is no body of its own.
    pub(in crate::handlers) fn of(sent: &Value, query: &Query) -> Result<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let orphans = sent["orphanDependents"].as_bool();
        if orphans.is_some() && !sent["propagationPolicy"].is_null() {
            let detail = "orphanDependents and deletionPropagation cannot be both set";
            return Err(invalid(FieldError::invalid(
                "propagationPolicy",
                sent["propagationPolicy"].clone(),
                detail,
            )));
        }
        let propagation = match (sent["propagationPolicy"].as_str(), orphans) {
            (Some("Background"), _) | (None, Some(false)) => Some(Propagation::Background),
            (Some("Foreground"), _) => Some(Propagation::Foreground),
            (Some("Orphan"), _) | (None, Some(true)) => Some(Propagation::Orphan),
            (None, None) => None,
            (Some(other), _) => {
                let known = ["Foreground", "Background", "Orphan", "nil"];
                return Err(invalid(FieldError::not_supported("propagationPolicy", other, known)));
            }
        };
        let listed = sent["dryRun"].as_array().map(Vec::as_slice).unwrap_or_default();
        let values = listed.iter().filter_map(Value::as_str).chain(query.all("dryRun"));
        Ok(Self {
            propagation,
            grace: sent["gracePeriodSeconds"].as_i64(),
            uid: text(&sent["preconditions"]["uid"]),
            resource_version: text(&sent["preconditions"]["resourceVersion"]),
            dry_run: dry_run(values, "DeleteOptions")?,
        })
    }
}

fn from_query(context: &Context<'_>) -> Result<Value> {
    let mut options = Value::Object(serde_json::Map::new());
    if let Some(policy) = context.query.get("propagationPolicy") {
        options["propagationPolicy"] = policy.into();
    }
    if let Some(orphans) = context.query.set_flag("orphanDependents") {
        options["orphanDependents"] = orphans.into();
    }
    if let Some(grace) = context.query.get("gracePeriodSeconds") {
        let seconds: i64 = grace
            .parse()
            .map_err(|_| ApiError::BadRequest(format!("invalid gracePeriodSeconds: {grace}")))?;
        options["gracePeriodSeconds"] = seconds.into();
    }
    Ok(options)
}

fn invalid(error: FieldError) -> ApiError {
    ApiError::invalid_option("DeleteOptions", error)
}
