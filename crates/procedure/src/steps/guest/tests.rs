//! A guest's steps: bare, midway, done, removed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_api::resources;
use serde_json::{Value, json};

use crate::assess::Assessment;
use crate::change::Change;
use crate::compile::compile_removal;
use crate::effect::{Effect, Outcome};
use crate::fixtures::{
    EXAMPLE, INSIDE, World, assert_written, conditions, detail, established, guest_target, object, step, step_of,
};

const CLUSTER: &str = "guest/guest-cluster-0/cluster";
const POOL: &str = "guest/guest-cluster-0/pool/workers";
const ROLLOUT: &str = "guest/guest-cluster-0/rollout";
const ACCESS: &str = "guest/guest-cluster-0/access";
const MACHINES: [&str; 3] = [
    "guest-cluster-0-workers-x-aaaaa",
    "guest-cluster-0-workers-x-bbbbb",
    "guest-cluster-0-workers-x-ccccc",
];

/// A hub on which the guest's objects have just been written.
fn created() -> World {
    let mut world = World::bare();
    for kind in ["HostedCluster", "NodePool", "Machine"] {
        world.with_kind(kind);
    }
    let changes = world.changes(step(CLUSTER).as_ref());
    world.write(&changes);
    world
}

/// A guest whose control plane serves, with no worker yet.
fn served() -> World {
    let mut world = created();
    world
        .change("HostedCluster", "guest-cluster-0", |cluster| {
            cluster["spec"]["dns"] = json!({ "baseDomain": "apps.hub.example" });
            cluster["spec"]["infraID"] = json!("guest-cluster-0-abc12");
            cluster["status"] = conditions(&[("Available", "True", "AsExpected", "")])["status"].clone();
            cluster["status"]["kubeconfig"] = json!({ "name": "guest-cluster-0-admin-kubeconfig" });
            cluster["status"]["controlPlaneEndpoint"] = json!({ "host": "192.168.20.1", "port": 6443 });
            cluster["status"]["version"] = json!({ "history": [{ "state": "Partial", "version": "4.17.0" }] });
        })
        .put(object(
            resources::SECRET,
            "hcp",
            "guest-cluster-0-admin-kubeconfig",
            &json!({
                "data": { "kubeconfig": STANDARD.encode("the kubeconfig") },
                "metadata": { "labels": {
                    "app.kubernetes.io/managed-by": "berth", "berth.dev/document": "guest-cluster-0",
                }, "ownerReferences": [{ "kind": "HostedCluster", "name": "guest-cluster-0", "uid": "1" }] },
            }),
        ));
    world
}

/// A guest that is complete.
fn complete() -> World {
    let mut world = served();
    for machine in MACHINES {
        let owner = json!({ "metadata": { "annotations": { "hypershift.openshift.io/nodePool": "hcp/guest-cluster-0-workers" } } });
        world
            .put(object(resources::MACHINE, INSIDE, machine, &owner))
            .put(object(
                resources::VIRTUAL_MACHINE,
                INSIDE,
                machine,
                &json!({ "status": { "printableStatus": "Running" } }),
            ))
            .put_on_guest(object(
                resources::NODE,
                "",
                machine,
                &conditions(&[("Ready", "True", "KubeletReady", "")]),
            ));
    }
    world
        .put_on_guest(object(
            resources::CLUSTER_OPERATOR,
            "",
            "console",
            &conditions(&[("Available", "True", "", ""), ("Degraded", "False", "", "")]),
        ))
        .change("NodePool", "guest-cluster-0-workers", |pool| {
            pool["status"] = json!({ "replicas": 3, "version": "4.17.0" });
        })
        .change("HostedCluster", "guest-cluster-0", |cluster| {
            cluster["status"]["version"]["history"][0]["state"] = json!("Completed");
        });
    world
}

fn outputs(assessment: Assessment) -> std::collections::BTreeMap<String, String> {
    match assessment {
        Assessment::Ready { outputs } => outputs,
        other => panic!("expected ready, got {other:?}"),
    }
}

