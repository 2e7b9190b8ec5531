//! The NodePool controller: from a NodePool to a machine template and what makes machines of it, in the order of the
//! conditions, with the places at which the real one stops and waits.

mod create;
mod deletion;
mod skew;
mod status;
mod template;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::Result;
use crate::generation::Generation;
use crate::kind::{DEPLOYMENT, HOSTED_CLUSTER, MACHINE, MACHINE_DEPLOYMENT, MACHINE_SET, NODE_POOL, SECRET};
use crate::objects::{Conditions, add_finalizer, annotation, is_deleting, merge, owner, write_status};

use super::hosted_cluster::operator_runs;
use super::index::Index;
use super::names::{FINALIZER, IGNITION_REACHED, control_plane_namespace, node_pool_key};
use super::paused::paused;
use super::release::Release;

/// The controller of NodePools.
#[derive(Debug, Default)]
pub(crate) struct NodePools {
    /// NodePools by their HostedCluster, and by the operator itself.
    pools: Index,
}

/// What a pass knows of a pool's surroundings.
struct Scope<'a> {
    context: &'a Context,
    pool: &'a Value,
    hosted_cluster: &'a Value,
    /// The control-plane namespace.
    namespace: String,
}

fn operator_key() -> Key {
    Key::named(Some("hypershift"), "operator")
}

