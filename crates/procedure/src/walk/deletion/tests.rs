use berth_api::{Resource, resources};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{assess, blockers, watches};
use crate::assess::{Assessment, Observed};
use crate::blocker::{Blocker, Release};
use crate::fixtures::{INSIDE, World, conditions, object};
use crate::walk::GuestRef;

const BEGAN: &str = "1970-01-01T00:00:00Z";

fn guest() -> GuestRef {
    GuestRef::new("hcp", "guest-cluster-0")
}

/// An object of the control-plane namespace that is being deleted, held by finalizers.
fn going(resource: &'static Resource, name: &str, finalizers: &[&str]) -> Value {
    let namespace = if resource.kind == "HostedCluster" || resource.kind == "NodePool" {
        "hcp"
    } else {
        INSIDE
    };
    let metadata = json!({ "deletionTimestamp": BEGAN, "finalizers": finalizers, "uid": name, "resourceVersion": "7" });
    object(resource, namespace, name, &json!({ "metadata": metadata }))
}

fn available(name: &str, replicas: u32) -> Value {
    object(
        resources::DEPLOYMENT,
        INSIDE,
        name,
        &json!({ "status": { "availableReplicas": replicas } }),
    )
}

/// A guest that goes, with one machine that everybody works on.
fn healthy() -> World {
    let mut world = World::default();
    world.put(going(
        resources::HOSTED_CLUSTER,
        "guest-cluster-0",
        &["hypershift.openshift.io/finalizer"],
    ));
    world.put(going(resources::MACHINE, "m", &["machine.cluster.x-k8s.io"]));
    world.put(going(
        resources::KUBEVIRT_MACHINE,
        "m",
        &["kubevirtmachine.infrastructure.cluster.x-k8s.io"],
    ));
    world.put(object(resources::VIRTUAL_MACHINE, INSIDE, "m", &json!({})));
    world.put(object(resources::CAPI_CLUSTER, INSIDE, "infra", &json!({})));
    for deployment in ["cluster-api", "capi-provider", "control-plane-operator"] {
        world.put(available(deployment, 1));
    }
    let status = json!({ "status": { "availableReplicas": 2 } });
    world.put(object(resources::DEPLOYMENT, "hypershift", "operator", &status));
    world
}

fn blocked(world: &World, minutes: i64) -> Vec<Blocker> {
    let facts = world.facts(&watches(&guest()));
    let since = Timestamp::UNIX_EPOCH;
    let now = since + SignedDuration::from_mins(minutes);
    let observed = Observed {
        facts: &facts,
        now,
        since,
    };
    blockers(&observed, &guest())
}

/// IDs and names of what blocks, after some minutes.
#[track_caller]
fn check(world: &World, minutes: i64, expected: &[(&str, &str)]) -> Vec<Blocker> {
    let found = blocked(world, minutes);
    let names: Vec<_> = found
        .iter()
        .map(|blocker| (blocker.diagnosis.id.as_str(), blocker.name.as_str()))
        .collect();
    assert_eq!(names, expected, "{found:#?}");
    for blocker in &found {
        if let Some(let_go) = blocker.release.let_go() {
            assert!(
                let_go.patch["metadata"]["resourceVersion"].is_string(),
                "{let_go:?} names the version it is for"
            );
        }
    }
    found
}

#[test]
fn what_goes_as_it_should_is_only_counted() {
    let world = healthy();
    check(&world, 5, &[]);
    let facts = world.facts(&watches(&guest()));
    let (since, now) = (
        Timestamp::UNIX_EPOCH,
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1),
    );
    let observed = Observed {
        facts: &facts,
        now,
        since,
    };
    let Assessment::Waiting { detail, recheck_at, .. } = assess(&observed, &guest()) else {
        panic!("it is waited for");
    };
    assert_eq!(detail, "left: NodePools 0, machines 1, VMs 0, disks 0");
    // It is looked at again when it has taken too long, without anybody polling.
    assert_eq!(recheck_at, Some(since + SignedDuration::from_mins(10)));
}

