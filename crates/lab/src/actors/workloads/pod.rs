//! The scheduler and the kubelets: gives each pod a node, lets its containers start, and ends it when it is deleted.

mod ledger;
mod nodes;

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::node_fit::{self, Unfit};
use super::pod_status::{self, Place};
use super::{NAME, SIMULATED, has_ended, hash, is_deleting};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::events;
use crate::client::{self, name_of, namespace_of};
use crate::kind::{PERSISTENT_VOLUME_CLAIM, POD, STORAGE_CLASS};
use crate::timers::Timers;

use ledger::Ledger;
use nodes::Nodes;

/// A pod with this annotation ends well after so many modelled seconds; a Job's pod does so after [`JOB_RUNS`] anyway.
const RUNS_FOR: &str = "lab.berth.dev/runs-for-seconds";
/// A pod with this annotation never becomes ready: its containers wait for this reason, as `ImagePullBackOff`.
pub(crate) const FAILS: &str = "lab.berth.dev/fails";
/// The message that goes with [`FAILS`].
pub(crate) const FAILS_MESSAGE: &str = "lab.berth.dev/fails-message";
/// A pod with this annotation is some other actor's to play: it gets a node and is ended, but its status is left alone.
const PLAYED_ELSEWHERE: &str = "lab.berth.dev/played-elsewhere";
/// A pod with this annotation takes so many modelled seconds to start; others a few, by their name.
const STARTS_IN: &str = "lab.berth.dev/starts-in-seconds";

const JOB_RUNS: u64 = 5;
const STOPS: Duration = Duration::from_secs(1);
/// A pod that no node takes is looked at again: room comes from pods and nodes that are not watched for it.
const RETRY: Duration = Duration::from_secs(10);
/// The scheduler, as events name it.
const SCHEDULER: &str = "default-scheduler";
/// Keys that stand for a claim, whose pods wait for it.
const CLAIM: &str = "claim:";

/// The scheduler and the kubelets of all nodes.
#[derive(Default)]
pub(crate) struct Pods {
    ledger: Ledger,
    nodes: Nodes,
    timers: Timers,
}

impl Actor for Pods {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        "kubelet"
    }

    fn watches(&self) -> Vec<Watch> {
        let wakes_pods = |claim: &Value| vec![Key::named(namespace_of(claim), &format!("{CLAIM}{}", name_of(claim)))];
        vec![
            self.nodes.watch(),
            Watch::own(POD),
            Watch::mapped(PERSISTENT_VOLUME_CLAIM, wakes_pods),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        async move {
            match key.name.strip_prefix(CLAIM) {
                Some(claim) => self.claim_changed(context, key, claim).await,
                None => self.pod(context, key).await,
            }
        }
        .boxed()
    }
}

impl Pods {
    async fn pod(&self, context: &Context, key: &Key) -> client::Result<Next> {
        let Some(pod) = context.client.get(POD, key.namespace(), &key.name).await? else {
            self.ledger.remove(key);
            return Ok(Next::OnEvent);
        };
        self.ledger.record(key, &pod);
        if is_deleting(&pod) {
            return self.stop(context, key, &pod).await;
        }
        if has_ended(&pod) {
            return Ok(Next::OnEvent);
        }
        if pod["spec"]["nodeName"].is_null() {
            return self.schedule(context, key, &pod).await;
        }
        if annotation(&pod, PLAYED_ELSEWHERE).is_some() {
            return Ok(Next::OnEvent);
        }
        match pod["status"]["phase"].as_str() {
            Some("Running") => self.run(context, key, &pod).await,
            _ => self.start(context, key, &pod).await,
        }
    }

    /// A claim was bound, or could not be: its pods that wait for a node try again.
    async fn claim_changed(&self, context: &Context, key: &Key, claim: &str) -> client::Result<Next> {
        // What a pod begins here is waited for here: its own key waits for events.
        let mut next = Next::OnEvent;
        for pod in context.client.list(POD, key.namespace(), "").await? {
            let waits = pod["spec"]["nodeName"].is_null() || pod["status"]["phase"] == "Pending";
            if waits && claims(&pod).any(|name| name == claim) {
                next = next.sooner(self.pod(context, &Key::of(&pod)).await?);
            }
        }
        Ok(next)
    }

