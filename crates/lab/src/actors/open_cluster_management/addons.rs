//! Addons whose agent only has to run: work-manager, cluster-proxy, managed-serviceaccount.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{AGENT_ADDON_NAMESPACE, NAME, is_running};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{self, namespace_of};
use crate::conditions;
use crate::kind::{DEPLOYMENT, LEASE, MANAGED_CLUSTER_ADD_ON};
use crate::manifest::{self, label, set_labels, status_patch};
use crate::objects::is_deleting;

/// Label on an agent's Deployment: the addon that it belongs to.
const ADDON_LABEL: &str = "addon.open-cluster-management.io/addon-name";

/// How long the hub takes to bring an agent to a cluster.
const DEPLOY: Duration = Duration::from_secs(3);

/// Addons and the Deployments of their agents.
const AGENTS: [(&str, &str); 3] = [
    ("cluster-proxy", "cluster-proxy-proxy-agent"),
    ("managed-serviceaccount", "managed-serviceaccount-addon-agent"),
    ("work-manager", "klusterlet-addon-workmgr"),
];

/// The hub's addon manager, with the agents' parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddOns;

impl Actor for AddOns {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        "addon-manager"
    }

    fn watches(&self) -> Vec<Watch> {
        let addon = |deployment: &Value| {
            let ours = namespace_of(deployment) == Some(AGENT_ADDON_NAMESPACE);
            let name = label(deployment, ADDON_LABEL).filter(|_| ours);
            name.map(|name| Key::named(Some("local-cluster"), name))
                .into_iter()
                .collect()
        };
        vec![Watch::own(MANAGED_CLUSTER_ADD_ON), Watch::mapped(DEPLOYMENT, addon)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let Some((_, agent)) = AGENTS.into_iter().find(|(name, _)| *name == key.name) else {
        return Ok(Next::OnEvent);
    };
    let addon = context
        .client
        .get(MANAGED_CLUSTER_ADD_ON, key.namespace(), &key.name)
        .await?;
    let Some(addon) = addon.filter(|addon| !is_deleting(addon)) else {
        context
            .client
            .delete(DEPLOYMENT, Some(AGENT_ADDON_NAMESPACE), agent)
            .await?;
        return Ok(Next::OnEvent);
    };
    if context
        .client
        .get(DEPLOYMENT, Some(AGENT_ADDON_NAMESPACE), agent)
        .await?
        .is_none()
    {
        context.time.work(DEPLOY).await;
        let image = format!("registry.redhat.io/multicluster-engine/{agent}-rhel9");
        let mut deployment = manifest::deployment(AGENT_ADDON_NAMESPACE, agent, 1, &image);
        set_labels(&mut deployment, &[(ADDON_LABEL, &key.name)]);
        context.client.create(DEPLOYMENT, &deployment).await?;
    }
    let running = is_running(context, AGENT_ADDON_NAMESPACE, agent).await?;
    if running {
        lease(context, &key.name).await?;
    }
    let status = status(&addon, &key.name, running, &context.time.stamp());
    if let Some(patch) = status_patch(&addon["status"], &status) {
        context
            .client
            .status(MANAGED_CLUSTER_ADD_ON, key.namespace(), &key.name, &patch)
            .await?;
    }
    Ok(Next::OnEvent)
}

/// The Lease by which an agent shows that it lives. Made once: a lab renews nothing on the clock.
pub(crate) async fn lease(context: &Context, addon: &str) -> client::Result<()> {
    if context
        .client
        .get(LEASE, Some(AGENT_ADDON_NAMESPACE), addon)
        .await?
        .is_none()
    {
        let lease = json!({
            "metadata": { "name": addon, "namespace": AGENT_ADDON_NAMESPACE },
            "spec": {
                "leaseDurationSeconds": 60,
                "renewTime": context.time.now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            },
        });
        context.client.create(LEASE, &lease).await?;
    }
    Ok(())
}

/// The conditions that the addon framework writes, and the one that the lease gives.
pub(crate) fn framework_conditions(all: &mut Vec<Value>, addon: &str, running: bool, now: &str) {
    let message = "Registration of the addon agent is configured";
    conditions::set(all, now, "RegistrationApplied", "True", "SetPermissionApplied", message);
    let message = "manifests of addon are applied successfully";
    conditions::set(all, now, "ManifestApplied", "True", "AddonManifestApplied", message);
    let (status, reason, message) = if running {
        (
            "True",
            "ManagedClusterAddOnLeaseUpdated",
            format!("{addon} add-on is available."),
        )
    } else {
        (
            "Unknown",
            "ManagedClusterAddOnLeaseNotFound",
            format!("The status of {addon} add-on is unknown."),
        )
    };
    conditions::set(all, now, "Available", status, reason, &message);
}

fn status(addon: &Value, name: &str, running: bool, now: &str) -> Value {
    let mut status = if addon["status"].is_object() {
        addon["status"].clone()
    } else {
        json!({})
    };
    let mut all = status["conditions"].as_array().cloned().unwrap_or_default();
    framework_conditions(&mut all, name, running, now);
    status["conditions"] = all.into();
    status["healthCheck"] = json!({ "mode": "Lease" });
    status["namespace"] = AGENT_ADDON_NAMESPACE.into();
    status
}
