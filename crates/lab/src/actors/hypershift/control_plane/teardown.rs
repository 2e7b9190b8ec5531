//! How a control plane goes: the guest's own resources if asked for, then its API server with its data.

use std::time::Duration;

use serde_json::{Value, json};

use crate::actor::{Context, Next};
use crate::client::{Client, Result, name_of, namespace_of};
use crate::conditions;
use crate::kind::{DEPLOYMENT, HOSTED_CONTROL_PLANE, INGRESS_CONTROLLER};
use crate::objects::{Conditions, annotation, drop_finalizer, has_finalizer, is_deleting, merge, uid, write_status};
use crate::site::GuestId;
use crate::timers::Timers;

use super::super::names::{CLEANUP_ANNOTATION, FINALIZER, guest_id};

/// How long the guest takes to give up its volumes and load balancers.
const CLEANUP: Duration = Duration::from_secs(15);
/// How long the last report stays to be read.
const TOLD: Duration = Duration::from_secs(1);
/// How often what remains is looked at.
const AGAIN: Duration = Duration::from_secs(30);
/// How long something that does not go is waited for.
const GIVES_UP: Duration = Duration::from_mins(10);
const INGRESS: &str = "ingress-controllers";
const EVERYTHING: &str = "image-registry, ingress-controllers, loadbalancers, persistent-volumes";

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
        if !conditions::is_true(control_plane, "CloudResourcesDestroyed")
            && let Some(left) = clean_up(context, timers, control_plane, guest.as_ref()).await?
        {
            return Ok(Next::After(left));
        }
        // Told before it goes: the HostedCluster reads it here, and nowhere once the control plane is gone.
        if let Some(left) = timers.left(&context.time, uid(control_plane), "told", TOLD) {
            return Ok(Next::After(left));
        }
    }
    if let Some(guest) = guest {
        context.site.guests.remove(&guest).await;
    }
    timers.forget(uid(control_plane));
    // The report moved the object on, so the finalizer is dropped from what it is now.
    let client = &context.client;
    let (namespace, name) = (namespace_of(control_plane), name_of(control_plane));
    if let Some(current) = client.get(HOSTED_CONTROL_PLANE, namespace, name).await? {
        drop_finalizer(client, HOSTED_CONTROL_PLANE, &current, FINALIZER).await?;
    }
    Ok(Next::OnEvent)
}

/// The guest gives up what it has outside, and what remains is told. How long until the next look; `None` once it is over.
async fn clean_up(
    context: &Context,
    timers: &Timers,
    control_plane: &Value,
    guest: Option<&GuestId>,
) -> Result<Option<Duration>> {
    // The rest is over once only these are told of.
    let rest = !says_remaining(control_plane, INGRESS);
    if rest && let Some(left) = timers.left(&context.time, uid(control_plane), "cleanup", CLEANUP) {
        report(context, control_plane, Some(EVERYTHING)).await?;
        return Ok(Some(left));
    }
    // It gives up on what does not go.
    if !ingress_controllers_are_gone(context, guest).await?
        && timers
            .left(&context.time, uid(control_plane), "ingress", GIVES_UP)
            .is_some()
    {
        report(context, control_plane, Some(INGRESS)).await?;
        return Ok(Some(AGAIN));
    }
    report(context, control_plane, None).await?;
    Ok(None)
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

/// Deletes the guest's ingress controllers; whether none is left. Their operator takes their finalizers off.
async fn ingress_controllers_are_gone(context: &Context, guest: Option<&GuestId>) -> Result<bool> {
    let Some(guest) = guest.and_then(|guest| context.site.guests.find(guest)) else {
        return Ok(true);
    };
    let inside = Client::new(guest.client, "hosted-cluster-config-operator-manager");
    let found = inside.list(INGRESS_CONTROLLER, None, "").await?;
    for controller in found.iter().filter(|controller| !is_deleting(controller)) {
        inside
            .delete(INGRESS_CONTROLLER, namespace_of(controller), name_of(controller))
            .await?;
    }
    Ok(inside.list(INGRESS_CONTROLLER, None, "").await?.is_empty())
}

fn says_remaining(control_plane: &Value, remaining: &str) -> bool {
    let condition = conditions::find(control_plane, "CloudResourcesDestroyed");
    condition.is_some_and(|it| it["message"] == format!("Remaining resources: {remaining}").as_str())
}

async fn report(context: &Context, control_plane: &Value, remaining: Option<&str>) -> Result<()> {
    let mut conditions = Conditions::of(control_plane, context.time.stamp());
    conditions.set("CVOScaledDown", true, "CVOScaledDown", "");
    if let Some(remaining) = remaining {
        let message = format!("Remaining resources: {remaining}");
        conditions.set("CloudResourcesDestroyed", false, "RemainingCloudResources", &message);
    } else {
        conditions.set(
            "CloudResourcesDestroyed",
            true,
            "CloudResourcesDestroyed",
            "All guest resources destroyed",
        );
    }
    let status = json!({ "conditions": conditions.observed(&control_plane["metadata"]["generation"]) });
    write_status(&context.client, HOSTED_CONTROL_PLANE, control_plane, &status).await?;
    Ok(())
}
