//! The packages of the `redhat-operators` catalog that a procedure or a person may ask for, as data.

use super::{Bundle, Channel, Contents, Package, bundles};
use crate::generation::Generation;

const CATALOG: &str = "redhat-operators";

/// A channel in short: its name, `major.minor`, the newest patch version, what follows the version in a name.
struct Line {
    channel: String,
    minor: &'static str,
    newest: u32,
    suffix: &'static str,
}

fn line(channel: &str, minor: &'static str, newest: u32) -> Line {
    Line {
        channel: channel.to_owned(),
        minor,
        newest,
        suffix: "",
    }
}

/// A package, before it is known of which generation it is.
struct Product {
    name: &'static str,
    display_name: &'static str,
    /// What names of its ClusterServiceVersions begin with.
    csv: &'static str,
    contents: fn(Generation, &str) -> Contents,
}

pub(super) fn all(generation: Generation) -> Vec<Package> {
    let versions = generation.versions();
    let minor = versions.minor;
    let lines = |prefix: &str, of: &[(&'static str, u32)]| {
        of.iter()
            .map(|(minor, newest)| line(&format!("{prefix}-{minor}"), minor, *newest))
            .collect()
    };
    let metallb = Line {
        suffix: versions.metallb_suffix,
        ..line("stable", minor, 0)
    };
    let data_foundation = Line {
        suffix: "-rhodf",
        ..line(&format!("stable-{minor}"), minor, versions.data_foundation_patch)
    };
    vec![
        ADVANCED_CLUSTER_MANAGEMENT.package(generation, lines("release", &versions.hubs)),
        VIRTUALIZATION.package(generation, vec![line("stable", minor, versions.virtualization_patch)]),
        METALLB.package(generation, vec![metallb]),
        MULTICLUSTER_ENGINE.package(generation, lines("stable", &versions.engines)),
        DATA_FOUNDATION.package(generation, vec![data_foundation]),
    ]
}

const ADVANCED_CLUSTER_MANAGEMENT: Product = Product {
    name: "advanced-cluster-management",
    display_name: "Advanced Cluster Management for Kubernetes",
    csv: "advanced-cluster-management",
    contents: bundles::advanced_cluster_management,
};
const MULTICLUSTER_ENGINE: Product = Product {
    name: "multicluster-engine",
    display_name: "multicluster engine for Kubernetes",
    csv: "multicluster-engine",
    contents: bundles::multicluster_engine,
};

// These the lab's management cluster has from the start, so that their bundles bring nothing.
const VIRTUALIZATION: Product = Product {
    name: "kubevirt-hyperconverged",
    display_name: "OpenShift Virtualization",
    csv: "kubevirt-hyperconverged-operator",
    contents: bundles::nothing,
};
const METALLB: Product = Product {
    name: "metallb-operator",
    display_name: "MetalLB Operator",
    csv: "metallb-operator",
    contents: bundles::nothing,
};
const DATA_FOUNDATION: Product = Product {
    name: "odf-operator",
    display_name: "OpenShift Data Foundation",
    csv: "odf-operator",
    contents: bundles::nothing,
};

// === impl Product ===

impl Product {
    /// The package with these channels, oldest first; the last is the default.
    fn package(&self, generation: Generation, lines: Vec<Line>) -> Package {
        let channels: Vec<Channel> = lines.into_iter().map(|line| self.channel(generation, line)).collect();
        Package {
            name: self.name,
            display_name: self.display_name,
            catalog: CATALOG,
            default_channel: channels.last().map_or_else(String::new, |channel| channel.name.clone()),
            channels,
        }
    }

    fn channel(&self, generation: Generation, line: Line) -> Channel {
        let name = |patch: u32| format!("{}.v{}.{patch}{}", self.csv, line.minor, line.suffix);
        let bundle = |patch: u32| Bundle {
            package: self.name,
            name: name(patch),
            version: format!("{}.{patch}{}", line.minor, line.suffix),
            replaces: patch.checked_sub(1).map(name),
            contents: self.contents,
            generation,
        };
        let bundles = (0..=line.newest).rev().map(bundle).collect();
        Channel {
            name: line.channel,
            bundles,
        }
    }
}
