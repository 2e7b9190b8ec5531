//! OperatorGroups: which namespaces they select, and the complaint of those that are not alone.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{NAME, OLM_OPERATOR};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{self, name_of, namespace_of};
use crate::conditions;
use crate::kind::OPERATOR_GROUP;
use crate::manifest::status_patch;

/// OLM's own operator, as far as OperatorGroups go. The key is a namespace: groups disturb each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OperatorGroups;

impl Actor for OperatorGroups {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        OLM_OPERATOR
    }

    fn watches(&self) -> Vec<Watch> {
        let namespace = |group: &Value| {
            namespace_of(group)
                .map(|name| Key::named(None, name))
                .into_iter()
                .collect()
        };
        vec![Watch::mapped(OPERATOR_GROUP, namespace)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, &key.name).boxed()
    }
}

async fn reconcile(context: &Context, namespace: &str) -> client::Result<Next> {
    let groups = context.client.list(OPERATOR_GROUP, Some(namespace), "").await?;
    for group in &groups {
        let status = status(group, groups.len() > 1, &context.time.stamp());
        if let Some(patch) = status_patch(&group["status"], &status) {
            context
                .client
                .status(OPERATOR_GROUP, Some(namespace), name_of(group), &patch)
                .await?;
        }
    }
    Ok(Next::OnEvent)
}

fn status(group: &Value, crowded: bool, now: &str) -> Value {
    let before = &group["status"];
    let mut conditions = before["conditions"].as_array().cloned().unwrap_or_default();
    if crowded {
        let message = "Multiple OperatorGroup found in the same namespace";
        conditions::set(
            &mut conditions,
            now,
            "MultipleOperatorGroup",
            "True",
            "MultipleOperatorGroupsFound",
            message,
        );
    } else {
        conditions.retain(|condition| condition["type"] != "MultipleOperatorGroup");
    }
    let targets = group["spec"]["targetNamespaces"]
        .as_array()
        .filter(|targets| !targets.is_empty());
    // The empty name stands for all namespaces.
    let namespaces = targets.map_or_else(|| json!([""]), |targets| json!(targets));
    let mut status = if before.is_object() { before.clone() } else { json!({}) };
    status["namespaces"] = namespaces;
    if !conditions.is_empty() || status.get("conditions").is_some() {
        status["conditions"] = conditions.into();
    }
    if &status != before {
        status["lastUpdated"] = now.into();
    }
    status
}
