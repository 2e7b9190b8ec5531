//! The management cluster as it stands before Berth's procedure begins: OpenShift on bare metal with Data Foundation,
//! OpenShift Virtualization and MetalLB, as data. One file a subject; [`objects`] is all of it.
//!
//! Loading is idempotent, so that a kill half way does no harm, and happens once: a lab that is started again finds what
//! its user made of the cluster.

mod backup;
mod configuration;
mod ingress;
mod load_balancing;
mod marketplace;
mod namespaces;
mod nodes;
mod object;
mod operators;
mod storage;
mod subscriptions;
mod virtualization;

use serde_json::json;

use crate::client::{self, Client, name_of, namespace_of};
use crate::generation::Generation;
use crate::kind::{CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, INFRASTRUCTURE};
use crate::objects::write_status;
use crate::schemas::{self, Overrides};
use crate::world::{Faults, Workers};

use object::Object;

/// What the state needs to know of its world.
pub(crate) struct Setting<'a> {
    /// The upstream versions that are played.
    pub(crate) generation: Generation,
    /// Wall time in the API's form.
    pub(crate) now: &'a str,
    /// The cluster's own id.
    pub(crate) cluster_id: &'a str,
    /// `https://host:port` of the API.
    pub(crate) api_url: &'a str,
    /// Domain of the cluster's routes.
    pub(crate) apps_domain: &'a str,
    /// PEM of the CA that signs what the ingress serves.
    pub(crate) ingress_ca: &'a str,
    /// Addresses for load balancers, as MetalLB writes ranges.
    pub(crate) addresses: &'a str,
    /// How many machines there are for workloads.
    pub(crate) workers: Workers,
    /// Failures that are part of the state.
    pub(crate) faults: &'a Faults,
}

/// Marks a cluster whose state was loaded to the end.
const MARKER: (&str, &str) = ("openshift-config-managed", "lab-state");

/// Every object of the state, in an order in which they can be created.
fn objects(setting: &Setting<'_>) -> Vec<Object> {
    [
        namespaces::objects(),
        nodes::objects(setting),
        configuration::objects(setting),
        operators::objects(setting),
        ingress::objects(setting),
        storage::objects(setting),
        virtualization::objects(setting),
        load_balancing::objects(setting),
        marketplace::objects(setting),
        subscriptions::objects(setting),
        backup::objects(setting),
    ]
    .concat()
}

/// Whether the state was loaded before.
pub(crate) async fn is_loaded(client: &Client) -> client::Result<bool> {
    Ok(client.get(CONFIG_MAP, Some(MARKER.0), MARKER.1).await?.is_some())
}

/// Loads the state: kinds first, then objects, each with its status.
pub(crate) async fn load(client: &Client, setting: &Setting<'_>, overrides: &Overrides) -> client::Result<()> {
    for crd in overrides.resolve(schemas::base(setting.generation)) {
        client.create(CUSTOM_RESOURCE_DEFINITION, &crd).await?;
    }
    for object in objects(setting) {
        client.create(object.kind, &object.content).await?;
        if let Some(status) = &object.status {
            let content = &object.content;
            client
                .status(object.kind, namespace_of(content), name_of(content), status)
                .await?;
        }
    }
    Ok(())
}

/// Tells a cluster that was made before of what has changed around it: the address of its API, and the network of its
/// load balancers where that is still one of the lab's choosing.
pub(crate) async fn refresh(client: &Client, setting: &Setting<'_>) -> client::Result<()> {
    if let Some(infrastructure) = client.get(INFRASTRUCTURE, None, "cluster").await? {
        let status = json!({ "apiServerURL": setting.api_url });
        write_status(client, INFRASTRUCTURE, &infrastructure, &status).await?;
    }
    load_balancing::refresh(client, setting.addresses).await
}

/// Says that the state was loaded to the end, for [`is_loaded`].
pub(crate) async fn mark_loaded(client: &Client) -> client::Result<()> {
    let marker = json!({
        "metadata": { "namespace": MARKER.0, "name": MARKER.1 },
        "data": { "about": "This cluster is simulated by a lab. Its state was loaded to the end." },
    });
    client.create(CONFIG_MAP, &marker).await?;
    Ok(())
}
