//! The MachineHealthCheck of a pool whose machines are to be repaired. It comes only after a machine reached the ignition
//! server: before that nothing is known to work, and replacing machines would mend nothing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::actor::Key;
use crate::client::Result;
use crate::conditions;
use crate::kind::MACHINE_HEALTH_CHECK;
use crate::objects::{Conditions, annotation, is_deleting, merge};

use super::super::names::{NODE_POOL_ANNOTATION, qualified};
use super::Scope;
use super::owner_of_machines::selector_label;

/// How long a node may not be Ready.
const NOT_READY: Duration = Duration::from_mins(8);
/// How long a machine may take to become a node.
const STARTUP: Duration = Duration::from_mins(20);
const OVERRIDES: [&str; 3] = [
    "hypershift.openshift.io/machine-health-check-timeout",
    "hypershift.openshift.io/machine-health-check-node-startup-timeout",
    "hypershift.openshift.io/machine-health-check-max-unhealthy",
];

/// Makes the check, or takes it away, and tells of it.
pub(super) async fn ensure(scope: &Scope<'_>, key: &Key, conditions: &mut Conditions) -> Result<()> {
    let client = &scope.context.client;
    let namespace = Some(scope.namespace.as_str());
    let wanted = scope.pool["spec"]["management"]["autoRepair"] == true;
    let reached = conditions.is_true("ReachedIgnitionEndpoint");
    conditions.set("AutorepairEnabled", wanted && reached, "AsExpected", "");
    let found = client.get(MACHINE_HEALTH_CHECK, namespace, &key.name).await?;
    match found {
        Some(found) if !wanted && is_deleting(&found) => {}
        Some(_) if !wanted => {
            client.delete(MACHINE_HEALTH_CHECK, namespace, &key.name).await?;
        }
        Some(found) => {
            let check = health_check(scope, key);
            merge(client, MACHINE_HEALTH_CHECK, &found, &json!({ "spec": check["spec"] })).await?;
            // Machines that may not be replaced are more than a pool that waits for them.
            if let Some(told) = conditions::find(&found, "RemediationAllowed").filter(|told| told["status"] == "False")
            {
                let text = |field: &str| told[field].as_str().unwrap_or_default();
                conditions.set("Ready", false, text("reason"), text("message"));
            }
        }
        None if wanted && reached => {
            client.create(MACHINE_HEALTH_CHECK, &health_check(scope, key)).await?;
        }
        None => {}
    }
    Ok(())
}

fn health_check(scope: &Scope<'_>, key: &Key) -> Value {
    let infra_id = &scope.hosted_cluster["spec"]["infraID"];
    let label = selector_label(scope, key);
    let given = OVERRIDES.map(|name| annotation(scope.pool, name).or_else(|| annotation(scope.hosted_cluster, name)));
    let not_ready = duration(given[0]).unwrap_or(NOT_READY);
    let startup = duration(given[1]).unwrap_or(STARTUP);
    let most = given[2].map_or(json!(2), |text| {
        text.parse::<u32>().map_or_else(|_| text.into(), Value::from)
    });
    let unhealthy =
        ["False", "Unknown"].map(|status| json!({ "type": "Ready", "status": status, "timeout": go(not_ready) }));
    json!({
        "metadata": {
            "name": key.name,
            "namespace": scope.namespace,
            "annotations": { NODE_POOL_ANNOTATION: qualified(key) },
        },
        "spec": {
            "clusterName": infra_id,
            "selector": { "matchLabels": { &label: label } },
            "unhealthyConditions": unhealthy,
            "maxUnhealthy": most,
            "nodeStartupTimeout": go(startup),
        },
    })
}

/// What can't be read counts as not given.
fn duration(text: Option<&str>) -> Option<Duration> {
    let parsed: jiff::SignedDuration = text?.parse().ok()?;
    Duration::try_from(parsed).ok()
}

/// A duration as Go writes it.
fn go(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_does_and_read_back() {
        for (text, expected) in [("8m", "8m0s"), ("90s", "1m30s"), ("1h", "1h0m0s"), ("45s", "45s")] {
            assert_eq!(go(duration(Some(text)).unwrap()), expected);
        }
        assert_eq!(duration(Some("soon")), None);
    }
}