#[test]
fn a_living_controller_that_does_not_get_there_must_be_named_twice() {
    let found = check(&healthy(), 10, &[("D02", "kubevirtmachine/m/finalizer")]);
    let Release::Contested { by, let_go } = &found[0].release else {
        panic!("{found:#?}");
    };
    assert_eq!(by, "Cluster API's KubeVirt provider (capi-provider)");
    assert_eq!(let_go.patch["metadata"]["finalizers"], json!([]));
    assert_eq!(found[0].orphans, [format!("VirtualMachine {INSIDE}/m")]);
}

#[test]
fn a_provider_that_is_gone_can_be_replaced_one_object_at_a_time() {
    let mut world = healthy();
    world.put(available("capi-provider", 0));
    let found = check(
        &world,
        1,
        &[
            ("D03", "deployment/capi-provider"),
            ("D03", "kubevirtmachine/m/finalizer"),
        ],
    );
    assert!(
        found[0].diagnosis.fix.contains("oc scale deployment/capi-provider"),
        "{found:#?}"
    );
    assert!(matches!(found[0].release, Release::No { .. }));
    assert!(matches!(found[1].release, Release::Yes(_)));
    assert_eq!(found[1].explained_by.as_deref(), Some("deployment/capi-provider"));
    // With both gone the outer one has to wait for the inner one.
    world.put(available("cluster-api", 0));
    let found = blocked(&world, 1);
    let outer = found
        .iter()
        .find(|blocker| blocker.name == "machine/m/finalizer")
        .expect("it is named");
    assert!(
        matches!(&outer.release, Release::No { why } if why.contains("KubevirtMachine")),
        "{outer:#?}"
    );
}

#[test]
fn a_pause_that_outlived_its_guest_is_lifted_by_letting_go() {
    let mut world = healthy();
    world.change("Cluster", "infra", |cluster| {
        cluster["spec"]["paused"] = json!(true);
        cluster["metadata"]["resourceVersion"] = json!("3");
    });
    let found = check(&world, 1, &[("U18", "cluster/infra/paused")]);
    let let_go = found[0].release.let_go().expect("it can be let go");
    assert_eq!(let_go.patch["spec"]["paused"], false);
}

#[test]
fn a_hook_and_volumes_hold_a_machine() {
    let mut world = healthy();
    let hook = "pre-terminate.delete.hook.machine.cluster.x-k8s.io/backup";
    world.change("Machine", "m", |machine| {
        machine["metadata"]["annotations"][hook] = json!("velero");
    });
    let found = check(&world, 1, &[("D02", "machine/m/hook")]);
    assert!(found[0].diagnosis.evidence[0].contains("of velero"), "{found:#?}");
    let mut world = healthy();
    let waits = conditions(&[("VolumeDetachSucceeded", "False", "WaitingForVolumeDetach", "waiting")]);
    world.change("Machine", "m", |machine| {
        machine["status"] = waits["status"].clone();
    });
    check(&world, 10, &[("D02", "machine/m/volumes")]);
}

#[test]
fn a_foreign_finalizer_waits_for_what_it_stands_on() {
    let mut world = healthy();
    world.change("Machine", "m", |machine| {
        machine["metadata"]["finalizers"] = json!(["machine.cluster.x-k8s.io", "example.com/hold"]);
    });
    let found = check(&world, 1, &[("D02", "machine/m/finalizer:example.com/hold")]);
    assert!(
        matches!(&found[0].release, Release::No { why } if why.contains("goes first")),
        "{found:#?}"
    );
    world.remove("KubevirtMachine").remove("VirtualMachine");
    let found = check(&world, 1, &[("D02", "machine/m/finalizer:example.com/hold")]);
    let let_go = found[0].release.let_go().expect("nothing stands on it any more");
    assert_eq!(
        let_go.patch["metadata"]["finalizers"],
        json!(["machine.cluster.x-k8s.io"])
    );
}

