//! What keeps a guest from going, acted out in a whole world in virtual time: each blocker of the catalogue is named, with its
//! evidence and the way out, and let go as told; then the same removal goes on to its end.
//!
//! Not acted out here:
//! - D09 (a console's bulk destroy that does nothing): a button of a web page; nothing of it reaches the API.
//! - D08 (a detach deletes the cluster) only as the warning that it is: what the detach would do to others is the pure rule's
//!   test beside the walk.

use std::time::Duration;

use berth_engine::{Blocked, Event, Limits, ReleaseError, RemovalPlan, RemovalReport, RemoveError, What};
use berth_procedure::{Release, Step, compile_removal};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time;

use crate::hub::{GUEST, Hub, up};

const HOSTED_CLUSTER: &str = "/apis/hypershift.openshift.io/v1beta1/namespaces/hcp/hostedclusters/guest-cluster-0";
const NODE_POOL: &str = "/apis/hypershift.openshift.io/v1beta1/namespaces/hcp/nodepools/guest-cluster-0-workers";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/hcp-guest-cluster-0/deployments";
const MACHINES: &str = "/apis/cluster.x-k8s.io/v1beta1/namespaces/hcp-guest-cluster-0/machines";
const CLUSTERS: &str = "/apis/cluster.x-k8s.io/v1beta1/namespaces/hcp-guest-cluster-0/clusters";
const SECRETS: &str = "/api/v1/namespaces/hcp/secrets";
const MANAGED_CLUSTERS: &str = "/apis/cluster.open-cluster-management.io/v1/managedclusters";
const API_SERVICE: &str = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.upload.cdi.kubevirt.io";
const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";
/// Longer than a removal takes that is let go where it is held.
const PATIENCE: Duration = Duration::from_mins(40);

/// A removal that has ended.
struct Gone {
    plan: RemovalPlan,
    events: Vec<Event>,
    result: Result<RemovalReport, RemoveError>,
}

fn steps() -> Vec<Box<dyn Step>> {
    compile_removal(GUEST.0, GUEST.1)
}

/// A hub with the example's guest on it.
async fn with_guest(seed: u64) -> Hub {
    let hub = Hub::seeded(seed).await;
    let (_, report, _) = up(&hub.engine(1).await).await;
    assert!(report.is_ready());
    hub
}

/// Removes the guest while somebody else meddles with the hub.
async fn down(hub: &Hub, patience: Duration, mut meddle: impl AsyncFnMut(&What)) -> Gone {
    let engine = hub.engine(2).await;
    let steps = steps();
    let plan = engine.remove_plan(&steps).await.expect("a removal can be planned");
    let (sender, mut receiver) = mpsc::channel::<Event>(64);
    let limits = Limits {
        timeout: Some(patience),
        ..Limits::none()
    };
    let listen = async {
        let mut events = Vec::new();
        while let Some(event) = receiver.recv().await {
            meddle(&event.what).await;
            events.push(event);
        }
        events
    };
    let (result, events) = tokio::join!(engine.remove(&steps, &plan, sender, limits), listen);
    Gone { plan, events, result }
}

/// Lets go of a blocker as another `berth` would, while the removal waits.
async fn let_go(hub: &Hub, name: &str) -> Result<(), ReleaseError> {
    let engine = hub.engine(3).await;
    let steps = steps();
    let plan = engine.remove_plan(&steps).await.expect("a removal can be planned");
    let found = plan.blockers.iter().find(|blocked| blocked.blocker.name == name);
    let found = found.unwrap_or_else(|| panic!("{name} is named: {:#?}", plan.blockers));
    let (sender, _receiver) = mpsc::channel(4);
    let write = found.blocker.release.let_go().expect("it can be let go");
    engine.release(&steps, write, sender).await
}

fn is_deleted(what: &What, kind: &str) -> bool {
    matches!(what, What::Wrote { object, verb: berth_engine::Verb::Delete, .. } if object.kind == kind)
}

fn told<'a>(what: &'a What, id: &str) -> Option<&'a berth_procedure::Blocker> {
    match what {
        What::RemovalBlocked { blocker, .. } if blocker.diagnosis.id == id => Some(blocker),
        _ => None,
    }
}