#[test]
fn a_guest_is_written_together_and_marked() {
    let changes = World::bare().changes(step(CLUSTER).as_ref());
    let lines: Vec<_> = changes
        .iter()
        .map(|change| match change {
            Change::Apply { object, fields } => {
                assert_eq!(
                    fields["metadata"]["labels"]["app.kubernetes.io/managed-by"], "berth",
                    "{object}"
                );
                format!("apply {object}")
            }
            Change::CreateOnce { object, generate, .. } => format!("create {object} with {} made up", generate.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    create Namespace hcp with 0 made up
    apply Secret hcp/guest-cluster-0-pull-secret
    create Secret hcp/guest-cluster-0-etcd-encryption-key with 1 made up
    apply HostedCluster hcp/guest-cluster-0
    apply NodePool hcp/guest-cluster-0-workers
    ");
}

#[test]
fn what_the_operator_fills_in_is_left_to_it() {
    let changes = World::bare().changes(step(CLUSTER).as_ref());
    let spec = changes
        .iter()
        .find_map(|change| match change {
            Change::Apply { object, fields } if object.resource == resources::HOSTED_CLUSTER => Some(&fields["spec"]),
            _ => None,
        })
        .expect("a HostedCluster is written");
    for field in ["dns", "infraID", "clusterID", "autoscaling", "configuration"] {
        assert_eq!(spec.get(field), None, "{field}");
    }
    assert_eq!(spec["sshKey"], json!({}), "4.17 requires the field");
    // The operator writes its values back; nothing is left to do then.
    let world = served();
    assert_written(&world, &world.changes(step(CLUSTER).as_ref()));
}

#[test]
fn a_namespace_that_exists_is_left_as_it_is() {
    let mut world = World::bare();
    world.put(object(resources::NAMESPACE, "", "hcp", &json!({})));
    let is_namespace = |change: &Change| {
        let (Change::Apply { object, .. } | Change::CreateOnce { object, .. }) = change else {
            return false;
        };
        object.resource == resources::NAMESPACE
    };
    assert!(!world.changes(step(CLUSTER).as_ref()).iter().any(is_namespace));
    // Where namespaces can't be read, it is made if it is not there, and otherwise not marked as Berth's.
    world.unreadable("Namespace");
    let changes = world.changes(step(CLUSTER).as_ref());
    assert!(
        matches!(&changes[0], change @ Change::CreateOnce { .. } if is_namespace(change)),
        "{changes:?}"
    );
}

#[test]
fn a_key_that_was_lost_is_not_made_anew_under_a_guest_that_uses_it() {
    let cluster = step(CLUSTER);
    let mut world = served();
    let key = |changes: &[Change]| changes.iter().any(|change| matches!(change, Change::CreateOnce { .. }));
    assert!(key(&world.changes(cluster.as_ref())));
    world.remove("Secret");
    assert_eq!(world.changes(cluster.as_ref()), []);
    let found = world.diagnosis_after(cluster.as_ref(), 0);
    assert_eq!(found.object, "Secret hcp/guest-cluster-0-etcd-encryption-key");
    assert!(found.fix.contains(INSIDE), "{found:?}");
    // Nothing has been encrypted with the key of a guest that never served.
    let mut world = created();
    world.remove("Secret");
    assert!(key(&world.changes(cluster.as_ref())));
}

/// A definition of HostedCluster that knows only some fields of `spec`.
fn definition() -> Value {
    let mut definition = established(resources::HOSTED_CLUSTER);
    let known = [
        "autoscaling",
        "configuration",
        "controllerAvailabilityPolicy",
        "dns",
        "etcd",
        "fips",
        "networking",
        "olmCatalogPlacement",
        "platform",
        "pullSecret",
        "release",
        "secretEncryption",
        "services",
        "sshKey",
    ];
    let properties: serde_json::Map<_, _> = known.map(|name| (name.to_owned(), json!({}))).into_iter().collect();
    let schema = json!({ "properties": { "spec": { "properties": properties } } });
    definition["spec"] = json!({ "versions": [{ "name": "v1beta1", "schema": { "openAPIV3Schema": schema } }] });
    definition
}

#[test]
fn a_field_that_this_hub_does_not_know_is_named_before_anything_is_written() {
    let text = EXAMPLE.replace("  pullSecret:", "  networking: {mtu: 8800}\n  pullSecret:");
    let cluster = step_of(&text, CLUSTER);
    let mut world = World::bare();
    assert!(
        !world.changes(cluster.as_ref()).is_empty(),
        "not known before there is a schema"
    );
    world.put(definition());
    assert_eq!(world.changes(cluster.as_ref()), []);
    let Assessment::Fatal { diagnosis } = world.assess(cluster.as_ref()) else {
        panic!("{:?}", world.assess(cluster.as_ref()))
    };
    assert!(
        diagnosis.evidence[0].contains("`spec.operatorConfiguration`"),
        "{diagnosis:?}"
    );
    // What every generation knows is written.
    assert!(!world.changes(step(CLUSTER).as_ref()).is_empty());

    let prerequisites = step_of(&text, "prerequisites");
    let found = world.diagnosis_after(prerequisites.as_ref(), 0);
    assert_eq!(found.id, "unknown-field");
    assert!(found.evidence[0].starts_with("documents.yaml:14:"), "{found:?}");
}

#[test]
fn a_control_plane_tells_its_most_telling_condition_with_a_count() {
    let cluster = step(CLUSTER);
    let mut world = created();
    assert_eq!(
        detail(&world.assess(cluster.as_ref())),
        "the operator has not reported yet"
    );
    world
        .change("HostedCluster", "guest-cluster-0", |cluster| {
            cluster["status"] = conditions(&[
                (
                    "Available",
                    "False",
                    "EtcdWaitingForQuorum",
                    "Waiting for etcd to reach quorum",
                ),
                (
                    "EtcdAvailable",
                    "False",
                    "EtcdWaitingForQuorum",
                    "Waiting for etcd to reach quorum",
                ),
            ])["status"]
                .clone();
        })
        .put(object(
            resources::STATEFUL_SET,
            INSIDE,
            "etcd",
            &json!({ "spec": { "replicas": 3 }, "status": { "readyReplicas": 1 } }),
        ));
    let assessment = world.assess(cluster.as_ref());
    assert_eq!(
        detail(&assessment),
        "Waiting for etcd to reach quorum (0 of 1 workloads of the control plane run)"
    );
    let Assessment::Waiting { reason, .. } = assessment else {
        unreachable!()
    };
    assert_eq!(reason, "EtcdWaitingForQuorum");

    assert_eq!(
        outputs(served().assess(cluster.as_ref()))["apiServer"],
        "https://192.168.20.1:6443"
    );
}

#[test]
fn available_is_not_enough_where_components_report_themselves() {
    let mut world = served();
    world.put(object(
        resources::CONTROL_PLANE_COMPONENT,
        INSIDE,
        "kube-scheduler",
        &conditions(&[("Available", "False", "WaitingForAvailable", "")]),
    ));
    assert_eq!(
        detail(&world.assess(step(CLUSTER).as_ref())),
        "waits for kube-scheduler"
    );
}

#[test]
fn a_pool_counts_machines_virtual_machines_and_nodes() {
    let pool = step(POOL);
    assert_eq!(
        detail(&World::bare().with_kind("NodePool").assess(pool.as_ref())),
        "the NodePool is not there yet"
    );
    let mut world = complete();
    world.change("NodePool", "guest-cluster-0-workers", |pool| {
        pool["status"] = json!({ "replicas": 2 });
    });
    world.put_on_guest(object(
        resources::NODE,
        "",
        MACHINES[2],
        &conditions(&[("Ready", "False", "KubeletNotReady", "")]),
    ));
    let assessment = world.assess(pool.as_ref());
    assert_eq!(
        detail(&assessment),
        "3 of 3 machines, 3 of 3 virtual machines run, 2 of 3 nodes Ready"
    );
    assert!(matches!(
        assessment,
        Assessment::Waiting {
            done: Some(2),
            total: Some(3),
            ..
        }
    ));
    assert_eq!(outputs(complete().assess(pool.as_ref()))["nodes"], "3");
    assert_eq!(complete().changes(pool.as_ref()), []);
}

#[test]
fn what_was_well_before_the_document_is_written_proves_nothing() {
    let mut world = complete();
    world.change("NodePool", "guest-cluster-0-workers", |pool| {
        pool["spec"]["replicas"] = 2.into();
    });
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["spec"]["release"]["image"] = "quay.io/openshift-release-dev/ocp-release:4.16.9-multi".into();
    });
    assert_eq!(
        detail(&world.assess(step(POOL).as_ref())),
        "the NodePool does not ask for it yet"
    );
    assert_eq!(
        detail(&world.assess(step(ROLLOUT).as_ref())),
        "the HostedCluster does not ask for the release yet"
    );
}

#[test]
fn virtual_machines_may_have_names_of_their_own() {
    let pool = step(POOL);
    let mut world = complete();
    for (machine, vm) in MACHINES.iter().zip(["vm-a", "vm-b", "vm-c"]) {
        world
            .change("Machine", machine, |machine| {
                machine["spec"] = json!({ "infrastructureRef": { "name": vm } });
            })
            .change("VirtualMachine", machine, |object| {
                object["metadata"]["name"] = json!(vm);
            })
            .change("Node", machine, |node| node["metadata"]["name"] = json!(vm));
    }
    assert_eq!(outputs(world.assess(pool.as_ref()))["nodes"], "3");
}

#[test]
fn a_pool_that_still_updates_or_shrinks_is_not_ready() {
    let pool = step(POOL);
    let mut world = complete();
    world.change("NodePool", "guest-cluster-0-workers", |pool| {
        pool["status"]["conditions"] =
            json!([{ "type": "UpdatingVersion", "status": "True", "message": "Target version: 4.17.1" }]);
    });
    assert!(detail(&world.assess(pool.as_ref())).contains("Target version: 4.17.1"));
    let mut world = complete();
    world.change("NodePool", "guest-cluster-0-workers", |pool| {
        pool["spec"]["replicas"] = json!(2);
    });
    assert!(!world.assess(pool.as_ref()).is_ready());
}

#[test]
fn machines_of_a_pool_with_a_longer_name_are_not_counted() {
    let mut world = complete();
    let owner = json!({ "metadata": { "annotations": { "hypershift.openshift.io/nodePool": "hcp/guest-cluster-0-workers-gpu" } } });
    world.put(object(
        resources::MACHINE,
        INSIDE,
        "guest-cluster-0-workers-gpu-x-ddddd",
        &owner,
    ));
    assert!(world.assess(step(POOL).as_ref()).is_ready());
}

#[test]
fn a_rollout_names_the_operators_that_it_waits_for() {
    let rollout = step(ROLLOUT);
    assert_eq!(detail(&served().assess(rollout.as_ref())), "4.17.0 is Partial");
    let mut world = served();
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["status"]["version"]["history"][0]["state"] = json!("Completed");
    });
    assert!(detail(&world.assess(rollout.as_ref())).contains("not read yet"));
    let mut world = complete();
    world.put_on_guest(object(
        resources::CLUSTER_OPERATOR,
        "",
        "ingress",
        &conditions(&[("Available", "False", "", "")]),
    ));
    let expected = "4.17.0 is Completed; 1 of 2 cluster operators available, not yet ingress";
    assert_eq!(detail(&world.assess(rollout.as_ref())), expected);
    assert_eq!(outputs(complete().assess(rollout.as_ref()))["version"], "4.17.0");
}

