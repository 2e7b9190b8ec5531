//! The addon on the local cluster: its agent, its conditions, and the Jobs that install HyperShift.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{ADDON, AGENT, HYPERSHIFT_NAMESPACE, LOCAL_CLUSTER, MANAGER, NAME, install, manager, operator, uninstall};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::open_cluster_management::{AGENT_ADDON_NAMESPACE, framework_conditions, lease};
use crate::client::{self, name_of, namespace_of};
use crate::conditions;
use crate::kind::{DEPLOYMENT, HOSTED_CLUSTER, JOB, MANAGED_CLUSTER, MANAGED_CLUSTER_ADD_ON, SECRET, SERVICE_ACCOUNT};
use crate::manifest::{self, set_start_time, status_patch};
use crate::objects::{self, is_deleting, is_rolled_out};
use crate::schemas::open_cluster_management::MANIFEST_WORK;

/// How long the hub takes to bring the agent to the cluster.
const DEPLOY: Duration = Duration::from_secs(4);
/// How long an agent takes to its first lease.
const LEASE: Duration = Duration::from_secs(5);

/// The addon's agent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddonAgent;

impl Actor for AddonAgent {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        AGENT
    }

    fn watches(&self) -> Vec<Watch> {
        let addon = || vec![Key::named(Some(LOCAL_CLUSTER), ADDON)];
        let when = move |matters: bool| if matters { addon() } else { Vec::new() };
        let namespaces = [AGENT_ADDON_NAMESPACE, HYPERSHIFT_NAMESPACE];
        vec![
            Watch::mapped(MANAGED_CLUSTER_ADD_ON, move |addon| when(name_of(addon) == ADDON)),
            Watch::mapped(MANAGED_CLUSTER, move |cluster| when(name_of(cluster) == LOCAL_CLUSTER)),
            Watch::mapped(JOB, move |job| when(install::is_install_job(job))),
            Watch::mapped(HOSTED_CLUSTER, move |cluster| when(is_deleting(cluster))),
            Watch::mapped(DEPLOYMENT, move |deployment| {
                let here = namespace_of(deployment).is_some_and(|namespace| namespaces.contains(&namespace));
                when(here || name_of(deployment) == MANAGER)
            }),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let Some(addon) = context
        .client
        .get(MANAGED_CLUSTER_ADD_ON, key.namespace(), &key.name)
        .await?
    else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&addon) {
        return uninstall::uninstall(context, &addon).await;
    }
    let Some(manager) = manager(context).await?.filter(is_rolled_out) else {
        return Ok(Next::OnEvent);
    };
    let cluster = context.client.get(MANAGED_CLUSTER, None, LOCAL_CLUSTER).await?;
    let joined = cluster.is_some_and(|cluster| conditions::is_true(&cluster, "ManagedClusterJoined"));
    if !joined {
        return Ok(Next::OnEvent);
    }
    if objects::add_finalizer(&context.client, MANAGED_CLUSTER_ADD_ON, &addon, uninstall::FINALIZER).await? {
        return Ok(Next::OnEvent);
    }
    deploy(context, &manager).await?;
    let agent = context
        .client
        .get(DEPLOYMENT, Some(AGENT_ADDON_NAMESPACE), AGENT)
        .await?;
    let running = agent.is_some_and(|agent| is_rolled_out(&agent));
    if running && !conditions::is_true(&addon, "Available") {
        context.time.work(LEASE).await;
        lease(context, ADDON).await?;
    }
    report(context, key, running).await?;
    if running {
        install::install(context, &manager).await?;
    }
    report(context, key, running).await?;
    Ok(Next::OnEvent)
}

/// What the hub sends to the cluster, and the agent that comes of it.
async fn deploy(context: &Context, manager: &Value) -> client::Result<()> {
    if context
        .client
        .get(DEPLOYMENT, Some(AGENT_ADDON_NAMESPACE), AGENT)
        .await?
        .is_some()
    {
        return Ok(());
    }
    context.time.work(DEPLOY).await;
    let labels = json!({ "open-cluster-management.io/addon-name": ADDON });
    let account = "hypershift-addon-agent-sa";
    // The manager and the agent are one image.
    let image = manager["spec"]["template"]["spec"]["containers"][0]["image"]
        .as_str()
        .unwrap_or_default();
    let mut agent = manifest::deployment(AGENT_ADDON_NAMESPACE, AGENT, 1, image);
    set_start_time(&mut agent, 15);
    agent["spec"]["template"]["spec"]["serviceAccountName"] = account.into();
    agent["metadata"]["labels"]["open-cluster-management.io/addon-name"] = ADDON.into();
    let mut manifest = agent.clone();
    manifest["apiVersion"] = DEPLOYMENT.api_version().into();
    manifest["kind"] = DEPLOYMENT.kind.into();
    let work = json!({
        "metadata": { "name": "addon-hypershift-addon-deploy-0", "namespace": LOCAL_CLUSTER, "labels": labels },
        "spec": { "workload": { "manifests": [manifest] } },
    });
    let in_addon_namespace =
        |name: &str| json!({ "metadata": { "name": name, "namespace": AGENT_ADDON_NAMESPACE, "labels": labels } });
    context.client.create(MANIFEST_WORK, &work).await?;
    context
        .client
        .create(SERVICE_ACCOUNT, &in_addon_namespace(account))
        .await?;
    context
        .client
        .create(SECRET, &in_addon_namespace("hypershift-addon-hub-kubeconfig"))
        .await?;
    context.client.create(DEPLOYMENT, &agent).await?;
    Ok(())
}

async fn report(context: &Context, key: &Key, running: bool) -> client::Result<()> {
    let Some(addon) = context
        .client
        .get(MANAGED_CLUSTER_ADD_ON, key.namespace(), &key.name)
        .await?
    else {
        return Ok(());
    };
    let operator = operator(context).await?;
    let status = status(&addon, operator.as_ref(), running, &context.time.stamp());
    if let Some(patch) = status_patch(&addon["status"], &status) {
        context
            .client
            .status(MANAGED_CLUSTER_ADD_ON, key.namespace(), &key.name, &patch)
            .await?;
    }
    Ok(())
}

fn status(addon: &Value, operator: Option<&Value>, running: bool, now: &str) -> Value {
    let mut status = if addon["status"].is_object() {
        addon["status"].clone()
    } else {
        json!({})
    };
    let mut all = status["conditions"].as_array().cloned().unwrap_or_default();
    framework_conditions(&mut all, ADDON, running, now);
    let was_installed = conditions::find(addon, "Degraded").is_some_and(|it| it["status"] == "False");
    let was_lost = conditions::find(addon, "Degraded").is_some_and(|it| it["reason"] == "OperatorNotFound");
    let (degraded, reason, message) = match operator {
        Some(operator) if is_rolled_out(operator) => (
            "False",
            "HypershiftDeployed",
            "Hypershift is deployed on managed cluster.",
        ),
        Some(_) if was_installed || was_lost => (
            "True",
            "OperatorNotAllAvailableReplicas",
            "There are no available replicas or not all of them are available",
        ),
        None if was_installed || was_lost => ("True", "OperatorNotFound", "Hypershift operator is not found"),
        // Before the first installation is through, only the message says what is missing.
        _ => ("True", "HypershiftDeployed", "OperatorNotFound"),
    };
    conditions::set(&mut all, now, "Degraded", degraded, reason, message);
    status["conditions"] = all.into();
    status["healthCheck"] = json!({ "mode": "Lease" });
    status["namespace"] = AGENT_ADDON_NAMESPACE.into();
    status
}
