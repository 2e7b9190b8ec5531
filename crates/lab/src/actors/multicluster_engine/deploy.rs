//! Makes what an engine asks for: each part as soon as what it needs is there. What is there already is left alone, so a
//! pass may be cut short anywhere and done again.

use std::time::Duration;

use serde_json::Value;

use super::components::Component;
use super::observe::Observed;
use super::{Engine, HYPERSHIFT_ADDON, LOCAL_CLUSTER, OWNER_LABEL, charts, deploys};
use crate::actor::Context;
use crate::client;
use crate::kind::{
    CLUSTER_MANAGEMENT_ADD_ON, CLUSTER_MANAGER, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, Kind, MANAGED_CLUSTER,
    MANAGED_CLUSTER_ADD_ON, NAMESPACE, SERVICE_ACCOUNT,
};
use crate::manifest::{self, set_annotations, set_labels};
use crate::objects::{self, is_rolled_out};
use crate::schemas::multicluster_engine::INTERNAL_ENGINE_COMPONENT;

/// How long the operator takes over one definition, and over one chart of objects.
const DEFINITION: Duration = Duration::from_millis(500);
const CHART: Duration = Duration::from_secs(4);

/// One pass over everything; whether it made anything.
pub(super) async fn deploy(context: &Context, engine: &Engine, observed: &Observed) -> client::Result<bool> {
    let mut made = false;
    if !observed.kinds.components {
        made |= definitions(context).await?;
        made |= create(context, engine, NAMESPACE, manifest::namespace(&engine.namespace, &[])).await?;
    }
    for (component, enabled) in &engine.components {
        if deploys(component, *enabled, observed) {
            made |= component_on(context, engine, component, observed).await?;
        } else {
            component_off(context, engine, component, observed).await?;
        }
    }
    made |= hub(context, engine, observed).await?;
    made |= hypershift(context, engine, observed).await?;
    made |= hypershift_on_local_cluster(context, engine, observed).await?;
    made |= local_cluster(context, engine, observed).await?;
    Ok(made)
}

/// The kinds of components.
async fn definitions(context: &Context) -> client::Result<bool> {
    let mut made = false;
    for crd in context.site.schemas.resolve(charts::definitions()) {
        context.time.work(DEFINITION).await;
        made |= objects::ensure(&context.client, CUSTOM_RESOURCE_DEFINITION, &crd).await?;
    }
    Ok(made)
}

async fn component_on(
    context: &Context,
    engine: &Engine,
    component: &Component,
    observed: &Observed,
) -> client::Result<bool> {
    let missing = component
        .deployments
        .iter()
        .filter(|workload| !observed.deployments.contains_key(workload.name));
    let mut made = false;
    for (index, workload) in missing.enumerate() {
        if index == 0 {
            context.time.work(CHART).await;
        }
        create(context, engine, SERVICE_ACCOUNT, charts::account(engine, workload)).await?;
        made |= create(context, engine, DEPLOYMENT, charts::deployment(engine, workload)).await?;
    }
    if !observed.internal_components.contains(component.name) {
        made |= create(
            context,
            engine,
            INTERNAL_ENGINE_COMPONENT,
            charts::internal(engine, component),
        )
        .await?;
    }
    Ok(made)
}

async fn component_off(
    context: &Context,
    engine: &Engine,
    component: &Component,
    observed: &Observed,
) -> client::Result<()> {
    let namespace = Some(engine.namespace.as_str());
    if observed.internal_components.contains(component.name) {
        context
            .client
            .delete(INTERNAL_ENGINE_COMPONENT, namespace, component.name)
            .await?;
    }
    for workload in component.deployments {
        if observed.deployments.contains_key(workload.name) {
            context.client.delete(DEPLOYMENT, namespace, workload.name).await?;
        }
    }
    Ok(())
}

/// The hub, once the operator that installs hubs runs.
async fn hub(context: &Context, engine: &Engine, observed: &Observed) -> client::Result<bool> {
    let ready = observed.deployments.get("cluster-manager").is_some_and(is_rolled_out);
    if observed.cluster_manager.is_some() || !ready {
        return Ok(false);
    }
    context.time.work(CHART).await;
    create(context, engine, CLUSTER_MANAGER, charts::cluster_manager(engine)).await
}

/// The hypershift addon, made known to the hub.
async fn hypershift(context: &Context, engine: &Engine, observed: &Observed) -> client::Result<bool> {
    let wanted = engine.has("hypershift") && observed.kinds.addons;
    let mut made = false;
    if wanted && observed.hypershift.is_none() {
        context.time.work(CHART).await;
        for (kind, object) in charts::hypershift(engine) {
            made |= create(context, engine, kind, object).await?;
        }
    } else if !wanted && observed.hypershift.is_some() {
        context
            .client
            .delete(CLUSTER_MANAGEMENT_ADD_ON, None, HYPERSHIFT_ADDON)
            .await?;
    }
    Ok(made)
}

/// The hypershift addon, put on the local cluster.
async fn hypershift_on_local_cluster(context: &Context, engine: &Engine, observed: &Observed) -> client::Result<bool> {
    let possible = observed.local_cluster.is_some() && observed.local_namespace;
    match &observed.hypershift_addon {
        None if engine.hosts_locally() && possible => {
            context.time.work(CHART).await;
            create(context, engine, MANAGED_CLUSTER_ADD_ON, charts::hypershift_addon()).await
        }
        Some(_) if !engine.hosts_locally() => {
            context
                .client
                .delete(MANAGED_CLUSTER_ADD_ON, Some(LOCAL_CLUSTER), HYPERSHIFT_ADDON)
                .await?;
            Ok(false)
        }
        _ => Ok(false),
    }
}

/// The management cluster as a cluster that the hub manages.
async fn local_cluster(context: &Context, engine: &Engine, observed: &Observed) -> client::Result<bool> {
    // A namespace of that name that belongs to no managed cluster is in the way until it is gone.
    let is_free = observed.local_cluster.is_none() && !observed.local_namespace;
    if !engine.has(LOCAL_CLUSTER) || !observed.kinds.clusters || !is_free {
        return Ok(false);
    }
    context.time.work(CHART).await;
    create(context, engine, MANAGED_CLUSTER, charts::local_cluster()).await
}

/// Creates an object in the engine's name, or leaves the one that is there. Whether it was created.
async fn create(context: &Context, engine: &Engine, kind: Kind, mut object: Value) -> client::Result<bool> {
    set_labels(&mut object, &[(OWNER_LABEL, &engine.name)]);
    let version = (
        "installer.multicluster.openshift.io/release-version",
        engine.version.as_str(),
    );
    set_annotations(&mut object, &[version]);
    objects::ensure(&context.client, kind, &object).await
}
