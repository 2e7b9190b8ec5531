//! Objects as YAML, as kubectl prints them. The one door to the YAML writer.

use serde_json::Value;

/// A value as YAML.
pub(crate) fn to_string(value: &Value) -> String {
    berth_api::yaml::to_string(value)
}
