//! What is backed up, what is said before, and what is refused.

use berth_api::resources;

use super::*;
use crate::assess::Assessment;
use crate::change::Change;
use crate::fixtures::{World, established, object};

fn options() -> BackupOptions {
    BackupOptions {
        name: "guest-1".to_owned(),
        location: None,
        ttl: "720h0m0s".to_owned(),
    }
}

/// A hub with OADP, and a guest.
fn world() -> World {
    let mut world = World::bare();
    let plugins = json!({ "spec": { "configuration": { "velero": { "defaultPlugins": ["aws", "hypershift"] } } } });
    world
        .put(established(resources::BACKUP))
        .put(object(
            resources::DATA_PROTECTION_APPLICATION,
            NAMESPACE,
            "dpa",
            &plugins,
        ))
        .put(object(
            resources::BACKUP_STORAGE_LOCATION,
            NAMESPACE,
            "default",
            &json!({ "status": { "phase": "Available" } }),
        ))
        .put(object(resources::HOSTED_CLUSTER, "hcp", "guest", &json!({})));
    world
}

fn backup_step() -> Box<dyn Step> {
    compile_backup("hcp", "guest", &options()).remove(0)
}

fn restore_step() -> Box<dyn Step> {
    compile_restore("hcp", "guest", "guest-1", "guest-1-restore").remove(0)
}

fn told(world: &World, step: &dyn Step) -> String {
    match world.assess(step) {
        Assessment::Fatal { diagnosis } => format!("{}: {}", diagnosis.title, diagnosis.evidence.join("; ")),
        Assessment::Waiting { detail, .. } => detail,
        other => format!("{other:?}"),
    }
}

#[test]
fn a_backup_is_one_object_without_the_workers_disks_and_is_waited_for() {
    let mut world = world();
    let step = backup_step();
    let changes = world.changes(step.as_ref());
    let [Change::CreateOnce { object, fields, .. }] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(object.to_string(), "Backup openshift-adp/guest-1");
    assert_eq!(fields["spec"]["includedNamespaces"], json!(["hcp", "hcp-guest"]));
    assert_eq!(
        fields["spec"]["labelSelector"]["matchExpressions"][0],
        json!({ "key": "hypershift.openshift.io/is-kubevirt-rhcos", "operator": "DoesNotExist" })
    );
    world.write(&changes);
    assert_eq!(told(&world, step.as_ref()), "Backup guest-1: New, 0 of 0 items");
    let progress = json!({ "phase": "InProgress", "progress": { "totalItems": 90, "itemsBackedUp": 40 } });
    world.change("Backup", "guest-1", |backup| backup["status"] = progress.clone());
    assert_eq!(
        told(&world, step.as_ref()),
        "Backup guest-1: InProgress, 40 of 90 items"
    );
    world.change("Backup", "guest-1", |backup| {
        backup["status"]["phase"] = "Completed".into();
    });
    assert!(world.assess(step.as_ref()).is_ready());
    let failed = json!({ "phase": "FailedValidation", "validationErrors": ["no location"] });
    world.change("Backup", "guest-1", |backup| backup["status"] = failed.clone());
    assert_eq!(
        told(&world, step.as_ref()),
        "OADP reports FailedValidation: no location"
    );
}

#[test]
fn a_hub_without_oadp_is_told_the_commands() {
    let mut world = world();
    world.remove("CustomResourceDefinition").without_kind("Backup");
    let step = backup_step();
    assert_eq!(world.changes(step.as_ref()), []);
    let said = told(&world, step.as_ref());
    assert!(said.starts_with("this hub has no OADP"), "{said}");
    for part in [
        "etcdctl",
        "snapshot save",
        "pausedUntil",
        "restoreSnapshotURL",
        "oc exec -n hcp-guest etcd-0",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    world.put(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "hcpetcdbackups.hypershift.openshift.io" },
    }));
    assert!(told(&world, step.as_ref()).contains("HCPEtcdBackup"));
}

#[test]
fn a_place_that_is_not_available_is_refused_before() {
    let mut world = world();
    world.change("BackupStorageLocation", "default", |location| {
        location["status"]["phase"] = "Unavailable".into();
    });
    assert_eq!(
        told(&world, backup_step().as_ref()),
        "OADP has no place to put a backup: default: Unavailable"
    );
}

/// Another place that is fine does not help a backup that names this one.
#[test]
fn only_the_place_that_is_meant_counts() {
    let mut world = world();
    let step = |location: Option<&str>| {
        let location = location.map(str::to_owned);
        compile_backup("hcp", "guest", &BackupOptions { location, ..options() }).remove(0)
    };
    let refused = "OADP has no place to put a backup: default: Available; spare: Available";
    world.put(object(
        resources::BACKUP_STORAGE_LOCATION,
        NAMESPACE,
        "spare",
        &json!({ "status": { "phase": "Available" } }),
    ));
    assert_eq!(told(&world, step(Some("elsewhere")).as_ref()), refused);
    assert_eq!(
        told(&world, step(Some("spare")).as_ref()),
        "the Backup is not there yet"
    );
    world.change("BackupStorageLocation", "default", |location| {
        location["status"]["phase"] = "Unavailable".into();
    });
    assert!(told(&world, step(None).as_ref()).starts_with("OADP has no place"));
    world.change("BackupStorageLocation", "spare", |location| {
        location["spec"]["default"] = true.into();
    });
    assert_eq!(told(&world, step(None).as_ref()), "the Backup is not there yet");
}

