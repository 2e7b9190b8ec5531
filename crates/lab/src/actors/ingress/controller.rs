//! The ingress operator: an IngressController's router Deployment and status.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::router::{desired, is_rolled_out};
use super::{NAME, OPERATOR_NAMESPACE, ROUTER_NAMESPACE};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{self, name_of, namespace_of};
use crate::conditions;
use crate::kind::{DEPLOYMENT, INGRESS_CONTROLLER};

/// The ingress operator.
pub(crate) struct IngressControllers;

impl Actor for IngressControllers {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        "ingress-operator"
    }

    fn watches(&self) -> Vec<Watch> {
        let of_router = |deployment: &Value| match name_of(deployment).strip_prefix("router-") {
            Some(name) if namespace_of(deployment) == Some(ROUTER_NAMESPACE) => {
                vec![Key::named(Some(OPERATOR_NAMESPACE), name)]
            }
            _ => Vec::new(),
        };
        vec![Watch::own(INGRESS_CONTROLLER), Watch::mapped(DEPLOYMENT, of_router)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let client = &context.client;
    let Some(controller) = client.get(INGRESS_CONTROLLER, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    let router = client.apply(DEPLOYMENT, &desired(&key.name, &controller)).await?;
    let status = status(&controller, &router, &context.site.apps_domain, &context.time.stamp());
    if status != controller["status"] {
        client
            .status(INGRESS_CONTROLLER, key.namespace(), &key.name, &status)
            .await?;
    }
    Ok(Next::OnEvent)
}

/// The status that the operator reports from its router.
pub(crate) fn status(controller: &Value, router: &Value, apps_domain: &str, now: &str) -> Value {
    let available = router["status"]["availableReplicas"].as_i64().unwrap_or(0);
    let wanted = router["spec"]["replicas"].as_i64().unwrap_or(1);
    let updated = router["status"]["updatedReplicas"].as_i64().unwrap_or(0);
    let enough = available >= (wanted - 1).max(1);
    let mut list = controller["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let mut set = |kind: &str, status: bool, reason: &str, message: &str| {
        let status = if status { "True" } else { "False" };
        conditions::set(&mut list, now, kind, status, reason, message);
    };
    set("Admitted", true, "Valid", "");
    if enough {
        set(
            "DeploymentAvailable",
            true,
            "DeploymentAvailable",
            "The deployment has Available status condition set to True",
        );
        set(
            "DeploymentReplicasMinAvailable",
            true,
            "DeploymentMinimumReplicasMet",
            "Minimum replicas requirement is met",
        );
    } else {
        let message = "The deployment has Available status condition set to False (reason: MinimumReplicasUnavailable)";
        set("DeploymentAvailable", false, "DeploymentUnavailable", message);
        let message = format!(
            "{available}/{wanted} of replicas are available, minimum is {}",
            (wanted - 1).max(1)
        );
        set(
            "DeploymentReplicasMinAvailable",
            false,
            "DeploymentMinimumReplicasNotMet",
            &message,
        );
    }
    if available == wanted {
        set(
            "DeploymentReplicasAllAvailable",
            true,
            "DeploymentReplicasAvailable",
            "All replicas are available",
        );
    } else {
        let message = format!("{available}/{wanted} of replicas are available");
        set(
            "DeploymentReplicasAllAvailable",
            false,
            "DeploymentReplicasNotAvailable",
            &message,
        );
    }
    if is_rolled_out(router) {
        set(
            "DeploymentRollingOut",
            false,
            "DeploymentNotRollingOut",
            "Deployment is not actively rolling out",
        );
        set("Progressing", false, "", "");
    } else {
        let message = format!(
            "Waiting for router deployment rollout to finish: {updated} out of {wanted} new replica(s) have been updated...\n"
        );
        set("DeploymentRollingOut", true, "DeploymentRollingOut", &message);
        let message = format!(
            "One or more status conditions indicate progressing: DeploymentRollingOut=True (DeploymentRollingOut: {message})"
        );
        set("Progressing", true, "IngressControllerProgressing", &message);
    }
    let message = "The configured endpoint publishing strategy does not include a managed load balancer";
    set(
        "LoadBalancerManaged",
        false,
        "EndpointPublishingStrategyExcludesManagedLoadBalancer",
        message,
    );
    let message = "The endpoint publishing strategy doesn't support DNS management.";
    set("DNSManaged", false, "UnsupportedEndpointPublishingStrategy", message);
    set(
        "Available",
        enough,
        if enough { "" } else { "IngressControllerUnavailable" },
        "",
    );
    set("Degraded", false, "", "");
    set("Upgradeable", true, "Upgradeable", "IngressController is upgradeable.");
    set(
        "CanaryChecksSucceeding",
        true,
        "CanaryChecksSucceeding",
        "Canary route checks for the default ingress controller are successful",
    );
    json!({
        "availableReplicas": available,
        "conditions": list,
        "domain": controller["spec"]["domain"].as_str().unwrap_or(apps_domain),
        "endpointPublishingStrategy": {
            "type": "HostNetwork",
            "hostNetwork": { "httpPort": 80, "httpsPort": 443, "protocol": "TCP", "statsPort": 1936 },
        },
        "observedGeneration": controller["metadata"]["generation"],
        "selector": format!("ingresscontroller.operator.openshift.io/deployment-ingresscontroller={}", name_of(controller)),
    })
}
