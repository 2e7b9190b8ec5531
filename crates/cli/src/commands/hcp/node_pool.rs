//! `create nodepool kubevirt` and `destroy nodepool`.

use berth_api::{resources, views};
use berth_procedure::hcp::{self, CreateNodePool};
use berth_procedure::render::Dialect;
use kube::Client;
use serde_json::Value;

use super::hub::{self, Write};
use super::{log, refused, warn, with_outside};
use crate::failure::{Attempted as _, Failure, Result};
use crate::printer::Printer;

/// Creates or prints a NodePool of a HostedCluster that is there.
pub(super) async fn create(printer: &Printer, create: &CreateNodePool, named: Option<Dialect>) -> Result<()> {
    create.notices().iter().for_each(|notice| printer.say(notice));
    create.check().map_err(|error| refused(&error))?;
    warn(printer, &create.warnings(), create.strict)?;
    let client = hub::client(printer, None).await?;
    let (namespace, name) = (create.namespace.as_str(), create.name.as_str());
    let cluster = hub::find(&client, resources::HOSTED_CLUSTER, namespace, &create.cluster)
        .await
        .attempted("failed to get HostedCluster to check payload type")?;
    let cluster = cluster.ok_or_else(|| {
        let not_found = format!(
            "hostedclusters.hypershift.openshift.io \"{}\" not found",
            create.cluster
        );
        Failure::failed(format!(
            "failed to get HostedCluster {namespace}/{}: {not_found}",
            create.cluster
        ))
    })?;
    check_against(printer, create, &cluster)?;
    let there = hub::find(&client, resources::NODE_POOL, namespace, name).await;
    if !create.render && matches!(there, Ok(Some(_))) {
        return Err(Failure::failed(format!("NodePool {namespace}/{name} already exists")));
    }
    let image = views::text(&cluster, &["spec", "release", "image"]).unwrap_or_default();
    let node_pool = create.node_pool(image).map_err(|error| refused(&error))?;
    if create.render {
        let dialect = match named {
            Some(dialect) => dialect,
            None => generation(&client).await,
        };
        printer.out(&with_outside(|outside| {
            hcp::node_pool_to_stdout(&node_pool, outside, dialect)
        }));
        printer.say(&format!("NodePool {name} was rendered to yaml output file"));
        return Ok(());
    }
    hub::write(&client, &node_pool, true, Write::Really)
        .await
        .attempted(format!("failed to create NodePool {namespace}/{name}"))?;
    printer.line(&format!("NodePool {name} created"));
    Ok(())
}

async fn generation(client: &Client) -> Dialect {
    let definition = hub::hosted_cluster_definition(client).await;
    definition.map_or(Dialect::Current, |definition| Dialect::of_crd(&definition))
}

/// Whether the pool fits its cluster: processors, release, platform.
fn check_against(printer: &Printer, create: &CreateNodePool, cluster: &Value) -> Result<()> {
    let arch = &create.arch;
    match views::text(cluster, &["status", "payloadArch"]) {
        None | Some("") => {
            let skipped = "WARNING: Unable to validate NodePool CPU arch: HostedCluster.Status.PayloadArch unspecified - \
                           skipping validation for this NodePool";
            log::info(printer, skipped, &[]);
        }
        Some(payload) if !payload.eq_ignore_ascii_case("multi") && !payload.eq_ignore_ascii_case(arch) => {
            return Err(Failure::failed(format!(
                "NodePool CPU arch, {arch}, is not supported by the HostedCluster payload type, {payload}"
            )));
        }
        Some(_) => {}
    }
    if let Some(image) = &create.release_image
        && hcp::skew(cluster, image).map_err(|error| refused(&error))?.is_none()
    {
        let skipped = "WARNING: Unable to access the payload, skipping the Minor Version check.";
        log::info(
            printer,
            skipped,
            &[("error", "the versions of cluster and image are not both known")],
        );
    }
    match views::text(cluster, &["spec", "platform", "type"]).unwrap_or_default() {
        "KubeVirt" => Ok(()),
        platform => Err(Failure::failed(format!(
            "NodePool platform type KubeVirt must be HostedCluster type {platform}"
        ))),
    }
}

/// Deletes a NodePool, without a wait.
pub(super) async fn destroy(printer: &Printer, namespace: &str, name: &str) -> Result<()> {
    let client = hub::client(printer, None).await?;
    let deleted = hub::delete(&client, resources::NODE_POOL, namespace, name)
        .await
        .attempted(format!("failed to delete NodePool {namespace}/{name}"))?;
    let message = if deleted {
        "NodePool deleted successfully"
    } else {
        "NodePool already deleted or not found"
    };
    log::info(printer, message, &[("name", name), ("namespace", namespace)]);
    Ok(())
}
