//! Berth's documents, and the parts of upstream kinds that Berth reads or writes.
//!
//! Begin with [`load`] (text → [`Documents`], or every error of every file with its place), then [`GuestCluster`] and
//! [`ManagementCluster`] (what a document says, with defaults resolved). [`views`] reads upstream objects, [`yaml`] is the
//! one door for YAML, [`schemas`] makes the JSON Schemas for editors.
//!
//! What is not here: I/O. Files and environment variables are read through functions that the caller passes in.

mod cidr;
mod document;
mod duration;
mod guest_cluster;
mod management_cluster;
mod name;
mod quantity;
mod resource;
mod schema;
mod secret;
mod upstream;
pub mod views;
pub mod yaml;

/// The kinds' addresses: `resources::HOSTED_CLUSTER`.
pub mod resources {
    pub use crate::resource::*;
}
pub use cidr::{Cidr, CidrError};
pub use document::{DocumentError, Documents, Position, Positions, PullSecretProblem, Source, check_pull_secret, load};
pub use duration::{DurationError, GoDuration};
pub use guest_cluster::{
    Access, AccessMode, Amount, ApiServer, Arch, Audit, AuditProfile, AuditRule, Autoscaling, AvailabilityPolicy,
    BundleSource, CacheStrategy, Capabilities, Capability, ClusterAutoscaling, ComponentRoute, ControlPlane,
    Encryption, Etcd, Expander, ExternalIp, FeatureSet, GuestCluster, GuestClusterSpec, GuestIngress, GuestRelease,
    HealthCheck, HostDevice, ImageContentSource, Images, ImportRegistry, InPlace, InfraCluster, KeySource,
    MachinePatch, NetworkDiagnostics, NetworkType, Networking, NodePool, OlmCatalogPlacement, Overrides, OvnNetworks,
    PatchOperation, PausedUntil, Proxy, QosClass, Release, Replace, ReplaceStrategy, RootVolume, ScaleDown,
    ScalingDirection, Scheduler, SchedulerProfile, SecretInput, SecretSource, ServicePublishing, ServiceType, Services,
    ServingCert, StorageDriver, StorageDriverType, StorageMapping, Taint, TlsProfile, Toleration, TolerationEffect,
    TolerationOperator, UnmanagedEtcd, UpgradeType, VolumeMode,
};
pub use guest_cluster::{
    BasicAuth, CaSource, ClusterAdmins, GitHub, GitLab, Google, Htpasswd, HtpasswdUser, Identity, IdentityInputs,
    IdentityProvider, Keystone, Ldap, LdapAttributes, MappingMethod, Oidc, OidcClient, OidcGroups, OidcUsername,
    OidcValue, OpenId, OpenIdClaims, ProviderKind, RequestHeader, TestUser,
};
pub use management_cluster::{
    CatalogSource, Channel, Cli, Ingress, InstallPlanApproval, ManagementCluster, ManagementClusterSpec,
    MulticlusterEngine, Storage, WildcardPolicy,
};
pub use name::{NameError, check_label, check_subdomain};
pub use quantity::{Quantity, QuantityError};
pub use resource::Resource;
pub use schema::{Edit, Field, fields_of_kind, fixed_fields, schemas};
pub use secret::Secret;
pub use upstream::{
    hosted_cluster_fields, node_pool_fields, pool_of_node_pool, read_field, set_field, spec_of_hosted_cluster,
};
