//! The router's part in routes: a host for those that have none, and whether they are admitted.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::router::admits_wildcards;
use super::{NAME, ROUTER_NAMESPACE};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{self, name_of, namespace_of};
use crate::kind::{DEPLOYMENT, ROUTE};

/// The key that stands for all wildcard routes.
const ALL_WILDCARDS: &str = "wildcards";
const ROUTER: &str = "router-default";

/// The router.
pub(crate) struct Routes;

impl Actor for Routes {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        "openshift-router"
    }

    fn watches(&self) -> Vec<Watch> {
        let of_router = |deployment: &Value| {
            if namespace_of(deployment) == Some(ROUTER_NAMESPACE) && name_of(deployment) == ROUTER {
                vec![Key::named(None, ALL_WILDCARDS)]
            } else {
                Vec::new()
            }
        };
        vec![Watch::own(ROUTE), Watch::mapped(DEPLOYMENT, of_router)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let client = &context.client;
    let concerned = match key.namespace() {
        Some(_) => client
            .get(ROUTE, key.namespace(), &key.name)
            .await?
            .into_iter()
            .collect(),
        None => client.list(ROUTE, None, "").await?,
    };
    if concerned.is_empty() {
        return Ok(Next::OnEvent);
    }
    let router = client.get(DEPLOYMENT, Some(ROUTER_NAMESPACE), ROUTER).await?;
    let wildcards = router.as_ref().is_some_and(admits_wildcards);
    for route in concerned
        .iter()
        .filter(|route| key.namespace.is_some() || route["spec"]["wildcardPolicy"] == "Subdomain")
    {
        admit(context, route, wildcards).await?;
    }
    Ok(Next::OnEvent)
}

async fn admit(context: &Context, route: &Value, wildcards: bool) -> client::Result<()> {
    let (namespace, name) = (namespace_of(route), name_of(route));
    if route["metadata"]["deletionTimestamp"].is_string() {
        return Ok(());
    }
    if route["spec"]["host"].as_str().unwrap_or_default().is_empty() {
        let host = format!("{name}-{}.{}", namespace.unwrap_or_default(), context.site.apps_domain);
        let patch = json!({
            "metadata": { "annotations": { "openshift.io/host.generated": "true" } },
            "spec": { "host": host },
        });
        // The event of this write brings the route back here, with its host.
        context
            .client
            .with_manager("openshift-apiserver")
            .merge(ROUTE, namespace, name, &patch)
            .await?;
        return Ok(());
    }
    let status = json!({ "ingress": [ingress(route, wildcards, &context.site.apps_domain, &context.time.stamp())] });
    if status != route["status"] {
        context.client.status(ROUTE, namespace, name, &status).await?;
    }
    Ok(())
}

/// The router's entry in a route's status.
fn ingress(route: &Value, wildcards: bool, apps_domain: &str, now: &str) -> Value {
    let policy = route["spec"]["wildcardPolicy"].as_str().unwrap_or("None");
    let mut condition = if policy == "Subdomain" && !wildcards {
        json!({
            "type": "Admitted",
            "status": "False",
            "reason": "RouteNotAdmitted",
            "message": "wildcard routes are not allowed",
        })
    } else {
        json!({ "type": "Admitted", "status": "True" })
    };
    let former = &route["status"]["ingress"][0]["conditions"][0];
    condition["lastTransitionTime"] = if former["status"] == condition["status"] {
        former["lastTransitionTime"].clone()
    } else {
        now.into()
    };
    json!({
        "conditions": [condition],
        "host": route["spec"]["host"],
        "routerCanonicalHostname": format!("router-default.{apps_domain}"),
        "routerName": "default",
        "wildcardPolicy": policy,
    })
}