impl Gone {
    /// What was told first under an ID.
    #[track_caller]
    fn blocked(&self, id: &str) -> &berth_procedure::Blocker {
        let found = self.events.iter().find_map(|event| told(&event.what, id));
        found.unwrap_or_else(|| panic!("{id} is not named: {:#?}", self.ids()))
    }

    fn ids(&self) -> Vec<(&str, &str)> {
        let blockers = self.events.iter().filter_map(|event| match &event.what {
            What::RemovalBlocked { blocker, .. } => Some((blocker.diagnosis.id.as_str(), blocker.name.as_str())),
            _ => None,
        });
        blockers.collect()
    }

    /// Nothing else was told to be in the way, and everything is gone.
    #[track_caller]
    fn only(&self, id: &str) {
        assert!(self.ids().iter().all(|(told, _)| *told == id), "{:#?}", self.ids());
        assert!(self.result.is_ok(), "{:#?}\n{:#?}", self.result, self.ids());
    }
}

async fn nothing_is_left(hub: &Hub) {
    for path in [
        HOSTED_CLUSTER,
        "/api/v1/namespaces/hcp-guest-cluster-0",
        "/api/v1/namespaces/hcp",
    ] {
        assert_eq!(hub.get(path).await, None, "{path}");
    }
    assert_eq!(
        hub.list("/apis/kubevirt.io/v1/virtualmachines").await,
        Vec::<Value>::new()
    );
    let imports = hub.list(MANAGED_CLUSTERS).await;
    assert!(
        imports
            .iter()
            .all(|import| import["metadata"]["name"] == "local-cluster"),
        "{imports:#?}"
    );
}

