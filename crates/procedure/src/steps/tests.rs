//! The steps on the management cluster: bare, midway, done.

use berth_api::resources;
use serde_json::json;

use crate::assess::Assessment;
use crate::change::Change;
use crate::effect::{Effect, Outcome};
use crate::fixtures::{EXAMPLE, World, assert_written, conditions, detail, established, object, step, step_of};

const NAMESPACE: &str = "multicluster-engine";
const CSV: &str = "multicluster-engine.v2.7.4";

fn outputs(assessment: Assessment) -> std::collections::BTreeMap<String, String> {
    match assessment {
        Assessment::Ready { outputs } => outputs,
        other => panic!("expected ready, got {other:?}"),
    }
}

/// A hub on which OLM has begun with the operator.
fn subscribed() -> World {
    let mut world = World::bare();
    let changes = world.changes(step("multicluster-engine-operator").as_ref());
    world.write(&changes);
    world
}

/// A hub with the operator installed.
fn with_operator() -> World {
    let mut world = subscribed();
    world
        .change("Subscription", "multicluster-engine", |subscription| {
            subscription["status"] = json!({ "currentCSV": CSV, "installedCSV": CSV });
        })
        .put(object(
            resources::CLUSTER_SERVICE_VERSION,
            NAMESPACE,
            CSV,
            &json!({ "status": { "phase": "Succeeded", "reason": "InstallSucceeded" } }),
        ))
        .put(established(resources::MULTI_CLUSTER_ENGINE))
        .with_kind("MultiClusterEngine");
    world
}

/// A hub on which hosted clusters can be made.
fn with_engine() -> World {
    let mut world = with_operator();
    let changes = world.changes(step("multicluster-engine").as_ref());
    world
        .write(&changes)
        .change("MultiClusterEngine", "multiclusterengine", |engine| {
            engine["status"] = json!({ "phase": "Available", "currentVersion": "2.7.4" });
        })
        .put(object(
            resources::MANAGED_CLUSTER,
            "",
            "local-cluster",
            &conditions(&[
                ("HubAcceptedManagedCluster", "True", "HubClusterAdminAccepted", ""),
                ("ManagedClusterJoined", "True", "ManagedClusterJoined", ""),
                (
                    "ManagedClusterConditionAvailable",
                    "True",
                    "ManagedClusterAvailable",
                    "",
                ),
            ]),
        ))
        .put(object(
            resources::MANAGED_CLUSTER_ADD_ON,
            "local-cluster",
            "hypershift-addon",
            &conditions(&[
                ("Available", "True", "", ""),
                ("Degraded", "False", "HypershiftDeployed", ""),
            ]),
        ))
        .put(object(
            resources::DEPLOYMENT,
            "hypershift",
            "operator",
            &json!({ "spec": { "replicas": 2 }, "status": { "availableReplicas": 2, "observedGeneration": 1 } }),
        ))
        .put(established(resources::HOSTED_CLUSTER));
    world
}

#[test]
fn ingress_sets_one_field_and_waits_for_the_router() {
    let ingress = step("ingress");
    let mut world = World::bare();
    assert_eq!(detail(&world.assess(ingress.as_ref())), "wildcardPolicy is not set");
    let changes = world.changes(ingress.as_ref());
    assert!(
        matches!(&changes[..], [Change::Set { path, .. }] if path.join(".") == "spec.routeAdmission.wildcardPolicy")
    );

    world
        .write(&changes)
        .change("IngressController", "default", |controller| {
            controller["metadata"]["generation"] = json!(2);
        });
    assert!(detail(&world.assess(ingress.as_ref())).contains("has not seen"));

    world
        .change("IngressController", "default", |controller| {
            controller["status"]["observedGeneration"] = json!(2);
        })
        .change("Deployment", "router-default", |router| {
            router["status"]["updatedReplicas"] = json!(1);
            router["status"]["replicas"] = json!(3);
        });
    assert_eq!(
        detail(&world.assess(ingress.as_ref())),
        "router-default: 1 of 2 pods updated"
    );

    world.change("Deployment", "router-default", |router| {
        router["status"]["updatedReplicas"] = json!(2);
    });
    assert_eq!(
        detail(&world.assess(ingress.as_ref())),
        "router-default: old pods drain, 1 left"
    );

    world.change("Deployment", "router-default", |router| {
        router["status"]["replicas"] = json!(2);
    });
    assert!(world.assess(ingress.as_ref()).is_ready());
    assert_written(&world, &world.changes(ingress.as_ref()));
}