impl Actor for NodePools {
    fn name(&self) -> &'static str {
        "hypershift"
    }

    fn manager(&self) -> &'static str {
        "hypershift-operator-manager"
    }

    fn watches(&self) -> Vec<Watch> {
        let (noted, clusters, operators) = (self.pools.clone(), self.pools.clone(), self.pools.clone());
        let own = move |pool: &Value| {
            let key = Key::of(pool);
            if let Some(cluster) = pool["spec"]["clusterName"].as_str() {
                noted.note(Key::named(key.namespace(), cluster), key.clone());
            }
            noted.note(operator_key(), key.clone());
            vec![key]
        };
        let by_annotation = |object: &Value| node_pool_key(object).into_iter().collect::<Vec<_>>();
        vec![
            Watch::mapped(NODE_POOL, own).whole(),
            Watch::mapped(HOSTED_CLUSTER, move |cluster| clusters.of(&Key::of(cluster))),
            Watch::mapped(DEPLOYMENT, move |deployment| operators.of(&Key::of(deployment))),
            Watch::mapped(MACHINE_DEPLOYMENT, by_annotation),
            Watch::mapped(MACHINE_SET, by_annotation),
            Watch::mapped(MACHINE, by_annotation),
            Watch::mapped(SECRET, by_annotation),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> Result<Next> {
    let client = &context.client;
    let Some(pool) = client.get(NODE_POOL, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if !operator_runs(client).await? {
        return Ok(Next::OnEvent);
    }
    let cluster_name = pool["spec"]["clusterName"].as_str().unwrap_or_default();
    let namespace = control_plane_namespace(&Key::named(key.namespace(), cluster_name));
    if is_deleting(&pool) {
        return deletion::reconcile(context, key, &pool, &namespace).await;
    }
    let Some(hosted_cluster) = client.get(HOSTED_CLUSTER, key.namespace(), cluster_name).await? else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&hosted_cluster) {
        return Ok(Next::OnEvent);
    }
    if complete(context, &pool, &hosted_cluster).await? || add_finalizer(client, NODE_POOL, &pool, FINALIZER).await? {
        return Ok(Next::OnEvent);
    }
    let scope = Scope {
        context,
        pool: &pool,
        hosted_cluster: &hosted_cluster,
        namespace,
    };
    let mut conditions = Conditions::of(&pool, context.time.stamp());
    let mut fields = json!({});
    evaluate(&scope, key, &mut conditions, &mut fields).await?;
    fields["conditions"] = conditions.observed(&pool["metadata"]["generation"]);
    write_status(client, NODE_POOL, &pool, &fields).await?;
    Ok(Next::OnEvent)
}

/// What the webhook and the first pass write back. Whether anything was written.
async fn complete(context: &Context, pool: &Value, hosted_cluster: &Value) -> Result<bool> {
    let mut patch = json!({});
    if pool["metadata"]["ownerReferences"].is_null() {
        let mut reference = owner(HOSTED_CLUSTER, hosted_cluster);
        reference["controller"] = false.into();
        patch["metadata"]["ownerReferences"] = json!([reference]);
    }
    if pool["spec"]["release"]["image"].as_str().unwrap_or_default().is_empty() {
        patch["spec"]["release"]["image"] = hosted_cluster["spec"]["release"]["image"].clone();
    }
    if pool["spec"]["management"]["upgradeType"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
    {
        patch["spec"]["management"]["upgradeType"] = "Replace".into();
    }
    merge(&context.client, NODE_POOL, pool, &patch).await
}

/// Goes through the conditions in their order, making what each stands for, up to the first that stops it.
async fn evaluate(scope: &Scope<'_>, key: &Key, conditions: &mut Conditions, fields: &mut Value) -> Result<()> {
    let (pool, context) = (scope.pool, scope.context);
    status::of_spec(conditions, pool);
    let release = match release_of(pool, scope.hosted_cluster, context.generation) {
        Ok(release) => release,
        Err(problem) => {
            conditions.set("ValidReleaseImage", false, "ValidationFailed", &problem);
            return Ok(());
        }
    };
    let image = pool["spec"]["release"]["image"].as_str().unwrap_or_default();
    conditions.set(
        "ValidReleaseImage",
        true,
        "AsExpected",
        &format!("Using release image: {image}"),
    );
    if let Some(reason) = missing_ignition(scope).await? {
        let message = "Ignition endpoint not available, waiting";
        conditions.set("IgnitionEndpointAvailable", false, reason, message);
        return Ok(());
    }
    conditions.remove("IgnitionEndpointAvailable");
    if let Some(arch) = pool["spec"]["arch"].as_str().filter(|arch| *arch != "amd64") {
        conditions.set(
            "ValidArchPlatform",
            false,
            "InvalidArchPlatform",
            &format!("CPU architecture {arch} is not supported on KubeVirt"),
        );
        return Ok(());
    }
    conditions.set("ValidArchPlatform", true, "AsExpected", "");
    if let Some(message) = paused(pool, context.time.now()) {
        conditions.set("ReconciliationActive", false, "ReconciliationPaused", &message);
        return Ok(());
    }
    conditions.set(
        "ReconciliationActive",
        true,
        "ReconciliationActive",
        "Reconciliation active on resource",
    );
    if context.generation.is_current() {
        skew::tell(conditions, scope.hosted_cluster, &release, context.generation);
    }
    if scope.hosted_cluster["status"]["kubeconfig"].is_null() {
        return Ok(());
    }
    conditions.set("ValidMachineConfig", true, "AsExpected", "");
    let made = create::everything(scope, key, &release).await?;
    status::of_machines(scope, conditions, fields, &release, &made).await
}

/// The pool's release. It may not be later than the cluster's.
fn release_of(pool: &Value, hosted_cluster: &Value, generation: Generation) -> Result<Release, String> {
    let release = |object: &Value| {
        let image = object["spec"]["release"]["image"].as_str().unwrap_or_default();
        Release::of_image(image, generation).map_err(|error| format!("Failed to get release image: {error}"))
    };
    let (own, of_cluster) = (release(pool)?, release(hosted_cluster)?);
    if own.compare(&of_cluster).is_gt() {
        return Err(format!(
            "NodePool version {} cannot be higher than the HostedCluster version {}",
            own.version, of_cluster.version
        ));
    }
    Ok(own)
}

/// Why machines could not fetch their configuration yet.
async fn missing_ignition(scope: &Scope<'_>) -> Result<Option<&'static str>> {
    if scope.hosted_cluster["status"]["ignitionEndpoint"].is_null() {
        return Ok(Some("IgnitionEndpointMissing"));
    }
    let authority = scope
        .context
        .client
        .get(SECRET, Some(&scope.namespace), "ignition-server-ca-cert")
        .await?;
    Ok(if authority.is_none() {
        Some("IgnitionCACertMissing")
    } else {
        None
    })
}

/// Whether a machine has fetched its configuration with this token.
fn ignition_reached(token: &Value) -> bool {
    annotation(token, IGNITION_REACHED) == Some("True")
}

/// The machines of a pool.
async fn machines(context: &Context, pool: &Key, namespace: &str) -> Result<Vec<Value>> {
    let mut machines = context.client.list(MACHINE, Some(namespace), "").await?;
    machines.retain(|machine| node_pool_key(machine).as_ref() == Some(pool));
    Ok(machines)
}
