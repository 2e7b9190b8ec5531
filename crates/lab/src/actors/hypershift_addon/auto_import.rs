//! The import of hosted clusters: each that is available becomes a ManagedCluster, with its agent on the hub.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{ADDON, AGENT, LOCAL_CLUSTER, NAME};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::open_cluster_management::{EXTERNAL_KUBECONFIG, hosted_name};
use crate::actors::seen::Seen;
use crate::client::{self, name_of, namespace_of};
use crate::conditions;
use crate::kind::{HOSTED_CLUSTER, MANAGED_CLUSTER, MANAGED_CLUSTER_ADD_ON, NAMESPACE, SECRET};
use crate::manifest::set_labels;
use crate::objects::{annotation, is_deleting};
use crate::schemas::open_cluster_management::ADD_ON_DEPLOYMENT_CONFIG;

/// How long the agent takes from there.
const IMPORT: Duration = Duration::from_secs(5);
const CREATED_VIA: &str = "open-cluster-management/created-via";

/// The addon's agent, as far as it imports.
#[derive(Debug, Default)]
pub(crate) struct AutoImport {
    clusters: Seen,
}

impl Actor for AutoImport {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        AGENT
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            self.clusters.remember(HOSTED_CLUSTER, |cluster| vec![Key::of(cluster)]),
            // The hosted agent's namespace is where a kubeconfig is waited for.
            self.clusters
                .wake_matching(NAMESPACE, |namespace, key| name_of(namespace) == hosted_name(&key.name)),
            self.clusters
                .wake_all(MANAGED_CLUSTER_ADD_ON, |addon| name_of(addon) == ADDON),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let hosted = context.client.get(HOSTED_CLUSTER, key.namespace(), &key.name).await?;
    let Some(hosted) = hosted.filter(|hosted| !is_deleting(hosted)) else {
        forget(context, key).await?;
        return Ok(Next::OnEvent);
    };
    let addon = context
        .client
        .get(MANAGED_CLUSTER_ADD_ON, Some(LOCAL_CLUSTER), ADDON)
        .await?;
    if !addon.is_some_and(|addon| conditions::is_true(&addon, "Available")) || is_disabled(context).await? {
        return Ok(Next::OnEvent);
    }
    let available = conditions::find(&hosted, "Available");
    if !available.is_some_and(|it| it["status"] == "True" && it["reason"] == "AsExpected") {
        // Upstream's agent asks each minute; here the HostedCluster's own event brings the key back.
        return Ok(Next::OnEvent);
    }
    if context.client.get(MANAGED_CLUSTER, None, &key.name).await?.is_none() {
        context.time.work(IMPORT).await;
        context
            .client
            .create(MANAGED_CLUSTER, &managed_cluster(&hosted))
            .await?;
    }
    mirror(context, &hosted).await
}

async fn is_disabled(context: &Context) -> client::Result<bool> {
    let configs = context.client.list(ADD_ON_DEPLOYMENT_CONFIG, None, "").await?;
    let ours = configs
        .iter()
        .find(|config| name_of(config) == "hypershift-addon-deploy-config");
    let variables = ours.and_then(|config| config["spec"]["customizedVariables"].as_array());
    Ok(variables.is_some_and(|all| {
        all.iter()
            .any(|it| it["name"] == "autoImportDisabled" && it["value"] == "true")
    }))
}

/// Named after the hosted cluster alone: two of one name in different namespaces share it.
fn managed_cluster(hosted: &Value) -> Value {
    let name = name_of(hosted);
    let mut cluster = json!({
        "metadata": {
            "name": name,
            "labels": hosted["metadata"]["labels"].as_object().cloned().unwrap_or_default(),
            "annotations": {
                "import.open-cluster-management.io/klusterlet-deploy-mode": "Hosted",
                "import.open-cluster-management.io/hosting-cluster-name": LOCAL_CLUSTER,
                CREATED_VIA: "hypershift",
            },
        },
        "spec": { "hubAcceptsClient": true, "leaseDurationSeconds": 60 },
    });
    set_labels(
        &mut cluster,
        &[("name", name), ("vendor", "auto-detect"), ("cloud", "auto-detect")],
    );
    let set = "cluster.open-cluster-management.io/clusterset";
    if cluster["metadata"]["labels"][set].is_null() {
        set_labels(&mut cluster, &[(set, "default")]);
    }
    cluster
}

/// Copies the cluster's kubeconfig to its agent, and that and the password to the local cluster's namespace.
async fn mirror(context: &Context, hosted: &Value) -> client::Result<Next> {
    let name = name_of(hosted);
    let source = |secret: &Value| secret["name"].as_str().map(str::to_owned);
    let kubeconfig = source(&hosted["status"]["kubeconfig"]);
    let password = source(&hosted["status"]["kubeadminPassword"]);
    let agent = hosted_name(name);
    let agent_namespace = context
        .client
        .get(NAMESPACE, None, &agent)
        .await?
        .is_some_and(|it| !is_deleting(&it));
    let copies = [
        (
            kubeconfig.clone(),
            LOCAL_CLUSTER,
            format!("{name}-admin-kubeconfig"),
            true,
        ),
        (password, LOCAL_CLUSTER, format!("{name}-kubeadmin-password"), true),
        (kubeconfig, &agent, EXTERNAL_KUBECONFIG.to_owned(), agent_namespace),
    ];
    for (source, namespace, copy, possible) in copies {
        if let (Some(source), true) = (source, possible) {
            copy_secret(context, namespace_of(hosted), &source, namespace, &copy).await?;
        }
    }
    Ok(Next::OnEvent)
}

async fn copy_secret(context: &Context, from: Option<&str>, name: &str, to: &str, copy: &str) -> client::Result<()> {
    let Some(secret) = context.client.get(SECRET, from, name).await? else {
        return Ok(());
    };
    let there = context.client.get(SECRET, Some(to), copy).await?;
    if there.is_some_and(|there| there["data"] == secret["data"]) {
        return Ok(());
    }
    let object = json!({ "metadata": { "name": copy, "namespace": to }, "type": "Opaque", "data": secret["data"] });
    context.client.apply(SECRET, &object).await.map(|_| ())
}

/// Takes back the import of a hosted cluster that is going, unless another of its name remains.
async fn forget(context: &Context, key: &Key) -> client::Result<()> {
    let client = &context.client;
    let cluster = client.get(MANAGED_CLUSTER, None, &key.name).await?;
    let ours = cluster.is_some_and(|it| annotation(&it, CREATED_VIA) == Some("hypershift") && !is_deleting(&it));
    let mut copies = Vec::new();
    for suffix in ["admin-kubeconfig", "kubeadmin-password"] {
        let name = format!("{}-{suffix}", key.name);
        if client.get(SECRET, Some(LOCAL_CLUSTER), &name).await?.is_some() {
            copies.push(name);
        }
    }
    // A cluster that goes comes by here often; the others are looked at only while there is something to take back.
    let is_empty_handed = !ours && copies.is_empty();
    if is_empty_handed || has_namesake(context, key).await? {
        return Ok(());
    }
    if ours {
        client.delete(MANAGED_CLUSTER, None, &key.name).await?;
    }
    for name in copies {
        client.delete(SECRET, Some(LOCAL_CLUSTER), &name).await?;
    }
    Ok(())
}

async fn has_namesake(context: &Context, key: &Key) -> client::Result<bool> {
    let others = context.client.list(HOSTED_CLUSTER, None, "").await?;
    Ok(others
        .iter()
        .any(|other| name_of(other) == key.name && !is_deleting(other)))
}
