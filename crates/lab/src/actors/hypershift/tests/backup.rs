//! A hosted cluster is backed up, destroyed and brought back, as each generation offers it.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{CONTROL_PLANE, Lab, condition};
use crate::client::name_of;
use crate::generation::Generation;
use crate::kind::{
    BACKUP, CONFIG_MAP, HCP_ETCD_BACKUP, HOSTED_CLUSTER, HOSTED_CONTROL_PLANE, Kind, NODE, NODE_POOL, RESTORE, SECRET,
};
use crate::world::Faults;

const VELERO: &str = "openshift-adp";

impl Lab {
    async fn until(&self, kind: Kind, namespace: &str, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..600 {
            let found = self.client.get(kind, Some(namespace), name).await.unwrap();
            if let Some(found) = found.filter(|found| is_so(found)) {
                return found;
            }
            self.sleep(Duration::from_secs(1)).await;
        }
        let last = self.client.get(kind, Some(namespace), name).await.unwrap();
        panic!("{} {name} is not so: {last:#?}", kind.kind);
    }

    async fn complete(&self) -> Value {
        let hosted_cluster = self
            .wait_for(HOSTED_CLUSTER, "guest", "its rollout", |hosted_cluster| {
                hosted_cluster["status"]["version"]["history"][0]["state"] == "Completed"
            })
            .await;
        self.wait_for(NODE_POOL, "guest", "its nodes", |pool| {
            condition(pool, "AllNodesHealthy")["status"] == "True" && pool["status"]["version"].is_string()
        })
        .await;
        hosted_cluster
    }

    /// Something that nobody makes but a user.
    async fn leave_a_trace(&self) {
        let kept = json!({ "metadata": { "name": "kept", "namespace": "default" }, "data": { "a": "b" } });
        self.inside().create(CONFIG_MAP, &kept).await.unwrap();
    }

    async fn finds_the_trace(&self) {
        let kept = self.inside().get(CONFIG_MAP, Some("default"), "kept").await.unwrap();
        assert_eq!(kept.expect("objects are back")["data"]["a"], "b");
        let nodes = self.inside().list(NODE, None, "").await.unwrap();
        let machines = self
            .client
            .list(crate::kind::MACHINE, Some(CONTROL_PLANE), "")
            .await
            .unwrap();
        let names = |objects: &[Value]| {
            objects
                .iter()
                .map(|object| name_of(object).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&nodes), names(&machines), "nodes of machines that are gone go");
    }
}

#[tokio::test(start_paused = true)]
async fn velero_brings_a_destroyed_cluster_back_with_what_was_in_it() {
    let lab = Lab::start(Faults::default()).await;
    lab.allow_wildcards().await;
    lab.create_guest_and_pool(json!({}), json!({ "replicas": 1 })).await;
    let before = lab.complete().await;
    lab.leave_a_trace().await;
    let backup = json!({
        "metadata": { "name": "guest-1", "namespace": VELERO },
        "spec": { "includedNamespaces": ["hcp", CONTROL_PLANE], "storageLocation": "default", "ttl": "2h0m0s" },
    });
    lab.client.create(BACKUP, &backup).await.unwrap();
    let backup = lab
        .until(BACKUP, VELERO, "guest-1", |backup| {
            backup["status"]["completionTimestamp"].is_string()
        })
        .await;
    assert_eq!(backup["status"]["phase"], "Completed", "{}", backup["status"]);

    lab.client.delete(HOSTED_CLUSTER, Some("hcp"), "guest").await.unwrap();
    lab.wait_until_gone(HOSTED_CLUSTER, "guest").await;
    assert!(lab.simulation.borrow().guest("hcp", "guest").is_none());

    let restore = |name: &str, backup: &str| json!({ "metadata": { "name": name, "namespace": VELERO }, "spec": { "backupName": backup } });
    lab.client.create(RESTORE, &restore("wrong", "absent")).await.unwrap();
    lab.until(RESTORE, VELERO, "wrong", |restore| {
        restore["status"]["phase"] == "FailedValidation"
    })
    .await;
    lab.client.create(RESTORE, &restore("right", "guest-1")).await.unwrap();
    lab.until(RESTORE, VELERO, "right", |restore| {
        restore["status"]["phase"] == "Completed"
    })
    .await;
    let after = lab.complete().await;
    for field in ["infraID", "clusterID"] {
        assert_eq!(after["spec"][field], before["spec"][field], "{field}");
    }
    lab.sleep(Duration::from_mins(3)).await;
    lab.finds_the_trace().await;
}

