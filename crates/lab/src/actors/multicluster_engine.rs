//! Plays the operator of the multicluster engine: from a MultiClusterEngine to its components, the hub, the local cluster
//! and the hypershift addon on it.
//!
//! `components` and `charts` are what there is to deploy, as data; `deploy` makes it, each part as soon as what it needs is there;
//! `status` says how far it is; `uninstall` takes it down. What follows from the hub's own objects is played by
//! `open_cluster_management` and `hypershift_addon`.
//!
//! Not played: the webhook (it would refuse what the schema refuses here, and deletion while clusters are managed).

mod charts;
mod components;
mod deploy;
mod observe;
mod status;
#[cfg(test)]
mod tests;
mod uninstall;

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::seen::Seen;
use crate::catalog::ENGINE_OPERATOR;
use crate::client::{self, name_of, namespace_of};
use crate::generation::Generation;
use crate::kind::{
    CLUSTER_MANAGEMENT_ADD_ON, CLUSTER_MANAGER, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, MANAGED_CLUSTER,
    MANAGED_CLUSTER_ADD_ON, MULTI_CLUSTER_ENGINE, NAMESPACE,
};
use crate::manifest::{label, status_patch};
use crate::objects::{self, annotation, is_deleting, is_rolled_out};

use components::Component;
use observe::Observed;

/// Label on all that the operator makes for an engine; its value is the engine's name.
const OWNER_LABEL: &str = "backplaneconfig.name";
const FINALIZER: &str = "finalizer.multicluster.openshift.io";
const LOCAL_CLUSTER: &str = "local-cluster";
const HYPERSHIFT_ADDON: &str = "hypershift-addon";
const DEFAULT_NAMESPACE: &str = "multicluster-engine";

/// How long the operator takes over defaults.
const DEFAULTS: Duration = Duration::from_secs(2);
/// How often an engine is looked at until it is available.
const REQUEUE: Duration = Duration::from_secs(15);

/// The operator.
#[derive(Debug, Default)]
pub(crate) struct MultiClusterEngines {
    engines: Seen,
}

/// What an engine asks for, with defaults in place.
struct Engine {
    name: String,
    /// Version of the operator, which is the version that it deploys.
    version: String,
    namespace: String,
    highly_available: bool,
    components: Vec<(&'static Component, bool)>,
}

impl Actor for MultiClusterEngines {
    fn name(&self) -> &'static str {
        "multicluster_engine"
    }

