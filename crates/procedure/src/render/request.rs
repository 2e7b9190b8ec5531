//! What is asked for, whether by a document or by the flags of `hcp`.
//!
//! Plain texts stand where `hcp` takes any text and lets the server judge.

use std::collections::BTreeMap;

use berth_api::{ImageContentSource, Quantity, SecretInput, ServicePublishing, StorageMapping, Taint, Toleration};
use serde_json::{Map, Value};

use crate::secret::Secret;

/// The ConfigMap for certificates to trust, in the HostedCluster's namespace.
pub(super) const TRUST_BUNDLE: &str = "user-ca-bundle";

/// A hosted cluster as it is asked for.
#[expect(clippy::struct_excessive_bools, reason = "each is a field of its own upstream")]
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Name of the HostedCluster.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its infrastructure ID; left out, the operator makes one.
    pub infra_id: Option<String>,
    /// Its release image.
    pub release_image: String,
    /// Its base domain; left out, it is passed through from the management cluster.
    pub base_domain: Option<String>,
    /// Its pull secret.
    pub pull_secret: SecretInput,
    /// The key for the workers' `core` user.
    pub ssh_key: Option<SshKey>,
    /// Certificates to trust, as PEM.
    pub trust_bundle: Option<String>,
    /// Mirrors to pull images from.
    pub image_content_sources: Vec<ImageContentSource>,
    /// `spec.controllerAvailabilityPolicy`.
    pub controller_availability: String,
    /// `spec.infrastructureAvailabilityPolicy`.
    pub infrastructure_availability: Option<String>,
    /// The storage class of etcd's volumes.
    pub etcd_storage_class: Option<String>,
    /// The size of etcd's volumes.
    pub etcd_size: Quantity,
    /// Labels of the nodes for control-plane pods.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that control-plane pods tolerate.
    pub tolerations: Vec<Toleration>,
    /// Labels of control-plane pods.
    pub pod_labels: BTreeMap<String, String>,
    /// A name of one's own for the API server.
    pub kube_api_server_dns_name: Option<String>,
    /// The network plugin.
    pub network_type: String,
    /// The pods' networks.
    pub cluster_network: Vec<String>,
    /// The services' networks.
    pub service_network: Vec<String>,
    /// The machines' networks.
    pub machine_network: Vec<String>,
    /// The pods' MTU.
    pub mtu: Option<u32>,
    /// Whether multus stays away.
    pub disable_multi_network: bool,
    /// Whether the control plane gives nodes their pod networks.
    pub allocate_node_cidrs: bool,
    /// How the control plane's services are reached.
    pub services: Publishing,
    /// Another cluster that runs the workers.
    pub infra: Option<Infra>,
    /// Storage classes that the guest sees.
    pub storage_classes: Vec<StorageMapping>,
    /// Volume snapshot classes that the guest sees.
    pub snapshot_classes: Vec<StorageMapping>,
    /// Whether FIPS-validated cryptography is used.
    pub fips: bool,
    /// Optional parts to have.
    pub enabled_capabilities: Vec<String>,
    /// Optional parts to do without.
    pub disabled_capabilities: Vec<String>,
    /// A predefined set of features.
    pub feature_set: Option<String>,
    /// Where operator catalogs run.
    pub olm_catalog_placement: String,
    /// Whether the default operator catalogs are off.
    pub olm_disable_default_sources: bool,
    /// `spec.pausedUntil` of the HostedCluster.
    pub paused_until: Option<String>,
    /// The Secret that etcd's contents are encrypted with, where it exists; otherwise one is made.
    pub encryption_key: Option<String>,
    /// Fields that only documents ask for, as paths and values; null removes one.
    pub fields: Vec<(String, Value)>,
    /// Fields of the HostedCluster's `spec`, merged last.
    pub overrides: Map<String, Value>,
    /// The sets of workers.
    pub pools: Vec<PoolRequest>,
}

/// A key for SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshKey {
    /// The public half, as a line.
    pub public: String,
    /// The private half, where it is kept beside.
    pub private: Option<Secret>,
}

/// Another cluster that runs the workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Infra {
    /// Its kubeconfig.
    pub kubeconfig: SecretInput,
    /// The namespace there.
    pub namespace: String,
}

