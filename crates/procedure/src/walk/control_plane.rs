//! Why a control plane does not come up: from the HostedCluster's own verdicts down to the pods that carry it.

use berth_api::{resources, views};
use serde_json::Value;

use crate::facts::{Facts, Selector};
use crate::read::{failed, find, is_known_empty, objects, text};
use crate::walk::images::{failing_pod, is_refusal};
use crate::walk::storage::pending_claim;
use crate::walk::{Finding, GuestRef, diagnosis};

/// Where the addresses of services come from.
const API_SERVICE: &str = "kube-apiserver";

/// The first cause that keeps a control plane from coming up.
pub(crate) fn first_cause(facts: &Facts, guest: &GuestRef) -> Option<Finding> {
    let cluster = facts.object(&guest.hosted_cluster())?;
    refused_configuration(guest, cluster)
        .or_else(|| refused_release(guest, cluster))
        .or_else(|| refused_reconciliation(guest, cluster))
        .or_else(|| paused(guest, cluster))
        .or_else(|| missing_address(facts, guest, cluster))
        .or_else(|| pending_etcd(facts, guest, cluster))
        .or_else(|| failing_pod(facts, &guest.inside(resources::POD), is_control_plane_pod))
        .or_else(|| unreachable_address(guest, cluster))
}

/// The workers' pods live in the same namespace; theirs is another level of the walk.
fn is_control_plane_pod(name: &str) -> bool {
    !name.starts_with("virt-launcher-") && !name.starts_with("importer-") && !name.starts_with("hp-volume-")
}

fn refused_configuration(guest: &GuestRef, cluster: &Value) -> Option<Finding> {
    let condition = failed(cluster, "ValidConfiguration").or_else(|| failed(cluster, "SupportedHostedCluster"))?;
    let lower = condition.message.to_lowercase();
    let evidence = [format!(
        "{}=False, {}: {}",
        condition.kind, condition.reason, condition.message
    )];
    let object = guest.label();
    Some(Finding::certain(
        if ["cidr", "overlap", "network"].iter().any(|word| lower.contains(word)) {
            diagnosis(
                "C01",
                "networks of the hosted cluster overlap",
                object,
                evidence,
                "choose ranges in `spec.networking` that overlap neither each other nor the management cluster's (oc get \
             network.config cluster -o yaml); networks cannot be changed later, so remove the guest and bring it up again",
            )
        } else if lower.contains("kubevirt version") || lower.contains("kubernetes version") {
            diagnosis(
                "P08",
                "the management cluster's virtualization is too old for hosted clusters",
                object,
                evidence,
                "upgrade OpenShift and OpenShift Virtualization to 4.14 or newer",
            )
        } else {
            diagnosis(
                "",
                "the operator refuses the configuration",
                object,
                evidence,
                "correct what the message names",
            )
        },
    ))
}

fn refused_release(guest: &GuestRef, cluster: &Value) -> Option<Finding> {
    let condition = failed(cluster, "ValidReleaseImage")?;
    let message = condition.message.to_lowercase();
    if condition.reason == "SecretNotFound" || is_refusal(&message) {
        return Some(Finding::certain(pull_secret(guest, &condition)));
    }
    let evidence = [
        format!("ValidReleaseImage=False, {}: {}", condition.reason, condition.message),
        format!("release {}", views::release_image(cluster).unwrap_or("(none)")),
    ];
    let object = guest.label();
    Some(if message.contains("version") {
        Finding::certain(diagnosis(
            "P10",
            "the release is not one that this HyperShift operator creates",
            object,
            evidence,
            "read what it supports (oc get configmap supported-versions -n hypershift -o yaml) and name such a release in \
             `spec.release.image`, or move the multicluster engine to a newer channel",
        ))
    } else {
        Finding::likely(diagnosis(
            "C07",
            "the release image cannot be used",
            object,
            evidence,
            "check the image's name, and that the management cluster reaches its registry",
        ))
    })
}

fn pull_secret(guest: &GuestRef, condition: &views::Condition<'_>) -> crate::assess::Diagnosis {
    diagnosis(
        "C06",
        "the pull secret is missing, cannot be read or is refused",
        format!("Secret of HostedCluster {}/{}", guest.namespace, guest.name),
        [format!(
            "{}=False, {}: {}",
            condition.kind, condition.reason, condition.message
        )],
        "put a valid pull secret (console.redhat.com/openshift/install/pull-secret) into the file that `spec.pullSecret` \
         names and run up again",
    )
}