    async fn stop(&self, context: &Context, key: &Key, pod: &Value) -> client::Result<Next> {
        if let Some(left) = self.timers.left(&context.time, uid(pod), "stop", STOPS) {
            return Ok(Next::After(left));
        }
        self.timers.forget(uid(pod));
        context.client.delete_now(POD, key.namespace(), &key.name).await?;
        Ok(Next::OnEvent)
    }

    async fn schedule(&self, context: &Context, key: &Key, pod: &Value) -> client::Result<Next> {
        let nodes = self.nodes.list(context).await?;
        if let Some(message) = unbound_claims(context, pod, nodes.len()).await? {
            return self.unschedulable(context, key, pod, &message, Next::OnEvent).await;
        }
        let (beside, none) = (self.ledger.alike(pod), (0, 0));
        let mut reasons: Vec<Unfit> = Vec::new();
        let mut fitting = Vec::new();
        for candidate in nodes.iter() {
            let load = self.ledger.load(name_of(candidate));
            if let Some(reason) = node_fit::unfit(candidate, pod, load) {
                reasons.push(reason);
            } else {
                let alike = *beside.get(name_of(candidate)).unwrap_or(&none);
                fitting.push((alike, load.pods, name_of(candidate)));
            }
        }
        // Away from its like first, then the emptiest node; the name decides between equals.
        let Some((_, _, chosen)) = fitting.into_iter().min() else {
            let message = node_fit::message(nodes.len(), reasons);
            return self
                .unschedulable(context, key, pod, &message, Next::After(RETRY))
                .await;
        };
        // At once, before anything is waited for: others are being given nodes at the same time.
        self.ledger.place(key, chosen, pod);
        for claim in claims(pod) {
            let selected = json!({ "metadata": { "annotations": { "volume.kubernetes.io/selected-node": chosen } } });
            context
                .client
                .merge(PERSISTENT_VOLUME_CLAIM, key.namespace(), claim, &selected)
                .await?;
        }
        // With the version that was looked at, so that two looks at the same pod do not give it two nodes.
        let patch = json!({
            "metadata": { "resourceVersion": pod["metadata"]["resourceVersion"], "annotations": { SIMULATED: "true" } },
            "spec": { "nodeName": chosen },
        });
        context
            .client
            .with_manager("kube-scheduler")
            .merge(POD, key.namespace(), &key.name, &patch)
            .await?;
        let message = format!("Successfully assigned {key} to {chosen}");
        events::record_as(context, SCHEDULER, POD, pod, "Normal", "Scheduled", &message).await?;
        Ok(Next::OnEvent)
    }

    async fn unschedulable(
        &self,
        context: &Context,
        key: &Key,
        pod: &Value,
        message: &str,
        next: Next,
    ) -> client::Result<Next> {
        let status = pod_status::unschedulable(pod, &context.time.stamp(), message);
        if status["conditions"] != pod["status"]["conditions"] {
            context
                .client
                .with_manager("kube-scheduler")
                .status(POD, key.namespace(), &key.name, &status)
                .await?;
            events::record_as(context, SCHEDULER, POD, pod, "Warning", "FailedScheduling", message).await?;
        }
        Ok(next)
    }

    async fn start(&self, context: &Context, key: &Key, pod: &Value) -> client::Result<Next> {
        let nodes = self.nodes.list(context).await?;
        let Some(node) = nodes
            .iter()
            .find(|node| node["metadata"]["name"] == pod["spec"]["nodeName"])
        else {
            return Ok(Next::After(RETRY));
        };
        let host_ip = internal_ip(node).to_owned();
        let pod_ip = if pod["spec"]["hostNetwork"] == true {
            host_ip.clone()
        } else {
            self.ledger.address(key, node)
        };
        let place = Place {
            host_ip: &host_ip,
            pod_ip: &pod_ip,
        };
        let now = context.time.stamp();
        if pod["status"]["startTime"].is_null() {
            let status = pod_status::creating(pod, &place, &now);
            context.client.status(POD, key.namespace(), &key.name, &status).await?;
            return Ok(Next::OnEvent);
        }
        if !all_bound(context, pod).await? {
            return Ok(Next::OnEvent);
        }
        if let Some(left) = self.timers.left(&context.time, uid(pod), "start", start_time(pod)) {
            return Ok(Next::After(left));
        }
        let status = match annotation(pod, FAILS) {
            Some(reason) => {
                let message = annotation(pod, FAILS_MESSAGE).unwrap_or_default();
                let restarts = u64::from(reason == "CrashLoopBackOff");
                pod_status::failing(pod, &place, &now, reason, message, restarts)
            }
            None => pod_status::running(pod, &place, &now),
        };
        if status["containerStatuses"] != pod["status"]["containerStatuses"] {
            context.client.status(POD, key.namespace(), &key.name, &status).await?;
            tell_start(context, pod).await?;
        }
        Ok(Next::OnEvent)
    }

