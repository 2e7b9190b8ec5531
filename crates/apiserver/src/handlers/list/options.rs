//! What a list or watch is asked for: selectors, pages, versions.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    field_error::FieldError,
    handlers::context::Context,
    object,
    resource::Resource,
    selector::{FieldSelector, LabelSelector},
    status::{ApiError, Result},
    store::{ObjectKey, Stored},
};

pub(in crate::handlers) struct ListOptions {
    pub(in crate::handlers) filter: Filter,
    pub(super) limit: Option<usize>,
    pub(super) position: Position,
}

/// Which objects are selected.
pub(in crate::handlers) struct Filter {
    labels: LabelSelector,
    fields: FieldSelector,
}

/// At which version, and from where on.
pub(super) enum Position {
    Now,
    Exactly(u64),
    After(Page),
}

/// Where a page ended. Clients get it as an opaque token.
#[derive(Serialize, Deserialize)]
pub(super) struct Page {
    pub(super) revision: u64,
    pub(super) namespace: String,
    pub(super) name: String,
}

// === impl ListOptions ===

impl ListOptions {
    pub(super) fn parse(context: &Context<'_>) -> Result<Self> {
        let query = &context.query;
        if query.set_flag("sendInitialEvents").is_some() {
            return Err(forbidden(
                "sendInitialEvents",
                "sendInitialEvents is forbidden for list",
            ));
        }
        let limit = match query.get("limit") {
            None => None,
            Some(text) => Some(
                text.parse::<i64>()
                    .map_err(|_| ApiError::BadRequest(format!("invalid limit: {text}")))?,
            ),
        };
        Ok(Self {
            filter: Filter::parse(context)?,
            // Less than one is none at all.
            limit: limit
                .and_then(|limit| usize::try_from(limit).ok())
                .filter(|limit| *limit > 0),
            position: position(context)?,
        })
    }
}

fn position(context: &Context<'_>) -> Result<Position> {
    let query = &context.query;
    let (asked, matching, token) = (
        query.get("resourceVersion"),
        query.get("resourceVersionMatch"),
        query.get("continue"),
    );
    if let Some(token) = token {
        if matching.is_some() {
            return Err(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden when continue is provided",
            ));
        }
        if asked.is_some_and(|asked| asked != "0") {
            return Err(ApiError::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        return Ok(Position::After(Page::parse(token)?));
    }
    let Some(asked) = asked else {
        return match matching {
            None => Ok(Position::Now),
            Some(_) => Err(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            )),
        };
    };
    let revision = revision(asked)?;
    match matching {
        None | Some("NotOlderThan") => {}
        Some("Exact") if revision == 0 => {
            let text = "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"";
            return Err(forbidden("resourceVersionMatch", text));
        }
        Some("Exact") => {
            check_not_in_the_future(context)?;
            return Ok(Position::Exactly(revision));
        }
        Some(other) => {
            let error = FieldError::not_supported("resourceVersionMatch", other, ["Exact", "NotOlderThan", ""]);
            return Err(ApiError::invalid_option("ListOptions", error));
        }
    }
    check_not_in_the_future(context)?;
    // A first page at a version that isn't the latest is at exactly that version, as upstream reads it.
    let paged = context.query.get("limit").is_some_and(|limit| limit != "0") && matching.is_none() && revision != 0;
    Ok(if paged {
        Position::Exactly(revision)
    } else {
        Position::Now
    })
}

/// Refuses a version that there has not been yet.
pub(in crate::handlers) fn check_not_in_the_future(context: &Context<'_>) -> Result<()> {
    let Some(asked) = context.query.get("resourceVersion") else {
        return Ok(());
    };
    let (asked, current) = (revision(asked)?, context.state.store.revision());
    if asked > current {
        Err(ApiError::TooLargeResourceVersion { asked, current })
    } else {
        Ok(())
    }
}

pub(in crate::handlers) fn revision(text: &str) -> Result<u64> {
    text.parse()
        .map_err(|_| ApiError::BadRequest(format!("invalid resource version: {text:?} is not a valid number")))
}

pub(in crate::handlers) fn forbidden(field: &str, detail: &str) -> ApiError {
    ApiError::invalid_option("ListOptions", FieldError::forbidden(field, detail))
}

// === impl Filter ===

impl Filter {
    pub(in crate::handlers) fn parse(context: &Context<'_>) -> Result<Self> {
        let (query, resource) = (&context.query, &context.resource);
        let labels =
            LabelSelector::parse(query.get("labelSelector").unwrap_or_default()).map_err(ApiError::BadRequest)?;
        let fields =
            FieldSelector::parse(query.get("fieldSelector").unwrap_or_default()).map_err(ApiError::BadRequest)?;
        let own = |field: &str| resource.selectable.iter().any(|selectable| selectable == field);
        let known = |field: &str| matches!(field, "metadata.name" | "metadata.namespace") || own(field);
        if let Some(unknown) = fields.fields().find(|field| !known(field)) {
            return Err(ApiError::BadRequest(if resource.selectable.is_empty() {
                format!("{unknown:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
            } else {
                format!("field label not supported: {unknown}")
            }));
        }
        Ok(Self { labels, fields })
    }

    /// The name, if exactly one is asked for.
    pub(in crate::handlers) fn exact_name(&self) -> Option<&str> {
        self.fields.exact_name()
    }

    pub(in crate::handlers) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(in crate::handlers) fn matches(&self, resource: &Resource, stored: &Stored) -> bool {
        self.labels.matches(|label| stored.label(label))
            && self.fields.matches(|field| match field {
                "metadata.name" => Cow::from(&*stored.key.name),
                "metadata.namespace" => Cow::from(&*stored.key.namespace),
                _ => stored.selectable(&resource.selectable, field, |value, field| {
                    field_text(resource, value, field)
                }),
            })
    }
}

/// What a field selector compares. A few fields have a name that is not their path.
fn field_text(resource: &Resource, value: &Value, field: &str) -> String {
    match (resource.plural(), field) {
        ("jobs", "status.successful") => object::selector_text(value, "status.succeeded"),
        ("events", "source") => {
            let source = object::selector_text(value, "source.component");
            if source.is_empty() {
                object::selector_text(value, "reportingComponent")
            } else {
                source
            }
        }
        ("replicasets" | "replicationcontrollers", "status.replicas") => match object::selector_text(value, field) {
            none if none.is_empty() => "0".to_owned(),
            some => some,
        },
        ("nodes", "spec.unschedulable") | ("pods", "spec.hostNetwork") => match object::selector_text(value, field) {
            unset if unset.is_empty() => "false".to_owned(),
            set => set,
        },
        _ => object::selector_text(value, field),
    }
}

// === impl Page ===

impl Page {
    pub(super) fn after(revision: u64, last: &ObjectKey) -> Self {
        Self {
            revision,
            namespace: last.namespace.to_string(),
            name: last.name.to_string(),
        }
    }

    pub(super) fn token(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_string(self).expect("a struct of texts encodes"))
    }

    fn parse(token: &str) -> Result<Self> {
        let refuse = |error: String| ApiError::BadRequest(format!("invalid continue token: {error}"));
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|error| refuse(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))
    }
}
