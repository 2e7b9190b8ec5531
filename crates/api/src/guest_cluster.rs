//! The document about one guest: its release, control plane, networks and node pools.
//!
//! What upstream knows and this has no field for goes through `overrides`, merged last into the object's `spec`.

mod control_plane;
mod node_pool;
mod platform;
mod source;

use std::{borrow::Cow, collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::{document::Positions, secret::Secret};

pub use control_plane::{
    Autoscaling, AvailabilityPolicy, Capabilities, Capability, ControlPlane, Etcd, FeatureSet, NetworkType, Networking,
    ServicePublishing, ServiceType, Services, Toleration, TolerationEffect, TolerationOperator,
};
pub use node_pool::{
    AccessMode, Arch, CacheStrategy, HostDevice, NodePool, QosClass, RootVolume, Taint, UpgradeType, VolumeMode,
};
pub use platform::{ImageContentSource, InfraCluster, StorageDriver, StorageMapping};
pub use source::{SecretSource, TextSource};

/// One guest, with defaults resolved and its files read.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestCluster {
    /// Name of the HostedCluster.
    pub name: String,
    /// Namespace of the HostedCluster.
    pub namespace: String,
    /// Labels that the HostedCluster gets.
    pub labels: BTreeMap<String, String>,
    /// Annotations that the HostedCluster gets.
    pub annotations: BTreeMap<String, String>,
    /// What the document says.
    pub spec: GuestClusterSpec,
    /// The pull secret, read and found well-formed.
    pub pull_secret: SecretInput,
    /// The public key for the workers' `core` user.
    pub ssh_key: Option<String>,
    /// Certificates that the guest trusts besides the well-known ones, as PEM.
    pub trust_bundle: Option<String>,
    /// The kubeconfig of the cluster that runs the workers, where that is not the management cluster.
    pub infra_kubeconfig: Option<SecretInput>,
    /// Where in which file each field stands.
    pub positions: Positions,
}

/// A secret that a document refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretInput {
    /// Its text, from a file or an environment variable.
    Content(Secret),
    /// A Secret that exists in the HostedCluster's namespace, by name.
    Existing(String),
}

/// What a GuestCluster document says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GuestClusterSpec {
    /// What the guest runs.
    pub release: Release,
    /// The credentials for pulling images.
    pub pull_secret: SecretSource,
    /// The public key for the workers' `core` user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_key: Option<TextSource>,
    /// Certificates that the guest trusts besides the well-known ones, as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_trust_bundle: Option<TextSource>,
    /// Mirrors to pull images from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_content_sources: Vec<ImageContentSource>,
    /// How the control plane runs.
    #[serde(default)]
    pub control_plane: ControlPlane,
    /// The guest's networks.
    #[serde(default)]
    pub networking: Networking,
    /// The domain below which the guest's names are; left out, the management cluster's own `apps` domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain"))]
    pub base_domain: Option<String>,
    /// How the control plane's services are reached.
    #[serde(default)]
    pub services: Services,
    /// The sets of workers.
    #[serde(default)]
    pub node_pools: Vec<NodePool>,
    /// Another cluster that runs the workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infra_cluster: Option<InfraCluster>,
    /// Which storage and snapshot classes the guest sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_driver: Option<StorageDriver>,
    /// Whether the guest uses FIPS-validated cryptography; can't be changed later.
    #[serde(default)]
    pub fips: bool,
    /// Optional parts of OpenShift.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// A predefined set of features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_set: Option<FeatureSet>,
    /// Where the operator catalogs run.
    #[serde(default)]
    pub olm_catalog_placement: OlmCatalogPlacement,
    /// Whether the default operator catalogs are off.
    #[serde(default)]
    pub olm_disable_default_sources: bool,
    /// The guest's infrastructure ID; left out, HyperShift makes one.
    #[serde(default, rename = "infraID", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-label"))]
    pub infra_id: Option<String>,
    /// How the guest is reached once it runs.
    #[serde(default)]
    pub access: Access,
    /// Whether HyperShift leaves the guest alone: `true`, or until a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<PausedUntil>,
    /// Fields of upstream objects' `spec`, merged last.
    #[serde(default)]
    pub overrides: Overrides,
}

/// What a cluster or a pool runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// The release image, as `quay.io/openshift-release-dev/ocp-release:4.17.0-multi`.
    #[schemars(extend("format" = "image"))]
    pub image: String,
}

/// How a guest is reached once it runs.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Access {
    /// A file to write the guest's kubeconfig to (mode 0600), relative to the document's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub kubeconfig_file: Option<PathBuf>,
    /// A file to write the `kubeadmin` password to (mode 0600), relative to the document's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub password_file: Option<PathBuf>,
}

/// Fields of upstream objects' `spec`, merged last; `null` removes a field.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Overrides {
    /// Fields of the HostedCluster's `spec`.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub hosted_cluster: Map<String, Value>,
    /// Fields of every NodePool's `spec`; a pool's own `overrides` come after these.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub node_pool: Map<String, Value>,
}

/// Where the operator catalogs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OlmCatalogPlacement {
    /// With the control plane.
    #[default]
    Management,
    /// On the guest's workers.
    Guest,
}

/// How long HyperShift leaves an object alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PausedUntil {
    /// Until it is asked to go on.
    Resumed,
    /// Until a time.
    Time(Timestamp),
}

// === impl GuestCluster ===

impl GuestCluster {
    /// The namespace of the control-plane pods and the workers' virtual machines.
    pub fn control_plane_namespace(&self) -> String {
        format!("{}-{}", self.namespace, self.name)
    }

    /// The name of the NodePool that a pool of the document becomes.
    pub fn node_pool_name(&self, pool: &NodePool) -> String {
        format!("{}-{}", self.name, pool.name)
    }
}

// === impl SecretInput ===

impl SecretInput {
    /// The secret's text, where it does not come from a Secret that exists.
    pub fn content(&self) -> Option<&Secret> {
        match self {
            Self::Content(content) => Some(content),
            Self::Existing(_) => None,
        }
    }
}

// === impl OlmCatalogPlacement ===

impl OlmCatalogPlacement {
    /// As upstream spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Management => "management",
            Self::Guest => "guest",
        }
    }
}

// === impl PausedUntil ===

impl PausedUntil {
    /// As `spec.pausedUntil` spells it.
    pub fn field(&self) -> String {
        match self {
            Self::Resumed => "true".to_owned(),
            Self::Time(time) => time.to_string(),
        }
    }
}

impl Serialize for PausedUntil {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Resumed => serializer.serialize_bool(true),
            Self::Time(time) => serializer.collect_str(time),
        }
    }
}

impl<'de> Deserialize<'de> for PausedUntil {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(true) => Ok(Self::Resumed),
            Value::String(text) if text == "true" => Ok(Self::Resumed),
            Value::String(text) => text.parse().map(Self::Time).map_err(de::Error::custom),
            other => Err(de::Error::custom(format!("`{other}` is neither `true` nor a time"))),
        }
    }
}

impl JsonSchema for PausedUntil {
    fn schema_name() -> Cow<'static, str> {
        "PausedUntil".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["boolean", "string"],
            "format": "paused-until",
            "description": "`true`, or a time as `2026-12-31T18:00:00Z`.",
        })
    }
}
