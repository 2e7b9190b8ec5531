//! Disruption budgets: how many of the pods that one selects may be taken down now. Evictions ask its status.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{Client, Result, namespace_of};
use crate::conditions;
use crate::kind::{DEPLOYMENT, Kind, POD, POD_DISRUPTION_BUDGET, REPLICA_SET, STATEFUL_SET};
use crate::objects::{Conditions, is_deleting, write_status};

/// The disruption controller.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    /// Budgets by namespace: a pod wakes those of its own.
    known: Arc<Mutex<BTreeMap<String, BTreeSet<Key>>>>,
}

impl Actor for Budgets {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn manager(&self) -> &'static str {
        "kube-controller-manager"
    }

    fn watches(&self) -> Vec<Watch> {
        let (noted, known) = (Arc::clone(&self.known), Arc::clone(&self.known));
        let own = move |budget: &Value| {
            let key = Key::of(budget);
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted
                .entry(key.namespace().unwrap_or_default().to_owned())
                .or_default()
                .insert(key.clone());
            vec![key]
        };
        let of_namespace = move |pod: &Value| {
            let known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let keys = known.get(namespace_of(pod).unwrap_or_default());
            keys.map(|keys| keys.iter().cloned().collect()).unwrap_or_default()
        };
        vec![
            Watch::mapped(POD_DISRUPTION_BUDGET, own),
            Watch::mapped(POD, of_namespace),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        self.reconcile(context, key).boxed()
    }
}

impl Budgets {
    async fn reconcile(&self, context: &Context, key: &Key) -> Result<Next> {
        let client = &context.client;
        let Some(budget) = client.get(POD_DISRUPTION_BUDGET, key.namespace(), &key.name).await? else {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known
                .entry(key.namespace().unwrap_or_default().to_owned())
                .or_default()
                .remove(key);
            return Ok(Next::OnEvent);
        };
        let pods = client.list(POD, key.namespace(), "").await?;
        let pods: Vec<Value> = pods
            .into_iter()
            .filter(|pod| selects(&budget["spec"]["selector"], &pod["metadata"]["labels"]))
            .collect();
        let expected = expected(client, &budget, &pods).await?;
        let status = status(context, &budget, &pods, expected);
        write_status(client, POD_DISRUPTION_BUDGET, &budget, &status).await?;
        Ok(Next::OnEvent)
    }
}

/// How many pods there should be, where a budget counts from above: what their owners want.
async fn expected(client: &Client, budget: &Value, pods: &[Value]) -> Result<i64> {
    if budget["spec"]["minAvailable"].is_i64() {
        return Ok(number(pods.len()));
    }
    let mut owners: BTreeMap<(Kind, String), i64> = BTreeMap::new();
    let (mut alone, mut wanted) = (0, 0);
    for pod in pods {
        let owner = &pod["metadata"]["ownerReferences"][0];
        let kind = match owner["kind"].as_str() {
            Some("ReplicaSet") => REPLICA_SET,
            Some("StatefulSet") => STATEFUL_SET,
            Some("Deployment") => DEPLOYMENT,
            _ => {
                alone += 1;
                continue;
            }
        };
        let name = owner["name"].as_str().unwrap_or_default().to_owned();
        if owners.contains_key(&(kind, name.clone())) {
            continue;
        }
        let object = client.get(kind, namespace_of(pod), &name).await?.unwrap_or_default();
        let replicas = object["spec"]["replicas"].as_i64().unwrap_or(1);
        wanted += replicas;
        owners.insert((kind, name), replicas);
    }
    Ok(wanted + alone)
}

fn status(context: &Context, budget: &Value, pods: &[Value], expected: i64) -> Value {
    let spec = &budget["spec"];
    let disrupted = |pod: &&Value| {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        is_deleting(pod) || budget["status"]["disruptedPods"][name].is_string()
    };
    let healthy = pods
        .iter()
        .filter(|pod| !disrupted(pod) && conditions::is_true(pod, "Ready"))
        .count();
    let (current, total) = (number(healthy), expected);
    let desired = if spec["maxUnavailable"].is_null() {
        share(&spec["minAvailable"], total)
    } else {
        (total - share(&spec["maxUnavailable"], total)).max(0)
    };
    let allowed = if total == 0 { 0 } else { (current - desired).max(0) };
    let mut conditions = Conditions::of(budget, context.time.stamp());
    let reason = if allowed > 0 {
        "SufficientPods"
    } else {
        "InsufficientPods"
    };
    conditions.set("DisruptionAllowed", allowed > 0, reason, "");
    // A pod that is gone disrupts no more.
    let gone: serde_json::Map<String, Value> = (budget["status"]["disruptedPods"].as_object().into_iter().flatten())
        .filter(|(name, _)| !pods.iter().any(|pod| pod["metadata"]["name"] == name.as_str()))
        .map(|(name, _)| (name.clone(), Value::Null))
        .collect();
    let mut status = json!({
        "observedGeneration": budget["metadata"]["generation"],
        "currentHealthy": current,
        "desiredHealthy": desired,
        "disruptionsAllowed": allowed,
        "expectedPods": total,
        "conditions": conditions.observed(&budget["metadata"]["generation"]),
    });
    if !gone.is_empty() {
        status["disruptedPods"] = gone.into();
    }
    status
}

/// A number, or a share of a total, rounded up.
fn share(value: &Value, total: i64) -> i64 {
    match value {
        Value::String(text) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            (total * percent + 99) / 100
        }
        other => other.as_i64().unwrap_or(0),
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Whether a selector, which must ask for something, fits labels.
fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector["matchLabels"].as_object();
    let expressions = selector["matchExpressions"].as_array();
    if wanted.is_none_or(serde_json::Map::is_empty) && expressions.is_none_or(Vec::is_empty) {
        return false;
    }
    let fits = |expression: &Value| {
        let label = &labels[expression["key"].as_str().unwrap_or_default()];
        let listed = expression["values"]
            .as_array()
            .is_some_and(|values| values.contains(label));
        match expression["operator"].as_str() {
            Some("In") => listed,
            Some("NotIn") => !listed,
            Some("Exists") => label.is_string(),
            Some("DoesNotExist") => label.is_null(),
            _ => false,
        }
    };
    wanted.into_iter().flatten().all(|(key, value)| labels[key] == *value)
        && expressions.into_iter().flatten().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_count_in_numbers_and_shares_and_select_nothing_by_nothing() {
        assert_eq!(
            [share(&json!(2), 3), share(&json!("50%"), 3), share(&json!("100%"), 3)],
            [2, 2, 3]
        );
        let labels = json!({ "app": "web" });
        assert!(selects(&json!({ "matchLabels": { "app": "web" } }), &labels));
        assert!(selects(
            &json!({ "matchExpressions": [{ "key": "app", "operator": "In", "values": ["web"] }] }),
            &labels
        ));
        assert!(!selects(
            &json!({ "matchExpressions": [{ "key": "app", "operator": "DoesNotExist" }] }),
            &labels
        ));
        assert!(!selects(&json!({}), &labels));
    }
}
