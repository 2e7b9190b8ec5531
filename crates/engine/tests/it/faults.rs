use std::time::Duration;

use berth_api::resources;
use berth_engine::{Limits, What};
use berth_procedure::{Assessment, Change, ObjectRef, Seen, Selector};
use http::Method;
use serde_json::json;
use tokio::time;

use crate::step::{Fake, config, namespace};
use crate::world::{Fault, Steps, World, lines, plan, up};

fn steps() -> Steps {
    vec![
        Fake::new("a")
            .wants(vec![namespace("hcp"), config("a", &json!({"x": "1"}))])
            .watches(Selector::in_namespace(resources::CONFIG_MAP, "hcp"))
            .boxed(),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_out_of_order_is_tried_again_and_that_is_shown() {
    let world = World::new();
    let engine = world.engine();
    let ready = plan(&engine, &vec![]).await;
    for (status, path) in [(500, "configmaps/a"), (503, "namespaces/hcp?"), (502, "leases")] {
        world.gate.fail(Fault {
            method: Method::PATCH,
            path,
            times: 3,
            status,
            retry_after: None,
        });
        world.gate.fail(Fault {
            method: Method::POST,
            path,
            times: 3,
            status,
            retry_after: None,
        });
    }
    let steps = steps();
    let (sender, receiver) = tokio::sync::mpsc::channel(16);
    let limits = berth_engine::Limits::none();
    let (result, events) = tokio::join!(
        engine.run(&steps, &ready, sender, limits),
        crate::world::collect(receiver)
    );
    result.expect("ready");
    let retries = events
        .iter()
        .filter(|event| matches!(event.what, What::Retrying { .. }))
        .count();
    // Three each, one of which met the look before the lease was taken.
    assert_eq!(retries, 8, "{}", lines(&events));
    assert!(world.get("/api/v1/namespaces/hcp/configmaps/a").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_servers_wish_for_patience_is_obeyed() {
    let world = World::new();
    let fault = Fault {
        method: Method::PATCH,
        path: "namespaces/hcp?fieldManager=berth&fieldValidation=Strict&force",
        times: 1,
        status: 429,
        retry_after: Some(13),
    };
    world.gate.fail(fault);
    let (report, events) = up(&world.engine(), &steps()).await;
    report.expect("ready");
    let waits: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.what {
            What::Retrying {
                next_millis, attempt, ..
            } => Some((*attempt, *next_millis)),
            _ => None,
        })
        .collect();
    assert_eq!(waits, [(1, 13_000)], "{}", lines(&events));
}

#[tokio::test(start_paused = true)]
async fn lists_and_watches_that_fail_are_opened_again() {
    let world = World::new();
    world.gate.fail(Fault {
        method: Method::GET,
        path: "configmaps?watch",
        times: 2,
        status: 500,
        retry_after: None,
    });
    world.gate.fail(Fault {
        method: Method::GET,
        path: "configmaps?watch",
        times: 1,
        status: 410,
        retry_after: None,
    });
    let selector = Selector::in_namespace(resources::CONFIG_MAP, "default");
    let watched = selector.clone();
    let steps: Steps = vec![
        Fake::new("a")
            .watches(selector)
            .assessed(move |observed| match observed.facts.seen(&watched) {
                Seen::Objects(objects) if objects.iter().any(|object| object["metadata"]["name"] == "late") => {
                    Assessment::ready()
                }
                _ => Assessment::waiting("NotYet", "not yet"),
            })
            .boxed(),
    ];
    let operator = async {
        time::sleep(Duration::from_mins(1)).await;
        let late = json!({"apiVersion": "v1", "kind": "ConfigMap"});
        world
            .apply("/api/v1/namespaces/default/configmaps/late", "operator", &late)
            .await;
    };
    let engine = world.engine();
    let ((report, events), ()) = tokio::join!(up(&engine, &steps), operator);
    let report = report.expect("ready");
    assert_eq!(report.took_millis / 1000, 60, "{}", lines(&events));
    assert!(lines(&events).contains("retrying"), "{}", lines(&events));
}

#[tokio::test(start_paused = true)]
async fn what_can_be_listed_but_not_watched_is_listed_again_when_other_objects_change() {
    let world = World::new();
    world.gate.fail(Fault {
        method: Method::GET,
        path: "secrets?watch",
        times: usize::MAX,
        status: 405,
        retry_after: None,
    });
    let (secrets, others) = (
        Selector::in_namespace(resources::SECRET, "default"),
        Selector::all(resources::NAMESPACE),
    );
    let watched = secrets.clone();
    let steps: Steps = vec![
        Fake::new("a")
            .watches(secrets)
            .watches(others)
            .assessed(move |observed| match observed.facts.objects(&watched).len() {
                1 => Assessment::ready(),
                _ => Assessment::waiting("NotYet", "not yet"),
            })
            .boxed(),
    ];
    let operator = async {
        time::sleep(Duration::from_secs(10)).await;
        world
            .apply(
                "/api/v1/namespaces/default/secrets/s",
                "operator",
                &json!({"apiVersion": "v1", "kind": "Secret"}),
            )
            .await;
        time::sleep(Duration::from_secs(10)).await;
        world
            .apply(
                "/api/v1/namespaces/other",
                "operator",
                &json!({"apiVersion": "v1", "kind": "Namespace"}),
            )
            .await;
    };
    let engine = world.engine();
    let ((report, events), ()) = tokio::join!(up(&engine, &steps), operator);
    let took = report.expect("ready").took_millis;
    assert!((20_000..22_500).contains(&took), "{took}\n{}", lines(&events));
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_may_not_be_read_is_told_as_such() {
    let world = World::new();
    world.gate.fail(Fault {
        method: Method::GET,
        path: "/nodes",
        times: usize::MAX,
        status: 403,
        retry_after: None,
    });
    let facts = world
        .engine()
        .read(
            &[],
            &[Selector::all(resources::NODE), Selector::all(resources::NAMESPACE)],
        )
        .await;
    let facts = facts.expect("read");
    assert!(
        matches!(facts.seen(&Selector::all(resources::NODE)), Seen::Unreadable(_)),
        "{facts:?}"
    );
    assert!(!facts.objects(&Selector::all(resources::NAMESPACE)).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_know_the_user_is_an_error_of_its_own() {
    let world = World::new();
    world.gate.fail(Fault {
        method: Method::GET,
        path: "/nodes",
        times: usize::MAX,
        status: 401,
        retry_after: None,
    });
    let error = world
        .engine()
        .read(&[], &[Selector::all(resources::NODE)])
        .await
        .expect_err("no user");
    assert_eq!(
        error.to_string(),
        "failed to log in to the API server at https://management"
    );
}

#[tokio::test(start_paused = true)]
async fn a_first_list_that_fails_for_a_moment_is_not_taken_for_unreadable() {
    let world = World::new();
    let selector = Selector::in_namespace(resources::CONFIG_MAP, "default");
    let watched = selector.clone();
    let steps: Steps = vec![
        Fake::new("a")
            .watches(selector)
            .assessed(move |observed| {
                assert!(!matches!(observed.facts.seen(&watched), Seen::Unreadable(_)));
                Assessment::ready()
            })
            .boxed(),
    ];
    let ready = plan(&world.engine(), &steps).await;
    world.gate.fail(Fault {
        method: Method::GET,
        path: "configmaps?limit",
        times: 2,
        status: 503,
        retry_after: None,
    });
    let (sender, receiver) = tokio::sync::mpsc::channel(16);
    let engine = world.engine();
    let (result, _) = tokio::join!(
        engine.run(&steps, &ready, sender, Limits::none()),
        crate::world::collect(receiver)
    );
    result.expect("ready");
}

#[tokio::test(start_paused = true)]
async fn a_plan_tries_again_what_says_nothing_of_the_object() {
    let world = World::new();
    let object = ObjectRef::cluster(resources::NAMESPACE, "default");
    let set = Change::Set {
        object,
        path: vec!["metadata".into(), "labels".into(), "x".into()],
        value: Some("1".into()),
        takeover: false,
    };
    let steps: Steps = vec![
        Fake::new("a").wants(vec![namespace("hcp")]).boxed(),
        Fake::new("b")
            .wants(vec![set])
            .watches(Selector::cluster(resources::NAMESPACE, "default"))
            .boxed(),
    ];
    for (path, status) in [("namespaces/hcp?", 500), ("namespaces/default?", 409)] {
        world.gate.fail(Fault {
            method: Method::PATCH,
            path,
            times: 2,
            status,
            retry_after: None,
        });
    }
    let planned = plan(&world.engine(), &steps).await;
    assert_eq!((planned.writes(), planned.refusals().count()), (2, 0), "{planned:#?}");
}
