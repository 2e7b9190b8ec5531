use serde_json::{Value, json};

use crate::actors::testing::{Bench, ENGINE, condition, names, subscription};
use crate::client::name_of;
use crate::kind::{
    CATALOG_SOURCE, CLUSTER_SERVICE_VERSION, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, INSTALL_PLAN, OPERATOR,
    OPERATOR_GROUP, SUBSCRIPTION,
};
use crate::world::Faults;

const NEWEST: &str = "multicluster-engine.v2.7.4";

fn has_succeeded(version: &Value) -> bool {
    version["status"]["phase"] == "Succeeded"
}

#[tokio::test(start_paused = true)]
async fn a_subscription_installs_an_operator() {
    let bench = Bench::start().await;
    let before = bench.simulation.now();
    bench.subscribe("stable-2.7").await;
    let crd = "multiclusterengines.multicluster.openshift.io";
    assert!(bench.get(CUSTOM_RESOURCE_DEFINITION, None, crd).await.is_none());

    let version = bench
        .wait(180, CLUSTER_SERVICE_VERSION, Some(ENGINE), NEWEST, has_succeeded)
        .await;
    let took = bench.simulation.now().duration_since(before).as_secs();
    assert!((45..=120).contains(&took), "took {took} s");
    assert_eq!(version["status"]["reason"], "InstallSucceeded");
    let phases: Vec<String> = version["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(phase)
        .collect();
    assert_eq!(
        phases,
        [
            "Pending/RequirementsUnknown",
            "Pending/RequirementsNotMet",
            "InstallReady/AllRequirementsMet",
            "Installing/InstallSucceeded",
            "Installing/InstallWaiting",
            "Succeeded/InstallSucceeded",
        ]
    );
    assert_eq!(version["metadata"]["annotations"]["olm.operatorGroup"], "engine");

    let subscription = bench.get(SUBSCRIPTION, Some(ENGINE), "mce").await.unwrap();
    assert_eq!(subscription["status"]["state"], "AtLatestKnown");
    assert_eq!(subscription["status"]["installedCSV"], NEWEST);
    assert_eq!(
        condition(&subscription, "CatalogSourcesUnhealthy"),
        "False/AllCatalogSourcesHealthy"
    );
    assert_eq!(subscription["status"]["conditions"].as_array().unwrap().len(), 1);
    let plans = bench.client.list(INSTALL_PLAN, Some(ENGINE), "").await.unwrap();
    assert_eq!(plans.len(), 1, "{:?}", names(&plans));
    assert_eq!(plans[0]["status"]["phase"], "Complete");
    assert_eq!(subscription["status"]["installPlanRef"]["name"], name_of(&plans[0]));
    let operator = bench
        .wait(5, OPERATOR, None, "multicluster-engine.multicluster-engine", |_| true)
        .await;
    let refs = operator["status"]["components"]["refs"].as_array().unwrap();
    assert!(
        refs.iter()
            .any(|it| it["kind"] == "ClusterServiceVersion" && it["name"] == NEWEST),
        "{refs:#?}"
    );
}

fn phase(entry: &Value) -> String {
    format!(
        "{}/{}",
        entry["phase"].as_str().unwrap(),
        entry["reason"].as_str().unwrap()
    )
}

#[tokio::test(start_paused = true)]
async fn a_wrong_channel_is_named_and_mending_it_installs() {
    let bench = Bench::start().await;
    bench.subscribe("stable-9.9").await;
    let failed = |subscription: &Value| condition(subscription, "ResolutionFailed") == "True/ConstraintsNotSatisfiable";
    let subscribed = bench.wait(60, SUBSCRIPTION, Some(ENGINE), "mce", failed).await;
    assert!(subscribed["status"].get("currentCSV").is_none());
    assert!(
        bench
            .client
            .list(INSTALL_PLAN, Some(ENGINE), "")
            .await
            .unwrap()
            .is_empty()
    );

    bench.apply(SUBSCRIPTION, subscription("stable-2.7")).await;
    bench
        .wait(180, CLUSTER_SERVICE_VERSION, Some(ENGINE), NEWEST, has_succeeded)
        .await;
    let subscribed = bench.get(SUBSCRIPTION, Some(ENGINE), "mce").await.unwrap();
    assert_eq!(condition(&subscribed, "ResolutionFailed"), "");
}

#[tokio::test(start_paused = true)]
async fn two_operator_groups_make_it_silent() {
    let bench = Bench::start().await;
    bench.subscribe("stable-2.7").await;
    bench.group("another").await;
    bench.pass(120).await;
    let subscribed = bench.get(SUBSCRIPTION, Some(ENGINE), "mce").await.unwrap();
    assert!(
        subscribed["status"].get("state").is_none(),
        "{:#}",
        subscribed["status"]
    );
    assert!(
        bench
            .client
            .list(INSTALL_PLAN, Some(ENGINE), "")
            .await
            .unwrap()
            .is_empty()
    );
    for name in ["engine", "another"] {
        let group = bench.get(OPERATOR_GROUP, Some(ENGINE), name).await.unwrap();
        assert_eq!(
            condition(&group, "MultipleOperatorGroup"),
            "True/MultipleOperatorGroupsFound"
        );
    }

    bench
        .client
        .delete(OPERATOR_GROUP, Some(ENGINE), "another")
        .await
        .unwrap();
    bench
        .wait(180, CLUSTER_SERVICE_VERSION, Some(ENGINE), NEWEST, has_succeeded)
        .await;
    // A second group fails what is installed, until it is gone.
    bench.group("another").await;
    let failed = |version: &Value| version["status"]["reason"] == "TooManyOperatorGroups";
    bench
        .wait(30, CLUSTER_SERVICE_VERSION, Some(ENGINE), NEWEST, failed)
        .await;
    bench
        .client
        .delete(OPERATOR_GROUP, Some(ENGINE), "another")
        .await
        .unwrap();
    bench
        .wait(60, CLUSTER_SERVICE_VERSION, Some(ENGINE), NEWEST, has_succeeded)
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_wants_approval_waits_for_it() {
    let bench = Bench::with_faults(Faults {
        manual_approval: true,
        ..Faults::default()
    })
    .await;
    bench.subscribe("stable-2.7").await;
    let pending = |subscription: &Value| condition(subscription, "InstallPlanPending") == "True/RequiresApproval";
    let subscribed = bench.wait(90, SUBSCRIPTION, Some(ENGINE), "mce", pending).await;
    assert_eq!(subscribed["status"]["state"], "UpgradePending");
    bench.pass(60).await;
    assert!(bench.get(CLUSTER_SERVICE_VERSION, Some(ENGINE), NEWEST).await.is_none());

    let plan = subscribed["status"]["installPlanRef"]["name"].as_str().unwrap();
    let approval = json!({ "spec": { "approved": true } });
    bench
        .client
        .merge(INSTALL_PLAN, Some(ENGINE), plan, &approval)
        .await
        .unwrap();
    bench
        .wait(120, CLUSTER_SERVICE_VERSION, Some(ENGINE), NEWEST, has_succeeded)
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_catalog_is_said_to_be_missing() {
    let bench = Bench::start().await;
    bench
        .client
        .delete(CATALOG_SOURCE, Some("openshift-marketplace"), "redhat-operators")
        .await
        .unwrap();
    bench.subscribe("stable-2.7").await;
    let unhealthy =
        |subscription: &Value| condition(subscription, "CatalogSourcesUnhealthy") == "True/UnhealthyCatalogSourceFound";
    let subscribed = bench.wait(30, SUBSCRIPTION, Some(ENGINE), "mce", unhealthy).await;
    assert!(
        subscribed["status"]["conditions"]
            .to_string()
            .contains("openshift-marketplace/redhat-operators missing")
    );
}

#[tokio::test(start_paused = true)]
async fn a_pinned_start_is_installed_and_then_upgraded() {
    let bench = Bench::start().await;
    bench.subscribe("stable-2.6").await;
    let older = "multicluster-engine.v2.6.7";
    bench
        .wait(180, CLUSTER_SERVICE_VERSION, Some(ENGINE), older, has_succeeded)
        .await;
    bench.apply(SUBSCRIPTION, subscription("stable-2.7")).await;
    bench
        .wait(180, CLUSTER_SERVICE_VERSION, Some(ENGINE), NEWEST, has_succeeded)
        .await;
    bench.wait_gone(30, CLUSTER_SERVICE_VERSION, Some(ENGINE), older).await;
    let operator = bench
        .get(DEPLOYMENT, Some(ENGINE), "multicluster-engine-operator")
        .await
        .unwrap();
    assert_eq!(operator["metadata"]["labels"]["olm.owner"], NEWEST);
}

#[tokio::test(start_paused = true)]
async fn deleting_the_version_removes_the_operator() {
    let bench = Bench::start().await;
    bench.subscribe("stable-2.7").await;
    bench
        .wait(180, CLUSTER_SERVICE_VERSION, Some(ENGINE), NEWEST, has_succeeded)
        .await;
    bench.client.delete(SUBSCRIPTION, Some(ENGINE), "mce").await.unwrap();
    bench.pass(30).await;
    assert!(
        bench
            .get(DEPLOYMENT, Some(ENGINE), "multicluster-engine-operator")
            .await
            .is_some()
    );
    bench
        .client
        .delete(CLUSTER_SERVICE_VERSION, Some(ENGINE), NEWEST)
        .await
        .unwrap();
    bench
        .wait_gone(30, DEPLOYMENT, Some(ENGINE), "multicluster-engine-operator")
        .await;
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_moment_it_makes_one_plan_and_one_version() {
    for moment in (2..70).step_by(11) {
        let mut bench = Bench::start().await;
        bench.subscribe("stable-2.7").await;
        bench.pass(moment).await;
        bench.kill().await;
        bench
            .wait(240, CLUSTER_SERVICE_VERSION, Some(ENGINE), NEWEST, has_succeeded)
            .await;
        let plans = bench.client.list(INSTALL_PLAN, Some(ENGINE), "").await.unwrap();
        assert_eq!(plans.len(), 1, "killed after {moment} s: {:?}", names(&plans));
        assert_eq!(plans[0]["status"]["phase"], "Complete");
    }
}
