//! What is told of a guest's later life: pauses with their age, bounds, skew, upgrades.

use serde_json::json;

use super::*;
use crate::fixtures::{World, conditions, object};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn told(world: &World, now: &str) -> GuestStatus {
    let mut selectors = watches();
    selectors.extend(guest_watches("hcp", "guest"));
    let facts = world.facts(&selectors);
    status(&facts, at(now)).guests.remove(0)
}

fn world() -> World {
    let mut world = World::bare();
    let history = json!([{ "state": "Completed", "version": "4.20.1", "image": "q/r:4.20.1" }]);
    let mut cluster = object(resources::HOSTED_CLUSTER, "hcp", "guest", &json!({}));
    cluster["spec"] = json!({ "release": { "image": "q/r:4.20.1" } });
    cluster["status"] = json!({ "version": { "history": history } });
    let pool = json!({
        "spec": { "clusterName": "guest", "autoScaling": { "min": 2, "max": 5 } },
        "status": { "replicas": 3, "version": "4.16.4" },
    });
    world
        .put(cluster)
        .put(object(resources::NODE_POOL, "hcp", "guest-workers", &pool));
    world
}

#[test]
fn a_forgotten_pause_shows_its_age_and_its_end() {
    let mut world = world();
    assert_eq!(told(&world, "2026-01-04T00:00:00Z").paused, None);
    let mut paused = conditions(&[("ReconciliationActive", "False", "ReconciliationPaused", "")]);
    paused["status"]["conditions"][0]["lastTransitionTime"] = "2026-01-01T00:00:00Z".into();
    world.change("HostedCluster", "guest", |cluster| {
        cluster["spec"]["pausedUntil"] = "true".into();
        cluster["status"]["conditions"] = paused["status"]["conditions"].clone();
    });
    let expected = Paused {
        since: Some(at("2026-01-01T00:00:00Z")),
        seconds: Some(3 * 24 * 3600),
        until: None,
    };
    assert_eq!(told(&world, "2026-01-04T00:00:00Z").paused, Some(expected));
    world.change("HostedCluster", "guest", |cluster| {
        cluster["spec"]["pausedUntil"] = "2026-01-03T00:00:00Z".into();
    });
    assert_eq!(told(&world, "2026-01-04T00:00:00Z").paused, None, "its time has passed");
    let until = told(&world, "2026-01-02T00:00:00Z")
        .paused
        .and_then(|paused| paused.until);
    assert_eq!(until, Some(at("2026-01-03T00:00:00Z")));
}

#[test]
fn bounds_and_skew_of_a_pool_are_told() {
    let mut world = world();
    let pool = told(&world, "2026-01-04T00:00:00Z").pools.remove(0);
    assert_eq!(pool.bounds, Some(Bounds { min: 2, max: 5 }));
    assert_eq!(
        pool.skew.as_deref(),
        Some(
            "4.16.4 with a control plane of 4.20.1: a pool may lag behind its control plane by three minors at most, so at \
             least at 4.17"
        )
    );
    world.change("NodePool", "guest-workers", |pool| {
        pool["status"]["version"] = "4.17.0".into();
    });
    assert_eq!(told(&world, "2026-01-04T00:00:00Z").pools[0].skew, None);
}

#[test]
fn an_upgrade_is_told_with_how_far_it_is() {
    let mut world = world();
    assert_eq!(told(&world, "2026-01-04T00:00:00Z").upgrade, None);
    world.change("HostedCluster", "guest", |cluster| {
        cluster["spec"]["release"]["image"] = "q/r:4.20.2".into();
        let entry = json!({ "state": "Partial", "version": "4.20.2", "image": "q/r:4.20.2" });
        if let Some(history) = cluster["status"]["version"]["history"].as_array_mut() {
            history.insert(0, entry);
        }
    });
    for (name, version, done) in [("etcd", "4.20.2", "True"), ("kube-apiserver", "4.20.1", "False")] {
        let mut component = conditions(&[("RolloutComplete", done, "", "")]);
        component["status"]["version"] = version.into();
        world.put(object(
            resources::CONTROL_PLANE_COMPONENT,
            "hcp-guest",
            name,
            &component,
        ));
    }
    assert_eq!(
        told(&world, "2026-01-04T00:00:00Z").upgrade.as_deref(),
        Some("the control plane goes from 4.20.1 to 4.20.2, 1 of 2 components are there")
    );
}

#[test]
fn the_lists_of_a_fleet_tell_of_a_guest_what_its_own_do() {
    let mut world = world();
    world.change("HostedCluster", "guest", |cluster| {
        cluster["status"]["conditions"] =
            conditions(&[("Available", "True", "AsExpected", "")])["status"]["conditions"].clone();
    });
    let labelled = json!({ "metadata": { "labels": { "hypershift.openshift.io/infra-id": "guest-x" } } });
    for (kind, fields) in [
        (resources::MACHINE, json!({})),
        (
            resources::VIRTUAL_MACHINE,
            json!({ "status": { "printableStatus": "Running" } }),
        ),
        (
            resources::VIRTUAL_MACHINE_INSTANCE,
            json!({ "status": { "nodeName": "worker-1" } }),
        ),
    ] {
        let mut worker = object(kind, "hcp-guest", "guest-workers-a", &fields);
        worker["metadata"]["labels"] = labelled["metadata"]["labels"].clone();
        world.put(worker);
    }
    let mut facts = world.facts(&[watches(), fleet_watches()].concat());
    spread(&mut facts);
    assert!(well(&facts, "hcp", "guest"));
    let of_fleet = status(&facts, at("2026-01-04T00:00:00Z")).guests.remove(0);
    assert_eq!(of_fleet.pools[0].machines[0].host, "worker-1");
    let alone = told(&world, "2026-01-04T00:00:00Z");
    let expected = GuestStatus {
        control_plane: None,
        ..alone
    };
    assert_eq!(of_fleet, expected);

    world.change("NodePool", "guest-workers", |pool| {
        pool["status"]["replicas"] = 1.into();
    });
    let mut facts = world.facts(&[watches(), fleet_watches()].concat());
    spread(&mut facts);
    assert!(!well(&facts, "hcp", "guest"), "a node is missing");
}

#[test]
fn a_login_that_is_not_settled_is_told() {
    let mut world = world();
    let mut phase = |phase: &str| {
        let record = json!({
            "digest": "x", "phase": phase, "since": "2026-01-02T03:04:05Z", "awaiting": ["sso"],
            "former": { "providers": null, "oidc": null },
        });
        world.change("HostedCluster", "guest", |cluster| {
            cluster["metadata"]["annotations"]["berth.dev/identity"] = record.to_string().into();
            cluster["spec"]["configuration"]["oauth"]["identityProviders"] =
                json!([{ "name": "sso", "type": "OpenID" }]);
        });
        told(&world, "2026-01-04T00:00:00Z").identity.map(|login| login.phase)
    };
    assert_eq!(phase("awaiting").as_deref(), Some("awaiting"));
    assert_eq!(phase("refused").as_deref(), Some("refused"));
    assert_eq!(phase("settled"), None);
}
