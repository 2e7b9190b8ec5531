//! From the bare management cluster to a guest with workers, by the public API alone, in the times that are published for
//! the real thing.

use std::time::Duration;

use berth_lab::{Simulation, SimulationOptions, Speed};
use serde_json::{Value, json};

use crate::hub::{Hub, has, is_true, object};

const INGRESS: &str = "/apis/operator.openshift.io/v1/namespaces/openshift-ingress-operator/ingresscontrollers/default";
const OPERATORS: &str = "/apis/operators.coreos.com";
const ENGINE: &str = "/apis/multicluster.openshift.io/v1/multiclusterengines";
const HYPERSHIFT: &str = "/apis/hypershift.openshift.io/v1beta1/namespaces/hcp";
const RELEASE: &str = "quay.io/openshift-release-dev/ocp-release:4.17.0-multi";

async fn ingress(hub: &Hub<'_>) {
    hub.patch(
        INGRESS,
        &json!({ "spec": { "routeAdmission": { "wildcardPolicy": "WildcardsAllowed" } } }),
    )
    .await;
    let rolled_out = |controller: &Value| {
        controller["status"]["observedGeneration"] == controller["metadata"]["generation"]
            && has(controller, "Progressing", "False")
    };
    hub.until(INGRESS, rolled_out).await;
}

async fn storage(hub: &Hub<'_>) {
    let patch = json!({ "metadata": { "annotations": { "storageclass.kubernetes.io/is-default-class": "true" } } });
    hub.patch(
        "/apis/storage.k8s.io/v1/storageclasses/ocs-storagecluster-ceph-rbd",
        &patch,
    )
    .await;
}

async fn operator(hub: &Hub<'_>) {
    let namespace = "multicluster-engine";
    hub.create("/api/v1/namespaces", &json!({ "metadata": { "name": namespace } }))
        .await;
    let group = object(
        "operators.coreos.com/v1",
        "OperatorGroup",
        Some(namespace),
        "mce",
        &json!({ "targetNamespaces": [namespace] }),
    );
    hub.create(&format!("{OPERATORS}/v1/namespaces/{namespace}/operatorgroups"), &group)
        .await;
    let spec = json!({
        "sourceNamespace": "openshift-marketplace",
        "source": "redhat-operators",
        "channel": "stable-2.7",
        "installPlanApproval": "Automatic",
        "name": namespace,
    });
    let subscription = object(
        "operators.coreos.com/v1alpha1",
        "Subscription",
        Some(namespace),
        namespace,
        &spec,
    );
    let subscriptions = format!("{OPERATORS}/v1alpha1/namespaces/{namespace}/subscriptions");
    hub.create(&subscriptions, &subscription).await;
    let installed = hub
        .until(&format!("{subscriptions}/{namespace}"), |s| {
            s["status"]["installedCSV"].is_string()
        })
        .await;
    let csv = installed["status"]["installedCSV"].as_str().expect("it was waited for");
    let csv = format!("{OPERATORS}/v1alpha1/namespaces/{namespace}/clusterserviceversions/{csv}");
    hub.until(&csv, |csv| csv["status"]["phase"] == "Succeeded").await;
}

async fn engine(hub: &Hub<'_>) {
    let engine = object(
        "multicluster.openshift.io/v1",
        "MultiClusterEngine",
        None,
        "multiclusterengine",
        &json!({}),
    );
    hub.create(ENGINE, &engine).await;
    hub.until(&format!("{ENGINE}/multiclusterengine"), |engine| {
        engine["status"]["phase"] == "Available"
    })
    .await;
}

async fn addon(hub: &Hub<'_>) {
    let addon = "/apis/addon.open-cluster-management.io/v1alpha1/namespaces/local-cluster/managedclusteraddons/hypershift-addon";
    hub.until(addon, |addon| {
        is_true(addon, "Available") && has(addon, "Degraded", "False")
    })
    .await;
    let operator = "/apis/apps/v1/namespaces/hypershift/deployments/operator";
    hub.until(operator, |operator| {
        operator["status"]["availableReplicas"] == operator["spec"]["replicas"]
    })
    .await;
    let crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/hostedclusters.hypershift.openshift.io";
    hub.until(crd, |crd| is_true(crd, "Established")).await;
    hub.until(
        "/apis/console.openshift.io/v1/consoleclidownloads/hcp-cli-download",
        |link| link["spec"]["links"].is_array(),
    )
    .await;
}

