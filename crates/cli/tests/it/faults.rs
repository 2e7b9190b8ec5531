//! What a user is told when something is wrong with the hub, the document or the pull secret: each fault in a whole run, in
//! virtual time. Where the fault can be mended, it is mended as told, and the same run goes on to its end.

use std::time::Duration;

use berth_apiserver::Identity;
use berth_engine::{Basis, Limits, Outcome, Plan, RunError, Verb, What};
use berth_lab::{Faults, SimulationOptions};
use berth_procedure::Step;
use serde_json::{Value, json};

use crate::hub::{Hub, example, example_pull_secret, run, steps, steps_of};
use crate::told::Told;

const CLUSTER: &str = "guest/guest-cluster-0/cluster";
const POOL: &str = "guest/guest-cluster-0/pool/workers";
const ROLLOUT: &str = "guest/guest-cluster-0/rollout";
const ADDRESS_POOL: &str = "/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools/lab";
const INGRESS_CONTROLLER: &str =
    "/apis/operator.openshift.io/v1/namespaces/openshift-ingress-operator/ingresscontrollers/default";
const BLOCK_STORAGE: &str = "/apis/storage.k8s.io/v1/storageclasses/ocs-storagecluster-ceph-rbd";
/// Longer than a bring-up takes.
const PATIENCE: Duration = Duration::from_mins(30);

/// A hub that was started with faults.
async fn hub(faults: Faults) -> Hub {
    Hub::start(SimulationOptions {
        seed: 11,
        faults,
        ..SimulationOptions::default()
    })
    .await
}

fn patience() -> Limits {
    Limits {
        timeout: Some(PATIENCE),
        ..Limits::none()
    }
}

/// Runs the steps while somebody else meddles with the hub.
async fn told(hub: &Hub, steps: &[Box<dyn Step>], meddle: impl AsyncFnMut(&What)) -> Told {
    run(&hub.engine(1).await, steps, patience(), meddle).await
}

/// The example with a part of its text replaced.
#[track_caller]
fn example_with(part: &str, replacement: &str) -> String {
    let text = example();
    assert!(text.contains(part), "the example has `{part}`");
    text.replace(part, replacement)
}

fn is_checked(what: &What) -> bool {
    is_ready(what, "prerequisites")
}

fn is_ready(what: &What, wanted: &str) -> bool {
    matches!(what, What::StepReady { step, .. } if step.as_str() == wanted)
}

fn is_blocked(what: &What, id: &str) -> bool {
    matches!(what, What::Blocked { diagnosis, .. } if diagnosis.id == id)
}

/// Does what a fix says that begins with `oc patch KIND NAME -n NAMESPACE --type=merge -p 'PATCH'`.
async fn patch_as_told(hub: &Hub, fix: &str) {
    let words: Vec<&str> = fix.split(' ').collect();
    let ["oc", "patch", kind, name, "-n", namespace, "--type=merge", "-p", ..] = words[..] else {
        panic!("no such command: {fix}");
    };
    let group = match kind {
        "installplan" => "operators.coreos.com/v1alpha1",
        "ingresscontroller" => "operator.openshift.io/v1",
        other => panic!("no such kind: {other}"),
    };
    let patch = fix.split('\'').nth(1).expect("the patch is quoted");
    let patch: Value = serde_json::from_str(patch).expect("the patch is JSON");
    hub.merge(&format!("/apis/{group}/namespaces/{namespace}/{kind}s/{name}"), &patch)
        .await;
}

fn address_pool() -> Value {
    json!({
        "apiVersion": "metallb.io/v1beta1",
        "kind": "IPAddressPool",
        "metadata": { "name": "lab", "namespace": "metallb-system" },
        "spec": { "addresses": ["127.64.0.0/24"], "autoAssign": true },
    })
}

fn default_class(is_default: &str) -> Value {
    json!({ "metadata": { "annotations": { "storageclass.kubernetes.io/is-default-class": is_default } } })
}

