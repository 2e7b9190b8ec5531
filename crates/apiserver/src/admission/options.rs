//! What a request says about how to write: dry run, field manager, strictness.

use http::{HeaderMap, header};

use crate::{
    field_error::FieldError,
    query::Query,
    status::{ApiError, Result},
};

/// The longest name of a field manager.
const MANAGER_LIMIT: usize = 128;

/// How a write is to be done.
#[derive(Clone, Debug)]
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) manager: String,
    pub(crate) validation: FieldValidation,
}

/// What becomes of fields that a kind doesn't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}

impl WriteOptions {
    /// Reads the options of a request; `kind` is `CreateOptions`, `UpdateOptions` or `PatchOptions`.
    pub(crate) fn parse(query: &Query, headers: &HeaderMap, kind: &str) -> Result<Self> {
        let validation = match query.get("fieldValidation") {
            None | Some("Warn") => FieldValidation::Warn,
            Some("Ignore") => FieldValidation::Ignore,
            Some("Strict") => FieldValidation::Strict,
            Some(other) => {
                let error = FieldError::not_supported("fieldValidation", other, ["Ignore", "Strict", "Warn"]);
                return Err(ApiError::invalid_option(kind, error));
            }
        };
        let manager = match query.get("fieldManager") {
            None => default_manager(headers),
            Some(manager) if manager.len() > MANAGER_LIMIT => {
                return Err(ApiError::invalid_option(
                    kind,
                    FieldError::too_long("fieldManager", MANAGER_LIMIT as u64),
                ));
            }
            Some(manager) if manager.chars().any(char::is_control) => {
                let detail = "should only contain printable characters";
                return Err(ApiError::invalid_option(
                    kind,
                    FieldError::invalid("fieldManager", manager, detail),
                ));
            }
            Some(manager) => manager.to_owned(),
        };
        Ok(Self {
            dry_run: dry_run(query.all("dryRun"), kind)?,
            manager,
            validation,
        })
    }

    /// How the server itself writes.
    pub(crate) fn internal(manager: &str) -> Self {
        Self {
            dry_run: false,
            manager: manager.to_owned(),
            validation: FieldValidation::Ignore,
        }
    }
}

/// Whether a dry run is asked for; there is but one kind of it.
pub(crate) fn dry_run<'a>(values: impl Iterator<Item = &'a str>, kind: &str) -> Result<bool> {
    let mut dry_run = false;
    for value in values.filter(|value| !value.is_empty()) {
        if value != "All" {
            return Err(ApiError::invalid_option(
                kind,
                FieldError::not_supported("dryRun", value, ["All"]),
            ));
        }
        dry_run = true;
    }
    Ok(dry_run)
}

/// Who writes if the request doesn't say: the first word of its user agent.
fn default_manager(headers: &HeaderMap) -> String {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let manager = agent.split('/').next().unwrap_or_default();
    if manager.is_empty() {
        "unknown".to_owned()
    } else {
        manager.chars().take(MANAGER_LIMIT).collect()
    }
}