#[test]
fn an_interrupted_destroy_is_named_once_hypershift_is_done() {
    let mut world = healthy();
    let both = ["hypershift.openshift.io/finalizer", "openshift.io/destroy-cluster"];
    world.put(going(resources::HOSTED_CLUSTER, "guest-cluster-0", &both));
    check(&world, 5, &[]);
    for kind in ["Machine", "KubevirtMachine", "VirtualMachine", "Cluster"] {
        world.remove(kind);
    }
    world.put(going(resources::HOSTED_CLUSTER, "guest-cluster-0", &both[1..]));
    let found = check(
        &world,
        5,
        &[(
            "D01",
            "hostedcluster/guest-cluster-0/finalizer:openshift.io/destroy-cluster",
        )],
    );
    assert!(matches!(found[0].release, Release::Yes(_)));
}

#[test]
fn without_its_operator_no_guest_goes() {
    let mut world = healthy();
    world.change("Deployment", "operator", |operator| operator["status"] = json!({}));
    check(&world, 1, &[("P15", "deployment/hypershift/operator")]);
}

#[test]
fn an_address_that_is_not_given_back_is_named() {
    let mut world = healthy();
    let mut service = going(
        resources::SERVICE,
        "kube-apiserver",
        &["service.kubernetes.io/load-balancer-cleanup"],
    );
    service["status"]["loadBalancer"]["ingress"] = json!([{ "ip": "127.64.0.1" }]);
    world.put(service);
    let found = check(&world, 2, &[("P05", "service/kube-apiserver/finalizer")]);
    assert!(found[0].orphans[0].contains("127.64.0.1"), "{found:#?}");
}

#[test]
fn a_detach_that_would_take_others_along_forbids_to_begin() {
    let mut world = World::default();
    world.put(object(resources::HOSTED_CLUSTER, "one", "one", &json!({})));
    world.put(object(resources::HOSTED_CLUSTER, "one", "two", &json!({})));
    world.put(object(resources::MANAGED_CLUSTER, "", "one", &json!({})));
    let place = GuestRef::new("one", "one");
    let facts = world.facts(&watches(&place));
    let (now, since) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    let found = blockers(
        &Observed {
            facts: &facts,
            now,
            since,
        },
        &place,
    );
    assert_eq!(
        (found[0].diagnosis.id.as_str(), found[0].forbids),
        ("D08", true),
        "{found:#?}"
    );
    assert!(found[0].diagnosis.evidence[1].contains("two"), "{found:#?}");
}

#[test]
fn an_import_that_outlived_its_guest_is_named() {
    let mut world = World::default();
    let via = json!({ "metadata": { "annotations": { "open-cluster-management/created-via": "hypershift" } } });
    world.put(object(resources::MANAGED_CLUSTER, "", "guest-cluster-0", &via));
    check(&world, 0, &[("D11", "managedcluster/guest-cluster-0")]);
}

#[test]
fn what_a_namespace_holds_is_told_beside_a_finalizer_that_waits_for_its_turn() {
    let mut world = World::default();
    let finalizers = ["hypershift.openshift.io/finalizer", "example.com/hc"];
    world.put(going(resources::HOSTED_CLUSTER, "guest-cluster-0", &finalizers));
    let status = json!({ "status": { "availableReplicas": 2 } });
    world.put(object(resources::DEPLOYMENT, "hypershift", "operator", &status));
    let mut namespace = going(resources::NAMESPACE, INSIDE, &[]);
    let remaining = "Some content in the namespace has finalizers remaining: example.com/x in 1 resource instances";
    let told = conditions(&[(
        "NamespaceFinalizersRemaining",
        "True",
        "SomeFinalizersRemain",
        remaining,
    )]);
    namespace["status"] = told["status"].clone();
    world.put(namespace);
    let found = check(&world, 3, &[("", "namespace/hcp-guest-cluster-0/content")]);
    assert_eq!(found[0].diagnosis.evidence[0], remaining);
}
