//! Upgrades in place: the nodes of a MachineSet get another configuration, some at a time, and keep their machines. What
//! HyperShift's config operator and the machine config daemon on each node do between them.
//!
//! How far a node is stands in its annotations, so that an upgrade survives a kill.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::machine::guest_client;
use super::{NAME, is_paused, remaining, selector_of};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::hypershift::{RELEASE_VERSION, kubelet_version};
use crate::client::{Client, Result, name_of};
use crate::kind::{MACHINE, MACHINE_SET, NODE, SECRET};
use crate::objects::{annotation, is_deleting, merge, uid, write_status};
use crate::timers::Timers;

const TARGET: &str = "hypershift.openshift.io/nodePoolTargetConfigVersion";
const CURRENT: &str = "hypershift.openshift.io/nodePoolCurrentConfigVersion";
const GOES_ON: &str = "hypershift.openshift.io/nodePoolUpgradeInProgressTrue";
const FAILED: &str = "hypershift.openshift.io/nodePoolUpgradeInProgressFalse";
const MAX_UNAVAILABLE: &str = "hypershift.openshift.io/nodePoolMaxUnavailable";
/// On nodes, by the machine config daemon.
const NODE_CURRENT: &str = "machineconfiguration.openshift.io/currentConfig";
const NODE_DESIRED: &str = "machineconfiguration.openshift.io/desiredConfig";
const NODE_STATE: &str = "machineconfiguration.openshift.io/state";
const NODE_REASON: &str = "machineconfiguration.openshift.io/reason";

/// From the cordon of a node until it is back with its new configuration: pods leave, the system is written, it boots.
const UPDATE: Duration = Duration::from_mins(4);
/// How soon a guest whose API server does not answer yet is asked again.
const AGAIN: Duration = Duration::from_secs(30);

/// What upgrades the machines of all guests in place.
#[derive(Debug, Default)]
pub(crate) struct InPlaceUpgrades {
    timers: Timers,
}

/// A node of the set with its machine.
struct Member<'a> {
    node: Value,
    machine: &'a Value,
}

impl Actor for InPlaceUpgrades {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        "hosted-cluster-config-operator-manager"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::own(MACHINE_SET)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        self.reconcile(context, key).boxed()
    }
}

impl InPlaceUpgrades {
    async fn reconcile(&self, context: &Context, key: &Key) -> Result<Next> {
        let client = &context.client;
        let Some(set) = client.get(MACHINE_SET, key.namespace(), &key.name).await? else {
            return Ok(Next::OnEvent);
        };
        let Some(target) = annotation(&set, TARGET) else {
            return Ok(Next::OnEvent);
        };
        if annotation(&set, CURRENT) == Some(target) || is_deleting(&set) || is_paused(client, &set).await? {
            return Ok(Next::OnEvent);
        }
        let Some(guest) = guest_client(context, key.namespace()).await? else {
            return Ok(Next::After(AGAIN));
        };
        let token = format!("token-{}-{target}", key.name);
        let Some(token) = client.get(SECRET, key.namespace(), &token).await? else {
            return Ok(Next::After(AGAIN));
        };
        let version = decoded(&token["data"]["release-version"]);
        let machines = client.list(MACHINE, key.namespace(), &selector_of(&set)).await?;
        let members = members(&guest, &machines).await?;
        self.advance(context, &set, target, &version, &guest, &members).await
    }

