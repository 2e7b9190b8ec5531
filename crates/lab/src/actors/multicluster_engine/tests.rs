use serde_json::{Value, json};

use super::{FINALIZER, LOCAL_CLUSTER};
use crate::actors::testing::{Bench, ENGINE, condition, upstream_crds};
use crate::conditions;
use crate::generation::Generation;
use crate::kind::{
    CLUSTER_MANAGER, CONFIG_MAP, CONSOLE_CLI_DOWNLOAD, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, MANAGED_CLUSTER,
    MANAGED_CLUSTER_ADD_ON, MULTI_CLUSTER_ENGINE, NAMESPACE,
};
use crate::simulation::SimulationOptions;

fn is_available(engine: &Value) -> bool {
    engine["status"]["phase"] == "Available"
}

fn component<'a>(engine: &'a Value, name: &str) -> &'a Value {
    let components = engine["status"]["components"].as_array().unwrap();
    components
        .iter()
        .find(|component| component["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {components:#?}"))
}

#[tokio::test(start_paused = true)]
async fn from_a_subscription_to_an_engine_that_is_available() {
    let bench = Bench::start().await;
    bench.ask_for_engine().await;
    let asked = bench.simulation.now();

    // Before the hub knows addons, those that are on are listed as if they were off.
    let early = |engine: &Value| engine["status"]["components"].is_array();
    let engine = bench.wait(120, MULTI_CLUSTER_ENGINE, None, "engine", early).await;
    assert_eq!(component(&engine, "hypershift")["reason"], "ComponentDisabled");
    assert_eq!(engine["status"]["phase"], "Progressing");
    assert!(engine["status"].get("currentVersion").is_none());

    let engine = bench
        .wait(400, MULTI_CLUSTER_ENGINE, None, "engine", is_available)
        .await;
    let took = bench.simulation.now().duration_since(asked).as_secs();
    assert!((120..=300).contains(&took), "took {took} s");
    assert_eq!(engine["status"]["currentVersion"], "2.7.4");
    assert_eq!(condition(&engine, "Available"), "True/ComponentsAvailable");
    assert_eq!(component(&engine, "hypershift-addon-manager")["status"], "True");
    assert_eq!(component(&engine, LOCAL_CLUSTER)["reason"], "ManagedClusterImported");
    assert_eq!(
        component(&engine, "image-based-install-operator")["reason"],
        "ComponentDisabled"
    );
    assert_eq!(engine["spec"]["availabilityConfig"], "High");
    assert_eq!(engine["spec"]["targetNamespace"], ENGINE);
    assert_eq!(engine["spec"]["overrides"]["components"].as_array().unwrap().len(), 13);
}

#[tokio::test(start_paused = true)]
async fn hypershift_follows_and_the_command_line_is_offered() {
    let bench = Bench::start().await;
    bench.ask_for_engine().await;
    let cluster = |cluster: &Value| conditions::is_true(cluster, "ManagedClusterConditionAvailable");
    let cluster = bench.wait(600, MANAGED_CLUSTER, None, LOCAL_CLUSTER, cluster).await;
    let types: Vec<&str> = cluster["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "HubAcceptedManagedCluster",
            "ManagedClusterImportSucceeded",
            "ManagedClusterJoined",
            "ManagedClusterConditionAvailable",
            "ManagedClusterConditionClockSynced",
        ]
    );
    let local = Some(LOCAL_CLUSTER);
    let degraded = |addon: &Value| condition(addon, "Degraded") == "True/HypershiftDeployed";
    bench
        .wait(600, MANAGED_CLUSTER_ADD_ON, local, "hypershift-addon", degraded)
        .await;
    let healthy = |addon: &Value| condition(addon, "Degraded") == "False/HypershiftDeployed";
    let addon = bench
        .wait(600, MANAGED_CLUSTER_ADD_ON, local, "hypershift-addon", healthy)
        .await;
    assert_eq!(condition(&addon, "Available"), "True/ManagedClusterAddOnLeaseUpdated");
    let operator = bench.get(DEPLOYMENT, Some("hypershift"), "operator").await.unwrap();
    assert_eq!(operator["status"]["availableReplicas"], 2);
    let crd = "hostedclusters.hypershift.openshift.io";
    bench
        .wait(1, CUSTOM_RESOURCE_DEFINITION, None, crd, |crd| {
            conditions::is_true(crd, "Established")
        })
        .await;
    let versions = bench
        .wait(
            5,
            crate::kind::CONFIG_MAP,
            Some("hypershift"),
            "supported-versions",
            |_| true,
        )
        .await;
    assert_eq!(
        versions["data"]["supported-versions"],
        r#"{"versions":["4.17","4.16","4.15","4.14"]}"#
    );

    let download = bench.get(CONSOLE_CLI_DOWNLOAD, None, "hcp-cli-download").await.unwrap();
    let links: Vec<&str> = download["spec"]["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["href"].as_str().unwrap())
        .collect();
    assert_eq!(links.len(), 8);
    assert_eq!(
        links[0],
        "https://hcp-cli-download-multicluster-engine.apps.hub.lab.test/linux/amd64/hcp.tar.gz"
    );
}

