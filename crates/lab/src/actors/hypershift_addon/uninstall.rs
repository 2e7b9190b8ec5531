//! The way back of the addon. HyperShift stays as long as there is a hosted cluster that needs it.

use std::time::Duration;

use serde_json::Value;

use super::{ADDON, AGENT, HYPERSHIFT_NAMESPACE, HYPERSHIFT_OPERATOR, LOCAL_CLUSTER};
use crate::actor::{Context, Next};
use crate::actors::open_cluster_management::AGENT_ADDON_NAMESPACE;
use crate::client;
use crate::kind::{DEPLOYMENT, HOSTED_CLUSTER, LEASE, MANAGED_CLUSTER_ADD_ON, NAMESPACE, SECRET, SERVICE_ACCOUNT};
use crate::objects::{self, has_finalizer};
use crate::schemas::open_cluster_management::MANIFEST_WORK;
use crate::webhooks;

/// Held until the addon's clean-up has run on the cluster.
pub(super) const FINALIZER: &str = "addon.open-cluster-management.io/addon-pre-delete";

/// How long the clean-up takes.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// Takes the addon down in one pass.
pub(super) async fn uninstall(context: &Context, addon: &Value) -> client::Result<Next> {
    if !has_finalizer(addon, FINALIZER) {
        return Ok(Next::OnEvent);
    }
    context.time.work(CLEAN_UP).await;
    let client = &context.client;
    if client.list(HOSTED_CLUSTER, None, "").await?.is_empty() {
        for (kind, _) in webhooks::configurations() {
            client.delete(kind, None, webhooks::CONFIGURATION).await?;
        }
        client
            .delete(DEPLOYMENT, Some(HYPERSHIFT_NAMESPACE), HYPERSHIFT_OPERATOR)
            .await?;
        client.delete(NAMESPACE, None, HYPERSHIFT_NAMESPACE).await?;
    }
    client
        .delete(MANIFEST_WORK, Some(LOCAL_CLUSTER), "addon-hypershift-addon-deploy-0")
        .await?;
    for (kind, name) in [
        (DEPLOYMENT, AGENT),
        (SECRET, "hypershift-addon-hub-kubeconfig"),
        (SERVICE_ACCOUNT, "hypershift-addon-agent-sa"),
        (LEASE, ADDON),
    ] {
        client.delete(kind, Some(AGENT_ADDON_NAMESPACE), name).await?;
    }
    objects::drop_finalizer(&context.client, MANAGED_CLUSTER_ADD_ON, addon, FINALIZER).await?;
    Ok(Next::OnEvent)
}
