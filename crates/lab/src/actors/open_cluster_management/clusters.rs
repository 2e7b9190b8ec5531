//! ManagedClusters: accepted, imported, joined, available.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::cluster_status::{self, Stage};
use super::{HUB_NAMESPACE, NAME, REGISTRATION_CONTROLLER, detach, is_running, klusterlet};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::seen::Seen;
use crate::client::{self, name_of, namespace_of};
use crate::kind::{DEPLOYMENT, MANAGED_CLUSTER, MANAGED_CLUSTER_ADD_ON, NAMESPACE, SECRET};
use crate::manifest::{self, label, status_patch};
use crate::objects::{self, annotation, is_deleting};

pub(super) const FINALIZER: &str = "cluster.open-cluster-management.io/api-resource-cleanup";
pub(super) const CLUSTER_LABEL: &str = "cluster.open-cluster-management.io/managedCluster";
const CLUSTER_SET_LABEL: &str = "cluster.open-cluster-management.io/clusterset";
const DEPLOY_MODE: &str = "import.open-cluster-management.io/klusterlet-deploy-mode";

/// How long the hub takes to accept a cluster and prepare its import.
const ACCEPT: Duration = Duration::from_secs(5);
/// How long an agent that runs takes to register with the hub, and to renew its first lease.
const JOIN: Duration = Duration::from_secs(12);

/// The hub's registration controller and the import controller.
#[derive(Debug, Default)]
pub(crate) struct ManagedClusters {
    clusters: Seen,
}

impl Actor for ManagedClusters {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        "managedcluster-import-controller"
    }

    fn watches(&self) -> Vec<Watch> {
        let registration = |deployment: &Value| name_of(deployment) == REGISTRATION_CONTROLLER;
        let of_label = |label_name: &'static str| {
            move |object: &Value| {
                let name = label(object, label_name);
                name.map(|name| Key::named(None, name)).into_iter().collect()
            }
        };
        let of_namespace = |object: &Value| {
            namespace_of(object)
                .map(|name| Key::named(None, name))
                .into_iter()
                .collect()
        };
        vec![
            self.clusters
                .remember(MANAGED_CLUSTER, |cluster| vec![Key::of(cluster)]),
            self.clusters.wake_all(DEPLOYMENT, registration),
            Watch::mapped(DEPLOYMENT, of_label(klusterlet::CLUSTER_LABEL)),
            self.clusters.wake_matching(SECRET, |secret, cluster| {
                name_of(secret) == klusterlet::EXTERNAL_KUBECONFIG
                    && namespace_of(secret) == Some(&klusterlet::hosted_name(&cluster.name))
            }),
            Watch::mapped(NAMESPACE, of_label(CLUSTER_LABEL)),
            Watch::mapped(MANAGED_CLUSTER_ADD_ON, of_namespace),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let Some(cluster) = context.client.get(MANAGED_CLUSTER, None, &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&cluster) {
        return detach::detach(context, &cluster).await;
    }
    if !is_running(context, HUB_NAMESPACE, REGISTRATION_CONTROLLER).await? {
        return Ok(Next::OnEvent);
    }
    objects::add_finalizer(&context.client, MANAGED_CLUSTER, &cluster, FINALIZER).await?;
    if let Some(patch) = marks(&cluster) {
        context.client.merge(MANAGED_CLUSTER, None, &key.name, &patch).await?;
        return Ok(Next::OnEvent);
    }
    if cluster["spec"]["hubAcceptsClient"] != true {
        return report(context, &cluster, Stage::Denied).await;
    }
    match cluster_status::stage_of(&cluster) {
        Stage::Denied => {
            context.time.work(ACCEPT).await;
            prepare(context, &cluster).await?;
            report(context, &cluster, Stage::Accepted).await
        }
        Stage::Accepted => report(context, &cluster, Stage::Importing(waits_for(&cluster))).await,
        Stage::Importing(_) => import(context, &cluster).await,
        Stage::Imported => {
            context.time.work(JOIN).await;
            report(context, &cluster, Stage::Joined).await
        }
        Stage::Joined => {
            context.time.work(JOIN).await;
            report(context, &cluster, Stage::Available).await
        }
        Stage::Available => {
            if !is_hosted(&cluster) {
                klusterlet::default_addons(context, name_of(&cluster)).await?;
            }
            report(context, &cluster, Stage::Available).await
        }
    }
}

/// Whether the agent of a cluster runs on the hub and not on the cluster.
pub(super) fn is_hosted(cluster: &Value) -> bool {
    annotation(cluster, DEPLOY_MODE) == Some("Hosted")
}

/// The patch that adds what every managed cluster carries.
fn marks(cluster: &Value) -> Option<Value> {
    let mut patch = json!({});
    if label(cluster, CLUSTER_SET_LABEL).is_none() {
        patch["metadata"]["labels"][CLUSTER_SET_LABEL] = "default".into();
    }
    if label(cluster, "name").is_none() {
        patch["metadata"]["labels"]["name"] = name_of(cluster).into();
    }
    (patch != json!({})).then_some(patch)
}

/// The cluster's namespace on the hub, and the secret with what would be applied to the cluster by hand.
async fn prepare(context: &Context, cluster: &Value) -> client::Result<()> {
    let name = name_of(cluster);
    let namespace = manifest::namespace(name, &[(CLUSTER_LABEL, name)]);
    context.client.create(NAMESPACE, &namespace).await?;
    let import = json!({
        "metadata": {
            "name": format!("{name}-import"),
            "namespace": name,
            "labels": { "managedcluster-import-controller.open-cluster-management.io/import-secret": "" },
        },
        "type": "Opaque",
        "stringData": { "crds.yaml": "# simulated\n", "import.yaml": "# simulated\n" },
    });
    context.client.create(SECRET, &import).await?;
    Ok(())
}

fn waits_for(cluster: &Value) -> &'static str {
    if is_hosted(cluster) {
        cluster_status::WAIT_FOR_KUBECONFIG
    } else {
        cluster_status::IMPORTING
    }
}

async fn import(context: &Context, cluster: &Value) -> client::Result<Next> {
    let running = if is_hosted(cluster) {
        klusterlet::import_hosted(context, cluster).await?
    } else {
        klusterlet::import_local(context, cluster).await?
    };
    let stage = if running {
        Stage::Imported
    } else {
        Stage::Importing(waits_for(cluster))
    };
    report(context, cluster, stage).await
}

async fn report(context: &Context, cluster: &Value, stage: Stage) -> client::Result<Next> {
    let about = if stage == Stage::Available && !is_hosted(cluster) {
        cluster_status::local_facts(context).await?
    } else {
        cluster["status"].clone()
    };
    let status = cluster_status::of(cluster, stage, &about, &context.time.stamp());
    if let Some(patch) = status_patch(&cluster["status"], &status) {
        context
            .client
            .status(MANAGED_CLUSTER, None, name_of(cluster), &patch)
            .await?;
    }
    Ok(Next::OnEvent)
}
