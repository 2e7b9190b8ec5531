//! Plays the hypershift addon: the agent that installs HyperShift on the local cluster, the manager that offers the `hcp`
//! command line, and the import of hosted clusters.
//!
//! `agent` is the addon on the local cluster, with `install` for what its install Job brings and `uninstall` for the way
//! back; `download` is the manager's offer; `auto_import` makes a ManagedCluster of each hosted cluster that is available.
//!
//! Not played: upgrades of HyperShift, external DNS, discovery of clusters on other hubs, cluster claims and scores.

mod agent;
mod auto_import;
mod download;
mod install;
#[cfg(test)]
mod tests;
mod uninstall;

use serde_json::Value;

use crate::actor::Context;
use crate::client;
use crate::kind::DEPLOYMENT;

pub(crate) use agent::AddonAgent;
pub(crate) use auto_import::AutoImport;
pub(crate) use download::CliDownload;

const NAME: &str = "hypershift_addon";
const ADDON: &str = "hypershift-addon";
const LOCAL_CLUSTER: &str = "local-cluster";
const AGENT: &str = "hypershift-addon-agent";
const MANAGER: &str = "hypershift-addon-manager";
/// Where HyperShift runs, and its Deployment.
const HYPERSHIFT_NAMESPACE: &str = "hypershift";
const HYPERSHIFT_OPERATOR: &str = "operator";

/// The addon's manager on the hub, where it is deployed.
async fn manager(context: &Context) -> client::Result<Option<Value>> {
    let managers = context.client.list(DEPLOYMENT, None, &format!("app={MANAGER}")).await?;
    Ok(managers.into_iter().next())
}

/// HyperShift's operator, where it is deployed.
async fn operator(context: &Context) -> client::Result<Option<Value>> {
    context
        .client
        .get(DEPLOYMENT, Some(HYPERSHIFT_NAMESPACE), HYPERSHIFT_OPERATOR)
        .await
}
