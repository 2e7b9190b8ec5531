//! The admission webhooks of HyperShift's operator, played inside the lab's API server: what they fill in, and what they
//! refuse.
//!
//! They are there if their configurations are, and answer while the operator has a pod to answer with; if it has none, the
//! failure policy of the configuration decides, as it would for real ones.
//!
//! What is immutable is in the schemas (`schemas/hypershift`), and what only the operator finds wrong in its conditions.

mod configurations;
mod defaults;
mod json_patch;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use berth_apiserver::{AdmissionHook, AdmissionRequest, Objects, Operation, Random, Refusal};
use serde_json::Value;

use crate::generation::Generation;
use crate::kind::{
    DEPLOYMENT, HOSTED_CLUSTER, Kind, MUTATING_WEBHOOK_CONFIGURATION, NODE_POOL, SERVICE,
    VALIDATING_WEBHOOK_CONFIGURATION,
};

pub(crate) use configurations::{CONFIGURATION, configurations};

/// Where the operator runs, and how its Deployment and its Service are called.
const NAMESPACE: &str = "hypershift";
const OPERATOR: &str = "operator";

/// The webhooks of a generation.
pub(crate) fn all(generation: Generation, random: &Random) -> Vec<Arc<dyn AdmissionHook>> {
    let webhook = |kind: Kind| -> Arc<dyn AdmissionHook> {
        Arc::new(Webhook {
            kind,
            name: format!("{}.{}", kind.plural, kind.group),
            generation,
            random: random.clone(),
        })
    };
    vec![webhook(HOSTED_CLUSTER), webhook(NODE_POOL)]
}

/// The webhooks for one kind: one that fills in, one that refuses, under one name.
struct Webhook {
    kind: Kind,
    name: String,
    generation: Generation,
    random: Random,
}

impl AdmissionHook for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    fn concerns(&self, group: &str, resource: &str, subresource: &str) -> bool {
        subresource.is_empty() && resource == self.kind.plural && group == self.kind.group
    }

    fn mutate(&self, request: &AdmissionRequest<'_>) -> Result<Option<Value>, Refusal> {
        if !self.is_called(request, MUTATING_WEBHOOK_CONFIGURATION, "mutate")? {
            return Ok(None);
        }
        let filled_in = match self.kind {
            HOSTED_CLUSTER => defaults::of_hosted_cluster(request.object, self.generation, &self.random),
            _ => defaults::of_node_pool(request)?,
        };
        Ok(Some(filled_in))
    }

    fn validate(&self, request: &AdmissionRequest<'_>) -> Result<(), Refusal> {
        if request.object["spec"]["platform"]["type"] != "KubeVirt"
            || !self.is_called(request, VALIDATING_WEBHOOK_CONFIGURATION, "validate")?
        {
            return Ok(());
        }
        json_patch::check(request.object).map_err(Refusal::denied)
    }
}

impl Webhook {
    /// Whether a configuration of a kind wants this write to be heard of, and somebody answers.
    fn is_called(&self, request: &AdmissionRequest<'_>, configurations: Kind, verb: &str) -> Result<bool, Refusal> {
        let objects = &request.objects;
        let configuration = get(objects, configurations, None, CONFIGURATION);
        let webhooks = configuration.as_ref().and_then(|object| object["webhooks"].as_array());
        let Some(webhook) = webhooks.and_then(|all| all.iter().find(|one| one["name"] == self.name.as_str())) else {
            return Ok(false);
        };
        if !asks_for(webhook, request.operation) {
            return Ok(false);
        }
        let Some(problem) = unreachable(objects) else {
            return Ok(true);
        };
        if webhook["failurePolicy"] == "Ignore" {
            return Ok(false);
        }
        let kind = self.kind.kind.to_lowercase();
        let version = self.kind.version;
        Err(Refusal::Unreachable(format!(
            "failed to call webhook: Post \
             \"https://{OPERATOR}.{NAMESPACE}.svc:443/{verb}-hypershift-openshift-io-{version}-{kind}?timeout=15s\": {problem}"
        )))
    }
}

fn asks_for(webhook: &Value, operation: Operation) -> bool {
    let operation = match operation {
        Operation::Create => "CREATE",
        Operation::Update => "UPDATE",
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(&webhook["rules"])
        .iter()
        .flat_map(|rule| list(&rule["operations"]))
        .any(|asked| asked == operation || asked == "*")
}

/// Why nobody would answer.
fn unreachable(objects: &Objects<'_>) -> Option<String> {
    if get(objects, SERVICE, Some(NAMESPACE), OPERATOR).is_none() {
        return Some(format!("service \"{OPERATOR}\" not found"));
    }
    let operator = get(objects, DEPLOYMENT, Some(NAMESPACE), OPERATOR).unwrap_or_default();
    let answers = operator["status"]["availableReplicas"].as_u64().unwrap_or(0) > 0;
    (!answers).then(|| format!("no endpoints available for service \"{OPERATOR}\""))
}

fn get(objects: &Objects<'_>, kind: Kind, namespace: Option<&str>, name: &str) -> Option<Value> {
    objects.get(kind.group, kind.plural, namespace, name)
}
