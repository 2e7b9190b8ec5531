//! Why a guest with workers does not finish: its routes on the management cluster, then its cluster operators.

use berth_api::{resources, views};
use serde_json::Value;

use crate::facts::{Facts, Selector};
use crate::read::{failed, name, objects, some_of, text};
use crate::walk::{Finding, GuestRef, diagnosis};

/// The namespace of IngressControllers, and the name of the one that serves a cluster's own applications.
pub(crate) const INGRESS: (&str, &str) = ("openshift-ingress-operator", "default");
/// The value that admits wildcard routes.
pub(crate) const WILDCARDS_ALLOWED: &str = "WildcardsAllowed";

/// What this level reads besides those above.
pub(crate) fn watches(guest: &GuestRef) -> Vec<Selector> {
    vec![
        guest.inside(resources::ROUTE),
        Selector::named(resources::INGRESS_CONTROLLER, INGRESS.0, INGRESS.1),
        guest.on_guest(resources::CLUSTER_OPERATOR),
    ]
}

/// The first cause that keeps a guest with workers from finishing.
pub(crate) fn first_cause(facts: &Facts, guest: &GuestRef) -> Option<Finding> {
    refused_wildcard(facts, guest)
        .or_else(|| missing_wildcard_dns(facts, guest))
        .or_else(|| failing_operator(facts, guest))
}

/// The guest's applications are served through a wildcard route, which the management cluster must admit.
fn refused_wildcard(facts: &Facts, guest: &GuestRef) -> Option<Finding> {
    let route = objects(facts, &guest.inside(resources::ROUTE))
        .filter(|route| text(route, &["spec", "wildcardPolicy"]) == Some("Subdomain"))
        .find_map(|route| Some((route, refusal(route)?)))?;
    let (route, (reason, message)) = route;
    let controller = facts.object(&Selector::named(resources::INGRESS_CONTROLLER, INGRESS.0, INGRESS.1));
    let policy = controller
        .and_then(|controller| text(controller, &["spec", "routeAdmission", "wildcardPolicy"]))
        .unwrap_or("unset");
    let evidence = [
        format!("Admitted=False, {reason}: {message}"),
        format!("IngressController default: wildcardPolicy {policy}"),
    ];
    let object = format!("Route {}/{}", guest.control_plane_namespace(), name(route));
    if policy == WILDCARDS_ALLOWED {
        return Some(lagging_router(controller, object, evidence));
    }
    Some(Finding::certain(diagnosis(
        "P01",
        "the management cluster refuses the guest's wildcard route",
        object,
        evidence,
        format!(
            "oc patch ingresscontroller default -n {} --type=merge -p \
             '{{\"spec\":{{\"routeAdmission\":{{\"wildcardPolicy\":\"{WILDCARDS_ALLOWED}\"}}}}}}' (the step `ingress` does)",
            INGRESS.0
        ),
    )))
}

/// Routers run with a policy only when they have been replaced, which takes them some minutes.
fn lagging_router(controller: Option<&Value>, object: String, evidence: [String; 2]) -> Finding {
    let found = diagnosis(
        "P01",
        "the guest's wildcard route is not admitted yet, although the policy allows it",
        object,
        evidence,
        "see whether the router's new pods come up: oc rollout status deployment/router-default -n openshift-ingress",
    );
    let finding = Finding::after(5, found);
    match controller.and_then(|controller| views::condition(controller, "Progressing")) {
        Some(progressing) => finding.since(&progressing),
        None => finding,
    }
}

/// What a route's first refusing router says.
fn refusal(route: &Value) -> Option<(&str, &str)> {
    let conditions = views::list(route, &["status", "ingress"])
        .iter()
        .flat_map(|ingress| views::list(ingress, &["conditions"]));
    conditions
        .filter(|condition| text(condition, &["type"]) == Some("Admitted"))
        .find(|condition| text(condition, &["status"]) == Some("False"))
        .map(|condition| {
            (
                text(condition, &["reason"]).unwrap_or_default(),
                text(condition, &["message"]).unwrap_or_default(),
            )
        })
}

/// With a base domain of its own, the load balancer and DNS record of the guest's applications are made by hand.
fn missing_wildcard_dns(facts: &Facts, guest: &GuestRef) -> Option<Finding> {
    let cluster = facts.object(&guest.hosted_cluster())?;
    let passthrough = views::flag(cluster, &["spec", "platform", "kubevirt", "baseDomainPassthrough"]).unwrap_or(false);
    let domain = text(cluster, &["spec", "dns", "baseDomain"]).filter(|_| !passthrough)?;
    let (unavailable, _) = operators(facts, guest);
    let needs_ingress = unavailable
        .iter()
        .any(|operator| matches!(*operator, "console" | "ingress"));
    needs_ingress.then(|| {
        let apps = format!("*.apps.{}.{domain}", guest.name);
        Finding::after(
            5,
            diagnosis(
                "C09",
                format!("nothing serves {apps} yet"),
                guest.label(),
                [format!("not available: {}", some_of(&unavailable))],
                format!(
                    "with a base domain of its own a guest needs a load balancer to the NodePorts of its Service \
                     openshift-ingress/router-nodeport-default, and a DNS record {apps} to it"
                ),
            ),
        )
    })
}

fn failing_operator(facts: &Facts, guest: &GuestRef) -> Option<Finding> {
    let operator = objects(facts, &guest.on_guest(resources::CLUSTER_OPERATOR)).find_map(|operator| {
        let condition = crate::read::holds(operator, "Degraded").or_else(|| failed(operator, "Available"))?;
        Some((name(operator), condition))
    });
    let (operator, condition) = operator?;
    let found = diagnosis(
        "",
        format!("the guest's cluster operator {operator} does not become available"),
        format!("ClusterOperator {operator} of guest {}", guest.name),
        [format!(
            "{}={:?}, {}: {}",
            condition.kind, condition.status, condition.reason, condition.message
        )],
        format!("with the guest's kubeconfig: oc describe clusteroperator {operator}"),
    );
    Some(Finding::after(10, found).since(&condition))
}

/// The guest's cluster operators that are not fine yet, and how many there are.
pub(crate) fn operators<'a>(facts: &'a Facts, guest: &GuestRef) -> (Vec<&'a str>, usize) {
    let all: Vec<_> = objects(facts, &guest.on_guest(resources::CLUSTER_OPERATOR)).collect();
    let unavailable = all
        .iter()
        .filter(|operator| !views::is_true(operator, "Available") || views::is_true(operator, "Degraded"))
        .map(|operator| name(operator))
        .collect();
    (unavailable, all.len())
}

/// How many of the guest's cluster operators are at a version.
pub(crate) fn at_version(facts: &Facts, guest: &GuestRef, version: &str) -> usize {
    let at = |operator: &&Value| {
        let versions = views::list(operator, &["status", "versions"]);
        let own = versions.iter().find(|entry| text(entry, &["name"]) == Some("operator"));
        own.and_then(|entry| text(entry, &["version"])) == Some(version)
    };
    objects(facts, &guest.on_guest(resources::CLUSTER_OPERATOR))
        .filter(at)
        .count()
}
