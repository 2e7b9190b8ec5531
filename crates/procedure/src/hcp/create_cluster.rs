//! The flags of `create cluster kubevirt`: the union of what both generations have.

use std::{path::PathBuf, time::Duration};

use berth_api::GoDuration;

use super::{
    HcpError, Stream,
    flags::{
        Flag, Flags,
        Kind::{Duration as Time, Int32, OlmCatalogPlacement, TextArray, TextMap, TextSlice, Uint32, UpgradeType},
        Values,
    },
    release,
};
use crate::render::Dialect;

/// `create cluster kubevirt`, its flags parsed but nothing read and nothing checked yet.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Clone, Debug, PartialEq)]
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
    /// Whether client and operator must fit.
    pub version_check: bool,
    /// Whether what can't work is refused rather than warned of.
    pub strict: bool,
    /// The image that a release stream turned out to mean.
    found: Option<String>,
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
            render: values.is_set("render"),
            render_into: values.some("render-into").map(Into::into),
            render_sensitive: values.is_set("render-sensitive"),
            kubeconfig: values.some("kubeconfig").map(Into::into),
            wait: values.is_set("wait"),
            timeout: (!timeout.is_zero()).then_some(timeout),
            version_check: values.is_set("version-check"),
            strict: values.is_set("strict"),
            found: None,
        })
    }

    /// The workers' processors.
    pub fn arch(&self) -> String {
        self.values.text("arch")
    }

    /// The release image, as far as it is known; else empty.
    pub fn release_image(&self) -> String {
        let given = self.values.some("release-image");
        given.or_else(|| self.found.clone()).unwrap_or_default()
    }

    /// The stream to look a release image up in, if that is still to be done.
    pub fn stream(&self) -> Option<Stream> {
        let stream = self.values.some("release-stream").map(Stream);
        stream.filter(|_| self.release_image().is_empty())
    }

    /// The command with the image that its release stream means.
    #[must_use]
    pub fn with_release(mut self, image: String) -> Self {
        self.found = Some(image);
        self
    }

    /// The generation to render for where no cluster is asked.
    ///
    /// A release image of 4.17 or older only suggests the older one: a flag that it lacks outweighs that.
    pub fn generation(&self) -> Dialect {
        let given_new = NEW_FLAGS.iter().any(|flag| self.values.was_given(flag));
        match release::generation(&self.release_image()) {
            Some(Dialect::Release4_17) if !given_new => Dialect::Release4_17,
            _ => Dialect::Current,
        }
    }

    /// Refuses flags whose fields a HostedCluster does not have.
    pub fn check_fields(&self, lacks: impl Fn(&str) -> bool) -> Result<(), HcpError> {
        let given = NEW_FIELDS.iter().filter(|(flag, _)| self.values.was_given(flag));
        let missing: Vec<String> = given
            .filter(|(_, field)| lacks(field))
            .map(|(flag, field)| format!("--{flag} (spec.{field})"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(HcpError::new(format!(
            "this hub's HyperShift has no field for {}: leave it out, or upgrade the multicluster engine",
            missing.join(", ")
        )))
    }
}

/// Flags that came after 4.17, which say that a newer HyperShift is meant.
const NEW_FLAGS: [&str; 12] = [
    "allocate-node-cidrs",
    "disable-cluster-capabilities",
    "disable-multi-network",
    "enable-cluster-capabilities",
    "etcd-storage-size",
    "feature-set",
    "kas-dns-name",
    "labels",
    "machine-cidr",
    "ovn-kubernetes-mtu",
    "pods-labels",
    "version-check",
];

/// Flags whose fields came after 4.17. The other new flags set fields that were there before.
const NEW_FIELDS: [(&str, &str); 7] = [
    ("allocate-node-cidrs", "networking.allocateNodeCIDRs"),
    ("disable-cluster-capabilities", "capabilities"),
    ("disable-multi-network", "operatorConfiguration"),
    ("enable-cluster-capabilities", "capabilities"),
    ("kas-dns-name", "kubeAPIServerDNSName"),
    ("ovn-kubernetes-mtu", "operatorConfiguration"),
    ("pods-labels", "labels"),
];

pub(super) const FLAGS: Flags = &[OWN_FLAGS, POOL_FLAGS];

const OWN_FLAGS: &[Flag] = &[
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
    Flag::bool("auto-repair", false, "replace workers that stay unhealthy"),
    Flag::text("base-domain", "", "the domain below which the cluster's names are"),
    Flag::text("base-domain-prefix", "", "without effect on KubeVirt"),
    Flag::new("cluster-cidr", TextArray, "10.132.0.0/14", "a network for pods"),
    Flag::text(
        "control-plane-availability-policy",
        "HighlyAvailable",
        "HighlyAvailable or SingleReplica",
    ),
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
    Flag::text("name", "", "the hosted cluster's name"),
    Flag::text("namespace", "clusters", "the hosted cluster's namespace"),
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
    Flag::text("release-image", "", "the release image"),
    Flag::text("release-stream", "", "the stream to take a release image from"),
    Flag::bool("render", false, "print the objects instead of writing them"),
    Flag::text("render-into", "", "a file to print the objects to"),
    Flag::bool("render-sensitive", false, "print Secrets as well"),
    Flag::new("service-cidr", TextArray, "172.31.0.0/16", "a network for services"),
    Flag::text("ssh-key", "", "the file with the public key for SSH"),
    Flag::bool(
        "strict",
        false,
        "refuse what can't work instead of warning of it (only here)",
    ),
    Flag::new("timeout", Time, "0s", "how long the whole command may take"),
    Flag::new(
        "toleration",
        TextArray,
        "",
        "a toleration of control-plane pods, as key=<k>,value=<v>,effect=<e>",
    ),
    Flag::bool("version-check", false, "refuse where client and operator differ"),
    Flag::bool("wait", false, "wait until the cluster is rolled out"),
];

/// The flags about the virtual machines, which `create nodepool` has as well.
pub(super) const POOL_FLAGS: &[Flag] = &[
    Flag::new(
        "additional-network",
        TextArray,
        "",
        "another network of the workers, as name:<namespace>/<name>",
    ),
    Flag::bool("attach-default-network", true, "put workers on the pod network"),
    Flag::new("cores", Uint32, "2", "each worker's cores"),
    Flag::new(
        "host-device-name",
        TextArray,
        "",
        "a device of the hosts, as <name>,count:<number>",
    ),
    Flag::text("memory", "4Gi", "each worker's memory"),
    Flag::text("network-multiqueue", "Enable", "Enable or Disable"),
    Flag::text("qos-class", "Burstable", "Burstable or Guaranteed"),
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
    Flag::new(
        "vm-node-selector",
        TextMap,
        "",
        "labels of the nodes for virtual machines",
    ),
];
