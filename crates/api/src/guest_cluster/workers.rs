//! How a pool's workers are replaced, healed and patched.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How new machines take the place of old ones.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Replace {
    /// Who begins; left out, RollingUpdate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".strategy"))]
    pub strategy: Option<ReplaceStrategy>,
    /// How many workers there may be besides, as a number or `25%`; left out, 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".rollingUpdate.maxSurge"))]
    pub max_surge: Option<Amount>,
    /// How many workers may be missing, as a number or `25%`; left out, 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".rollingUpdate.maxUnavailable"))]
    pub max_unavailable: Option<Amount>,
}

/// Who begins to replace a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReplaceStrategy {
    /// HyperShift, a few at a time.
    RollingUpdate,
    /// Whoever deletes the old machine.
    OnDelete,
}

/// How machines are updated where they are.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InPlace {
    /// How many workers may be missing, as a number or `25%`; left out, 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".maxUnavailable"))]
    pub max_unavailable: Option<Amount>,
}

/// When workers that stay unhealthy are replaced.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HealthCheck {
    /// After so long, as `8m`; left out, 8m.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "metadata.annotations[hypershift.openshift.io/machine-health-check-timeout]"))]
    pub timeout: Option<crate::duration::GoDuration>,
    /// A worker that has not joined after so long; left out, 20m.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "x-becomes" = "metadata.annotations[hypershift.openshift.io/machine-health-check-node-startup-timeout]"
    ))]
    pub node_startup_timeout: Option<crate::duration::GoDuration>,
    /// None is replaced while more than so many are unhealthy, as a number or `40%`; left out, 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "x-becomes" = "metadata.annotations[hypershift.openshift.io/machine-health-check-max-unhealthy]",
        "x-text" = true
    ))]
    pub max_unhealthy: Option<Amount>,
}

/// A number, or a part of the whole as `25%`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// So many.
    Count(u32),
    /// So many hundredths.
    Percent(String),
}

/// One operation of a JSON patch on the workers' virtual machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MachinePatch {
    /// What is done.
    pub op: PatchOperation,
    /// Where, as `/spec/template/spec/domain/cpu/model`.
    #[schemars(extend("format" = "json-pointer"))]
    pub path: String,
    /// The value; needed for all but `remove`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// What an operation of a JSON patch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PatchOperation {
    /// A field is written; what is missing above it is made.
    Add,
    /// A field is removed.
    Remove,
    /// A field that is there is written.
    Replace,
    /// Nothing is done unless a field has this value.
    Test,
}

// === impl Amount ===

impl Amount {
    /// As an annotation spells it.
    pub fn text(&self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Percent(text) => text.clone(),
        }
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "string"],
            "minimum": 0,
            "format": "amount",
            "description": "A number, or a part of the whole as `25%`.",
        })
    }
}
