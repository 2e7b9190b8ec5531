//! One step of the path to a field: a name, a list item's key, a set's value, an index.

use std::fmt;

use serde_json::{Map, Value};

/// A step, kept as `fieldsV1` spells it: `f:spec`, `k:{"name":"a"}`, `v:"x"`, `i:0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PathElement(String);

impl PathElement {
    /// The field of an object.
    pub(super) fn field(name: &str) -> Self {
        Self(format!("f:{name}"))
    }

    /// The item of a list whose items are told apart by these fields.
    pub(super) fn key(key: Map<String, Value>) -> Self {
        Self(format!("k:{}", Value::Object(key)))
    }

    /// The item of a set.
    pub(super) fn value(value: &Value) -> Self {
        Self(format!("v:{value}"))
    }

    /// The item of a list that nothing else tells apart.
    pub(super) fn index(index: usize) -> Self {
        Self(format!("i:{index}"))
    }

    /// Reads the spelling of `fieldsV1`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let well_formed = match kind {
            "f" => true,
            "k" => serde_json::from_str::<Map<String, Value>>(rest).is_ok_and(|key| !key.is_empty()),
            "v" => serde_json::from_str::<Value>(rest).is_ok(),
            "i" => rest.parse::<i64>().is_ok(),
            _ => false,
        };
        // Keys and values are spelled anew, so that equal ones are equal texts.
        match (well_formed, kind) {
            (false, _) => None,
            (true, "k" | "v") => serde_json::from_str::<Value>(rest)
                .ok()
                .map(|value| Self(format!("{kind}:{value}"))),
            (true, _) => Some(Self(text.to_owned())),
        }
    }

    /// The name, if this is a field.
    pub(super) fn field_name(&self) -> Option<&str> {
        self.0.strip_prefix("f:")
    }

    /// The spelling of `fieldsV1`.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, rest) = self.0.split_once(':').expect("every constructor writes a prefix");
        match kind {
            "f" => write!(f, ".{rest}"),
            "k" => {
                let key: Map<String, Value> = serde_json::from_str(rest).unwrap_or_default();
                let fields = key.iter().map(|(name, value)| format!("{name}={value}"));
                write!(f, "[{}]", fields.collect::<Vec<_>>().join(","))
            }
            "v" => write!(f, "[={rest}]"),
            _ => write!(f, "[{rest}]"),
        }
    }
}
