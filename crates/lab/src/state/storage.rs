//! OpenShift Data Foundation: its operators, its cluster, and the storage classes that it makes. None of them is the
//! Kubernetes default yet: that is a step of the procedure.

use serde_json::{Value, json};

use super::object::{csv, deployment};
use super::{Object, Setting};
use crate::kind::{CEPH_CLUSTER, DEPLOYMENT, STORAGE_CLASS, STORAGE_CLUSTER, VOLUME_SNAPSHOT_CLASS};

const NAMESPACE: &str = "openshift-storage";
const RBD: &str = "openshift-storage.rbd.csi.ceph.com";
const CEPHFS: &str = "openshift-storage.cephfs.csi.ceph.com";

pub(super) fn objects(setting: &Setting<'_>) -> Vec<Object> {
    let version = setting.generation.versions().data_foundation();
    let build = format!("{version}-rhodf");
    let csvs = [
        ("odf-operator", "OpenShift Data Foundation"),
        ("ocs-operator", "OpenShift Container Storage"),
        ("rook-ceph-operator", "Rook-Ceph"),
        ("mcg-operator", "NooBaa Operator"),
        ("cephcsi-operator", "CephCSI operator"),
        ("odf-csi-addons-operator", "CSI Addons"),
    ];
    let deployments = [
        "odf-operator-controller-manager",
        "ocs-operator",
        "rook-ceph-operator",
        "noobaa-operator",
    ];
    let mut objects: Vec<Object> = csvs
        .iter()
        .map(|(name, display)| csv(NAMESPACE, &format!("{name}.v{build}"), display, &build, setting.now))
        .collect();
    objects.extend(
        deployments
            .iter()
            .map(|name| Object::new(DEPLOYMENT, deployment(NAMESPACE, name, 1))),
    );
    objects.push(storage_cluster(&version, setting.now));
    objects.push(ceph_cluster());
    objects.extend(classes(!setting.faults.no_default_storage_class));
    objects.extend([snapshot_class("rbd", RBD), snapshot_class("cephfs", CEPHFS)]);
    objects
}

fn storage_cluster(version: &str, now: &str) -> Object {
    let condition = |kind: &str, status: &str| {
        json!({
            "type": kind,
            "status": status,
            "reason": "ReconcileCompleted",
            "message": "Reconcile completed successfully",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        })
    };
    let cluster = json!({
        "metadata": { "name": "ocs-storagecluster", "namespace": NAMESPACE },
        "spec": {
            "storageDeviceSets": [{
                "name": "ocs-deviceset",
                "count": 1,
                "replica": 3,
                "portable": false,
                "dataPVCTemplate": {
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": { "requests": { "storage": "2Ti" } },
                        "storageClassName": "localblock",
                        "volumeMode": "Block",
                    },
                },
            }],
        },
    });
    let status = json!({
        "phase": "Ready",
        "version": version,
        "conditions": [
            condition("VersionMismatch", "False"),
            condition("ReconcileComplete", "True"),
            condition("Available", "True"),
            condition("Progressing", "False"),
            condition("Degraded", "False"),
            condition("Upgradeable", "True"),
        ],
    });
    Object::with_status(STORAGE_CLUSTER, cluster, status)
}

fn ceph_cluster() -> Object {
    let cluster = json!({
        "metadata": { "name": "ocs-storagecluster-cephcluster", "namespace": NAMESPACE },
        "spec": { "dataDirHostPath": "/var/lib/rook", "mon": { "count": 3 } },
    });
    let status = json!({
        "phase": "Ready",
        "message": "Cluster created successfully",
        "ceph": {
            "health": "HEALTH_OK",
            "capacity": { "bytesTotal": 6_597_069_766_656_u64, "bytesUsed": 329_853_488_332_u64, "bytesAvailable": 6_267_216_278_324_u64 },
        },
    });
    Object::with_status(CEPH_CLUSTER, cluster, status)
}

fn classes(virtualization_default: bool) -> Vec<Object> {
    let rbd = |name: &str, description: &str| {
        let parameters =
            json!({ "clusterID": NAMESPACE, "pool": "ocs-storagecluster-cephblockpool", "imageFormat": "2" });
        class(name, description, RBD, &parameters)
    };
    let mut virtualization = rbd(
        "ocs-storagecluster-ceph-rbd-virtualization",
        "Provides RWO and RWX Block volumes suitable for Virtual Machine disks",
    );
    if virtualization_default {
        virtualization["metadata"]["annotations"]["storageclass.kubevirt.io/is-default-virt-class"] = "true".into();
    }
    let cephfs = json!({ "clusterID": NAMESPACE, "fsName": "ocs-storagecluster-cephfilesystem" });
    let bucket = json!({ "objectStoreName": "ocs-storagecluster-cephobjectstore", "objectStoreNamespace": NAMESPACE });
    let noobaa = json!({ "bucketclass": "noobaa-default-bucket-class" });
    [
        rbd(
            "ocs-storagecluster-ceph-rbd",
            "Provides RWO Filesystem volumes, and RWO and RWX Block volumes",
        ),
        virtualization,
        class(
            "ocs-storagecluster-cephfs",
            "Provides RWO and RWX Filesystem volumes",
            CEPHFS,
            &cephfs,
        ),
        class(
            "ocs-storagecluster-ceph-rgw",
            "Provides Object Bucket Claims (OBCs)",
            "openshift-storage.ceph.rook.io/bucket",
            &bucket,
        ),
        class(
            "openshift-storage.noobaa.io",
            "Provides Object Bucket Claims (OBCs)",
            "openshift-storage.noobaa.io/obc",
            &noobaa,
        ),
    ]
    .map(|class| Object::new(STORAGE_CLASS, class))
    .into()
}

fn class(name: &str, description: &str, provisioner: &str, parameters: &Value) -> Value {
    json!({
        "metadata": { "name": name, "annotations": { "description": description } },
        "provisioner": provisioner,
        "parameters": parameters,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": true,
    })
}

fn snapshot_class(kind: &str, driver: &str) -> Object {
    let class = json!({
        "metadata": { "name": format!("ocs-storagecluster-{kind}plugin-snapclass") },
        "driver": driver,
        "deletionPolicy": "Delete",
        "parameters": { "clusterID": NAMESPACE },
    });
    Object::new(VOLUME_SNAPSHOT_CLASS, class)
}
