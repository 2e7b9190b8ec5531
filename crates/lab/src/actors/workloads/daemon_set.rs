//! DaemonSets: one pod on each node that it selects and whose taints it tolerates.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use super::replica_set::availability;
use super::{MANAGER, NAME, active, hash, is_deleting, node_fit, pod_from, selector};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{self, name_of};
use crate::conditions;
use crate::kind::{DAEMON_SET, NODE, POD};

const REVISION: &str = "controller-revision-hash";

/// The DaemonSet controller.
pub(crate) struct DaemonSets;

impl Actor for DaemonSets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::own(DAEMON_SET), Watch::owned(POD, DAEMON_SET)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let client = &context.client;
    let Some(set) = client.get(DAEMON_SET, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&set) {
        return Ok(Next::OnEvent);
    }
    let template = &set["spec"]["template"];
    let revision = hash::of(template);
    let nodes = client.list(NODE, None, "").await?;
    let wanted: Vec<&str> = nodes
        .iter()
        .filter(|node| node_fit::admits(node, template))
        .map(name_of)
        .collect();
    let listed = client.list(POD, key.namespace(), &selector(&set)).await?;
    let pods = active(&listed, &set);
    for node in &wanted {
        if !pods.iter().any(|pod| pod["spec"]["nodeName"] == *node) {
            let name = format!("{}-{}", key.name, context.random.suffix(5));
            let mut pod = pod_from(template, &set, "DaemonSet", &name, &[(REVISION, &revision)]);
            pod["spec"]["nodeName"] = (*node).into();
            client.create(POD, &pod).await?;
        }
    }
    for pod in &pods {
        let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
        if !wanted.contains(&node) {
            client.delete(POD, key.namespace(), name_of(pod)).await?;
        }
    }
    // One at a time, as maxUnavailable 1 says.
    let all_ready = pods.iter().all(|pod| conditions::is_true(pod, "Ready"));
    let is_outdated = |pod: &&&Value| pod["metadata"]["labels"][REVISION] != revision.as_str();
    if let Some(outdated) = pods.iter().find(is_outdated)
        && all_ready
        && pods.len() == wanted.len()
    {
        client.delete(POD, key.namespace(), name_of(outdated)).await?;
    }
    let (available, next) = availability(&set, &pods, &context.time);
    let status = status(&set, &pods, wanted.len(), available, &revision);
    if status != set["status"] {
        client.status(DAEMON_SET, key.namespace(), &key.name, &status).await?;
    }
    Ok(next.map_or(Next::OnEvent, Next::After))
}

fn status(set: &Value, pods: &[&Value], wanted: usize, available: usize, revision: &str) -> Value {
    let ready = pods.iter().filter(|pod| conditions::is_true(pod, "Ready")).count();
    let updated = pods
        .iter()
        .filter(|pod| pod["metadata"]["labels"][REVISION] == revision)
        .count();
    let some = |count: usize| if count == 0 { Value::Null } else { count.into() };
    let mut status = set["status"].clone();
    let fields = [
        ("observedGeneration", set["metadata"]["generation"].clone()),
        ("desiredNumberScheduled", wanted.into()),
        ("currentNumberScheduled", pods.len().into()),
        ("updatedNumberScheduled", some(updated)),
        ("numberMisscheduled", 0.into()),
        ("numberReady", ready.into()),
        ("numberAvailable", some(available)),
        ("numberUnavailable", some(wanted.saturating_sub(available))),
    ];
    for (field, value) in fields {
        if !(value.is_null() && status[field].is_null()) {
            status[field] = value;
        }
    }
    status
}
