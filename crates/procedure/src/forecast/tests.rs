//! Each row of the table, and what a plan says of it.

use berth_api::{Edit as Later, resources};
use serde_json::{Value, json};

use super::{Edit, *};
use crate::fixtures::{INSIDE, World, object};

const POOL: &str = "guest-cluster-0-workers";

fn place() -> GuestRef {
    GuestRef::new("hcp", "guest-cluster-0")
}

/// A guest with a pool of three machines, on three nodes of 63.5 cores, 250Gi and 250 pods.
fn world(management: &Value) -> World {
    let mut world = World::bare();
    let pool = json!({ "spec": {
        "clusterName": "guest-cluster-0", "replicas": 3, "management": management,
        "platform": { "type": "KubeVirt", "kubevirt": {
            "compute": { "cores": 8, "memory": "10Gi" },
            "rootVolume": { "type": "Persistent", "persistent": { "size": "32Gi" } },
        } },
    }, "status": { "replicas": 3 } });
    world
        .put(object(resources::HOSTED_CLUSTER, "hcp", "guest-cluster-0", &json!({})))
        .put(object(resources::NODE_POOL, "hcp", POOL, &pool));
    for index in 0..3 {
        let machine =
            json!({ "metadata": { "annotations": { "hypershift.openshift.io/nodePool": format!("hcp/{POOL}") } } });
        world.put(object(resources::MACHINE, INSIDE, &format!("{POOL}-{index}"), &machine));
    }
    world
}

fn facts(world: &World) -> Facts {
    let place = place();
    let mut selectors = vec![
        place.hosted_cluster(),
        place.node_pools(),
        place.inside(resources::MACHINE),
    ];
    selectors.extend(room::watches());
    world.facts(&selectors)
}

fn of_pool(path: &str, from: Value, to: Value) -> Edit {
    changed(ObjectRef::namespaced(resources::NODE_POOL, "hcp", POOL), path, from, to)
}

fn of_cluster(path: &str, from: Value, to: Value) -> Edit {
    changed(place().object(), path, from, to)
}

fn changed(object: ObjectRef, path: &str, from: Value, to: Value) -> Edit {
    Edit::Changed {
        object,
        path: path.to_owned(),
        from: (!from.is_null()).then_some(from),
        to: (!to.is_null()).then_some(to),
    }
}

/// The forecast as a plan prints it.
fn told(management: &Value, edits: &[Edit]) -> String {
    told_of(&world(management), edits)
}

