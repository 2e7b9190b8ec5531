//! The NodePool controller: from a NodePool to a machine template and what makes machines of it, in the order of the
//! conditions, with the places at which the real one stops and waits.

mod config;
mod create;
mod deletion;
mod owner_of_machines;
mod repair;
mod skew;
mod status;
mod template;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{Result, name_of};
use crate::generation::Generation;
use crate::kind::{
    CONFIG_MAP, DEPLOYMENT, HOSTED_CLUSTER, MACHINE, MACHINE_DEPLOYMENT, MACHINE_HEALTH_CHECK, MACHINE_SET, NODE_POOL,
    SECRET,
};
use crate::objects::{Conditions, add_finalizer, annotation, is_deleting, merge, owner, write_status};

use super::hosted_cluster::operator_runs;
use super::index::Index;
use super::names::{FINALIZER, IGNITION_REACHED, cluster_key, control_plane_namespace, node_pool_key};
use super::paused::{self, paused};
use super::release::Release;

pub(super) use owner_of_machines::scales_by_itself;

/// The controller of NodePools.
#[derive(Debug, Default)]
pub(crate) struct NodePools {
    /// NodePools by their HostedCluster, and by the operator itself.
    pools: Index,
    /// NodePools by the ConfigMaps that they are configured with.
    configured: Index,
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
        let keyed = self.pools.clone();
        let (configured, configuration) = (self.configured.clone(), self.configured.clone());
        let own = move |pool: &Value| {
            let key = Key::of(pool);
            if let Some(cluster) = pool["spec"]["clusterName"].as_str() {
                noted.note(Key::named(key.namespace(), cluster), key.clone());
            }
            noted.note(operator_key(), key.clone());
            for name in named_config_maps(pool) {
                configured.note(Key::named(key.namespace(), name), key.clone());
            }
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
            Watch::mapped(MACHINE_HEALTH_CHECK, by_annotation),
            Watch::mapped(SECRET, move |secret| match (name_of(secret), cluster_key(secret)) {
                // The copy of the key that machines let in.
                ("ssh-key", Some(cluster)) => keyed.of(&cluster),
                _ => by_annotation(secret),
            }),
            Watch::mapped(CONFIG_MAP, move |config| configuration.of(&Key::of(config))),
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
    let next = evaluate(&scope, key, &mut conditions, &mut fields).await?;
    fields["conditions"] = conditions.observed(&pool["metadata"]["generation"]);
    write_status(client, NODE_POOL, &pool, &fields).await?;
    Ok(next)
}

/// Names of the ConfigMaps that a pool's machines are configured with.
fn named_config_maps(pool: &Value) -> impl Iterator<Item = &str> {
    ["config", "tuningConfig"]
        .into_iter()
        .flat_map(|field| pool["spec"][field].as_array().into_iter().flatten())
        .filter_map(|reference| reference["name"].as_str())
}

/// What the first pass writes back. Whether anything was written.
async fn complete(context: &Context, pool: &Value, hosted_cluster: &Value) -> Result<bool> {
    if !pool["metadata"]["ownerReferences"].is_null() {
        return Ok(false);
    }
    let mut reference = owner(HOSTED_CLUSTER, hosted_cluster);
    reference["controller"] = false.into();
    let patch = json!({ "metadata": { "ownerReferences": [reference] } });
    merge(&context.client, NODE_POOL, pool, &patch).await
}

/// Goes through the conditions in their order, making what each stands for, up to the first that stops it.
async fn evaluate(scope: &Scope<'_>, key: &Key, conditions: &mut Conditions, fields: &mut Value) -> Result<Next> {
    let Some(release) = check(scope, conditions).await? else {
        return Ok(Next::OnEvent);
    };
    let pause = paused(scope.pool, scope.context.time.now());
    paused::tell(conditions, scope.pool, pause.as_ref(), "ReconciliationActive");
    let generation = scope.context.generation;
    if generation.is_current() {
        skew::tell(conditions, scope.hosted_cluster, &release, generation);
    }
    if scope.hosted_cluster["status"]["kubeconfig"].is_null() {
        return Ok(pause.map_or(Next::OnEvent, |pause| pause.ends()));
    }
    let config = match config::of(scope, &release).await? {
        Ok(config) => config,
        Err(problem) => {
            status::of_problem(conditions, &problem);
            return Ok(Next::OnEvent);
        }
    };
    conditions.set("ValidMachineConfig", true, "AsExpected", "");
    if let Some(pause) = pause {
        // What there is is still told; nothing is made or moved.
        create::pause(scope, key).await?;
        if let Some(made) = create::as_it_is(scope, key, &release, config).await? {
            status::of_machines(scope, conditions, fields, &release, &made).await?;
            fields["replicas"] = status::available(&made).into();
        }
        return Ok(pause.ends());
    }
    let made = create::everything(scope, key, &release, config).await?;
    status::of_machines(scope, conditions, fields, &release, &made).await?;
    status::of_rollout(scope, conditions, fields, &release, &made).await?;
    repair::ensure(scope, key, conditions).await?;
    Ok(Next::OnEvent)
}

/// The conditions before anything is made: the pool's release, where all of them let it go on.
async fn check(scope: &Scope<'_>, conditions: &mut Conditions) -> Result<Option<Release>> {
    let pool = scope.pool;
    status::of_spec(conditions, pool);
    let release = match release_of(pool, scope.hosted_cluster, scope.context.generation) {
        Ok(release) => release,
        Err(problem) => {
            conditions.set("ValidReleaseImage", false, "ValidationFailed", &problem);
            return Ok(None);
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
        return Ok(None);
    }
    conditions.remove("IgnitionEndpointAvailable");
    if let Some(arch) = pool["spec"]["arch"].as_str().filter(|arch| *arch != "amd64") {
        conditions.set(
            "ValidArchPlatform",
            false,
            "InvalidArchPlatform",
            &format!("CPU architecture {arch} is not supported on KubeVirt"),
        );
        return Ok(None);
    }
    conditions.set("ValidArchPlatform", true, "AsExpected", "");
    Ok(Some(release))
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
    let now = pool["status"]["version"].as_str().unwrap_or_default();
    if own.is_earlier_minor_than(now) {
        let own = &own.version;
        return Err(format!(
            "y-stream downgrade from \"{now}\" to \"{own}\" is not supported"
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