#[test]
fn access_gives_the_kubeconfig_and_waits_for_an_answer() {
    let access = step(ACCESS);
    let world = served();
    let facts = world.facts(&access.watches());
    let kubeconfigs = access.kubeconfigs(&facts);
    // Each step that looks into the guest brings the way there, so that each can be run alone.
    for other in [POOL, ROLLOUT] {
        let other = step(other);
        assert_eq!(other.kubeconfigs(&world.facts(&other.watches())), kubeconfigs);
    }
    assert_eq!(kubeconfigs.len(), 1);
    assert_eq!(
        (&kubeconfigs[0].0, kubeconfigs[0].1.reveal()),
        (&guest_target(), "the kubeconfig")
    );
    assert_eq!(
        detail(&world.assess(access.as_ref())),
        "the guest's API has not answered yet"
    );

    let outputs = outputs(complete().assess(access.as_ref()));
    assert_eq!(
        outputs["console"],
        "https://console-openshift-console.apps.guest-cluster-0.apps.hub.example"
    );
    assert!(
        outputs.values().all(|value| !value.contains("the kubeconfig")),
        "{outputs:?}"
    );
}

#[test]
fn a_guest_that_cannot_be_reached_is_tried_and_explained() {
    let access = step(ACCESS);
    let kubeconfig = "{current-context: c, clusters: [{name: c, cluster: {server: 'https://192.0.2.7:6443'}}], contexts: \
                      [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {}}]}";
    let mut world = served();
    world.change("Secret", "guest-cluster-0-admin-kubeconfig", |secret| {
        secret["data"]["kubeconfig"] = json!(STANDARD.encode(kubeconfig));
    });
    world.unreadable("Node");
    let facts = world.facts(&access.watches());
    let effects = access.effects(&facts);
    let [effect @ Effect::Try { way, .. }] = &effects[..] else {
        panic!("one attempt, and not {effects:?}");
    };
    assert_eq!(way.server, "https://192.0.2.7:6443");
    let address = "192.0.2.7:6443".to_owned();
    let reach = crate::access::Reach::NoAnswer { address };
    world.record(effect.clone(), Ok(Outcome::Tried { reach }));
    assert_eq!(detail(&world.assess(access.as_ref())), "the guest's API: forbidden");
    let found = world.diagnosis_after(access.as_ref(), 1);
    assert_eq!(found.object, "the API server of guest hcp/guest-cluster-0");
    assert!(
        found.evidence[0].starts_with("firewall or address: 192.0.2.7:6443"),
        "{found:?}"
    );
}

