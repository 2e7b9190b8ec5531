//! A set of workers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Autoscaling, PausedUntil, Release, TolerationEffect,
    workers::{HealthCheck, InPlace, MachinePatch, Replace},
};
use crate::{duration::GoDuration, quantity::Quantity};

/// A set of workers that are alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodePool {
    /// The pool's name; the NodePool is called `<guest>-<pool>`.
    #[schemars(extend("format" = "dns-label"))]
    pub name: String,
    /// The NodePool's own name, where it is not `<guest>-<pool>`: for pools that were there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain", "x-becomes" = "metadata.name", "x-edit" = "fixed"))]
    pub node_pool_name: Option<String>,
    /// How many workers; left out without `autoscaling`, 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.replicas"))]
    pub replicas: Option<u32>,
    /// Bounds for the autoscaler, in place of `replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.autoScaling"))]
    pub autoscaling: Option<Autoscaling>,
    /// Each worker's cores.
    #[serde(default = "default_cores")]
    #[schemars(range(min = 1))]
    #[schemars(extend("x-becomes" = "spec.platform.kubevirt.compute.cores", "x-edit" = "machines"))]
    pub cores: u32,
    /// Each worker's memory.
    #[serde(default = "default_memory")]
    #[schemars(extend("x-becomes" = "spec.platform.kubevirt.compute.memory", "x-edit" = "machines"))]
    pub memory: Quantity,
    /// Whether each worker's memory and cores are reserved.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.platform.kubevirt.compute.qosClass", "x-edit" = "machines"))]
    pub qos_class: QosClass,
    /// Each worker's disk.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.platform.kubevirt.rootVolume", "x-edit" = "machines"))]
    pub root_volume: RootVolume,
    /// More networks, each a NetworkAttachmentDefinition as `<namespace>/<name>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), extend("items" = {"type": "string", "format": "network-attachment"}))]
    #[schemars(extend("x-becomes" = "spec.platform.kubevirt.additionalNetworks[].name", "x-edit" = "machines"))]
    pub additional_networks: Vec<String>,
    /// Whether workers are on the pod network as well.
    #[serde(default = "yes")]
    #[schemars(extend("x-becomes" = "spec.platform.kubevirt.attachDefaultNetwork", "x-edit" = "machines"))]
    pub attach_default_network: bool,
    /// Whether network interfaces have several queues.
    #[serde(default = "yes")]
    #[schemars(extend("x-becomes" = "spec.platform.kubevirt.networkInterfaceMultiqueue", "x-edit" = "machines", "x-true" = "Enable", "x-false" = "Disable"))]
    pub network_multiqueue: bool,
    /// Devices of the hosts that each worker gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[schemars(extend("x-becomes" = "spec.platform.kubevirt.hostDevices[]", "x-edit" = "machines"))]
    pub host_devices: Vec<HostDevice>,
    /// Labels of the management cluster's nodes that the virtual machines may run on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-becomes" = "spec.platform.kubevirt.nodeSelector", "x-edit" = "machines"))]
    pub node_selector: BTreeMap<String, String>,
    /// Labels that the workers get in the guest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-becomes" = "spec.nodeLabels", "x-edit" = "new"))]
    pub node_labels: BTreeMap<String, String>,
    /// Taints that the workers get in the guest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[schemars(extend("x-becomes" = "spec.taints[]", "x-edit" = "new"))]
    pub taints: Vec<Taint>,
    /// The processors.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.arch", "x-edit" = "fixed"))]
    pub arch: Arch,
    /// How workers are brought to another release; can't be changed later.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.management.upgradeType", "x-edit" = "fixed"))]
    pub upgrade_type: UpgradeType,
    /// How new machines take the place of old ones, with the upgrade type Replace.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.management.replace"))]
    pub replace: Replace,
    /// How machines are updated where they are, with the upgrade type InPlace.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.management.inPlace"))]
    pub in_place: InPlace,
    /// Whether workers that stay unhealthy are replaced.
    #[serde(default)]
    #[schemars(extend("x-becomes" = "spec.management.autoRepair"))]
    pub auto_repair: bool,
    /// When workers that stay unhealthy are replaced, with `autoRepair`.
    #[serde(default)]
    pub health_check: HealthCheck,
    /// How long a worker may take to drain; left out, without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.nodeDrainTimeout"))]
    pub drain_timeout: Option<GoDuration>,
    /// How long volumes may take to detach; left out, without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.nodeVolumeDetachTimeout"))]
    pub volume_detach_timeout: Option<GoDuration>,
    /// Another release than the guest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.release", "x-edit" = "rollout"))]
    pub release: Option<Release>,
    /// ConfigMaps with MachineConfigs and the like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = "spec.config[].name", "x-edit" = "rollout"))]
    #[schemars(length(max = 10))]
    pub config: Vec<String>,
    /// ConfigMaps with tuning profiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = "spec.tuningConfig[].name", "x-edit" = "rollout"))]
    #[schemars(length(max = 10))]
    pub tuning_config: Vec<String>,
    /// A JSON patch on the virtual machines of this pool, after the guest's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend(
        "x-becomes" = "metadata.annotations[hypershift.openshift.io/kubevirt-vm-jsonpatch]",
        "x-encoded" = "json",
        "x-edit" = "machines"
    ))]
    pub machine_patches: Vec<MachinePatch>,
    /// Whether HyperShift leaves the pool alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.pausedUntil", "x-true" = "true"))]
    pub paused: Option<PausedUntil>,
    /// Fields of the NodePool's `spec`, merged last.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub overrides: Map<String, Value>,
}

