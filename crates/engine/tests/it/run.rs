use berth_api::resources;
use berth_engine::{Limits, Options, Outcome, RunError, What};
use berth_procedure::{Assessment, Change, Diagnosis, Effect, Selector};
use serde_json::{Value, json};

use crate::step::{Fake, config, config_object, config_ref, key, namespace};
use crate::world::{Steps, World, holder, lines, plan, up};

const CONFIG: &str = "/api/v1/namespaces/hcp/configmaps/a";

fn steps() -> Steps {
    vec![
        Fake::new("namespace")
            .wants(vec![namespace("hcp")])
            .watches(Selector::all(resources::NAMESPACE))
            .boxed(),
        Fake::new("content")
            .after("namespace")
            .wants(vec![config("a", &json!({"x": "1"})), key("key")])
            .watches(Selector::in_namespace(resources::CONFIG_MAP, "hcp"))
            .boxed(),
    ]
}

#[tokio::test(start_paused = true)]
async fn steps_run_in_order_and_tell_each_write() {
    let world = World::new();
    let (report, events) = up(&world.engine(), &steps()).await;
    assert!(report.expect("ready").is_ready());
    insta::assert_snapshot!(lines(&events), @r#"
    runStarted {"steps":[{"id":"namespace","title":"the step namespace"},{"id":"content","title":"the step content"}],"url":"https://management","writes":3}
    stepStarted {"step":"namespace"}
    wrote {"fields":[],"object":{"apiVersion":"v1","kind":"Namespace","name":"berth-system","target":"management"},"step":null,"verb":"create"}
    leaseTaken {"from":null,"lease":"hub"}
    wrote {"fields":[{"from":"absent","path":"metadata.labels[\"app.kubernetes.io/managed-by\"]","to":{"value":"berth"}}],"object":{"apiVersion":"v1","kind":"Namespace","name":"hcp","target":"management"},"step":"namespace","verb":"create"}
    stepReady {"outputs":{},"step":"namespace"}
    stepStarted {"step":"content"}
    wrote {"fields":[{"from":"absent","path":"data.x","to":{"value":"1"}},{"from":"absent","path":"metadata.labels[\"app.kubernetes.io/managed-by\"]","to":{"value":"berth"}}],"object":{"apiVersion":"v1","kind":"ConfigMap","name":"a","namespace":"hcp","target":"management"},"step":"content","verb":"create"}
    wrote {"fields":[{"from":"absent","path":"data.key","to":"secret"},{"from":"absent","path":"metadata.labels[\"app.kubernetes.io/managed-by\"]","to":{"value":"berth"}}],"object":{"apiVersion":"v1","kind":"Secret","name":"key","namespace":"hcp","target":"management"},"step":"content","verb":"create"}
    stepReady {"outputs":{},"step":"content"}
    leaseReleased {"lease":"hub"}
    runFinished {"result":"ready","writes":3}
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_second_run_sends_no_mutating_request() {
    let world = World::new();
    up(&world.engine(), &steps()).await.0.expect("ready");
    world.gate.clear();
    let (report, events) = up(&world.engine(), &steps()).await;
    assert_eq!(report.expect("ready").writes, 0);
    assert_eq!((world.gate.writes(), world.gate.dry_runs()), (Vec::new(), 0));
    assert!(
        !events
            .iter()
            .any(|event| matches!(event.what, What::Wrote { .. } | What::LeaseTaken { .. })),
        "{}",
        lines(&events)
    );
}

#[tokio::test(start_paused = true)]
async fn a_generated_key_is_made_once() {
    let world = World::new();
    let path = "/api/v1/namespaces/hcp/secrets/key";
    up(&world.engine(), &steps()).await.0.expect("ready");
    let made = world.get(path).await.expect("there");
    assert_eq!(made["data"]["key"].as_str().expect("a key").len(), 44);
    world
        .merge(
            path,
            &json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "somebody"}}}),
        )
        .await;
    up(&world.engine(), &steps()).await.0.expect("ready");
    assert_eq!(world.get(path).await.expect("there")["data"], made["data"]);
}

