//! The guest's ClusterOperators, as a table: what each needs, and how long it then takes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{Client, Result, name_of};
use crate::conditions;
use crate::kind::CLUSTER_OPERATOR;
use crate::objects::{Conditions, uid, write_status};
use crate::timers::Timers;

use super::super::Progress;
use super::ingress::Ingress;

use Needs::{ControlPlane, Router, Workers};

/// What an operator needs before it can be available.
#[derive(Clone, Copy, Debug)]
enum Needs {
    /// A Deployment in the control-plane namespace.
    ControlPlane(&'static str),
    /// A Ready node.
    Workers,
    /// A Ready node, and the way in through the management cluster's router.
    Router,
}

/// Each operator with what it needs and how many seconds it takes from there.
const OPERATORS: [(&str, Needs, u64); 21] = [
    ("console", Router, 60),
    ("csi-snapshot-controller", ControlPlane("csi-snapshot-controller"), 5),
    ("dns", Workers, 20),
    ("image-registry", Workers, 40),
    ("ingress", Router, 45),
    ("insights", Workers, 45),
    ("kube-apiserver", ControlPlane("kube-apiserver"), 0),
    ("kube-controller-manager", ControlPlane("kube-controller-manager"), 0),
    ("kube-scheduler", ControlPlane("kube-scheduler"), 0),
    ("kube-storage-version-migrator", Workers, 30),
    ("monitoring", Workers, 60),
    ("network", Workers, 10),
    ("node-tuning", Workers, 20),
    ("openshift-apiserver", ControlPlane("openshift-apiserver"), 0),
    (
        "openshift-controller-manager",
        ControlPlane("openshift-controller-manager"),
        0,
    ),
    ("openshift-samples", Workers, 45),
    ("operator-lifecycle-manager", ControlPlane("olm-operator"), 0),
    (
        "operator-lifecycle-manager-catalog",
        ControlPlane("catalog-operator"),
        0,
    ),
    (
        "operator-lifecycle-manager-packageserver",
        ControlPlane("packageserver"),
        0,
    ),
    ("service-ca", Workers, 20),
    ("storage", Workers, 30),
];

/// What the operators find.
pub(super) struct Situation<'a> {
    pub(super) progress: &'a Progress,
    pub(super) ready_nodes: usize,
    pub(super) ingress: &'a Ingress,
}

/// One operator, and whether it is available at the version that is wanted.
#[derive(Debug)]
pub(super) struct State {
    pub(super) name: &'static str,
    pub(super) done: bool,
    /// Why the cluster may not go to another minor: reason and message.
    pub(super) holds_back: Option<(String, String)>,
}

/// Makes each ClusterOperator tell how it stands; and how long until the next one moves by itself.
pub(super) async fn reconcile(
    context: &Context,
    inside: &Client,
    timers: &Timers,
    control_plane: &Value,
    situation: &Situation<'_>,
    target: &str,
) -> Result<(Vec<State>, Option<Duration>)> {
    let list = inside.list(CLUSTER_OPERATOR, None, "").await?;
    let found: BTreeMap<&str, &Value> = list.iter().map(|operator| (name_of(operator), operator)).collect();
    let subject = format!("{}/{target}", uid(control_plane));
    let (mut states, mut soonest) = (Vec::new(), None);
    for (name, needs, seconds) in OPERATORS {
        let current = found.get(name).copied();
        let missing = situation.missing(needs);
        let left = match (&missing, current.is_some_and(|operator| is_done(operator, target))) {
            (None, false) => timers.left(&context.time, &subject, name, Duration::from_secs(seconds)),
            _ => None,
        };
        soonest = match (soonest, left) {
            (Some(one), Some(other)) => Some(std::cmp::min(one, other)),
            (one, other) => one.or(other),
        };
        let blocked = missing.or_else(|| left.map(|_| format!("{name} is rolling out")));
        write(context, inside, name, current, target, blocked.as_deref()).await?;
        states.push(State {
            name,
            done: blocked.is_none(),
            holds_back: current.and_then(holds_back),
        });
    }
    Ok((states, soonest))
}

fn holds_back(operator: &Value) -> Option<(String, String)> {
    let found = conditions::find(operator, "Upgradeable").filter(|found| found["status"] == "False")?;
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    Some((text("reason"), text("message")))
}

fn is_done(operator: &Value, target: &str) -> bool {
    conditions::is_true(operator, "Available") && operator["status"]["versions"][0]["version"] == target
}

async fn write(
    context: &Context,
    inside: &Client,
    name: &str,
    current: Option<&Value>,
    target: &str,
    blocked: Option<&str>,
) -> Result<()> {
    let bare = json!({ "metadata": { "name": name }, "spec": {} });
    if current.is_none() {
        inside.create(CLUSTER_OPERATOR, &bare).await?;
    }
    let operator = current.unwrap_or(&bare);
    let mut conditions = Conditions::of(operator, context.time.stamp());
    let was_available = conditions.is_true("Available");
    match blocked {
        None => {
            conditions.set("Available", true, "AsExpected", "All is well");
            conditions.set("Progressing", false, "AsExpected", "All is well");
        }
        // An operator that is rolled out anew goes on serving.
        Some(reason) => {
            conditions.set(
                "Available",
                was_available,
                if was_available { "AsExpected" } else { "NotAvailable" },
                reason,
            );
            conditions.set("Progressing", true, "RollingOut", reason);
        }
    }
    conditions.set("Degraded", false, "AsExpected", "All is well");
    // Whoever says that an operator is not to be upgraded is believed.
    if conditions.get("Upgradeable").is_none() {
        conditions.set("Upgradeable", true, "AsExpected", "All is well");
    }
    let mut status = json!({ "conditions": conditions.into_value() });
    if blocked.is_none() {
        status["versions"] = json!([{ "name": "operator", "version": target }]);
    }
    write_status(inside, CLUSTER_OPERATOR, operator, &status).await?;
    Ok(())
}

// === impl Situation ===

impl Situation<'_> {
    /// What is missing of an operator's needs.
    fn missing(&self, needs: Needs) -> Option<String> {
        let no_workers = || (self.ready_nodes == 0).then(|| "no Ready worker nodes to run on".to_owned());
        match needs {
            ControlPlane(deployment) if self.progress.is_rolled_out(deployment) => None,
            ControlPlane(deployment) => Some(format!("deployment {deployment} is not available")),
            Workers => no_workers(),
            Router => no_workers().or_else(|| self.ingress.problem()),
        }
    }
}
