//! What the hosted-cluster-config operator and the guest's own operators do inside a guest: its base content, the ingress
//! that passes through the management cluster, ClusterOperators, ClusterVersion; and the report of it all.

mod base;
mod ingress;
mod logins;
mod operators;
mod updates;
mod version;

use std::time::Duration;

use serde_json::{Value, json};

use crate::actor::{Context, Next};
use crate::client::{Client, Result, name_of, namespace_of};
use crate::conditions;
use crate::kind::{MACHINE, NETWORK, NODE, VIRTUAL_MACHINE};
use crate::objects::Conditions;
use crate::site::Guest;
use crate::timers::Timers;

use super::super::release::Release;
use super::Progress;

pub(super) use logins::first_password;

/// What OVN-Kubernetes in a guest takes from each packet of the pod network that carries it.
const ENCAPSULATION: u64 = 100;
/// How often a control plane that is whole looks into its guest.
const LOOK: Duration = Duration::from_mins(1);
/// Below this the guest's network is slow: 9000 less two encapsulations.
const ENOUGH_MTU: u64 = 8800;

/// What the guest's operators tell.
pub(super) struct Report {
    /// `status` of the guest's ClusterVersion.
    version: Value,
    /// MTU of the guest's pod network, once it has a node.
    mtu: Option<u64>,
    /// Whether a node of the guest is ready.
    has_workers: bool,
}

/// Makes the guest's content so, as far as its workers let it.
pub(super) async fn reconcile(
    context: &Context,
    timers: &Timers,
    control_plane: &Value,
    guest: &Guest,
    progress: &Progress,
) -> Result<(Report, Next)> {
    let inside = Client::new(guest.client.clone(), "hosted-cluster-config-operator-manager");
    let image = control_plane["spec"]["releaseImage"].as_str().unwrap_or_default();
    let release = Release::of_any_image(image);
    base::ensure(context, &inside, control_plane, guest).await?;
    logins::reconcile(context, &inside, control_plane, guest, progress).await?;
    let ingress = ingress::ensure(context, control_plane).await?;
    let mut nodes = inside.list(NODE, None, "").await?;
    drop_lost(context, &inside, control_plane, &mut nodes).await?;
    let ready_nodes = nodes.iter().filter(|node| conditions::is_true(node, "Ready")).count();
    let situation = operators::Situation {
        progress,
        ready_nodes,
        ingress: &ingress,
    };
    let target = release
        .as_ref()
        .map(|release| release.version.clone())
        .unwrap_or_default();
    let (states, left) = operators::reconcile(context, &inside, timers, control_plane, &situation, &target).await?;
    if states.iter().any(|state| state.name == "ingress" && state.done) {
        base::admit_routes(context, &inside).await?;
    }
    let version = version::reconcile(context, &inside, control_plane, &target, &states).await?;
    let mtu = if ready_nodes > 0 {
        guest_mtu(context).await?
    } else {
        None
    };
    // What happens inside wakes nobody here, so the operator looks now and then.
    let next = left.map_or(Next::AfterWall(LOOK), |left: Duration| Next::After(left));
    let has_workers = ready_nodes > 0;
    Ok((
        Report {
            version,
            mtu,
            has_workers,
        },
        next,
    ))
}

/// Nodes whose machine is gone go too, as the cloud's controller sees to: a restored guest remembers those of another life.
async fn drop_lost(context: &Context, inside: &Client, control_plane: &Value, nodes: &mut Vec<Value>) -> Result<()> {
    let namespace = namespace_of(control_plane);
    let machines = context.client.list(MACHINE, namespace, "").await?;
    let mut kept = Vec::new();
    for node in std::mem::take(nodes) {
        let name = name_of(&node);
        let known = machines.iter().any(|machine| name_of(machine) == name);
        if known || context.client.get(VIRTUAL_MACHINE, namespace, name).await?.is_some() {
            kept.push(node);
        } else {
            inside.delete(NODE, None, name).await?;
        }
    }
    *nodes = kept;
    Ok(())
}

async fn guest_mtu(context: &Context) -> Result<Option<u64>> {
    let network = context.client.get(NETWORK, None, "cluster").await?;
    let outer = network.and_then(|network| network["status"]["clusterNetworkMTU"].as_u64());
    Ok(outer.map(|outer| outer.saturating_sub(ENCAPSULATION)))
}

// === impl Report ===

impl Report {
    /// Whether a node of the guest is ready.
    pub(super) fn has_workers(&self) -> bool {
        self.has_workers
    }

    /// Writes the report into a HostedControlPlane's status.
    pub(super) fn tell(&self, conditions: &mut Conditions, status: &mut Value) {
        let version = json!({ "status": self.version });
        for (kind, told) in [
            ("ClusterVersionAvailable", "Available"),
            ("ClusterVersionProgressing", "Progressing"),
            ("ClusterVersionReleaseAccepted", "ReleaseAccepted"),
            ("ClusterVersionRetrievedUpdates", "RetrievedUpdates"),
        ] {
            if let Some(found) = conditions::find(&version, told) {
                let text = |field: &str| found[field].as_str().filter(|text| !text.is_empty());
                let reason = text("reason").unwrap_or("FromClusterVersion");
                conditions.set_text(
                    kind,
                    text("status").unwrap_or("Unknown"),
                    reason,
                    text("message").unwrap_or_default(),
                );
            }
        }
        let failing = conditions::is_true(&version, "Failing");
        conditions.set("ClusterVersionSucceeding", !failing, "FromClusterVersion", "");
        match conditions::find(&version, "Upgradeable") {
            None => conditions.set("ClusterVersionUpgradeable", true, "FromClusterVersion", ""),
            Some(found) => {
                let text = |field: &str| found[field].as_str().unwrap_or_default();
                let kind = "ClusterVersionUpgradeable";
                conditions.set_text(kind, text("status"), text("reason"), text("message"));
            }
        }
        match self.mtu {
            None => {}
            Some(mtu) if mtu >= ENOUGH_MTU => {
                conditions.set("ValidKubeVirtInfraNetworkMTU", true, "AsExpected", "All is well");
            }
            Some(mtu) => {
                let message = format!(
                    "A suboptimal MTU of {mtu} was detected in the guest's network: set the management cluster's to 9000 \
                     or more for good performance"
                );
                conditions.set(
                    "ValidKubeVirtInfraNetworkMTU",
                    false,
                    "KubeVirtSuboptimalMTUDetected",
                    &message,
                );
            }
        }
        status["versionStatus"] = json!({
            "desired": self.version["desired"],
            "history": self.version["history"],
            "observedGeneration": self.version["observedGeneration"],
            "availableUpdates": self.version["availableUpdates"],
            "conditionalUpdates": self.version["conditionalUpdates"].as_array().cloned().unwrap_or_default(),
        });
        if self.version["history"][0]["state"] == "Completed" {
            status["version"] = self.version["desired"]["version"].clone();
        }
    }
}
