//! The HostedCluster controller: completes the spec, judges it, makes the control-plane namespace with what belongs in it,
//! and tells on the HostedCluster what the HostedControlPlane tells of itself.

mod copies;
mod create;
mod defaults;
mod deletion;
mod judge;
mod status;
mod upgrade;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{Client, Result};
use crate::kind::{
    CLUSTER, CONFIG_MAP, DEPLOYMENT, HOSTED_CLUSTER, HOSTED_CONTROL_PLANE, KUBEVIRT_MACHINE, NAMESPACE, NODE_POOL,
    ROUTE, SECRET,
};
use crate::objects::{is_deleting, write_status};

use super::index::Index;
use super::names::{cluster_key, control_plane_namespace};
use super::paused::{Pause, paused};
use super::references;
use judge::Verdict;

/// The controller of HostedClusters.
#[derive(Debug, Default)]
pub(crate) struct HostedClusters {
    /// HostedClusters by the Secrets and ConfigMaps that they refer to, and by the operator itself.
    referrers: Index,
}

/// What a pass sees of the world besides the HostedCluster.
pub(super) struct Observed {
    control_plane: Option<Value>,
    ignition_server: Option<Value>,
    ignition_route: Option<Value>,
    machines: Vec<Value>,
    access: copies::Access,
    verdict: Verdict,
    paused: Option<Pause>,
}

fn operator_key() -> Key {
    Key::named(Some("hypershift"), "operator")
}

impl Actor for HostedClusters {
    fn name(&self) -> &'static str {
        "hypershift"
    }

    fn manager(&self) -> &'static str {
        "hypershift-operator-manager"
    }

    fn watches(&self) -> Vec<Watch> {
        let (noted, secrets, operators) = (self.referrers.clone(), self.referrers.clone(), self.referrers.clone());
        let config_maps = self.referrers.clone();
        let own = move |hosted_cluster: &Value| {
            let key = Key::of(hosted_cluster);
            let spec = &hosted_cluster["spec"];
            let own = [&spec["pullSecret"]["name"], &spec["sshKey"]["name"]];
            let configured = references::of_configuration(&spec["configuration"]);
            let names = own.into_iter().filter_map(Value::as_str);
            for name in names.chain(configured.iter().map(|reference| reference.name)) {
                noted.note(Key::named(key.namespace(), name), key.clone());
            }
            noted.note(operator_key(), key.clone());
            vec![key]
        };
        let by_annotation = |object: &Value| cluster_key(object).into_iter().collect::<Vec<_>>();
        vec![
            Watch::mapped(HOSTED_CLUSTER, own).whole(),
            Watch::mapped(HOSTED_CONTROL_PLANE, by_annotation),
            Watch::mapped(CLUSTER, by_annotation),
            Watch::mapped(NAMESPACE, by_annotation),
            Watch::mapped(ROUTE, by_annotation),
            Watch::mapped(NODE_POOL, |pool| {
                let cluster = pool["spec"]["clusterName"].as_str();
                cluster
                    .map(|name| Key::named(Key::of(pool).namespace(), name))
                    .into_iter()
                    .collect()
            })
            .whole(),
            Watch::mapped(SECRET, move |secret| {
                let referrers = secrets.of(&Key::of(secret));
                referrers.into_iter().chain(by_annotation(secret)).collect()
            }),
            Watch::mapped(CONFIG_MAP, move |config_map| config_maps.of(&Key::of(config_map))),
            Watch::mapped(DEPLOYMENT, move |deployment| {
                let referrers = operators.of(&Key::of(deployment));
                referrers.into_iter().chain(by_annotation(deployment)).collect()
            }),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> Result<Next> {
    let client = &context.client;
    let Some(hosted_cluster) = client.get(HOSTED_CLUSTER, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if !operator_runs(client).await? {
        return Ok(Next::OnEvent);
    }
    if is_deleting(&hosted_cluster) {
        return deletion::reconcile(context, key, &hosted_cluster).await;
    }
    if let Some(next) = defaults::complete(context, key, &hosted_cluster).await? {
        return Ok(next);
    }
    let observed = observe(context, key, &hosted_cluster).await?;
    let status = status::compute(&hosted_cluster, &observed, context.generation, context.time.stamp());
    write_status(client, HOSTED_CLUSTER, &hosted_cluster, &status).await?;
    defaults::remember_availability(client, &hosted_cluster, &status).await?;
    if !defaults::add_finalizer(client, &hosted_cluster).await? {
        return Ok(Next::OnEvent);
    }
    let control_plane = observed.control_plane.as_ref();
    if let Some(pause) = &observed.paused {
        create::pause(client, key, &hosted_cluster, control_plane).await?;
        return Ok(pause.ends());
    }
    if !defaults::identify(context, key, &hosted_cluster).await? {
        return Ok(Next::OnEvent);
    }
    let outcome = match &observed.verdict.configuration {
        Err(problem) => Err(format!("configuration is invalid: {problem}")),
        Ok(()) if !observed.verdict.lets_go_on() => Ok(()),
        Ok(()) => create::everything(context, key, &hosted_cluster, control_plane).await?,
    };
    let generation = &hosted_cluster["metadata"]["generation"];
    let told = status::with_outcome(&status, &outcome, generation, context.time.stamp());
    if told != status["conditions"] {
        let patch = serde_json::json!({ "conditions": told });
        client
            .status(HOSTED_CLUSTER, key.namespace(), &key.name, &patch)
            .await?;
    }
    Ok(Next::OnEvent)
}

/// Without its operator's pods nothing is done for hosted clusters.
pub(super) async fn operator_runs(client: &Client) -> Result<bool> {
    let key = operator_key();
    let operator = client.get(DEPLOYMENT, key.namespace(), &key.name).await?;
    Ok(operator.is_some_and(|operator| operator["status"]["availableReplicas"].as_u64().unwrap_or(0) > 0))
}

async fn observe(context: &Context, key: &Key, hosted_cluster: &Value) -> Result<Observed> {
    let client = &context.client;
    let namespace = control_plane_namespace(key);
    let namespace = Some(namespace.as_str());
    let control_plane = client.get(HOSTED_CONTROL_PLANE, namespace, &key.name).await?;
    Ok(Observed {
        access: copies::publish_access(client, key, hosted_cluster, control_plane.as_ref()).await?,
        control_plane,
        ignition_server: client.get(DEPLOYMENT, namespace, "ignition-server").await?,
        ignition_route: client.get(ROUTE, namespace, "ignition-server").await?,
        machines: client.list(KUBEVIRT_MACHINE, namespace, "").await?,
        verdict: judge::judge(context, key, hosted_cluster).await?,
        paused: paused(hosted_cluster, context.time.now()),
    })
}
