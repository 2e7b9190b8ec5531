//! How a guest's control plane runs, its networks, and how its services are reached.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::api_server::ApiServer;
use crate::{cidr::Cidr, quantity::Quantity};

/// How the control plane runs.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ControlPlane {
    /// Whether control-plane pods run threefold or once; can't be changed later.
    #[schemars(extend("x-becomes" = "spec.controllerAvailabilityPolicy", "x-edit" = "fixed"))]
    pub availability: AvailabilityPolicy,
    /// The same for what runs on the guest's own workers; left out, the server's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.infrastructureAvailabilityPolicy"))]
    pub infrastructure_availability: Option<AvailabilityPolicy>,
    /// The control plane's store.
    #[schemars(extend("x-becomes" = "spec.etcd"))]
    pub etcd: Etcd,
    /// The keys that the store's contents are encrypted with; left out, one is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.secretEncryption.aescbc"))]
    pub encryption: Option<Encryption>,
    /// The API server.
    pub api_server: ApiServer,
    /// Labels of the nodes that control-plane pods may run on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-becomes" = "spec.nodeSelector"))]
    pub node_selector: BTreeMap<String, String>,
    /// Taints that control-plane pods tolerate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = "spec.tolerations[]"))]
    pub tolerations: Vec<Toleration>,
    /// Labels that control-plane pods get.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-becomes" = "spec.labels"))]
    pub labels: BTreeMap<String, String>,
    /// The issuer that tokens of service accounts name; left out, `https://kubernetes.default.svc`.
    #[serde(rename = "issuerURL", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "url", "x-becomes" = "spec.issuerURL", "x-edit" = "fixed"))]
    pub issuer_url: Option<String>,
    /// A Secret (key `key`) with the private key that signs tokens of service accounts; needs `issuerURL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "secret-name", "x-becomes" = "spec.serviceAccountSigningKey.name"))]
    pub service_account_signing_key: Option<String>,
    /// A name of one's own for the guest's API server.
    #[serde(rename = "kubeAPIServerDNSName", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain"))]
    #[schemars(extend("x-becomes" = "spec.kubeAPIServerDNSName"))]
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
    #[schemars(extend("x-becomes" = ".managed.storage.persistentVolume.storageClassName", "x-edit" = "fixed"))]
    pub storage_class: Option<String>,
    /// The size of each volume; can't be changed later.
    #[schemars(extend("x-becomes" = ".managed.storage.persistentVolume.size", "x-edit" = "fixed"))]
    pub size: Quantity,
    /// A snapshot to begin from: an address that starts with `https:` or `s3:`. It can't be given later.
    #[serde(rename = "restoreSnapshotURL", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "snapshot-url", "x-becomes" = ".managed.storage.restoreSnapshotURL[0]", "x-edit" = "fixed"))]
    pub restore_snapshot_url: Option<String>,
    /// A store that somebody else runs, in place of one of the guest's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".unmanaged", "x-edit" = "fixed"))]
    pub unmanaged: Option<UnmanagedEtcd>,
}

/// A store that somebody else runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnmanagedEtcd {
    /// Its address, as `https://etcd.example.com:2379`.
    #[schemars(extend("format" = "url", "x-becomes" = ".endpoint"))]
    pub endpoint: String,
    /// The Secret with its client certificates: `etcd-client-ca.crt`, `etcd-client.crt`, `etcd-client.key`.
    #[schemars(extend("format" = "secret-name", "x-becomes" = ".tls.clientSecret.name"))]
    pub tls_secret: String,
}

/// The keys that a store's contents are encrypted with (AES-CBC): Secrets that exist, with 32 bytes below `key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Encryption {
    /// The one to write with; another name here is a rotation.
    #[schemars(extend("format" = "secret-name", "x-becomes" = ".activeKey.name"))]
    pub active_key: String,
    /// The former one, while contents may still be encrypted with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "secret-name", "x-becomes" = ".backupKey.name"))]
    pub backup_key: Option<String>,
}