#[tokio::test(start_paused = true)]
async fn a_backup_without_a_place_to_put_it_fails_its_validation() {
    let lab = Lab::start(Faults::default()).await;
    let backup = json!({
        "metadata": { "name": "nowhere", "namespace": VELERO },
        "spec": { "includedNamespaces": ["hcp"], "storageLocation": "elsewhere" },
    });
    lab.client.create(BACKUP, &backup).await.unwrap();
    let backup = lab
        .until(BACKUP, VELERO, "nowhere", |backup| {
            backup["status"]["phase"] == "FailedValidation"
        })
        .await;
    assert!(
        backup["status"]["validationErrors"][0]
            .as_str()
            .unwrap()
            .contains("elsewhere")
    );
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_etcd_begins_another_cluster_of_the_same_name() {
    let lab = Lab::start_of(Generation::Current, Faults::default(), Vec::new()).await;
    lab.allow_wildcards().await;
    let image = json!({ "image": "quay.io/openshift-release-dev/ocp-release:5.0.0-multi" });
    let pool = json!({ "release": image, "replicas": 1 });
    lab.create_guest_and_pool(json!({ "release": image }), pool.clone())
        .await;
    lab.complete().await;
    lab.leave_a_trace().await;
    let s3 = json!({
        "bucket": "backups", "region": "eu-west-1", "keyPrefix": "hcp/guest", "credentials": { "name": "bucket" },
    });
    let backup = |name: &str| {
        json!({
            "metadata": { "name": name, "namespace": CONTROL_PLANE },
            "spec": { "storage": { "storageType": "S3", "s3": s3 } },
        })
    };
    lab.client.create(HCP_ETCD_BACKUP, &backup("first")).await.unwrap();
    let first = lab
        .until(HCP_ETCD_BACKUP, CONTROL_PLANE, "first", |backup| {
            condition(backup, "BackupCompleted")["reason"] == "BackupFailed"
        })
        .await;
    let message = condition(&first, "BackupCompleted")["message"].as_str().unwrap();
    assert_eq!(
        message,
        "credential Secret \"bucket\" not found in namespace \"hypershift\""
    );
    let secret = json!({ "metadata": { "name": "bucket", "namespace": "hypershift" }, "stringData": { "credentials": "example" } });
    lab.client.create(SECRET, &secret).await.unwrap();
    lab.client.create(HCP_ETCD_BACKUP, &backup("second")).await.unwrap();
    let second = lab
        .until(HCP_ETCD_BACKUP, CONTROL_PLANE, "second", |backup| {
            condition(backup, "BackupCompleted")["status"] == "True"
        })
        .await;
    let url = second["status"]["snapshotURL"].as_str().unwrap().to_owned();
    let hosted_cluster = lab.get(HOSTED_CLUSTER, "guest").await;
    assert_eq!(hosted_cluster["status"]["lastSuccessfulEtcdBackupURL"], url);
    lab.client.delete(HOSTED_CLUSTER, Some("hcp"), "guest").await.unwrap();
    lab.wait_until_gone(HOSTED_CLUSTER, "guest").await;

    lab.client.delete(SECRET, Some("hcp"), "pull-secret").await.unwrap();
    let mut etcd = super::support::etcd("ocs-storagecluster-ceph-rbd");
    etcd["managed"]["storage"]["restoreSnapshotURL"] = json!([url]);
    lab.create_guest_and_pool(json!({ "release": image, "etcd": etcd }), pool)
        .await;
    lab.complete().await;
    lab.sleep(Duration::from_mins(3)).await;
    lab.finds_the_trace().await;
    let control_plane = lab
        .client
        .get(HOSTED_CONTROL_PLANE, Some(CONTROL_PLANE), "guest")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(condition(&control_plane, "EtcdSnapshotRestored")["status"], "True");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_not_there_keeps_etcd_from_coming_up() {
    let lab = Lab::start(Faults::default()).await;
    let mut etcd = super::support::etcd("ocs-storagecluster-ceph-rbd");
    etcd["managed"]["storage"]["restoreSnapshotURL"] = json!(["s3://backups/absent.db"]);
    lab.create_guest(json!({ "etcd": etcd })).await;
    lab.until(HOSTED_CONTROL_PLANE, CONTROL_PLANE, "guest", |control_plane| {
        condition(control_plane, "EtcdSnapshotRestored")["status"] == "False"
    })
    .await;
    lab.sleep(Duration::from_mins(5)).await;
    assert!(lab.simulation.borrow().guest("hcp", "guest").is_none());
}
