//! Each diagnosis: what must be there for it to be made, when, and that it says what to do.

use berth_api::resources;
use serde_json::{Value, json};

use crate::assess::{Assessment, Diagnosis};
use crate::fixtures::{INSIDE, World, conditions, object, step};
use crate::walk::rollout::{INGRESS, WILDCARDS_ALLOWED};

const CLUSTER: &str = "guest/guest-cluster-0/cluster";
const POOL: &str = "guest/guest-cluster-0/pool/workers";
const ROLLOUT: &str = "guest/guest-cluster-0/rollout";
const OPERATOR: &str = "multicluster-engine-operator";
const MACHINE: &str = "guest-cluster-0-workers-x-aaaaa";

/// A guest whose HostedCluster has these conditions.
fn guest(list: &[(&str, &str, &str, &str)]) -> World {
    let mut world = World::bare();
    for kind in ["HostedCluster", "NodePool", "Machine"] {
        world.with_kind(kind);
    }
    let changes = world.changes(step(CLUSTER).as_ref());
    world
        .write(&changes)
        .change("HostedCluster", "guest-cluster-0", |cluster| {
            cluster["status"] = conditions(list)["status"].clone();
        });
    world
}

#[track_caller]
fn finds(world: &World, id: &str, minutes: i64, expected: &str) -> Diagnosis {
    let diagnosis = world.diagnosis_after(step(id).as_ref(), minutes);
    assert_eq!(diagnosis.id, expected, "{diagnosis:#?}");
    assert!(
        !diagnosis.evidence.is_empty() && !diagnosis.fix.is_empty() && !diagnosis.object.is_empty(),
        "{diagnosis:#?}"
    );
    diagnosis
}

#[track_caller]
fn waits_first(world: &World, id: &str) {
    match world.assess(step(id).as_ref()) {
        Assessment::Waiting {
            recheck_at: Some(_), ..
        } => {}
        other => panic!("expected a wait that is looked at again, got {other:?}"),
    }
}

fn service(ingress: &Value) -> Value {
    let more = json!({ "spec": { "type": "LoadBalancer" }, "status": { "loadBalancer": { "ingress": ingress } } });
    object(resources::SERVICE, INSIDE, "kube-apiserver", &more)
}

#[test]
fn missing_load_balancer() {
    let mut world = guest(&[(
        "InfrastructureReady",
        "False",
        "WaitingOnInfrastructureReady",
        "Kubernetes APIServer load balancer is not provisioned; 5m0s since creation.",
    )]);
    world.put(service(&json!([])));
    waits_first(&world, CLUSTER);
    let found = finds(&world, CLUSTER, 1, "P05");
    assert_eq!(
        found.evidence[0],
        "Kubernetes APIServer load balancer is not provisioned"
    );
    assert_eq!(found.object, format!("Service {INSIDE}/kube-apiserver"));
    assert!(
        found.evidence.iter().any(|line| line.contains("192.168.20.0/24")),
        "{found:?}"
    );

    world.remove("IPAddressPool");
    assert!(
        finds(&world, CLUSTER, 1, "P05")
            .evidence
            .contains(&"MetalLB has no IPAddressPool".to_owned())
    );
    world.without_kind("MetalLB");
    assert!(finds(&world, CLUSTER, 1, "P05").fix.contains("install"));
    // With an address the wait is for something else.
    world.put(service(&json!([{ "ip": "192.168.20.1" }])));
    assert!(matches!(
        world.assess_after(step(CLUSTER).as_ref(), 1),
        Assessment::Waiting { .. }
    ));
}

#[test]
fn etcds_volume_is_not_bound() {
    let mut world = guest(&[(
        "EtcdAvailable",
        "False",
        "EtcdWaitingForQuorum",
        "Waiting for etcd to reach quorum",
    )]);
    let claim = |class: Value| {
        let more = json!({ "spec": { "storageClassName": class }, "status": { "phase": "Pending" } });
        object(resources::PERSISTENT_VOLUME_CLAIM, INSIDE, "data-etcd-0", &more)
    };
    world.put(claim(json!(null)));
    let found = finds(&world, CLUSTER, 0, "P02");
    assert_eq!(found.object, format!("PersistentVolumeClaim {INSIDE}/data-etcd-0"));
    world.put(claim(json!("gone")));
    assert!(finds(&world, CLUSTER, 0, "P02").title.contains("gone"));
    world.put(claim(json!("ocs-storagecluster-ceph-rbd")));
    waits_first(&world, CLUSTER);
    finds(&world, CLUSTER, 3, "P02");
}

