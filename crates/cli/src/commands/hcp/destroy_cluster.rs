//! `destroy cluster kubevirt`: the HostedCluster goes, then the Secrets that `create cluster` made for it.

use std::path::Path;
use std::time::Duration;

use berth_api::{resources, views};
use berth_procedure::hcp::DestroyCluster;
use kube::Client;
use serde_json::{Value, json};

use super::{hub, log};
use crate::failure::{Attempted as _, Failure, Result};
use crate::printer::Printer;

const LOOK_EVERY: Duration = Duration::from_secs(1);
const CLEAN_UP: &str = "hypershift.openshift.io/cleanup-cloud-resources";
const GRACE: &str = "hypershift.openshift.io/destroy-grace-period";
const AUTO_CREATED: &str = "hypershift.openshift.io/auto-created-for-infra";

/// Destroys the cluster.
pub(super) async fn run(printer: &Printer, destroy: &DestroyCluster) -> Result<()> {
    let client = hub::client(printer, destroy.kubeconfig.as_deref().map(Path::new)).await?;
    let (namespace, name) = (destroy.namespace.as_str(), destroy.name.as_str());
    let place = [("namespace", namespace), ("name", name)];
    let cluster = hub::find(&client, resources::HOSTED_CLUSTER, namespace, name)
        .await
        .attempted("failed to get hostedcluster")?;
    let infra_id = match &cluster {
        Some(cluster) => views::text(cluster, &["spec", "infraID"]).map(str::to_owned),
        None => destroy.infra_id.clone(),
    };
    let found = if cluster.is_some() {
        "Found hosted cluster"
    } else {
        "Hosted cluster not found, destroying infrastructure from user input"
    };
    log::info(printer, found, &place);
    let infra_id = infra_id
        .filter(|id| !id.is_empty())
        .ok_or_else(|| Failure::failed("required inputs are missing: infrastructure ID is required"))?;
    // A cluster that is gone is not waited for, as the original would until its time is over.
    if cluster.is_some() {
        delete(printer, &client, destroy).await?;
        gone(printer, &client, destroy).await?;
    }
    log::info(printer, "Deleting Secrets", &[("namespace", namespace)]);
    hub::delete_labelled(
        &client,
        resources::SECRET,
        namespace,
        &format!("{AUTO_CREATED}={infra_id}"),
    )
    .await
    .attempted(format!("failed to clean up secrets in {namespace} namespace"))?;
    log::info(printer, "Deleted CLI generated secrets", &[]);
    let done = "Successfully destroyed cluster and infrastructure";
    log::info(
        printer,
        done,
        &[("namespace", namespace), ("name", name), ("infraID", &infra_id)],
    );
    Ok(())
}

async fn delete(printer: &Printer, client: &Client, destroy: &DestroyCluster) -> Result<()> {
    let (namespace, name) = (destroy.namespace.as_str(), destroy.name.as_str());
    let place = [("namespace", namespace), ("name", name)];
    if destroy.destroy_cloud_resources {
        log::info(printer, "Marking cleanup of cloud resources for hosted cluster", &place);
        let marked = json!({"metadata": {"annotations": {CLEAN_UP: "true"}}});
        match hub::merge(client, resources::HOSTED_CLUSTER, namespace, name, &marked).await {
            Ok(()) => log::info(printer, "Updated hosted cluster", &place),
            Err(kube::Error::Api(status)) if status.code == 404 => {
                log::info(printer, "Hosted cluster not found, skipping client updates", &place);
            }
            Err(kube::Error::Api(status)) if status.message.contains("no new finalizers can be added") => {}
            Err(error) => {
                let message = "failed to add client finalizer to hosted cluster";
                return Err(Failure::failed(message).because(&error));
            }
        }
    }
    log::info(printer, "Deleting hosted cluster", &place);
    let deleted = hub::delete(client, resources::HOSTED_CLUSTER, namespace, name)
        .await
        .attempted("failed to delete hostedcluster")?;
    if !deleted {
        log::info(printer, "Hosted not found, skipping delete", &place);
    }
    Ok(())
}

/// Until the HostedCluster is gone, or has been destroyed and stays only for its grace period.
async fn gone(printer: &Printer, client: &Client, destroy: &DestroyCluster) -> Result<()> {
    let (namespace, name) = (destroy.namespace.as_str(), destroy.name.as_str());
    let address = (resources::HOSTED_CLUSTER, namespace, name);
    let look = async || match hub::find(client, resources::HOSTED_CLUSTER, namespace, name).await {
        Ok(cluster) => Ok(cluster.as_ref().is_none_or(is_destroyed).then_some(())),
        Err(error) => {
            log::error(printer, "Failed to get hosted cluster", &error.to_string());
            Ok(None)
        }
    };
    let waited = tokio::time::timeout(
        destroy.grace_period,
        hub::until(client, address, LOOK_EVERY, || {}, look),
    );
    waited.await.unwrap_or_else(|_| {
        let error = "context deadline exceeded";
        log::error(printer, "HostedCluster deletion failed", error);
        Err(Failure::failed(error).hint(format!(
            "the HostedCluster {namespace}/{name} still goes; its finalizers and conditions say what it waits for"
        )))
    })
}

fn is_destroyed(cluster: &Value) -> bool {
    let conditions = views::list(cluster, &["status", "conditions"]);
    cluster["metadata"]["annotations"][GRACE].is_string()
        && conditions
            .iter()
            .any(|condition| condition["type"] == "HostedClusterDestroyed")
}