#[test]
fn files_are_written_only_where_they_are_asked_for() {
    let facts = |step: &dyn crate::Step, world: &World| world.facts(&step.watches());
    let plain = step(ACCESS);
    assert_eq!(plain.effects(&facts(plain.as_ref(), &complete())), []);
    let asked = EXAMPLE.replace(
        "  pullSecret:",
        "  access: {kubeconfigFile: guest.kubeconfig}\n  pullSecret:",
    );
    let asked = step_of(&asked, ACCESS);
    assert!(matches!(
        asked.effects(&facts(asked.as_ref(), &World::bare()))[..],
        [Effect::Later { .. }]
    ));
    let effects = asked.effects(&facts(asked.as_ref(), &complete()));
    assert!(
        matches!(&effects[..], [Effect::WriteFile { path, .. }] if path.ends_with("guest.kubeconfig")),
        "{effects:?}"
    );
    assert!(!complete().assess(asked.as_ref()).is_ready());
}

#[test]
fn no_password_is_waited_for_where_an_issuer_took_the_place_of_kubeadmin() {
    let asked = EXAMPLE.replace(
        "  pullSecret:",
        "  access: {passwordFile: guest.password}\n  pullSecret:",
    );
    let asked = step_of(&asked, ACCESS);
    let mut world = complete();
    let waits = |world: &World| !asked.effects(&world.facts(&asked.watches())).is_empty();
    assert!(waits(&world));
    for (configuration, is_gone) in [
        (json!({ "authentication": { "type": "OIDC" } }), true),
        (json!({ "oauth": { "identityProviders": [] } }), true),
        (json!({ "authentication": { "type": "" }, "oauth": null }), false),
    ] {
        world.change("HostedCluster", "guest-cluster-0", |cluster| {
            cluster["spec"]["configuration"] = configuration.clone();
        });
        assert_eq!(waits(&world), !is_gone, "{configuration}");
    }
}

