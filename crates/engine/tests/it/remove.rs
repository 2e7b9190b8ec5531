use std::time::Duration;

use berth_api::resources;
use berth_engine::{Event, Limits, RemovalPlan, RemovalReport, RemoveError};
use berth_procedure::{ObjectRef, Proof, Removal};
use http::Method;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time;

use crate::step::{Fake, config, config_object, config_ref, key, namespace};
use crate::world::{Fault, Steps, World, collect, lines, up};

const CONFIG: &str = "/api/v1/namespaces/hcp/configmaps/a";

fn removal(object: ObjectRef) -> Removal {
    Removal {
        object,
        note: "made by Berth".into(),
        before: None,
        proof: Proof::Label,
    }
}

fn steps() -> Steps {
    let secret = ObjectRef::namespaced(resources::SECRET, "hcp", "key");
    let annotate = Some(json!({"metadata": {"annotations": {"test/clean-up": "true"}}}));
    vec![
        Fake::new("namespace").wants(vec![namespace("hcp")]).boxed(),
        Fake::new("guest")
            .guest("guest")
            .after("namespace")
            .wants(vec![config("a", &json!({"x": "1"})), key("key")])
            .removes(vec![
                Removal {
                    before: annotate,
                    ..removal(config_ref("a"))
                },
                removal(secret),
                removal(config_ref("theirs")),
            ])
            .boxed(),
    ]
}

async fn down(
    world: &World,
    steps: &Steps,
    limits: Limits,
) -> (RemovalPlan, Result<RemovalReport, RemoveError>, Vec<Event>) {
    let engine = world.engine();
    let plan = engine.remove_plan(steps).await.expect("a plan");
    let (sender, receiver) = mpsc::channel(16);
    let (result, events) = tokio::join!(engine.remove(steps, &plan, sender, limits), collect(receiver));
    (plan, result, events)
}

#[tokio::test(start_paused = true)]
async fn what_berth_made_goes_in_order_and_what_it_did_not_make_stays() {
    let world = World::new();
    up(&world.engine(), &steps()).await.0.expect("ready");
    let mut theirs = config_object("theirs", &json!({}));
    theirs["metadata"]["labels"] = json!({});
    world
        .apply("/api/v1/namespaces/hcp/configmaps/theirs", "somebody", &theirs)
        .await;
    let (plan, report, events) = down(&world, &steps(), Limits::none()).await;
    let left: Vec<_> = plan
        .removals
        .iter()
        .map(|removal| (removal.object.to_string(), removal.left.is_some()))
        .collect();
    let expected = [
        ("ConfigMap hcp/a", false),
        ("Secret hcp/key", false),
        ("ConfigMap hcp/theirs", true),
    ];
    assert_eq!(left, expected.map(|(object, left)| (object.to_owned(), left)));
    let report = report.expect("removed");
    let removed: Vec<_> = report
        .removed
        .iter()
        .map(|removed| removed.object.to_string())
        .collect();
    assert_eq!(removed, ["ConfigMap hcp/a", "Secret hcp/key"], "{}", lines(&events));
    assert!(world.get("/api/v1/namespaces/hcp/configmaps/theirs").await.is_some());
    // What the lease stood for is gone, and so is the lease.
    assert!(
        world
            .get("/apis/coordination.k8s.io/v1/namespaces/berth-system/leases/guest-hcp-guest")
            .await
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_removal_has_nothing_to_do_and_writes_nothing() {
    let world = World::new();
    up(&world.engine(), &steps()).await.0.expect("ready");
    let (_, report, _) = down(&world, &steps(), Limits::none()).await;
    report.expect("removed");
    world.gate.clear();
    let (plan, report, _) = down(&world, &steps(), Limits::none()).await;
    assert!(plan.is_empty() && report.expect("removed").removed.is_empty());
    assert_eq!(world.gate.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_holds_an_object_is_told_and_no_finalizer_is_stripped() {
    let world = World::new();
    up(&world.engine(), &steps()).await.0.expect("ready");
    world
        .merge(CONFIG, &json!({"metadata": {"finalizers": ["test/hold"]}}))
        .await;
    let operator = async {
        time::sleep(Duration::from_secs(45)).await;
        let held = world.get(CONFIG).await.expect("held");
        assert_eq!(held["metadata"]["finalizers"], json!(["test/hold"]));
        assert_eq!(held["metadata"]["annotations"]["test/clean-up"], "true");
        world.merge(CONFIG, &json!({"metadata": {"finalizers": null}})).await;
    };
    let steps = steps();
    let ((_, report, events), ()) = tokio::join!(down(&world, &steps, Limits::none()), operator);
    assert_eq!(report.expect("removed").removed[0].took_millis / 1000, 45);
    assert!(lines(&events).contains("finalizers test/hold"), "{}", lines(&events));
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_times_out_says_what_held_it_and_gives_the_lease_back() {
    let world = World::new();
    up(&world.engine(), &steps()).await.0.expect("ready");
    world
        .merge(CONFIG, &json!({"metadata": {"finalizers": ["test/hold"]}}))
        .await;
    let limits = Limits {
        timeout: Some(Duration::from_mins(1)),
        ..Limits::none()
    };
    let (_, result, _) = down(&world, &steps(), limits).await;
    let error = result.expect_err("timed out");
    assert!(
        error
            .to_string()
            .starts_with("timed out: ConfigMap hcp/a: finalizers test/hold"),
        "{error}"
    );
    let RemoveError::TimedOut { report, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!((report.removed.len(), report.remaining.len()), (0, 2));
    let lease = world
        .get("/apis/coordination.k8s.io/v1/namespaces/berth-system/leases/guest-hcp-guest")
        .await
        .expect("there");
    assert_eq!(lease["spec"]["holderIdentity"], "");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_watched_is_seen_to_be_gone_all_the_same() {
    let world = World::new();
    up(&world.engine(), &steps()).await.0.expect("ready");
    world.gate.fail(Fault {
        method: Method::GET,
        path: "configmaps?",
        times: usize::MAX,
        status: 403,
        retry_after: None,
    });
    let limits = Limits {
        timeout: Some(Duration::from_mins(5)),
        ..Limits::none()
    };
    let (_, report, events) = down(&world, &steps(), limits).await;
    let report = report.unwrap_or_else(|error| panic!("{error}\n{}", lines(&events)));
    assert_eq!(report.removed.len(), 2);
}
