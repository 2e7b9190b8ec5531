//! What each command comes to: the writes, their order, and what is refused.

use berth_api::resources;

use super::*;
use crate::fixtures::{World, conditions, object};
use crate::step::Step;

const IMAGE: &str = "quay.io/openshift-release-dev/ocp-release:4.17.0-multi";

fn cluster() -> Value {
    let mut status = conditions(&[
        ("Available", "True", "AsExpected", ""),
        ("EtcdAvailable", "True", "QuorumAvailable", ""),
    ]);
    status["status"]["version"] = json!({ "history": [{ "state": "Completed", "version": "4.17.0", "image": IMAGE }] });
    let mut cluster = object(resources::HOSTED_CLUSTER, "hcp", "guest", &status);
    cluster["spec"] = json!({ "release": { "image": IMAGE } });
    cluster
}

fn pool(called: &str) -> Value {
    let spec = json!({ "spec": { "clusterName": "guest", "replicas": 3, "release": { "image": IMAGE } } });
    object(resources::NODE_POOL, "hcp", called, &spec)
}

fn compiled(pools: &[Value], action: &Action) -> Result<Vec<Box<dyn Step>>, ActionError> {
    let cluster = cluster();
    compile_action(
        Subject {
            cluster: &cluster,
            pools,
        },
        action,
    )
}

fn world(pools: &[Value]) -> World {
    let mut world = World::bare();
    world.with_kind("NodePool").put(cluster());
    for pool in pools {
        world.put(pool.clone());
    }
    world
}

