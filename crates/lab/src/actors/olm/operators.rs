//! Operators: one object for each package that is installed in a namespace, listing what belongs to it.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{NAME, OLM_OPERATOR, component_label};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{self, name_of, namespace_of};
use crate::kind::{
    CLUSTER_SERVICE_VERSION, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, INSTALL_PLAN, Kind, OPERATOR, SERVICE_ACCOUNT,
    SUBSCRIPTION,
};
use crate::manifest::{label, set_labels, status_patch};

/// What is listed.
const COMPONENTS: [Kind; 6] = [
    SUBSCRIPTION,
    INSTALL_PLAN,
    CLUSTER_SERVICE_VERSION,
    CUSTOM_RESOURCE_DEFINITION,
    SERVICE_ACCOUNT,
    DEPLOYMENT,
];

/// OLM's own operator, as far as Operators go. The key is an Operator's name: `<package>.<namespace>`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operators;

impl Actor for Operators {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        OLM_OPERATOR
    }

    fn watches(&self) -> Vec<Watch> {
        let labelled = |object: &Value| {
            let labels = object["metadata"]["labels"].as_object();
            let names = labels.into_iter().flat_map(|labels| labels.keys());
            names
                .filter_map(|key| key.strip_prefix("operators.coreos.com/"))
                .map(|name| Key::named(None, name))
                .collect()
        };
        let subscription = |object: &Value| {
            let label = component_label(
                object["spec"]["name"].as_str().unwrap_or_default(),
                namespace_of(object).unwrap_or_default(),
            );
            label
                .strip_prefix("operators.coreos.com/")
                .map(|name| Key::named(None, name))
                .into_iter()
                .collect()
        };
        let mut watches = vec![Watch::mapped(SUBSCRIPTION, subscription).whole()];
        watches.extend(COMPONENTS.into_iter().skip(1).map(|kind| Watch::mapped(kind, labelled)));
        watches
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, &key.name).boxed()
    }
}

async fn reconcile(context: &Context, name: &str) -> client::Result<Next> {
    adopt(context, name).await?;
    let key = format!("operators.coreos.com/{name}");
    let mut refs = Vec::new();
    for kind in COMPONENTS {
        let components = context.client.list(kind, None, &key).await?;
        refs.extend(components.iter().map(|component| component_reference(kind, component)));
    }
    if refs.is_empty() && context.client.get(OPERATOR, None, name).await?.is_none() {
        return Ok(Next::OnEvent);
    }
    context
        .client
        .create(OPERATOR, &json!({ "metadata": { "name": name } }))
        .await?;
    let Some(operator) = context.client.get(OPERATOR, None, name).await? else {
        return Ok(Next::OnEvent);
    };
    let selector = json!({ "matchExpressions": [{ "key": key, "operator": "Exists" }] });
    let status = json!({ "components": { "labelSelector": selector, "refs": refs } });
    if let Some(patch) = status_patch(&operator["status"], &status) {
        context.client.status(OPERATOR, None, name, &patch).await?;
    }
    Ok(Next::OnEvent)
}

/// Labels the Subscriptions of a package, so that they count as part of its Operator.
async fn adopt(context: &Context, name: &str) -> client::Result<()> {
    for subscription in context.client.list(SUBSCRIPTION, None, "").await? {
        let package = subscription["spec"]["name"].as_str().unwrap_or_default();
        let key = component_label(package, namespace_of(&subscription).unwrap_or_default());
        if key.strip_prefix("operators.coreos.com/") != Some(name) || label(&subscription, &key).is_some() {
            continue;
        }
        let mut patch = json!({ "metadata": {} });
        set_labels(&mut patch, &[(&key, "")]);
        context
            .client
            .merge(
                SUBSCRIPTION,
                namespace_of(&subscription),
                name_of(&subscription),
                &patch,
            )
            .await?;
    }
    Ok(())
}

fn component_reference(kind: Kind, component: &Value) -> Value {
    let mut reference = json!({ "apiVersion": kind.api_version(), "kind": kind.kind, "name": name_of(component) });
    if let Some(namespace) = namespace_of(component) {
        reference["namespace"] = namespace.into();
    }
    reference
}
