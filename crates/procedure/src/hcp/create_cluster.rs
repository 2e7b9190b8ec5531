//! The flags of `create cluster kubevirt`: the union of what both generations have.

use std::{path::PathBuf, time::Duration};

use berth_api::GoDuration;

use super::{
    HcpError,
    flags::{
        Flag,
        Kind::{Duration as Time, Int32, OlmCatalogPlacement, TextArray, TextMap, TextSlice, Uint32, UpgradeType},
        Values,
    },
};

/// `create cluster kubevirt`, its flags parsed but nothing read and nothing checked yet.
#[derive(Clone, Debug)]
pub struct CreateCluster {
    pub(super) values: Values,
    /// Whether the objects are printed rather than written.
    pub render: bool,
    /// The file to print to.
    pub render_into: Option<PathBuf>,
    /// Whether Secrets are printed as well.
    pub render_sensitive: bool,
    /// The kubeconfig to use.
    pub kubeconfig: Option<PathBuf>,
    /// Whether to wait until the cluster is rolled out.
    pub wait: bool,
    /// How long the whole command may take.
    pub timeout: Option<Duration>,
}

impl PartialEq for CreateCluster {
    fn eq(&self, other: &Self) -> bool {
        FLAGS
            .iter()
            .all(|flag| self.values.list(flag.name) == other.values.list(flag.name))
    }
}

impl CreateCluster {
    pub(super) fn from_flags(values: &Values) -> Result<Self, HcpError> {
        for group in [["cluster-cidr", "default-dual"], ["service-cidr", "default-dual"]] {
            let mut given: Vec<&str> = group.into_iter().filter(|name| values.was_given(name)).collect();
            given.sort_unstable();
            if given.len() > 1 {
                return Err(HcpError::new(format!(
                    "if any flags in the group [{}] are set none of the others can be; [{}] were all set",
                    group.join(" "),
                    given.join(" "),
                )));
            }
        }
        let timeout = values
            .text("timeout")
            .parse::<GoDuration>()
            .map(|timeout| timeout.get())
            .unwrap_or_default();
        Ok(Self {
            values: values.clone(),
            render: values.is_set("render") || values.some("render-into").is_some(),
            render_into: values.some("render-into").map(Into::into),
            render_sensitive: values.is_set("render-sensitive"),
            kubeconfig: values.some("kubeconfig").map(Into::into),
            wait: values.is_set("wait"),
            timeout: (!timeout.is_zero()).then_some(timeout),
        })
    }

    /// Name of the HostedCluster, as it was given.
    pub fn name(&self) -> String {
        self.values.text("name")
    }

    /// Its namespace.
    pub fn namespace(&self) -> String {
        self.values.text("namespace")
    }
}

