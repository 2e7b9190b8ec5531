//! What a guest takes from the cluster that runs its workers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::SecretSource;

/// Another cluster that runs the workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InfraCluster {
    /// The kubeconfig of that cluster.
    #[schemars(extend("x-becomes" = ".infraKubeConfigSecret"))]
    pub kubeconfig: SecretSource,
    /// The namespace there for the virtual machines.
    #[schemars(extend("format" = "dns-label"))]
    #[schemars(extend("x-becomes" = ".infraNamespace"))]
    pub namespace: String,
}

/// Which storage and snapshot classes of the infrastructure the guest sees.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StorageDriver {
    /// What the guest has: nothing, the defaults, or the mappings below; left out, Manual where there are mappings.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".type"))]
    pub kind: Option<StorageDriverType>,
    /// Storage classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), extend("x-becomes" = ".manual.storageClassMapping[]"))]
    pub storage_classes: Vec<StorageMapping>,
    /// Volume snapshot classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), extend("x-becomes" = ".manual.volumeSnapshotClassMapping[]"))]
    pub volume_snapshot_classes: Vec<StorageMapping>,
}

/// What a guest has of the infrastructure's storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StorageDriverType {
    /// Nothing: the guest has no driver.
    None,
    /// The infrastructure's default class.
    Default,
    /// The classes that are mapped.
    Manual,
}

/// A class of the infrastructure, and its name in the guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageMapping {
    /// The class of the infrastructure.
    #[schemars(length(min = 1))]
    #[schemars(extend("x-becomes" = ".infraStorageClassName|.infraVolumeSnapshotClassName"))]
    pub infra: String,
    /// Its name in the guest.
    #[schemars(length(min = 1))]
    #[schemars(extend("x-becomes" = ".guestStorageClassName|.guestVolumeSnapshotClassName"))]
    pub guest: String,
    /// Storage and snapshot classes of the same group belong together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".group"))]
    pub group: Option<String>,
}

/// Mirrors of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageContentSource {
    /// The registry that images name.
    #[schemars(length(min = 1))]
    #[schemars(extend("x-becomes" = ".source"))]
    pub source: String,
    /// Where to pull them from instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".mirrors"))]
    pub mirrors: Vec<String>,
}
