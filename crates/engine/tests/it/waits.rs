use std::num::NonZeroUsize;
use std::time::Duration;

use berth_api::resources;
use berth_engine::{Limits, Options, Outcome, RunError, What};
use berth_procedure::{Assessment, Change, Diagnosis, ObjectRef, Seen, Selector, Target};
use futures::FutureExt;
use serde_json::json;
use tokio::time::{self, Instant};

use crate::step::{Fake, config, hosted_cluster, namespace};
use crate::world::{Steps, World, definition, holder, lines, plan, up, up_within};

const CONFIG: &str = "/api/v1/namespaces/hcp/configmaps/a";

#[tokio::test(start_paused = true)]
async fn a_step_waits_for_what_it_watches_and_tells_what_for() {
    let world = World::new();
    let watched = Selector::named(resources::CONFIG_MAP, "default", "signal");
    let selector = watched.clone();
    let steps: Steps = vec![
        Fake::new("a")
            .watches(watched)
            .assessed(move |observed| match observed.facts.object(&selector) {
                Some(signal) if signal["data"]["go"] == "yes" => Assessment::ready(),
                Some(_) => Assessment::counted("Half", "half of it is there", 1, 2),
                None => Assessment::waiting("Missing", "nothing is there"),
            })
            .boxed(),
    ];
    let operator = async {
        time::sleep(Duration::from_mins(1)).await;
        let mut signal = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"go": "no"}});
        world
            .apply("/api/v1/namespaces/default/configmaps/signal", "operator", &signal)
            .await;
        time::sleep(Duration::from_mins(1)).await;
        signal["data"]["go"] = "yes".into();
        world
            .apply("/api/v1/namespaces/default/configmaps/signal", "operator", &signal)
            .await;
    };
    let engine = world.engine();
    let ((report, events), ()) = tokio::join!(up(&engine, &steps), operator);
    assert_eq!(report.expect("ready").steps[0].took_millis / 1000, 120);
    insta::assert_snapshot!(lines(&events), @r#"
    runStarted {"steps":[{"id":"a","title":"the step a"}],"url":"https://management","writes":0}
    stepStarted {"step":"a"}
    waiting {"detail":"nothing is there","done":null,"reason":"Missing","step":"a","total":null}
    waiting {"detail":"half of it is there","done":1,"reason":"Half","step":"a","total":2}
    stepReady {"outputs":{},"step":"a"}
    runFinished {"result":"ready","writes":0}
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_step_is_assessed_again_when_it_asked_to_be() {
    let world = World::new();
    let steps: Steps = vec![
        Fake::new("a")
            .assessed(|observed| {
                let at = observed.since + Duration::from_secs(30);
                if observed.now >= at {
                    return Assessment::ready();
                }
                let (reason, detail) = ("Soon".to_owned(), "half a minute".to_owned());
                Assessment::Waiting {
                    reason,
                    detail,
                    done: None,
                    total: None,
                    recheck_at: Some(at),
                }
            })
            .boxed(),
    ];
    let report = up(&world.engine(), &steps).await.0.expect("ready");
    assert_eq!(report.steps[0].took_millis / 1000, 30);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_missing_is_waited_for() {
    let world = World::new();
    let selector = Selector::all(resources::HOSTED_CLUSTER);
    let watched = selector.clone();
    let steps: Steps = vec![
        Fake::new("guest")
            .wants(vec![namespace("hcp"), hosted_cluster("guest")])
            .watches(selector)
            .assessed(move |observed| match observed.facts.seen(&watched) {
                Seen::Objects(objects) if objects.len() == 1 => Assessment::ready(),
                seen => Assessment::waiting("NotYet", format!("{seen:?}")),
            })
            .boxed(),
    ];
    let operator = async {
        time::sleep(Duration::from_mins(5)).await;
        let group = resources::HOSTED_CLUSTER.group;
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/hostedclusters.{group}");
        world
            .apply(
                &path,
                "operator",
                &definition(group, "v1beta1", "HostedCluster", "hostedclusters"),
            )
            .await;
    };
    let engine = world.engine();
    let ((report, events), ()) = tokio::join!(up(&engine, &steps), operator);
    let report = report.expect("ready");
    // The definition is watched: nobody waits for a timer once it is there.
    assert!(
        (300_000..303_000).contains(&report.took_millis),
        "{}\n{}",
        report.took_millis,
        lines(&events)
    );
    let detail = r#"no matches for kind \"HostedCluster\" in version \"hypershift.openshift.io/v1beta1\" yet"#;
    assert_eq!(lines(&events).matches(detail).count(), 1, "{}", lines(&events));
}

#[tokio::test(start_paused = true)]
async fn what_is_blocked_is_explained_and_still_waited_for() {
    let world = World::new();
    let steps: Steps = vec![
        Fake::new("a")
            .assessed(|observed| {
                let heals_at = observed.since + Duration::from_mins(1);
                if observed.now >= heals_at {
                    return Assessment::ready();
                }
                let diagnosis = Diagnosis {
                    id: "P02".into(),
                    title: "no default class".into(),
                    object: "x".into(),
                    evidence: vec![],
                    fix: "y".into(),
                };
                Assessment::Blocked {
                    diagnosis,
                    recheck_at: Some(heals_at),
                }
            })
            .boxed(),
    ];
    let (report, events) = up(&world.engine(), &steps).await;
    report.expect("ready");
    assert_eq!(
        events
            .iter()
            .filter(|event| matches!(event.what, What::Blocked { .. }))
            .count(),
        1,
        "{}",
        lines(&events)
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_times_out_says_what_it_last_saw() {
    let world = World::new();
    let steps: Steps = vec![
        Fake::new("a")
            .assessed(|_| Assessment::waiting("Slow", "2 of 3 nodes are Ready"))
            .boxed(),
        Fake::new("b").after("a").boxed(),
    ];
    let limits = Limits {
        timeout: Some(Duration::from_secs(90)),
        ..Limits::none()
    };
    let began = Instant::now();
    let (result, _) = up_within(&world.engine(), &steps, limits).await;
    let error = result.expect_err("timed out");
    assert_eq!(
        (error.to_string().as_str(), began.elapsed().as_secs()),
        ("timed out after 90 s", 90)
    );
    let RunError::TimedOut { report, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        report.steps[0].outcome,
        Outcome::Unfinished {
            waiting: "2 of 3 nodes are Ready".into(),
            diagnosis: None
        }
    );
    assert_eq!(
        report.steps[1].outcome,
        Outcome::NotBegun {
            after: vec!["a".into()]
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_times_out_early_explains_what_it_would_have_explained_later() {
    let world = World::new();
    let diagnosis = Diagnosis {
        id: "P05".into(),
        title: "no address".into(),
        object: "Service a/b".into(),
        evidence: Vec::new(),
        fix: "make a pool".into(),
    };
    let explained = diagnosis.clone();
    let steps: Steps = vec![
        Fake::new("a")
            .assessed(move |observed| {
                if observed.now.duration_since(observed.since).as_secs() < 30 {
                    return Assessment::waiting("Slow", "the address is pending");
                }
                Assessment::Blocked {
                    diagnosis: explained.clone(),
                    recheck_at: None,
                }
            })
            .boxed(),
    ];
    let limits = Limits {
        timeout: Some(Duration::from_secs(5)),
        ..Limits::none()
    };
    let (result, _) = up_within(&world.engine(), &steps, limits).await;
    let Err(RunError::TimedOut { report, .. }) = result else {
        panic!("{result:?}")
    };
    let Outcome::Unfinished { diagnosis: told, .. } = &report.steps[0].outcome else {
        panic!("{report:?}")
    };
    assert_eq!(told.as_ref(), Some(&diagnosis));
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_gives_its_lease_back() {
    let world = World::new();
    let steps: Steps = vec![
        Fake::new("a")
            .wants(vec![namespace("hcp")])
            .assessed(|_| Assessment::waiting("Slow", "something"))
            .boxed(),
    ];
    let limits = Limits {
        interrupted: time::sleep(Duration::from_secs(25)).boxed(),
        ..Limits::none()
    };
    let (result, events) = up_within(&world.engine(), &steps, limits).await;
    assert!(matches!(result, Err(RunError::Interrupted { .. })), "{result:?}");
    assert!(
        lines(&events).contains(r#"leaseReleased {"lease":"hub"}"#),
        "{}",
        lines(&events)
    );
    let lease = world
        .get("/apis/coordination.k8s.io/v1/namespaces/berth-system/leases/hub")
        .await
        .expect("there");
    assert_eq!(lease["spec"]["holderIdentity"], "");
}

#[tokio::test(start_paused = true)]
async fn drift_is_mended_while_a_step_waits_and_a_tug_of_war_is_given_up() {
    let world = World::new();
    let watched = Selector::in_namespace(resources::CONFIG_MAP, "hcp");
    let steps: Steps = vec![
        Fake::new("a")
            .wants(vec![namespace("hcp"), config("a", &json!({"x": "1"}))])
            .watches(watched)
            .assessed(|_| Assessment::waiting("Slow", "something"))
            .boxed(),
    ];
    let operator = async {
        for _ in 0..20 {
            time::sleep(Duration::from_secs(5)).await;
            // An Update takes the ownership of the field away, so that there is no conflict for server-side apply.
            world.merge(CONFIG, &json!({"data": {"x": null}})).await;
        }
    };
    let engine = world.engine();
    let ((result, events), ()) = tokio::join!(up(&engine, &steps), operator);
    let Err(RunError::Failed { report }) = result else {
        panic!("{result:?}")
    };
    let Outcome::Failed { diagnosis } = &report.steps[0].outcome else {
        panic!("{report:?}")
    };
    assert_eq!(
        diagnosis.title,
        "ConfigMap hcp/a is changed back again and again",
        "{}",
        lines(&events)
    );
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_going_is_made_anew_when_it_is_gone() {
    let world = World::new();
    let steps: Steps = vec![
        Fake::new("a")
            .wants(vec![namespace("hcp"), config("a", &json!({"x": "1"}))])
            .watches(Selector::in_namespace(resources::CONFIG_MAP, "hcp"))
            .boxed(),
    ];
    up(&world.engine(), &steps).await.0.expect("ready");
    world
        .merge(CONFIG, &json!({"metadata": {"finalizers": ["test/hold"]}}))
        .await;
    let former = world.get(CONFIG).await.expect("there")["metadata"]["uid"].clone();
    world.delete(CONFIG).await;
    let operator = async {
        time::sleep(Duration::from_secs(40)).await;
        world.merge(CONFIG, &json!({"metadata": {"finalizers": null}})).await;
    };
    let engine = world.engine();
    let ((report, events), ()) = tokio::join!(up(&engine, &steps), operator);
    report.expect("ready");
    assert!(
        lines(&events).contains("ConfigMap hcp/a is still being deleted"),
        "{}",
        lines(&events)
    );
    assert_ne!(world.get(CONFIG).await.expect("there")["metadata"]["uid"], former);
}

#[tokio::test(start_paused = true)]
async fn guests_are_brought_up_side_by_side_but_not_all_at_once() {
    let world = World::new();
    let guest = |name: &str| {
        Fake::new(&format!("guest/{name}")).guest(name).assessed(|observed| {
            let at = observed.since + Duration::from_mins(1);
            if observed.now >= at {
                Assessment::ready()
            } else {
                Assessment::Waiting {
                    reason: "R".into(),
                    detail: "d".into(),
                    done: None,
                    total: None,
                    recheck_at: Some(at),
                }
            }
        })
    };
    let steps: Steps = ["a", "b", "c", "d"].iter().map(|name| guest(name).boxed()).collect();
    let options = Options {
        parallel_guests: NonZeroUsize::new(2).expect("two"),
        ..Options::default()
    };
    let report = up(&world.engine_of(holder(1), options), &steps).await.0.expect("ready");
    assert_eq!(report.took_millis / 1000, 120);
}

#[tokio::test(start_paused = true)]
async fn a_guest_is_read_once_its_kubeconfig_is_there() {
    let world = World::new();
    let guest = Target::Guest {
        namespace: "hcp".into(),
        name: "guest".into(),
    };
    let namespaces = Selector::all(resources::NAMESPACE).on(guest.clone());
    let watched = namespaces.clone();
    let object = ObjectRef::cluster(resources::NAMESPACE, "in-the-guest").on(guest.clone());
    let fields = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "in-the-guest"}});
    let steps: Steps = vec![
        Fake::new("access")
            .connects(guest)
            .watches(namespaces)
            .wants(vec![Change::Apply { object, fields }])
            .assessed(move |observed| match observed.facts.seen(&watched) {
                Seen::Objects(_) => Assessment::ready(),
                seen => Assessment::waiting("NotYet", format!("{seen:?}")),
            })
            .boxed(),
    ];
    up(&world.engine(), &steps).await.0.expect("ready");
    assert!(world.get("/api/v1/namespaces/in-the-guest").await.is_some());
    assert!(plan(&world.engine(), &steps).await.is_empty());
}