#[test]
fn refused_pull_secret() {
    let release = |reason, message| guest(&[("ValidReleaseImage", "False", reason, message)]);
    finds(&release("SecretNotFound", "pull secret not found"), CLUSTER, 0, "C06");
    finds(
        &release("InvalidImage", "failed to look up release: unauthorized: access denied"),
        CLUSTER,
        0,
        "C06",
    );

    let mut world = guest(&[]);
    let waiting = json!({ "reason": "ImagePullBackOff", "message": "unauthorized: authentication required" });
    let status = json!({ "status": { "containerStatuses": [{ "name": "etcd", "state": { "waiting": waiting } }] } });
    world.put(object(resources::POD, INSIDE, "etcd-0", &status));
    waits_first(&world, CLUSTER);
    finds(&world, CLUSTER, 1, "C06");
}

#[test]
fn refused_release_and_networks() {
    let message = "the latest version supported is: \"4.17\". Attempting to use: \"4.18\"";
    finds(
        &guest(&[("ValidReleaseImage", "False", "InvalidImage", message)]),
        CLUSTER,
        0,
        "P10",
    );
    let message = "spec.networking.serviceNetwork: Invalid value: 10.132.0.0/16: overlaps with clusterNetwork";
    finds(
        &guest(&[("ValidConfiguration", "False", "InvalidConfiguration", message)]),
        CLUSTER,
        0,
        "C01",
    );
    finds(
        &guest(&[("ReconciliationActive", "False", "ReconciliationPaused", "paused")]),
        CLUSTER,
        0,
        "U18",
    );
}

#[test]
fn the_first_cause_wins_over_its_consequences() {
    let mut world = guest(&[
        ("ValidReleaseImage", "False", "SecretNotFound", "pull secret not found"),
        (
            "InfrastructureReady",
            "False",
            "WaitingOnInfrastructureReady",
            "waiting",
        ),
    ]);
    world.put(service(&json!([])));
    finds(&world, CLUSTER, 5, "C06");
}

/// A guest with one machine whose disk is in this state.
fn with_disk(volume: &Value) -> World {
    let mut world = guest(&[("Available", "True", "AsExpected", "")]);
    let owner =
        json!({ "metadata": { "annotations": { "hypershift.openshift.io/nodePool": "hcp/guest-cluster-0-workers" } } });
    world
        .put(object(resources::MACHINE, INSIDE, MACHINE, &owner))
        .put(object(
            resources::DATA_VOLUME,
            INSIDE,
            &format!("{MACHINE}-rhcos"),
            volume,
        ));
    world
}

#[test]
fn failing_importer() {
    let running = conditions(&[(
        "Running",
        "False",
        "Error",
        "Unable to connect to registry: dial tcp: no such host",
    )]);
    let mut volume = running.clone();
    volume["status"]["phase"] = json!("ImportInProgress");
    volume["status"]["restartCount"] = json!(1);
    let world = with_disk(&volume);
    waits_first(&world, POOL);
    let found = finds(&world, POOL, 1, "C14");
    assert_eq!(found.object, format!("DataVolume {INSIDE}/{MACHINE}-rhcos"));
    volume["status"]["restartCount"] = json!(5);
    finds(&with_disk(&volume), POOL, 0, "C14");
    // An import that goes on is no failure.
    let fine = json!({ "status": { "phase": "ImportInProgress", "progress": "42.0%" } });
    assert!(matches!(
        with_disk(&fine).assess_after(step(POOL).as_ref(), 5),
        Assessment::Waiting { .. }
    ));
}

#[test]
fn a_root_disk_without_a_class() {
    let mut world = with_disk(&json!({ "status": { "phase": "Pending" } }));
    world.put(object(
        resources::PERSISTENT_VOLUME_CLAIM,
        INSIDE,
        &format!("{MACHINE}-rhcos"),
        &json!({ "spec": {} }),
    ));
    finds(&world, POOL, 0, "P02");
}

#[test]
fn a_virtual_machine_that_finds_no_node() {
    let mut world = with_disk(&json!({ "status": { "phase": "Succeeded" } }));
    let message = "0/3 nodes are available: 3 Insufficient memory.";
    let status = conditions(&[("PodScheduled", "False", "Unschedulable", message)]);
    world.put(object(
        resources::POD,
        INSIDE,
        &format!("virt-launcher-{MACHINE}-zzzzz"),
        &status,
    ));
    waits_first(&world, POOL);
    assert!(finds(&world, POOL, 1, "C15").evidence[0].contains("Insufficient memory"));
    // It is the workers' trouble, not the control plane's.
    assert!(!matches!(
        world.assess_after(step(CLUSTER).as_ref(), 1),
        Assessment::Blocked { .. }
    ));
}

#[test]
fn workers_that_do_not_reach_their_configuration() {
    let mut world = with_disk(&json!({ "status": { "phase": "Succeeded" } }));
    world
        .change("NodePool", "guest-cluster-0-workers", |pool| {
            pool["status"] =
                conditions(&[("ReachedIgnitionEndpoint", "False", "ignitionNotReached", "")])["status"].clone();
        })
        .put(object(
            resources::VIRTUAL_MACHINE_INSTANCE,
            INSIDE,
            MACHINE,
            &json!({ "status": { "phase": "Running" } }),
        ));
    waits_first(&world, POOL);
    finds(&world, POOL, 10, "C16");
}

