//! A bring-up as upstream describes it, told as it went; and what can't be told any longer is not made up.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::facts::Scope;
use crate::fixtures::{World, object};

/// When every guest here begins.
const BEGAN: &str = "2026-11-24T10:00:00Z";

fn at(seconds: i64) -> String {
    let began: Timestamp = BEGAN.parse().expect("a time");
    (began + SignedDuration::from_secs(seconds)).to_string()
}

/// How long each gate took to be passed, in seconds from the beginning; `None`: not yet.
#[derive(Clone, Copy)]
struct Gates {
    address: Option<i64>,
    etcd: Option<i64>,
    api: Option<i64>,
    available: Option<i64>,
    boot: Option<i64>,
    nodes: Option<i64>,
    complete: Option<i64>,
}

const WELL: Gates = Gates {
    address: Some(93),
    etcd: Some(130),
    api: Some(152),
    available: Some(275),
    boot: Some(420),
    nodes: Some(610),
    complete: Some(843),
};

fn condition(kind: &str, gate: Option<i64>, reason: &str) -> Value {
    let (status, time) = gate.map_or(("False", at(1)), |gate| ("True", at(gate)));
    json!({ "type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": time })
}

fn guest(name: &str, gates: Gates) -> Vec<Value> {
    let Gates {
        address,
        etcd,
        api,
        available,
        boot,
        nodes,
        complete,
    } = gates;
    let inside = format!("hcp-{name}");
    let made = |seconds: i64| json!({ "metadata": { "creationTimestamp": at(seconds) } });
    let mut history =
        json!([{ "state": "Partial", "version": "4.17.0", "startedTime": at(2), "completionTime": null }]);
    if let Some(complete) = complete {
        history[0]["state"] = json!("Completed");
        history[0]["completionTime"] = json!(at(complete));
    }
    let cluster = json!({
        "metadata": { "creationTimestamp": at(0) },
        "status": {
            "conditions": [
                condition("InfrastructureReady", address, "WaitingOnInfrastructureReady"),
                condition("EtcdAvailable", etcd, "EtcdWaitingForQuorum"),
                condition("KubeAPIServerAvailable", api, "WaitingForAvailable"),
                condition("Available", available, "ComponentsNotAvailable"),
            ],
            "version": { "history": history },
        },
    });
    let mut machine = made(160);
    machine["spec"] = json!({ "infrastructureRef": { "name": format!("{name}-w-1") } });
    machine["status"] = json!({ "conditions": [
        condition("InfrastructureReady", boot, "VMNotReady"), condition("NodeHealthy", nodes, "WaitingForNodeRef"),
    ] });
    let mut pool = made(1);
    pool["spec"] = json!({ "clusterName": name, "replicas": 1 });
    pool["status"] = json!({ "replicas": 1 });
    let mut disk = made(165);
    disk["status"] = json!({ "conditions": [condition("Ready", Some(300), "")] });
    vec![
        object(resources::HOSTED_CLUSTER, "hcp", name, &cluster),
        object(resources::HOSTED_CONTROL_PLANE, &inside, name, &made(4)),
        object(resources::NODE_POOL, "hcp", &format!("{name}-w"), &pool),
        object(resources::MACHINE, &inside, &format!("{name}-w-1"), &machine),
        object(resources::DATA_VOLUME, &inside, &format!("{name}-w-1-rhcos"), &disk),
    ]
}

fn event(namespace: &str, about: &str, seconds: i64, count: i64) -> Value {
    event_of("Pod", namespace, about, seconds, count)
}

fn event_of(kind: &str, namespace: &str, about: &str, seconds: i64, count: i64) -> Value {
    let more = json!({
        "type": "Warning", "reason": "FailedScheduling", "message": "0/6 nodes are available.\nmore", "count": count,
        "lastTimestamp": at(seconds), "involvedObject": { "kind": kind, "name": about },
    });
    object(resources::EVENT, namespace, &format!("{about}.{seconds}"), &more)
}

/// What the two readings of the guest `g` show.
fn read(world: &World) -> Facts {
    let mut facts = world.facts(&watches("hcp", "g"));
    facts.extend(world.facts(&watches_of_others(&facts, "hcp", "g")));
    facts
}

fn facts(objects: &[Value]) -> Facts {
    let mut world = World::bare();
    for object in objects {
        world.put(object.clone());
    }
    read(&world)
}

fn told(objects: &[Value], seconds: i64) -> Story {
    story(&facts(objects), "hcp", "g", at(seconds).parse().expect("a time")).expect("there is such a guest")
}

