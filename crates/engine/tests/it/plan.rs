use std::sync::Arc;

use berth_api::resources;
use berth_apiserver::{Authorizer, Decision};
use berth_engine::{Basis, Options, Plan, PlannedWrite, Shown, Verb};
use berth_procedure::{Change, Effect, ObjectRef, Selector};
use serde_json::json;

use crate::step::{Fake, config, config_object, hosted_cluster, key, namespace};
use crate::world::{Steps, World, holder, plan, up};

fn journey() -> Steps {
    vec![
        Fake::new("operator")
            .wants(vec![namespace("hcp")])
            .provides(resources::HOSTED_CLUSTER)
            .boxed(),
        Fake::new("guest")
            .after("operator")
            .wants(vec![
                config("a", &json!({"x": "1"})),
                key("key"),
                hosted_cluster("guest"),
            ])
            .watches(Selector::all(resources::HOSTED_CLUSTER))
            .boxed(),
    ]
}

fn write<'a>(plan: &'a Plan, object: &str) -> &'a PlannedWrite {
    let mut writes = plan.steps.iter().flat_map(|step| &step.writes);
    writes
        .find(|write| write.object.to_string() == object)
        .unwrap_or_else(|| panic!("no {object} in {plan:#?}"))
}

#[tokio::test(start_paused = true)]
async fn a_plan_on_a_bare_cluster_lists_the_whole_journey_and_writes_nothing() {
    let world = World::new();
    let plan = plan(&world.engine(), &journey()).await;
    assert!(!plan.is_empty());
    assert_eq!(write(&plan, "Namespace hcp").basis, Basis::DryRun);
    // Its namespace is made by the same plan, so that the server can't be asked.
    assert_eq!(write(&plan, "ConfigMap hcp/a").basis, Basis::Local);
    let cluster = write(&plan, "HostedCluster hcp/guest");
    assert_eq!(
        (cluster.verb, &cluster.basis),
        (Verb::Create, &Basis::KnownAfter(Some("operator".into())))
    );
    assert_eq!(world.gate.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn secrets_show_their_keys_and_never_their_values() {
    let world = World::new();
    let secret = Change::Apply {
        object: ObjectRef::namespaced(resources::SECRET, "default", "pull"),
        fields: json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pull"}, "stringData": {"auth": "hush-hush"}}),
    };
    let plan = plan(&world.engine(), &vec![Fake::new("a").wants(vec![secret]).boxed()]).await;
    let shown: Vec<_> = write(&plan, "Secret default/pull")
        .fields
        .iter()
        .map(|field| (field.path.as_str(), &field.to))
        .collect();
    assert_eq!(shown, [("stringData.auth", &Shown::Secret)]);
    assert!(!serde_json::to_string(&plan).expect("JSON").contains("hush-hush"));
    assert!(!format!("{plan:?}").contains("hush-hush"));
}

#[tokio::test(start_paused = true)]
async fn what_is_as_it_should_be_needs_no_request() {
    let world = World::new();
    let steps: Steps = vec![
        Fake::new("a")
            .wants(vec![namespace("hcp"), config("a", &json!({"x": "1"})), key("key")])
            .boxed(),
    ];
    up(&world.engine(), &steps).await.0.expect("ready");
    world.gate.clear();
    let plan = plan(&world.engine(), &steps).await;
    assert!(plan.is_empty(), "{plan:#?}");
    assert_eq!((world.gate.writes(), world.gate.dry_runs()), (Vec::new(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_difference_is_told_by_field_as_the_server_sees_it() {
    let world = World::new();
    let steps = |value: &str| -> Steps {
        vec![
            Fake::new("a")
                .wants(vec![namespace("hcp"), config("a", &json!({"x": value, "y": "2"}))])
                .boxed(),
        ]
    };
    up(&world.engine(), &steps("1")).await.0.expect("ready");
    let plan = plan(&world.engine(), &steps("3")).await;
    let change = write(&plan, "ConfigMap hcp/a");
    assert_eq!((change.verb, &change.basis), (Verb::Update, &Basis::DryRun));
    let fields: Vec<_> = change
        .fields
        .iter()
        .map(|field| (field.path.as_str(), &field.from, &field.to))
        .collect();
    assert_eq!(
        fields,
        [("data.x", &Shown::Value(json!("1")), &Shown::Value(json!("3")))]
    );
}

#[tokio::test(start_paused = true)]
async fn fields_that_are_no_longer_wanted_are_dropped() {
    let world = World::new();
    let steps = |data| -> Steps { vec![Fake::new("a").wants(vec![namespace("hcp"), config("a", &data)]).boxed()] };
    up(&world.engine(), &steps(json!({"x": "1", "y": "2"})))
        .await
        .0
        .expect("ready");
    let steps = steps(json!({"x": "1"}));
    let plan = plan(&world.engine(), &steps).await;
    assert_eq!(write(&plan, "ConfigMap hcp/a").fields[0].path, "data.y");
    up(&world.engine(), &steps).await.0.expect("ready");
    let config = world.get("/api/v1/namespaces/hcp/configmaps/a").await.expect("there");
    assert_eq!(config["data"], json!({"x": "1"}));
}

#[tokio::test(start_paused = true)]
async fn somebody_who_may_only_read_gets_a_local_plan() {
    let read_only: Authorizer = Arc::new(|identity, request| {
        let reads = ["get", "list", "watch"].contains(&request.verb.as_str());
        if identity.user == "admin" || reads {
            Decision::Allow
        } else {
            Decision::Deny(String::new())
        }
    });
    let world = World::with_authorizer(Some(read_only));
    world
        .apply(
            "/api/v1/namespaces/hcp",
            "admin",
            &json!({"apiVersion": "v1", "kind": "Namespace"}),
        )
        .await;
    world
        .apply(
            "/api/v1/namespaces/hcp/configmaps/a",
            "admin",
            &config_object("a", &json!({"x": "0"})),
        )
        .await;
    let plan = plan(&world.engine(), &journey()).await;
    let change = write(&plan, "ConfigMap hcp/a");
    assert_eq!(
        (change.verb, &change.basis, change.fields[0].path.as_str()),
        (Verb::Update, &Basis::Local, "data.x")
    );
    assert_eq!(write(&plan, "Secret hcp/key").basis, Basis::Local);
    assert!(
        plan.steps
            .iter()
            .flat_map(|step| &step.writes)
            .all(|write| write.refused.is_none()),
        "{plan:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_read_only_engine_plans_without_dry_runs() {
    let world = World::new();
    let engine = world.engine_of(
        holder(1),
        Options {
            read_only: true,
            ..Options::default()
        },
    );
    let plan = plan(&engine, &journey()).await;
    assert_eq!((plan.writes(), world.gate.dry_runs()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn what_the_server_would_refuse_is_told() {
    let world = World::new();
    let bad = Change::Apply {
        object: ObjectRef::cluster(resources::NAMESPACE, "Capitals"),
        fields: json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "Capitals"}}),
    };
    let plan = plan(&world.engine(), &vec![Fake::new("a").wants(vec![bad]).boxed()]).await;
    let refused = write(&plan, "Namespace Capitals").refused.as_deref().expect("refused");
    assert!(refused.contains("Capitals"), "{refused}");
    assert_eq!(plan.refusals().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn effects_and_what_is_known_later_are_part_of_a_plan() {
    let world = World::new();
    let effect = Effect::FetchTool {
        name: "hcp".into(),
        url: "https://x/hcp".into(),
        ca: None,
        probe: Vec::new(),
    };
    let later = Change::Later {
        what: "a secret".into(),
        after: "a".into(),
    };
    let steps: Steps = vec![
        Fake::new("a").acts(effect).boxed(),
        Fake::new("b").after("a").wants(vec![later]).boxed(),
    ];
    let before = plan(&world.engine(), &steps).await;
    assert_eq!(
        (
            before.steps[0].effects[0].done,
            before.steps[1].later.len(),
            before.is_empty()
        ),
        (false, 1, false)
    );
    up(&world.engine(), &vec![Fake::new("a").acts(effect_of()).boxed()])
        .await
        .0
        .expect("ready");
    let after = plan(&world.engine(), &vec![Fake::new("a").acts(effect_of()).boxed()]).await;
    assert!(after.is_empty(), "{after:#?}");
}

fn effect_of() -> Effect {
    Effect::FetchTool {
        name: "hcp".into(),
        url: "https://x/hcp".into(),
        ca: None,
        probe: Vec::new(),
    }
}