/// Each step with what it writes.
fn told(pools: &[Value], action: &Action) -> String {
    let world = world(pools);
    let steps = match compiled(pools, action) {
        Ok(steps) => steps,
        Err(error) => return error.to_string(),
    };
    let lines = steps.iter().flat_map(|step| {
        let after: Vec<_> = step.after().into_iter().map(|one| one.step.to_string()).collect();
        let head = format!("{} <- {}", step.id(), after.join(", "));
        let writes = world.changes(step.as_ref()).into_iter().map(|change| match change {
            Change::Merge { object, fields } => format!("  {object}: {fields}"),
            Change::CreateOnce { object, fields, .. } => format!("  create {object}: {}", fields["spec"]),
            Change::Absent { object } => format!("  delete {object}"),
            other => panic!("{other:?}"),
        });
        std::iter::once(head).chain(writes).collect::<Vec<_>>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_pool_is_scaled_by_one_write_whatever_it_was() {
    let scale = |workers| Action::Scale { pool: None, workers };
    insta::assert_snapshot!(told(&[pool("guest-workers")], &scale(Workers::Fixed(5))), @r#"
    guest/guest/pool/guest-workers/scale <- 
      NodePool hcp/guest-workers: {"spec":{"replicas":5}}
    guest/guest/pool/guest-workers <- guest/guest/pool/guest-workers/scale
    "#);
    insta::assert_snapshot!(told(&[pool("guest-workers")], &scale(Workers::Between { min: 2, max: 6 })), @r#"
    guest/guest/pool/guest-workers/scale <- 
      NodePool hcp/guest-workers: {"spec":{"autoScaling":{"max":6,"min":2},"replicas":null}}
    guest/guest/pool/guest-workers <- guest/guest/pool/guest-workers/scale
    "#);
    // Back again: a NodePool with neither would be one without workers.
    let mut scaled = pool("guest-workers");
    scaled["spec"] = json!({ "clusterName": "guest", "autoScaling": { "min": 2, "max": 6 } });
    assert!(told(&[scaled], &scale(Workers::Fixed(5))).contains(r#"{"spec":{"autoScaling":null,"replicas":5}}"#));
    let bounds = scale(Workers::Between { min: 3, max: 2 });
    assert!(told(&[pool("guest-workers")], &bounds).contains("hold no number"));
}

#[test]
fn a_pool_is_known_by_either_name_and_must_be_named_among_several() {
    let pools = [pool("guest-workers"), pool("gpu")];
    let scale = |pool: Option<&str>| Action::Scale {
        pool: pool.map(str::to_owned),
        workers: Workers::Fixed(1),
    };
    assert!(told(&pools, &scale(Some("workers"))).contains("NodePool hcp/guest-workers"));
    assert!(told(&pools, &scale(Some("gpu"))).contains("NodePool hcp/gpu"));
    assert_eq!(
        told(&pools, &scale(Some("other"))),
        "guest has no pool `other`; it has guest-workers, gpu"
    );
    assert_eq!(
        told(&pools, &scale(None)),
        "guest has several pools (guest-workers, gpu): name one as guest/POOL"
    );
    assert_eq!(told(&[], &scale(None)), "guest has no pool ``; it has none");
}

#[test]
fn an_upgrade_is_judged_then_control_plane_then_pools() {
    let upgrade = |parts| Action::Upgrade {
        parts,
        goal: Goal::Version("4.17.9".parse().expect("a version")),
    };
    insta::assert_snapshot!(told(&[pool("guest-workers")], &upgrade(Parts::All)), @r#"
    guest/guest/upgrade-checks <- 
    guest/guest/upgrade <- guest/guest/upgrade-checks
      HostedCluster hcp/guest: {"spec":{"release":{"image":"quay.io/openshift-release-dev/ocp-release:4.17.9-multi"}}}
    guest/guest/rollout <- guest/guest/upgrade
    guest/guest/pool/guest-workers/upgrade <- guest/guest/rollout
      NodePool hcp/guest-workers: {"spec":{"release":{"image":"quay.io/openshift-release-dev/ocp-release:4.17.9-multi"}}}
    guest/guest/pool/guest-workers <- guest/guest/pool/guest-workers/upgrade
    "#);
    assert!(!told(&[pool("guest-workers")], &upgrade(Parts::ControlPlane)).contains("NodePool"));
    let only = told(&[pool("guest-workers")], &upgrade(Parts::Pool("workers".to_owned())));
    assert!(only.contains("NodePool") && !only.contains("HostedCluster"), "{only}");
}

#[test]
fn what_upstream_would_refuse_is_refused_before() {
    let pools = [pool("guest-workers")];
    let refused = |goal: Goal, parts: Parts, change: &dyn Fn(&mut World)| {
        let steps = compiled(&pools, &Action::Upgrade { parts, goal }).expect("compiles");
        let mut world = world(&pools);
        change(&mut world);
        match world.assess(steps[0].as_ref()) {
            crate::assess::Assessment::Fatal { diagnosis } => format!("{}: {}", diagnosis.id, diagnosis.evidence[0]),
            other => format!("{other:?}"),
        }
    };
    let to = |version: &str| Goal::Version(version.parse().expect("a version"));
    let as_is = |_: &mut World| {};
    assert_eq!(
        refused(to("4.16.9"), Parts::All, &as_is),
        "U06: 4.17.0 to 4.16.9: a control plane can't go back to an older release"
    );
    assert_eq!(
        refused(to("4.19.0"), Parts::All, &as_is),
        "U06: 4.17.0 to 4.19.0: minors are taken one by one: go through 4.18 first"
    );
    assert_eq!(
        refused(to("4.17.9"), Parts::Pool("workers".to_owned()), &as_is),
        "C22: 4.17.9 with a control plane of 4.17.0: a pool can't be newer than its control plane"
    );
    let change = |kind: &'static str, called: &'static str, more: Value| {
        move |world: &mut World| {
            world.change(kind, called, |object| merge(object, &more));
        }
    };
    let listed = |kind, status, reason, message| conditions(&[(kind, status, reason, message)]);
    let not = change(
        "HostedCluster",
        "guest",
        listed(
            "ClusterVersionUpgradeable",
            "False",
            "AdminAckRequired",
            "acknowledge the removed APIs",
        ),
    );
    assert_eq!(
        refused(to("4.18.0"), Parts::All, &not),
        "upgradeable: ClusterVersionUpgradeable False, AdminAckRequired: acknowledge the removed APIs"
    );
    assert!(
        refused(to("4.17.9"), Parts::All, &not).contains("Ready"),
        "a patch is still allowed"
    );
    let etcd = change(
        "HostedCluster",
        "guest",
        listed("EtcdAvailable", "False", "EtcdWaitingForQuorum", "1 of 3"),
    );
    assert!(refused(to("4.17.9"), Parts::All, &etcd).starts_with("etcd: "));
    let mut paused = listed("ReconciliationActive", "False", "ReconciliationPaused", "paused");
    paused["spec"] = json!({ "pausedUntil": "true" });
    assert_eq!(
        refused(to("4.17.9"), Parts::All, &change("HostedCluster", "guest", paused)),
        "U18: HostedCluster guest is paused until it is resumed"
    );
    let old = change(
        "NodePool",
        "guest-workers",
        json!({ "status": { "version": "4.14.3" } }),
    );
    assert!(refused(to("4.18.0"), Parts::ControlPlane, &old).starts_with("C22: 4.14.3 with a control plane of 4.18.0"));
}

#[test]
fn what_a_channel_says_of_a_release_is_told() {
    let mut cluster = cluster();
    cluster["spec"]["channel"] = "stable-4.17".into();
    cluster["status"]["version"]["availableUpdates"] = json!([{ "version": "4.17.8", "image": "q/r@sha256:a" }]);
    let risk = json!({ "type": "Recommended", "status": "False", "reason": "SlowDisks", "message": "clusters with slow disks stall" });
    cluster["status"]["version"]["conditionalUpdates"] = json!([{ "release": { "version": "4.17.9", "image": "q/r@sha256:b" }, "risks": [{ "name": "SlowDisks" }], "conditions": [risk] }]);
    let mut world = World::bare();
    world.put(cluster.clone());
    let subject = Subject {
        cluster: &cluster,
        pools: &[],
    };
    let facts = world.facts(&crate::checks::upgrade::watches(&GuestRef::new("hcp", "guest")));
    let evidence = |version: &str| {
        let goal = Goal::Version(version.parse().expect("a version"));
        let results = judge_upgrade(subject, &Parts::All, &goal, &facts).expect("compiles");
        let offered = results
            .into_iter()
            .find(|result| result.id == "offered")
            .expect("there is a channel");
        format!("{:?} {}", offered.verdict, offered.evidence)
    };
    assert_eq!(evidence("4.17.8"), "Pass 4.17.8 is among the updates of stable-4.17");
    assert_eq!(evidence("4.17.7"), "Warn stable-4.17 offers 4.17.8, not 4.17.7");
    assert_eq!(
        evidence("4.17.9"),
        "Warn 4.17.9 is a conditional update in stable-4.17 (risks: SlowDisks): Recommended False, SlowDisks: clusters with slow disks stall"
    );
}

#[test]
fn an_image_by_digest_goes_to_a_version_only_by_the_channel() {
    let mut cluster = cluster();
    cluster["spec"]["release"]["image"] = "quay.io/o/r@sha256:aa".into();
    let goal = Action::Upgrade {
        parts: Parts::All,
        goal: Goal::Version("4.17.9".parse().expect("a version")),
    };
    let compiled = |cluster: &Value| compile_action(Subject { cluster, pools: &[] }, &goal).map(|steps| steps.len());
    assert!(matches!(compiled(&cluster), Err(ActionError::NoImage { .. })));
    cluster["status"]["version"]["availableUpdates"] =
        json!([{ "version": "4.17.9", "image": "quay.io/o/r@sha256:bb" }]);
    assert_eq!(compiled(&cluster), Ok(3));
}

#[test]
fn a_guest_is_paused_alone_and_resumed_with_its_pools() {
    let mut paused = pool("guest-workers");
    paused["spec"]["pausedUntil"] = "true".into();
    let until = PausedUntil::Time("2026-12-31T18:00:00Z".parse().expect("a time"));
    insta::assert_snapshot!(told(&[paused.clone()], &Action::Pause { pool: None, until }), @r#"
    guest/guest/pause <- 
      HostedCluster hcp/guest: {"spec":{"pausedUntil":"2026-12-31T18:00:00Z"}}
    "#);
    insta::assert_snapshot!(told(&[paused, pool("gpu")], &Action::Resume { pool: None }), @r#"
    guest/guest/resume <- 
      NodePool hcp/guest-workers: {"spec":{"pausedUntil":null}}
    "#);
}

#[test]
fn pools_are_added_changed_and_removed() {
    let shape = Shape {
        cores: Some(4),
        memory: Some("16Gi".parse().expect("an amount")),
        labels: vec![("site".to_owned(), "north".to_owned())],
        ..Shape::default()
    };
    let add = Action::AddPool {
        pool: "gpu".to_owned(),
        workers: Workers::Fixed(2),
        shape: shape.clone(),
    };
    insta::assert_snapshot!(told(&[pool("guest-workers")], &add), @r#"
    guest/guest/pool/guest-gpu/add <- 
      create NodePool hcp/guest-gpu: {"clusterName":"guest","management":{"autoRepair":false,"upgradeType":"Replace"},"nodeLabels":{"site":"north"},"platform":{"kubevirt":{"compute":{"cores":4,"memory":"16Gi"},"rootVolume":{"persistent":{"size":"32Gi"},"type":"Persistent"}},"type":"KubeVirt"},"release":{"image":"quay.io/openshift-release-dev/ocp-release:4.17.0-multi"},"replicas":2}
    guest/guest/pool/guest-gpu <- guest/guest/pool/guest-gpu/add
    "#);
    assert_eq!(told(&[pool("guest-gpu")], &add), "NodePool guest-gpu is there already");
    let set = Action::SetPool {
        pool: "workers".to_owned(),
        shape,
    };
    assert!(told(&[pool("guest-workers")], &set).contains(r#"{"spec":{"nodeLabels":{"site":"north"},"platform":"#));
    let without = Action::SetPool {
        pool: "workers".to_owned(),
        shape: Shape {
            labels: vec![("site".to_owned(), String::new()), ("rack".to_owned(), "7".to_owned())],
            ..Shape::default()
        },
    };
    let told_without = told(&[pool("guest-workers")], &without);
    assert!(
        told_without.contains(r#"{"spec":{"nodeLabels":{"rack":"7","site":null}}}"#),
        "{told_without}"
    );
    let nothing = Action::SetPool {
        pool: "workers".to_owned(),
        shape: Shape::default(),
    };
    assert_eq!(told(&[pool("guest-workers")], &nothing), "nothing is to be set");
    let remove = Action::RemovePool {
        pool: "workers".to_owned(),
    };
    insta::assert_snapshot!(told(&[pool("guest-workers")], &remove), @r"
    guest/guest/pool/guest-workers/remove <- 
      delete NodePool hcp/guest-workers
    ");
}

#[test]
fn what_a_repository_keeps_is_changed_there() {
    let mut kept = pool("guest-workers");
    kept["metadata"]["managedFields"] = json!([{ "manager": "argocd-controller", "operation": "Apply" }]);
    let action = Action::Scale {
        pool: None,
        workers: Workers::Fixed(5),
    };
    let steps = compiled(&[kept.clone()], &action).expect("compiles");
    let found = world(&[kept]).diagnosis_after(steps[0].as_ref(), 0);
    assert!(found.title.starts_with("argocd-controller keeps it"), "{found:?}");
    assert!(
        found.evidence[0].contains("oc patch nodepool guest-workers -n hcp"),
        "{found:?}"
    );
}

#[test]
fn a_pool_s_own_release_has_to_go_with_the_guest_s() {
    let own = "memory: 10Gi, release: {image: quay.io/openshift-release-dev/ocp-release:4.17.1-multi}}";
    let documents = crate::fixtures::documents(&crate::fixtures::EXAMPLE.replace("memory: 10Gi}", own));
    let facts = World::bare().facts(&crate::checks::watches(&documents));
    let results = crate::checks::run(&documents, &facts);
    let refused: Vec<_> = results.iter().filter(|result| result.id == "C22").collect();
    assert!(refused.len() == 1 && refused[0].is_refused(), "{refused:?}");
    assert!(refused[0].evidence.contains("can't be newer"), "{refused:?}");
}

#[test]
fn a_document_s_upgrade_is_judged_too() {
    let text = crate::fixtures::EXAMPLE.replace("4.17.0-multi", "4.16.2-multi");
    let documents = crate::fixtures::documents(&text);
    let mut world = World::bare();
    let mut live = cluster();
    live["metadata"]["name"] = "guest-cluster-0".into();
    world.put(live);
    let facts = world.facts(&crate::checks::watches(&documents));
    let refused: Vec<_> = crate::checks::run(&documents, &facts)
        .into_iter()
        .filter(|result| result.id == "U06" && result.is_refused())
        .collect();
    assert_eq!(refused.len(), 1);
    let at = refused[0].at.as_ref().expect("the document says it");
    assert_eq!(at.to_string(), "documents.yaml:13:20");
}

#[test]
fn a_pool_of_the_same_name_elsewhere_is_another_guest_s() {
    let documents = crate::fixtures::documents(crate::fixtures::EXAMPLE);
    let release = |image: &str| json!({ "spec": { "clusterName": "guest-cluster-0", "release": { "image": image } } });
    let image = documents.guests[0].spec.release.image.clone();
    let older = "quay.io/openshift-release-dev/ocp-release:4.16.9-multi";
    let mut cluster = release(&image);
    cluster["status"] =
        json!({ "version": { "history": [{ "state": "Completed", "version": "4.17.0", "image": image }] } });
    let mut world = World::bare();
    world
        .put(object(resources::HOSTED_CLUSTER, "hcp", "guest-cluster-0", &cluster))
        .put(object(
            resources::NODE_POOL,
            "elsewhere",
            "guest-cluster-0-workers",
            &release(older),
        ))
        .put(object(
            resources::NODE_POOL,
            "hcp",
            "guest-cluster-0-workers",
            &release(&image),
        ));
    let facts = world.facts(&crate::checks::watches(&documents));
    let results = crate::checks::run(&documents, &facts);
    let upgrades: Vec<_> = results.iter().filter(|result| result.id.starts_with('U')).collect();
    assert!(upgrades.is_empty(), "nothing is to be upgraded: {upgrades:?}");
}

#[test]
fn what_would_come_to_nothing_is_refused() {
    let scale = Action::Scale {
        pool: None,
        workers: Workers::Fixed(5),
    };
    let mut paused = pool("guest-workers");
    paused["spec"]["pausedUntil"] = "true".into();
    paused["status"]["conditions"] =
        json!([{ "type": "ReconciliationActive", "status": "False", "reason": "ReconciliationPaused" }]);
    let refused = told(&[paused], &scale);
    assert!(
        refused.starts_with("NodePool hcp/guest-workers is paused until it is resumed (U18)"),
        "{refused}"
    );
    let set = Action::SetPool {
        pool: "workers".to_owned(),
        shape: Shape {
            memory: Some("8".parse().expect("an amount")),
            ..Shape::default()
        },
    };
    let refused = told(&[pool("guest-workers")], &set);
    assert!(refused.starts_with("no worker starts with 8 of memory"), "{refused}");
}