/// A taint that pods tolerate.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Toleration {
    /// The taint's key; left out with `Exists`, any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".key"))]
    pub key: Option<String>,
    /// How the value is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".operator"))]
    pub operator: Option<TolerationOperator>,
    /// The taint's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".value"))]
    pub value: Option<String>,
    /// The taint's effect; left out, any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".effect"))]
    pub effect: Option<TolerationEffect>,
    /// How long `NoExecute` is tolerated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".tolerationSeconds"))]
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
    #[schemars(extend("x-becomes" = "spec.networking.networkType", "x-edit" = "fixed"))]
    pub network_type: NetworkType,
    /// The pods' networks, one a family.
    #[schemars(length(min = 1, max = 2))]
    #[schemars(extend("x-becomes" = "spec.networking.clusterNetwork[].cidr", "x-edit" = "fixed"))]
    pub cluster_network: Vec<Cidr>,
    /// The services' networks, one a family.
    #[schemars(length(min = 1, max = 2))]
    #[schemars(extend("x-becomes" = "spec.networking.serviceNetwork[].cidr", "x-edit" = "fixed"))]
    pub service_network: Vec<Cidr>,
    /// The machines' networks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2))]
    #[schemars(extend("x-becomes" = "spec.networking.machineNetwork[].cidr", "x-edit" = "fixed"))]
    pub machine_network: Vec<Cidr>,
    /// How long the prefix of each node's part of the pods' network is; left out, 23 (64 with IPv6).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 8, max = 128))]
    #[schemars(extend("x-becomes" = "spec.networking.clusterNetwork[].hostPrefix", "x-edit" = "fixed"))]
    pub host_prefix: Option<u32>,
    /// Networks that OVN-Kubernetes keeps to itself.
    pub ovn: OvnNetworks,
    /// The range of node ports, as `30000-32767`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "port-range", "x-becomes" = "spec.configuration.network.serviceNodePortRange"))]
    pub service_node_port_range: Option<String>,
    /// Which external addresses services may have.
    #[schemars(extend("x-becomes" = "spec.configuration.network.externalIP"))]
    #[serde(rename = "externalIP")]
    pub external_ip: ExternalIp,
    /// Whether the guest tries out its own network.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.configuration.network.networkDiagnostics.mode"))]
    pub diagnostics: Option<NetworkDiagnostics>,
    /// The pods' MTU, with OVNKubernetes only; left out, the plugin chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 576, max = 9216))]
    #[schemars(extend("x-becomes" = "spec.operatorConfiguration.clusterNetworkOperator.ovnKubernetesConfig.mtu", "x-edit" = "fixed"))]
    pub mtu: Option<u32>,
    /// Whether multus stays away, with type Other only.
    #[schemars(extend("x-becomes" = "spec.operatorConfiguration.clusterNetworkOperator.disableMultiNetwork", "x-edit" = "fixed"))]
    pub disable_multi_network: bool,
    /// Whether the control plane gives nodes their pod networks, with type Other only.
    #[serde(rename = "allocateNodeCIDRs")]
    #[schemars(extend("x-becomes" = "spec.networking.allocateNodeCIDRs", "x-edit" = "fixed", "x-true" = "Enabled", "x-false" = "Disabled"))]
    pub allocate_node_cidrs: bool,
}

