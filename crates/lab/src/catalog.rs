//! What the operator catalogs of a lab offer: packages, their channels, and the bundles that a channel holds.
//!
//! `packages.rs` has the data; `manifests.rs` shows them as PackageManifests; OLM's actors install bundles from here. What
//! a real catalog has in an image, a lab has in this module: a CatalogSource of a known name stands for it.

mod bundles;
mod manifests;
mod packages;

use serde_json::Value;

use crate::generation::Generation;

pub(crate) use bundles::ENGINE_OPERATOR;
pub(crate) use manifests::{PackageManifests, owned};

/// Namespace whose catalogs every namespace may use.
pub(crate) const GLOBAL_NAMESPACE: &str = "openshift-marketplace";

/// A package of a catalog.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) display_name: &'static str,
    /// The CatalogSource that offers it.
    pub(crate) catalog: &'static str,
    pub(crate) default_channel: String,
    pub(crate) channels: Vec<Channel>,
}

/// A channel of a package. Never empty.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) name: String,
    /// Newest first; each replaces the next.
    pub(crate) bundles: Vec<Bundle>,
}

/// One version of an operator.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    pub(crate) package: &'static str,
    /// Name of its ClusterServiceVersion.
    pub(crate) name: String,
    pub(crate) version: String,
    /// Name of the ClusterServiceVersion that it follows in its channel.
    pub(crate) replaces: Option<String>,
    /// What it installs, made when asked for: definitions are large, and most bundles are never installed.
    contents: fn(generation: Generation, version: &str) -> Contents,
    generation: Generation,
}

/// What a bundle installs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    pub(crate) description: &'static str,
    /// CustomResourceDefinitions.
    pub(crate) crds: Vec<Value>,
    /// Deployments as `{name, spec}`, as a ClusterServiceVersion lists them.
    pub(crate) deployments: Vec<Value>,
    /// ServiceAccounts that the Deployments run as.
    pub(crate) service_accounts: Vec<&'static str>,
    /// Types of OperatorGroup that the operator can work in.
    pub(crate) install_modes: Vec<InstallMode>,
    /// Images that the operator deploys, as `(name, image)`.
    pub(crate) related_images: Vec<(&'static str, String)>,
    /// The namespace that the console suggests.
    pub(crate) suggested_namespace: &'static str,
}

/// A type of OperatorGroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstallMode {
    OwnNamespace,
    SingleNamespace,
    MultiNamespace,
    AllNamespaces,
}

/// All packages of a generation's catalogs, in order of name.
pub(crate) fn packages(generation: Generation) -> Vec<Package> {
    packages::all(generation)
}

/// A bundle by the name of its ClusterServiceVersion.
pub(crate) fn bundle(generation: Generation, name: &str) -> Option<Bundle> {
    let packages = packages(generation);
    packages
        .into_iter()
        .flat_map(|package| package.channels)
        .flat_map(|channel| channel.bundles)
        .find(|bundle| bundle.name == name)
}

// === impl Package ===

impl Package {
    /// A channel by name.
    pub(crate) fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name == name)
    }
}

// === impl Channel ===

impl Channel {
    /// The newest bundle.
    pub(crate) fn head(&self) -> &Bundle {
        self.bundles.first().expect("packages.rs has no empty channel")
    }

    /// Where a bundle stands: 0 for the newest.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.bundles.iter().position(|bundle| bundle.name == name)
    }
}

// === impl Bundle ===

impl Bundle {
    /// What it installs.
    pub(crate) fn contents(&self) -> Contents {
        (self.contents)(self.generation, &self.version)
    }
}

// === impl InstallMode ===

impl InstallMode {
    /// All of them, in the order in which a ClusterServiceVersion lists them.
    pub(crate) const ALL: [Self; 4] = [
        Self::OwnNamespace,
        Self::SingleNamespace,
        Self::MultiNamespace,
        Self::AllNamespaces,
    ];

    /// As a ClusterServiceVersion spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::OwnNamespace => "OwnNamespace",
            Self::SingleNamespace => "SingleNamespace",
            Self::MultiNamespace => "MultiNamespace",
            Self::AllNamespaces => "AllNamespaces",
        }
    }
}
