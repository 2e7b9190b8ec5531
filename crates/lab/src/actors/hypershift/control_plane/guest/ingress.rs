//! The way to the guest's applications: a Service and a wildcard Route on the management cluster that pass TLS through to
//! the guest's own router.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{Result, name_of, namespace_of};
use crate::kind::{HOSTED_CONTROL_PLANE, ROUTE, SERVICE};
use crate::objects::{ensure as ensure_object, owner};

/// How the guest's `*.apps` domain is reached.
#[derive(Debug)]
pub(super) enum Ingress {
    /// Through the management cluster's router, with the Route as it is.
    Passthrough(Value),
    /// By a load balancer and a DNS record that someone makes by hand, for this domain. A lab has no DNS to see it in.
    ByHand(String),
}

/// Makes Service and Route where the management cluster's router is to pass the guest's traffic.
pub(super) async fn ensure(context: &Context, control_plane: &Value) -> Result<Ingress> {
    let client = &context.client;
    let kubevirt = &control_plane["spec"]["platform"]["kubevirt"];
    let domain = apps_domain(control_plane);
    if kubevirt["baseDomainPassthrough"] != true {
        return Ok(Ingress::ByHand(domain));
    }
    let id = kubevirt["generateID"].as_str().unwrap_or_default();
    let service = format!("default-ingress-passthrough-service-{id}");
    let metadata = |name: &str| {
        json!({
            "name": name,
            "namespace": namespace_of(control_plane),
            "ownerReferences": [owner(HOSTED_CONTROL_PLANE, control_plane)],
            "labels": { "hypershift.openshift.io/infra-id": control_plane["spec"]["infraID"] },
        })
    };
    let ports = json!([{ "name": "https-443", "port": 443, "protocol": "TCP", "targetPort": 30443 }]);
    ensure_object(
        client,
        SERVICE,
        &json!({ "metadata": metadata(&service), "spec": { "type": "ClusterIP", "ports": ports } }),
    )
    .await?;
    let name = format!("default-ingress-passthrough-route-{id}");
    let route = json!({
        "metadata": metadata(&name),
        "spec": {
            "host": format!("https.{domain}"),
            "wildcardPolicy": "Subdomain",
            "tls": { "termination": "passthrough" },
            "to": { "kind": "Service", "name": service, "weight": 100 },
            "port": { "targetPort": "https-443" },
        },
    });
    ensure_object(client, ROUTE, &route).await?;
    let found = client.get(ROUTE, namespace_of(control_plane), &name).await?;
    Ok(Ingress::Passthrough(found.unwrap_or(route)))
}

/// `apps.<cluster>.<base domain>`.
pub(super) fn apps_domain(control_plane: &Value) -> String {
    let base = control_plane["spec"]["dns"]["baseDomain"].as_str().unwrap_or_default();
    format!("apps.{}.{base}", name_of(control_plane))
}

// === impl Ingress ===

impl Ingress {
    /// Why the guest's applications cannot be reached.
    pub(super) fn problem(&self) -> Option<String> {
        let route = match self {
            Self::Passthrough(route) => route,
            Self::ByHand(domain) => {
                return Some(format!(
                    "RouteHealthAvailable: failed to GET route (https://console-openshift-console.{domain}): no such host"
                ));
            }
        };
        let ingress = &route["status"]["ingress"][0];
        let condition = ingress["conditions"]
            .as_array()?
            .iter()
            .find(|condition| condition["type"] == "Admitted");
        if condition.is_some_and(|condition| condition["status"] == "True") {
            return None;
        }
        let reason = condition
            .and_then(|condition| condition["message"].as_str())
            .unwrap_or("no router has admitted it yet");
        Some(format!(
            "the router of the management cluster does not pass *.{} on (route {}): {reason}",
            route["spec"]["host"]
                .as_str()
                .unwrap_or_default()
                .trim_start_matches("https."),
            name_of(route)
        ))
    }
}