#[tokio::test(start_paused = true)]
async fn a_namespace_in_the_way_of_the_local_cluster_is_waited_for() {
    let bench = Bench::start().await;
    bench
        .apply(NAMESPACE, json!({ "metadata": { "name": LOCAL_CLUSTER } }))
        .await;
    bench.ask_for_engine().await;
    bench.pass(400).await;
    let engine = bench.get(MULTI_CLUSTER_ENGINE, None, "engine").await.unwrap();
    assert!(!is_available(&engine));
    let message = component(&engine, LOCAL_CLUSTER)["message"].as_str().unwrap();
    assert!(message.contains("namespace local-cluster to be removed"), "{message}");

    bench.client.delete(NAMESPACE, None, LOCAL_CLUSTER).await.unwrap();
    bench
        .wait(400, MULTI_CLUSTER_ENGINE, None, "engine", is_available)
        .await;
}

#[tokio::test(start_paused = true)]
async fn deleting_the_engine_takes_down_what_it_made() {
    let bench = Bench::start().await;
    bench.ask_for_engine().await;
    let engine = bench
        .wait(600, MULTI_CLUSTER_ENGINE, None, "engine", is_available)
        .await;
    assert_eq!(engine["metadata"]["finalizers"], json!([FINALIZER]));
    bench.pass(60).await;
    bench.client.delete(MULTI_CLUSTER_ENGINE, None, "engine").await.unwrap();
    bench.wait_gone(300, MULTI_CLUSTER_ENGINE, None, "engine").await;
    assert!(bench.get(CLUSTER_MANAGER, None, "cluster-manager").await.is_none());
    for namespace in [
        "local-cluster",
        "open-cluster-management-hub",
        "open-cluster-management-agent",
        "hypershift",
    ] {
        bench.wait_gone(60, NAMESPACE, None, namespace).await;
    }
    // The operator itself belongs to OLM and stays.
    assert!(
        bench
            .get(DEPLOYMENT, Some(ENGINE), "multicluster-engine-operator")
            .await
            .is_some()
    );
    assert!(bench.get(DEPLOYMENT, Some(ENGINE), "hive-operator").await.is_none());
    bench
        .wait_gone(30, CONSOLE_CLI_DOWNLOAD, None, "hcp-cli-download")
        .await;
}

