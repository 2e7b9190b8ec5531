//! Which workloads a control plane has, and how many pods of each: by generation, availability policy and settings.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::support::{CONTROL_PLANE, IMAGE, Lab};
use crate::client::name_of;
use crate::generation::Generation;
use crate::kind::{CRON_JOB, DEPLOYMENT, HOSTED_CLUSTER, JOB, NODE_POOL, STATEFUL_SET};
use crate::world::Faults;

const CURRENT_IMAGE: &str = "quay.io/openshift-release-dev/ocp-release:5.0.0-multi";

/// Three pods where all is doubled, one where not: what the API needs.
const CRITICAL: &str = "etcd kube-apiserver openshift-apiserver openshift-oauth-apiserver oauth-openshift packageserver \
     network-node-identity ovnkube-control-plane";
/// Two, or one.
const DOUBLED: &str = "kube-controller-manager kube-scheduler openshift-controller-manager \
     openshift-route-controller-manager cluster-policy-controller ignition-server ignition-server-proxy konnectivity-agent \
     kubevirt-cloud-controller-manager multus-admission-controller csi-snapshot-controller";
/// Always one.
const FIXED: &str = "control-plane-operator control-plane-pki-operator hosted-cluster-config-operator cluster-api \
     capi-provider machine-approver cluster-version-operator cluster-network-operator cluster-node-tuning-operator \
     cluster-storage-operator csi-snapshot-controller-operator cluster-image-registry-operator dns-operator \
     ingress-operator kubevirt-csi-controller olm-operator catalog-operator redhat-operators-catalog \
     community-operators-catalog certified-operators-catalog";
const ONLY_4_17: &str = "cloud-credential-operator redhat-marketplace-catalog";
const ONLY_CURRENT: &str = "kube-storage-version-migrator";

type Table = BTreeMap<String, u64>;

/// The table of the facts.
fn expected(generation: Generation, single: bool) -> Table {
    let only = if generation.is_current() {
        ONLY_CURRENT
    } else {
        ONLY_4_17
    };
    let count = |doubled: u64| if single { 1 } else { doubled };
    let groups = [
        (CRITICAL, count(3)),
        (DOUBLED, count(2)),
        (FIXED, 1),
        (only, 1),
        ("cluster-autoscaler", 0),
    ];
    let rows = groups.map(|(names, count)| names.split_whitespace().map(move |name| (name.to_owned(), count)));
    rows.into_iter().flatten().collect()
}

async fn table(lab: &Lab) -> Table {
    let mut rows = Table::new();
    for kind in [DEPLOYMENT, STATEFUL_SET] {
        for workload in lab.client.list(kind, Some(CONTROL_PLANE), "").await.unwrap() {
            let count = workload["spec"]["replicas"].as_u64().unwrap();
            rows.insert(name_of(&workload).to_owned(), count);
        }
    }
    rows
}

/// The workloads of a guest that has come up with these settings.
async fn lab_with(generation: Generation, settings: Value) -> Lab {
    let lab = Lab::start_of(generation, Faults::default(), Vec::new()).await;
    lab.allow_wildcards().await;
    let image = if generation.is_current() { CURRENT_IMAGE } else { IMAGE };
    lab.create_guest_of(image, settings).await;
    lab.wait_for(HOSTED_CLUSTER, "guest", "its rollout", |cluster| {
        cluster["status"]["version"]["history"][0]["state"] == "Completed"
    })
    .await;
    lab
}