#[test]
fn a_wildcard_route_that_is_not_admitted() {
    let mut world = guest(&[("Available", "True", "AsExpected", "")]);
    let refused =
        json!({ "type": "Admitted", "status": "False", "reason": "RouteNotAdmitted", "message": "wildcards" });
    world.put(object(
        resources::ROUTE,
        INSIDE,
        "default-ingress-passthrough-route-abc",
        &json!({
            "spec": { "wildcardPolicy": "Subdomain" },
            "status": { "ingress": [{ "conditions": [refused] }] },
        }),
    ));
    assert!(finds(&world, ROLLOUT, 0, "P01").fix.contains("--type=merge"));

    // With the policy in place its router is what is waited for.
    world.put(object(
        resources::INGRESS_CONTROLLER,
        INGRESS.0,
        INGRESS.1,
        &json!({ "spec": { "routeAdmission": { "wildcardPolicy": WILDCARDS_ALLOWED } } }),
    ));
    waits_first(&world, ROLLOUT);
    assert!(finds(&world, ROLLOUT, 5, "P01").fix.contains("rollout status"));
}

/// A hub on which the operator's Subscription has this status.
fn subscribed(status: &Value) -> World {
    let mut world = World::bare();
    let changes = world.changes(step(OPERATOR).as_ref());
    world
        .write(&changes)
        .change("Subscription", "multicluster-engine", |subscription| {
            subscription["status"] = status.clone();
        });
    world
}

#[test]
fn an_install_plan_that_nobody_approves() {
    let mut world = subscribed(&json!({ "state": "UpgradePending", "installPlanRef": { "name": "install-abcde" } }));
    world.put(object(
        resources::INSTALL_PLAN,
        "multicluster-engine",
        "install-abcde",
        &json!({ "spec": { "approved": false }, "status": { "phase": "RequiresApproval" } }),
    ));
    let found = finds(&world, OPERATOR, 0, "P13");
    assert_eq!(found.object, "InstallPlan multicluster-engine/install-abcde");
    assert!(
        found.fix.contains("install-abcde") && found.fix.contains("approved"),
        "{found:?}"
    );
}

#[test]
fn operator_groups_of_which_there_must_be_one() {
    let mut world = subscribed(&json!({}));
    world.put(object(
        resources::OPERATOR_GROUP,
        "multicluster-engine",
        "second",
        &json!({}),
    ));
    assert!(finds(&world, OPERATOR, 0, "P13").evidence[0].starts_with("2 OperatorGroups"));
    world.remove("OperatorGroup");
    waits_first(&world, OPERATOR);
    finds(&world, OPERATOR, 1, "P13");
    world.put(object(
        resources::OPERATOR_GROUP,
        "multicluster-engine",
        "other",
        &json!({ "spec": { "targetNamespaces": ["elsewhere"] } }),
    ));
    assert!(
        finds(&world, OPERATOR, 0, "P13")
            .title
            .contains("leaves the namespace itself out")
    );
}

#[test]
fn a_channel_that_the_catalog_does_not_have() {
    let message =
        "constraints not satisfiable: no operators found in channel stable-9.9 of package multicluster-engine";
    let status = conditions(&[("ResolutionFailed", "True", "ConstraintsNotSatisfiable", message)])["status"].clone();
    let found = finds(&subscribed(&status), OPERATOR, 0, "P09");
    assert!(
        found.evidence.iter().any(|line| line.contains("stable-2.7")),
        "{found:?}"
    );
}

#[test]
fn a_grace_is_counted_from_when_the_cause_came_about() {
    let mut world = guest(&[("Available", "True", "AsExpected", "")]);
    world
        .put(object(resources::MACHINE, INSIDE, MACHINE, &json!({})))
        .put(object(
            resources::VIRTUAL_MACHINE_INSTANCE,
            INSIDE,
            MACHINE,
            // The pool has waited for its control plane for twenty minutes by then.
            &json!({ "metadata": { "creationTimestamp": "1970-01-01T00:20:00Z" }, "status": { "phase": "Running" } }),
        ))
        .change("NodePool", "guest-cluster-0-workers", |pool| {
            pool["status"] =
                conditions(&[("ReachedIgnitionEndpoint", "False", "ignitionNotReached", "")])["status"].clone();
        });
    assert!(matches!(
        world.assess_after(step(POOL).as_ref(), 21),
        Assessment::Waiting {
            recheck_at: Some(_),
            ..
        }
    ));
    finds(&world, POOL, 30, "C16");
}
