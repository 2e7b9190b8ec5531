//! The Deployments of a control plane, made stage by stage from the table in `components`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{Result, namespace_of};
use crate::kind::{CRON_JOB, DEPLOYMENT, HOSTED_CONTROL_PLANE, JOB, NODE_POOL};
use crate::objects::{ensure as ensure_object, merge, owner};
use crate::site::GuestId;

use super::super::components::{self, COMPONENTS, Stage, deployment};
use super::super::release::{payload_has, since};

/// The CronJob and the Job of a control plane.
pub(super) const COLLECT_PROFILES: &str = "olm-collect-profiles";
pub(super) const FEATURE_GATES: &str = "featuregate-generator";

/// Makes the Deployments of a stage, and gives those that are there the release's image.
pub(super) async fn ensure(
    context: &Context,
    control_plane: &Value,
    found: &BTreeMap<String, Value>,
    stage: Stage,
) -> Result<()> {
    let client = &context.client;
    for component in COMPONENTS.iter().filter(|component| component.stage() == stage) {
        if components::is_left_out(component, control_plane) {
            continue;
        }
        let mut wanted = deployment(component, control_plane, component.replicas(control_plane));
        if component.name == "ignition-server" {
            // The HostedCluster tells whether it is available, so its controller must hear of it.
            wanted["metadata"]["annotations"] = control_plane["metadata"]["annotations"].clone();
        }
        match found.get(component.name) {
            None => {
                client.create(DEPLOYMENT, &wanted).await?;
            }
            Some(found) => {
                let container = &found["spec"]["template"]["spec"]["containers"][0];
                if container["image"] != control_plane["spec"]["releaseImage"] {
                    let containers = &wanted["spec"]["template"]["spec"]["containers"];
                    let patch = json!({ "spec": { "template": { "spec": { "containers": containers } } } });
                    merge(client, DEPLOYMENT, found, &patch).await?;
                }
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

/// The autoscaler runs while a node pool of the cluster scales by itself.
pub(super) async fn scale_autoscaler(
    context: &Context,
    guest: &GuestId,
    found: &BTreeMap<String, Value>,
) -> Result<()> {
    let Some(autoscaler) = found.get("cluster-autoscaler") else {
        return Ok(());
    };
    let pools = context.client.list(NODE_POOL, Some(&guest.namespace), "").await?;
    let needed = pools
        .iter()
        .any(|pool| pool["spec"]["clusterName"] == guest.name.as_str() && pool["spec"]["autoScaling"].is_object());
    merge(
        &context.client,
        DEPLOYMENT,
        autoscaler,
        &json!({ "spec": { "replicas": u8::from(needed) } }),
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