async fn guest(hub: &Hub<'_>) {
    hub.create("/api/v1/namespaces", &json!({ "metadata": { "name": "hcp" } }))
        .await;
    let secret = json!({
        "metadata": { "name": "pull-secret", "namespace": "hcp" },
        "stringData": { ".dockerconfigjson": r#"{"auths":{"quay.io":{"auth":"bGFiOnNpbXVsYXRlZA=="}}}"# },
    });
    hub.create("/api/v1/namespaces/hcp/secrets", &secret).await;
    let claim = json!({ "size": "8Gi", "storageClassName": "ocs-storagecluster-ceph-rbd" });
    let storage = json!({ "type": "PersistentVolume", "persistentVolume": claim });
    let spec = json!({
        "release": { "image": RELEASE },
        "pullSecret": { "name": "pull-secret" },
        "sshKey": {},
        "etcd": { "managementType": "Managed", "managed": { "storage": storage } },
        "networking": {},
        "platform": { "type": "KubeVirt", "kubevirt": { "baseDomainPassthrough": true } },
        "services": [],
    });
    let cluster = object(
        "hypershift.openshift.io/v1beta1",
        "HostedCluster",
        Some("hcp"),
        "guest",
        &spec,
    );
    hub.create(&format!("{HYPERSHIFT}/hostedclusters"), &cluster).await;
    let spec = json!({
        "clusterName": "guest",
        "replicas": 3,
        "release": { "image": RELEASE },
        "management": { "upgradeType": "Replace" },
        "platform": { "type": "KubeVirt", "kubevirt": { "compute": { "cores": 8, "memory": "10Gi" } } },
    });
    let pool = object(
        "hypershift.openshift.io/v1beta1",
        "NodePool",
        Some("hcp"),
        "guest",
        &spec,
    );
    hub.create(&format!("{HYPERSHIFT}/nodepools"), &pool).await;
    let completed = |cluster: &Value| cluster["status"]["version"]["history"][0]["state"] == "Completed";
    hub.until(&format!("{HYPERSHIFT}/hostedclusters/guest"), completed)
        .await;
}

/// The whole journey; how long each stage took, in virtual seconds.
async fn journey(simulation: &Simulation) -> Vec<(&'static str, u64)> {
    let hub = Hub { simulation };
    let mut stages = Vec::new();
    let mut before = simulation.now();
    let mut done = |stage: &'static str| {
        let now = simulation.now();
        stages.push((stage, now.duration_since(before).as_secs().unsigned_abs()));
        before = now;
    };
    ingress(&hub).await;
    done("ingress");
    storage(&hub).await;
    operator(&hub).await;
    done("operator");
    engine(&hub).await;
    done("engine");
    addon(&hub).await;
    done("addon");
    guest(&hub).await;
    done("guest");
    stages
}

#[tokio::test(start_paused = true)]
async fn takes_as_long_as_the_real_thing() {
    let simulation = Simulation::start(SimulationOptions::default()).await.unwrap();
    let stages = journey(&simulation).await;
    let total: u64 = stages.iter().map(|(_, seconds)| seconds).sum();
    assert!((11 * 60..15 * 60).contains(&total), "{total} s: {stages:?}");
    let client = simulation.guest("hcp", "guest").unwrap();
    let request = http::Request::get("/api/v1/nodes").body(Vec::new()).unwrap();
    let nodes: Value = client.request(request).await.unwrap();
    let ready = nodes["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| is_true(node, "Ready"))
        .count();
    assert_eq!(ready, 3);
}

#[tokio::test(start_paused = true)]
async fn takes_hardly_any_time_at_full_speed() {
    let simulation = Simulation::start(SimulationOptions {
        speed: Speed::Max,
        ..SimulationOptions::default()
    })
    .await
    .unwrap();
    let begun = simulation.now();
    journey(&simulation).await;
    assert!(simulation.now().duration_since(begun) < Duration::from_mins(1).try_into().unwrap());
}

/// The event log of a whole journey, on a runtime of its own, as two processes would have it.
fn log_of(seed: u64) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.expect("there is a runtime").block_on(async {
        let options = SimulationOptions {
            seed,
            record: true,
            ..SimulationOptions::default()
        };
        let simulation = Simulation::start(options).await.expect("the world starts");
        journey(&simulation).await;
        simulation.event_log()
    })
}

#[test]
fn the_same_seed_gives_the_same_journey_byte_for_byte() {
    let (first, second) = (log_of(7), log_of(7));
    assert!(first.len() > 1000);
    let differ = first.iter().zip(&second).position(|(first, second)| first != second);
    assert_eq!(differ.map(|at| (&first[at], &second[at])), None);
    assert_eq!(first.len(), second.len());
}