#[test]
fn the_console_is_told_where_it_is_and_only_where_there_is_one() {
    let access = step(ACCESS);
    let mut world = complete();
    let console = |world: &World| outputs(world.assess(access.as_ref())).remove("console");
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["spec"]["dns"]["baseDomainPrefix"] = json!("");
    });
    assert_eq!(
        console(&world).as_deref(),
        Some("https://console-openshift-console.apps.apps.hub.example")
    );
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["spec"]["capabilities"] = json!({ "disabled": ["Console"] });
    });
    assert_eq!(console(&world), None);
}

fn removals(world: &World) -> Vec<String> {
    let steps = compile_removal("hcp", "guest-cluster-0");
    steps[0]
        .remove(&world.facts(&steps[0].watches()))
        .iter()
        .map(|removal| removal.object.to_string())
        .collect()
}

#[test]
fn a_guest_goes_with_what_was_made_for_it() {
    insta::assert_snapshot!(removals(&complete()).join("\n"), @r"
    HostedCluster hcp/guest-cluster-0
    Secret hcp/guest-cluster-0-pull-secret
    Secret hcp/guest-cluster-0-etcd-encryption-key
    Namespace hcp
    ");
    let steps = compile_removal("hcp", "guest-cluster-0");
    let first = &steps[0].remove(&complete().facts(&steps[0].watches()))[0];
    let annotations = &first.before.as_ref().expect("the operator is asked to clean up")["metadata"]["annotations"];
    assert_eq!(annotations["hypershift.openshift.io/cleanup-cloud-resources"], "true");
    // The document's own step says the same.
    let own = step(CLUSTER);
    let by_document = own.remove(&complete().facts(&own.watches()));
    assert_eq!(by_document.len(), removals(&complete()).len());
}

#[test]
fn a_namespace_with_anything_else_in_it_stays() {
    let keeps = |thing: Value| {
        let mut world = complete();
        world.put(thing);
        assert!(!removals(&world).iter().any(|object| object.starts_with("Namespace")));
    };
    keeps(object(resources::HOSTED_CLUSTER, "hcp", "another", &json!({})));
    keeps(object(resources::SECRET, "hcp", "somebody-elses", &json!({})));
    keeps(object(resources::POD, "hcp", "somebody-elses", &json!({})));
    keeps(object(resources::NAMESPACE, "", "hcp", &json!({})));
    // What OpenShift puts into every namespace is nobody's.
    let mut world = complete();
    world.put(object(resources::CONFIG_MAP, "hcp", "kube-root-ca.crt", &json!({})));
    assert!(removals(&world).contains(&"Namespace hcp".to_owned()));
}

#[test]
fn pools_are_removed_by_themselves_only_when_they_are_orphans() {
    let mut world = complete();
    world.remove("HostedCluster");
    assert_eq!(removals(&world)[0], "NodePool hcp/guest-cluster-0-workers");
}

#[test]
fn removal_is_over_when_the_control_planes_namespace_is_gone() {
    let steps = compile_removal("hcp", "guest-cluster-0");
    assert!(!complete().assess(steps[0].as_ref()).is_ready());
    let mut world = complete();
    world
        .remove("HostedCluster")
        .put(object(resources::NAMESPACE, "", INSIDE, &json!({})));
    assert!(!world.assess(steps[0].as_ref()).is_ready());
    for kind in [
        "Namespace",
        "NodePool",
        "Machine",
        "VirtualMachineInstance",
        "DataVolume",
        "HostedControlPlane",
    ] {
        world.remove(kind);
    }
    assert!(world.assess(steps[0].as_ref()).is_ready());
}

/// The example with a pool more, a release, or without its pool.
fn edited(from: &str, to: &str) -> String {
    let text = EXAMPLE.replace(from, to);
    assert_ne!(text, EXAMPLE, "the example has `{from}`");
    text
}

/// A complete guest whose operator has told which image it runs.
fn settled() -> World {
    let mut world = complete();
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["status"]["version"]["history"] = json!([
            { "state": "Completed", "version": "4.17.0", "image": "quay.io/openshift-release-dev/ocp-release:4.17.0-multi" },
        ]);
    });
    world
}

