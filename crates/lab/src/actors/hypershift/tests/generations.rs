//! What differs between the generations of the operator, and between the releases of hosted clusters under one of them.

use serde_json::{Value, json};

use super::support::{CONTROL_PLANE, IMAGE, Lab, condition};
use crate::actors::testing::upstream_crds;
use crate::conditions;
use crate::generation::Generation;
use crate::kind::{
    CONTROL_PLANE_COMPONENT, DEPLOYMENT, HOSTED_CLUSTER, JOB, Kind, MACHINE, MACHINE_DEPLOYMENT, NODE_POOL,
};
use crate::world::Faults;

const CURRENT_IMAGE: &str = "quay.io/openshift-release-dev/ocp-release:5.0.0-multi";

/// The conditions of a HostedCluster on 4.17 that has come up: no more, no less.
const OF_4_17: [&str; 23] = [
    "Available",
    "ClusterVersionAvailable",
    "ClusterVersionProgressing",
    "ClusterVersionReleaseAccepted",
    "ClusterVersionSucceeding",
    "ClusterVersionUpgradeable",
    "Degraded",
    "EtcdAvailable",
    "ExternalDNSReachable",
    "IgnitionEndpointAvailable",
    "InfrastructureReady",
    "KubeAPIServerAvailable",
    "KubeVirtNodesLiveMigratable",
    "PlatformCredentialsFound",
    "Progressing",
    "ReconciliationActive",
    "ReconciliationSucceeded",
    "SupportedHostedCluster",
    "ValidConfiguration",
    "ValidHostedControlPlaneConfiguration",
    "ValidIDPConfiguration",
    "ValidKubeVirtInfraNetworkMTU",
    "ValidReleaseImage",
];

/// All four, for what is added later is refused by upstream's rules.
fn services() -> Value {
    let strategies = [
        ("APIServer", "LoadBalancer"),
        ("Ignition", "Route"),
        ("Konnectivity", "Route"),
        ("OAuthServer", "Route"),
    ];
    let services = strategies
        .map(|(service, strategy)| json!({ "service": service, "servicePublishingStrategy": { "type": strategy } }));
    json!({ "services": services })
}

