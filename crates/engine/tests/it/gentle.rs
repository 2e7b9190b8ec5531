//! A run is no burden to a server: what it reads, how often, and for how long.

use std::sync::Arc;
use std::time::Duration;

use berth_api::resources;
use berth_apiserver::{Objects, VirtualDefinition, VirtualResource};
use berth_engine::Limits;
use berth_procedure::{Assessment, Selector};
use http::Method;
use serde_json::{Value, json};
use tokio::time;

use crate::step::{Fake, waiting_for_minutes};
use crate::world::{Fault, Steps, World, lines, up, up_within};

/// Packages, one of which two catalogs offer.
struct Packages;

impl VirtualResource for Packages {
    fn definition(&self) -> VirtualDefinition {
        VirtualDefinition {
            group: resources::PACKAGE_MANIFEST.group.to_owned(),
            version: resources::PACKAGE_MANIFEST.version.to_owned(),
            kind: resources::PACKAGE_MANIFEST.kind.to_owned(),
            plural: resources::PACKAGE_MANIFEST.plural.to_owned(),
            namespaced: true,
            ..VirtualDefinition::default()
        }
    }

    fn list(&self, _: &Objects<'_>, namespace: Option<&str>) -> Vec<Value> {
        let package = |name: &str, catalog: &str| json!({"metadata": {"name": name, "namespace": namespace}, "status": {"catalogSource": catalog}});
        vec![package("a", "one"), package("a", "two"), package("b", "one")]
    }
}

/// Changes an object every second.
async fn restless(world: &World) {
    for second in 0_u32.. {
        let signal = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"second": second.to_string()}});
        world
            .apply("/api/v1/namespaces/default/configmaps/signal", "operator", &signal)
            .await;
        time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_sees_both_of_two_packages_of_one_name() {
    let world = World::with_options(|options| options.virtual_resources = vec![Arc::new(Packages)]);
    let packages = Selector::named(resources::PACKAGE_MANIFEST, "default", "a");
    let watched = packages.clone();
    let steps: Steps = vec![
        Fake::new("a")
            .watches(packages)
            .assessed(move |observed| match observed.facts.objects(&watched).len() {
                2 => Assessment::ready(),
                some => Assessment::waiting("NotYet", some.to_string()),
            })
            .boxed(),
    ];
    let limits = Limits {
        timeout: Some(Duration::from_mins(1)),
        ..Limits::none()
    };
    let (result, events) = up_within(&world.engine(), &steps, limits).await;
    result.unwrap_or_else(|error| panic!("{error}\n{}", lines(&events)));
}

#[tokio::test(start_paused = true)]
async fn what_cant_be_watched_is_read_seldom_and_only_while_a_step_needs_it() {
    let world = World::with_options(|options| options.virtual_resources = vec![Arc::new(Packages)]);
    let (packages, others) = (
        Selector::named(resources::PACKAGE_MANIFEST, "default", "a"),
        Selector::in_namespace(resources::CONFIG_MAP, "default"),
    );
    let steps: Steps = vec![
        Fake::new("a")
            .watches(packages)
            .assessed(waiting_for_minutes(1))
            .boxed(),
        Fake::new("b").watches(others).assessed(waiting_for_minutes(10)).boxed(),
    ];
    let engine = world.engine();
    let lists = || {
        world
            .gate
            .reads("/apis/packages.operators.coreos.com/v1/namespaces/default/packagemanifests?limit")
    };
    let observer = async {
        time::sleep(Duration::from_secs(61)).await;
        lists()
    };
    let busy = async { tokio::join!(up(&engine, &steps), observer) };
    let ((report, _), within) = tokio::select! {
        biased;
        ended = busy => ended,
        () = restless(&world) => unreachable!("it has no end"),
    };
    report.expect("ready");
    // One for the plan, then one each five seconds; none for a step that has ended.
    assert!((3..=14).contains(&within), "{within}");
    assert_eq!(lists(), within);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_closed_at_once_is_not_opened_without_pause() {
    let world = World::new();
    world.gate.fail(Fault {
        method: Method::GET,
        path: "namespaces/default/configmaps?watch",
        times: usize::MAX,
        status: 200,
        retry_after: None,
    });
    let steps: Steps = vec![
        Fake::new("a")
            .watches(Selector::in_namespace(resources::CONFIG_MAP, "default"))
            .assessed(waiting_for_minutes(2))
            .boxed(),
    ];
    up(&world.engine(), &steps).await.0.expect("ready");
    let watches = world.gate.reads("/api/v1/namespaces/default/configmaps?watch");
    assert!((2..40).contains(&watches), "{watches}");
}
