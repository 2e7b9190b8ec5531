//! The packages of the `redhat-operators` catalog that a procedure or a person may ask for, as data.

use super::{Bundle, Channel, Contents, Package, bundles};
use crate::generation::Generation;

const CATALOG: &str = "redhat-operators";

/// A channel in short: its name, `major.minor`, the newest patch version, what follows the version in a name.
struct Line {
    channel: &'static str,
    minor: &'static str,
    newest: u32,
    suffix: &'static str,
}

const fn line(channel: &'static str, minor: &'static str, newest: u32) -> Line {
    Line {
        channel,
        minor,
        newest,
        suffix: "",
    }
}

pub(super) fn all(generation: Generation) -> Vec<Package> {
    match generation {
        Generation::V4_17 => vec![
            advanced_cluster_management(),
            installed(
                "kubevirt-hyperconverged",
                "OpenShift Virtualization",
                "kubevirt-hyperconverged-operator",
                line("stable", "4.17", 3),
            ),
            installed(
                "metallb-operator",
                "MetalLB Operator",
                "metallb-operator",
                Line {
                    channel: "stable",
                    minor: "4.17",
                    newest: 0,
                    suffix: "-202412180037",
                },
            ),
            multicluster_engine(),
            installed(
                "odf-operator",
                "OpenShift Data Foundation",
                "odf-operator",
                Line {
                    channel: "stable-4.17",
                    minor: "4.17",
                    newest: 5,
                    suffix: "-rhodf",
                },
            ),
        ],
    }
}

fn multicluster_engine() -> Package {
    Package {
        name: "multicluster-engine",
        display_name: "multicluster engine for Kubernetes",
        catalog: CATALOG,
        default_channel: "stable-2.7",
        channels: channels(
            "multicluster-engine",
            "multicluster-engine",
            &[
                line("stable-2.5", "2.5", 9),
                line("stable-2.6", "2.6", 7),
                line("stable-2.7", "2.7", 4),
            ],
            bundles::multicluster_engine,
        ),
    }
}

fn advanced_cluster_management() -> Package {
    Package {
        name: "advanced-cluster-management",
        display_name: "Advanced Cluster Management for Kubernetes",
        catalog: CATALOG,
        default_channel: "release-2.12",
        channels: channels(
            "advanced-cluster-management",
            "advanced-cluster-management",
            &[
                line("release-2.10", "2.10", 9),
                line("release-2.11", "2.11", 7),
                line("release-2.12", "2.12", 4),
            ],
            bundles::advanced_cluster_management,
        ),
    }
}

/// A package that the lab's management cluster has installed from the start, so that its bundle brings nothing.
fn installed(name: &'static str, display_name: &'static str, csv: &str, line: Line) -> Package {
    let default_channel = line.channel;
    Package {
        name,
        display_name,
        catalog: CATALOG,
        default_channel,
        channels: channels(name, csv, &[line], bundles::nothing),
    }
}

fn channels(package: &'static str, csv: &str, lines: &[Line], contents: fn(&str) -> Contents) -> Vec<Channel> {
    let name = |line: &Line, patch: u32| format!("{csv}.v{}.{patch}{}", line.minor, line.suffix);
    let bundle = |line: &Line, patch: u32| Bundle {
        package,
        name: name(line, patch),
        version: format!("{}.{patch}{}", line.minor, line.suffix),
        replaces: patch.checked_sub(1).map(|older| name(line, older)),
        contents,
    };
    let channel = |line: &Line| Channel {
        name: line.channel,
        bundles: (0..=line.newest).rev().map(|patch| bundle(line, patch)).collect(),
    };
    lines.iter().map(channel).collect()
}