#[tokio::test(start_paused = true)]
async fn a_field_is_set_with_its_former_value_kept_and_a_conflict_is_refused() {
    let world = World::new();
    world
        .apply(
            "/api/v1/namespaces/hcp",
            "admin",
            &json!({"apiVersion": "v1", "kind": "Namespace"}),
        )
        .await;
    world
        .apply(
            CONFIG,
            "theirs",
            &config_object("a", &json!({"mine": "1", "theirs": "1"})),
        )
        .await;
    let set = |name: &str, takeover| -> Steps {
        let path = vec!["data".to_owned(), name.to_owned()];
        let change = Change::Set {
            object: config_ref("a"),
            path,
            value: Some(json!("2")),
            takeover,
        };
        vec![Fake::new("a").wants(vec![change]).boxed()]
    };
    let refused = up(&world.engine(), &set("theirs", false))
        .await
        .0
        .expect_err("a conflict");
    insta::assert_snapshot!(refused, @"nothing was written: `a`: ConfigMap hcp/a: data.theirs is owned by theirs; allow the takeover in the document, or change it there");
    assert_eq!(world.gate.writes(), Vec::<String>::new());
    up(&world.engine(), &set("theirs", true)).await.0.expect("ready");
    up(&world.engine(), &set("new", false)).await.0.expect("ready");
    let config = world.get(CONFIG).await.expect("there");
    assert_eq!(config["data"], json!({"mine": "1", "theirs": "2", "new": "2"}));
    assert_eq!(
        config["metadata"]["annotations"]["berth.dev/former-values"],
        r#"{"/data/new":null,"/data/theirs":"1"}"#
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_command_set_is_the_document_s_again_and_nobody_else_s() {
    let world = World::new();
    let engine = world.engine();
    let wants = |change: Change| -> Steps { vec![Fake::new("a").wants(vec![namespace("hcp"), change]).boxed()] };
    let document = || wants(config("a", &json!({"replicas": "3", "site": "north"})));
    up(&engine, &document()).await.0.expect("ready");
    let merge = |fields: Value| {
        let object = config_ref("a");
        wants(Change::Merge { object, fields })
    };
    let more = merge(json!({"data": {"replicas": "5", "max": "9"}}));
    let planned = plan(&engine, &more).await;
    let fields: Vec<_> = planned.steps[0].writes.iter().flat_map(|write| &write.fields).collect();
    let paths: Vec<_> = fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, ["data.max", "data.replicas"]);
    up(&engine, &more).await.0.expect("ready");
    assert!(plan(&engine, &more).await.is_empty(), "it is made");
    up(&engine, &merge(json!({"data": {"max": null}})))
        .await
        .0
        .expect("ready");
    let data = |config: Option<Value>| config.expect("there")["data"].clone();
    assert_eq!(data(world.get(CONFIG).await), json!({"replicas": "5", "site": "north"}));

    let planned = plan(&engine, &document()).await;
    assert_eq!(planned.refusals().count(), 0, "it is Berth's own");
    assert_eq!(planned.writes(), 1);
    up(&engine, &document()).await.0.expect("ready");
    assert_eq!(data(world.get(CONFIG).await), json!({"replicas": "3", "site": "north"}));
    assert!(plan(&engine, &document()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_appears_midway_fails_the_step_and_nothing_is_forced() {
    let world = World::new();
    world
        .apply(
            "/api/v1/namespaces/hcp",
            "admin",
            &json!({"apiVersion": "v1", "kind": "Namespace"}),
        )
        .await;
    let engine = world.engine();
    let steps: Steps = vec![
        Fake::new("a").wants(vec![config("a", &json!({"x": "1"}))]).boxed(),
        Fake::new("b").after("a").boxed(),
    ];
    let empty = plan(&engine, &vec![]).await;
    world
        .apply(CONFIG, "argocd", &config_object("a", &json!({"x": "0"})))
        .await;
    let (sender, receiver) = tokio::sync::mpsc::channel(16);
    let (result, events) = tokio::join!(
        engine.run(&steps, &empty, sender, Limits::none()),
        crate::world::collect(receiver)
    );
    let Err(RunError::Failed { report }) = result else {
        panic!("{result:?}")
    };
    let Outcome::Failed { diagnosis } = &report.steps[0].outcome else {
        panic!("{report:?}")
    };
    assert_eq!(diagnosis.evidence, ["data.x is owned by argocd"], "{}", lines(&events));
    assert_eq!(report.steps[1].outcome, Outcome::Skipped { because: "a".into() });
    assert_eq!(world.get(CONFIG).await.expect("there")["data"]["x"], "0");
}

#[tokio::test(start_paused = true)]
async fn a_failed_step_stops_what_depends_on_it_and_nothing_else() {
    let world = World::new();
    let diagnosis = Diagnosis {
        id: "C06".into(),
        title: "refused".into(),
        object: "x".into(),
        evidence: vec![],
        fix: "y".into(),
    };
    let fatal = diagnosis.clone();
    let steps: Steps = vec![
        Fake::new("bad")
            .assessed(move |_| Assessment::Fatal {
                diagnosis: fatal.clone(),
            })
            .boxed(),
        Fake::new("after").after("bad").boxed(),
        Fake::new("other").wants(vec![namespace("hcp")]).boxed(),
    ];
    let (result, events) = up(&world.engine(), &steps).await;
    let error = result.expect_err("failed");
    assert_eq!(error.to_string(), "`bad` failed");
    let RunError::Failed { report } = error else {
        panic!("{error:?}")
    };
    assert_eq!(report.steps[0].outcome, Outcome::Failed { diagnosis });
    assert_eq!(report.steps[1].outcome, Outcome::Skipped { because: "bad".into() });
    assert!(
        matches!(report.steps[2].outcome, Outcome::Ready { .. }),
        "{}",
        lines(&events)
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_that_shows_later_is_made_too() {
    let world = World::new();
    let selector = Selector::in_namespace(resources::CONFIG_MAP, "hcp");
    let watched = selector.clone();
    // As setting a default storage class and then un-setting the other one: the second shows after the first.
    let steps: Steps = vec![
        Fake::new("a")
            .watches(selector)
            .wants_of(move |facts| {
                let mut wanted = vec![namespace("hcp"), config("first", &json!({"x": "1"}))];
                if facts
                    .objects(&watched)
                    .iter()
                    .any(|object| object["metadata"]["name"] == "first")
                {
                    wanted.push(config("second", &json!({"x": "1"})));
                }
                wanted
            })
            .boxed(),
    ];
    up(&world.engine(), &steps).await.0.expect("ready");
    assert!(world.get("/api/v1/namespaces/hcp/configmaps/first").await.is_some());
    // The step may be ready before its watch has shown the first: then the second run makes the second.
    up(&world.engine(), &steps).await.0.expect("ready");
    assert!(world.get("/api/v1/namespaces/hcp/configmaps/second").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_effect_is_done_once() {
    let world = World::new();
    let effect = || Effect::FetchTool {
        name: "hcp".into(),
        url: "https://x/hcp".into(),
        ca: None,
        probe: Vec::new(),
    };
    for already in [false, true] {
        let (report, events) = up(&world.engine(), &vec![Fake::new("cli").acts(effect()).boxed()]).await;
        report.expect("ready");
        let done = events.iter().find_map(|event| match &event.what {
            What::EffectDone { already, .. } => Some(*already),
            _ => None,
        });
        assert_eq!(done, Some(already));
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_only_run_writes_nothing() {
    let world = World::new();
    let engine = world.engine_of(
        holder(1),
        Options {
            read_only: true,
            ..Options::default()
        },
    );
    let (result, _) = up(&engine, &steps()).await;
    assert!(matches!(result, Err(RunError::ReadOnly)), "{result:?}");
    assert_eq!(world.gate.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_events() {
    let mut told = Vec::new();
    for _ in 0..2 {
        let world = World::new();
        let (report, events) = up(&world.engine(), &steps()).await;
        report.expect("ready");
        told.push(serde_json::to_string(&events).expect("JSON"));
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test(start_paused = true)]
async fn steps_that_wait_for_each_other_are_refused() {
    let world = World::new();
    let steps: Steps = vec![
        Fake::new("first").wants(vec![namespace("hcp")]).boxed(),
        Fake::new("a").after("b").boxed(),
        Fake::new("b").after("a").after("first").boxed(),
        Fake::new("c").after("b").boxed(),
    ];
    let engine = world.engine();
    let ready = plan(&engine, &vec![]).await;
    let (sender, _receiver) = tokio::sync::mpsc::channel(16);
    let error = engine.run(&steps, &ready, sender, Limits::none()).await;
    let error = error.expect_err("refused");
    assert!(matches!(error, RunError::Cycle { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "nothing was written: the steps `a`, `b`, `c` wait for each other"
    );
    assert_eq!(world.gate.writes(), Vec::<String>::new());
}