#[tokio::test(start_paused = true)]
async fn killed_on_the_way_it_still_comes_up() {
    let mut bench = Bench::start().await;
    bench.ask_for_engine().await;
    for pause in [7, 19, 31, 43] {
        bench.pass(pause).await;
        bench.kill().await;
    }
    bench
        .wait(600, MULTI_CLUSTER_ENGINE, None, "engine", is_available)
        .await;
    let addon = |addon: &Value| condition(addon, "Degraded") == "False/HypershiftDeployed";
    bench
        .wait(
            300,
            MANAGED_CLUSTER_ADD_ON,
            Some(LOCAL_CLUSTER),
            "hypershift-addon",
            addon,
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_current_engine_has_its_own_components_links_and_columns() {
    let bench = Bench::with(SimulationOptions {
        generation: Generation::Current,
        ..SimulationOptions::default()
    })
    .await;
    bench.ask_for_engine().await;
    let engine = bench
        .wait(400, MULTI_CLUSTER_ENGINE, None, "engine", is_available)
        .await;
    assert_eq!(engine["status"]["currentVersion"], "5.0.1");
    assert_eq!(engine["spec"]["localClusterName"], LOCAL_CLUSTER);
    assert_eq!(engine["spec"]["networkPolicies"]["enabled"], true);
    let listed = engine["spec"]["overrides"]["components"].as_array().unwrap();
    let of = |name: &str| {
        let entry = listed.iter().find(|entry| entry["name"] == name);
        entry.map(|entry| entry["enabled"].clone())
    };
    assert_eq!(of("cluster-permission"), Some(json!(true)));
    assert_eq!(of("fleet-navigation"), Some(json!(true)));
    assert_eq!(of("cluster-api"), Some(json!(false)));
    assert_eq!(of("maestro-preview"), Some(json!(false)));

    let any = |_: &Value| true;
    let name = "hcp-cli-download";
    let download = bench.wait(600, CONSOLE_CLI_DOWNLOAD, None, name, any).await;
    let links: Vec<&str> = (download["spec"]["links"].as_array().unwrap().iter())
        .map(|link| link["href"].as_str().unwrap().rsplit_once('/').unwrap().1)
        .collect();
    assert_eq!(links.len(), 8);
    assert_eq!(links[0], "hcp-linux-amd64.tar.gz");
    assert!(links.contains(&"hcp-windows-arm64.tar.gz"), "{links:?}");
    assert!(!links.contains(&"hcp-linux-ppc64.tar.gz"), "{links:?}");
    let versions = bench
        .wait(600, CONFIG_MAP, Some("hypershift"), "supported-versions", any)
        .await;
    let versions = versions["data"]["supported-versions"].as_str().unwrap();
    assert!(
        versions.starts_with(r#"{"versions":["5.1","5.0","4.23","4.22""#),
        "{versions}"
    );
    assert!(versions.ends_with(r#""4.14"]}"#), "{versions}");
    for (kind, served) in [
        ("hostedclusters.hypershift.openshift.io", ["v1beta1"].as_slice()),
        ("controlplanecomponents.hypershift.openshift.io", &["v1beta1"]),
        ("hyperconvergeds.hco.kubevirt.io", &["v1beta1", "v1"]),
        (
            "managedclusteraddons.addon.open-cluster-management.io",
            &["v1beta1", "v1alpha1"],
        ),
    ] {
        let crd = bench.get(CUSTOM_RESOURCE_DEFINITION, None, kind).await.unwrap();
        let versions = crd["spec"]["versions"].as_array().unwrap().iter();
        let names: Vec<&str> = versions.map(|version| version["name"].as_str().unwrap()).collect();
        assert_eq!(names, served, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_written_passes_upstreams_schemas() {
    for generation in Generation::ALL {
        passes_upstreams_schemas(generation).await;
    }
}

async fn passes_upstreams_schemas(generation: Generation) {
    let Some(crds) = upstream_crds(generation) else {
        println!("skipped: multicluster_engine against upstream's schemas: no ../shared");
        return;
    };
    // A status that a schema refuses would never be there, and what waits for it would wait for ever.
    let bench = Bench::with(SimulationOptions {
        generation,
        crds,
        ..SimulationOptions::default()
    })
    .await;
    bench.ask_for_engine().await;
    let engine = bench
        .wait(600, MULTI_CLUSTER_ENGINE, None, "engine", is_available)
        .await;
    assert_eq!(component(&engine, LOCAL_CLUSTER)["reason"], "ManagedClusterImported");
    let healthy = |addon: &Value| condition(addon, "Degraded") == "False/HypershiftDeployed";
    bench
        .wait(
            300,
            MANAGED_CLUSTER_ADD_ON,
            Some(LOCAL_CLUSTER),
            "hypershift-addon",
            healthy,
        )
        .await;
    bench
        .wait(30, CONSOLE_CLI_DOWNLOAD, None, "hcp-cli-download", |_| true)
        .await;
}
