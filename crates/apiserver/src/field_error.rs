//! One complaint about one field of an object, worded as the Kubernetes API words it.
//!
//! Everything that validates produces these; turning a list of them into a `Status` is the caller's business.

use std::fmt;

use serde_json::Value;

/// What is wrong with a field, where, and with which value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldError {
    /// Where: `spec.ports[0].name`; empty for the whole object.
    pub(crate) path: String,
    /// Which sort of complaint this is.
    pub(crate) kind: FieldErrorKind,
    /// The offending value, for the kinds that show it.
    pub(crate) value: Option<Value>,
    /// The rest of the sentence.
    pub(crate) detail: String,
}

/// The sorts of complaint that clients tell apart by a cause's reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldErrorKind {
    /// A value must be there and isn't.
    Required,
    /// The value is malformed or out of range.
    Invalid,
    /// The value is not one of a fixed list.
    NotSupported,
    /// The value occurs twice in what must be a set.
    Duplicate,
    /// The value must not be there.
    Forbidden,
    /// The text is too long.
    TooLong,
    /// The list or map has too many entries.
    TooMany,
    /// The value is of the wrong JSON type.
    TypeInvalid,
}

// === impl FieldError ===

impl FieldError {
    /// A required value is missing.
    pub(crate) fn required(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::Required, None, detail)
    }

    /// The value is malformed or out of range.
    pub(crate) fn invalid(path: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::Invalid, Some(value.into()), detail)
    }

    /// The value is of the wrong JSON type.
    pub(crate) fn type_invalid(path: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::TypeInvalid, Some(value.into()), detail)
    }

    /// The value is none of `supported`.
    pub(crate) fn not_supported<S: fmt::Display>(
        path: impl Into<String>,
        value: impl Into<Value>,
        supported: impl IntoIterator<Item = S>,
    ) -> Self {
        let supported: Vec<String> = supported.into_iter().map(|value| format!("\"{value}\"")).collect();
        let detail = if supported.is_empty() {
            String::new()
        } else {
            format!("supported values: {}", supported.join(", "))
        };
        Self::new(path, FieldErrorKind::NotSupported, Some(value.into()), detail)
    }

    /// The value occurs more than once.
    pub(crate) fn duplicate(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::new(path, FieldErrorKind::Duplicate, Some(value.into()), "")
    }

    /// The field must not be set (or not changed, which `detail` says).
    pub(crate) fn forbidden(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::Forbidden, None, detail)
    }

    /// The text has more than `limit` bytes.
    pub(crate) fn too_long(path: impl Into<String>, limit: u64) -> Self {
        let detail = format!("may not be more than {limit} bytes");
        Self::new(path, FieldErrorKind::TooLong, None, detail)
    }

    /// The list or map has `actual` entries where `limit` are allowed.
    pub(crate) fn too_many(path: impl Into<String>, actual: usize, limit: u64) -> Self {
        let items = if limit == 1 { "item" } else { "items" };
        let detail = format!("must have at most {limit} {items}");
        Self::new(path, FieldErrorKind::TooMany, Some(Value::from(actual)), detail)
    }

    fn new(path: impl Into<String>, kind: FieldErrorKind, value: Option<Value>, detail: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            kind,
            value,
            detail: detail.into(),
        }
    }

    /// The same error with its path put below `prefix`.
    #[must_use]
    pub(crate) fn under(mut self, prefix: &str) -> Self {
        self.path = match (prefix.is_empty(), self.path.is_empty()) {
            (true, _) => self.path,
            (false, true) => prefix.to_owned(),
            (false, false) if self.path.starts_with('[') => format!("{prefix}{}", self.path),
            (false, false) => format!("{prefix}.{}", self.path),
        };
        self
    }

    /// The same error without showing the value.
    #[must_use]
    pub(crate) fn without_value(mut self) -> Self {
        self.value = None;
        self
    }

    /// Whether the value is so wrong that rules can't be tried on it.
    pub(crate) fn blocks_rules(&self) -> bool {
        !matches!(
            self.kind,
            FieldErrorKind::Invalid | FieldErrorKind::Duplicate | FieldErrorKind::Forbidden
        )
    }

    /// The `reason` of the `Status` cause that this error becomes.
    pub(crate) fn cause_reason(&self) -> &'static str {
        match self.kind {
            FieldErrorKind::Required => "FieldValueRequired",
            FieldErrorKind::Invalid => "FieldValueInvalid",
            FieldErrorKind::NotSupported => "FieldValueNotSupported",
            FieldErrorKind::Duplicate => "FieldValueDuplicate",
            FieldErrorKind::Forbidden => "FieldValueForbidden",
            FieldErrorKind::TooLong => "FieldValueTooLong",
            FieldErrorKind::TooMany => "FieldValueTooMany",
            FieldErrorKind::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    /// The error without its path: a cause's `message`.
    pub(crate) fn body(&self) -> String {
        let mut text = self.kind.headline().to_owned();
        if let Some(value) = &self.value {
            text.push_str(": ");
            text.push_str(&value.to_string());
        }
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "<nil>" } else { &self.path };
        write!(f, "{path}: {}", self.body())
    }
}

// === impl FieldErrorKind ===

impl FieldErrorKind {
    fn headline(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Duplicate => "Duplicate value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(error: &FieldError, text: &str, reason: &str) {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.cause_reason(), reason);
    }

    #[test]
    fn wording_is_that_of_the_api() {
        check(
            &FieldError::required("spec.x", ""),
            "spec.x: Required value",
            "FieldValueRequired",
        );
        check(
            &FieldError::invalid("spec.n", 0, "too small"),
            "spec.n: Invalid value: 0: too small",
            "FieldValueInvalid",
        );
        check(
            &FieldError::not_supported("spec.mode", "q", ["a", "b"]),
            r#"spec.mode: Unsupported value: "q": supported values: "a", "b""#,
            "FieldValueNotSupported",
        );
        check(
            &FieldError::duplicate("spec.l[1]", json!({"name": "a"})),
            r#"spec.l[1]: Duplicate value: {"name":"a"}"#,
            "FieldValueDuplicate",
        );
        check(
            &FieldError::too_long("s", 3),
            "s: Too long: may not be more than 3 bytes",
            "FieldValueTooLong",
        );
        check(
            &FieldError::too_many("l", 5, 3),
            "l: Too many: 5: must have at most 3 items",
            "FieldValueTooMany",
        );
    }

    #[test]
    fn a_prefix_joins_with_a_dot_unless_an_index_follows() {
        check(
            &FieldError::forbidden("type", "no").under("items"),
            "items.type: Forbidden: no",
            "FieldValueForbidden",
        );
        check(
            &FieldError::duplicate("[0]", "x").under("l"),
            r#"l[0]: Duplicate value: "x""#,
            "FieldValueDuplicate",
        );
        check(
            &FieldError::required("", "").under("spec"),
            "spec: Required value",
            "FieldValueRequired",
        );
    }
}
