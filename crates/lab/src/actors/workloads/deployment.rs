//! Deployments: one ReplicaSet for each pod template, rolled over within `maxSurge` and `maxUnavailable`.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{MANAGER, NAME, controller_reference, hash, is_deleting, owned, selector, wanted_replicas};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::events;
use crate::client::{self, name_of};
use crate::conditions;
use crate::kind::{DEPLOYMENT, REPLICA_SET};

const REVISION: &str = "deployment.kubernetes.io/revision";

/// The deployment controller.
pub(crate) struct Deployments;

/// The ReplicaSets of a Deployment, apart.
struct Sets {
    new: Value,
    old: Vec<Value>,
}

impl Actor for Deployments {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::own(DEPLOYMENT), Watch::owned(REPLICA_SET, DEPLOYMENT)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let client = &context.client;
    let Some(deployment) = client.get(DEPLOYMENT, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&deployment) {
        return Ok(Next::OnEvent);
    }
    let all = client
        .list(REPLICA_SET, key.namespace(), &selector(&deployment))
        .await?;
    let Some(sets) = find_or_create(context, &deployment, owned(&all, &deployment).cloned().collect()).await? else {
        return Ok(Next::OnEvent);
    };
    for (name, replicas) in rollout(&deployment, &sets) {
        client
            .merge(
                REPLICA_SET,
                key.namespace(),
                &name,
                &json!({ "spec": { "replicas": replicas } }),
            )
            .await?;
    }
    let revision = &sets.new["metadata"]["annotations"][REVISION];
    if deployment["metadata"]["annotations"][REVISION] != *revision {
        let patch = json!({ "metadata": { "annotations": { REVISION: revision } } });
        client.merge(DEPLOYMENT, key.namespace(), &key.name, &patch).await?;
    }
    let status = status(&deployment, &sets, &context.time.stamp());
    if status != deployment["status"] {
        client.status(DEPLOYMENT, key.namespace(), &key.name, &status).await?;
    }
    Ok(Next::OnEvent)
}

/// The ReplicaSets, the one for the present template among them; `None` just after that one was made (its event comes).
async fn find_or_create(context: &Context, deployment: &Value, sets: Vec<Value>) -> client::Result<Option<Sets>> {
    let template = &deployment["spec"]["template"];
    let hash = hash::of(template);
    let is_new = |set: &Value| set["metadata"]["labels"]["pod-template-hash"] == hash.as_str();
    let latest = sets.iter().map(revision_of).max().unwrap_or(0);
    let (mut new, old): (Vec<_>, Vec<_>) = sets.into_iter().partition(is_new);
    if let Some(new) = new.pop() {
        if revision_of(&new) < latest {
            // Rolled back: the old template's set is the newest revision now.
            let patch = json!({ "metadata": { "annotations": { REVISION: (latest + 1).to_string() } } });
            context
                .client
                .merge(REPLICA_SET, key_namespace(deployment), name_of(&new), &patch)
                .await?;
            return Ok(None);
        }
        return Ok(Some(Sets { new, old }));
    }
    let name = format!("{}-{hash}", name_of(deployment));
    let mut spec_template = template.clone();
    spec_template["metadata"]["labels"]["pod-template-hash"] = hash.as_str().into();
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"]["pod-template-hash"] = hash.as_str().into();
    let set = json!({
        "metadata": {
            "name": name,
            "namespace": key_namespace(deployment),
            "labels": spec_template["metadata"]["labels"],
            "annotations": {
                REVISION: (latest + 1).to_string(),
                "deployment.kubernetes.io/desired-replicas": wanted_replicas(deployment).to_string(),
                "deployment.kubernetes.io/max-replicas": (wanted_replicas(deployment) + Bounds::of(deployment).surge).to_string(),
            },
            "ownerReferences": controller_reference(deployment, "apps/v1", "Deployment"),
        },
        "spec": {
            "replicas": if old.is_empty() { wanted_replicas(deployment) } else { 0 },
            "minReadySeconds": deployment["spec"]["minReadySeconds"],
            "selector": selector,
            "template": spec_template,
        },
    });
    context.client.create(REPLICA_SET, &set).await?;
    let message = format!("Scaled up replica set {name} to {}", set["spec"]["replicas"]);
    events::record_as(
        context,
        "deployment-controller",
        DEPLOYMENT,
        deployment,
        "Normal",
        "ScalingReplicaSet",
        &message,
    )
    .await?;
    Ok(None)
}

fn key_namespace(object: &Value) -> Option<&str> {
    client::namespace_of(object)
}

fn revision_of(set: &Value) -> u64 {
    set["metadata"]["annotations"][REVISION]
        .as_str()
        .and_then(|revision| revision.parse().ok())
        .unwrap_or(0)
}

/// By how much a rollout may go above and below the wanted replicas.
struct Bounds {
    surge: i64,
    unavailable: i64,
}

