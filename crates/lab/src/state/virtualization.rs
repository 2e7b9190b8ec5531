//! OpenShift Virtualization, installed and ready.

use serde_json::{Value, json};

use super::object::{csv, daemon_set, deployment};
use super::{Object, Setting};
use crate::kind::{CDI, DAEMON_SET, DEPLOYMENT, HYPER_CONVERGED, KUBEVIRT, STORAGE_PROFILE};

const NAMESPACE: &str = "openshift-cnv";

pub(super) fn objects(setting: &Setting<'_>) -> Vec<Object> {
    let versions = setting.generation.versions();
    let version = versions.virtualization();
    let name = format!("kubevirt-hyperconverged-operator.v{version}");
    let mut objects = vec![csv(NAMESPACE, &name, "OpenShift Virtualization", &version, setting.now)];
    let deployments = [
        ("hco-operator", 1),
        ("virt-operator", 2),
        ("virt-api", 2),
        ("virt-controller", 2),
        ("cdi-operator", 1),
        ("cdi-deployment", 1),
    ];
    objects.extend(
        deployments
            .iter()
            .map(|(name, replicas)| Object::new(DEPLOYMENT, deployment(NAMESPACE, name, *replicas))),
    );
    objects.push(Object::new(
        DAEMON_SET,
        daemon_set(NAMESPACE, "virt-handler", &json!({ "kubevirt.io/schedulable": "true" })),
    ));
    objects.extend([
        hyper_converged(&version, setting.now),
        kubevirt(versions.kubevirt, setting.now),
        cdi(versions.cdi, setting.now),
    ]);
    objects.extend(profiles());
    objects
}

fn condition(kind: &str, status: &str, reason: &str, now: &str) -> Value {
    json!({ "type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": now })
}

fn hyper_converged(version: &str, now: &str) -> Object {
    let content = json!({
        "metadata": { "name": "kubevirt-hyperconverged", "namespace": NAMESPACE },
        "spec": { "infra": {}, "workloads": {} },
    });
    let reconciled = |kind: &str, status: &str| condition(kind, status, "ReconcileCompleted", now);
    let status = json!({
        "conditions": [
            reconciled("ReconcileComplete", "True"),
            reconciled("Available", "True"),
            reconciled("Progressing", "False"),
            reconciled("Degraded", "False"),
            reconciled("Upgradeable", "True"),
        ],
        "observedGeneration": 1,
        "systemHealthStatus": "healthy",
        "versions": [{ "name": "operator", "version": version }],
    });
    Object::with_status(HYPER_CONVERGED, content, status)
}

fn kubevirt(version: &str, now: &str) -> Object {
    let content = json!({
        "metadata": { "name": "kubevirt-kubevirt-hyperconverged", "namespace": NAMESPACE },
        "spec": { "configuration": {} },
    });
    let status = json!({
        "phase": "Deployed",
        "observedKubeVirtVersion": version,
        "operatorVersion": version,
        "targetKubeVirtVersion": version,
        "conditions": [
            condition("Available", "True", "AllComponentsReady", now),
            condition("Progressing", "False", "AllComponentsReady", now),
            condition("Degraded", "False", "AllComponentsReady", now),
            condition("Created", "True", "AllResourcesCreated", now),
        ],
    });
    Object::with_status(KUBEVIRT, content, status)
}

fn cdi(version: &str, now: &str) -> Object {
    let content = json!({ "metadata": { "name": "cdi-kubevirt-hyperconverged" }, "spec": {} });
    let status = json!({
        "phase": "Deployed",
        "observedVersion": version,
        "operatorVersion": version,
        "targetVersion": version,
        "conditions": [
            condition("Available", "True", "DeployCompleted", now),
            condition("Progressing", "False", "DeployCompleted", now),
            condition("Degraded", "False", "DeployCompleted", now),
        ],
    });
    Object::with_status(CDI, content, status)
}

/// What CDI knows of each storage class: in which modes virtual machine disks can have it.
fn profiles() -> Vec<Object> {
    let rbd = json!([
        { "accessModes": ["ReadWriteMany"], "volumeMode": "Block" },
        { "accessModes": ["ReadWriteOnce"], "volumeMode": "Block" },
        { "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem" },
    ]);
    let cephfs = json!([{ "accessModes": ["ReadWriteMany"], "volumeMode": "Filesystem" }]);
    let profile = |class: &str, provisioner: &str, sets: &Value| {
        let content = json!({ "metadata": { "name": class }, "spec": {} });
        let status = json!({
            "claimPropertySets": sets,
            "cloneStrategy": "csi-clone",
            "dataImportCronSourceFormat": "snapshot",
            "provisioner": provisioner,
            "storageClass": class,
        });
        Object::with_status(STORAGE_PROFILE, content, status)
    };
    vec![
        profile(
            "ocs-storagecluster-ceph-rbd",
            "openshift-storage.rbd.csi.ceph.com",
            &rbd,
        ),
        profile(
            "ocs-storagecluster-ceph-rbd-virtualization",
            "openshift-storage.rbd.csi.ceph.com",
            &rbd,
        ),
        profile(
            "ocs-storagecluster-cephfs",
            "openshift-storage.cephfs.csi.ceph.com",
            &cephfs,
        ),
    ]
}
