//! What a guest takes from the cluster that runs its workers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::SecretSource;

/// Another cluster that runs the workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InfraCluster {
    /// The kubeconfig of that cluster.
    pub kubeconfig: SecretSource,
    /// The namespace there for the virtual machines.
    #[schemars(extend("format" = "dns-label"))]
    pub namespace: String,
}

/// Which storage and snapshot classes of the infrastructure the guest sees.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StorageDriver {
    /// Storage classes.
    pub storage_classes: Vec<StorageMapping>,
    /// Volume snapshot classes.
    pub volume_snapshot_classes: Vec<StorageMapping>,
}

/// A class of the infrastructure, and its name in the guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageMapping {
    /// The class of the infrastructure.
    #[schemars(length(min = 1))]
    pub infra: String,
    /// Its name in the guest.
    #[schemars(length(min = 1))]
    pub guest: String,
    /// Storage and snapshot classes of the same group belong together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Mirrors of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageContentSource {
    /// The registry that images name.
    #[schemars(length(min = 1))]
    pub source: String,
    /// Where to pull them from instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<String>,
}