impl Bounds {
    fn of(deployment: &Value) -> Self {
        let strategy = &deployment["spec"]["strategy"];
        let wanted = wanted_replicas(deployment);
        if strategy["type"] == "Recreate" {
            return Self {
                surge: 0,
                unavailable: wanted,
            };
        }
        let surge = int_or_percent(&strategy["rollingUpdate"]["maxSurge"], wanted, true);
        let unavailable = int_or_percent(&strategy["rollingUpdate"]["maxUnavailable"], wanted, false);
        // Both zero would never move; upstream resolves that in favour of unavailability too.
        Self {
            surge,
            unavailable: if surge == 0 { unavailable.max(1) } else { unavailable },
        }
    }
}

/// An integer, or a percentage of `of`; 25% where there is neither.
fn int_or_percent(value: &Value, of: i64, up: bool) -> i64 {
    let percent = match value {
        Value::Number(number) => return number.as_i64().unwrap_or(0),
        Value::String(text) => text
            .strip_suffix('%')
            .and_then(|percent| percent.parse::<i64>().ok())
            .unwrap_or(25),
        _ => 25,
    };
    if up {
        (of * percent + 99).div_euclid(100)
    } else {
        (of * percent).div_euclid(100)
    }
}

fn count(set: &Value, field: &str) -> i64 {
    set["status"][field].as_i64().unwrap_or(0)
}

fn sum(sets: &[Value], value: impl Fn(&Value) -> i64) -> i64 {
    sets.iter().map(value).sum()
}

/// The next step of a rollout: which ReplicaSets get which number of replicas. Empty when nothing is to change.
fn rollout(deployment: &Value, sets: &Sets) -> Vec<(String, i64)> {
    let wanted = wanted_replicas(deployment);
    let bounds = Bounds::of(deployment);
    let (new_spec, old_spec) = (wanted_replicas(&sets.new), sum(&sets.old, wanted_replicas));
    let mut changes = Vec::new();
    let recreate = deployment["spec"]["strategy"]["type"] == "Recreate";
    let room = if recreate {
        if sum(&sets.old, |set| count(set, "replicas")) > 0 {
            new_spec
        } else {
            wanted
        }
    } else {
        (wanted + bounds.surge - old_spec).clamp(new_spec.min(wanted), wanted)
    };
    if room != new_spec {
        changes.push((name_of(&sets.new).to_owned(), room));
    }
    let ready_enough = wanted - bounds.unavailable;
    // Replicas of the new set that are not available yet are counted as missing, so that old ones stay for them.
    let new_missing = room - count(&sets.new, "availableReplicas").min(room);
    let mut surplus = old_spec + room - ready_enough - new_missing;
    if recreate || wanted == 0 {
        surplus = old_spec;
    }
    for set in &sets.old {
        let spec = wanted_replicas(set);
        let take = spec.min(surplus.max(0));
        if take > 0 {
            surplus -= take;
            changes.push((name_of(set).to_owned(), spec - take));
        }
    }
    changes
}

/// The status as it is now. Counters that are zero are left out, as upstream's encoding does.
fn status(deployment: &Value, sets: &Sets, now: &str) -> Value {
    let wanted = wanted_replicas(deployment);
    let total = |field: &str| count(&sets.new, field) + sum(&sets.old, |set| count(set, field));
    let (replicas, ready, available) = (total("replicas"), total("readyReplicas"), total("availableReplicas"));
    let updated = count(&sets.new, "replicas");
    let mut list = deployment["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if available >= wanted - Bounds::of(deployment).unavailable {
        set_condition(
            &mut list,
            now,
            "Available",
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
        );
    } else {
        let message = "Deployment does not have minimum availability.";
        set_condition(
            &mut list,
            now,
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            message,
        );
    }
    let name = name_of(&sets.new);
    if updated == wanted && replicas == wanted && available == wanted {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        set_condition(
            &mut list,
            now,
            "Progressing",
            "True",
            "NewReplicaSetAvailable",
            &message,
        );
    } else if conditions::find(deployment, "Progressing").is_none_or(|c| c["reason"] != "NewReplicaSetAvailable")
        || updated != wanted
    {
        let message = format!("ReplicaSet \"{name}\" is progressing.");
        set_condition(&mut list, now, "Progressing", "True", "ReplicaSetUpdated", &message);
    }
    // A merge patch: what is null is removed.
    let some = |count: i64| if count == 0 { Value::Null } else { count.into() };
    let mut status = deployment["status"].clone();
    let fields = [
        ("observedGeneration", deployment["metadata"]["generation"].clone()),
        ("replicas", some(replicas)),
        ("updatedReplicas", some(updated)),
        ("readyReplicas", some(ready)),
        ("availableReplicas", some(available)),
        ("unavailableReplicas", some((wanted.max(replicas) - available).max(0))),
        ("conditions", list.into()),
    ];
    for (field, value) in fields {
        if !(value.is_null() && status[field].is_null()) {
            status[field] = value;
        }
    }
    status
}

/// Deployment conditions carry `lastUpdateTime` besides.
fn set_condition(list: &mut Vec<Value>, now: &str, kind: &str, status: &str, reason: &str, message: &str) {
    if conditions::set(list, now, kind, status, reason, message)
        && let Some(condition) = list.iter_mut().find(|condition| condition["type"] == kind)
    {
        condition["lastUpdateTime"] = now.into();
    }
}

#[cfg(test)]
mod tests;
