//! The Deployments of a control plane, made stage by stage from the table in `components`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::actor::Context;
use crate::actors::workloads::{FAILS, FAILS_MESSAGE};
use crate::client::{Result, namespace_of};
use crate::kind::{CRON_JOB, DEPLOYMENT, HOSTED_CONTROL_PLANE, JOB, MACHINE_DEPLOYMENT, MACHINE_SET};
use crate::objects::{ensure as ensure_object, merge, owner};

use super::super::components::{self, COMPONENTS, Stage, deployment, template_patch, unless_debugged};
use super::super::identity_providers::api_server_hash;
use super::super::node_pool::scales_by_itself;
use super::super::release::{payload_has, since};
use super::Progress;

/// The CronJob and the Job of a control plane.
pub(super) const COLLECT_PROFILES: &str = "olm-collect-profiles";
pub(super) const FEATURE_GATES: &str = "featuregate-generator";

const AUTOSCALER: &str = "cluster-autoscaler";

/// On the API server's pods, and on the OAuth server's: the hash of what they are configured with.
const API_CONFIG: &str = "kube-apiserver.hypershift.openshift.io/config-hash";
const OAUTH_CONFIG: &str = "oauth.hypershift.openshift.io/config-hash";

/// Makes the Deployments of a stage, brings those that are there up to date, and takes away what is not to be.
pub(super) async fn ensure(context: &Context, control_plane: &Value, progress: &Progress, stage: Stage) -> Result<()> {
    let client = &context.client;
    for component in COMPONENTS.iter().filter(|component| component.stage() == stage) {
        let found = progress.deployments.get(component.name);
        if components::is_left_out(component, control_plane) {
            if found.is_some() {
                client
                    .delete(DEPLOYMENT, namespace_of(control_plane), component.name)
                    .await?;
            }
            continue;
        }
        let replicas = unless_debugged(component.name, component.replicas(control_plane), control_plane);
        let mut wanted = deployment(component, control_plane, replicas);
        if component.name == "ignition-server" {
            // The HostedCluster tells whether it is available, so its controller must hear of it.
            wanted["metadata"]["annotations"] = control_plane["metadata"]["annotations"].clone();
        }
        configure(&mut wanted, component.name, control_plane, progress, found);
        match found {
            None => {
                client.create(DEPLOYMENT, &wanted).await?;
            }
            Some(found) => {
                let mut patch = template_patch(found, &wanted);
                // How many autoscalers there are is for the pools to say.
                if component.name != AUTOSCALER {
                    patch["spec"]["replicas"] = wanted["spec"]["replicas"].clone();
                }
                merge(client, DEPLOYMENT, found, &patch).await?;
            }
        }
    }
    if stage == Stage::Infrastructure && payload_has(control_plane, since::COMPONENTS) {
        ensure_object(client, JOB, &feature_gates(control_plane)).await?;
    }
    if stage == Stage::ApiServer {
        ensure_object(client, CRON_JOB, &collect_profiles(control_plane)).await?;
    }
    Ok(())
}

/// Puts a hash of its configuration on the pods of a component that has one, so that another configuration rolls them.
fn configure(wanted: &mut Value, name: &str, control_plane: &Value, progress: &Progress, found: Option<&Value>) {
    let annotations = &mut wanted["spec"]["template"]["metadata"]["annotations"];
    match (name, &progress.identity) {
        ("kube-apiserver", _) => annotations[API_CONFIG] = api_server_hash(control_plane).into(),
        ("oauth-openshift", Some(identity)) if identity.problem.is_none() => {
            let kubeadmin = if progress.has_password { "with" } else { "without" };
            annotations[OAUTH_CONFIG] = format!("{}-{kubeadmin}-kubeadmin", identity.hash).into();
            if let Some(crash) = &identity.crash {
                annotations[FAILS] = "CrashLoopBackOff".into();
                annotations[FAILS_MESSAGE] = crash.as_str().into();
            }
        }
        // What can't be configured stays as it is.
        ("oauth-openshift", _) => {
            if let Some(found) = found {
                *annotations = found["spec"]["template"]["metadata"]["annotations"].clone();
            }
        }
        _ => {}
    }
}

/// The autoscaler runs while a node pool of the cluster scales by itself, as what makes its machines tells. The pools
/// themselves are in one namespace with those of every other guest.
pub(super) async fn scale_autoscaler(
    context: &Context,
    control_plane: &Value,
    found: &BTreeMap<String, Value>,
) -> Result<()> {
    let Some(autoscaler) = found.get(AUTOSCALER) else {
        return Ok(());
    };
    let mut needed = false;
    for kind in [MACHINE_DEPLOYMENT, MACHINE_SET] {
        let owners = context.client.list(kind, namespace_of(control_plane), "").await?;
        needed |= owners.iter().any(scales_by_itself);
    }
    merge(
        &context.client,
        DEPLOYMENT,
        autoscaler,
        &json!({ "spec": { "replicas": unless_debugged(AUTOSCALER, u32::from(needed), control_plane) } }),
    )
    .await?;
    Ok(())
}

/// Renders the feature gates that the API server is started with.
fn feature_gates(control_plane: &Value) -> Value {
    let container = json!({ "name": "generate", "image": control_plane["spec"]["releaseImage"] });
    json!({
        "metadata": {
            "name": FEATURE_GATES,
            "namespace": namespace_of(control_plane),
            "ownerReferences": [owner(HOSTED_CONTROL_PLANE, control_plane)],
        },
        "spec": { "template": { "spec": { "restartPolicy": "Never", "containers": [container] } } },
    })
}

fn collect_profiles(control_plane: &Value) -> Value {
    let container = json!({ "name": "collect-profiles", "image": control_plane["spec"]["releaseImage"] });
    json!({
        "metadata": {
            "name": COLLECT_PROFILES,
            "namespace": namespace_of(control_plane),
            "ownerReferences": [owner(HOSTED_CONTROL_PLANE, control_plane)],
        },
        "spec": {
            "schedule": "*/15 * * * *",
            "concurrencyPolicy": "Replace",
            "jobTemplate": {
                "spec": { "template": { "spec": { "restartPolicy": "Never", "containers": [container] } } },
            },
        },
    })
}