fn stage<'a>(story: &'a Story, id: &str) -> &'a Stage {
    story.stages.iter().find(|stage| stage.id == id).expect("a stage")
}

fn critical(story: &Story) -> Vec<&str> {
    story
        .stages
        .iter()
        .filter(|stage| stage.critical)
        .map(|stage| stage.id)
        .collect()
}

#[test]
fn a_bring_up_is_told_stage_by_stage() {
    let mut objects = guest("g", WELL);
    let slower = Gates {
        boot: Some(450),
        nodes: Some(700),
        complete: Some(1000),
        ..WELL
    };
    objects.extend(guest("other", slower));
    objects.push(event("hcp-g", "etcd-0", 100, 3));
    objects.push(event("hcp-g", "etcd-0", 120, 1));
    // Of another guest, and of another time.
    objects.push(event("hcp", "other", 100, 1));
    objects.push(event("hcp-g", "etcd-0", 5000, 1));
    let story = told(&objects, 6000);
    insta::assert_snapshot!(plain(&story, "https://api.hub.example:6443", false), @r"
    Guest hcp/g 4.17.0: complete after 14m 3s, from 2026-11-24T10:00:00Z to 2026-11-24T10:14:03Z
    https://api.hub.example:6443

       done at   took     1 other  published                  stage
    *  +4s       4s       4s       seconds                    the HostedCluster is accepted (the HostedControlPlane was made)
    *  +1m 33s   1m 29s   1m 29s   about 1.5 min              the API server gets its address, services their routes (InfrastructureReady became True)
    *  +2m 10s   37s      37s      about 1 min with the next  etcd has a quorum (EtcdAvailable became True)
       +2m 32s   22s      22s      -                          the API server runs (KubeAPIServerAvailable became True)
       +4m 35s   2m 3s    2m 3s    about 2 min                the control plane's other components run (Available became True)
    *  +2m 40s   30s      30s      -                          Cluster API makes the machines (the first Machine was made)
    *  +5m 0s    2m 20s   2m 20s   -                          disks are imported (DataVolumes became Ready)
    *  +7m 0s    2m 0s    2m 30s   -                          virtual machines start (Machines: InfrastructureReady became True)
    *  +10m 10s  3m 10s   4m 10s   -                          nodes join and are ready (Machines: NodeHealthy became True)
    *  +14m 3s   3m 53s   5m 0s    -                          cluster operators roll out (version.history has its first completed entry)
    =            4m 35s   4m 35s   < 5 min                    until the control plane is available
    =            10m 10s  11m 40s  < 8 min                    until the workers are ready
    =            14m 3s   16m 40s  < 15 min                   until the cluster is complete

    *: on the critical path; 1 other: the guest that was completed last.
    Published: goals of upstream's CI, and one run of it on a cloud; no promises for this hub:
      https://github.com/openshift/hypershift/blob/main/docs/content/reference/SLOs.md
      https://github.com/openshift/hypershift/blob/main/docs/content/reference/hostedcluster-bringup-phases.md
    Warnings meanwhile (Events, as far as they are kept):
      4 × Pod etcd-0 FailedScheduling: 0/6 nodes are available
    ");
    assert_eq!(
        critical(&story),
        [
            "accepted", "address", "etcd", "machines", "disks", "boot", "nodes", "rollout"
        ]
    );
}

#[test]
fn of_a_fleet_only_those_that_were_completed_last_are_read_and_compared() {
    let mut objects = guest("g", WELL);
    // Each took longer to boot than the one before, so that the middle of the last five is that of the seventh.
    for other in 0..10 {
        let gates = Gates {
            boot: Some(400 + 10 * other),
            complete: Some(1000 + other),
            ..WELL
        };
        objects.extend(guest(&format!("other-{other}"), gates));
    }
    let mut world = World::bare();
    for object in &objects {
        world.put(object.clone());
    }
    let first = world.facts(&watches("hcp", "g"));
    let read_of = |selectors: Vec<Selector>, kind: &str| -> Vec<String> {
        let of_kind = selectors.into_iter().filter(|selector| selector.resource.kind == kind);
        let inside = of_kind.map(|selector| match selector.scope {
            Scope::Namespace(namespace) => namespace,
            wider => format!("{wider:?}"),
        });
        inside.collect()
    };
    let last = [5, 6, 7, 8, 9].map(|other| format!("hcp-other-{other}"));
    for kind in ["HostedControlPlane", "Machine", "DataVolume"] {
        assert_eq!(read_of(watches("hcp", "g"), kind), ["hcp-g"], "{kind}");
        assert_eq!(read_of(watches_of_others(&first, "hcp", "g"), kind), last, "{kind}");
    }
    let story = told(&objects, 6000);
    assert_eq!(story.compared_with, 5);
    assert_eq!(stage(&story, "disks").others_seconds, Some(140));
    assert_eq!(stage(&story, "boot").others_seconds, Some(170));
}

#[test]
fn the_critical_path_goes_through_what_was_waited_for() {
    let slow_components = Gates {
        available: Some(800),
        ..WELL
    };
    let story = told(&guest("g", slow_components), 6000);
    assert_eq!(
        critical(&story),
        ["accepted", "address", "etcd", "api-server", "components", "rollout"]
    );
    assert_eq!(stage(&story, "components").seconds, Some(648));
    assert_eq!(stage(&story, "rollout").seconds, Some(43));
}

#[test]
fn a_bring_up_that_goes_on_says_what_is_under_way() {
    let early = Gates {
        nodes: None,
        complete: None,
        ..WELL
    };
    let story = told(&guest("g", early), 700);
    assert_eq!(stage(&story, "nodes").state, State::UnderWay);
    assert_eq!(stage(&story, "rollout").state, State::NotBegun);
    assert_eq!(critical(&story).last(), Some(&"rollout"));
    assert!(critical(&story).contains(&"nodes") && !critical(&story).contains(&"components"));
    let page = plain(&story, "https://api.hub.example:6443", true);
    assert!(page.contains("not complete after 11m 40s"), "{page}");
    assert!(page.contains("4m 40s so far"), "{page}");
    assert!(page.contains("Simulated (lab)"), "{page}");
}

#[test]
fn what_changed_after_the_bring_up_is_not_taken_for_a_part_of_it() {
    // Long after, etcd lost its quorum and got it back, and the workers were replaced.
    let later = Gates {
        etcd: Some(90_000),
        ..WELL
    };
    let mut objects = guest("g", later);
    objects.retain(|object| object["kind"] != "Machine");
    let story = told(&objects, 100_000);
    for id in ["etcd", "machines", "nodes"] {
        let stage = stage(&story, id);
        assert_eq!(
            (stage.state, stage.until, stage.seconds),
            (State::Overwritten, None, None),
            "{id}"
        );
    }
    assert_eq!(stage(&story, "rollout").state, State::Done);
    let page = plain(&story, "https://api.hub.example:6443", false);
    assert!(page.contains("the condition changed again since"), "{page}");
    assert!(page.contains("complete after 14m 3s"), "{page}");
}

/// Another worker of the guest `g`, which became ready then; its pool wants two now.
fn second_worker(objects: &mut Vec<Value>, made: i64, ready: Option<i64>) {
    let mut worker = objects.clone();
    worker.retain(|object| object["kind"] == "Machine" || object["kind"] == "DataVolume");
    for object in &mut worker {
        let name = object["metadata"]["name"]
            .as_str()
            .expect("a name")
            .replace("w-1", "w-2");
        object["metadata"]["name"] = name.into();
        object["metadata"]["creationTimestamp"] = at(made).into();
        if object["kind"] == "Machine" {
            object["spec"]["infrastructureRef"]["name"] = "g-w-2".into();
            object["status"]["conditions"][1] = condition("NodeHealthy", ready, "WaitingForNodeRef");
        }
    }
    for pool in objects.iter_mut().filter(|object| object["kind"] == "NodePool") {
        pool["spec"]["replicas"] = 2.into();
    }
    objects.extend(worker);
}

#[test]
fn workers_that_are_partly_gone_tell_no_time() {
    let mut objects = guest("g", WELL);
    second_worker(&mut objects, 50_000, Some(50_400));
    let story = told(&objects, 100_000);
    for id in ["machines", "disks", "boot", "nodes"] {
        let stage = stage(&story, id);
        assert_eq!((stage.state, stage.until), (State::Overwritten, None), "{id}");
    }
    // Components were done long before; the rollout did not take that long.
    assert_eq!(stage(&story, "rollout").seconds, None);
    let page = plain(&story, "https://api.hub.example:6443", false);
    assert!(
        page.contains("machines left of that time: 1; its pools have 2 now"),
        "{page}"
    );
}

#[test]
fn a_pool_of_later_says_nothing_of_the_bring_up() {
    let mut objects = guest("g", WELL);
    let later = json!({
        "metadata": { "creationTimestamp": at(50_000) }, "spec": { "clusterName": "g", "replicas": 3 },
    });
    objects.push(object(resources::NODE_POOL, "hcp", "later", &later));
    assert_eq!(
        stage(&told(&objects, 100_000), "nodes").until,
        Some(at(610).parse().expect("a time"))
    );
}

#[test]
fn a_worker_that_was_late_is_not_told_as_replaced() {
    for ready in [Some(5000), None] {
        let mut objects = guest("g", WELL);
        second_worker(&mut objects, 170, ready);
        let story = told(&objects, 100_000);
        let nodes = stage(&story, "nodes");
        assert_eq!((nodes.state, nodes.until), (State::Later, None));
        assert_eq!(stage(&story, "boot").state, State::Done);
        let page = plain(&story, "https://api.hub.example:6443", false);
        assert!(page.contains("some only after the cluster was complete"), "{page}");
        assert!(!page.contains("machines left"), "{page}");
    }
}

#[test]
fn disks_that_were_taken_away_once_filled_tell_no_time() {
    let mut objects = guest("g", WELL);
    second_worker(&mut objects, 170, Some(600));
    objects.retain(|object| object["metadata"]["name"] != "g-w-2-rhcos");
    let story = told(&objects, 6000);
    assert_eq!(stage(&story, "disks").state, State::Overwritten);
    assert_eq!(stage(&story, "disks").proof, "1 of 2 machines have DataVolumes");
}

#[test]
fn what_could_not_be_read_is_said_to_be_so() {
    let unread = |kind: &'static str, gates: Gates| {
        let mut world = World::bare();
        for object in guest("g", gates) {
            world.put(object);
        }
        let facts = read(world.unreadable(kind));
        story(&facts, "hcp", "g", at(6000).parse().expect("a time")).expect("there is such a guest")
    };
    for kind in ["Machine", "NodePool"] {
        let story = unread(kind, WELL);
        for id in ["machines", "disks", "boot", "nodes"] {
            assert_eq!(stage(&story, id).state, State::Unreadable, "{kind} {id}");
        }
        let page = plain(&story, "https://api.hub.example:6443", false);
        assert!(page.contains("s: forbidden)") && !page.contains("any longer"), "{page}");
    }
    let story = unread("DataVolume", WELL);
    assert_eq!(stage(&story, "disks").state, State::Unreadable);
    assert_eq!(stage(&story, "nodes").state, State::Done);
    let early = Gates { complete: None, ..WELL };
    assert_eq!(stage(&unread("Machine", early), "nodes").state, State::Unreadable);
}

