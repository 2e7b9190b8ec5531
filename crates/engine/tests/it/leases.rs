use std::time::Duration;

use berth_api::resources;
use berth_engine::{Limits, Options, What};
use berth_procedure::Selector;
use http::Method;
use serde_json::{Value, json};
use tokio::time;

use crate::step::{Fake, config, namespace, waiting_for_minutes};
use crate::world::{Fault, Steps, World, holder, lines, up, up_within};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/berth-system/leases";

fn steps() -> Steps {
    vec![Fake::new("a").wants(vec![namespace("hcp")]).boxed()]
}

/// A lease that somebody took a while ago.
async fn held_by(world: &World, holder: &str) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace"});
    world
        .apply("/api/v1/namespaces/berth-system", "somebody", &namespace)
        .await;
    world
        .apply(
            &format!("{LEASES}/hub"),
            "somebody",
            &lease(holder, "2026-01-01T00:00:00.000000Z"),
        )
        .await;
}

fn lease(holder: &str, renewed: &str) -> Value {
    json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 30, "renewTime": renewed}})
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_is_dead_is_taken_over_at_once() {
    let world = World::new();
    held_by(&world, &holder(100).to_string()).await;
    let (report, events) = up(&world.engine(), &steps()).await;
    assert!(report.expect("ready").took_millis < 1_000);
    assert!(
        lines(&events).contains(r#"leaseTaken {"from":"here/100/boot-1","lease":"hub"}"#),
        "{}",
        lines(&events)
    );
}

#[tokio::test(start_paused = true)]
async fn a_holder_elsewhere_that_is_silent_is_waited_for_and_then_taken_over() {
    let world = World::new();
    held_by(&world, "elsewhere/7/boot").await;
    let (report, events) = up(&world.engine(), &steps()).await;
    let took = report.expect("ready").took_millis;
    assert!((30_000..33_000).contains(&took), "{took}");
    let waits = events
        .iter()
        .filter(|event| matches!(&event.what, What::LeaseWaiting { holder, .. } if holder == "elsewhere/7/boot"));
    assert_eq!(waits.count(), 1, "{}", lines(&events));
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_renews_is_waited_for_until_it_gives_the_lease_back() {
    let world = World::new();
    held_by(&world, "elsewhere/7/boot").await;
    let other = async {
        for second in 1..=10 {
            time::sleep(Duration::from_secs(10)).await;
            let renewed = format!("2026-01-01T00:01:{second:02}.000000Z");
            world
                .apply(
                    &format!("{LEASES}/hub"),
                    "somebody",
                    &lease("elsewhere/7/boot", &renewed),
                )
                .await;
        }
        world
            .apply(
                &format!("{LEASES}/hub"),
                "somebody",
                &lease("", "2026-01-01T00:02:00.000000Z"),
            )
            .await;
    };
    let (engine, steps) = (world.engine(), steps());
    let ((report, events), ()) = tokio::join!(up(&engine, &steps), other);
    let took = report.expect("ready").took_millis;
    assert!((100_000..103_000).contains(&took), "{took}\n{}", lines(&events));
}

/// Two writes, and two minutes until it is ready.
fn slow_steps() -> Steps {
    let slow = Fake::new("a")
        .wants(vec![namespace("hcp"), config("a", &json!({"x": "1"}))])
        .watches(Selector::in_namespace(resources::CONFIG_MAP, "hcp"))
        .assessed(waiting_for_minutes(2));
    vec![slow.boxed()]
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_it_is_held() {
    let world = World::new();
    let observer = async {
        time::sleep(Duration::from_secs(95)).await;
        let lease = world.get(&format!("{LEASES}/hub")).await.expect("held");
        (
            lease["spec"]["holderIdentity"].clone(),
            lease["spec"]["renewTime"].clone(),
        )
    };
    let (engine, steps) = (world.engine(), slow_steps());
    let ((report, _), (held, renewed)) = tokio::join!(up(&engine, &steps), observer);
    report.expect("ready");
    assert_eq!(held, holder(1).to_string());
    assert!(renewed.as_str().expect("a time") >= "2026-01-01T00:01:25", "{renewed}");
}

#[tokio::test(start_paused = true)]
async fn without_its_lease_a_run_does_not_write_until_it_has_it_again() {
    let world = World::new();
    let config = "/api/v1/namespaces/hcp/configmaps/a";
    let thief = async {
        time::sleep(Duration::from_secs(12)).await;
        world
            .apply(
                &format!("{LEASES}/hub"),
                "somebody",
                &lease("elsewhere/7/boot", "2026-01-01T00:00:12.000000Z"),
            )
            .await;
        // The holder finds out when it renews.
        time::sleep(Duration::from_secs(13)).await;
        world.merge(config, &json!({"data": {"x": null}})).await;
        time::sleep(Duration::from_secs(20)).await;
        let drifted = world.get(config).await.expect("there");
        time::sleep(Duration::from_secs(20)).await;
        (drifted, world.get(config).await.expect("there"))
    };
    let (engine, steps) = (world.engine(), slow_steps());
    let ((report, events), (drifted, mended)) = tokio::join!(up(&engine, &steps), thief);
    report.expect("ready");
    assert_eq!(
        (drifted["data"]["x"].is_null(), &mended["data"]["x"]),
        (true, &json!("1")),
        "{drifted}\n{}",
        lines(&events)
    );
}

#[tokio::test(start_paused = true)]
async fn two_runs_at_once_write_one_after_the_other() {
    let world = World::new();
    let (one, two) = (
        world.engine_of(holder(1), Options::default()),
        world.engine_of(holder(2), Options::default()),
    );
    let (steps_one, steps_two) = (steps(), steps());
    let ((first, _), (second, _)) = tokio::join!(up(&one, &steps_one), up(&two, &steps_two));
    let writes = first.expect("ready").writes + second.expect("ready").writes;
    assert_eq!(writes, 1, "{:?}", world.gate.writes());
}

#[tokio::test(start_paused = true)]
async fn a_holder_whose_renewal_is_not_answered_stops_writing_before_others_begin() {
    let world = World::new();
    let config_path = "/api/v1/namespaces/hcp/configmaps/a";
    let steps: Steps = vec![
        Fake::new("a")
            .wants(vec![namespace("hcp"), config("a", &json!({"x": "1"}))])
            .watches(Selector::in_namespace(resources::CONFIG_MAP, "hcp"))
            .assessed(waiting_for_minutes(2))
            .boxed(),
    ];
    let observer = async {
        time::sleep(Duration::from_secs(12)).await;
        world.gate.fail(Fault {
            method: Method::GET,
            path: "leases/hub",
            times: usize::MAX,
            status: 0,
            retry_after: None,
        });
        // Others take the lease 30 seconds after the last renewal, which was at 10.
        time::sleep(Duration::from_secs(28)).await;
        world.merge(config_path, &json!({"data": {"x": null}})).await;
        time::sleep(Duration::from_secs(10)).await;
        world.get(config_path).await.expect("there")
    };
    let engine = world.engine();
    let limits = Limits {
        timeout: Some(Duration::from_mins(1)),
        ..Limits::none()
    };
    let ((_, events), drifted) = tokio::join!(up_within(&engine, &steps, limits), observer);
    assert!(drifted["data"]["x"].is_null(), "{drifted}\n{}", lines(&events));
}

#[tokio::test(start_paused = true)]
async fn leases_are_given_back_side_by_side_so_that_a_silent_server_holds_nobody_up() {
    let world = World::new();
    let guest = |name: &'static str| {
        Fake::new(name)
            .guest(name)
            .after("namespace")
            .wants(vec![config(name, &json!({"x": "1"}))])
            .assessed(waiting_for_minutes(5))
            .boxed()
    };
    let namespaces = Fake::new("namespace").wants(vec![namespace("hcp")]).boxed();
    let steps: Steps = vec![namespaces, guest("a"), guest("b"), guest("c")];
    let silence = async {
        time::sleep(Duration::from_secs(21)).await;
        world.gate.fail(Fault {
            method: Method::GET,
            path: "leases/guest",
            times: usize::MAX,
            status: 0,
            retry_after: None,
        });
    };
    let limits = Limits {
        timeout: Some(Duration::from_secs(25)),
        ..Limits::none()
    };
    let (engine, began) = (world.engine(), time::Instant::now());
    let ((result, _), ()) = tokio::join!(up_within(&engine, &steps, limits), silence);
    result.expect_err("timed out");
    assert!(began.elapsed() < Duration::from_secs(32), "{:?}", began.elapsed());
}