fn types(object: &Value) -> Vec<&str> {
    let conditions = object["status"]["conditions"].as_array().unwrap().iter();
    let mut types: Vec<&str> = conditions.map(|entry| entry["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    types
}

fn is_completed(hosted_cluster: &Value) -> bool {
    hosted_cluster["status"]["version"]["history"][0]["state"] == "Completed"
        && conditions::is_true(hosted_cluster, "ValidKubeVirtInfraNetworkMTU")
}

/// A guest of a release on a lab of a generation, from its creation to the end of its rollout.
async fn guest_of(generation: Generation, image: &str, crds: Vec<Value>) -> (Lab, Value, Value) {
    let lab = Lab::start_of(generation, Faults::default(), crds).await;
    lab.allow_wildcards().await;
    lab.create_guest_of(image, services()).await;
    let hosted_cluster = lab.wait_for(HOSTED_CLUSTER, "guest", "its rollout", is_completed).await;
    let pool = lab
        .wait_for(NODE_POOL, "guest", "its version", |pool| {
            pool["status"]["version"].is_string() && conditions::is_true(pool, "AllNodesHealthy")
        })
        .await;
    (lab, hosted_cluster, pool)
}

#[tokio::test(start_paused = true)]
async fn of_4_17_there_are_the_conditions_of_4_17_and_nothing_newer() {
    let (lab, hosted_cluster, pool) = guest_of(Generation::V4_17, IMAGE, Vec::new()).await;
    let mut expected = OF_4_17.to_vec();
    expected.push("ValidReleaseInfo");
    assert_eq!(types(&hosted_cluster), expected);
    assert!(hosted_cluster["status"]["controlPlaneVersion"].is_null());
    assert!(pool["status"]["nodesInfo"].is_null());
    for kind in ["SupportedVersionSkew", "ValidPlatformConfig"] {
        assert!(condition(&pool, kind).is_null(), "{kind}");
    }
    let marketplace = lab
        .client
        .get(DEPLOYMENT, Some(CONTROL_PLANE), "redhat-marketplace-catalog")
        .await
        .unwrap();
    assert!(marketplace.is_some());
    assert!(
        lab.client
            .list(CONTROL_PLANE_COMPONENT, None, "")
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn current_guests_tell_of_their_components_connections_and_two_versions() {
    let (lab, hosted_cluster, pool) = guest_of(Generation::Current, CURRENT_IMAGE, Vec::new()).await;
    for kind in [
        "DataPlaneConnectionAvailable",
        "ControlPlaneConnectionAvailable",
        "ConfigOperatorReconciliationSucceeded",
        "ValidProxyConfiguration",
    ] {
        assert_eq!(condition(&hosted_cluster, kind)["status"], "True", "{kind}");
        assert_eq!(condition(&hosted_cluster, kind)["reason"], "AsExpected", "{kind}");
    }
    for kind in ["EtcdBackupSucceeded", "HostedClusterRestoredFromBackup"] {
        assert_eq!(
            condition(&hosted_cluster, kind)["message"],
            "Condition not found in the HCP"
        );
    }
    assert_eq!(
        condition(&hosted_cluster, "AutoNodeEnabled")["reason"],
        "AutoNodeNotConfigured"
    );
    let version = &hosted_cluster["status"]["controlPlaneVersion"];
    assert_eq!(version["desired"]["version"], "5.0.0");
    assert_eq!(version["history"][0]["state"], "Completed");
    assert!(version["history"][0]["completionTime"].is_string());

    let components = lab
        .client
        .list(CONTROL_PLANE_COMPONENT, Some(CONTROL_PLANE), "")
        .await
        .unwrap();
    let names: Vec<&str> = components.iter().map(crate::client::name_of).collect();
    for name in [
        "etcd",
        "kube-apiserver",
        "capi-provider",
        "featuregate-generator",
        "olm-collect-profiles",
    ] {
        assert!(names.contains(&name), "{name} of {names:?}");
    }
    for name in ["redhat-marketplace-catalog", "ovnkube-control-plane", "metrics-proxy"] {
        assert!(!names.contains(&name), "{name} of {names:?}");
    }
    for component in &components {
        assert!(conditions::is_true(component, "Available"), "{component:#}");
        assert!(conditions::is_true(component, "RolloutComplete"), "{component:#}");
        assert_eq!(component["status"]["version"], "5.0.0");
    }
    assert!(
        lab.client
            .get(JOB, Some(CONTROL_PLANE), "featuregate-generator")
            .await
            .unwrap()
            .is_some()
    );

    machines_have_both_forms(&lab).await;

    assert_eq!(condition(&pool, "SupportedVersionSkew")["status"], "True");
    assert_eq!(condition(&pool, "ValidPlatformConfig")["status"], "True");
    let nodes = &pool["status"]["nodesInfo"]["nodeVersions"][0];
    assert_eq!(nodes["ocpVersion"], "5.0.0");
    assert_eq!(nodes["kubeletVersion"], "v1.36.4");
    assert_eq!(nodes["readyNodeCount"], 3);
}

/// What Cluster API has in its newer form, and HyperShift reads in the older.
async fn machines_have_both_forms(lab: &Lab) {
    let newer = |kind: Kind| Kind {
        version: "v1beta2",
        ..kind
    };
    let machines = lab.client.list(newer(MACHINE), Some(CONTROL_PLANE), "").await.unwrap();
    assert_eq!(machines.len(), 3);
    for machine in &machines {
        for kind in ["Ready", "Available", "UpToDate", "NodeHealthy"] {
            assert_eq!(condition(machine, kind)["status"], "True", "{kind}: {machine:#}");
        }
        assert_eq!(
            machine["status"]["initialization"],
            json!({ "bootstrapDataSecretCreated": true, "infrastructureProvisioned": true })
        );
        let reference = &machine["spec"]["infrastructureRef"];
        assert_eq!(reference["apiGroup"], "infrastructure.cluster.x-k8s.io");
        assert!(reference.get("namespace").is_none());
        assert!(machine["status"].get("infrastructureReady").is_none());
    }
    let deployment = lab.get_inside(newer(MACHINE_DEPLOYMENT), "guest").await;
    assert_eq!(deployment["status"]["upToDateReplicas"], 3);
    assert_eq!(deployment["spec"]["rollout"]["strategy"]["type"], "RollingUpdate");
    assert_eq!(deployment["status"]["deprecated"]["v1beta1"]["updatedReplicas"], 3);

    let deployment = lab.get_inside(MACHINE_DEPLOYMENT, "guest").await;
    assert_eq!(deployment["status"]["updatedReplicas"], 3);
    assert_eq!(deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"], 1);
}

#[tokio::test(start_paused = true)]
async fn current_control_planes_are_available_once_all_components_are() {
    let lab = Lab::start_of(Generation::Current, Faults::default(), Vec::new()).await;
    lab.create_guest_of(CURRENT_IMAGE, json!({})).await;
    let waiting = |hosted_cluster: &Value| condition(hosted_cluster, "Available")["reason"] == "ComponentsNotAvailable";
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "waiting for components", waiting)
        .await;
    let message = condition(&hosted_cluster, "Available")["message"].as_str().unwrap();
    assert!(
        message.starts_with("Waiting for components to be available: "),
        "{message}"
    );
    assert_eq!(
        hosted_cluster["status"]["controlPlaneVersion"]["history"][0]["state"],
        "Partial"
    );
    lab.wait_for(HOSTED_CLUSTER, "guest", "being available", |hosted_cluster| {
        conditions::is_true(hosted_cluster, "Available")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_guest_of_4_17_under_the_current_operator_has_the_operators_of_its_own_release() {
    let (lab, hosted_cluster, pool) = guest_of(Generation::Current, IMAGE, Vec::new()).await;
    let connection = condition(&hosted_cluster, "DataPlaneConnectionAvailable");
    assert_eq!(connection["status"], "Unknown");
    assert_eq!(connection["message"], "Condition not found in the HCP");
    assert!(hosted_cluster["status"]["controlPlaneVersion"].is_null());
    assert!(
        lab.client
            .list(CONTROL_PLANE_COMPONENT, None, "")
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(pool["status"]["nodesInfo"]["nodeVersions"][0]["ocpVersion"], "4.17.0");
}

#[tokio::test(start_paused = true)]
async fn equal_networks_are_refused_by_the_server_or_by_the_operator() {
    let networks =
        json!({ "clusterNetwork": [{ "cidr": "10.132.0.0/14" }], "serviceNetwork": [{ "cidr": "10.132.0.0/14" }] });
    for generation in Generation::ALL {
        let lab = Lab::start_of(generation, Faults::default(), Vec::new()).await;
        let refused = lab.try_create_guest(json!({ "networking": networks })).await.err();
        match generation {
            Generation::V4_17 => {
                assert!(refused.is_none(), "{refused:?}");
                lab.wait_for(HOSTED_CLUSTER, "guest", "being judged", |hosted_cluster| {
                    condition(hosted_cluster, "ValidConfiguration")["status"] == "False"
                })
                .await;
            }
            Generation::Current => {
                let error = refused.unwrap().to_string();
                assert!(error.contains("must be unique and non-overlapping"), "{error}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn upstream_schemas_accept_all_that_is_written() {
    for (generation, image) in [(Generation::V4_17, IMAGE), (Generation::Current, CURRENT_IMAGE)] {
        let Some(crds) = upstream_crds(generation) else {
            println!("skipped: hypershift against upstream's schemas of {generation}: no ../shared");
            continue;
        };
        let (_, hosted_cluster, pool) = guest_of(generation, image, crds).await;
        let told = !hosted_cluster["status"]["controlPlaneVersion"].is_null();
        assert_eq!(told, generation.is_current(), "{generation}");
        assert_eq!(
            !pool["status"]["nodesInfo"].is_null(),
            generation.is_current(),
            "{generation}"
        );
    }
}