#[test]
fn warnings_are_those_of_the_guest_and_not_of_one_whose_name_begins_alike() {
    let mut objects = guest("g", WELL);
    objects.extend(guest("g2", WELL));
    for (kind, name) in [
        ("HostedCluster", "g"),
        ("HostedCluster", "g2"),
        ("NodePool", "g-w"),
        ("NodePool", "g2-w"),
    ] {
        objects.push(event_of(kind, "hcp", name, 100, 1));
    }
    objects.push(event("hcp-g", "etcd-0", 100, 1));
    objects.push(event("hcp-g2", "etcd-0", 100, 1));
    let story = told(&objects, 6000);
    let about: Vec<&str> = story.warnings.iter().map(|warning| &warning.object[..]).collect();
    assert_eq!(about, ["HostedCluster g", "NodePool g-w", "Pod etcd-0"]);
}

#[test]
fn a_ticket_gets_the_same_page_as_markdown() {
    let mut objects = guest("g", WELL);
    objects.push(event("hcp-g", "etcd-0", 100, 3));
    let page = markdown(&told(&objects, 6000), "https://api.hub.example:6443", false);
    assert!(
        page.starts_with("## Guest hcp/g 4.17.0: complete after 14m 3s"),
        "{page}"
    );
    let rows = page.lines().filter(|line| line.starts_with('|'));
    assert!(rows.clone().all(|row| row.matches('|').count() == 7), "{page}");
    assert_eq!(rows.count(), 1 + 1 + 10 + 3);
    assert!(page.contains("```text\nWarnings meanwhile"), "{page}");
    assert!(page.contains(SOURCES[0]) && page.contains(SOURCES[1]));
}

#[test]
fn the_middle_is_one_of_the_values() {
    assert_eq!(median(vec![]), None);
    assert_eq!(median(vec![7]), Some(7));
    assert_eq!(median(vec![9, 1, 5]), Some(5));
    assert_eq!(median(vec![9, 1]), Some(1));
}

#[test]
fn a_guest_that_was_restored_is_told_from_its_first_beginning() {
    let mut objects = guest("g", WELL);
    for object in &mut objects {
        if object["kind"] == "HostedCluster" {
            object["metadata"]["creationTimestamp"] = at(50_000).into();
        }
    }
    let page = plain(&told(&objects, 60_000), "https://api.hub.example:6443", false);
    assert!(page.contains("complete after 14m 1s"), "{page}");
}
