//! The Cluster: says that infrastructure and control plane are there, and goes only after its machines.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{CLUSTER_LABEL, MANAGER, NAME, newer, runs, wakes_with};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::seen::Seen;
use crate::client::{Client, Result, name_of, namespace_of};
use crate::kind::{CLUSTER, HOSTED_CONTROL_PLANE, KUBEVIRT_CLUSTER, Kind, MACHINE, MACHINE_DEPLOYMENT, MACHINE_SET};
use crate::objects::{Conditions, add_finalizer, drop_finalizer, is_deleting, merge, write_status};

const FINALIZER: &str = "cluster.cluster.x-k8s.io";

/// The controller of Clusters.
#[derive(Debug, Default)]
pub(crate) struct Clusters {
    seen: Seen,
}

impl Actor for Clusters {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        let labelled = |object: &Value| {
            let name = object["metadata"]["labels"][CLUSTER_LABEL].as_str();
            name.map(|name| Key::named(namespace_of(object), name))
                .into_iter()
                .collect::<Vec<_>>()
        };
        vec![
            self.seen.remember(CLUSTER, |cluster| vec![Key::of(cluster)]),
            Watch::own(KUBEVIRT_CLUSTER),
            Watch::mapped(HOSTED_CONTROL_PLANE, labelled),
            Watch::mapped(MACHINE, labelled),
            wakes_with("cluster-api", &self.seen),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> Result<Next> {
    let client = &context.client;
    let Some(cluster) = client.get(CLUSTER, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if !runs(client, key.namespace(), "cluster-api").await? {
        return Ok(Next::OnEvent);
    }
    if is_deleting(&cluster) {
        if is_empty(client, &cluster).await? {
            drop_finalizer(client, CLUSTER, &cluster, FINALIZER).await?;
        }
        return Ok(Next::OnEvent);
    }
    if add_finalizer(client, CLUSTER, &cluster, FINALIZER).await? {
        return Ok(Next::OnEvent);
    }
    let infrastructure = client.get(KUBEVIRT_CLUSTER, key.namespace(), &key.name).await?;
    let control_plane = cluster["spec"]["controlPlaneRef"]["name"].as_str().unwrap_or_default();
    let control_plane = client
        .get(HOSTED_CONTROL_PLANE, key.namespace(), control_plane)
        .await?
        .unwrap_or_default();
    let endpoint = &control_plane["status"]["controlPlaneEndpoint"];
    if endpoint["host"].is_string() {
        merge(
            client,
            CLUSTER,
            &cluster,
            &json!({ "spec": { "controlPlaneEndpoint": endpoint } }),
        )
        .await?;
    }
    let infrastructure = infrastructure.is_some_and(|object| object["status"]["ready"] == true);
    let initialized = control_plane["status"]["initialized"] == true;
    let ready = control_plane["status"]["ready"] == true;
    let mut conditions = Conditions::of(&cluster, context.time.stamp());
    conditions.set(
        "Ready",
        infrastructure && ready,
        if infrastructure && ready {
            ""
        } else {
            "WaitingForControlPlane"
        },
        "",
    );
    conditions.set(
        "ControlPlaneInitialized",
        initialized,
        if initialized {
            ""
        } else {
            "WaitingForControlPlaneProviderInitialized"
        },
        "",
    );
    conditions.set(
        "ControlPlaneReady",
        ready,
        if ready { "" } else { "WaitingForControlPlane" },
        "",
    );
    conditions.set(
        "InfrastructureReady",
        infrastructure,
        if infrastructure { "" } else { "WaitingForInfrastructure" },
        "",
    );
    let mut status = json!({
        "phase": if infrastructure { "Provisioned" } else { "Provisioning" },
        "infrastructureReady": infrastructure,
        "controlPlaneReady": ready,
        "observedGeneration": cluster["metadata"]["generation"],
        "conditions": conditions.into_sparse_value(),
    });
    newer::cluster(context.generation, &cluster, &mut status, context.time.stamp());
    write_status(client, CLUSTER, &cluster, &status).await?;
    Ok(Next::OnEvent)
}

/// Deletes what the cluster has, from the top down; whether nothing is left.
async fn is_empty(client: &Client, cluster: &Value) -> Result<bool> {
    let namespace = namespace_of(cluster);
    let labels = format!("{CLUSTER_LABEL}={}", name_of(cluster));
    let mut empty = true;
    for kind in [MACHINE_DEPLOYMENT, MACHINE_SET, MACHINE] {
        empty &= delete_all(client, kind, namespace, &labels).await?;
    }
    if !empty {
        return Ok(false);
    }
    let found = client.get(KUBEVIRT_CLUSTER, namespace, name_of(cluster)).await?;
    if found.as_ref().is_some_and(|found| !is_deleting(found)) {
        client.delete(KUBEVIRT_CLUSTER, namespace, name_of(cluster)).await?;
    }
    Ok(found.is_none())
}

async fn delete_all(client: &Client, kind: Kind, namespace: Option<&str>, labels: &str) -> Result<bool> {
    let found = client.list(kind, namespace, labels).await?;
    for object in found.iter().filter(|object| !is_deleting(object)) {
        client.delete(kind, namespace, name_of(object)).await?;
    }
    Ok(found.is_empty())
}
