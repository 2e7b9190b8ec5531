//! Kinds of the products that a management cluster has besides OpenShift: Data Foundation and MetalLB.

use serde_json::{Value, json};

use super::crd::{crd, list_of, open, open_with, string};
use crate::kind::{CEPH_CLUSTER, IP_ADDRESS_POOL, L2_ADVERTISEMENT, METAL_LB, STORAGE_CLUSTER, VOLUME_SNAPSHOT_CLASS};

/// The definitions of storage and load-balancing kinds.
pub(crate) fn crds() -> Vec<Value> {
    vec![
        crd(STORAGE_CLUSTER)
            .age()
            .column("Phase", "string", ".status.phase")
            .column("External", "boolean", ".spec.externalStorage.enable")
            .column("Created At", "string", ".metadata.creationTimestamp")
            .column("Version", "string", ".status.version")
            .build(),
        crd(CEPH_CLUSTER)
            .short(&["ceph"])
            .column("DataDirHostPath", "string", ".spec.dataDirHostPath")
            .column("MonCount", "string", ".spec.mon.count")
            .age()
            .column("Phase", "string", ".status.phase")
            .column("Message", "string", ".status.message")
            .column("Health", "string", ".status.ceph.health")
            .build(),
        volume_snapshot_class(),
        crd(METAL_LB).build(),
        ip_address_pool(),
        l2_advertisement(),
    ]
}

/// Has its fields at the top, not under a spec.
fn volume_snapshot_class() -> Value {
    crd(VOLUME_SNAPSHOT_CLASS)
        .short(&["vsclass", "vsclasses"])
        .column("Driver", "string", ".driver")
        .column("DeletionPolicy", "string", ".deletionPolicy")
        .age()
        .without_status()
        .required(&["driver", "deletionPolicy"])
        .build()
}

fn ip_address_pool() -> Value {
    crd(IP_ADDRESS_POOL)
        .column("Auto Assign", "boolean", ".spec.autoAssign")
        .column("Avoid Buggy IPs", "boolean", ".spec.avoidBuggyIPs")
        .column("Addresses", "string", ".spec.addresses")
        .spec(open_with(
            &["addresses"],
            json!({
                "addresses": list_of(string()),
                "autoAssign": { "type": "boolean", "default": true },
                "avoidBuggyIPs": { "type": "boolean", "default": false },
            }),
        ))
        .required(&["spec"])
        .build()
}

fn l2_advertisement() -> Value {
    crd(L2_ADVERTISEMENT)
        .column("IPAddressPools", "string", ".spec.ipAddressPools")
        .column("IPAddressPool Selectors", "string", ".spec.ipAddressPoolSelectors")
        .column("Interfaces", "string", ".spec.interfaces")
        .wide_column("Node Selectors", "string", ".spec.nodeSelectors")
        .spec(open(json!({ "ipAddressPools": list_of(string()) })))
        .build()
}