fn told_of(world: &World, edits: &[Edit]) -> String {
    let all = forecast(&facts(world), &place(), edits);
    let lines = all.iter().flat_map(|forecast| {
        let causes = forecast.causes();
        let room = forecast.room.as_ref().map(|room| format!("  needs {room}"));
        std::iter::once(forecast.to_string())
            .chain((!causes.is_empty()).then(|| format!("  because of {causes}")))
            .chain(room)
            .chain(forecast.notes.iter().map(|note| format!("  {note}")))
            .collect::<Vec<_>>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn replace() -> Value {
    json!({ "upgradeType": "Replace" })
}

#[test]
fn another_shape_of_machines_replaces_them_and_needs_room_for_one_more() {
    let edit = of_pool("spec.platform.kubevirt.compute.cores", json!(8), json!(16));
    insta::assert_snapshot!(told(&replace(), &[edit]), @r"
    NodePool hcp/guest-cluster-0-workers: 3 machines are replaced, with 1 more at a time and none missing
      because of spec.platform.kubevirt.compute.cores (U02)
      needs room for 1 more: 16 cores (1.6 reserved), about 10.3Gi of memory and a disk of 32Gi each; the nodes have room for 72
    ");
}

#[test]
fn pace_and_upgrade_type_are_the_pools_own() {
    let edit = [of_pool("spec.config", json!([]), json!([{ "name": "sysctl" }]))];
    let percent = json!({ "upgradeType": "Replace", "replace": { "rollingUpdate": { "maxSurge": "50%", "maxUnavailable": "34%" } } });
    let on_delete = json!({ "upgradeType": "Replace", "replace": { "strategy": "OnDelete" } });
    let in_place = json!({ "upgradeType": "InPlace", "inPlace": { "maxUnavailable": 2 } });
    let happens = |management: &Value, edits: &[Edit]| {
        let all = forecast(&facts(&world(management)), &place(), edits);
        all.into_iter().next().expect("something happens").happens
    };
    assert_eq!(
        happens(&percent, &edit),
        Happens::Replaced {
            machines: 3,
            surge: 2,
            unavailable: 1
        }
    );
    assert_eq!(happens(&on_delete, &edit), Happens::ReplacedOnDelete { machines: 3 });
    assert_eq!(
        happens(&in_place, &edit),
        Happens::UpdatedInPlace {
            machines: 3,
            unavailable: 2
        }
    );
    let shape = [of_pool(
        "spec.platform.kubevirt.compute.memory",
        json!("8Gi"),
        json!("16Gi"),
    )];
    assert_eq!(happens(&in_place, &shape), Happens::LaterMachinesOnly);
}

/// Every row that is said to roll does, and no other.
#[test]
fn exactly_the_rows_that_roll_replace_machines() {
    for row in TRIGGERS {
        let to = match row.path {
            "spec.pausedUntil" => json!("true"),
            "spec.replicas" => json!(3),
            _ => json!({ "name": "other" }),
        };
        let edit = match row.kind {
            "NodePool" => of_pool(row.path, Value::Null, to),
            _ => of_cluster(row.path, Value::Null, to),
        };
        let all = forecast(&facts(&world(&replace())), &place(), &[edit]);
        let replaces = all
            .iter()
            .any(|forecast| matches!(forecast.happens, Happens::Replaced { .. }));
        let rolls = matches!(row.does, Consequence::Rolls | Consequence::Template);
        assert_eq!(replaces, rolls, "{} {}: {all:?}", row.kind, row.path);
    }
}

#[test]
fn what_touches_no_worker_is_said_so() {
    let edits = [
        of_pool("spec.nodeDrainTimeout", Value::Null, json!("5m0s")),
        of_pool("spec.management.autoRepair", json!(false), json!(true)),
        of_pool("spec.nodeLabels.site", Value::Null, json!("north")),
        of_pool("spec.taints", Value::Null, json!([{ "key": "gpu" }])),
        of_cluster(
            "spec.configuration",
            Value::Null,
            json!({ "oauth": {}, "apiServer": { "audit": {} } }),
        ),
        of_cluster("metadata.labels.site", Value::Null, json!("north")),
        changed(
            ObjectRef::namespaced(resources::SECRET, "hcp", "guest-cluster-0-pull-secret"),
            "data[\".dockerconfigjson\"]",
            Value::Null,
            Value::Null,
        ),
    ];
    let all = forecast(&facts(&world(&replace())), &place(), &edits);
    assert!(all.iter().all(|forecast| !forecast.is_felt()), "{all:?}");
    insta::assert_snapshot!(told(&replace(), &edits[2..]), @r#"
    NodePool hcp/guest-cluster-0-workers: no worker is touched
      because of spec.nodeLabels.site (U02), spec.taints (U02)
      labels and taints are given to a node when it joins: nodes that are there stay as they are
    Secret hcp/guest-cluster-0-pull-secret: no worker is touched
      because of data[".dockerconfigjson"]
      another content under the same name reaches only machines that are made later
    HostedCluster hcp/guest-cluster-0: no worker is touched
      because of spec.configuration.apiServer.audit (U02), spec.configuration.oauth (U02), metadata.labels.site
    "#);
}

#[test]
fn a_field_within_what_comes_or_goes_whole_is_found() {
    let from = json!({ "oauth": {}, "proxy": { "httpProxy": "http://proxy" } });
    let gone = of_cluster("spec.configuration", from, Value::Null);
    let all = forecast(&facts(&world(&replace())), &place(), &[gone]);
    let Happens::Replaced { .. } = all[0].happens else {
        panic!("{all:?}")
    };
    let paths: Vec<_> = all[0].because.iter().map(|cause| cause.path.as_str()).collect();
    assert_eq!(paths, ["spec.configuration.proxy"]);
}

#[test]
fn more_machines_need_room_and_bounds_clamp() {
    let more = of_pool("spec.replicas", json!(3), json!(5));
    insta::assert_snapshot!(told(&replace(), &[more]), @r"
    NodePool hcp/guest-cluster-0-workers: 2 machines more, from 3 to 5
      because of spec.replicas (U02)
      needs room for 2 more: 8 cores (0.8 reserved), about 10.3Gi of memory and a disk of 32Gi each; the nodes have room for 72
    ");
    let bounds = [
        of_pool("spec.replicas", json!(3), Value::Null),
        of_pool("spec.autoScaling", Value::Null, json!({ "min": 1, "max": 2 })),
    ];
    insta::assert_snapshot!(told(&replace(), &bounds), @r"
    NodePool hcp/guest-cluster-0-workers: 1 machine fewer, from 3 to 2
      because of spec.replicas (U02), spec.autoScaling (U02)
      the virtual machines that go take their disks with them
      from then on the autoscaler chooses, from 1 to 2
    ");
}

#[test]
fn room_is_counted_node_by_node_beside_what_runs() {
    let mut world = world(&replace());
    // Two nodes have 5Gi left: together enough for a machine, on neither.
    for index in 0..2 {
        let pod = json!({
            "spec": { "nodeName": format!("worker-{index}"), "containers": [{ "resources": { "requests": { "memory": "245Gi", "cpu": "1" } } }] },
            "status": { "phase": "Running" },
        });
        world.put(object(resources::POD, "db", &format!("large-{index}"), &pod));
    }
    let ended = json!({
        "spec": { "nodeName": "worker-2", "containers": [{ "resources": { "requests": { "memory": "245Gi" } } }] },
        "status": { "phase": "Succeeded" },
    });
    world.put(object(resources::POD, "db", "ended", &ended));
    let edit = [of_pool("spec.platform.kubevirt.compute.cores", json!(8), json!(4))];
    let fits = |world: &World| {
        let all = forecast(&facts(world), &place(), &edit);
        let room = all[0].room.clone().expect("a machine more is needed");
        (room.fits, room.is_short(), all[0].notes.len())
    };
    assert_eq!(fits(&world), (Some(24), false, 0));
    world.change("Node", "worker-2", |node| {
        node["spec"] = json!({ "unschedulable": true });
    });
    assert_eq!(fits(&world), (Some(0), true, 1), "and what that comes to is said");
    assert_eq!(fits(world.unreadable("Pod")), (None, false, 0));
}

#[test]
fn a_pool_that_goes_is_told_with_what_goes_with_it() {
    let gone = Edit::Deleted(ObjectRef::namespaced(resources::NODE_POOL, "hcp", POOL));
    insta::assert_snapshot!(told(&replace(), &[gone]), @r"
    NodePool hcp/guest-cluster-0-workers: goes, with its 3 machines: guest-cluster-0-workers-0, guest-cluster-0-workers-1, guest-cluster-0-workers-2
      its virtual machines and their disks go with it
      it is the last pool: the guest is left without workers, and nothing runs in it
      it has no drain timeout: a PodDisruptionBudget that allows nothing holds its machines for ever (D04)
    ");
}

#[test]
fn a_cluster_s_field_reaches_every_pool_of_its_own() {
    let mut world = world(&replace());
    let other = |cluster: &str| json!({ "spec": { "clusterName": cluster, "replicas": 2, "management": { "upgradeType": "InPlace" } } });
    world
        .put(object(resources::NODE_POOL, "hcp", "second", &other("guest-cluster-0")))
        .put(object(
            resources::NODE_POOL,
            "hcp",
            "foreign",
            &other("guest-cluster-1"),
        ));
    let edit = of_cluster("spec.additionalTrustBundle.name", Value::Null, json!("user-ca-bundle"));
    let all = forecast(&facts(&world), &place(), &[edit]);
    let objects: Vec<_> = all.iter().map(|forecast| forecast.object.as_str()).collect();
    assert_eq!(objects, ["NodePool hcp/guest-cluster-0-workers", "NodePool hcp/second"]);
    let release = of_cluster("spec.release.image", json!("q/r:4.17.0"), json!("q/r:4.17.9"));
    let all = forecast(&facts(&world), &place(), &[release]);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].happens, Happens::Upgraded);
}

#[test]
fn a_guest_that_is_only_being_made_has_no_forecast() {
    let facts = World::bare().facts(&[place().hosted_cluster(), place().node_pools()]);
    assert_eq!(forecast(&facts, &place(), &[Edit::Made(place().object())]), []);
}

/// The profile of TLS reaches workers from a release on; the plan says so of each pool by its own release.
#[test]
fn what_rolls_from_a_release_on_touches_no_worker_before_it() {
    let edit = of_cluster(
        "spec.configuration.apiServer.tlsSecurityProfile.type",
        json!("Intermediate"),
        json!("Modern"),
    );
    let happens = |version: &str| {
        let mut world = world(&replace());
        world.change("NodePool", POOL, |pool| pool["status"]["version"] = version.into());
        let all = forecast(&facts(&world), &place(), std::slice::from_ref(&edit));
        let happens = all.into_iter().map(|forecast| forecast.happens);
        happens.collect::<Vec<_>>()
    };
    assert_eq!(happens("4.22.9"), [Happens::NoWorkerTouched]);
    for version in ["4.23.0", "5.0.1"] {
        let happens = happens(version);
        assert!(
            matches!(&happens[..], [Happens::Replaced { machines: 3, .. }]),
            "{version}: {happens:?}"
        );
    }
}

#[test]
fn pools_that_roll_together_share_what_is_free() {
    let mut world = world(&replace());
    let mut second = world
        .find(&object(resources::NODE_POOL, "hcp", POOL, &json!({})))
        .cloned()
        .expect("the pool");
    second["metadata"]["name"] = "guest-cluster-0-second".into();
    world.put(second);
    let edit = [of_cluster("spec.pullSecret.name", json!("a"), json!("b"))];
    let fits = |world: &World| {
        let all = forecast(&facts(world), &place(), &edit);
        let fits = all.iter().filter_map(|forecast| forecast.room.as_ref()?.fits);
        fits.collect::<Vec<_>>()
    };
    assert_eq!(fits(&world), [72, 71]);
    let infra = json!({ "platform": { "kubevirt": { "credentials": { "infraNamespace": "guests" } } } });
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["spec"] = infra.clone();
    });
    assert!(fits(&world).is_empty(), "the hub's nodes are not the ones that count");
    let told = told_of(&world, &edit);
    assert!(told.contains("not seen from here"), "{told}");
}

/// What `explain` says of a field and what a plan says of its edit are the same.
#[test]
fn explain_and_the_table_agree_on_what_reaches_workers() {
    let (_, fields) = berth_api::fields_of_kind("GuestCluster").expect("the kind");
    let mut differ = Vec::new();
    for field in fields.iter().filter(|field| field.is_leaf && !field.becomes.is_empty()) {
        let kind = if field.path.contains("nodePools[]") {
            "NodePool"
        } else {
            "HostedCluster"
        };
        for becomes in field.becomes.split('|') {
            let path = becomes.split('[').next().unwrap_or_default();
            let does = trigger_of(kind, path).map_or(Consequence::Nothing, |row| row.does);
            let table = matches!(
                does,
                Consequence::Rolls | Consequence::Template | Consequence::NewNodes | Consequence::Upgrades
            );
            let explained = matches!(field.edit, Later::Rollout | Later::Machines | Later::NewWorkers);
            if table != explained {
                differ.push(format!("{} ({becomes}): {:?}, {does:?}", field.path, field.edit));
            }
        }
    }
    assert_eq!(differ, Vec::<String>::new());
}
