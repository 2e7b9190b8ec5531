//! Plays Open Cluster Management: the hub that a ClusterManager asks for, the import of clusters, and the addons that are
//! only registered here.
//!
//! `hub` makes the hub's kinds and controllers; `clusters` accepts and imports ManagedClusters, with `klusterlet` for what
//! an import brings, `cluster_status` for what a cluster says of itself and `detach` for the way back; `addons` runs the
//! agents of ordinary addons. The hypershift addon is an operator of its own: `hypershift_addon`.
//!
//! Not played: registration requests and their certificates, leases that run out, placements, the content of works.

mod addons;
mod cluster_status;
mod clusters;
mod detach;
mod hub;
mod klusterlet;

use serde_json::Value;

use crate::actor::Context;
use crate::client;
use crate::kind::DEPLOYMENT;
use crate::objects::is_rolled_out;

pub(crate) use addons::{AddOns, framework_conditions, lease};
pub(crate) use clusters::ManagedClusters;
pub(crate) use hub::ClusterManagers;
pub(crate) use klusterlet::{EXTERNAL_KUBECONFIG, hosted_name};

const NAME: &str = "open_cluster_management";
const HUB_NAMESPACE: &str = "open-cluster-management-hub";
const GLOBAL_SET_NAMESPACE: &str = "open-cluster-management-global-set";
/// Namespace of the agent on the local cluster, and that of its addons.
pub(crate) const AGENT_NAMESPACE: &str = "open-cluster-management-agent";
pub(crate) const AGENT_ADDON_NAMESPACE: &str = "open-cluster-management-agent-addon";
/// The controller that accepts clusters, and the webhook that ManagedClusters have to pass.
const REGISTRATION_CONTROLLER: &str = "cluster-manager-registration-controller";
const REGISTRATION_WEBHOOK: &str = "cluster-manager-registration-webhook";

/// Whether ManagedClusters can be made: the hub's webhook lets them pass.
pub(crate) async fn admits_clusters(context: &Context) -> client::Result<bool> {
    is_running(context, HUB_NAMESPACE, REGISTRATION_WEBHOOK).await
}

/// Whether a Deployment is there and runs as its spec wants.
async fn is_running(context: &Context, namespace: &str, name: &str) -> client::Result<bool> {
    let deployment: Option<Value> = context.client.get(DEPLOYMENT, Some(namespace), name).await?;
    Ok(deployment.is_some_and(|deployment| is_rolled_out(&deployment)))
}
