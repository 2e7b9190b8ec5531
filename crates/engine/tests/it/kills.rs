//! A run is killed at every one of its writes, before and after the server made it, and run again.

use berth_api::resources;
use berth_engine::Options;
use berth_procedure::Selector;
use serde_json::{Value, json};

use crate::step::{Fake, config, hosted_cluster, key, namespace};
use crate::world::{Kill, Steps, World, definition, holder, up};

const EVERYTHING: [&str; 5] = [
    "/api/v1/namespaces",
    "/api/v1/namespaces/hcp/configmaps",
    "/api/v1/namespaces/hcp/secrets",
    "/apis/hypershift.openshift.io/v1beta1/namespaces/hcp/hostedclusters",
    "/apis/coordination.k8s.io/v1/namespaces/berth-system/leases",
];

fn steps() -> Steps {
    vec![
        Fake::new("hub")
            .wants(vec![namespace("hcp"), config("a", &json!({"x": "1"}))])
            .boxed(),
        Fake::new("guest")
            .after("hub")
            .guest("guest")
            .wants(vec![key("key"), hosted_cluster("guest")])
            .watches(Selector::all(resources::HOSTED_CLUSTER))
            .boxed(),
    ]
}

async fn world() -> World {
    let world = World::new();
    let group = resources::HOSTED_CLUSTER.group;
    let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/hostedclusters.{group}");
    world
        .apply(
            &path,
            "operator",
            &definition(group, "v1beta1", "HostedCluster", "hostedclusters"),
        )
        .await;
    world
}

async fn key_of(world: &World) -> Option<Value> {
    Some(world.get("/api/v1/namespaces/hcp/secrets/key").await?["data"]["key"].clone())
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_killed_anywhere_converges_when_it_is_run_again() {
    let undisturbed = world().await;
    up(&undisturbed.engine(), &steps()).await.0.expect("ready");
    let (expected, writes) = (undisturbed.told(&EVERYTHING).await, undisturbed.gate.writes());
    assert!(writes.len() >= 8, "{writes:?}");
    for at in 1..=writes.len() {
        for kill in [Kill::Before(at), Kill::After(at)] {
            let world = world().await;
            // A dead process of this machine: its successor has another number.
            let killed = world.engine_of(holder(100), Options::default());
            let (steps, reached) = (steps(), world.gate.kill(kill));
            tokio::select! {
                biased;
                () = reached => {}
                ended = up(&killed, &steps) => panic!("{kill:?} was not reached: {ended:?}"),
            }
            world.gate.spare();
            let key = key_of(&world).await;
            let report = up(&world.engine(), &steps).await.0.expect("ready");
            assert!(report.took_millis < 2_000, "{kill:?}: waited for the dead");
            assert_eq!(world.told(&EVERYTHING).await, expected, "{kill:?}");
            assert!(key.is_none() || key_of(&world).await == key, "{kill:?}: another key");
        }
    }
}
