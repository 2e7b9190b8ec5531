//! How a control plane goes: the guest's own resources if asked for, then its API server with its data.

use std::time::Duration;

use serde_json::{Value, json};

use crate::actor::{Context, Next};
use crate::client::Result;
use crate::kind::{DEPLOYMENT, HOSTED_CONTROL_PLANE};
use crate::objects::{Conditions, annotation, drop_finalizer, has_finalizer, merge, uid, write_status};
use crate::timers::Timers;

use super::super::names::{CLEANUP_ANNOTATION, FINALIZER, guest_id};

/// How long the guest takes to give up its volumes and load balancers.
const CLEANUP: Duration = Duration::from_secs(15);

pub(super) async fn reconcile(context: &Context, timers: &Timers, control_plane: &Value) -> Result<Next> {
    if !has_finalizer(control_plane, FINALIZER) {
        return Ok(Next::OnEvent);
    }
    let guest = guest_id(control_plane);
    let runs = guest
        .as_ref()
        .is_some_and(|guest| context.site.guests.find(guest).is_some());
    if annotation(control_plane, CLEANUP_ANNOTATION) == Some("true") && runs {
        stop_version_operator(context, control_plane).await?;
        if let Some(left) = timers.left(&context.time, uid(control_plane), "cleanup", CLEANUP) {
            report(context, control_plane, false).await?;
            return Ok(Next::After(left));
        }
        report(context, control_plane, true).await?;
    }
    if let Some(guest) = guest {
        context.site.guests.remove(&guest).await;
    }
    timers.forget(uid(control_plane));
    // The report moved the object on, so the finalizer is dropped from what it is now.
    let client = &context.client;
    let namespace = crate::client::namespace_of(control_plane);
    if let Some(current) = client
        .get(HOSTED_CONTROL_PLANE, namespace, crate::client::name_of(control_plane))
        .await?
    {
        drop_finalizer(client, HOSTED_CONTROL_PLANE, &current, FINALIZER).await?;
    }
    Ok(Next::OnEvent)
}

/// Whatever the guest gives up must not be made again meanwhile.
async fn stop_version_operator(context: &Context, control_plane: &Value) -> Result<()> {
    let client = &context.client;
    let namespace = crate::client::namespace_of(control_plane);
    if let Some(found) = client.get(DEPLOYMENT, namespace, "cluster-version-operator").await? {
        merge(client, DEPLOYMENT, &found, &json!({ "spec": { "replicas": 0 } })).await?;
    }
    Ok(())
}

async fn report(context: &Context, control_plane: &Value, done: bool) -> Result<()> {
    let mut conditions = Conditions::of(control_plane, context.time.stamp());
    conditions.set("CVOScaledDown", true, "CVOScaledDown", "");
    if done {
        conditions.set(
            "CloudResourcesDestroyed",
            true,
            "CloudResourcesDestroyed",
            "All guest resources destroyed",
        );
    } else {
        let message = "Remaining resources: image-registry, ingress-controllers, loadbalancers, persistent-volumes";
        conditions.set("CloudResourcesDestroyed", false, "RemainingCloudResources", message);
    }
    let status = json!({ "conditions": conditions.observed(&control_plane["metadata"]["generation"]) });
    write_status(&context.client, HOSTED_CONTROL_PLANE, control_plane, &status).await?;
    Ok(())
}
