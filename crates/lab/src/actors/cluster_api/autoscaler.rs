//! The cluster autoscaler of a guest: more machines for pods that find no room, fewer once nodes stand empty, within the
//! bounds that a MachineDeployment's annotations give it.
//!
//! What is not here: a scheduler. Pods count as without room where whoever schedules them says so.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::machine::guest_client;
use super::machine_set::DELETE_FIRST;
use super::{is_paused, remaining, runs, selector_of, wakes_with};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::seen::Seen;
use crate::client::{Client, Result, name_of};
use crate::conditions;
use crate::kind::{MACHINE, MACHINE_DEPLOYMENT, NODE, POD};
use crate::objects::{annotation, is_deleting, merge, uid};
use crate::timers::Timers;

const MOST: &str = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size";
const LEAST: &str = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size";
/// How often it looks.
const SCAN: Duration = Duration::from_secs(10);
/// How long a node must stand empty.
const UNNEEDED: Duration = Duration::from_mins(10);

/// The autoscalers of all guests.
#[derive(Debug, Default)]
pub(crate) struct Autoscaler {
    seen: Seen,
    timers: Timers,
}

/// The bounds of a MachineDeployment, and where it is between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group {
    least: u64,
    most: u64,
    replicas: u64,
    /// Whether all the machines that were asked for are there.
    settled: bool,
}

impl Actor for Autoscaler {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn manager(&self) -> &'static str {
        "cluster-autoscaler"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            self.seen
                .remember(MACHINE_DEPLOYMENT, |deployment| vec![Key::of(deployment)]),
            wakes_with("cluster-autoscaler", &self.seen),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        self.reconcile(context, key).boxed()
    }
}

impl Autoscaler {
    async fn reconcile(&self, context: &Context, key: &Key) -> Result<Next> {
        let client = &context.client;
        let Some(deployment) = client.get(MACHINE_DEPLOYMENT, key.namespace(), &key.name).await? else {
            return Ok(Next::OnEvent);
        };
        let Some(group) = Group::of(&deployment).filter(|_| !is_deleting(&deployment)) else {
            return Ok(Next::OnEvent);
        };
        if !runs(client, key.namespace(), "cluster-autoscaler").await? || is_paused(client, &deployment).await? {
            return Ok(Next::OnEvent);
        }
        if let Some(guest) = guest_client(context, key.namespace()).await? {
            self.scale(context, &deployment, group, &guest).await?;
        }
        Ok(Next::After(SCAN))
    }

    async fn scale(&self, context: &Context, deployment: &Value, group: Group, guest: &Client) -> Result<()> {
        let client = &context.client;
        let pods = guest.list(POD, None, "").await?;
        let homeless = pods.iter().filter(|pod| is_without_room(pod)).count();
        if homeless > 0 {
            self.timers.forget(uid(deployment));
            let replicas = group.more(homeless);
            merge(
                client,
                MACHINE_DEPLOYMENT,
                deployment,
                &json!({ "spec": { "replicas": replicas } }),
            )
            .await?;
            return Ok(());
        }
        let Some(machine) = empty_machine(client, deployment, guest, &pods).await? else {
            self.timers.forget(uid(deployment));
            return Ok(());
        };
        let may_shrink = group.settled && group.replicas > group.least;
        if !may_shrink
            || self
                .timers
                .left(&context.time, uid(deployment), "unneeded", UNNEEDED)
                .is_some()
        {
            return Ok(());
        }
        let mark = json!({ "metadata": { "annotations": { DELETE_FIRST: "true" } } });
        merge(client, MACHINE, &machine, &mark).await?;
        let fewer = json!({ "spec": { "replicas": group.replicas - 1 } });
        merge(client, MACHINE_DEPLOYMENT, deployment, &fewer).await?;
        Ok(())
    }
}

/// A machine of the deployment on whose node nothing runs but what runs on every node.
async fn empty_machine(client: &Client, deployment: &Value, guest: &Client, pods: &[Value]) -> Result<Option<Value>> {
    let namespace = deployment["metadata"]["namespace"].as_str();
    let machines = client.list(MACHINE, namespace, &selector_of(deployment)).await?;
    let nodes = guest.list(NODE, None, "").await?;
    let is_empty = |machine: &&Value| {
        let name = name_of(machine);
        let has_node = nodes.iter().any(|node| name_of(node) == name);
        let used = pods
            .iter()
            .any(|pod| pod["spec"]["nodeName"] == name && !is_everywhere(pod));
        has_node && !used
    };
    Ok(remaining(&machines).into_iter().find(is_empty).cloned())
}

fn is_everywhere(pod: &Value) -> bool {
    pod["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet"
}

fn is_without_room(pod: &Value) -> bool {
    conditions::find(pod, "PodScheduled")
        .is_some_and(|found| found["status"] == "False" && found["reason"] == "Unschedulable")
}

// === impl Group ===

impl Group {
    /// `None` where the deployment is not to be scaled.
    fn of(deployment: &Value) -> Option<Self> {
        let bound = |name: &str| annotation(deployment, name)?.parse::<u64>().ok();
        let (least, most) = (bound(LEAST)?, bound(MOST).filter(|most| *most > 0)?);
        let replicas = deployment["spec"]["replicas"].as_u64().unwrap_or(0);
        let count = |field: &str| deployment["status"][field].as_u64().unwrap_or(0);
        Some(Self {
            least,
            most,
            replicas,
            settled: count("replicas") == replicas && count("availableReplicas") == replicas,
        })
    }

    /// Machines for pods without room, one each: how many of them share a node is not known. Never while others are on
    /// their way, which the pods may fit on.
    fn more(self, homeless: usize) -> u64 {
        if !self.settled {
            return self.replicas;
        }
        let homeless = u64::try_from(homeless).unwrap_or(u64::MAX);
        self.replicas.saturating_add(homeless).min(self.most.max(self.replicas))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_machines_come_up_to_the_most_and_not_while_others_are_on_their_way() {
        let group = |replicas, settled| Group {
            least: 1,
            most: 4,
            replicas,
            settled,
        };
        assert_eq!(group(2, true).more(1), 3);
        assert_eq!(group(2, true).more(9), 4);
        assert_eq!(group(2, false).more(9), 2);
        assert_eq!(group(5, true).more(1), 5);
    }

    #[test]
    fn bounds_of_zero_leave_a_deployment_alone() {
        let deployment = |most: &str| json!({ "metadata": { "annotations": { LEAST: "1", MOST: most } } });
        assert!(Group::of(&deployment("0")).is_none());
        assert!(Group::of(&deployment("3")).is_some());
    }
}