    /// Takes each node a step further, and tells on the set how far all are.
    async fn advance(
        &self,
        context: &Context,
        set: &Value,
        target: &str,
        version: &str,
        guest: &Client,
        members: &[Member<'_>],
    ) -> Result<Next> {
        let mut next = Next::OnEvent;
        let away = members.iter().filter(|member| member.is_away()).count();
        let mut room = max_unavailable(set).saturating_sub(away);
        let mut done = 0;
        for member in members {
            if member.is_degraded() {
                let reason = annotation(&member.node, NODE_REASON).unwrap_or_default();
                let message = format!("Node {} in nodepool degraded: {reason}", name_of(&member.node));
                return tell(context, set, &json!({ GOES_ON: null, FAILED: message })).await;
            }
            if member.has(target) {
                done += 1;
            } else if annotation(&member.node, NODE_DESIRED) != Some(target) && (member.is_away() || room > 0) {
                room = room.saturating_sub(usize::from(!member.is_away()));
                begin(guest, member, target).await?;
                next = Next::After(Duration::from_millis(1));
            } else if member.is_away() {
                let left = self.timers.left(&context.time, uid(&member.node), "in-place", UPDATE);
                if let Some(left) = left {
                    next = next.sooner(Next::After(left));
                } else {
                    finish(context, guest, member, target, version).await?;
                    next = Next::After(Duration::from_millis(1));
                }
            }
        }
        if done == members.len() {
            tell(context, set, &json!({ CURRENT: target, GOES_ON: null, FAILED: null })).await?;
            return Ok(Next::OnEvent);
        }
        let message = format!(
            "Nodepool update in progress. Target Config version: {target}. Total Nodes: {}. Upgraded: {done}",
            members.len()
        );
        tell(context, set, &json!({ GOES_ON: message, FAILED: null })).await?;
        Ok(next)
    }
}

async fn members<'a>(guest: &Client, machines: &'a [Value]) -> Result<Vec<Member<'a>>> {
    let mut members = Vec::new();
    for machine in remaining(machines) {
        if let Some(node) = guest.get(NODE, None, name_of(machine)).await? {
            members.push(Member { node, machine });
        }
    }
    Ok(members)
}

async fn tell(context: &Context, set: &Value, annotations: &Value) -> Result<Next> {
    let patch = json!({ "metadata": { "annotations": annotations } });
    merge(&context.client, MACHINE_SET, set, &patch).await?;
    Ok(Next::OnEvent)
}

/// The node is told its configuration, and gives up its pods.
async fn begin(guest: &Client, member: &Member<'_>, target: &str) -> Result<()> {
    let mut patch = json!({ "metadata": { "annotations": { NODE_DESIRED: target, NODE_STATE: "Working" } } });
    if annotation(&member.node, NODE_CURRENT).is_none() {
        patch["metadata"]["annotations"][NODE_CURRENT] = member.booted_with().into();
    }
    patch["spec"]["unschedulable"] = true.into();
    merge(guest, NODE, &member.node, &patch).await?;
    Ok(())
}

/// The node is back: its system, its kubelet and its machine tell the release.
async fn finish(context: &Context, guest: &Client, member: &Member<'_>, target: &str, version: &str) -> Result<()> {
    let kubelet = kubelet_version(version);
    let info = json!({
        "kubeletVersion": kubelet,
        "kubeProxyVersion": kubelet,
        "containerRuntimeVersion": format!("cri-o://{}", kubelet.trim_start_matches('v')),
        "osImage": format!("Red Hat Enterprise Linux CoreOS {version} (simulated)"),
    });
    write_status(guest, NODE, &member.node, &json!({ "nodeInfo": info })).await?;
    let mut patch =
        json!({ "metadata": { "annotations": { NODE_CURRENT: target, NODE_DESIRED: target, NODE_STATE: "Done" } } });
    patch["spec"]["unschedulable"] = Value::Null;
    merge(guest, NODE, &member.node, &patch).await?;
    let patch = json!({ "metadata": { "annotations": { RELEASE_VERSION: version } } });
    merge(&context.client, MACHINE, member.machine, &patch).await?;
    Ok(())
}

fn max_unavailable(set: &Value) -> usize {
    annotation(set, MAX_UNAVAILABLE)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
        .max(1)
}

fn decoded(text: &Value) -> String {
    use base64::Engine;
    let bytes = base64::prelude::BASE64_STANDARD.decode(text.as_str().unwrap_or_default());
    bytes
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

// === impl Member ===

impl Member<'_> {
    /// The configuration that its machine booted with, by the name of the Secret.
    fn booted_with(&self) -> &str {
        let secret = self.machine["spec"]["bootstrap"]["dataSecretName"].as_str();
        secret.and_then(|name| name.rsplit('-').next()).unwrap_or_default()
    }

    fn has(&self, target: &str) -> bool {
        let current = annotation(&self.node, NODE_CURRENT).unwrap_or_else(|| self.booted_with());
        current == target && !self.is_away()
    }

    /// Whether it is being updated.
    fn is_away(&self) -> bool {
        let desired = annotation(&self.node, NODE_DESIRED);
        desired.is_some() && desired != annotation(&self.node, NODE_CURRENT)
    }

    fn is_degraded(&self) -> bool {
        annotation(&self.node, NODE_STATE) == Some("Degraded")
    }
}
