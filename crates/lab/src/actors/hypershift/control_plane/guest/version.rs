//! The guest's ClusterVersion: what it works towards, how far it is, and the history.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{Client, Result};
use crate::kind::CLUSTER_VERSION;
use crate::objects::{Conditions, merge, write_status};

use super::operators::State;
use super::updates::Updates;

/// Makes ClusterVersion `version` tell what the ClusterOperators tell; its status.
pub(super) async fn reconcile(
    context: &Context,
    inside: &Client,
    control_plane: &Value,
    target: &str,
    operators: &[State],
) -> Result<Value> {
    if inside.get(CLUSTER_VERSION, None, "version").await?.is_none() {
        let spec = &control_plane["spec"];
        let mut wanted = json!({ "metadata": { "name": "version" }, "spec": { "clusterID": spec["clusterID"] } });
        if !spec["channel"].is_null() {
            wanted["spec"]["channel"] = spec["channel"].clone();
        }
        inside.create(CLUSTER_VERSION, &wanted).await?;
    }
    let found = inside.get(CLUSTER_VERSION, None, "version").await?.unwrap_or_default();
    let channel = json!({ "spec": { "channel": control_plane["spec"]["channel"] } });
    merge(inside, CLUSTER_VERSION, &found, &channel).await?;
    let status = compute(
        &found,
        &control_plane["spec"]["releaseImage"],
        target,
        operators,
        &context.time.stamp(),
    );
    write_status(inside, CLUSTER_VERSION, &found, &status).await?;
    Ok(status)
}

fn compute(found: &Value, image: &Value, target: &str, operators: &[State], now: &str) -> Value {
    let waiting: Vec<&str> = operators
        .iter()
        .filter(|state| !state.done)
        .map(|state| state.name)
        .collect();
    let history = history(found, image, target, waiting.is_empty(), now);
    let mut conditions = Conditions::of(found, now.to_owned());
    conditions.set(
        "ReleaseAccepted",
        true,
        "PayloadLoaded",
        &format!("Payload loaded version=\"{target}\""),
    );
    conditions.set("Failing", false, "", "");
    if waiting.is_empty() {
        conditions.set("Available", true, "", &format!("Done applying {target}"));
        conditions.set("Progressing", false, "", &format!("Cluster version is {target}"));
    } else {
        if !conditions.is_true("Available") {
            conditions.set("Available", false, "", "");
        }
        let done = operators.len() - waiting.len();
        let message = format!(
            "Working towards {target}: {done} of {} done ({}% complete), waiting on {}",
            operators.len(),
            100 * done / operators.len().max(1),
            waiting.join(", ")
        );
        conditions.set("Progressing", true, "ClusterOperatorsNotAvailable", &message);
    }
    upgradeable(&mut conditions, found, operators);
    let updates = Updates::from(
        found["spec"]["channel"].as_str(),
        image.as_str().unwrap_or_default(),
        target,
        now,
    );
    updates.tell(&mut conditions);
    json!({
        "desired": { "image": image, "version": target },
        "history": history,
        "observedGeneration": found["metadata"]["generation"].as_i64().unwrap_or(1),
        "versionHash": "lab",
        "availableUpdates": updates.available,
        "conditionalUpdates": updates.conditional,
        "conditions": conditions.into_value(),
    })
}

/// Whether another minor may come. The condition is there only where something is against it.
fn upgradeable(conditions: &mut Conditions, found: &Value, operators: &[State]) {
    let kind = "Upgradeable";
    let overridden = found["spec"]["overrides"]
        .as_array()
        .is_some_and(|list| !list.is_empty());
    let against = operators
        .iter()
        .find_map(|state| Some((state.name, state.holds_back.as_ref()?)));
    if overridden {
        let message = "Disabling ownership via cluster version overrides prevents upgrades. Please remove overrides before \
                       continuing.";
        conditions.set(kind, false, "ClusterVersionOverridesSet", message);
    } else if let Some((name, (reason, message))) = against {
        let message = format!("Cluster operator {name} should not be upgraded between minor versions: {message}");
        conditions.set(kind, false, reason, &message);
    } else {
        conditions.remove(kind);
    }
}

/// Newest first; a new image puts a Partial entry before the others, done makes the first Completed.
fn history(found: &Value, image: &Value, target: &str, done: bool, now: &str) -> Vec<Value> {
    let mut history = found["status"]["history"].as_array().cloned().unwrap_or_default();
    if history.first().is_none_or(|entry| entry["image"] != *image) {
        let entry = json!({
            "state": "Partial",
            "startedTime": now,
            "completionTime": null,
            "version": target,
            "image": image,
            "verified": false,
        });
        history.insert(0, entry);
    }
    if let Some(entry) = history
        .first_mut()
        .filter(|entry| done && entry["state"] != "Completed")
    {
        entry["state"] = "Completed".into();
        entry["completionTime"] = now.into();
    }
    history
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(done: [bool; 2]) -> Vec<State> {
        vec![
            State {
                name: "dns",
                done: done[0],
                holds_back: None,
            },
            State {
                name: "ingress",
                done: done[1],
                holds_back: None,
            },
        ]
    }

    #[test]
    fn history_goes_from_partial_to_completed_and_an_upgrade_comes_first() {
        let image = json!("quay.io/o/r:4.17.0-multi");
        let partial = compute(&json!({}), &image, "4.17.0", &states([true, false]), "t1");
        assert_eq!(partial["history"][0]["state"], "Partial");
        assert!(
            partial["conditions"]
                .to_string()
                .contains("1 of 2 done (50% complete), waiting on ingress")
        );
        let completed = compute(
            &json!({ "status": partial }),
            &image,
            "4.17.0",
            &states([true, true]),
            "t2",
        );
        assert_eq!(completed["history"][0]["completionTime"], "t2");
        assert_eq!(completed["history"][0]["startedTime"], "t1");
        let next = json!("quay.io/o/r:4.17.1-multi");
        let upgrade = compute(
            &json!({ "status": completed }),
            &next,
            "4.17.1",
            &states([false, false]),
            "t3",
        );
        assert_eq!(upgrade["history"][0]["state"], "Partial");
        assert_eq!(upgrade["history"][1]["state"], "Completed");
    }
}
