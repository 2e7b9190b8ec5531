//! The way back of an import: addons first, then the agent, then the cluster's namespace on the hub.

use std::time::Duration;

use serde_json::{Value, json};

use super::clusters::{FINALIZER, is_hosted};
use super::{AGENT_ADDON_NAMESPACE, AGENT_NAMESPACE, klusterlet};
use crate::actor::{Context, Next};
use crate::client::{self, name_of, namespace_of};
use crate::conditions;
use crate::kind::{MANAGED_CLUSTER, MANAGED_CLUSTER_ADD_ON, NAMESPACE};
use crate::objects::{self, has_finalizer, is_deleting};
use crate::schemas::open_cluster_management::{KLUSTERLET, MANIFEST_WORK};

/// How long the agent takes to leave.
const LEAVE: Duration = Duration::from_secs(5);

/// One pass; woken again by the deletions that it waits for.
pub(super) async fn detach(context: &Context, cluster: &Value) -> client::Result<Next> {
    let name = name_of(cluster);
    if !has_finalizer(cluster, FINALIZER) {
        return Ok(Next::OnEvent);
    }
    say_detaching(context, cluster).await?;
    let addons = context.client.list(MANAGED_CLUSTER_ADD_ON, Some(name), "").await?;
    for addon in addons.iter().filter(|addon| !is_deleting(addon)) {
        context
            .client
            .delete(MANAGED_CLUSTER_ADD_ON, namespace_of(addon), name_of(addon))
            .await?;
    }
    if !context
        .client
        .list(MANAGED_CLUSTER_ADD_ON, Some(name), "")
        .await?
        .is_empty()
    {
        return Ok(Next::OnEvent);
    }
    context.time.work(LEAVE).await;
    if is_hosted(cluster) {
        let agent = klusterlet::hosted_name(name);
        context
            .client
            .delete(
                MANIFEST_WORK,
                Some("local-cluster"),
                &klusterlet::hosted_work_name(name),
            )
            .await?;
        context.client.delete(KLUSTERLET, None, &agent).await?;
        context.client.delete(NAMESPACE, None, &agent).await?;
    } else {
        context.client.delete(KLUSTERLET, None, "klusterlet").await?;
        for namespace in [AGENT_ADDON_NAMESPACE, AGENT_NAMESPACE] {
            context.client.delete(NAMESPACE, None, namespace).await?;
        }
    }
    for work in context.client.list(MANIFEST_WORK, Some(name), "").await? {
        context.client.delete(MANIFEST_WORK, Some(name), name_of(&work)).await?;
    }
    context.client.delete(NAMESPACE, None, name).await?;
    objects::drop_finalizer(&context.client, MANAGED_CLUSTER, cluster, FINALIZER).await?;
    Ok(Next::OnEvent)
}

async fn say_detaching(context: &Context, cluster: &Value) -> client::Result<()> {
    let mut all = cluster["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let (kind, reason) = ("ManagedClusterImportSucceeded", "ManagedClusterDetaching");
    let message = "The managed cluster is being detached now";
    if conditions::set(&mut all, &context.time.stamp(), kind, "False", reason, message) {
        context
            .client
            .status(MANAGED_CLUSTER, None, name_of(cluster), &json!({ "conditions": all }))
            .await?;
    }
    Ok(())
}
