//! The hub: kinds, controllers and cluster sets of a ClusterManager.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{GLOBAL_SET_NAMESPACE, HUB_NAMESPACE, NAME, REGISTRATION_CONTROLLER, REGISTRATION_WEBHOOK, is_running};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{self, name_of, namespace_of};
use crate::conditions;
use crate::kind::{CLUSTER_MANAGER, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, MANAGED_CLUSTER, NAMESPACE};
use crate::manifest::{self, set_start_time, status_patch};
use crate::objects::{self, is_deleting};
use crate::schemas::open_cluster_management::{MANAGED_CLUSTER_SET, hub_crds};

const FINALIZER: &str = "operator.open-cluster-management.io/cluster-manager-cleanup";
const CLUSTER_MANAGER_NAME: &str = "cluster-manager";

/// How long the operator takes over one definition, and over its controllers.
const DEFINITION: Duration = Duration::from_millis(500);
const CONTROLLERS: Duration = Duration::from_secs(10);

/// The controllers of a hub, with the field of the ClusterManager's spec that names each one's image.
const DEPLOYMENTS: [(&str, &str); 5] = [
    (REGISTRATION_CONTROLLER, "registrationImagePullSpec"),
    (REGISTRATION_WEBHOOK, "registrationImagePullSpec"),
    ("cluster-manager-work-webhook", "workImagePullSpec"),
    ("cluster-manager-placement-controller", "placementImagePullSpec"),
    ("cluster-manager-addon-manager-controller", "addOnManagerImagePullSpec"),
];

/// The operator that installs hubs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClusterManagers;

