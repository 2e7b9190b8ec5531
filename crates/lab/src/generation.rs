//! The sets of upstream versions that a lab can play. What of a generation is only a number is a table here; what it does
//! otherwise is asked of [`Generation`] by those who play it.

use std::fmt;
use std::str::FromStr;

/// A set of upstream versions that belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// OpenShift 4.17, multicluster engine 2.7, OpenShift Virtualization 4.17.
    #[default]
    V4_17,
    /// The development heads of summer 2026: multicluster engine 5.0, HyperShift 5.1, Kubernetes 1.36.
    Current,
}

/// The versions of a generation's management cluster and of what its catalog offers.
#[derive(Debug)]
pub(crate) struct Versions {
    pub(crate) kubernetes: &'static str,
    /// Of OpenShift: `major.minor`, and the patch that runs.
    pub(crate) minor: &'static str,
    pub(crate) patch: u32,
    pub(crate) update_channels: &'static [&'static str],
    pub(crate) os_image: &'static str,
    pub(crate) kernel: &'static str,
    pub(crate) container_runtime: &'static str,
    pub(crate) kubevirt: &'static str,
    pub(crate) cdi: &'static str,
    /// The newest patch of the operators whose minor is OpenShift's.
    pub(crate) virtualization_patch: u32,
    pub(crate) data_foundation_patch: u32,
    /// What follows `major.minor.0` in MetalLB's version.
    pub(crate) metallb_suffix: &'static str,
    /// Lines of the multicluster engine, and of the hub that it is a part of: `major.minor` and newest patch. The last is the
    /// package's default.
    pub(crate) engines: [(&'static str, u32); 3],
    pub(crate) hubs: [(&'static str, u32); 3],
    /// Minors of OpenShift that HyperShift makes clusters of, newest first.
    pub(crate) guests: &'static [&'static str],
}

const V4_17: Versions = Versions {
    kubernetes: "1.30.4",
    minor: "4.17",
    patch: 12,
    update_channels: &["eus-4.18", "fast-4.17", "stable-4.17", "stable-4.18"],
    os_image: "Red Hat Enterprise Linux CoreOS 417.94.202409120353-0 (simulated)",
    kernel: "5.14.0-427.37.1.el9_4.x86_64",
    container_runtime: "cri-o://1.30.5-3.rhaos4.17.gitea27a1a.el9",
    kubevirt: "v1.3.1",
    cdi: "v1.60.3",
    virtualization_patch: 3,
    data_foundation_patch: 5,
    metallb_suffix: "-202412180037",
    engines: [("2.5", 9), ("2.6", 7), ("2.7", 4)],
    hubs: [("2.10", 9), ("2.11", 7), ("2.12", 4)],
    guests: &["4.17", "4.16", "4.15", "4.14"],
};

/// Heads of development have no patch versions yet: these are made up, as small as they can be.
const CURRENT: Versions = Versions {
    kubernetes: "1.36.0",
    minor: "5.0",
    patch: 1,
    update_channels: &["candidate-5.0", "fast-5.0", "stable-5.0"],
    os_image: "Red Hat Enterprise Linux CoreOS 10.0.20260818-0 (simulated)",
    kernel: "6.12.0-124.8.1.el10_1.x86_64",
    container_runtime: "cri-o://1.36.0",
    kubevirt: "v1.9.0",
    cdi: "v1.65.0",
    virtualization_patch: 1,
    data_foundation_patch: 1,
    metallb_suffix: "-202608180001",
    engines: [("2.11", 2), ("2.17", 1), ("5.0", 1)],
    hubs: [("2.16", 2), ("2.17", 1), ("5.0", 1)],
    guests: &[
        "5.1", "5.0", "4.23", "4.22", "4.21", "4.20", "4.19", "4.18", "4.17", "4.16", "4.15", "4.14",
    ],
};

impl Generation {
    /// All of them, oldest first.
    pub const ALL: [Self; 2] = [Self::V4_17, Self::Current];

    /// The name that it is asked for by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V4_17 => "4.17",
            Self::Current => "current",
        }
    }

    /// Its versions.
    pub(crate) const fn versions(self) -> &'static Versions {
        match self {
            Self::V4_17 => &V4_17,
            Self::Current => &CURRENT,
        }
    }

    /// Whether it is the current one: where something is in one generation and not in the other.
    pub(crate) fn is_current(self) -> bool {
        self == Self::Current
    }
}

impl Versions {
    /// Of OpenShift on the management cluster: `4.17.12`.
    pub(crate) fn openshift(&self) -> String {
        format!("{}.{}", self.minor, self.patch)
    }

    /// Of OpenShift Virtualization.
    pub(crate) fn virtualization(&self) -> String {
        format!("{}.{}", self.minor, self.virtualization_patch)
    }

    /// Of OpenShift Data Foundation's operators.
    pub(crate) fn data_foundation(&self) -> String {
        format!("{}.{}", self.minor, self.data_foundation_patch)
    }

    /// Of MetalLB's operator.
    pub(crate) fn metallb(&self) -> String {
        format!("{}.0{}", self.minor, self.metallb_suffix)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no such generation.
#[derive(Debug, thiserror::Error)]
#[error("there is no generation `{0}`; there are 4.17 and current")]
pub struct NoSuchGeneration(String);

impl FromStr for Generation {
    type Err = NoSuchGeneration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|generation| generation.name() == text);
        named.ok_or_else(|| NoSuchGeneration(text.to_owned()))
    }
}
