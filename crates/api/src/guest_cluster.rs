//! The document about one guest: its release, control plane, networks and node pools.
//!
//! What upstream knows and this has no field for goes through `overrides`, merged last into the object's `spec`.

mod api_server;
mod control_plane;
mod identity;
mod node_pool;
mod platform;
mod settings;
mod source;
mod workers;

use std::{borrow::Cow, collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::{document::Positions, secret::Secret};

pub use api_server::{ApiServer, Audit, AuditProfile, AuditRule, ServingCert, TlsProfile};
pub use control_plane::{
    Autoscaling, AvailabilityPolicy, Capabilities, Capability, ControlPlane, Encryption, Etcd, ExternalIp, FeatureSet,
    NetworkDiagnostics, NetworkType, Networking, OvnNetworks, ServicePublishing, ServiceType, Services, Toleration,
    TolerationEffect, TolerationOperator, UnmanagedEtcd,
};
pub use identity::{
    BasicAuth, CaSource, ClusterAdmins, GitHub, GitLab, Google, Htpasswd, HtpasswdUser, Identity, IdentityInputs,
    IdentityProvider, Keystone, Ldap, LdapAttributes, MappingMethod, Oidc, OidcClient, OidcGroups, OidcUsername,
    OidcValue, OpenId, OpenIdClaims, ProviderKind, RequestHeader, TestUser,
};
pub use node_pool::{
    AccessMode, Arch, CacheStrategy, HostDevice, NodePool, QosClass, RootVolume, Taint, UpgradeType, VolumeMode,
};
pub use platform::{ImageContentSource, InfraCluster, StorageDriver, StorageDriverType, StorageMapping};
pub use settings::{
    ClusterAutoscaling, ComponentRoute, Expander, GuestIngress, Images, ImportRegistry, Proxy, ScaleDown,
    ScalingDirection, Scheduler, SchedulerProfile,
};
pub use source::{BundleSource, KeySource, SecretSource};
pub use workers::{Amount, HealthCheck, InPlace, MachinePatch, PatchOperation, Replace, ReplaceStrategy};

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
    /// What the identity section refers to.
    pub identity: IdentityInputs,
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
    /// Whether the guest was made by something else and stays that owner's: Berth then changes single fields, marks and
    /// deletes nothing, and makes no Secrets.
    #[serde(default, skip_serializing_if = "is_false")]
    pub adopt: bool,
    /// What the guest runs.
    #[schemars(extend("x-becomes" = "spec"))]
    pub release: GuestRelease,
    /// The credentials for pulling images.
    #[schemars(extend("x-becomes" = "spec.pullSecret", "x-edit" = "rollout"))]
    pub pull_secret: SecretSource,
    /// The public key for the workers' `core` user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.sshKey", "x-edit" = "rollout"))]
    pub ssh_key: Option<KeySource>,
    /// Certificates that the guest trusts besides the well-known ones, as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.additionalTrustBundle", "x-edit" = "rollout"))]
    pub additional_trust_bundle: Option<BundleSource>,
    /// Mirrors to pull images from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = "spec.imageContentSources[]", "x-edit" = "rollout"))]
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
    #[schemars(extend("x-becomes" = "spec.dns.baseDomain", "x-edit" = "fixed"))]
    pub base_domain: Option<String>,
    /// The proxy through which the guest reaches the outside.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.configuration.proxy", "x-edit" = "rollout"))]
    pub proxy: Proxy,
    /// Which registries the guest uses.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.configuration.image", "x-edit" = "rollout"))]
    pub images: Images,
    /// The domains of the guest's routes.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.configuration.ingress"))]
    pub ingress: GuestIngress,
    /// How the guest's scheduler chooses nodes.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.configuration.scheduler"))]
    pub scheduler: Scheduler,
    /// How the guest's autoscaler behaves; the bounds are each pool's.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.autoscaling"))]
    pub autoscaling: ClusterAutoscaling,
    /// When workers that stay unhealthy are replaced; a pool's own `healthCheck` goes before it.
    #[serde(default)]
    pub health_check: HealthCheck,
    /// A JSON patch on the virtual machines of all pools.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend(
        "x-becomes" = "metadata.annotations[hypershift.openshift.io/kubevirt-vm-jsonpatch]",
        "x-encoded" = "json",
        "x-edit" = "machines"
    ))]
    pub machine_patches: Vec<MachinePatch>,
    /// How the control plane's services are reached.
    #[serde(default)]
    pub services: Services,
    /// The sets of workers.
    #[serde(default)]
    pub node_pools: Vec<NodePool>,
    /// Another cluster that runs the workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.platform.kubevirt.credentials", "x-edit" = "fixed"))]
    pub infra_cluster: Option<InfraCluster>,
    /// Which storage and snapshot classes the guest sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.platform.kubevirt.storageDriver", "x-edit" = "fixed"))]
    pub storage_driver: Option<StorageDriver>,
    /// Whether the guest uses FIPS-validated cryptography; can't be changed later.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.fips", "x-edit" = "fixed"))]
    pub fips: bool,
    /// Optional parts of OpenShift.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.capabilities", "x-edit" = "fixed"))]
    pub capabilities: Capabilities,
    /// A predefined set of features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.configuration.featureGate.featureSet", "x-edit" = "fixed"))]
    pub feature_set: Option<FeatureSet>,
    /// Where the operator catalogs run.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.olmCatalogPlacement", "x-edit" = "fixed"))]
    pub olm_catalog_placement: OlmCatalogPlacement,
    /// Whether the default operator catalogs are off.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.configuration.operatorhub.disableAllDefaultSources"))]
    pub olm_disable_default_sources: bool,
    /// The guest's infrastructure ID; left out, HyperShift makes one.
    #[serde(default, rename = "infraID", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-label"))]
    #[schemars(extend("x-becomes" = "spec.infraID", "x-edit" = "fixed"))]
    pub infra_id: Option<String>,
    /// How the guest is reached once it runs.
    #[serde(default)]
    pub access: Access,
    /// Who may log in; left out, `kubeadmin` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Whether HyperShift leaves the guest alone: `true`, or until a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.pausedUntil", "x-true" = "true"))]
    pub paused: Option<PausedUntil>,
    /// Fields of upstream objects' `spec`, merged last.
    #[serde(default)]
    pub overrides: Overrides,
}

/// What a guest runs, and where it learns of newer releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GuestRelease {
    /// The release image, as `quay.io/openshift-release-dev/ocp-release:4.17.0-multi`.
    #[schemars(extend("format" = "image", "x-becomes" = ".release.image", "x-edit" = "rollout"))]
    pub image: String,
    /// Another release image for what runs on the management cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "image", "x-becomes" = ".controlPlaneRelease.image"))]
    pub control_plane_image: Option<String>,
    /// The update channel, as `stable-4.17`: without one no updates are found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-becomes" = ".channel"))]
    pub channel: Option<String>,
    /// Another service that knows of updates; left out, Red Hat's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "url", "x-becomes" = ".updateService"))]
    pub update_service: Option<String>,
}

/// What a pool runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// The release image, as `quay.io/openshift-release-dev/ocp-release:4.17.0-multi`.
    #[schemars(extend("format" = "image", "x-becomes" = ".image", "x-edit" = "rollout"))]
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
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

    /// The name of the NodePool that a pool of the document becomes: one of its own, or `<guest>-<pool>`.
    pub fn node_pool_name(&self, pool: &NodePool) -> String {
        let usual = || format!("{}-{}", self.name, pool.name);
        pool.node_pool_name.clone().unwrap_or_else(usual)
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