impl Actor for ClusterManagers {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        "registration-operator"
    }

    fn watches(&self) -> Vec<Watch> {
        let of_hub = |deployment: &Value| {
            let ours = namespace_of(deployment) == Some(HUB_NAMESPACE);
            if ours {
                vec![Key::named(None, CLUSTER_MANAGER_NAME)]
            } else {
                Vec::new()
            }
        };
        vec![Watch::own(CLUSTER_MANAGER), Watch::mapped(DEPLOYMENT, of_hub)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let Some(manager) = context.client.get(CLUSTER_MANAGER, None, &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&manager) {
        return remove(context, &manager).await;
    }
    if objects::add_finalizer(&context.client, CLUSTER_MANAGER, &manager, FINALIZER).await? {
        return Ok(Next::OnEvent);
    }
    definitions(context).await?;
    controllers(context, &manager).await?;
    let running = all_running(context).await?;
    if running {
        cluster_sets(context).await?;
    }
    let status = status(&manager, running, &context.time.stamp());
    if let Some(patch) = status_patch(&manager["status"], &status) {
        context.client.status(CLUSTER_MANAGER, None, &key.name, &patch).await?;
    }
    Ok(Next::OnEvent)
}

/// The hub's kinds, in one order: where the last is there, all are.
async fn definitions(context: &Context) -> client::Result<()> {
    let definitions = hub_crds(context.generation);
    let last = definitions.last().map(name_of).unwrap_or_default();
    if context
        .client
        .get(CUSTOM_RESOURCE_DEFINITION, None, last)
        .await?
        .is_some()
    {
        return Ok(());
    }
    for crd in context.site.schemas.resolve(definitions) {
        context.time.work(DEFINITION).await;
        objects::ensure(&context.client, CUSTOM_RESOURCE_DEFINITION, &crd).await?;
    }
    Ok(())
}

async fn controllers(context: &Context, manager: &Value) -> client::Result<()> {
    let existing = context.client.list(DEPLOYMENT, Some(HUB_NAMESPACE), "").await?;
    let missing: Vec<_> = DEPLOYMENTS
        .into_iter()
        .filter(|(name, _)| !existing.iter().any(|it| name_of(it) == *name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    context.time.work(CONTROLLERS).await;
    context
        .client
        .create(NAMESPACE, &manifest::namespace(HUB_NAMESPACE, &[]))
        .await?;
    for (name, image) in missing {
        let image = manager["spec"][image].as_str().unwrap_or_default();
        let mut deployment = manifest::deployment(HUB_NAMESPACE, name, 3, image);
        set_start_time(&mut deployment, 20);
        context.client.create(DEPLOYMENT, &deployment).await?;
    }
    Ok(())
}

async fn all_running(context: &Context) -> client::Result<bool> {
    for (name, _) in DEPLOYMENTS {
        if !is_running(context, HUB_NAMESPACE, name).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The set that clusters without one go to, and the set of all.
async fn cluster_sets(context: &Context) -> client::Result<()> {
    let default = json!({
        "metadata": { "name": "default" },
        "spec": { "clusterSelector": { "selectorType": "ExclusiveClusterSetLabel" } },
    });
    let global = json!({
        "metadata": { "name": "global" },
        "spec": { "clusterSelector": { "selectorType": "LabelSelector", "labelSelector": {} } },
    });
    for set in [default, global] {
        if context
            .client
            .get(MANAGED_CLUSTER_SET, None, name_of(&set))
            .await?
            .is_none()
        {
            context.client.create(MANAGED_CLUSTER_SET, &set).await?;
        }
    }
    if context
        .client
        .get(NAMESPACE, None, GLOBAL_SET_NAMESPACE)
        .await?
        .is_none()
    {
        context
            .client
            .create(NAMESPACE, &manifest::namespace(GLOBAL_SET_NAMESPACE, &[]))
            .await?;
    }
    Ok(())
}

fn status(manager: &Value, running: bool, now: &str) -> Value {
    let mut status = if manager["status"].is_object() {
        manager["status"].clone()
    } else {
        json!({})
    };
    let mut all = status["conditions"].as_array().cloned().unwrap_or_default();
    let applied = "Components of cluster manager are applied";
    conditions::set(&mut all, now, "Applied", "True", "ClusterManagerApplied", applied);
    let (progressing, reason, message) = if running {
        (
            "False",
            "ClusterManagerUpToDate",
            "Components of cluster manager are up to date",
        )
    } else {
        (
            "True",
            "ClusterManagerDeploymentRolling",
            "Components of cluster manager are being rolled out",
        )
    };
    conditions::set(&mut all, now, "Progressing", progressing, reason, message);
    let (degraded, registration, placement) = if running {
        ("False", "RegistrationFunctional", "PlacementFunctional")
    } else {
        ("True", "UnavailableRegistrationPod", "UnavailablePlacementPod")
    };
    let message = |part: &str| {
        let state = if running {
            "is functioning"
        } else {
            "is not yet available"
        };
        format!("{part} {state}")
    };
    conditions::set(
        &mut all,
        now,
        "HubRegistrationDegraded",
        degraded,
        registration,
        &message("Registration"),
    );
    conditions::set(
        &mut all,
        now,
        "HubPlacementDegraded",
        degraded,
        placement,
        &message("Scheduling"),
    );
    status["conditions"] = all.into();
    status["observedGeneration"] = manager["metadata"]["generation"].clone();
    status
}

/// Takes the hub down, once it manages nothing any more.
async fn remove(context: &Context, manager: &Value) -> client::Result<Next> {
    if !context.client.list(MANAGED_CLUSTER, None, "").await?.is_empty() {
        return Ok(Next::After(Duration::from_secs(5)));
    }
    for (name, _) in DEPLOYMENTS {
        context.client.delete(DEPLOYMENT, Some(HUB_NAMESPACE), name).await?;
    }
    for namespace in [HUB_NAMESPACE, GLOBAL_SET_NAMESPACE] {
        context.client.delete(NAMESPACE, None, namespace).await?;
    }
    for crd in hub_crds(context.generation) {
        context
            .client
            .delete(CUSTOM_RESOURCE_DEFINITION, None, name_of(&crd))
            .await?;
    }
    objects::drop_finalizer(&context.client, CLUSTER_MANAGER, manager, FINALIZER).await?;
    Ok(Next::OnEvent)
}
