//! What an import brings: the agent, on the cluster itself or, for hosted ones, on the hub.

use std::time::Duration;

use serde_json::{Value, json};

use super::{AGENT_ADDON_NAMESPACE, AGENT_NAMESPACE, is_running};
use crate::actor::Context;
use crate::client::{self, name_of};
use crate::conditions;
use crate::kind::{CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, MANAGED_CLUSTER_ADD_ON, NAMESPACE, SECRET};
use crate::manifest::{self, set_labels, set_start_time};
use crate::schemas::open_cluster_management::{KLUSTERLET, MANIFEST_WORK, klusterlet_crds};

/// Label on an agent's Deployments: the cluster that they speak for.
pub(super) const CLUSTER_LABEL: &str = "createdForCluster";
/// The Secret by which a hosted agent reaches its cluster.
pub(crate) const EXTERNAL_KUBECONFIG: &str = "external-managed-kubeconfig";
/// Where hosted agents run.
const HOSTING_CLUSTER: &str = "local-cluster";

/// How long the import controller takes to apply what an import brings.
const APPLY: Duration = Duration::from_secs(5);

/// Namespace of a hosted cluster's agent, and name of its Klusterlet.
pub(crate) fn hosted_name(cluster: &str) -> String {
    format!("klusterlet-{cluster}")
}

/// Name of the work by which the hosting cluster gets a hosted cluster's agent.
pub(super) fn hosted_work_name(cluster: &str) -> String {
    format!("{cluster}-hosted-klusterlet")
}

/// Brings the agent to the management cluster itself; whether it runs.
pub(super) async fn import_local(context: &Context, cluster: &Value) -> client::Result<bool> {
    definitions(context).await?;
    for namespace in [AGENT_NAMESPACE, AGENT_ADDON_NAMESPACE] {
        context
            .client
            .create(NAMESPACE, &manifest::namespace(namespace, &[]))
            .await?;
    }
    let name = name_of(cluster);
    klusterlet(context, "klusterlet", name, AGENT_NAMESPACE, "Singleton").await?;
    // The operator first; it then brings the agent.
    agent(
        context,
        AGENT_NAMESPACE,
        "klusterlet",
        name,
        "registration-operator-rhel9",
    )
    .await?;
    if !is_running(context, AGENT_NAMESPACE, "klusterlet").await? {
        return Ok(false);
    }
    agent(context, AGENT_NAMESPACE, "klusterlet-agent", name, "registration-rhel9").await?;
    is_running(context, AGENT_NAMESPACE, "klusterlet-agent").await
}

/// Brings the agent of a hosted cluster to the hub; whether it runs.
pub(super) async fn import_hosted(context: &Context, cluster: &Value) -> client::Result<bool> {
    definitions(context).await?;
    let name = name_of(cluster);
    let namespace = hosted_name(name);
    let work = json!({
        "metadata": {
            "name": hosted_work_name(name),
            "namespace": HOSTING_CLUSTER,
            "labels": { "import.open-cluster-management.io/hosted-cluster": name },
        },
        "spec": { "workload": { "manifests": [] } },
    });
    context.client.create(MANIFEST_WORK, &work).await?;
    context
        .client
        .create(NAMESPACE, &manifest::namespace(&namespace, &[(CLUSTER_LABEL, name)]))
        .await?;
    klusterlet(context, &namespace, name, &namespace, "SingletonHosted").await?;
    // Whoever made the cluster gives its kubeconfig; until then there is nothing to connect to.
    if context
        .client
        .get(SECRET, Some(&namespace), EXTERNAL_KUBECONFIG)
        .await?
        .is_none()
    {
        return Ok(false);
    }
    ready_to_apply(context, &namespace).await?;
    let deployment = format!("{namespace}-agent");
    agent(context, &namespace, &deployment, name, "registration-rhel9").await?;
    is_running(context, &namespace, &deployment).await
}

/// The addons that the local cluster gets without being asked.
pub(super) async fn default_addons(context: &Context, cluster: &str) -> client::Result<()> {
    for name in ["cluster-proxy", "managed-serviceaccount", "work-manager"] {
        if context
            .client
            .get(MANAGED_CLUSTER_ADD_ON, Some(cluster), name)
            .await?
            .is_none()
        {
            let addon = json!({
                "metadata": { "name": name, "namespace": cluster },
                "spec": { "installNamespace": AGENT_ADDON_NAMESPACE },
            });
            context.client.create(MANAGED_CLUSTER_ADD_ON, &addon).await?;
        }
    }
    Ok(())
}

async fn definitions(context: &Context) -> client::Result<()> {
    for crd in context.site.schemas.resolve(klusterlet_crds()) {
        if context
            .client
            .get(CUSTOM_RESOURCE_DEFINITION, None, name_of(&crd))
            .await?
            .is_none()
        {
            context.client.create(CUSTOM_RESOURCE_DEFINITION, &crd).await?;
        }
    }
    Ok(())
}

async fn klusterlet(context: &Context, name: &str, cluster: &str, namespace: &str, mode: &str) -> client::Result<()> {
    if context.client.get(KLUSTERLET, None, name).await?.is_some() {
        return Ok(());
    }
    context.time.work(APPLY).await;
    let klusterlet = json!({
        "metadata": { "name": name },
        "spec": { "clusterName": cluster, "namespace": namespace, "deployOption": { "mode": mode } },
    });
    context.client.create(KLUSTERLET, &klusterlet).await?;
    Ok(())
}

async fn ready_to_apply(context: &Context, name: &str) -> client::Result<()> {
    let Some(klusterlet) = context.client.get(KLUSTERLET, None, name).await? else {
        return Ok(());
    };
    let mut all = klusterlet["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let message = "Klusterlet is ready to apply";
    if conditions::set(
        &mut all,
        &context.time.stamp(),
        "ReadyToApply",
        "True",
        "KlusterletPrepared",
        message,
    ) {
        context
            .client
            .status(KLUSTERLET, None, name, &json!({ "conditions": all }))
            .await?;
    }
    Ok(())
}

async fn agent(context: &Context, namespace: &str, name: &str, cluster: &str, image: &str) -> client::Result<()> {
    if context.client.get(DEPLOYMENT, Some(namespace), name).await?.is_some() {
        return Ok(());
    }
    context.time.work(APPLY).await;
    let image = format!("registry.redhat.io/multicluster-engine/{image}");
    let mut deployment = manifest::deployment(namespace, name, 1, &image);
    set_labels(&mut deployment, &[(CLUSTER_LABEL, cluster)]);
    set_start_time(&mut deployment, 12);
    context.client.create(DEPLOYMENT, &deployment).await?;
    Ok(())
}