async fn finalizers(hub: &Hub, path: &str, more: &str) {
    let object = hub.get(path).await.expect("it is there");
    let mut finalizers: Vec<Value> = object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    finalizers.push(more.into());
    hub.merge(path, &json!({ "metadata": { "finalizers": finalizers } }))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_nothing_holds_is_counted_down_and_nothing_is_named() {
    let hub = with_guest(31).await;
    let gone = down(&hub, PATIENCE, async |_| {}).await;
    assert_eq!(gone.ids(), []);
    assert_eq!(gone.plan.blockers, Vec::<Blocked>::new());
    assert!(gone.result.is_ok(), "{:#?}", gone.result);
    let waits: Vec<&str> = gone
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Waiting { detail, .. } => Some(detail.as_str()),
            _ => None,
        })
        .collect();
    assert!(
        waits[0].starts_with("left: NodePools 1, machines 3 of 3, VMs 3"),
        "{waits:#?}"
    );
    assert!(
        waits
            .iter()
            .any(|wait| wait.contains("the control plane in hcp-guest-cluster-0")),
        "{waits:#?}"
    );
    nothing_is_left(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn d01_an_interrupted_destroys_finalizer_is_named_at_the_end_of_the_time_and_let_go() {
    let hub = with_guest(32).await;
    finalizers(&hub, HOSTED_CLUSTER, "openshift.io/destroy-cluster").await;
    let gone = down(&hub, Duration::from_mins(20), async |_| {}).await;
    let Err(RemoveError::TimedOut { blockers, .. }) = &gone.result else {
        panic!("it is held: {:#?}", gone.result);
    };
    let name = "hostedcluster/guest-cluster-0/finalizer:openshift.io/destroy-cluster";
    let named: Vec<_> = blockers.iter().map(|blocked| blocked.blocker.name.as_str()).collect();
    assert_eq!(named, [name], "the leaf is what is named");
    assert_eq!(gone.blocked("D01").orphans, Vec::<String>::new());
    let_go(&hub, name).await.expect("it is let go");
    // The one finalizer is gone, and the interrupted removal goes on.
    assert_eq!(hub.get(HOSTED_CLUSTER).await, None);
    let gone = down(&hub, PATIENCE, async |_| {}).await;
    assert!(gone.result.is_ok(), "{:#?}", gone.result);
    nothing_is_left(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn d02_a_finalizer_on_a_machine_is_let_go_only_when_nothing_stands_on_it() {
    let hub = with_guest(33).await;
    let machine = hub.list(MACHINES).await[0]["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    finalizers(&hub, &format!("{MACHINES}/{machine}"), "example.com/hold").await;
    let name = format!("machine/{machine}/finalizer:example.com/hold");
    let gone = down(&hub, PATIENCE, async |what| {
        if let Some(blocker) = told(what, "D02")
            && let Release::Yes(_) = blocker.release
        {
            let_go(&hub, &blocker.name).await.expect("it is let go");
        }
    })
    .await;
    assert_eq!(gone.blocked("D02").name, name);
    gone.only("D02");
    nothing_is_left(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn d03_controllers_that_are_gone_are_named_and_the_removal_goes_on_once_they_are_back() {
    let hub = with_guest(34).await;
    let scale = async |replicas: u32| {
        for name in ["cluster-api", "capi-provider"] {
            hub.merge(
                &format!("{DEPLOYMENTS}/{name}"),
                &json!({ "spec": { "replicas": replicas } }),
            )
            .await;
        }
    };
    let gone = down(&hub, PATIENCE, async |what| {
        if is_deleted(what, "HostedCluster") {
            scale(0).await;
        } else if told(what, "D03").is_some() {
            let plan = hub.engine(3).await.remove_plan(&steps()).await.expect("a plan");
            let each: Vec<_> = plan
                .blockers
                .iter()
                .filter(|blocked| blocked.blocker.explained_by.is_some())
                .collect();
            assert!(
                !each.is_empty(),
                "each machine could be let go by itself: {:#?}",
                plan.blockers
            );
            assert!(
                each[0]
                    .blocker
                    .orphans
                    .iter()
                    .any(|orphan| orphan.starts_with("VirtualMachine ")),
                "{each:#?}"
            );
            scale(1).await;
        }
    })
    .await;
    let blocked = gone.blocked("D03");
    assert!(blocked.diagnosis.fix.contains("oc scale deployment/"), "{blocked:#?}");
    gone.only("D03");
    nothing_is_left(&hub).await;
}

/// A pod on a worker, and a budget that lets it not go.
async fn guard_a_pod(hub: &Hub) -> String {
    let node = hub.names_in_guest("/api/v1/nodes").await.remove(0);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "web-0", "namespace": "default", "labels": { "app": "web" } },
        "spec": { "nodeName": node, "containers": [{ "name": "web", "image": "web" }] },
    });
    hub.write_in_guest("/api/v1/namespaces/default/pods/web-0", APPLY, &pod)
        .await;
    let running = json!({ "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] } });
    hub.write_in_guest("/api/v1/namespaces/default/pods/web-0/status", MERGE, &running)
        .await;
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": "web", "namespace": "default" },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "web" } } },
    });
    let path = "/apis/policy/v1/namespaces/default/poddisruptionbudgets/web";
    hub.write_in_guest(path, APPLY, &budget).await;
    let status = json!({ "status": {
        "observedGeneration": 1, "disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1,
    } });
    hub.write_in_guest(&format!("{path}/status"), MERGE, &status).await;
    node
}

#[tokio::test(start_paused = true)]
async fn d04_a_budget_in_the_guest_that_holds_a_drain_is_named_with_its_pods() {
    let hub = with_guest(35).await;
    let node = guard_a_pod(&hub).await;
    // A pool that somebody deletes is drained; where the whole guest goes, Cluster API drains nothing any more.
    hub.delete(NODE_POOL).await;
    time::sleep(Duration::from_mins(3)).await;
    let left = hub.list(MACHINES).await;
    assert_eq!(left.len(), 1, "the others have gone");
    let plan = hub.engine(3).await.remove_plan(&steps()).await.expect("a plan");
    let [Blocked { blocker, .. }] = &plan.blockers[..] else {
        panic!("one thing is in the way: {:#?}", plan.blockers);
    };
    assert_eq!(
        (blocker.diagnosis.id.as_str(), &blocker.name),
        ("D04", &format!("machine/{node}/drain"))
    );
    assert_eq!(
        blocker.diagnosis.evidence[0],
        "PodDisruptionBudget default/web in the guest allows 0 disruptions (1 healthy, 1 wanted): pods default/web-0"
    );
    assert!(blocker.orphans[0].contains("default/web-0"), "{blocker:#?}");
    let_go(&hub, &blocker.name).await.expect("the drain is let go");
    let gone = down(&hub, PATIENCE, async |_| {}).await;
    assert!(gone.result.is_ok(), "{:#?}", gone.result);
    nothing_is_left(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn d05_machines_without_their_cluster_are_let_go_innermost_first() {
    let hub = with_guest(36).await;
    let gone = down(&hub, PATIENCE, async |what| {
        if is_deleted(what, "HostedCluster") {
            let cluster = hub.list(CLUSTERS).await.remove(0);
            let path = format!(
                "{CLUSTERS}/{}",
                cluster["metadata"]["name"].as_str().unwrap_or_default()
            );
            hub.delete(&path).await;
            hub.merge(&path, &json!({ "metadata": { "finalizers": null } })).await;
        } else if let Some(blocker) = told(what, "D05")
            && let Release::Yes(_) = blocker.release
        {
            let_go(&hub, &blocker.name).await.expect("it is let go");
        }
    })
    .await;
    let blocked = gone.blocked("D05");
    assert!(
        blocked.diagnosis.evidence[0].starts_with("there is no Cluster in hcp-guest-cluster-0"),
        "{blocked:#?}"
    );
    gone.only("D05");
    nothing_is_left(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn d06_a_dead_aggregated_api_is_named_where_a_namespace_does_not_end() {
    let hub = with_guest(37).await;
    let service = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": { "name": "v1beta1.upload.cdi.kubevirt.io" },
        "spec": {
            "group": "upload.cdi.kubevirt.io", "version": "v1beta1", "groupPriorityMinimum": 1000, "versionPriority": 15,
            "service": { "name": "cdi-api", "namespace": "gone" }, "insecureSkipTLSVerify": true,
        },
    });
    hub.apply(API_SERVICE, &service).await;
    let gone = down(&hub, PATIENCE, async |what| {
        if told(what, "D06").is_some() {
            hub.delete(API_SERVICE).await;
        }
    })
    .await;
    let blocked = gone.blocked("D06");
    let objects = gone
        .events
        .iter()
        .filter_map(|event| told(&event.what, "D06"))
        .map(|it| it.diagnosis.object.as_str());
    assert!(
        objects
            .collect::<Vec<_>>()
            .iter()
            .all(|object| object.ends_with("guest-cluster-0")),
        "{:#?}",
        gone.ids()
    );
    assert!(
        blocked.diagnosis.evidence[0].starts_with(
            "APIService v1beta1.upload.cdi.kubevirt.io is not available: ServiceNotFound, service/cdi-api in \"gone\""
        ),
        "{blocked:#?}"
    );
    assert!(
        blocked
            .diagnosis
            .fix
            .contains("oc delete apiservice v1beta1.upload.cdi.kubevirt.io"),
        "{blocked:#?}"
    );
    assert!(
        matches!(blocked.release, Release::No { .. }),
        "what is the whole hub's is not let go here"
    );
    gone.only("D06");
    nothing_is_left(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn d07_an_ingress_controller_in_the_guest_is_named_with_its_finalizer() {
    let hub = with_guest(38).await;
    let finalizer = "ingresscontroller.operator.openshift.io/finalizer-ingresscontroller";
    let controller = json!({
        "apiVersion": "operator.openshift.io/v1", "kind": "IngressController",
        "metadata": { "name": "sharded", "namespace": "openshift-ingress-operator", "finalizers": [finalizer] },
        "spec": {},
    });
    let path = "/apis/operator.openshift.io/v1/namespaces/openshift-ingress-operator/ingresscontrollers/sharded";
    hub.write_in_guest(path, APPLY, &controller).await;
    let gone = down(&hub, PATIENCE, async |what| {
        if let Some(blocker) = told(what, "D07") {
            let_go(&hub, &blocker.name).await.expect("it is let go");
        }
    })
    .await;
    let blocked = gone.blocked("D07");
    assert_eq!(blocked.name, format!("ingresscontroller/sharded/finalizer:{finalizer}"));
    assert!(
        blocked.diagnosis.evidence[1].contains("Remaining resources: ingress-controllers"),
        "{blocked:#?}"
    );
    gone.only("D07");
    nothing_is_left(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn d08_a_namespace_that_is_also_an_imports_is_warned_of() {
    let hub = with_guest(39).await;
    let import = json!({
        "apiVersion": "cluster.open-cluster-management.io/v1", "kind": "ManagedCluster",
        "metadata": { "name": "hcp" }, "spec": { "hubAcceptsClient": true },
    });
    hub.apply(&format!("{MANAGED_CLUSTERS}/hcp"), &import).await;
    let plan = hub.engine(3).await.remove_plan(&steps()).await.expect("a plan");
    let found = plan
        .blockers
        .iter()
        .find(|blocked| blocked.blocker.diagnosis.id == "D08");
    let found = found.unwrap_or_else(|| panic!("{:#?}", plan.blockers));
    assert_eq!(found.blocker.diagnosis.object, "ManagedCluster hcp");
    // Nobody else is in it.
    assert!(plan.forbidden().is_none());
}

#[tokio::test(start_paused = true)]
async fn d10_a_pull_secret_that_went_first_is_named_before_anything_is_deleted() {
    let hub = with_guest(40).await;
    hub.delete(&format!("{SECRETS}/guest-cluster-0-pull-secret")).await;
    let gone = down(&hub, PATIENCE, async |_| {}).await;
    let [Blocked { blocker, .. }] = &gone.plan.blockers[..] else {
        panic!("one thing is in the way: {:#?}", gone.plan.blockers);
    };
    assert_eq!(
        (blocker.diagnosis.id.as_str(), blocker.name.as_str()),
        ("D10", "secret/guest-cluster-0-pull-secret/missing")
    );
    assert!(
        blocker
            .diagnosis
            .fix
            .contains("oc create secret generic guest-cluster-0-pull-secret -n hcp"),
        "{blocker:#?}"
    );
    gone.only("D10");
}

#[tokio::test(start_paused = true)]
async fn d11_an_import_that_does_not_end_is_named_and_let_go_when_said_twice() {
    let hub = with_guest(41).await;
    let import = format!("{MANAGED_CLUSTERS}/guest-cluster-0");
    assert!(hub.get(&import).await.is_some(), "the hub has imported the guest");
    finalizers(&hub, &import, "example.com/hold").await;
    let gone = down(&hub, PATIENCE, async |what| {
        if let Some(blocker) = told(what, "D11") {
            assert!(matches!(blocker.release, Release::Contested { .. }), "{blocker:#?}");
            let_go(&hub, &blocker.name).await.expect("it is let go");
        }
    })
    .await;
    assert_eq!(gone.blocked("D11").diagnosis.object, "ManagedCluster guest-cluster-0");
    gone.only("D11");
    nothing_is_left(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn d12_leftovers_go_only_where_a_label_proves_whose_they_are() {
    let hub = with_guest(42).await;
    let cluster = hub.get(HOSTED_CLUSTER).await.expect("it is there");
    let infra = cluster["spec"]["infraID"].as_str().unwrap_or_default();
    let secret = |name: &str, labels: Value| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": "hcp", "labels": labels } });
    let label = "hypershift.openshift.io/auto-created-for-infra";
    hub.apply(
        &format!("{SECRETS}/left-by-hcp"),
        &secret("left-by-hcp", json!({ label: infra })),
    )
    .await;
    hub.apply(
        &format!("{SECRETS}/of-another"),
        &secret("of-another", json!({ label: "other-12345" })),
    )
    .await;
    let gone = down(&hub, PATIENCE, async |_| {}).await;
    let planned: Vec<String> = gone
        .plan
        .removals
        .iter()
        .map(|removal| removal.object.to_string())
        .collect();
    assert!(planned.contains(&"Secret hcp/left-by-hcp".to_owned()), "{planned:#?}");
    assert!(
        !planned
            .iter()
            .any(|object| object.contains("of-another") || object == "Namespace hcp"),
        "{planned:#?}"
    );
    assert!(gone.result.is_ok(), "{:#?}", gone.result);
    assert!(hub.get(&format!("{SECRETS}/left-by-hcp")).await.is_none());
    assert!(hub.get(&format!("{SECRETS}/of-another")).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn d13_leftovers_in_the_observability_namespace_are_named_and_do_not_hold_the_guest() {
    let hub = with_guest(43).await;
    let namespace = "/api/v1/namespaces/open-cluster-management-observability";
    let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "open-cluster-management-observability" } });
    hub.apply(namespace, &object).await;
    let left = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "rs-namespace-config", "namespace": "open-cluster-management-observability",
            "finalizers": ["observability.open-cluster-management.io/right-sizing"],
        },
    });
    hub.apply(&format!("{namespace}/configmaps/rs-namespace-config"), &left)
        .await;
    hub.delete(namespace).await;
    time::sleep(Duration::from_mins(3)).await;
    let gone = down(&hub, PATIENCE, async |_| {}).await;
    let blocked = gone.blocked("D13");
    assert!(
        blocked.diagnosis.evidence[0].contains("right-sizing in 1 resource instances"),
        "{blocked:#?}"
    );
    gone.only("D13");
    nothing_is_left(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn d14_what_was_stripped_by_hand_is_listed_and_what_hypershift_made_goes() {
    let hub = with_guest(44).await;
    hub.merge(
        "/apis/apps/v1/namespaces/hypershift/deployments/operator",
        &json!({ "spec": { "replicas": 0 } }),
    )
    .await;
    hub.delete(HOSTED_CLUSTER).await;
    // While the operator's webhooks are asked for and nobody answers, no finalizer can be stripped.
    let webhooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hypershift.openshift.io";
    hub.delete(webhooks).await;
    for path in [HOSTED_CLUSTER, NODE_POOL] {
        if hub.get(path).await.is_some() {
            hub.merge(path, &json!({ "metadata": { "finalizers": null } })).await;
        }
    }
    assert_eq!(hub.get(HOSTED_CLUSTER).await, None);
    let mut let_go = false;
    let gone = down(&hub, PATIENCE, async |what| {
        // The namespace takes the controllers' pods along before what they would have taken down.
        if told(what, "D03").is_some() && !std::mem::replace(&mut let_go, true) {
            let_go_of_all(&hub).await;
        }
    })
    .await;
    let found = gone
        .plan
        .blockers
        .iter()
        .find(|blocked| blocked.blocker.diagnosis.id == "D14");
    let blocker = &found.unwrap_or_else(|| panic!("{:#?}", gone.plan.blockers)).blocker;
    let virtual_machines = blocker
        .orphans
        .iter()
        .filter(|orphan| orphan.starts_with("VirtualMachine "))
        .count();
    assert_eq!(virtual_machines, 3, "{:#?}", blocker.orphans);
    assert!(
        blocker
            .orphans
            .iter()
            .any(|orphan| orphan.contains("kube-apiserver and its address")),
        "{:#?}",
        blocker.orphans
    );
    let planned: Vec<String> = gone
        .plan
        .removals
        .iter()
        .map(|removal| removal.object.to_string())
        .collect();
    assert!(
        planned.contains(&"Namespace hcp-guest-cluster-0".to_owned()),
        "{planned:#?}"
    );
    assert!(gone.result.is_ok(), "{:#?}\n{:#?}", gone.result, gone.ids());
    assert_eq!(hub.get("/api/v1/namespaces/hcp-guest-cluster-0").await, None);
    assert_eq!(
        hub.list("/apis/kubevirt.io/v1/virtualmachines").await,
        Vec::<Value>::new()
    );
}

/// Lets go of whatever can be, one by one and innermost first, as somebody with patience would.
async fn let_go_of_all(hub: &Hub) {
    for _ in 0..20 {
        let engine = hub.engine(3).await;
        let plan = engine.remove_plan(&steps()).await.expect("a removal can be planned");
        for blocked in &plan.blockers {
            if let Release::Yes(write) = &blocked.blocker.release {
                let (sender, _receiver) = mpsc::channel(4);
                // What moved on meanwhile is looked at again.
                let _ = engine.release(&steps(), write, sender).await;
            }
        }
        time::sleep(Duration::from_secs(40)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_moved_on_is_not_let_go() {
    let hub = with_guest(45).await;
    finalizers(&hub, HOSTED_CLUSTER, "openshift.io/destroy-cluster").await;
    let gone = down(&hub, Duration::from_mins(20), async |_| {}).await;
    assert!(gone.result.is_err());
    let engine = hub.engine(3).await;
    let plan = engine.remove_plan(&steps()).await.expect("a plan");
    hub.merge(
        HOSTED_CLUSTER,
        &json!({ "metadata": { "annotations": { "somebody": "was here" } } }),
    )
    .await;
    let write = plan.blockers[0].blocker.release.let_go().expect("it can be let go");
    let (sender, _receiver) = mpsc::channel(4);
    let refused = engine.release(&steps(), write, sender).await;
    assert!(matches!(refused, Err(ReleaseError::Moved { .. })), "{refused:?}");
}