fn pool_release(changes: &[Change]) -> Option<String> {
    changes.iter().find_map(|change| match change {
        Change::Apply { object, fields } if object.resource == resources::NODE_POOL => {
            fields["spec"]["release"]["image"].as_str().map(str::to_owned)
        }
        _ => None,
    })
}

#[test]
fn pools_follow_once_the_control_plane_is_upgraded() {
    let cluster = step_of(&edited("4.17.0-multi", "4.17.9-multi"), CLUSTER);
    let mut world = settled();
    let changes = world.changes(cluster.as_ref());
    assert!(
        pool_release(&changes).unwrap().ends_with(":4.17.0-multi"),
        "it keeps what it runs"
    );
    assert!(
        changes
            .iter()
            .any(|change| matches!(change, Change::Later { what, .. } if what.contains("4.17.9")))
    );
    world.write(&changes);
    let Assessment::Waiting { reason, detail, .. } = world.assess(cluster.as_ref()) else {
        panic!("the pools' upgrade is still to come");
    };
    assert_eq!(reason, "ControlPlaneUpgrading");
    assert_eq!(
        detail,
        "the control plane goes from 4.17.0 to 4.17.9; then the pools follow, guest-cluster-0-workers first"
    );
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        let entry = json!({ "state": "Completed", "version": "4.17.9", "image": cluster["spec"]["release"]["image"] });
        cluster["status"]["version"]["history"]
            .as_array_mut()
            .unwrap()
            .insert(0, entry);
    });
    let changes = world.changes(cluster.as_ref());
    assert!(pool_release(&changes).unwrap().ends_with(":4.17.9-multi"));
    assert!(!changes.iter().any(|change| matches!(change, Change::Later { .. })));
    world.write(&changes);
    assert!(world.assess(cluster.as_ref()).is_ready());
}

