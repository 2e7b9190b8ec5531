//! The installation of HyperShift: a Job in the addon's namespace, and what it brings.

use std::time::Duration;

use serde_json::{Value, json};

use super::{HYPERSHIFT_NAMESPACE, HYPERSHIFT_OPERATOR, operator};
use crate::actor::Context;
use crate::actors::open_cluster_management::AGENT_ADDON_NAMESPACE;
use crate::client::{self, name_of, namespace_of};
use crate::conditions;
use crate::kind::{CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, JOB, NAMESPACE, SERVICE, SERVICE_ACCOUNT};
use crate::manifest::{self, set_start_time};
use crate::objects::{annotation, is_rolled_out};
use crate::schemas;
use crate::webhooks;

const JOB_PREFIX: &str = "hypershift-install-job-";
/// On a Job of which all that it installs is there.
const DONE: &str = "lab.berth.dev/installed";
/// On an operator that someone else installed.
const NOT_BY_ENGINE: &str = "hypershift.open-cluster-management.io/not-by-mce";

/// How long the agent takes to decide, and the installation over one definition.
const DECIDE: Duration = Duration::from_secs(10);
const DEFINITION: Duration = Duration::from_millis(200);

/// What the engine's HyperShift is told to do.
const FLAGS: [&str; 6] = [
    "--namespace",
    HYPERSHIFT_NAMESPACE,
    "--platform-monitoring=OperatorOnly",
    "--enable-uwm-telemetry-remote-write",
    "--enable-defaulting-webhook=true",
    "--enable-validating-webhook=true",
];

/// Whether a Job installs HyperShift.
pub(super) fn is_install_job(job: &Value) -> bool {
    name_of(job).starts_with(JOB_PREFIX) && namespace_of(job) == Some(AGENT_ADDON_NAMESPACE)
}

/// One pass: a Job if HyperShift is missing, its effect once it runs, and what the operator itself makes when it runs.
pub(super) async fn install(context: &Context, manager: &Value) -> client::Result<()> {
    let operator = operator(context).await?;
    if let Some(operator) = &operator {
        if annotation(operator, NOT_BY_ENGINE) == Some("true") {
            return Ok(());
        }
        if is_rolled_out(operator) {
            supported_versions(context).await?;
        }
    }
    let mut jobs = context.client.list(JOB, Some(AGENT_ADDON_NAMESPACE), "").await?;
    jobs.retain(|job| is_install_job(job) && annotation(job, DONE).is_none() && !conditions::is_true(job, "Failed"));
    match jobs.first() {
        Some(job) if has_started(job) => {
            apply(context, manager).await?;
            let done = json!({ "metadata": { "annotations": { DONE: "true" } } });
            context
                .client
                .merge(JOB, Some(AGENT_ADDON_NAMESPACE), name_of(job), &done)
                .await?;
            Ok(())
        }
        None if operator.is_none() => {
            context.time.work(DECIDE).await;
            context.client.create(JOB, &job(context, manager)).await?;
            Ok(())
        }
        Some(_) | None => Ok(()),
    }
}

fn has_started(job: &Value) -> bool {
    ["active", "succeeded"]
        .iter()
        .any(|field| job["status"][*field].as_u64().unwrap_or(0) > 0)
}

fn job(context: &Context, manager: &Value) -> Value {
    let name = format!("{JOB_PREFIX}{}", context.random.suffix(5));
    let mut args = vec!["install", "--image-refs", "/tmp/imagestreams/imagestream"];
    args.extend(FLAGS);
    json!({
        "metadata": { "name": name, "namespace": AGENT_ADDON_NAMESPACE },
        "spec": {
            "activeDeadlineSeconds": 600,
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": 172_800,
            "template": { "spec": {
                "restartPolicy": "Never",
                "serviceAccountName": "hypershift-addon-agent-sa",
                "containers": [{ "name": "hypershift-install", "image": image(manager), "command": ["hypershift"], "args": args }],
            } },
        },
    })
}

/// HyperShift's image is of the engine's version, as its manager is.
fn image(manager: &Value) -> String {
    let of_manager = manager["spec"]["template"]["spec"]["containers"][0]["image"]
        .as_str()
        .unwrap_or_default();
    let version = of_manager.rsplit_once(':').map_or("latest", |(_, version)| version);
    format!("registry.redhat.io/multicluster-engine/hypershift-rhel9-operator:{version}")
}

/// What the Job brings: namespace, kinds, operator.
async fn apply(context: &Context, manager: &Value) -> client::Result<()> {
    let client = &context.client;
    let labels = [
        ("hypershift.openshift.io/monitoring", "true"),
        ("openshift.io/cluster-monitoring", "true"),
    ];
    client
        .create(NAMESPACE, &manifest::namespace(HYPERSHIFT_NAMESPACE, &labels))
        .await?;
    for crd in context
        .site
        .schemas
        .resolve(schemas::hypershift::crds(context.generation))
    {
        context.time.work(DEFINITION).await;
        client.apply(CUSTOM_RESOURCE_DEFINITION, &crd).await?;
    }
    let in_namespace = |name: &str| json!({ "metadata": { "name": name, "namespace": HYPERSHIFT_NAMESPACE } });
    client
        .create(SERVICE_ACCOUNT, &in_namespace(HYPERSHIFT_OPERATOR))
        .await?;
    let mut service = in_namespace(HYPERSHIFT_OPERATOR);
    service["spec"] = json!({
        "selector": { "app": HYPERSHIFT_OPERATOR },
        "ports": [{ "name": "manager", "port": 443, "targetPort": 9443 }, { "name": "metrics", "port": 9393 }],
    });
    client.create(SERVICE, &service).await?;
    // Two replicas, because it serves webhooks.
    let mut operator = manifest::deployment(HYPERSHIFT_NAMESPACE, HYPERSHIFT_OPERATOR, 2, &image(manager));
    operator["spec"]["template"]["metadata"]["labels"]["name"] = HYPERSHIFT_OPERATOR.into();
    set_start_time(&mut operator, 30);
    let container = &mut operator["spec"]["template"]["spec"]["containers"][0];
    container["command"] = json!(["/usr/bin/hypershift-operator"]);
    container["args"] = json!([
        "run",
        "--namespace=$(MY_NAMESPACE)",
        "--enable-uwm-telemetry-remote-write"
    ]);
    client.create(DEPLOYMENT, &operator).await?;
    for (kind, configuration) in webhooks::configurations() {
        client.create(kind, &configuration).await?;
    }
    Ok(())
}

/// What the operator says of the releases that it can make clusters of.
async fn supported_versions(context: &Context) -> client::Result<()> {
    let name = "supported-versions";
    if context
        .client
        .get(CONFIG_MAP, Some(HYPERSHIFT_NAMESPACE), name)
        .await?
        .is_some()
    {
        return Ok(());
    }
    let config_map = json!({
        "metadata": {
            "name": name,
            "namespace": HYPERSHIFT_NAMESPACE,
            "labels": { "hypershift.openshift.io/supported-versions": "true" },
        },
        "data": {
            "supported-versions": json!({ "versions": context.generation.versions().guests }).to_string(),
            "server-version": "0".repeat(40),
        },
    });
    context.client.create(CONFIG_MAP, &config_map).await?;
    Ok(())
}
