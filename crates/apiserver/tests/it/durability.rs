//! What outlives the server.

use std::{fs, time::Duration};

use berth_apiserver::{ApiServer, FileStorage, MemoryStorage, Options, Storage};
use serde_json::json;

use crate::{Cluster, widgets};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[tokio::test(start_paused = true)]
async fn everything_acknowledged_is_there_again_and_watches_go_on() {
    let storage = MemoryStorage::new();
    let first = Cluster::on(storage.clone(), |_| {});
    first
        .post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", widgets())
        .await
        .is(201);
    let path = "/apis/example.test/v1/namespaces/default/widgets";
    first.post(path, json!({"metadata": {"name": "w"}})).await.is(201);
    first.post(MAPS, json!({"metadata": {"name": "x"}})).await.is(201);
    let seen = first.get(MAPS).await.version();
    first.delete(&format!("{MAPS}/x"), json!({})).await.is(200);
    let (before, revision) = (first.get(path).await.body, first.server.revision());
    let second = Cluster::on(storage, |_| {});
    assert_eq!(second.server.revision(), revision);
    assert_eq!(second.get(path).await.body, before);
    let mut watch = second
        .watch(&format!(
            "{MAPS}?watch=true&resourceVersion={seen}&fieldSelector=metadata.name%3Dx"
        ))
        .await;
    assert_eq!(watch.names(1).await, ["DELETED x"]);
    // The first one was "killed": what still runs of it can no longer write.
    first.post(MAPS, json!({"metadata": {"name": "late"}})).await.refused(
        500,
        "InternalError",
        "opened by another server",
    );
    second.get(&format!("{MAPS}/late")).await.is(404);
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_deletion_goes_on_after_a_restart() {
    let storage = MemoryStorage::new();
    let first = Cluster::on(storage.clone(), |_| {});
    first
        .post("/api/v1/namespaces", json!({"metadata": {"name": "t"}}))
        .await
        .is(201);
    first
        .post("/api/v1/namespaces/t/configmaps", json!({"metadata": {"name": "x"}}))
        .await
        .is(201);
    // The controllers have not run yet when the disk is taken away.
    first.delete("/api/v1/namespaces/t", json!({})).await.is(200);
    let second = Cluster::on(storage.fork(), |_| {});
    second.until("/api/v1/namespaces/t", |answer| answer.code == 404).await;
    second.get("/api/v1/namespaces/t/configmaps/x").await.is(404);
}

#[tokio::test(start_paused = true)]
async fn a_torn_write_is_cut_off_at_every_length() {
    let storage = MemoryStorage::new();
    let cluster = Cluster::on(storage.clone(), |_| {});
    cluster.post(MAPS, json!({"metadata": {"name": "x"}})).await.is(201);
    let whole = storage.fork().open().unwrap();
    cluster.post(MAPS, json!({"metadata": {"name": "y"}})).await.is(201);
    let longer = storage.fork().open().unwrap();
    for length in (whole.len()..longer.len()).step_by(7) {
        let disk = MemoryStorage::new();
        let mut writer = disk.clone();
        writer.open().unwrap();
        writer.append(&longer[..length]).unwrap();
        let restarted = Cluster::on(disk, |_| {});
        restarted.get(&format!("{MAPS}/x")).await.is(200);
        restarted.get(&format!("{MAPS}/y")).await.is(404);
        restarted.post(MAPS, json!({"metadata": {"name": "z"}})).await.is(201);
    }
}

#[tokio::test(start_paused = true)]
async fn files_survive_compaction_and_refuse_damage_and_second_servers() {
    let folder = tempfile::tempdir().unwrap();
    let open = || ApiServer::open(Options::new(FileStorage::new(folder.path())));
    let again = || crate::faults::reopened(folder.path());
    let log = folder.path().join("objects.log");
    {
        let server = open().unwrap();
        assert!(open().is_err(), "one server a folder");
        let client = kube::Client::new(server.service(berth_apiserver::Identity::admin()), "default");
        let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> = kube::Api::default_namespaced(client);
        let filler = "x".repeat(100 << 10);
        for round in 0..60 {
            let map = json!({"metadata": {"name": "big"}, "data": {"round": round.to_string(), "filler": filler}});
            let map = serde_json::from_value(map).unwrap();
            if round == 0 {
                maps.create(&kube::api::PostParams::default(), &map).await.unwrap();
            } else {
                maps.replace("big", &kube::api::PostParams::default(), &map)
                    .await
                    .unwrap();
            }
        }
        let size = fs::metadata(&log).unwrap().len();
        assert!(size < 5 << 20, "the log was never compacted: {size} bytes");
    }
    // A client of kube's has a task of its own, which ends only when it is next polled.
    tokio::time::sleep(Duration::from_millis(1)).await;
    {
        let server = again();
        let client = kube::Client::new(server.service(berth_apiserver::Identity::admin()), "default");
        let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> = kube::Api::default_namespaced(client);
        assert_eq!(maps.get("big").await.unwrap().data.unwrap()["round"], "59");
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let mut bytes = fs::read(&log).unwrap();
    bytes[20] ^= 0xff;
    fs::write(&log, &bytes).unwrap();
    let error = crate::faults::reopen(folder.path()).unwrap_err().to_string();
    assert!(error.contains("is damaged at byte 8"), "{error}");
}