#[test]
fn a_held_upgrade_of_a_pool_is_forecast_with_the_control_plane_s() {
    let cluster = step_of(&edited("4.17.0-multi", "4.17.9-multi"), CLUSTER);
    let world = settled();
    let mut watches = cluster.watches();
    watches.push(crate::facts::Selector::all(resources::NODE));
    let facts = world.facts(&watches);
    let place = crate::walk::GuestRef::new("hcp", "guest-cluster-0");
    let edit = crate::forecast::Edit::Changed {
        object: place.object(),
        path: "spec.release.image".to_owned(),
        from: Some(json!("a:4.17.0")),
        to: Some(json!("a:4.17.9")),
    };
    let told: Vec<_> = cluster
        .forecast(&facts, std::slice::from_ref(&edit))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        [
            "HostedCluster hcp/guest-cluster-0: the control plane is brought to another release",
            "NodePool hcp/guest-cluster-0-workers: 3 machines are replaced, with 1 more at a time and none missing",
        ]
    );
    assert_eq!(
        cluster.forecast_watches(&facts, &[edit]).len(),
        2,
        "there is room to be judged"
    );
}

#[test]
fn a_pool_that_the_document_drops_goes_and_others_stay() {
    let mut world = settled();
    let marks = |document: &str| {
        json!({
            "metadata": { "labels": { "app.kubernetes.io/managed-by": "berth", "berth.dev/document": document } },
            "spec": { "clusterName": "guest-cluster-0", "replicas": 2 },
        })
    };
    let by_command = json!({
        "metadata": { "labels": { "app.kubernetes.io/managed-by": "berth" } }, "spec": { "clusterName": "guest-cluster-0" },
    });
    world
        .put(object(
            resources::NODE_POOL,
            "hcp",
            "guest-cluster-0-gone",
            &marks("guest-cluster-0"),
        ))
        .put(object(resources::NODE_POOL, "hcp", "another", &marks("another")))
        .put(object(
            resources::NODE_POOL,
            "hcp",
            "guest-cluster-0-extra",
            &by_command,
        ))
        .put(object(
            resources::NODE_POOL,
            "hcp",
            "by-hand",
            &json!({ "spec": { "clusterName": "guest-cluster-0" } }),
        ));
    let cluster = step(CLUSTER);
    let gone: Vec<_> = world
        .changes(cluster.as_ref())
        .into_iter()
        .filter_map(|change| match change {
            Change::Absent { object } => Some(object.name),
            _ => None,
        })
        .collect();
    assert_eq!(gone, ["guest-cluster-0-gone"]);
    assert_eq!(
        detail(&world.assess(cluster.as_ref())),
        "NodePool guest-cluster-0-gone is being deleted, 0 machines are left"
    );
    // The last one too.
    let none = step_of(
        &edited(
            "    - {name: workers, replicas: 3, cores: 8, memory: 10Gi}\n",
            "    []\n",
        ),
        CLUSTER,
    );
    let gone = world.changes(none.as_ref());
    assert_eq!(
        gone.iter()
            .filter(|change| matches!(change, Change::Absent { .. }))
            .count(),
        2
    );
}