#[test]
fn storage_makes_the_new_default_before_it_unmakes_the_old() {
    let storage = step("storage");
    let mut world = World::bare();
    world.put(object(
        resources::STORAGE_CLASS,
        "",
        "old",
        &json!({ "metadata": { "annotations": { "storageclass.kubernetes.io/is-default-class": "true" } } }),
    ));
    let changes = world.changes(storage.as_ref());
    let order: Vec<_> = changes
        .iter()
        .map(|change| match change {
            Change::Set { object, value, .. } => format!("{}={}", object.name, value.as_ref().expect("a value")),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(order, ["ocs-storagecluster-ceph-rbd=\"true\"", "old=\"false\""]);
    assert_eq!(detail(&world.assess(storage.as_ref())), "default: old");

    world.write(&changes);
    let outputs = outputs(world.assess(storage.as_ref()));
    assert_eq!(
        outputs["virtualizationDefaultClass"],
        "ocs-storagecluster-ceph-rbd-virtualization"
    );
    assert_written(&world, &world.changes(storage.as_ref()));
}

#[test]
fn storage_names_the_classes_where_the_document_is_wrong() {
    let storage = step_of(
        &EXAMPLE.replace("defaultClass: ocs-storagecluster-ceph-rbd", "defaultClass: gold"),
        "storage",
    );
    let diagnosis = World::bare().diagnosis_after(storage.as_ref(), 0);
    assert_eq!(
        (diagnosis.id.as_str(), diagnosis.object.as_str()),
        ("P02", "StorageClass gold")
    );
    assert!(
        diagnosis.evidence[0].contains("ocs-storagecluster-ceph-rbd"),
        "{diagnosis:?}"
    );
}

#[test]
fn operator_solves_its_channel_and_follows_olm() {
    let operator = step("multicluster-engine-operator");
    let mut world = World::bare();
    let changes = world.changes(operator.as_ref());
    let kinds: Vec<_> = changes
        .iter()
        .map(|change| match change {
            Change::Apply { object, fields } | Change::CreateOnce { object, fields, .. } => {
                assert_eq!(fields["metadata"]["labels"]["app.kubernetes.io/managed-by"], "berth");
                object.to_string()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "Namespace multicluster-engine",
            "OperatorGroup multicluster-engine/multicluster-engine-operators",
            "Subscription multicluster-engine/multicluster-engine",
        ]
    );
    world.write(&changes);
    assert_eq!(
        detail(&world.assess(operator.as_ref())),
        "OLM resolves multicluster-engine on channel stable-2.7"
    );

    world.change("Subscription", "multicluster-engine", |subscription| {
        subscription["status"] = json!({ "currentCSV": CSV, "installPlanRef": { "name": "install-abcde" } });
    });
    world.put(object(
        resources::INSTALL_PLAN,
        NAMESPACE,
        "install-abcde",
        &json!({ "status": { "phase": "Installing" } }),
    ));
    assert_eq!(
        detail(&world.assess(operator.as_ref())),
        "install plan install-abcde is Installing"
    );

    let mut world = with_operator();
    world.change("ClusterServiceVersion", CSV, |csv| {
        csv["status"] = json!({
            "phase": "Installing", "reason": "InstallSucceeded", "message": "waiting for install components to report healthy",
        });
    });
    let expected = format!("CSV {CSV} is Installing: waiting for install components to report healthy");
    assert_eq!(detail(&world.assess(operator.as_ref())), expected);

    let world = with_operator();
    assert_eq!(outputs(world.assess(operator.as_ref()))["channel"], "stable-2.7");
    assert_written(&world, &world.changes(operator.as_ref()));
}

#[test]
fn an_installed_channel_stays_when_a_newer_one_fits() {
    let operator = step("multicluster-engine-operator");
    let mut world = with_operator();
    world
        .change("ClusterVersion", "version", |version| {
            version["status"]["history"][0]["version"] = json!("4.18.1");
        })
        .change("PackageManifest", "multicluster-engine", |manifest| {
            manifest["status"]["channels"] = json!([{ "name": "stable-2.7" }, { "name": "stable-2.8" }]);
        });
    assert_written(&world, &world.changes(operator.as_ref()));
}

#[test]
fn a_catalog_without_a_fitting_channel_blocks() {
    let operator = step("multicluster-engine-operator");
    let mut world = World::bare();
    world.change("PackageManifest", "multicluster-engine", |manifest| {
        manifest["status"]["channels"] = json!([{ "name": "stable-2.4" }]);
        manifest["status"]["defaultChannel"] = json!("stable-2.4");
    });
    assert!(matches!(
        world.changes(operator.as_ref()).last(),
        Some(Change::Later { .. })
    ));
    let diagnosis = world.diagnosis_after(operator.as_ref(), 0);
    assert_eq!(diagnosis.id, "P09");
    assert!(
        diagnosis.evidence.iter().any(|line| line.contains("stable-2.4")),
        "{diagnosis:?}"
    );
}

#[test]
fn an_operator_group_of_somebody_else_is_used() {
    let operator = step("multicluster-engine-operator");
    let mut world = World::bare();
    world.put(object(
        resources::OPERATOR_GROUP,
        NAMESPACE,
        "default",
        &json!({ "spec": { "targetNamespaces": [NAMESPACE] } }),
    ));
    let groups = |world: &World| {
        let changes = world.changes(operator.as_ref());
        let is_group = |change: &&Change| matches!(change, Change::Apply { object, .. } if object.resource.kind == "OperatorGroup");
        changes.iter().filter(is_group).count()
    };
    assert_eq!(groups(&world), 0);
    world.remove("OperatorGroup");
    assert_eq!(groups(&world), 1);
}

#[test]
fn a_renamed_document_does_not_write_the_operators_namespace_again() {
    // It was made by a create, which owns its labels apart from what an apply owns: the two would be in conflict.
    let world = subscribed();
    let step = step_of(
        &EXAMPLE.replace("name: management", "name: renamed"),
        "multicluster-engine-operator",
    );
    let changes = world.changes(step.as_ref());
    let is_namespace = |change: &Change| match change {
        Change::Apply { object, .. } | Change::CreateOnce { object, .. } => object.resource == resources::NAMESPACE,
        _ => false,
    };
    assert!(!changes.iter().any(is_namespace), "{changes:#?}");
}

#[test]
fn what_may_be_there_unseen_is_not_taken_over() {
    let operator = step("multicluster-engine-operator");
    let mut world = World::bare();
    world.unreadable("Namespace").unreadable("OperatorGroup");
    let changes = world.changes(operator.as_ref());
    // The namespace is made only if there is none, and no second group may stop OLM.
    assert!(
        matches!(changes[..], [Change::CreateOnce { .. }, Change::Later { .. }]),
        "{changes:?}"
    );
    assert_eq!(world.diagnosis_after(operator.as_ref(), 1).id, "P13");
    // What runs already does not wait for a right that its user lacks.
    let mut world = subscribed();
    world.unreadable("OperatorGroup");
    let changes = world.changes(operator.as_ref());
    assert!(
        changes.iter().all(|change| !matches!(change, Change::Later { .. })),
        "{changes:?}"
    );
}

#[test]
fn where_acm_manages_the_engine_nothing_is_written() {
    let mut world = World::bare();
    world.put(object(
        resources::MULTI_CLUSTER_HUB,
        "open-cluster-management",
        "multiclusterhub",
        &json!({}),
    ));
    for id in ["multicluster-engine-operator", "multicluster-engine"] {
        assert_eq!(world.changes(step(id).as_ref()), [], "{id}");
    }
    // An engine that an ACM of old has labelled says the same without the hub's kind.
    let mut world = with_engine();
    world.change("MultiClusterEngine", "multiclusterengine", |engine| {
        engine["metadata"]["labels"] =
            json!({ "multiclusterhubs.operator.open-cluster-management.io/managed-by": "true" });
    });
    assert_eq!(world.changes(step("multicluster-engine").as_ref()), []);
    assert!(world.assess(step("multicluster-engine").as_ref()).is_ready());
}

#[test]
fn the_engine_is_not_ready_merely_because_it_is_available() {
    let engine = step("multicluster-engine");
    assert!(with_engine().assess(engine.as_ref()).is_ready());
    let world = with_engine();
    assert_written(&world, &world.changes(engine.as_ref()));

    let mut world = with_engine();
    world.change("Deployment", "operator", |operator| {
        operator["status"]["availableReplicas"] = json!(1);
    });
    assert_eq!(
        detail(&world.assess(engine.as_ref())),
        "HyperShift operator: 1 of 2 replicas available"
    );

    let mut world = with_engine();
    world.change("ManagedClusterAddOn", "hypershift-addon", |add_on| {
        add_on["status"]["conditions"][1] =
            json!({ "type": "Degraded", "status": "True", "reason": "HypershiftDeployed", "message": "OperatorNotFound" });
    });
    assert_eq!(
        detail(&world.assess(engine.as_ref())),
        "hypershift-addon is degraded: OperatorNotFound"
    );
    assert_eq!(world.diagnosis_after(engine.as_ref(), 9).id, "P15");

    let mut world = with_engine();
    world.change("ManagedCluster", "local-cluster", |cluster| {
        cluster["status"]["conditions"][2]["status"] = json!("Unknown");
    });
    assert_eq!(
        detail(&world.assess(engine.as_ref())),
        "local-cluster is not available yet"
    );
}

#[test]
fn the_engine_counts_its_components_on_the_way() {
    let mut world = with_engine();
    world
        .remove("ManagedCluster")
        .change("MultiClusterEngine", "multiclusterengine", |engine| {
            engine["status"] = json!({ "phase": "Progressing", "components": [
            { "name": "hive-operator", "status": "True" }, { "name": "cluster-manager", "status": "False" },
        ] });
        });
    let assessment = world.assess(step("multicluster-engine").as_ref());
    assert_eq!(
        detail(&assessment),
        "the engine is Progressing: waits for cluster-manager"
    );
    assert!(matches!(
        assessment,
        Assessment::Waiting {
            done: Some(1),
            total: Some(2),
            ..
        }
    ));
}

#[test]
fn a_component_that_is_switched_off_is_named() {
    let mut world = with_engine();
    world
        .remove("ManagedCluster")
        .change("MultiClusterEngine", "multiclusterengine", |engine| {
            engine["spec"]["overrides"] = json!({ "components": [{ "name": "local-cluster", "enabled": false }] });
        });
    let diagnosis = world.diagnosis_after(step("multicluster-engine").as_ref(), 0);
    assert_eq!(diagnosis.id, "P14");
}

fn download(links: &serde_json::Value) -> serde_json::Value {
    object(
        resources::CONSOLE_CLI_DOWNLOAD,
        "",
        "hcp-cli-download",
        &json!({ "spec": { "links": links } }),
    )
}

#[test]
fn the_program_is_fetched_with_the_clusters_own_authority() {
    let cli = step("cli");
    let mut world = with_engine();
    world
        .put(download(&json!([
            { "href": "https://downloads.example/darwin/amd64/hcp.tar.gz" },
            { "href": "https://downloads.example/linux/amd64/hcp.tar.gz" },
        ])))
        .put(object(
            resources::CONFIG_MAP,
            "openshift-config-managed",
            "default-ingress-cert",
            &json!({ "data": { "ca-bundle.crt": "the ingress CA" } }),
        ));
    let effects = cli.effects(&world.facts(&cli.watches()));
    let [effect @ Effect::FetchTool { url, ca, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(url, "https://downloads.example/linux/amd64/hcp.tar.gz");
    assert_eq!(ca.as_deref(), Some("the ingress CA"));
    assert!(detail(&world.assess(cli.as_ref())).starts_with("fetch hcp"));

    world.record(
        effect.clone(),
        Ok(Outcome::Tool {
            path: "/bin/hcp".into(),
            version: "4.17".to_owned(),
        }),
    );
    assert_eq!(outputs(world.assess(cli.as_ref()))["version"], "4.17");
}

#[test]
fn a_hub_without_downloads_skips_the_program_and_says_so() {
    let cli = step("cli");
    assert!(outputs(with_engine().assess(cli.as_ref())).contains_key("skipped"));
    assert!(matches!(
        cli.effects(&World::bare().facts(&cli.watches()))[..],
        [Effect::Later { .. }]
    ));

    // Beside another download the engine's own may still come.
    let mut world = with_engine();
    world.put(object(
        resources::CONSOLE_CLI_DOWNLOAD,
        "",
        "oc-cli-downloads",
        &json!({}),
    ));
    assert!(matches!(
        world.assess(cli.as_ref()),
        Assessment::Waiting {
            recheck_at: Some(_),
            ..
        }
    ));
    assert!(outputs(world.assess_after(cli.as_ref(), 3)).contains_key("skipped"));

    world.put(download(
        &json!([{ "href": "https://downloads.example/windows/amd64/hcp.tar.gz" }]),
    ));
    assert!(outputs(world.assess(cli.as_ref()))["skipped"].contains("linux"));
}

#[test]
fn without_a_ca_to_verify_it_with_the_program_is_skipped() {
    let cli = step("cli");
    let mut world = with_engine();
    world.put(download(
        &json!([{ "href": "https://downloads.example/linux/amd64/hcp.tar.gz" }]),
    ));
    assert_eq!(cli.effects(&world.facts(&cli.watches())), []);
    assert!(outputs(world.assess(cli.as_ref()))["skipped"].contains("default-ingress-cert"));
}

#[test]
fn every_warning_is_told_though_ids_are_shared() {
    let mut world = World::bare();
    world
        .change("ClusterVersion", "version", |version| {
            version["status"]["conditions"] = json!([{ "type": "Progressing", "status": "True" }]);
        })
        .change("KubeVirt", "kubevirt-kubevirt-hyperconverged", |kubevirt| {
            kubevirt["status"]["phase"] = json!("Deploying");
        });
    let outputs = outputs(world.assess(step("prerequisites").as_ref()));
    let warnings = outputs.keys().filter(|key| key.starts_with("warning P08"));
    assert_eq!(warnings.count(), 2, "{outputs:?}");
}

#[test]
fn prerequisites_say_what_others_mend_and_refuse_the_rest() {
    let prerequisites = step("prerequisites");
    let outputs = outputs(World::bare().assess(prerequisites.as_ref()));
    assert_eq!(outputs["wildcard routes are admitted"], "will be mended by ingress");

    let mut world = World::bare();
    world.change("Network", "cluster", |network| {
        network["status"]["networkType"] = json!("OpenShiftSDN");
    });
    let diagnosis = world.diagnosis_after(prerequisites.as_ref(), 0);
    assert_eq!(diagnosis.id, "P06");
}

#[test]
fn every_command_is_ready_for_a_shell_and_holds_no_secret() {
    use crate::compile::{Platform, compile};
    let world = with_engine();
    for step in compile(
        &crate::fixtures::documents(EXAMPLE),
        &Platform::of_rust("linux", "x86_64"),
    ) {
        for command in step.commands(&world.facts(&step.watches())) {
            assert!(!command.line.trim().is_empty(), "{}", step.id());
            assert!(
                !command.line.contains("dXNlcjpwYXNz"),
                "{}: {}",
                step.id(),
                command.line
            );
        }
    }
}
