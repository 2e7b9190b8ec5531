//! What surrounds a document's `spec`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{guest_cluster::GuestClusterSpec, management_cluster::ManagementClusterSpec};

/// One guest: a hosted cluster with its workers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "GuestCluster")]
pub(crate) struct GuestClusterDocument {
    /// The version of Berth's kinds.
    #[schemars(extend("const" = "berth.dev/v1alpha1"))]
    pub(crate) api_version: String,
    /// The document's kind.
    #[schemars(extend("const" = "GuestCluster"))]
    pub(crate) kind: String,
    /// The guest's name and what it is labelled with.
    pub(crate) metadata: GuestMetadata,
    /// The guest.
    pub(crate) spec: GuestClusterSpec,
}

/// The management cluster, and what Berth may change of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ManagementCluster")]
pub(crate) struct ManagementClusterDocument {
    /// The version of Berth's kinds.
    #[schemars(extend("const" = "berth.dev/v1alpha1"))]
    pub(crate) api_version: String,
    /// The document's kind.
    #[schemars(extend("const" = "ManagementCluster"))]
    pub(crate) kind: String,
    /// What the management cluster is called in messages.
    pub(crate) metadata: ManagementMetadata,
    /// The management cluster.
    #[serde(default)]
    pub(crate) spec: ManagementClusterSpec,
}

/// A guest's name and what it is labelled with.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GuestMetadata {
    /// Name of the HostedCluster; unique over all namespaces.
    #[schemars(extend("format" = "dns-label"))]
    pub(crate) name: String,
    /// Namespace of the HostedCluster.
    #[serde(default = "default_namespace")]
    #[schemars(extend("format" = "dns-label"))]
    pub(crate) namespace: String,
    /// Labels that the HostedCluster gets.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// Annotations that the HostedCluster gets.
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// What the management cluster is called in messages.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ManagementMetadata {
    /// The document's name.
    #[schemars(extend("format" = "dns-label"))]
    pub(crate) name: String,
}

/// As `hcp` has it.
fn default_namespace() -> String {
    "clusters".to_owned()
}