#[tokio::test(start_paused = true)]
async fn a_hub_without_address_pools_is_refused() {
    let hub = hub(Faults {
        no_address_pool: true,
        ..Faults::default()
    })
    .await;
    let told = told(&hub, &steps(), async |_| {}).await;
    let refused = told.refused();
    assert_eq!((refused.id.as_str(), refused.object.as_str()), ("P05", "MetalLB"));
    assert!(refused.evidence[0].contains("no IPAddressPool"), "{refused:#?}");
    assert!(refused.fix.contains("create an IPAddressPool"), "{refused:#?}");
    assert!(hub.writes_of_berth().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_address_pool_that_goes_is_missed_and_one_that_comes_is_used() {
    let hub = hub(Faults::default()).await;
    let told = told(&hub, &steps(), async |what| {
        if is_checked(what) {
            hub.delete(ADDRESS_POOL).await;
        } else if is_blocked(what, "P05") {
            hub.apply(ADDRESS_POOL, &address_pool()).await;
        }
    })
    .await;
    let blocked = told.blocked(CLUSTER, "P05");
    assert_eq!(blocked.object, "Service hcp-guest-cluster-0/kube-apiserver");
    assert!(
        blocked
            .evidence
            .iter()
            .any(|line| line == "MetalLB has no IPAddressPool"),
        "{blocked:#?}"
    );
    assert!(blocked.fix.starts_with("create an IPAddressPool"), "{blocked:#?}");
    told.only("P05");
    told.ready();
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_does_nothing_is_named_when_time_is_over() {
    let hub = Hub::start(SimulationOptions {
        seed: 11,
        without: ["load_balancer".to_owned()].into(),
        ..SimulationOptions::default()
    })
    .await;
    let told = told(&hub, &steps(), async |_| {}).await;
    told.only("P05");
    let (waiting, diagnosis) = told.last_seen(CLUSTER);
    assert_eq!(waiting, "nothing gives the API server of the hosted cluster an address");
    let diagnosis = diagnosis.expect("the last word is an explanation");
    assert_eq!(diagnosis.id, "P05");
    assert!(
        diagnosis
            .evidence
            .iter()
            .any(|line| line == "address pools: 127.64.0.0/24"),
        "the pool is there, so it is not what is missing: {diagnosis:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_document_without_classes_is_refused_on_a_hub_without_a_default() {
    let hub = hub(Faults {
        no_default_storage_class: true,
        ..Faults::default()
    })
    .await;
    let document = example_with("storage: {defaultClass: ocs-storagecluster-ceph-rbd}\n  ", "");
    let told = told(&hub, &steps_of(&document, &example_pull_secret()), async |_| {}).await;
    let refused = told.refused();
    assert_eq!(
        (refused.id.as_str(), refused.object.as_str()),
        ("P02", "StorageClasses")
    );
    assert!(refused.evidence[0].contains("none is; classes: "), "{refused:#?}");
    assert!(refused.fix.contains("spec.storage.defaultClass"), "{refused:#?}");
    assert!(hub.writes_of_berth().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_claim_without_a_class_is_named_and_bound_once_there_is_a_default() {
    let hub = hub(Faults::default()).await;
    hub.merge(BLOCK_STORAGE, &default_class("true")).await;
    let document = example_with("storage: {defaultClass: ocs-storagecluster-ceph-rbd}\n  ", "").replace(
        "  controlPlane: {etcd: {storageClass: ocs-storagecluster-ceph-rbd}}\n",
        "",
    );
    let told = told(&hub, &steps_of(&document, &example_pull_secret()), async |what| {
        if is_checked(what) {
            hub.merge(BLOCK_STORAGE, &default_class("false")).await;
        } else if is_blocked(what, "P02") {
            hub.merge(BLOCK_STORAGE, &default_class("true")).await;
        }
    })
    .await;
    let blocked = told.blocked(CLUSTER, "P02");
    assert_eq!(blocked.object, "PersistentVolumeClaim hcp-guest-cluster-0/data-etcd-0");
    assert!(blocked.title.contains("no class is the default"), "{blocked:#?}");
    assert!(
        blocked.fix.contains("storageclass.kubernetes.io/is-default-class=true"),
        "{blocked:#?}"
    );
    told.only("P02");
    told.ready();
}

#[tokio::test(start_paused = true)]
async fn a_failing_importer_is_named_with_its_own_words() {
    let hub = hub(Faults {
        importer_fails: true,
        ..Faults::default()
    })
    .await;
    let told = told(&hub, &steps(), async |_| {}).await;
    let blocked = told.blocked(POOL, "C14");
    assert!(
        blocked
            .object
            .starts_with("DataVolume hcp-guest-cluster-0/guest-cluster-0-workers-"),
        "{blocked:#?}"
    );
    assert!(blocked.evidence[0].contains("connection refused"), "{blocked:#?}");
    assert!(
        blocked
            .fix
            .contains("oc logs -n hcp-guest-cluster-0 importer-guest-cluster-0-workers-"),
        "{blocked:#?}"
    );
    told.only("C14");
    assert!(told.last_seen(POOL).1.is_some_and(|diagnosis| diagnosis.id == "C14"));
    // The control plane is not kept from coming up by its workers.
    assert!(told.events.iter().any(|event| is_ready(&event.what, CLUSTER)));
}

#[tokio::test(start_paused = true)]
async fn a_release_that_a_registry_refuses_is_put_down_to_the_pull_secret() {
    let hub = hub(Faults {
        release_image_refused: true,
        ..Faults::default()
    })
    .await;
    let told = told(&hub, &steps(), async |_| {}).await;
    let blocked = told.blocked(CLUSTER, "C06");
    assert_eq!(blocked.object, "Secret of HostedCluster hcp/guest-cluster-0");
    assert!(
        blocked.evidence[0].starts_with("ValidReleaseImage=False, ") && blocked.evidence[0].contains("unauthorized"),
        "{blocked:#?}"
    );
    told.only("C06");
}

#[tokio::test(start_paused = true)]
async fn a_pull_secret_without_the_registry_is_told_and_the_right_one_goes_in_its_place() {
    let hub = hub(Faults::default()).await;
    let other_registry = example_pull_secret().replace("quay.io", "registry.example.com");
    let first = told(&hub, &steps_of(&example(), &other_registry), async |_| {}).await;
    let blocked = first.blocked(CLUSTER, "C06");
    assert_eq!(blocked.object, "Secret of HostedCluster hcp/guest-cluster-0");
    assert!(blocked.fix.contains("run up again"), "{blocked:#?}");
    first.only("C06");
    assert!(first.last_seen(CLUSTER).1.is_some());

    let second = run(&hub.engine(2).await, &steps(), patience(), async |_| {}).await;
    second.ready();
}

#[tokio::test(start_paused = true)]
async fn an_install_plan_waits_for_approval_and_goes_on_with_the_command_that_is_told() {
    let hub = hub(Faults {
        manual_approval: true,
        ..Faults::default()
    })
    .await;
    let told = told(&hub, &steps(), async |what| {
        if let What::Blocked { diagnosis, .. } = what
            && diagnosis.id == "P13"
        {
            patch_as_told(&hub, &diagnosis.fix).await;
        }
    })
    .await;
    let blocked = told.blocked("multicluster-engine-operator", "P13");
    assert!(
        blocked.object.starts_with("InstallPlan multicluster-engine/install-"),
        "{blocked:#?}"
    );
    assert_eq!(blocked.evidence[0], "phase RequiresApproval");
    told.only("P13");
    told.ready();
}

#[tokio::test(start_paused = true)]
async fn a_document_that_keeps_wildcard_routes_refused_is_refused_itself() {
    let hub = hub(Faults::default()).await;
    let document = example_with(
        "spec:\n  storage:",
        "spec:\n  ingress: {wildcardPolicy: Keep}\n  storage:",
    );
    let told = told(&hub, &steps_of(&document, &example_pull_secret()), async |_| {}).await;
    let refused = told.refused();
    assert_eq!(refused.id, "P01");
    assert_eq!(refused.object, "IngressController openshift-ingress-operator/default");
    // The place in the document is told.
    assert!(refused.evidence[0].starts_with("guest.yaml:6:29: "), "{refused:#?}");
    assert!(hub.writes_of_berth().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_wildcard_route_that_is_refused_later_is_admitted_with_the_command_that_is_told() {
    let hub = hub(Faults::default()).await;
    let told = told(&hub, &steps(), async |what| {
        if is_ready(what, CLUSTER) {
            let refuse = json!({ "spec": { "routeAdmission": { "wildcardPolicy": "WildcardsDisallowed" } } });
            hub.merge(INGRESS_CONTROLLER, &refuse).await;
        } else if let What::Blocked { diagnosis, .. } = what
            && diagnosis.id == "P01"
        {
            patch_as_told(&hub, &diagnosis.fix).await;
        }
    })
    .await;
    let blocked = told.blocked(ROLLOUT, "P01");
    assert!(blocked.object.starts_with("Route hcp-guest-cluster-0/"), "{blocked:#?}");
    assert!(
        blocked
            .evidence
            .iter()
            .any(|line| line.contains("wildcardPolicy WildcardsDisallowed")),
        "{blocked:#?}"
    );
    told.only("P01");
    told.ready();
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_out_of_time_says_what_it_waited_for() {
    let hub = hub(Faults::default()).await;
    let limits = Limits {
        timeout: Some(Duration::from_mins(6)),
        ..Limits::none()
    };
    let told = run(&hub.engine(1).await, &steps(), limits, async |_| {}).await;
    let Err(RunError::TimedOut { after, report }) = &told.result else {
        panic!("the run has not timed out: {:#?}", told.result);
    };
    assert_eq!(after.as_secs(), 360);
    assert!(!report.has_failed());
    let unfinished: Vec<_> = report
        .steps
        .iter()
        .filter_map(|step| match &step.outcome {
            Outcome::Unfinished { waiting, .. } => Some((step.id.as_str(), waiting.as_str())),
            _ => None,
        })
        .collect();
    assert!(!unfinished.is_empty(), "{report:#?}");
    for (step, waiting) in unfinished {
        assert!(!waiting.is_empty(), "{step} says what was last seen");
    }
    // Nothing was wrong, so nothing was explained; and the lease is free for the next run, which gets to the end.
    assert_eq!(told.explained(), Vec::new());
    run(&hub.engine(2).await, &steps(), patience(), async |_| {})
        .await
        .ready();
}

/// What a plan writes: step, object, what is done to it.
fn writes(plan: &Plan) -> Vec<(&str, String, Verb)> {
    let writes = plan.steps.iter().flat_map(|step| {
        step.writes
            .iter()
            .map(|write| (step.id.as_str(), write.object.to_string(), write.verb))
    });
    writes.collect()
}

#[tokio::test(start_paused = true)]
async fn a_user_who_may_only_read_sees_the_same_plan_and_is_told_so_by_a_run() {
    let hub = hub(Faults::default()).await;
    let reader = hub
        .simulation
        .lock()
        .await
        .client_as(Identity::new("looker", ["system:cluster-readers"]));
    let engine = hub.engine_with(1, reader).await;
    let told = run(&engine, &steps(), patience(), async |_| {}).await;

    let of_admin = hub.engine(2).await.plan(&steps()).await.expect("a plan can be made");
    assert_eq!(writes(&told.plan), writes(&of_admin));
    assert!(told.plan.writes() > 0);
    assert_eq!(told.plan.refusals().count(), 0);
    let bases = told
        .plan
        .steps
        .iter()
        .flat_map(|step| &step.writes)
        .map(|write| &write.basis);
    assert!(
        bases.clone().any(|basis| *basis == Basis::Local) && !bases.clone().any(|basis| *basis == Basis::DryRun),
        "compared on this side: {:#?}",
        bases.collect::<Vec<_>>()
    );

    let Err(RunError::Failed { report }) = &told.result else {
        panic!("a reader cannot run it: {:#?}", told.result);
    };
    assert_eq!(report.writes, 0);
    for (step, diagnosis) in told.explained() {
        assert!(
            diagnosis.evidence[0].contains("forbidden: User \"looker\""),
            "{step}: {diagnosis:#?}"
        );
        assert!(diagnosis.fix.contains("permission"), "{step}: {diagnosis:#?}");
    }
}