    async fn run(&self, context: &Context, key: &Key, pod: &Value) -> client::Result<Next> {
        let Some(seconds) = runs_for(pod) else {
            return Ok(Next::OnEvent);
        };
        if let Some(left) = self
            .timers
            .left(&context.time, uid(pod), "run", Duration::from_secs(seconds))
        {
            return Ok(Next::After(left));
        }
        let status = pod_status::succeeded(pod, &context.time.stamp());
        context.client.status(POD, key.namespace(), &key.name, &status).await?;
        Ok(Next::OnEvent)
    }
}

/// The event that goes with how a pod's containers started. Real kubelets tell of images, too.
async fn tell_start(context: &Context, pod: &Value) -> client::Result<()> {
    let names = pod["spec"]["containers"].as_array().into_iter().flatten();
    let names: Vec<&str> = names.filter_map(|container| container["name"].as_str()).collect();
    let names = names.join(", ");
    let (level, reason, message) = match annotation(pod, FAILS) {
        None => ("Normal", "Started", format!("Started container {names} (simulated)")),
        Some("CrashLoopBackOff") => (
            "Warning",
            "BackOff",
            format!("Back-off restarting failed container {names}"),
        ),
        Some(reason) => {
            let message = annotation(pod, FAILS_MESSAGE).unwrap_or(reason);
            ("Warning", "Failed", format!("Error: {message}"))
        }
    };
    events::record(context, POD, pod, level, reason, &message).await
}

/// Whether a claim of the pod is in the way of giving it a node, and how the scheduler says so.
async fn unbound_claims(context: &Context, pod: &Value, nodes: usize) -> client::Result<Option<String>> {
    for name in claims(pod) {
        let Some(claim) = context
            .client
            .get(PERSISTENT_VOLUME_CLAIM, namespace_of(pod), name)
            .await?
        else {
            return Ok(Some(format!("persistentvolumeclaim \"{name}\" not found")));
        };
        if claim["spec"]["volumeName"].is_string() {
            continue;
        }
        let class = claim["spec"]["storageClassName"].as_str().unwrap_or_default();
        let class = if class.is_empty() {
            None
        } else {
            context.client.get(STORAGE_CLASS, None, class).await?
        };
        if class.is_none_or(|class| class["volumeBindingMode"] != "WaitForFirstConsumer") {
            return Ok(Some(format!(
                "0/{nodes} nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: \
                 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."
            )));
        }
    }
    Ok(None)
}

async fn all_bound(context: &Context, pod: &Value) -> client::Result<bool> {
    for name in claims(pod) {
        let claim = context
            .client
            .get(PERSISTENT_VOLUME_CLAIM, namespace_of(pod), name)
            .await?;
        if claim.is_none_or(|claim| claim["status"]["phase"] != "Bound") {
            return Ok(false);
        }
    }
    Ok(true)
}

fn claims(pod: &Value) -> impl Iterator<Item = &str> {
    let volumes = pod["spec"]["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
    volumes
        .iter()
        .filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str())
}

/// Pulling images and starting takes a few seconds; which few is the pod's own, so that not all are ready at once.
fn start_time(pod: &Value) -> Duration {
    let given = annotation(pod, STARTS_IN).and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(given.unwrap_or_else(|| 4 + u64::from(hash::fnv(name_of(pod).as_bytes()) % 6)))
}

fn runs_for(pod: &Value) -> Option<u64> {
    let owners = pod["metadata"]["ownerReferences"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let of_job = owners.iter().any(|owner| owner["kind"] == "Job");
    annotation(pod, RUNS_FOR)
        .and_then(|seconds| seconds.parse().ok())
        .or(of_job.then_some(JOB_RUNS))
}

fn internal_ip(node: &Value) -> &str {
    let addresses = node["status"]["addresses"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let internal = addresses.iter().find(|address| address["type"] == "InternalIP");
    internal
        .and_then(|address| address["address"].as_str())
        .unwrap_or_default()
}

fn annotation<'a>(pod: &'a Value, key: &str) -> Option<&'a str> {
    pod["metadata"]["annotations"][key].as_str()
}

fn uid(pod: &Value) -> &str {
    pod["metadata"]["uid"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
