//! Why a control plane does not go: what the guest still has, nobody who would clean it up, a load balancer.

use berth_api::{resources, views};
use jiff::SignedDuration;
use serde_json::Value;

use super::{Hold, MOMENT, Tree, after, finalizers, label, machines, no, reference, without_finalizer};
use crate::blocker::{LetGo, Release};
use crate::read::{failed, is_deleting, name, objects, text};
use crate::walk::diagnosis;

/// Longer than a router takes to leave.
const ROUTER: SignedDuration = SignedDuration::from_mins(2);
/// Longer than a load balancer takes to give up an address.
const ADDRESS: SignedDuration = SignedDuration::from_mins(2);
const BALANCED: &str = "service.kubernetes.io/load-balancer-cleanup";

pub(super) fn holds(tree: Tree<'_>) -> Vec<Hold> {
    let control_plane = tree
        .inside(resources::HOSTED_CONTROL_PLANE)
        .find(|object| is_deleting(object));
    let mut holds = Vec::new();
    if let Some(control_plane) = control_plane {
        let in_guest = ingress(tree, control_plane);
        if in_guest.is_empty() {
            holds.extend(without_operator(tree, control_plane));
        }
        holds.extend(in_guest);
    }
    holds.extend(tree.inside(resources::SERVICE).filter_map(balanced));
    holds
}

/// What the operator in the guest says is still there.
pub(super) fn remaining(control_plane: &Value) -> Option<String> {
    let condition = failed(control_plane, "CloudResourcesDestroyed")?;
    Some(format!(", cleaning up in the guest: {}", condition.message))
}

/// A guest's ingress controllers that their operator does not let go. HyperShift waits for them while it cleans up.
fn ingress(tree: Tree<'_>, control_plane: &Value) -> Vec<Hold> {
    let waits =
        failed(control_plane, "CloudResourcesDestroyed").filter(|it| it.message.contains("ingress-controllers"));
    let Some(waits) = waits else { return Vec::new() };
    let controllers = objects(tree.facts, &tree.guest.on_guest(resources::INGRESS_CONTROLLER));
    let held = controllers.filter(|controller| is_deleting(controller));
    held.flat_map(|controller| {
        let message = waits.message.to_owned();
        finalizers::of(controller).map(move |finalizer| {
            let object = format!("{} of guest {}", label(resources::INGRESS_CONTROLLER, controller), tree.guest.name);
            let found = diagnosis(
                "D07",
                "an ingress controller in the guest is held by its finalizer",
                object,
                [format!("finalizer {finalizer}"), format!("CloudResourcesDestroyed=False, {}: {message}", waits.reason)],
                "see with the guest's kubeconfig what the ingress operator says; HyperShift gives up cleaning up after ten \
                 minutes without a change, or let it go",
            );
            let LetGo { does, object, patch } = without_finalizer(resources::INGRESS_CONTROLLER, controller, finalizer);
            let object = object.on(tree.guest.target());
            let release = Release::Yes(LetGo { does, object, patch });
            let orphans = vec!["the router's load balancer or Route on the management cluster, if it has one of its own".to_owned()];
            let blocker = format!("ingresscontroller/{}/finalizer:{finalizer}", name(controller));
            Hold::new(blocker, after(controller, ROUTER), found, release).orphaning(orphans)
        })
    })
    .collect()
}

/// The control plane's own operator takes off its finalizer.
fn without_operator(tree: Tree<'_>, control_plane: &Value) -> Vec<Hold> {
    const FINALIZER: &str = "hypershift.openshift.io/finalizer";
    let Some(why) = machines::absence(tree, "control-plane-operator") else {
        return Vec::new();
    };
    if !finalizers::of(control_plane).any(|finalizer| finalizer == FINALIZER) {
        return Vec::new();
    }
    let namespace = tree.guest.control_plane_namespace();
    let found = diagnosis(
        "D03",
        "control-plane-operator is gone before the control plane that it has to take down",
        label(resources::HOSTED_CONTROL_PLANE, control_plane),
        [
            format!("Deployment {namespace}/control-plane-operator: {why}"),
            format!("finalizer {FINALIZER}"),
        ],
        format!(
            "oc scale deployment/control-plane-operator -n {namespace} --replicas=1; where it can't come back, let go"
        ),
    );
    let mut orphans = finalizers::below(tree, resources::HOSTED_CONTROL_PLANE, control_plane);
    let release = match orphans.first() {
        Some(first) => no(format!("{first} is still there, and goes first")),
        None => Release::Yes(without_finalizer(
            resources::HOSTED_CONTROL_PLANE,
            control_plane,
            FINALIZER,
        )),
    };
    orphans.push("load balancers and volumes that the guest had asked the management cluster for".to_owned());
    let blocker = format!("hostedcontrolplane/{}/finalizer", name(control_plane));
    vec![Hold::new(blocker, after(control_plane, MOMENT), found, release).orphaning(orphans)]
}

/// A Service whose address is not given back.
fn balanced(service: &Value) -> Option<Hold> {
    if !is_deleting(service) || !finalizers::of(service).any(|finalizer| finalizer == BALANCED) {
        return None;
    }
    let addresses: Vec<&str> = views::list(service, &["status", "loadBalancer", "ingress"])
        .iter()
        .filter_map(|entry| text(entry, &["ip"]).or_else(|| text(entry, &["hostname"])))
        .collect();
    let object = reference(resources::SERVICE, service).to_string();
    let found = diagnosis(
        "P05",
        "the load balancer does not give the Service's address back",
        &object,
        [
            format!("finalizer {BALANCED}"),
            format!("addresses: {}", addresses.join(", ")),
        ],
        "see that MetalLB, or what is in its place, runs; it lives, so letting go needs to be said twice",
    );
    let release = Release::Contested {
        by: "the load balancer's controller".to_owned(),
        let_go: without_finalizer(resources::SERVICE, service, BALANCED),
    };
    let orphans = addresses
        .iter()
        .map(|address| format!("the address {address}, which stays taken where the load balancer keeps it"))
        .collect();
    Some(
        Hold::new(
            format!("service/{}/finalizer", name(service)),
            after(service, ADDRESS),
            found,
            release,
        )
        .orphaning(orphans),
    )
}
