//! What there is of an engine: read in one place, so that deciding needs no requests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Engine, HYPERSHIFT_ADDON, LOCAL_CLUSTER, OWNER_LABEL};
use crate::actor::Context;
use crate::actors::open_cluster_management;
use crate::client::{self, name_of};
use crate::kind::{
    CLUSTER_MANAGEMENT_ADD_ON, CLUSTER_MANAGER, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, Kind, MANAGED_CLUSTER,
    MANAGED_CLUSTER_ADD_ON, NAMESPACE,
};
use crate::manifest::is_established;
use crate::objects::is_deleting;
use crate::schemas::multicluster_engine::INTERNAL_ENGINE_COMPONENT;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// Deployments of the engine, by name.
    pub(super) deployments: BTreeMap<String, Value>,
    pub(super) kinds: Kinds,
    /// Names of the InternalEngineComponents.
    pub(super) internal_components: BTreeSet<String>,
    pub(super) cluster_manager: Option<Value>,
    pub(super) hypershift: Option<Value>,
    pub(super) local_cluster: Option<Value>,
    /// Namespace of the local cluster, unless it is on its way out.
    pub(super) local_namespace: bool,
    pub(super) hypershift_addon: Option<Value>,
}

/// Which kinds can be used.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    /// Those of components.
    pub(super) components: bool,
    /// ClusterManagementAddOns.
    pub(super) addons: bool,
    /// ManagedClusters: the hub's kind is there, and its webhook.
    pub(super) clusters: bool,
}

/// Reads all of it.
pub(super) async fn observe(context: &Context, engine: &Engine) -> client::Result<Observed> {
    let client = &context.client;
    let label = format!("{OWNER_LABEL}={}", engine.name);
    let deployments = client.list(DEPLOYMENT, Some(&engine.namespace), &label).await?;
    let internal = client
        .list(INTERNAL_ENGINE_COMPONENT, Some(&engine.namespace), "")
        .await?;
    let namespace = client.get(NAMESPACE, None, LOCAL_CLUSTER).await?;
    let kinds = Kinds {
        // The last that is made stands for all.
        components: has_kind(context, CLUSTER_MANAGER).await?,
        addons: has_kind(context, CLUSTER_MANAGEMENT_ADD_ON).await?,
        clusters: has_kind(context, MANAGED_CLUSTER).await?
            && open_cluster_management::admits_clusters(context).await?,
    };
    Ok(Observed {
        kinds,
        deployments: deployments
            .into_iter()
            .map(|deployment| (name_of(&deployment).to_owned(), deployment))
            .collect(),
        cluster_manager: client.get(CLUSTER_MANAGER, None, "cluster-manager").await?,
        internal_components: internal.iter().map(|internal| name_of(internal).to_owned()).collect(),
        hypershift: client.get(CLUSTER_MANAGEMENT_ADD_ON, None, HYPERSHIFT_ADDON).await?,
        local_cluster: client.get(MANAGED_CLUSTER, None, LOCAL_CLUSTER).await?,
        local_namespace: namespace.is_some_and(|namespace| !is_deleting(&namespace)),
        hypershift_addon: client
            .get(MANAGED_CLUSTER_ADD_ON, Some(LOCAL_CLUSTER), HYPERSHIFT_ADDON)
            .await?,
    })
}

async fn has_kind(context: &Context, kind: Kind) -> client::Result<bool> {
    let name = format!("{}.{}", kind.plural, kind.group);
    let definition = context.client.get(CUSTOM_RESOURCE_DEFINITION, None, &name).await?;
    Ok(definition.is_some_and(|definition| is_established(&definition)))
}
