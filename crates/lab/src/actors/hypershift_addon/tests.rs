use serde_json::{Value, json};

use crate::actors::testing::{Bench, condition};
use crate::kind::{HOSTED_CLUSTER, MANAGED_CLUSTER, MANAGED_CLUSTER_ADD_ON, NAMESPACE, SECRET};
use crate::simulation::SimulationOptions;

/// A world in which nobody plays HyperShift, so that a test says how a hosted cluster is.
async fn bench() -> Bench {
    let without = ["hypershift".to_owned()].into();
    let bench = Bench::with(SimulationOptions {
        without,
        ..SimulationOptions::default()
    })
    .await;
    bench.ask_for_engine().await;
    let healthy = |addon: &Value| condition(addon, "Degraded") == "False/HypershiftDeployed";
    bench
        .wait(
            600,
            MANAGED_CLUSTER_ADD_ON,
            Some("local-cluster"),
            "hypershift-addon",
            healthy,
        )
        .await;
    bench
}

async fn hosted_cluster(bench: &Bench) {
    bench.apply(NAMESPACE, json!({ "metadata": { "name": "hcp" } })).await;
    let kubeconfig = json!({
        "metadata": { "name": "guest-admin-kubeconfig", "namespace": "hcp" },
        "stringData": { "kubeconfig": "simulated" },
    });
    bench.apply(SECRET, kubeconfig).await;
    let cluster = json!({
        "metadata": { "name": "guest", "namespace": "hcp", "labels": { "team": "blue" } },
        "spec": {
            "release": { "image": "quay.io/openshift-release-dev/ocp-release:4.17.0-multi" },
            "pullSecret": { "name": "pull-secret" },
            "sshKey": {},
            "networking": {},
            "platform": { "type": "KubeVirt", "kubevirt": {} },
            "services": [],
        },
    });
    bench.apply(HOSTED_CLUSTER, cluster).await;
}

async fn say_available(bench: &Bench, reason: &str) {
    let now = "2026-01-01T00:00:00Z";
    let status = json!({
        "kubeconfig": { "name": "guest-admin-kubeconfig" },
        "conditions": [
            { "type": "Available", "status": "True", "reason": reason, "message": "", "lastTransitionTime": now },
        ],
    });
    bench
        .client
        .status(HOSTED_CLUSTER, Some("hcp"), "guest", &status)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_hosted_cluster_that_is_available_is_imported_and_let_go_with_it() {
    let bench = bench().await;
    hosted_cluster(&bench).await;
    say_available(&bench, "StillStarting").await;
    bench.pass(180).await;
    assert!(bench.get(MANAGED_CLUSTER, None, "guest").await.is_none());

    say_available(&bench, "AsExpected").await;
    let imported =
        |cluster: &Value| condition(cluster, "ManagedClusterConditionAvailable") == "True/ManagedClusterAvailable";
    let cluster = bench.wait(180, MANAGED_CLUSTER, None, "guest", imported).await;
    assert_eq!(cluster["metadata"]["labels"]["team"], "blue");
    assert_eq!(
        cluster["metadata"]["annotations"]["open-cluster-management/created-via"],
        "hypershift"
    );
    assert!(bench.get(NAMESPACE, None, "guest").await.is_some());
    assert!(
        bench
            .get(SECRET, Some("klusterlet-guest"), "external-managed-kubeconfig")
            .await
            .is_some()
    );
    assert!(
        bench
            .get(SECRET, Some("local-cluster"), "guest-admin-kubeconfig")
            .await
            .is_some()
    );

    bench.client.delete(HOSTED_CLUSTER, Some("hcp"), "guest").await.unwrap();
    bench.wait_gone(120, MANAGED_CLUSTER, None, "guest").await;
    for namespace in ["guest", "klusterlet-guest"] {
        bench.wait_gone(60, NAMESPACE, None, namespace).await;
    }
    assert!(
        bench
            .get(SECRET, Some("local-cluster"), "guest-admin-kubeconfig")
            .await
            .is_none()
    );
}