/// Whether memory and cores are reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum QosClass {
    /// Used by others while they are not needed.
    #[default]
    Burstable,
    /// Reserved.
    Guaranteed,
}

/// A worker's disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RootVolume {
    /// The storage class; left out, the default for virtual machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain"))]
    #[schemars(extend("x-becomes" = ".persistent.storageClass"))]
    pub storage_class: Option<String>,
    /// The size, at least 16Gi.
    #[schemars(extend("x-becomes" = ".persistent.size"))]
    pub size: Quantity,
    /// An image to boot from in place of the release's own, as a container disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "image", "x-becomes" = ".diskImage.containerDiskImage"))]
    pub image: Option<String>,
    /// How the volume may be mounted; left out, as the storage profile says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".persistent.accessModes"))]
    pub access_modes: Vec<AccessMode>,
    /// Whether it is a block device; left out, as the storage profile says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".persistent.volumeMode"))]
    pub volume_mode: Option<VolumeMode>,
    /// Whether the image is imported once and cloned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".cacheStrategy.type"))]
    pub cache_strategy: Option<CacheStrategy>,
}

/// How a volume may be mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccessMode {
    /// By one node.
    ReadWriteOnce,
    /// By many nodes, which live migration needs.
    ReadWriteMany,
    /// By many nodes, to read. Upstream's own spelling.
    ReadOnly,
    /// By one pod.
    ReadWriteOncePod,
}

/// A volume as a device or with a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum VolumeMode {
    /// With a file system.
    Filesystem,
    /// As a device.
    Block,
}

/// How the workers' image is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CacheStrategy {
    /// Imported for every worker.
    None,
    /// Imported once into a volume, and cloned.
    PVC,
}

/// A device of the hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostDevice {
    /// The device's resource name.
    #[schemars(length(min = 1))]
    #[schemars(extend("x-becomes" = ".deviceName"))]
    pub name: String,
    /// How many.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    #[schemars(extend("x-becomes" = ".count"))]
    pub count: u32,
}

/// A taint of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Taint {
    /// The key.
    #[schemars(length(min = 1))]
    #[schemars(extend("x-becomes" = ".key"))]
    pub key: String,
    /// The value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".value"))]
    pub value: Option<String>,
    /// What the taint does.
    #[schemars(extend("x-becomes" = ".effect"))]
    pub effect: TolerationEffect,
}

/// Processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// x86-64.
    #[default]
    Amd64,
    /// 64-bit Arm.
    Arm64,
    /// POWER.
    Ppc64le,
    /// IBM Z.
    S390x,
}

/// How workers are brought to another release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum UpgradeType {
    /// By new machines.
    #[default]
    Replace,
    /// On the same machines.
    InPlace,
}

// === impl NodePool ===

impl NodePool {
    /// How many workers to wait for: what is wanted, or the autoscaler's lower bound.
    pub fn wanted(&self) -> u32 {
        match (self.autoscaling, self.replicas) {
            (Some(bounds), _) => bounds.min,
            (None, Some(replicas)) => replicas,
            (None, None) => DEFAULT_REPLICAS,
        }
    }
}

// === impl RootVolume ===

impl Default for RootVolume {
    fn default() -> Self {
        Self {
            storage_class: None,
            size: Quantity::gibibytes(32),
            image: None,
            access_modes: Vec::new(),
            volume_mode: None,
            cache_strategy: None,
        }
    }
}

/// Two, so that the guest's ingress and console are healthy.
const DEFAULT_REPLICAS: u32 = 2;

fn default_cores() -> u32 {
    2
}

/// What the HostedCluster's own schema defaults to; `hcp` has 4Gi, which leaves little for workloads.
fn default_memory() -> Quantity {
    Quantity::gibibytes(8)
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}
