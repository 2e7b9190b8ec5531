//! StatefulSets: pods with numbers and claims of their own, made one after the other unless the set says otherwise.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::replica_set::availability;
use super::{MANAGER, NAME, has_ended, hash, is_deleting, owned, pod_from, selector, wanted_replicas};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{self, name_of};
use crate::conditions;
use crate::kind::{CONTROLLER_REVISION, PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET};

const REVISION: &str = "controller-revision-hash";

/// The StatefulSet controller.
pub(crate) struct StatefulSets;

impl Actor for StatefulSets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::own(STATEFUL_SET), Watch::owned(POD, STATEFUL_SET)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let client = &context.client;
    let Some(set) = client.get(STATEFUL_SET, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&set) {
        return Ok(Next::OnEvent);
    }
    let revision = ensure_revision(context, &set).await?;
    let listed = client.list(POD, key.namespace(), &selector(&set)).await?;
    let mut pods: Vec<&Value> = owned(&listed, &set).collect();
    pods.sort_by_key(|pod| ordinal(pod));
    let wanted = wanted_replicas(&set);
    step(context, &set, &pods, wanted, &revision).await?;

    let live: Vec<&Value> = pods
        .into_iter()
        .filter(|pod| !is_deleting(pod) && ordinal(pod) < wanted)
        .collect();
    let (available, next) = availability(&set, &live, &context.time);
    let status = status(&set, &live, available, &revision);
    if status != set["status"] {
        client.status(STATEFUL_SET, key.namespace(), &key.name, &status).await?;
    }
    Ok(next.map_or(Next::OnEvent, Next::After))
}

/// Makes or deletes what may be made or deleted now.
async fn step(context: &Context, set: &Value, pods: &[&Value], wanted: i64, revision: &str) -> client::Result<()> {
    let namespace = client::namespace_of(set);
    let parallel = set["spec"]["podManagementPolicy"] == "Parallel";
    for number in 0..wanted {
        match pods.iter().find(|pod| ordinal(pod) == number) {
            None => {
                create(context, set, number, revision).await?;
                if !parallel {
                    return Ok(());
                }
            }
            Some(pod) if has_ended(pod) && !is_deleting(pod) => {
                context.client.delete(POD, namespace, name_of(pod)).await?;
            }
            Some(pod) if !parallel && !conditions::is_true(pod, "Ready") => return Ok(()),
            Some(_) => {}
        }
    }
    // From the highest number down: those above what is wanted, then one that is not of the present revision.
    let on_delete = set["spec"]["updateStrategy"]["type"] == "OnDelete";
    let partition = set["spec"]["updateStrategy"]["rollingUpdate"]["partition"]
        .as_i64()
        .unwrap_or(0);
    for pod in pods.iter().rev() {
        let surplus = ordinal(pod) >= wanted;
        let outdated = pod["metadata"]["labels"][REVISION] != revision && ordinal(pod) >= partition && !on_delete;
        if is_deleting(pod) {
            return Ok(());
        }
        if surplus || outdated {
            context.client.delete(POD, namespace, name_of(pod)).await?;
            if !(surplus && parallel) {
                return Ok(());
            }
        } else if !conditions::is_true(pod, "Ready") {
            return Ok(());
        }
    }
    Ok(())
}

async fn create(context: &Context, set: &Value, number: i64, revision: &str) -> client::Result<()> {
    let name = format!("{}-{number}", name_of(set));
    let labels = [
        ("statefulset.kubernetes.io/pod-name", name.as_str()),
        ("apps.kubernetes.io/pod-index", &number.to_string()),
        (REVISION, revision),
    ];
    let mut pod = pod_from(&set["spec"]["template"], set, "StatefulSet", &name, &labels);
    pod["spec"]["hostname"] = name.as_str().into();
    pod["spec"]["subdomain"] = set["spec"]["serviceName"].clone();
    let templates = set["spec"]["volumeClaimTemplates"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut volumes = pod["spec"]["volumes"].as_array().cloned().unwrap_or_default();
    for template in templates {
        let claim_name = format!("{}-{name}", name_of(template));
        let mut metadata = template["metadata"].clone();
        metadata["name"] = claim_name.as_str().into();
        metadata["namespace"] = set["metadata"]["namespace"].clone();
        if let Some(labels) = set["spec"]["selector"]["matchLabels"].as_object() {
            for (key, value) in labels {
                metadata["labels"][key] = value.clone();
            }
        }
        let claim = json!({ "metadata": metadata, "spec": template["spec"] });
        context.client.create(PERSISTENT_VOLUME_CLAIM, &claim).await?;
        volumes.push(json!({ "name": name_of(template), "persistentVolumeClaim": { "claimName": claim_name } }));
    }
    if !volumes.is_empty() {
        pod["spec"]["volumes"] = volumes.into();
    }
    context.client.create(POD, &pod).await?;
    Ok(())
}

/// The name of the present revision, with its ControllerRevision object.
async fn ensure_revision(context: &Context, set: &Value) -> client::Result<String> {
    let name = format!("{}-{}", name_of(set), hash::of(&set["spec"]["template"]));
    if set["status"]["updateRevision"] != name.as_str() {
        let revision = json!({
            "metadata": {
                "name": name,
                "namespace": set["metadata"]["namespace"],
                "labels": set["spec"]["selector"]["matchLabels"],
                "ownerReferences": super::controller_reference(set, "apps/v1", "StatefulSet"),
            },
            "data": { "spec": { "template": set["spec"]["template"] } },
            "revision": set["metadata"]["generation"].as_i64().unwrap_or(1),
        });
        context.client.create(CONTROLLER_REVISION, &revision).await?;
    }
    Ok(name)
}

fn ordinal(pod: &Value) -> i64 {
    name_of(pod)
        .rsplit_once('-')
        .and_then(|(_, number)| number.parse().ok())
        .unwrap_or(i64::MAX)
}

fn status(set: &Value, pods: &[&Value], available: usize, revision: &str) -> Value {
    let ready = pods.iter().filter(|pod| conditions::is_true(pod, "Ready")).count();
    let updated = pods
        .iter()
        .filter(|pod| pod["metadata"]["labels"][REVISION] == revision)
        .count();
    let done =
        updated == pods.len() && i64::try_from(updated).unwrap_or(i64::MAX) == wanted_replicas(set) && ready == updated;
    let current = match set["status"]["currentRevision"].as_str() {
        Some(current) if !done => current,
        _ => revision,
    };
    let on_current = pods
        .iter()
        .filter(|pod| pod["metadata"]["labels"][REVISION] == current)
        .count();
    let mut status = set["status"].clone();
    let fields = [
        ("observedGeneration", set["metadata"]["generation"].clone()),
        ("replicas", pods.len().into()),
        ("readyReplicas", ready.into()),
        ("availableReplicas", available.into()),
        ("currentReplicas", on_current.into()),
        ("updatedReplicas", updated.into()),
        ("currentRevision", current.into()),
        ("updateRevision", revision.into()),
        ("collisionCount", 0.into()),
    ];
    for (field, value) in fields {
        status[field] = value;
    }
    status
}