#[tokio::test(start_paused = true)]
async fn replicas_are_those_of_the_policy_in_both_generations() {
    for generation in Generation::ALL {
        for policy in ["HighlyAvailable", "SingleReplica"] {
            let lab = lab_with(generation, json!({ "controllerAvailabilityPolicy": policy })).await;
            let single = policy == "SingleReplica";
            assert_eq!(table(&lab).await, expected(generation, single), "{generation} {policy}");
            let exists = |kind, name: &'static str| lab.client.get(kind, Some(CONTROL_PLANE), name);
            assert!(exists(CRON_JOB, "olm-collect-profiles").await.unwrap().is_some());
            let gates = exists(JOB, "featuregate-generator").await.unwrap();
            assert_eq!(gates.is_some(), generation.is_current(), "{generation}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_cluster_does_without_has_no_workload() {
    let catalogs = [
        "redhat-operators-catalog",
        "community-operators-catalog",
        "certified-operators-catalog",
    ];
    let off = |settings: Value, gone: &[&'static str]| (settings, gone.to_vec());
    let cases = [
        off(json!({ "olmCatalogPlacement": "guest" }), &catalogs),
        off(
            json!({ "configuration": { "operatorhub": { "disableAllDefaultSources": true } } }),
            &catalogs,
        ),
        off(
            json!({ "configuration": { "authentication": { "type": "OIDC" } } }),
            &["oauth-openshift", "openshift-oauth-apiserver"],
        ),
        off(
            json!({ "platform": { "type": "KubeVirt", "kubevirt": { "storageDriver": { "type": "None" } } } }),
            &["kubevirt-csi-controller"],
        ),
        off(
            json!({ "capabilities": { "disabled": ["Console", "ImageRegistry", "Ingress", "NodeTuning"] } }),
            &[
                "cluster-image-registry-operator",
                "cluster-node-tuning-operator",
                "ingress-operator",
            ],
        ),
    ];
    for (settings, gone) in cases {
        let lab = lab_with(Generation::Current, settings.clone()).await;
        let mut wanted = expected(Generation::Current, false);
        wanted.retain(|name, _| !gone.contains(&name.as_str()));
        assert_eq!(table(&lab).await, wanted, "{settings}");
    }
}

#[tokio::test(start_paused = true)]
async fn router_and_autoscaler_are_there_when_they_are_needed() {
    let services = json!([
        {
            "service": "APIServer",
            "servicePublishingStrategy": { "type": "Route", "route": { "hostname": "api.guest.example.test" } },
        },
        { "service": "Ignition", "servicePublishingStrategy": { "type": "Route" } },
        { "service": "Konnectivity", "servicePublishingStrategy": { "type": "Route" } },
        { "service": "OAuthServer", "servicePublishingStrategy": { "type": "Route" } },
    ]);
    let lab = lab_with(Generation::V4_17, json!({ "services": services })).await;
    let mut wanted = expected(Generation::V4_17, false);
    wanted.insert("router".to_owned(), 3);
    assert_eq!(table(&lab).await, wanted);

    // One pool that scales by itself is enough.
    let itself = json!({ "spec": { "replicas": null, "autoScaling": { "min": 3, "max": 4 } } });
    lab.client
        .merge(NODE_POOL, Some("hcp"), "guest", &itself)
        .await
        .unwrap();
    lab.sleep(Duration::from_mins(3)).await;
    wanted.insert("cluster-autoscaler".to_owned(), 1);
    assert_eq!(table(&lab).await, wanted);
}

#[tokio::test(start_paused = true)]
async fn what_was_scaled_by_hand_comes_back_whoever_made_it() {
    let lab = lab_with(Generation::V4_17, json!({})).await;
    let wanted = expected(Generation::V4_17, false);
    let none = json!({ "spec": { "replicas": 0 } });
    // etcd and the scheduler are the control plane's own; the HyperShift operator made the others.
    for (kind, name) in [
        (STATEFUL_SET, "etcd"),
        (DEPLOYMENT, "kube-scheduler"),
        (DEPLOYMENT, "capi-provider"),
        (DEPLOYMENT, "cluster-api"),
        (DEPLOYMENT, "control-plane-operator"),
    ] {
        lab.client.merge(kind, Some(CONTROL_PLANE), name, &none).await.unwrap();
        lab.sleep(Duration::from_mins(3)).await;
        assert_eq!(table(&lab).await, wanted, "{name}");
    }
    let more = json!({ "spec": { "replicas": 5 } });
    lab.client
        .merge(STATEFUL_SET, Some(CONTROL_PLANE), "etcd", &more)
        .await
        .unwrap();
    lab.sleep(Duration::from_mins(3)).await;
    assert_eq!(table(&lab).await, wanted);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_debugs_has_no_pods_until_they_are_done() {
    let lab = lab_with(Generation::V4_17, json!({})).await;
    let debug = async |names: Option<&str>| {
        let annotations = json!({ "hypershift.openshift.io/debug-deployments": names });
        let patch = json!({ "metadata": { "annotations": annotations } });
        lab.client
            .merge(HOSTED_CLUSTER, Some("hcp"), "guest", &patch)
            .await
            .unwrap();
        lab.sleep(Duration::from_mins(3)).await;
    };
    let mut wanted = expected(Generation::V4_17, false);
    debug(Some("capi-provider,kube-scheduler,etcd")).await;
    for name in ["capi-provider", "kube-scheduler", "etcd"] {
        wanted.insert(name.to_owned(), 0);
    }
    assert_eq!(table(&lab).await, wanted);
    debug(None).await;
    assert_eq!(table(&lab).await, expected(Generation::V4_17, false));
}
