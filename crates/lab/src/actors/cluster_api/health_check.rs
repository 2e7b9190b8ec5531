//! The MachineHealthCheck: machines whose nodes have not been Ready for too long, or never joined, are replaced, unless too
//! many are so at once.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{MANAGER, NAME, looked_after, remaining, selector_of, wakes_with, wakes_with_cluster};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::seen::Seen;
use crate::client::{Result, name_of};
use crate::conditions;
use crate::kind::{MACHINE, MACHINE_HEALTH_CHECK};
use crate::objects::{Conditions, write_status};
use crate::time::Time;

/// The controller of MachineHealthChecks.
#[derive(Debug, Default)]
pub(crate) struct MachineHealthChecks {
    seen: Seen,
}

/// How a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Healthy,
    /// Not healthy, but for too short a time to say so; what is left of it, in modelled time.
    Suspect(Duration),
    Unhealthy,
}

/// After how long a machine counts as unhealthy.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// With a node that is not Ready.
    not_ready: Duration,
    /// Without a node.
    no_node: Duration,
}

impl Actor for MachineHealthChecks {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            self.seen.remember(MACHINE_HEALTH_CHECK, |check| vec![Key::of(check)]),
            self.seen.wake_beside(MACHINE, |_| true),
            wakes_with("cluster-api", &self.seen),
            wakes_with_cluster(&self.seen),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> Result<Next> {
    let client = &context.client;
    let Some(check) = looked_after(client, MACHINE_HEALTH_CHECK, key).await? else {
        return Ok(Next::OnEvent);
    };
    let machines = client.list(MACHINE, key.namespace(), &selector_of(&check)).await?;
    let limits = Limits::of(&check);
    let health: Vec<(&Value, Health)> = remaining(&machines)
        .into_iter()
        .map(|machine| (machine, health(machine, limits, &context.time)))
        .collect();
    let unhealthy = health.iter().filter(|(_, health)| *health == Health::Unhealthy).count();
    let most = max_unhealthy(&check["spec"]["maxUnhealthy"], health.len());
    let allowed = unhealthy <= most;
    let status = status(&check, &health, most, context.time.stamp());
    write_status(client, MACHINE_HEALTH_CHECK, &check, &status).await?;
    if allowed {
        for (machine, _) in health.iter().filter(|(_, health)| *health == Health::Unhealthy) {
            client.delete(MACHINE, key.namespace(), name_of(machine)).await?;
        }
    }
    let soonest = health.iter().filter_map(|(_, health)| match health {
        Health::Suspect(left) => Some(*left),
        _ => None,
    });
    Ok(soonest.min().map_or(Next::OnEvent, Next::After))
}

fn health(machine: &Value, limits: Limits, time: &Time) -> Health {
    let (since, limit) = if machine["status"]["nodeRef"].is_object() {
        match conditions::find(machine, "NodeHealthy") {
            Some(found) if found["status"] != "True" => (found["lastTransitionTime"].as_str(), limits.not_ready),
            _ => return Health::Healthy,
        }
    } else {
        (machine["metadata"]["creationTimestamp"].as_str(), limits.no_node)
    };
    if limit.is_zero() {
        return Health::Healthy;
    }
    match left(since, limit, time) {
        Some(left) => Health::Suspect(left),
        None => Health::Unhealthy,
    }
}

/// What is left of a limit. It is scaled as work is; but at full speed, at which everything else takes no time, machines
/// still get as long as the limit says: a machine that is judged before it can come up never would.
fn left(since: Option<&str>, limit: Duration, time: &Time) -> Option<Duration> {
    if !time.scaled(limit).is_zero() {
        return time.left_since(since, limit);
    }
    let since: Timestamp = since?.parse().ok()?;
    let elapsed = Duration::try_from(time.now().duration_since(since)).unwrap_or_default();
    limit.checked_sub(elapsed).filter(|left| !left.is_zero())
}

fn status(check: &Value, health: &[(&Value, Health)], most: usize, now: String) -> Value {
    let healthy = health.iter().filter(|(_, health)| *health != Health::Unhealthy).count();
    let unhealthy = health.len() - healthy;
    let mut conditions = Conditions::of(check, now);
    if unhealthy <= most {
        conditions.set("RemediationAllowed", true, "", "");
    } else {
        let message = format!(
            "Remediation is not allowed, the number of not started or unhealthy machines exceeds maxUnhealthy (total: {}, \
             unhealthy: {unhealthy}, maxUnhealthy: {})",
            health.len(),
            amount_text(&check["spec"]["maxUnhealthy"]),
        );
        conditions.set("RemediationAllowed", false, "TooManyUnhealthy", &message);
    }
    json!({
        "expectedMachines": health.len(),
        "currentHealthy": healthy,
        "remediationsAllowed": most.saturating_sub(unhealthy),
        "observedGeneration": check["metadata"]["generation"],
        "conditions": conditions.into_sparse_value(),
    })
}

fn amount_text(amount: &Value) -> String {
    amount.as_str().map_or_else(|| amount.to_string(), str::to_owned)
}

/// How many may be unhealthy at once; all of them where nothing is said.
fn max_unhealthy(amount: &Value, of: usize) -> usize {
    let percent = amount
        .as_str()
        .and_then(|text| text.strip_suffix('%')?.parse::<usize>().ok());
    match (amount.as_u64(), percent) {
        (Some(number), _) => usize::try_from(number).unwrap_or(usize::MAX),
        (None, Some(percent)) => of * percent / 100,
        (None, None) => of,
    }
}

// === impl Limits ===

impl Limits {
    fn of(check: &Value) -> Self {
        let conditions = &check["spec"]["unhealthyConditions"];
        Self {
            not_ready: duration(&conditions[0]["timeout"]).unwrap_or(Duration::from_mins(8)),
            no_node: duration(&check["spec"]["nodeStartupTimeout"]).unwrap_or(Duration::from_mins(10)),
        }
    }
}

fn duration(value: &Value) -> Option<Duration> {
    let parsed: jiff::SignedDuration = value.as_str()?.parse().ok()?;
    Duration::try_from(parsed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Speed;

    fn machine(node: bool, healthy: &str, since: &str) -> Value {
        json!({
            "metadata": { "creationTimestamp": "2026-01-01T00:00:00Z" },
            "status": {
                "nodeRef": if node { json!({ "name": "n" }) } else { Value::Null },
                "conditions": [{ "type": "NodeHealthy", "status": healthy, "lastTransitionTime": since }],
            },
        })
    }

    #[test]
    fn a_machine_is_unhealthy_once_its_time_is_over() {
        let now: Timestamp = "2026-01-01T00:10:00Z".parse().unwrap();
        let time = Time::new(Speed::Times(1.0), move || now);
        let limits = Limits {
            not_ready: Duration::from_mins(8),
            no_node: Duration::from_mins(20),
        };
        let check = |machine: Value| health(&machine, limits, &time);
        assert_eq!(check(machine(true, "True", "2026-01-01T00:00:00Z")), Health::Healthy);
        assert_eq!(check(machine(true, "False", "2026-01-01T00:00:00Z")), Health::Unhealthy);
        assert!(
            matches!(check(machine(true, "False", "2026-01-01T00:05:00Z")), Health::Suspect(left)
            if left.as_secs() == 180)
        );
        assert!(matches!(
            check(machine(false, "False", "2026-01-01T00:05:00Z")),
            Health::Suspect(_)
        ));
    }

    #[test]
    fn amounts_are_numbers_or_shares() {
        assert_eq!(max_unhealthy(&json!(2), 10), 2);
        assert_eq!(max_unhealthy(&json!("40%"), 5), 2);
        assert_eq!(max_unhealthy(&Value::Null, 5), 5);
    }
}