/// Networks that OVN-Kubernetes keeps to itself, each in place of a default of its own.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OvnNetworks {
    /// Between routers of a node; left out, 100.66.0.0/16.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "x-becomes" = "spec.operatorConfiguration.clusterNetworkOperator.ovnKubernetesConfig.ipv4.internalJoinSubnet",
        "x-edit" = "fixed"
    ))]
    pub join_subnet: Option<Cidr>,
    /// Between nodes; left out, 100.88.0.0/16.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "x-becomes" = "spec.operatorConfiguration.clusterNetworkOperator.ovnKubernetesConfig.ipv4.internalTransitSwitchSubnet",
        "x-edit" = "fixed"
    ))]
    pub transit_subnet: Option<Cidr>,
    /// The same between routers, for IPv6.
    #[serde(rename = "joinSubnetIPv6", skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "x-becomes" = "spec.operatorConfiguration.clusterNetworkOperator.ovnKubernetesConfig.ipv6.internalJoinSubnet",
        "x-edit" = "fixed"
    ))]
    pub join_subnet_ipv6: Option<Cidr>,
    /// The same between nodes, for IPv6.
    #[serde(rename = "transitSubnetIPv6", skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "x-becomes" = "spec.operatorConfiguration.clusterNetworkOperator.ovnKubernetesConfig.ipv6.internalTransitSwitchSubnet",
        "x-edit" = "fixed"
    ))]
    pub transit_subnet_ipv6: Option<Cidr>,
}

/// Which external addresses services may have.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ExternalIp {
    /// Networks from which services of type LoadBalancer get one by themselves.
    #[serde(rename = "autoAssignCIDRs", skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".autoAssignCIDRs"))]
    pub auto_assign_cidrs: Vec<Cidr>,
    /// Networks from which one may be asked for.
    #[serde(rename = "allowedCIDRs", skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".policy.allowedCIDRs"))]
    pub allowed_cidrs: Vec<Cidr>,
    /// Networks from which none may be asked for; they go before the allowed ones.
    #[serde(rename = "rejectedCIDRs", skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".policy.rejectedCIDRs"))]
    pub rejected_cidrs: Vec<Cidr>,
}

/// Whether a guest tries out its own network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NetworkDiagnostics {
    /// It does.
    All,
    /// It does not.
    Disabled,
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
    #[schemars(extend("x-becomes" = "spec.services[service=APIServer].servicePublishingStrategy", "x-edit" = "fixed"))]
    pub api_server: Option<ServicePublishing>,
    /// The ignition server; left out, a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.services[service=Ignition].servicePublishingStrategy", "x-edit" = "fixed"))]
    pub ignition: Option<ServicePublishing>,
    /// The tunnel from control plane to nodes; left out, a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.services[service=Konnectivity].servicePublishingStrategy", "x-edit" = "fixed"))]
    pub konnectivity: Option<ServicePublishing>,
    /// The OAuth server; left out, a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.services[service=OAuthServer].servicePublishingStrategy", "x-edit" = "fixed"))]
    pub oauth_server: Option<ServicePublishing>,
}

/// How one service is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServicePublishing {
    /// The way.
    #[serde(rename = "type")]
    #[schemars(extend("x-becomes" = ".type"))]
    pub kind: ServiceType,
    /// The name, for a load balancer or a route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain"))]
    #[schemars(extend("x-becomes" = ".route.hostname|.loadBalancer.hostname"))]
    pub hostname: Option<String>,
    /// The nodes' address, for a node port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    #[schemars(extend("x-becomes" = ".nodePort.address"))]
    pub address: Option<String>,
    /// The port, for a node port; left out, the server chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    #[schemars(extend("x-becomes" = ".nodePort.port"))]
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
    #[schemars(extend("x-becomes" = ".enabled"))]
    pub enabled: Vec<Capability>,
    /// Parts to do without.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".disabled"))]
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
    #[schemars(extend("x-becomes" = ".min"))]
    pub min: u32,
    /// The most workers.
    #[schemars(range(min = 1))]
    #[schemars(extend("x-becomes" = ".max"))]
    pub max: u32,
}

// === impl Etcd ===

impl Default for Etcd {
    fn default() -> Self {
        Self {
            storage_class: None,
            size: Quantity::gibibytes(8),
            restore_snapshot_url: None,
            unmanaged: None,
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
            host_prefix: None,
            ovn: OvnNetworks::default(),
            service_node_port_range: None,
            external_ip: ExternalIp::default(),
            diagnostics: None,
            mtu: None,
            disable_multi_network: false,
            allocate_node_cidrs: false,
        }
    }
}