#[test]
fn another_guest_s_backup_is_not_taken_for_this_one_s() {
    let mut world = world();
    let foreign = json!({ "spec": { "includedNamespaces": ["hcp", "hcp-other"] }, "status": { "phase": "Completed" } });
    world.put(object(resources::BACKUP, NAMESPACE, "guest-1", &foreign));
    assert_eq!(
        told(&world, backup_step().as_ref()),
        "another backup has this name: it holds the namespaces hcp, hcp-other, not hcp-guest"
    );
    let ended = |world: &World| super::ended(&world.facts(&watches("hcp", "guest")), "guest-1").map(str::to_owned);
    assert_eq!(ended(&world).as_deref(), Some("Completed"));
    world.change("Backup", "guest-1", |backup| {
        backup["status"]["phase"] = "InProgress".into();
    });
    assert_eq!(ended(&world), None);
}

#[test]
fn a_restore_that_was_begun_is_gone_on_with() {
    let mut world = world();
    let begun = |world: &World| {
        let facts = world.facts(&watches("hcp", "guest"));
        begun_restore(&facts, "hcp", "guest", "guest-1").map(str::to_owned)
    };
    assert_eq!(begun(&world), None);
    let restore = restore(&GuestRef::new("hcp", "guest"), "guest-1", "guest-1-a");
    world.put(restore);
    assert_eq!(begun(&world).as_deref(), Some("guest-1-a"));
    let phase = |world: &mut World, phase: &str| {
        world.change("Restore", "guest-1-a", |restore| {
            restore["status"]["phase"] = phase.into();
        });
    };
    phase(&mut world, "PartiallyFailed");
    assert_eq!(begun(&world), None);
    phase(&mut world, "Completed");
    assert_eq!(
        begun(&world).as_deref(),
        Some("guest-1-a"),
        "the guest is still coming up"
    );
    world.change("HostedCluster", "guest", |cluster| {
        cluster["status"] = json!({ "conditions": [{ "type": "Available", "status": "True" }] });
    });
    assert_eq!(begun(&world), None, "a guest that is up is not to be restored over");
    world.remove("HostedCluster");
    assert_eq!(begun(&world), None);
}

#[test]
fn by_hand_only_the_guest_s_own_secrets_are_written_and_for_one_s_own_eyes() {
    let mut world = world();
    world.change("HostedCluster", "guest", |cluster| {
        cluster["spec"] = json!({
            "controllerAvailabilityPolicy": "SingleReplica", "pullSecret": { "name": "guest-pull" },
            "secretEncryption": { "aescbc": { "activeKey": { "name": "guest-key" } } }, "sshKey": { "name": "" },
        });
    });
    let facts = world.facts(&watches("hcp", "guest"));
    let lines: Vec<_> = by_hand(&facts, &GuestRef::new("hcp", "guest"))
        .into_iter()
        .map(|command| command.line)
        .collect();
    assert_eq!(lines[0], "umask 077");
    assert!(lines.contains(&"oc get secret guest-key guest-pull -n hcp -o yaml > guest-secrets.yaml".to_owned()));
    assert!(lines.iter().any(|line| line.ends_with("--replicas=1")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.ends_with("--replicas=3")), "{lines:?}");
}

#[test]
fn what_can_t_be_restored_is_said_first() {
    let mut world = world();
    let ids = |world: &World| {
        let facts = world.facts(&watches("hcp", "guest"));
        limits(&facts, "hcp", "guest")
            .into_iter()
            .map(|limit| limit.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&world), ["B01", "B04", "B03"]);
    let api = json!([{ "service": "APIServer", "servicePublishingStrategy": { "type": "LoadBalancer", "loadBalancer": { "hostname": "api.guest.example.com" } } }]);
    world
        .change("HostedCluster", "guest", |cluster| {
            cluster["spec"] = json!({ "services": api });
        })
        .put(object(resources::HOSTED_CLUSTER, "hcp", "other", &json!({})))
        .change("DataProtectionApplication", "dpa", |application| {
            application["spec"]["configuration"]["velero"]["defaultPlugins"] = json!(["aws"]);
        });
    assert_eq!(ids(&world), ["B01", "B04", "B02", "B07"]);
}

#[test]
fn a_restore_needs_a_complete_backup_of_this_guest_and_no_guest() {
    let mut world = world();
    let step = restore_step();
    let say = |world: &World| told(world, step.as_ref());
    assert_eq!(say(&world), "there is no such backup: of this guest there are: none");
    let backup = json!({
        "spec": { "includedNamespaces": ["hcp", "hcp-guest"] },
        "status": { "phase": "Completed", "completionTimestamp": "2026-01-01T00:00:00Z" },
    });
    world.put(object(resources::BACKUP, NAMESPACE, "guest-1", &backup));
    assert!(say(&world).starts_with("the guest is there"), "{}", say(&world));
    world.remove("HostedCluster");
    let changes = world.changes(step.as_ref());
    assert!(matches!(&changes[..], [Change::CreateOnce { object, .. }] if object.name == "guest-1-restore"));
    world.write(&changes).change("Restore", "guest-1-restore", |restore| {
        restore["status"] = json!({ "phase": "Completed", "progress": { "totalItems": 9 } });
    });
    // The hosted cluster that it brought back is no reason against it.
    world.put(object(resources::HOSTED_CLUSTER, "hcp", "guest", &json!({})));
    assert!(world.assess(step.as_ref()).is_ready());
    let foreign = json!({ "spec": { "includedNamespaces": ["hcp", "hcp-other"] }, "status": { "phase": "Completed" } });
    world
        .remove("HostedCluster")
        .remove("Restore")
        .put(object(resources::BACKUP, NAMESPACE, "guest-1", &foreign));
    assert!(
        say(&world).starts_with("the backup is not one of this guest"),
        "{}",
        say(&world)
    );
}
