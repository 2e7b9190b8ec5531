//! Takes an engine down: outside in, each part once the one before it is gone.

use serde_json::Value;

use super::{DEFAULT_NAMESPACE, FINALIZER, HYPERSHIFT_ADDON, LOCAL_CLUSTER, OWNER_LABEL, report, status};
use crate::actor::{Context, Next};
use crate::client::{self, name_of, namespace_of};
use crate::kind::{
    CLUSTER_MANAGEMENT_ADD_ON, CLUSTER_MANAGER, CONFIG_MAP, DEPLOYMENT, Kind, MANAGED_CLUSTER, MANAGED_CLUSTER_ADD_ON,
    MULTI_CLUSTER_ENGINE, NAMESPACE, SERVICE_ACCOUNT,
};
use crate::objects::{self, has_finalizer};
use crate::schemas::multicluster_engine::INTERNAL_ENGINE_COMPONENT;
use crate::schemas::open_cluster_management::ADD_ON_DEPLOYMENT_CONFIG;

const HUB_NAMESPACE: &str = "open-cluster-management-hub";
const GLOBAL_SET_NAMESPACE: &str = "open-cluster-management-global-set";

/// Namespaces whose end is waited for.
pub(super) const NAMESPACES: [&str; 3] = [HUB_NAMESPACE, GLOBAL_SET_NAMESPACE, LOCAL_CLUSTER];

/// One pass; woken again by the deletions that it waits for.
pub(super) async fn uninstall(context: &Context, object: &Value) -> client::Result<Next> {
    if !has_finalizer(object, FINALIZER) {
        return Ok(Next::OnEvent);
    }
    if let Some((reason, message)) = take_down(context, object).await? {
        return report(
            context,
            object,
            &status::uninstalling(object, reason, &message, &context.time.stamp()),
        )
        .await;
    }
    objects::drop_finalizer(&context.client, MULTI_CLUSTER_ENGINE, object, FINALIZER).await?;
    Ok(Next::OnEvent)
}

/// What is waited for, as a reason and a message; `None` once nothing is left.
async fn take_down(context: &Context, object: &Value) -> client::Result<Option<(&'static str, String)>> {
    let clusters = context.client.list(MANAGED_CLUSTER, None, "").await?;
    if let Some(other) = clusters.iter().map(name_of).find(|name| *name != LOCAL_CLUSTER) {
        let message = format!("cannot be deleted while ManagedCluster {other} exists");
        return Ok(Some(("ManagedClusterTerminating", message)));
    }
    let namespace = object["spec"]["targetNamespace"].as_str().unwrap_or(DEFAULT_NAMESPACE);
    remove_all(context, INTERNAL_ENGINE_COMPONENT, Some(namespace), object).await?;
    let waits: [(Kind, Option<&str>, &str, &str); 3] = [
        (
            MANAGED_CLUSTER_ADD_ON,
            Some(LOCAL_CLUSTER),
            HYPERSHIFT_ADDON,
            "ManagedClusterAddOnTerminating",
        ),
        (MANAGED_CLUSTER, None, LOCAL_CLUSTER, "ManagedClusterTerminating"),
        (CLUSTER_MANAGER, None, "cluster-manager", "ClusterManagerTerminating"),
    ];
    for (kind, namespace, name, reason) in waits {
        if context.client.delete(kind, namespace, name).await?
            && context.client.get(kind, namespace, name).await?.is_some()
        {
            return Ok(Some((
                reason,
                format!("waiting for {} {name} to be terminated", kind.kind),
            )));
        }
    }
    for name in NAMESPACES {
        if context.client.get(NAMESPACE, None, name).await?.is_some() {
            context.client.delete(NAMESPACE, None, name).await?;
            return Ok(Some((
                "ManagedClusterNamespaceTerminating",
                format!("waiting for namespace {name} to be terminated"),
            )));
        }
    }
    for (kind, namespace) in [
        (CLUSTER_MANAGEMENT_ADD_ON, None),
        (ADD_ON_DEPLOYMENT_CONFIG, Some(namespace)),
        (CONFIG_MAP, Some(namespace)),
        (DEPLOYMENT, Some(namespace)),
        (SERVICE_ACCOUNT, Some(namespace)),
    ] {
        remove_all(context, kind, namespace, object).await?;
    }
    Ok(None)
}

/// Deletes all objects of a kind that were made for the engine.
async fn remove_all(context: &Context, kind: Kind, namespace: Option<&str>, engine: &Value) -> client::Result<()> {
    let label = format!("{OWNER_LABEL}={}", name_of(engine));
    for object in context.client.list(kind, namespace, &label).await? {
        context
            .client
            .delete(kind, namespace_of(&object), name_of(&object))
            .await?;
    }
    Ok(())
}
