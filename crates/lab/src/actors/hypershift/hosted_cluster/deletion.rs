//! How a HostedCluster goes: node pools with their machines, control plane, namespace, one after the other. Each pass does the next
//! thing that can be done; whatever disappears wakes the key for the one after it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::actor::{Context, Key, Next};
use crate::client::{Client, Result, name_of};
use crate::kind::{CLUSTER, DEPLOYMENT, HOSTED_CLUSTER, HOSTED_CONTROL_PLANE, NAMESPACE, NODE_POOL};
use crate::objects::{Conditions, annotation, drop_finalizer, is_deleting, merge, write_status};

use super::super::names::{CLEANUP_ANNOTATION, COMPONENT_FINALIZER, FINALIZER, control_plane_namespace};
use super::copies::unmark_references;
use super::create::pause_machines;

/// The operator looks again after so long, besides on events.
const AGAIN: Duration = Duration::from_secs(5);

/// How long the object is to stay once all else is gone.
const GRACE_PERIOD: &str = "hypershift.openshift.io/destroy-grace-period";
const SKIP_NAMESPACE: &str = "hypershift.openshift.io/skip-delete-hosted-controlplane-namespace";

pub(super) async fn reconcile(context: &Context, key: &Key, hosted_cluster: &Value) -> Result<Next> {
    let client = &context.client;
    let namespace = control_plane_namespace(key);
    pause_machines(client, key, hosted_cluster, false).await?;
    copy_cleanup(context, key, hosted_cluster, &namespace).await?;
    // Pools are told to go and not waited for: the Cluster waits for their machines.
    delete_node_pools(client, key).await?;
    let gone = delete_cluster(client, hosted_cluster, &namespace).await?
        && drop_component_finalizers(client, &namespace).await?
        && delete_control_plane(client, key, &namespace).await?
        && delete_namespace(client, hosted_cluster, &namespace).await?;
    if !gone {
        return Ok(Next::After(AGAIN));
    }
    if let Some(left) = grace_left(context, hosted_cluster).await? {
        return Ok(Next::After(left));
    }
    unmark_references(client, key).await?;
    let current = client.get(HOSTED_CLUSTER, key.namespace(), &key.name).await?;
    if let Some(current) = current {
        drop_finalizer(client, HOSTED_CLUSTER, &current, FINALIZER).await?;
    }
    Ok(Next::OnEvent)
}

/// How long the object still stays, though all of the cluster is gone: an annotation may ask for it.
async fn grace_left(context: &Context, hosted_cluster: &Value) -> Result<Option<Duration>> {
    let grace = annotation(hosted_cluster, GRACE_PERIOD)
        .and_then(|text| text.parse::<jiff::SignedDuration>().ok())
        .and_then(|grace| Duration::try_from(grace).ok())
        .filter(|grace| !grace.is_zero());
    let Some(grace) = grace else { return Ok(None) };
    let mut conditions = Conditions::of(hosted_cluster, context.time.stamp());
    let message = format!(
        "Grace period set: {}",
        annotation(hosted_cluster, GRACE_PERIOD).unwrap_or_default()
    );
    conditions.set("HostedClusterDestroyed", true, "WaitingForGracePeriod", &message);
    let since = conditions.get("HostedClusterDestroyed").cloned().unwrap_or_default();
    let generation = &hosted_cluster["metadata"]["generation"];
    let status = json!({ "conditions": conditions.observed(generation) });
    write_status(&context.client, HOSTED_CLUSTER, hosted_cluster, &status).await?;
    Ok(context.time.left_since(since["lastTransitionTime"].as_str(), grace))
}

/// The wish to clean up reaches the control plane, and its report comes back.
async fn copy_cleanup(context: &Context, key: &Key, hosted_cluster: &Value, namespace: &str) -> Result<()> {
    let client = &context.client;
    let Some(control_plane) = client.get(HOSTED_CONTROL_PLANE, Some(namespace), &key.name).await? else {
        return Ok(());
    };
    if let Some(wish) = annotation(hosted_cluster, CLEANUP_ANNOTATION) {
        let patch = json!({ "metadata": { "annotations": { CLEANUP_ANNOTATION: wish } } });
        merge(client, HOSTED_CONTROL_PLANE, &control_plane, &patch).await?;
    }
    if is_deleting(&control_plane) {
        let mut conditions = Conditions::of(hosted_cluster, context.time.stamp());
        if !conditions.copy(&control_plane, "CloudResourcesDestroyed") {
            conditions.set_unknown("CloudResourcesDestroyed", "StatusUnknown", "");
        }
        let generation = &hosted_cluster["metadata"]["generation"];
        let status = json!({ "conditions": conditions.observed(generation) });
        write_status(client, HOSTED_CLUSTER, hosted_cluster, &status).await?;
    }
    Ok(())
}

async fn delete_node_pools(client: &Client, key: &Key) -> Result<()> {
    for pool in client.list(NODE_POOL, key.namespace(), "").await? {
        if pool["spec"]["clusterName"] == key.name.as_str() && !is_deleting(&pool) {
            client.delete(NODE_POOL, key.namespace(), name_of(&pool)).await?;
        }
    }
    Ok(())
}

async fn delete_cluster(client: &Client, hosted_cluster: &Value, namespace: &str) -> Result<bool> {
    let name = hosted_cluster["spec"]["infraID"].as_str().unwrap_or_default();
    let Some(cluster) = client.get(CLUSTER, Some(namespace), name).await? else {
        return Ok(true);
    };
    if !is_deleting(&cluster) {
        client.delete(CLUSTER, Some(namespace), name).await?;
    }
    Ok(false)
}

async fn drop_component_finalizers(client: &Client, namespace: &str) -> Result<bool> {
    for name in ["cluster-api", "capi-provider"] {
        if let Some(deployment) = client.get(DEPLOYMENT, Some(namespace), name).await? {
            drop_finalizer(client, DEPLOYMENT, &deployment, COMPONENT_FINALIZER).await?;
        }
    }
    Ok(true)
}

async fn delete_control_plane(client: &Client, key: &Key, namespace: &str) -> Result<bool> {
    let Some(control_plane) = client.get(HOSTED_CONTROL_PLANE, Some(namespace), &key.name).await? else {
        return Ok(true);
    };
    if !is_deleting(&control_plane) {
        client.delete(HOSTED_CONTROL_PLANE, Some(namespace), &key.name).await?;
    }
    Ok(false)
}

async fn delete_namespace(client: &Client, hosted_cluster: &Value, namespace: &str) -> Result<bool> {
    if annotation(hosted_cluster, SKIP_NAMESPACE) == Some("true") {
        return Ok(true);
    }
    let Some(found) = client.get(NAMESPACE, None, namespace).await? else {
        return Ok(true);
    };
    if !is_deleting(&found) {
        client.delete(NAMESPACE, None, namespace).await?;
    }
    Ok(false)
}
