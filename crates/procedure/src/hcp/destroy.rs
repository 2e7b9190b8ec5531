//! `destroy cluster kubevirt` and `destroy nodepool`: what they take.

use std::time::Duration;

use berth_api::GoDuration;

use super::{
    HcpError,
    flags::{Flag, Flags, Kind::Duration as Time, Values},
};

/// `destroy cluster kubevirt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestroyCluster {
    /// Name of the HostedCluster.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The infrastructure ID, for a HostedCluster that is gone already.
    pub infra_id: Option<String>,
    /// How long the HostedCluster may take to go.
    pub grace_period: Duration,
    /// Whether what the guest made outside itself is to go as well.
    pub destroy_cloud_resources: bool,
    /// The kubeconfig to use.
    pub kubeconfig: Option<String>,
}

impl DestroyCluster {
    pub(super) fn from_flags(values: &Values) -> Result<Self, HcpError> {
        let grace = values.text("cluster-grace-period");
        Ok(Self {
            name: values.require("name")?,
            namespace: values.text("namespace"),
            infra_id: values.some("infra-id"),
            // A length below zero is over at once.
            grace_period: grace.parse::<GoDuration>().map(|grace| grace.get()).unwrap_or_default(),
            destroy_cloud_resources: values.is_set("destroy-cloud-resources"),
            kubeconfig: values.some("kubeconfig"),
        })
    }
}

pub(super) const CLUSTER_FLAGS: Flags = &[&[
    Flag::new(
        "cluster-grace-period",
        Time,
        "10m0s",
        "how long the hosted cluster may take to go",
    ),
    Flag::bool(
        "destroy-cloud-resources",
        true,
        "remove what the guest made outside itself as well",
    ),
    Flag::text("infra-id", "", "the infrastructure ID of a hosted cluster that is gone"),
    Flag::text("kubeconfig", "", "the kubeconfig to use"),
    Flag::text("name", "", "the hosted cluster's name"),
    Flag::text("namespace", "clusters", "the hosted cluster's namespace"),
]];

pub(super) const NODE_POOL_FLAGS: Flags = &[&[
    Flag::text("name", "", "the node pool's name"),
    Flag::text("namespace", "clusters", "the node pool's namespace"),
]];