    fn manager(&self) -> &'static str {
        "backplane-operator"
    }

    fn watches(&self) -> Vec<Watch> {
        let is_ours = |deployment: &Value| {
            let hub = "open-cluster-management-hub";
            let names = [name_of(deployment), namespace_of(deployment).unwrap_or_default()];
            names.contains(&ENGINE_OPERATOR) || names.contains(&hub) || label(deployment, OWNER_LABEL).is_some()
        };
        let is_hub = |crd: &Value| name_of(crd).ends_with("open-cluster-management.io");
        vec![
            self.engines
                .remember(MULTI_CLUSTER_ENGINE, |engine| vec![Key::of(engine)]),
            self.engines.wake_all(DEPLOYMENT, is_ours),
            self.engines.wake_all(CUSTOM_RESOURCE_DEFINITION, is_hub),
            self.engines.wake_all(NAMESPACE, |namespace| {
                uninstall::NAMESPACES.contains(&name_of(namespace))
            }),
            self.engines.wake_all(CLUSTER_MANAGER, |_| true),
            self.engines.wake_all(CLUSTER_MANAGEMENT_ADD_ON, |_| true),
            // Others matter only in that they are still there.
            self.engines.wake_all(MANAGED_CLUSTER, |cluster| {
                name_of(cluster) == LOCAL_CLUSTER || is_deleting(cluster)
            }),
            self.engines
                .wake_all(MANAGED_CLUSTER_ADD_ON, |addon| name_of(addon) == HYPERSHIFT_ADDON),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let Some(object) = context.client.get(MULTI_CLUSTER_ENGINE, None, &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    let Some(version) = operator_version(context).await? else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&object) {
        return uninstall::uninstall(context, &object).await;
    }
    objects::add_finalizer(&context.client, MULTI_CLUSTER_ENGINE, &object, FINALIZER).await?;
    if let Some(patch) = defaults(&object, context.generation) {
        context.time.work(DEFAULTS).await;
        context
            .client
            .merge(MULTI_CLUSTER_ENGINE, None, &key.name, &patch)
            .await?;
        return Ok(Next::OnEvent);
    }
    let engine = Engine::of(&object, version, context.generation);
    if is_paused(&object) {
        return report(
            context,
            &object,
            &status::paused(&object, &engine, &context.time.stamp()),
        )
        .await;
    }
    if object["status"]["desiredVersion"] != engine.version {
        return report(
            context,
            &object,
            &status::first(&object, &engine, &context.time.stamp()),
        )
        .await;
    }
    let mut observed = observe::observe(context, &engine).await?;
    while deploy::deploy(context, &engine, &observed).await? {
        observed = observe::observe(context, &engine).await?;
    }
    // Deploying took time: the status is worked out from what is there now.
    let Some(object) = context.client.get(MULTI_CLUSTER_ENGINE, None, &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    report(
        context,
        &object,
        &status::of(&object, &engine, &observed, &context.time.stamp()),
    )
    .await
}

async fn report(context: &Context, object: &Value, status: &Value) -> client::Result<Next> {
    if let Some(patch) = status_patch(&object["status"], status) {
        context
            .client
            .status(MULTI_CLUSTER_ENGINE, None, name_of(object), &patch)
            .await?;
    }
    Ok(if status["phase"] == "Available" {
        Next::OnEvent
    } else {
        Next::After(REQUEUE)
    })
}

/// The version of the operator that runs, or `None` while none does.
async fn operator_version(context: &Context) -> client::Result<Option<String>> {
    let operators = context
        .client
        .list(DEPLOYMENT, None, "control-plane=backplane-operator")
        .await?;
    let running = operators
        .iter()
        .find(|operator| name_of(operator) == ENGINE_OPERATOR && is_rolled_out(operator));
    let version = running
        .and_then(|operator| label(operator, "olm.owner"))
        .and_then(|csv| csv.split_once(".v"));
    Ok(version.map(|(_, version)| version.to_owned()))
}

fn is_paused(object: &Value) -> bool {
    ["installer.multicluster.openshift.io/pause", "pause"]
        .iter()
        .any(|key| annotation(object, key) == Some("true"))
}

/// Whether a component is to be deployed now. Addons take the way of the disabled until the hub has kinds for them.
fn deploys(component: &Component, enabled: bool, observed: &Observed) -> bool {
    enabled && (!component.is_addon || observed.kinds.addons)
}

/// The patch that writes the operator's defaults back into an engine: every component that there is, among them.
fn defaults(object: &Value, generation: Generation) -> Option<Value> {
    let spec = &object["spec"];
    let mut patch = json!({});
    let text = |field: &str| spec[field].as_str().unwrap_or_default();
    if text("availabilityConfig").is_empty() {
        patch["spec"]["availabilityConfig"] = "High".into();
    }
    if text("targetNamespace").is_empty() {
        patch["spec"]["targetNamespace"] = DEFAULT_NAMESPACE.into();
    }
    let listed = spec["overrides"]["components"].as_array().cloned().unwrap_or_default();
    let missing =
        components::all(generation).filter(|component| !listed.iter().any(|entry| entry["name"] == component.name));
    let missing: Vec<Value> = missing
        .map(|component| json!({ "name": component.name, "enabled": component.on_by_default }))
        .collect();
    if generation.is_current() && spec["networkPolicies"]["enabled"].is_null() {
        patch["spec"]["networkPolicies"]["enabled"] = true.into();
    }
    if !missing.is_empty() {
        // A merge patch replaces the list, so what is there goes first.
        patch["spec"]["overrides"]["components"] = listed.into_iter().chain(missing).collect();
    }
    (patch != json!({})).then_some(patch)
}

// === impl Engine ===

impl Engine {
    fn of(object: &Value, version: String, generation: Generation) -> Self {
        let spec = &object["spec"];
        let listed = spec["overrides"]["components"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let enabled = |component: &Component| {
            let entry = listed.iter().find(|entry| entry["name"] == component.name);
            entry.map_or(component.on_by_default, |entry| entry["enabled"] == true)
        };
        Self {
            name: name_of(object).to_owned(),
            version,
            namespace: spec["targetNamespace"].as_str().unwrap_or(DEFAULT_NAMESPACE).to_owned(),
            highly_available: spec["availabilityConfig"] != "Basic",
            components: components::all(generation)
                .map(|component| (component, enabled(component)))
                .collect(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.components
            .iter()
            .any(|(component, enabled)| component.name == name && *enabled)
    }

    /// Local hosting needs the addon, and a local cluster to host on.
    fn hosts_locally(&self) -> bool {
        self.has("hypershift-local-hosting") && self.has("hypershift") && self.has(LOCAL_CLUSTER)
    }
}
