//! Which field does what to a guest's workers when it is edited: one table, each row with where that is written.
//!
//! What is not in the table does nothing to workers. Not here: how many machines that is ([`super`]).

use serde::Serialize;

use crate::versions::Minor;

/// What an edit of a field comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Consequence {
    /// Every worker that it reaches is brought to it: replaced, or updated in place, as the pool's upgrade type says.
    Rolls,
    /// Every worker is replaced where the upgrade type is Replace; in place, only machines that are made later have it.
    Template,
    /// Workers come or go.
    Scales,
    /// Nodes that join later have it, those that are there don't.
    NewNodes,
    /// The control plane is brought to another release. Pools don't follow by themselves.
    Upgrades,
    /// The operator leaves the object alone, or goes on with it.
    Pauses,
    /// It can't be changed after the object was made.
    Fixed,
    /// No worker is touched.
    Nothing,
}

/// A field of upstream's and what an edit of it comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// The kind that has the field.
    pub kind: &'static str,
    /// The field, with all that is below it.
    pub path: &'static str,
    /// What an edit comes to.
    pub does: Consequence,
    /// The catalogue's ID.
    pub id: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// The first release of a pool that it is so for; on older ones an edit touches no worker. `None`: it is so for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Minor>,
}

/// An annotation with changes to the virtual machine itself, on a HostedCluster (for all pools) or a NodePool.
pub(super) const JSON_PATCH: &str = "metadata.annotations[\"hypershift.openshift.io/kubevirt-vm-jsonpatch\"]";

const ROLLOUTS: &str = "HyperShift: reference, NodePool rollouts";
const UPGRADES: &str = "HyperShift: how-to, upgrades";
const API: &str = "HyperShift: reference, API";
const CUSTOM: &str = "HyperShift: how-to, KubeVirt, customising virtual machines";

const fn of(
    kind: &'static str,
    path: &'static str,
    does: Consequence,
    id: &'static str,
    source: &'static str,
) -> Trigger {
    Trigger {
        kind,
        path,
        does,
        id,
        source,
        since: None,
    }
}

const fn since(minor: Minor, trigger: Trigger) -> Trigger {
    Trigger {
        since: Some(minor),
        ..trigger
    }
}

const HC: &str = "HostedCluster";
const NP: &str = "NodePool";

/// The table.
pub const TRIGGERS: [Trigger; 40] = [
    of(HC, "spec.release", Consequence::Upgrades, "", UPGRADES),
    of(HC, "spec.pullSecret", Consequence::Rolls, "U02", ROLLOUTS),
    of(HC, "spec.additionalTrustBundle", Consequence::Rolls, "U02", ROLLOUTS),
    of(HC, "spec.sshKey", Consequence::Rolls, "U02", ROLLOUTS),
    of(HC, "spec.imageContentSources", Consequence::Rolls, "U02", ROLLOUTS),
    of(HC, "spec.configuration.proxy", Consequence::Rolls, "U02", ROLLOUTS),
    of(HC, "spec.configuration.image", Consequence::Rolls, "U02", ROLLOUTS),
    since(
        Minor::new(4, 23),
        of(
            HC,
            "spec.configuration.apiServer.tlsSecurityProfile",
            Consequence::Rolls,
            "U02",
            ROLLOUTS,
        ),
    ),
    of(HC, "spec.configuration", Consequence::Nothing, "U02", ROLLOUTS),
    of(HC, JSON_PATCH, Consequence::Template, "U02", CUSTOM),
    of(HC, "spec.pausedUntil", Consequence::Pauses, "U18", API),
    of(HC, "spec.autoscaling", Consequence::Nothing, "U02", ROLLOUTS),
    of(HC, "spec.controllerAvailabilityPolicy", Consequence::Fixed, "", API),
    of(HC, "spec.etcd.managed.storage", Consequence::Fixed, "", API),
    of(HC, "spec.fips", Consequence::Fixed, "", API),
    of(HC, "spec.infraID", Consequence::Fixed, "", API),
    of(HC, "spec.networking.clusterNetwork", Consequence::Fixed, "", API),
    of(HC, "spec.networking.machineNetwork", Consequence::Fixed, "", API),
    of(HC, "spec.networking.serviceNetwork", Consequence::Fixed, "", API),
    of(HC, "spec.olmCatalogPlacement", Consequence::Fixed, "", API),
    of(HC, "spec.platform.kubevirt", Consequence::Fixed, "", API),
    of(HC, "spec.services", Consequence::Fixed, "", API),
    of(NP, "spec.release", Consequence::Rolls, "U02", ROLLOUTS),
    of(NP, "spec.config", Consequence::Rolls, "U02", ROLLOUTS),
    of(NP, "spec.tuningConfig", Consequence::Rolls, "U02", ROLLOUTS),
    of(NP, "spec.platform.kubevirt", Consequence::Template, "U02", ROLLOUTS),
    of(NP, JSON_PATCH, Consequence::Template, "U02", CUSTOM),
    of(NP, "spec.replicas", Consequence::Scales, "U02", ROLLOUTS),
    of(NP, "spec.autoScaling", Consequence::Scales, "U02", ROLLOUTS),
    of(NP, "spec.nodeLabels", Consequence::NewNodes, "U02", ROLLOUTS),
    of(NP, "spec.taints", Consequence::NewNodes, "U02", ROLLOUTS),
    of(NP, "spec.nodeDrainTimeout", Consequence::Nothing, "U02", ROLLOUTS),
    of(
        NP,
        "spec.nodeVolumeDetachTimeout",
        Consequence::Nothing,
        "U02",
        ROLLOUTS,
    ),
    of(NP, "spec.management.autoRepair", Consequence::Nothing, "U02", ROLLOUTS),
    of(NP, "spec.management.replace", Consequence::Nothing, "", API),
    of(NP, "spec.management.inPlace", Consequence::Nothing, "", API),
    of(NP, "spec.management.upgradeType", Consequence::Fixed, "U04", API),
    of(NP, "spec.clusterName", Consequence::Fixed, "", API),
    of(NP, "spec.arch", Consequence::Fixed, "", API),
    of(NP, "spec.pausedUntil", Consequence::Pauses, "U18", API),
];

/// The row for a field: the longest path that it is, or is below.
pub fn trigger_of(kind: &str, path: &str) -> Option<&'static Trigger> {
    let rows = TRIGGERS
        .iter()
        .filter(|row| row.kind == kind && is_within(path, row.path));
    rows.max_by_key(|row| row.path.len())
}

/// Whether a path is another, or leads below it.
fn is_within(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