fn refused_reconciliation(guest: &GuestRef, cluster: &Value) -> Option<Finding> {
    if let Some(condition) = failed(cluster, "PlatformCredentialsFound") {
        return Some(Finding::likely(diagnosis(
            "",
            "credentials for the infrastructure cluster are missing",
            guest.label(),
            [format!("{}: {}", condition.reason, condition.message)],
            "create the Secret that the message names",
        )));
    }
    let condition = failed(cluster, "ReconciliationSucceeded")?;
    if is_refusal(condition.message) {
        return Some(Finding::likely(pull_secret(guest, &condition)));
    }
    let found = diagnosis(
        "",
        "the operator fails to reconcile the hosted cluster",
        guest.label(),
        [format!("{}: {}", condition.reason, condition.message)],
        "oc logs deployment/operator -n hypershift says more",
    );
    Some(Finding::after(2, found).since(&condition))
}

fn paused(guest: &GuestRef, cluster: &Value) -> Option<Finding> {
    let condition = failed(cluster, "ReconciliationActive")?;
    Some(Finding::certain(diagnosis(
        "U18",
        "the hosted cluster is paused",
        guest.label(),
        [condition.message.to_owned()],
        format!(
            "oc patch hostedcluster {} -n {} --type=merge -p '{{\"spec\":{{\"pausedUntil\":null}}}}'",
            guest.name, guest.namespace
        ),
    )))
}

/// The API server's Service without an address: nothing on the management cluster gives any.
fn missing_address(facts: &Facts, guest: &GuestRef, cluster: &Value) -> Option<Finding> {
    let condition = failed(cluster, "InfrastructureReady")?;
    let service = find(facts, &guest.inside(resources::SERVICE), API_SERVICE)?;
    let wants_address = text(service, &["spec", "type"]) == Some("LoadBalancer");
    if !wants_address || !views::list(service, &["status", "loadBalancer", "ingress"]).is_empty() {
        return None;
    }
    let (cause, fix) = address_source(facts);
    let found = diagnosis(
        "P05",
        "nothing gives the API server of the hosted cluster an address",
        format!("Service {}/{API_SERVICE}", guest.control_plane_namespace()),
        [
            without_age(condition.message).to_owned(),
            "type LoadBalancer, no address in status.loadBalancer.ingress".to_owned(),
            cause,
        ],
        fix,
    );
    Some(Finding::likely(found).with(service))
}

/// A message without how long it has been so: an explanation that changes every minute is told every minute.
fn without_age(message: &str) -> &str {
    match message.rsplit_once("; ") {
        Some((said, age)) if age.contains("since creation") => said,
        _ => message,
    }
}

/// What is wrong with the source of addresses, and what to do about it.
fn address_source(facts: &Facts) -> (String, &'static str) {
    let pools = Selector::all(resources::IP_ADDRESS_POOL);
    if is_known_empty(facts.seen(&Selector::all(resources::METAL_LB))) {
        (
            "MetalLB is not set up, and no other load balancer answered".to_owned(),
            "install the MetalLB operator, then create a MetalLB named metallb, an IPAddressPool and an L2Advertisement or \
             BGPAdvertisement (oc get csv -n metallb-system shows whether the operator is there)",
        )
    } else if is_known_empty(facts.seen(&pools)) {
        (
            "MetalLB has no IPAddressPool".to_owned(),
            "create an IPAddressPool with free addresses and an L2Advertisement or BGPAdvertisement for it; the Service gets \
             its address at once",
        )
    } else {
        let ranges: Vec<_> = objects(facts, &pools)
            .flat_map(|pool| views::list(pool, &["spec", "addresses"]))
            .filter_map(Value::as_str)
            .collect();
        (
            format!("address pools: {}", ranges.join(", ")),
            "the pools may be used up or not advertised: oc describe service kube-apiserver in that namespace shows the \
             controller's words; add a range to an IPAddressPool (oc edit ipaddresspool -n metallb-system)",
        )
    }
}

fn pending_etcd(facts: &Facts, guest: &GuestRef, cluster: &Value) -> Option<Finding> {
    failed(cluster, "EtcdAvailable")?;
    pending_claim(facts, &guest.inside(resources::PERSISTENT_VOLUME_CLAIM), |name| {
        name.starts_with("data-etcd-")
    })
}

fn unreachable_address(guest: &GuestRef, cluster: &Value) -> Option<Finding> {
    let condition =
        failed(cluster, "Available").filter(|condition| condition.reason == "KASLoadBalancerNotReachable")?;
    let found = diagnosis(
        "P05",
        "the API server's address is not reachable",
        format!("Service {}/{API_SERVICE}", guest.control_plane_namespace()),
        [condition.message.to_owned()],
        "check that the pool is advertised (oc get l2advertisement,bgpadvertisement -A) and that the network routes the \
         address to the nodes",
    );
    Some(Finding::after(2, found).since(&condition))
}