pub(super) const FLAGS: &[Flag] = &[
    Flag::new(
        "additional-network",
        TextArray,
        "",
        "another network of the workers, as name:<namespace>/<name>",
    ),
    Flag::text("additional-trust-bundle", "", "a file of certificates to trust, as PEM"),
    Flag::bool(
        "allocate-node-cidrs",
        false,
        "let the control plane give nodes their pod networks",
    ),
    Flag::new(
        "annotations",
        TextArray,
        "",
        "an annotation of the hosted cluster, as key=value",
    ),
    Flag::text("arch", "amd64", "the workers' processors"),
    Flag::bool("attach-default-network", true, "put workers on the pod network"),
    Flag::bool("auto-repair", false, "replace workers that stay unhealthy"),
    Flag::text("base-domain", "", "the domain below which the cluster's names are"),
    Flag::text("base-domain-prefix", "", "without effect on KubeVirt"),
    Flag::new("cluster-cidr", TextArray, "10.132.0.0/14", "a network for pods"),
    Flag::text(
        "control-plane-availability-policy",
        "HighlyAvailable",
        "HighlyAvailable or SingleReplica",
    ),
    Flag::new("cores", Uint32, "2", "each worker's cores"),
    Flag::bool("default-dual", false, "without effect on KubeVirt"),
    Flag::new(
        "disable-cluster-capabilities",
        TextSlice,
        "",
        "optional parts to do without",
    ),
    Flag::bool("disable-multi-network", false, "do without multus"),
    Flag::new("enable-cluster-capabilities", TextSlice, "", "optional parts to have"),
    Flag::text("etcd-storage-class", "", "the storage class of etcd's volumes"),
    Flag::text("etcd-storage-size", "", "the size of etcd's volumes"),
    Flag::text("external-dns-domain", "", "publish the API server by a route"),
    Flag::text("feature-set", "", "a predefined set of features"),
    Flag::bool("fips", false, "use FIPS-validated cryptography"),
    Flag::bool("generate-ssh", false, "make a key for SSH"),
    Flag::new(
        "host-device-name",
        TextArray,
        "",
        "a device of the hosts, as <name>,count:<number>",
    ),
    Flag::text("image-content-sources", "", "a file with mirrors of registries"),
    Flag::text("infra-availability-policy", "", "HighlyAvailable or SingleReplica"),
    Flag::text("infra-id", "", "the infrastructure ID"),
    Flag::text(
        "infra-kubeconfig-file",
        "",
        "the kubeconfig of another cluster that runs the workers",
    ),
    Flag::text("infra-namespace", "", "the namespace there"),
    Flag::new(
        "infra-storage-class-mapping",
        TextArray,
        "",
        "a storage class, as <infra>/<guest>[,group=<group>]",
    ),
    Flag::new(
        "infra-volumesnapshot-class-mapping",
        TextArray,
        "",
        "a snapshot class, as <infra>/<guest>[,group=<group>]",
    ),
    Flag::text("kas-dns-name", "", "a name of one's own for the API server"),
    Flag::text("kubeconfig", "", "the kubeconfig to use"),
    Flag::new("labels", TextArray, "", "a label of the hosted cluster, as key=value"),
    Flag::new("machine-cidr", TextArray, "", "a network of the machines"),
    Flag::text("memory", "4Gi", "each worker's memory"),
    Flag::text("name", "", "the hosted cluster's name"),
    Flag::text("namespace", "clusters", "the hosted cluster's namespace"),
    Flag::text("network-multiqueue", "Enable", "Enable or Disable"),
    Flag::text("network-type", "OVNKubernetes", "the network plugin"),
    Flag::new("node-drain-timeout", Time, "0s", "how long a worker may take to drain"),
    Flag::new(
        "node-pool-replicas",
        Int32,
        "0",
        "how many workers; below zero no node pool is made",
    ),
    Flag::new(
        "node-selector",
        TextMap,
        "",
        "labels of the nodes for control-plane pods",
    ),
    Flag::new("node-upgrade-type", UpgradeType, "", "Replace or InPlace"),
    Flag::new(
        "node-volume-detach-timeout",
        Time,
        "0s",
        "how long volumes may take to detach",
    ),
    Flag::new(
        "olm-catalog-placement",
        OlmCatalogPlacement,
        "management",
        "management or guest",
    ),
    Flag::bool(
        "olm-disable-default-sources",
        false,
        "switch the default operator catalogs off",
    ),
    Flag::new("ovn-kubernetes-mtu", Int32, "0", "the pods' MTU"),
    Flag::text("pausedUntil", "", "true, or a time"),
    Flag::new("pods-labels", TextMap, "", "labels of control-plane pods"),
    Flag::text("pull-secret", "", "the file with the pull secret"),
    Flag::text("qos-class", "Burstable", "Burstable or Guaranteed"),
    Flag::text("release-image", "", "the release image"),
    Flag::text("release-stream", "", "the stream to take a release image from"),
    Flag::bool("render", false, "print the objects instead of writing them"),
    Flag::text("render-into", "", "a file to print the objects to"),
    Flag::bool("render-sensitive", false, "print Secrets as well"),
    Flag::text(
        "root-volume-access-modes",
        "",
        "how each worker's disk may be mounted, split by commas",
    ),
    Flag::text("root-volume-cache-strategy", "", "None or PVC"),
    Flag::new("root-volume-size", Uint32, "32", "the size of each worker's disk in Gi"),
    Flag::text(
        "root-volume-storage-class",
        "",
        "the storage class of each worker's disk",
    ),
    Flag::text("root-volume-volume-mode", "", "Filesystem or Block"),
    Flag::new("service-cidr", TextArray, "172.31.0.0/16", "a network for services"),
    Flag::text("ssh-key", "", "the file with the public key for SSH"),
    Flag::new("timeout", Time, "0s", "how long the whole command may take"),
    Flag::new(
        "toleration",
        TextArray,
        "",
        "a toleration of control-plane pods, as key=<k>,value=<v>,effect=<e>",
    ),
    Flag::bool("version-check", false, "refuse where client and operator differ"),
    Flag::new(
        "vm-node-selector",
        TextMap,
        "",
        "labels of the nodes for virtual machines",
    ),
    Flag::bool("wait", false, "wait until the cluster is rolled out"),
];
