//! ReplicaSets: as many pods as wanted, and how many of them are ready and available.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{MANAGER, NAME, active, is_deleting, pod_from, selector, wanted_replicas};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::events;
use crate::client::{self, name_of};
use crate::conditions;
use crate::kind::{POD, REPLICA_SET};
use crate::time::Time;

/// The ReplicaSet controller.
pub(crate) struct ReplicaSets;

impl Actor for ReplicaSets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::own(REPLICA_SET), Watch::owned(POD, REPLICA_SET)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let client = &context.client;
    let Some(set) = client.get(REPLICA_SET, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&set) {
        return Ok(Next::OnEvent);
    }
    let listed = client.list(POD, key.namespace(), &selector(&set)).await?;
    let mut pods = active(&listed, &set);
    let wanted = usize::try_from(wanted_replicas(&set)).unwrap_or(0);
    for _ in pods.len()..wanted {
        let name = format!("{}-{}", key.name, context.random.suffix(5));
        let pod = pod_from(&set["spec"]["template"], &set, "ReplicaSet", &name, &[]);
        client.create(POD, &pod).await?;
        let message = format!("Created pod: {name}");
        events::record_as(
            context,
            "replicaset-controller",
            REPLICA_SET,
            &set,
            "Normal",
            "SuccessfulCreate",
            &message,
        )
        .await?;
    }
    // What is not ready yet goes first, then what is youngest.
    pods.sort_by_key(|pod| {
        (
            conditions::is_true(pod, "Ready"),
            std::cmp::Reverse(creation(pod).to_owned()),
        )
    });
    for pod in pods.iter().take(pods.len().saturating_sub(wanted)) {
        client.delete(POD, key.namespace(), name_of(pod)).await?;
    }
    let kept = &pods[pods.len().saturating_sub(wanted)..];
    let (status, next) = status(&set, kept, &context.time);
    if status != set["status"] {
        client.status(REPLICA_SET, key.namespace(), &key.name, &status).await?;
    }
    Ok(next)
}

fn creation(pod: &Value) -> &str {
    pod["metadata"]["creationTimestamp"].as_str().unwrap_or_default()
}

/// How many pods are available, having been ready for `minReadySeconds`, and how long until the next one is.
pub(super) fn availability(owner: &Value, pods: &[&Value], time: &Time) -> (usize, Option<Duration>) {
    let least = Duration::from_secs(owner["spec"]["minReadySeconds"].as_u64().unwrap_or(0));
    let mut available = 0;
    let mut next: Option<Duration> = None;
    for pod in pods.iter().filter(|pod| conditions::is_true(pod, "Ready")) {
        let since = conditions::find(pod, "Ready").and_then(|ready| ready["lastTransitionTime"].as_str());
        match time.left_since(since, least) {
            None => available += 1,
            Some(left) => next = Some(next.map_or(left, |next| next.min(left))),
        }
    }
    (available, next)
}

fn status(set: &Value, pods: &[&Value], time: &Time) -> (Value, Next) {
    let (available, next) = availability(set, pods, time);
    let ready = pods.iter().filter(|pod| conditions::is_true(pod, "Ready")).count();
    let some = |count: usize| if count == 0 { Value::Null } else { count.into() };
    let mut status = set["status"].clone();
    let fields = [
        ("observedGeneration", set["metadata"]["generation"].clone()),
        ("replicas", pods.len().into()),
        ("fullyLabeledReplicas", some(pods.len())),
        ("readyReplicas", some(ready)),
        ("availableReplicas", some(available)),
    ];
    for (field, value) in fields {
        if !(value.is_null() && status[field].is_null()) {
            status[field] = value;
        }
    }
    if status.is_null() {
        status = json!({});
    }
    (status, next.map_or(Next::OnEvent, Next::After))
}