/// The example's guest as somebody else's, with what its document then asks for.
fn adopted() -> (World, Box<dyn crate::step::Step>) {
    let text = EXAMPLE
        .replace(
            "pullSecret: {file: pull-secret.json}",
            "pullSecret: {secret: guest-cluster-0-pull-secret}\n  adopt: true",
        )
        .replace("replicas: 3", "replicas: 4");
    let mut world = created();
    for (kind, name) in [
        ("HostedCluster", "guest-cluster-0"),
        ("NodePool", "guest-cluster-0-workers"),
    ] {
        world.change(kind, name, |object| {
            object["metadata"]["labels"] = json!({});
            object["spec"]["pullSecret"] = json!({ "name": "guest-cluster-0-pull-secret" });
        });
    }
    (world, step_of(&text, CLUSTER))
}

#[test]
fn what_a_repository_keeps_of_an_adopted_guest_is_changed_there() {
    let (mut world, step) = adopted();
    let changes = world.changes(step.as_ref());
    assert!(
        matches!(&changes[..], [Change::Merge { object, fields }]
            if object.name == "guest-cluster-0-workers" && *fields == json!({ "spec": { "replicas": 4 } })),
        "{changes:?}"
    );
    world.change("NodePool", "guest-cluster-0-workers", |pool| {
        pool["metadata"]["managedFields"] = json!([{ "manager": "argocd-controller", "operation": "Apply" }]);
    });
    assert_eq!(world.changes(step.as_ref()), []);
    let found = world.diagnosis_after(step.as_ref(), 0);
    assert_eq!(
        (found.title.as_str(), found.object.as_str()),
        (
            "argocd-controller keeps it as a repository has it, and would take the change back",
            "NodePool hcp/guest-cluster-0-workers"
        )
    );
    assert!(found.evidence[0].contains(r#"{"spec":{"replicas":4}}"#), "{found:?}");
    // What is as the document says is nobody's to take back.
    world.change("NodePool", "guest-cluster-0-workers", |pool| {
        pool["spec"]["replicas"] = 4.into();
    });
    assert!(!matches!(world.assess(step.as_ref()), Assessment::Fatal { .. }));
}

#[test]
fn a_document_takes_back_what_commands_set_beside_it() {
    let mut world = created();
    let own = |field: &str| json!([{ "manager": "berth", "operation": "Update", "fieldsV1": { "f:spec": { format!("f:{field}"): {} } } }]);
    world
        .change("NodePool", "guest-cluster-0-workers", |pool| {
            pool["spec"].as_object_mut().expect("a spec").remove("replicas");
            pool["spec"]["autoScaling"] = json!({ "min": 1, "max": 4 });
            pool["metadata"]["managedFields"] = own("autoScaling");
        })
        .change("HostedCluster", "guest-cluster-0", |cluster| {
            cluster["spec"]["pausedUntil"] = "true".into();
            cluster["metadata"]["managedFields"] = own("pausedUntil");
        });
    let step = step(CLUSTER);
    let changes = world.changes(step.as_ref());
    let merges: Vec<_> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Merge { object, fields } => Some(format!("{object}: {fields}")),
            _ => None,
        })
        .collect();
    assert_eq!(
        merges,
        [
            r#"HostedCluster hcp/guest-cluster-0: {"spec":{"pausedUntil":null}}"#,
            r#"NodePool hcp/guest-cluster-0-workers: {"spec":{"autoScaling":null,"replicas":3}}"#,
        ]
    );
    world.write(&changes);
    assert_written(&world, &world.changes(step.as_ref()));
}
