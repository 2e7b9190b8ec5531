//! Rules about storage classes.

use berth_api::{Documents, GuestCluster, resources, views};

use crate::checks::{CheckResult, Rule, eased, guests, makes_something, unreadable};
use crate::facts::{Facts, Selector};
use crate::read::{find, name, objects, some_of};
use crate::steps::ids;
use crate::walk::storage::{DEFAULT_CLASS, DEFAULT_VIRT_CLASS, defaults};

pub(super) fn run(documents: &Documents, facts: &Facts) -> Vec<CheckResult> {
    let classes = Selector::all(resources::STORAGE_CLASS);
    if let Some(why) = unreadable(facts, &classes) {
        return vec![Rule::new("P02", "storage classes fit", "StorageClasses").unknown(why)];
    }
    // A class that a document asks for by name is waited for in vain, whatever is there already.
    let by_name = documents.management.spec.storage.default_class.is_some();
    let needed = by_name || makes_something(documents, facts);
    let mut results = eased(needed, vec![default_class(documents, facts)]);
    for guest in &documents.guests {
        let is_new = !guests::exists(facts, guest);
        results.extend(eased(is_new, etcd_class(guest, facts).into_iter().collect()));
        results.extend(root_classes(guest, facts));
    }
    results
}

fn offered(facts: &Facts) -> String {
    let names: Vec<_> = objects(facts, &Selector::all(resources::STORAGE_CLASS))
        .map(name)
        .collect();
    if names.is_empty() {
        "there are none".to_owned()
    } else {
        some_of(&names)
    }
}

fn exists(facts: &Facts, class: &str) -> bool {
    find(facts, &Selector::all(resources::STORAGE_CLASS), class).is_some()
}

fn default_class(documents: &Documents, facts: &Facts) -> CheckResult {
    let management = &documents.management;
    let rule = Rule::new("P02", "one storage class is the default", "StorageClasses");
    let present = defaults(facts, DEFAULT_CLASS);
    let shown = if present.is_empty() {
        "none is".to_owned()
    } else {
        format!("default: {}", some_of(&present))
    };
    if let Some(wanted) = &management.spec.storage.default_class {
        let rule = rule.at(management.positions.at("spec.storage.defaultClass"));
        return if !exists(facts, wanted) {
            rule.refused(
                format!("{wanted} does not exist; classes: {}", offered(facts)),
                "name an existing class in `spec.storage.defaultClass`, or install the storage that brings it",
            )
        } else if present == [wanted.as_str()] {
            rule.pass(shown)
        } else {
            rule.mended_by(ids::STORAGE, shown)
        };
    }
    let all_named = documents.guests.iter().all(names_its_classes);
    match present.as_slice() {
        [_] => rule.pass(shown),
        [] if all_named => rule.warn(
            format!("{shown}; the documents name the classes of etcd and of root disks themselves"),
            "guests offer the default class to their own claims: without one they offer none",
        ),
        [] => rule.refused(
            format!("{shown}; classes: {}", offered(facts)),
            "name one in the ManagementCluster document (`spec.storage.defaultClass`), or name the classes of etcd and of root \
             volumes in the GuestCluster",
        ),
        _ => rule.warn(
            format!("{shown}: the newest wins"),
            "name the one that is meant in the ManagementCluster document (`spec.storage.defaultClass`)",
        ),
    }
}

fn names_its_classes(guest: &GuestCluster) -> bool {
    guest.spec.control_plane.etcd.storage_class.is_some()
        && guest
            .spec
            .node_pools
            .iter()
            .all(|pool| pool.root_volume.storage_class.is_some())
}

fn etcd_class(guest: &GuestCluster, facts: &Facts) -> Option<CheckResult> {
    let class = guest.spec.control_plane.etcd.storage_class.as_ref()?;
    let rule = Rule::new(
        "P03",
        format!("etcd of {} gets its volumes", guest.name),
        format!("StorageClass {class}"),
    )
    .at(guest.positions.at("spec.controlPlane.etcd.storageClass"));
    let Some(object) = find(facts, &Selector::all(resources::STORAGE_CLASS), class) else {
        return Some(rule.refused(
            format!("does not exist; classes: {}", offered(facts)),
            "name an existing class",
        ));
    };
    let provisioner = views::text(object, &["provisioner"]).unwrap_or_default();
    if provisioner.contains("cephfs") || provisioner.contains("nfs") || provisioner.ends_with("/obc") {
        return Some(rule.warn(
            format!("provisioner {provisioner}"),
            "etcd wants block storage with writes that take less than 10 ms",
        ));
    }
    Some(rule.pass(format!("provisioner {provisioner}")))
}

fn root_classes(guest: &GuestCluster, facts: &Facts) -> Vec<CheckResult> {
    let pools = guest.spec.node_pools.iter().enumerate();
    pools
        .flat_map(|(index, pool)| {
            let is_new = !guests::has_pool(facts, guest, pool);
            eased(is_new, vec![root_class(guest, index, pool, facts)])
        })
        .collect()
}

fn root_class(guest: &GuestCluster, index: usize, pool: &berth_api::NodePool, facts: &Facts) -> CheckResult {
    let named = pool.root_volume.storage_class.as_deref();
    // CDI prefers the virtualization default over Kubernetes' own.
    let class = named
        .or_else(|| defaults(facts, DEFAULT_VIRT_CLASS).first().copied())
        .or_else(|| defaults(facts, DEFAULT_CLASS).first().copied());
    let title = format!("workers of {}/{} can be moved between nodes", guest.name, pool.name);
    let object = format!("StorageClass {}", class.unwrap_or("(the default)"));
    let rule = Rule::new("P04", title, object).at(guest
        .positions
        .at(&format!("spec.nodePools[{index}].rootVolume.storageClass")));
    let Some(class) = class else {
        return rule.unknown("which class is the default is not settled yet");
    };
    if !exists(facts, class) {
        return rule.refused(
            format!("does not exist; classes: {}", offered(facts)),
            "name an existing class",
        );
    }
    let Some(profile) = find(facts, &Selector::all(resources::STORAGE_PROFILE), class) else {
        return rule.unknown("there is no StorageProfile for it");
    };
    let movable = views::list(profile, &["status", "claimPropertySets"])
        .iter()
        .any(|set| {
            views::text(set, &["volumeMode"]) == Some("Block")
                && views::list(set, &["accessModes"])
                    .iter()
                    .any(|mode| mode == "ReadWriteMany")
        });
    if movable {
        rule.pass("ReadWriteMany with Block volumes")
    } else {
        rule.warn(
            "no ReadWriteMany with Block volumes in its StorageProfile",
            "workers restart instead of moving when their node is drained; choose such a class for root volumes",
        )
    }
}