/// How the control plane's services are reached, in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publishing {
    /// The API server.
    pub api_server: ServicePublishing,
    /// The ignition server.
    pub ignition: ServicePublishing,
    /// The tunnel from control plane to nodes.
    pub konnectivity: ServicePublishing,
    /// The OAuth server.
    pub oauth_server: ServicePublishing,
}

/// A set of workers as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolRequest {
    /// Name of the NodePool.
    pub name: String,
    /// How many workers.
    pub scaling: Scaling,
    /// The release image.
    pub release_image: String,
    /// The processors.
    pub arch: String,
    /// Each worker's cores.
    pub cores: u32,
    /// Each worker's memory.
    pub memory: Option<Quantity>,
    /// `compute.qosClass`.
    pub qos_class: Option<String>,
    /// The storage class of each worker's disk.
    pub volume_storage_class: Option<String>,
    /// The size of each worker's disk.
    pub volume_size: Quantity,
    /// How each disk may be mounted.
    pub volume_access_modes: Vec<String>,
    /// Whether each disk is a block device.
    pub volume_mode: Option<String>,
    /// How the workers' image is kept.
    pub cache_strategy: Option<String>,
    /// `networkInterfaceMultiqueue`.
    pub multiqueue: Option<String>,
    /// Whether workers are on the pod network.
    pub attach_default_network: bool,
    /// More networks.
    pub additional_networks: Vec<String>,
    /// Devices of the hosts, each with a count.
    pub host_devices: Vec<(String, u32)>,
    /// Labels of the nodes for the virtual machines.
    pub vm_node_selector: BTreeMap<String, String>,
    /// Labels that workers get in the guest.
    pub node_labels: BTreeMap<String, String>,
    /// Taints that workers get in the guest.
    pub taints: Vec<Taint>,
    /// How workers are brought to another release.
    pub upgrade_type: String,
    /// Whether unhealthy workers are replaced.
    pub auto_repair: bool,
    /// How long a worker may take to drain, as Go prints it.
    pub drain_timeout: Option<String>,
    /// How long volumes may take to detach, as Go prints it.
    pub volume_detach_timeout: Option<String>,
    /// ConfigMaps with MachineConfigs.
    pub config: Vec<String>,
    /// ConfigMaps with tuning profiles.
    pub tuning_config: Vec<String>,
    /// `spec.pausedUntil` of the NodePool.
    pub paused_until: Option<String>,
    /// Fields that only documents ask for, as paths and values.
    pub fields: Vec<(String, Value)>,
    /// Fields of the NodePool's `spec`, merged last, in this order.
    pub overrides: Vec<Map<String, Value>>,
}

/// How many workers a pool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// So many.
    Fixed(u32),
    /// What the autoscaler finds right within bounds.
    Auto {
        /// The fewest.
        min: u32,
        /// The most.
        max: u32,
    },
}

impl Request {
    /// Name of the pull secret.
    pub(super) fn pull_secret_name(&self) -> String {
        self.secret_name(&self.pull_secret, "pull-secret")
    }

    /// Name of the Secret with the key for SSH.
    pub(super) fn ssh_key_name(&self) -> String {
        format!("{}-ssh-key", self.name)
    }

    /// Name of the Secret with the key that etcd's contents are encrypted with.
    pub(super) fn etcd_key_name(&self) -> String {
        let usual = || format!("{}-etcd-encryption-key", self.name);
        self.encryption_key.clone().unwrap_or_else(usual)
    }

    /// Name of the Secret with the kubeconfig of the cluster that runs the workers.
    pub(super) fn infra_credentials_name(&self) -> String {
        const SUFFIX: &str = "infra-credentials";
        match &self.infra {
            Some(infra) => self.secret_name(&infra.kubeconfig, SUFFIX),
            None => format!("{}-{SUFFIX}", self.name),
        }
    }

    fn secret_name(&self, secret: &SecretInput, suffix: &str) -> String {
        match secret {
            SecretInput::Content(_) => format!("{}-{suffix}", self.name),
            SecretInput::Existing(name) => name.clone(),
        }
    }
}
