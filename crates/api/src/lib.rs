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
    Access, AccessMode, Arch, Autoscaling, AvailabilityPolicy, CacheStrategy, Capabilities, Capability, ControlPlane,
    Etcd, FeatureSet, GuestCluster, GuestClusterSpec, HostDevice, ImageContentSource, InfraCluster, NetworkType,
    Networking, NodePool, OlmCatalogPlacement, Overrides, PausedUntil, QosClass, Release, RootVolume, SecretInput,
    SecretSource, ServicePublishing, ServiceType, Services, StorageDriver, StorageMapping, Taint, TextSource,
    Toleration, TolerationEffect, TolerationOperator, UpgradeType, VolumeMode,
};
pub use management_cluster::{
    CatalogSource, Channel, Cli, Ingress, InstallPlanApproval, ManagementCluster, ManagementClusterSpec,
    MulticlusterEngine, Storage, WildcardPolicy,
};
pub use name::{NameError, check_label, check_subdomain};
pub use quantity::{Quantity, QuantityError};
pub use resource::Resource;
pub use schema::schemas;
pub use secret::Secret;
