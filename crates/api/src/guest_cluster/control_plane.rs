//! How a guest's control plane runs, its networks, and how its services are reached.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{cidr::Cidr, quantity::Quantity};

/// How the control plane runs.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ControlPlane {
    /// Whether control-plane pods run threefold or once; can't be changed later.
    pub availability: AvailabilityPolicy,
    /// The same for what runs on the guest's own workers; left out, the server's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infrastructure_availability: Option<AvailabilityPolicy>,
    /// The control plane's store.
    pub etcd: Etcd,
    /// Labels of the nodes that control-plane pods may run on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// Taints that control-plane pods tolerate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Labels that control-plane pods get.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// A name of one's own for the guest's API server.
    #[serde(rename = "kubeAPIServerDNSName", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain"))]
    pub kube_api_server_dns_name: Option<String>,
}

/// Whether pods run threefold or once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum AvailabilityPolicy {
    /// Threefold, spread over nodes.
    #[default]
    HighlyAvailable,
    /// Once.
    SingleReplica,
}

/// The control plane's store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Etcd {
    /// The storage class of its volumes; left out, the default class.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain"))]
    pub storage_class: Option<String>,
    /// The size of each volume; can't be changed later.
    pub size: Quantity,
}

/// A taint that pods tolerate.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Toleration {
    /// The taint's key; left out with `Exists`, any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How the value is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<TolerationOperator>,
    /// The taint's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The taint's effect; left out, any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<TolerationEffect>,
    /// How long `NoExecute` is tolerated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<i64>,
}

/// How a toleration compares values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TolerationOperator {
    /// The values are equal.
    Equal,
    /// Any value will do.
    Exists,
}

/// What a taint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TolerationEffect {
    /// New pods stay away.
    NoSchedule,
    /// New pods stay away if they can.
    PreferNoSchedule,
    /// Running pods leave as well.
    NoExecute,
}

/// The guest's networks: disjoint from each other and from the management cluster's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Networking {
    /// The plugin.
    #[serde(rename = "type")]
    pub network_type: NetworkType,
    /// The pods' networks, one a family.
    #[schemars(length(min = 1, max = 2))]
    pub cluster_network: Vec<Cidr>,
    /// The services' networks, one a family.
    #[schemars(length(min = 1, max = 2))]
    pub service_network: Vec<Cidr>,
    /// The machines' networks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2))]
    pub machine_network: Vec<Cidr>,
    /// The pods' MTU, with OVNKubernetes only; left out, the plugin chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 576, max = 9216))]
    pub mtu: Option<u32>,
    /// Whether multus stays away, with type Other only.
    pub disable_multi_network: bool,
    /// Whether the control plane gives nodes their pod networks, with type Other only.
    #[serde(rename = "allocateNodeCIDRs")]
    pub allocate_node_cidrs: bool,
}

/// A network plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum NetworkType {
    /// OVN-Kubernetes.
    #[default]
    OVNKubernetes,
    /// OpenShift SDN.
    OpenShiftSDN,
    /// Calico.
    Calico,
    /// Any other.
    Other,
}

/// How the control plane's services are reached; can't be changed later.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Services {
    /// The API server; left out, a load balancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_server: Option<ServicePublishing>,
    /// The ignition server; left out, a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignition: Option<ServicePublishing>,
    /// The tunnel from control plane to nodes; left out, a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub konnectivity: Option<ServicePublishing>,
    /// The OAuth server; left out, a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth_server: Option<ServicePublishing>,
}

/// How one service is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServicePublishing {
    /// The way.
    #[serde(rename = "type")]
    pub kind: ServiceType,
    /// The name, for a load balancer or a route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain"))]
    pub hostname: Option<String>,
    /// The nodes' address, for a node port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub address: Option<String>,
    /// The port, for a node port; left out, the server chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<u32>,
}

/// The ways to reach a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ServiceType {
    /// A load balancer of its own.
    LoadBalancer,
    /// A route through the management cluster's ingress.
    Route,
    /// A port on every node.
    NodePort,
}

/// Optional parts of OpenShift.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Capabilities {
    /// Parts to have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enabled: Vec<Capability>,
    /// Parts to do without.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disabled: Vec<Capability>,
}

/// An optional part of OpenShift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Capability {
    /// The image registry.
    ImageRegistry,
    /// The samples operator.
    #[serde(rename = "openshift-samples")]
    OpenshiftSamples,
    /// Insights.
    Insights,
    /// Bare metal.
    #[serde(rename = "baremetal")]
    Baremetal,
    /// The console.
    Console,
    /// Node tuning.
    NodeTuning,
    /// Ingress; goes only with the console.
    Ingress,
}

/// A predefined set of features; can't be changed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FeatureSet {
    /// Technology previews; the cluster can't be upgraded.
    TechPreviewNoUpgrade,
    /// Developer previews; the cluster can't be upgraded.
    DevPreviewNoUpgrade,
}

/// Bounds for the autoscaler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Autoscaling {
    /// The fewest workers.
    #[schemars(range(min = 1))]
    pub min: u32,
    /// The most workers.
    #[schemars(range(min = 1))]
    pub max: u32,
}

// === impl Etcd ===

impl Default for Etcd {
    fn default() -> Self {
        Self {
            storage_class: None,
            size: Quantity::gibibytes(8),
        }
    }
}

// === impl Networking ===

impl Default for Networking {
    fn default() -> Self {
        let network = |text: &str| text.parse().expect("a constant network");
        Self {
            network_type: NetworkType::default(),
            cluster_network: vec![network("10.132.0.0/14")],
            service_network: vec![network("172.31.0.0/16")],
            machine_network: Vec::new(),
            mtu: None,
            disable_multi_network: false,
            allocate_node_cidrs: false,
        }
    }
}
