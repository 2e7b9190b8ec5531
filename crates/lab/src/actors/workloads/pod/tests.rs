use serde_json::{Value, json};

use crate::actors::testing::Bench;
use crate::kind::{PERSISTENT_VOLUME_CLAIM, POD, STORAGE_CLASS};

const LATE: &str = "late";

fn class(binding: &str) -> Value {
    json!({
        "metadata": { "name": LATE },
        "provisioner": "openshift-storage.rbd.csi.ceph.com",
        "volumeBindingMode": binding,
    })
}

fn claim() -> Value {
    json!({
        "metadata": { "name": "data", "namespace": "default" },
        "spec": {
            "storageClassName": LATE,
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "1Gi" } },
        },
    })
}

fn pod() -> Value {
    json!({
        "metadata": { "name": "etcd", "namespace": "default" },
        "spec": {
            "containers": [{ "name": "etcd", "image": "example.test/etcd" }],
            "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }],
        },
    })
}

#[tokio::test(start_paused = true)]
async fn a_pod_with_a_node_starts_once_its_claim_is_bound() {
    let bench = Bench::start().await;
    bench.apply(STORAGE_CLASS, class("WaitForFirstConsumer")).await;
    bench.apply(PERSISTENT_VOLUME_CLAIM, claim()).await;
    bench.apply(POD, pod()).await;
    let runs = |pod: &Value| pod["status"]["phase"] == "Running";
    bench.wait(60, POD, Some("default"), "etcd", runs).await;
}

#[tokio::test(start_paused = true)]
async fn a_class_that_comes_late_is_still_used() {
    let bench = Bench::start().await;
    bench.apply(PERSISTENT_VOLUME_CLAIM, claim()).await;
    bench.apply(POD, pod()).await;
    bench.pass(20).await;
    bench.apply(STORAGE_CLASS, class("Immediate")).await;
    let runs = |pod: &Value| pod["status"]["phase"] == "Running";
    bench.wait(60, POD, Some("default"), "etcd", runs).await;
}
