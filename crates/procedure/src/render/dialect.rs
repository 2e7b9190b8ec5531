//! What the versions of `hcp` and of the HostedCluster's schema differ in, where it can be seen in what is rendered.

use berth_api::views;
use serde_json::Value;

/// The way of one generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// As the release 4.17 has it.
    #[default]
    Release4_17,
    /// As the newest has it.
    Current,
}

impl Dialect {
    /// The way that fits a server, by its HostedCluster CRD.
    pub fn of_crd(crd: &Value) -> Self {
        let known = super::schema::served(crd)
            .and_then(|schema| views::at(schema, &["properties", "spec", "properties", "capabilities"]));
        if known.is_some() {
            Self::Current
        } else {
            Self::Release4_17
        }
    }

    /// Whether the HostedCluster has a field for optional parts of OpenShift.
    pub(super) fn has_capabilities(self) -> bool {
        self == Self::Current
    }

    /// Whether printed objects carry `creationTimestamp: null`.
    pub(crate) fn prints_creation_timestamp(self) -> bool {
        self == Self::Release4_17
    }

    /// Whether `hcp` says an error twice: once as `Error: …`, once without.
    pub(crate) fn repeats_errors(self) -> bool {
        self == Self::Current
    }

    /// Whether a name and a pull secret must be given.
    pub(crate) fn requires_name(self) -> bool {
        self == Self::Current
    }
}
