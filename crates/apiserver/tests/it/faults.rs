//! Storage that fails: an error to the writer, never a loss, and no end.

use std::{
    io,
    sync::{Arc, Condvar, Mutex},
};

use berth_apiserver::{ApiServer, FileStorage, Flush, Identity, MemoryStorage, OpenError, Options, Storage};
use serde_json::json;

use crate::Cluster;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// A log in memory that fails as it is told to. Clones share log and faults.
#[derive(Clone, Default)]
struct Faulty {
    log: MemoryStorage,
    faults: Arc<(Mutex<Faults>, Condvar)>,
}

#[derive(Default)]
struct Faults {
    /// So many bytes can still be appended; `None` for as many as one likes.
    room: Option<usize>,
    cannot_truncate: bool,
    cannot_replace: bool,
    flushing: Flushing,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Flushing {
    #[default]
    Unwanted,
    Works,
    Hangs,
    Fails,
}

impl Faulty {
    fn set(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.faults.0.lock().unwrap());
        self.faults.1.notify_all();
    }

    /// A server on this log.
    fn cluster(&self) -> Cluster {
        Cluster::with(|options| options.storage = Box::new(self.clone()))
    }

    /// A server that is opened on what is in the log now.
    fn reopened(&self) -> Cluster {
        Cluster::on(self.log.fork(), |_| {})
    }
}

impl Storage for Faulty {
    fn open(&mut self) -> io::Result<Vec<u8>> {
        self.log.open()
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let faults = Arc::clone(&self.faults);
        let mut faults = faults.0.lock().unwrap();
        let Some(room) = &mut faults.room else {
            return self.log.append(bytes);
        };
        let fits = bytes.len().min(*room);
        *room -= fits;
        self.log.append(&bytes[..fits])?;
        if fits < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        if self.faults.0.lock().unwrap().cannot_truncate {
            return Err(io::Error::other("cannot truncate"));
        }
        self.log.truncate(length)
    }

    fn replace(&mut self, contents: &[u8]) -> io::Result<()> {
        if self.faults.0.lock().unwrap().cannot_replace {
            return Err(io::Error::other("cannot replace"));
        }
        self.log.replace(contents)
    }

    fn flush(&self) -> Option<Flush> {
        if self.faults.0.lock().unwrap().flushing == Flushing::Unwanted {
            return None;
        }
        let faults = Arc::clone(&self.faults);
        Some(Arc::new(move || {
            let (lock, changed) = &*faults;
            let waits = |faults: &mut Faults| faults.flushing == Flushing::Hangs;
            match changed.wait_while(lock.lock().unwrap(), waits).unwrap().flushing {
                Flushing::Fails => Err(io::Error::other("the medium is gone")),
                _ => Ok(()),
            }
        }))
    }

    fn name(&self) -> String {
        "faulty".to_owned()
    }
}

/// Opens a folder that a server of this process was just dropped from. Another test may be starting a process at this very
/// moment, which has the lock too until it becomes what it is to be.
pub(crate) fn reopen(folder: &std::path::Path) -> Result<ApiServer, OpenError> {
    loop {
        match ApiServer::open(Options::new(FileStorage::new(folder))) {
            Err(error) if format!("{error:?}").contains("ResourceBusy") => std::thread::yield_now(),
            result => return result,
        }
    }
}

pub(crate) fn reopened(folder: &std::path::Path) -> ApiServer {
    reopen(folder).unwrap()
}

fn map(name: &str) -> serde_json::Value {
    json!({"metadata": {"name": name}})
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_an_error_to_the_writer_and_writes_go_on_when_there_is_room() {
    let storage = Faulty::default();
    let cluster = storage.cluster();
    let before = cluster.post(MAPS, map("before")).await.is(201);
    let path = format!("{MAPS}/before");
    for room in [0, 1, 50, 200] {
        storage.set(|faults| faults.room = Some(room));
        let text = "failed to write to `faulty`";
        let refused = cluster.post(MAPS, map("full")).await;
        refused.refused(507, "InsufficientStorage", text);
        let refused = cluster.delete(&path, json!({})).await;
        refused.refused(507, "InsufficientStorage", text);
        let patch = json!({"data": {"a": "b"}});
        let refused = cluster.patch("merge-patch+json", &path, patch).await;
        refused.refused(507, "InsufficientStorage", "free some space there");
        assert_eq!(cluster.get(&path).await.is(200).body, before.body);
        cluster.get(&format!("{MAPS}/full")).await.is(404);
    }
    let mut watch = cluster
        .watch(&format!("{MAPS}?watch=true&resourceVersion={}", before.version()))
        .await;
    storage.set(|faults| faults.room = None);
    let after = cluster.post(MAPS, map("after")).await.is(201);
    assert_eq!(after.version(), before.version() + 1, "what failed has no number");
    assert_eq!(watch.names(1).await, ["ADDED after"]);
    let reopened = storage.reopened();
    for (name, code) in [("before", 200), ("full", 404), ("after", 200)] {
        reopened.get(&format!("{MAPS}/{name}")).await.is(code);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_full_disk_keeps_the_controllers_from_is_done_later() {
    let storage = Faulty::default();
    let cluster = storage.cluster();
    let path = "/api/v1/namespaces/t";
    cluster.post("/api/v1/namespaces", map("t")).await.is(201);
    cluster.post(&format!("{path}/configmaps"), map("x")).await.is(201);
    // Room for the deletion's mark, and not for what follows from it.
    let mark = cluster.get(path).await.body.to_string().len();
    storage.set(|faults| faults.room = Some(mark + 500));
    cluster.delete(path, json!({})).await.is(200);
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    cluster.get(&format!("{path}/configmaps/x")).await.is(200);
    storage.set(|faults| faults.room = None);
    cluster.until(path, |answer| answer.code == 404).await;
}

#[tokio::test(start_paused = true)]
async fn a_torn_end_that_cannot_be_cut_off_is_written_anew() {
    let storage = Faulty::default();
    let cluster = storage.cluster();
    cluster.post(MAPS, map("before")).await.is(201);
    storage.set(|faults| {
        (faults.room, faults.cannot_truncate, faults.cannot_replace) = (Some(50), true, true);
    });
    cluster
        .post(MAPS, map("full"))
        .await
        .refused(507, "InsufficientStorage", "faulty");
    storage.set(|faults| faults.room = None);
    // To append to the torn end would lose what is appended.
    cluster
        .post(MAPS, map("torn"))
        .await
        .refused(500, "InternalError", "cannot replace");
    cluster.get(&format!("{MAPS}/before")).await.is(200);
    storage.reopened().get(&format!("{MAPS}/before")).await.is(200);
    storage.set(|faults| faults.cannot_replace = false);
    cluster.post(MAPS, map("after")).await.is(201);
    let reopened = storage.reopened();
    for (name, code) in [("before", 200), ("full", 404), ("torn", 404), ("after", 200)] {
        reopened.get(&format!("{MAPS}/{name}")).await.is(code);
    }
    assert_eq!(reopened.server.revision(), cluster.server.revision());
}

#[tokio::test]
async fn a_write_is_acknowledged_and_shown_once_it_is_flushed_and_holds_up_nobody_until_then() {
    let storage = Faulty::default();
    storage.set(|faults| faults.flushing = Flushing::Works);
    let cluster = storage.cluster();
    let mut watch = cluster
        .watch(&format!("{MAPS}?watch=true&fieldSelector=metadata.name%3Dx"))
        .await;
    storage.set(|faults| faults.flushing = Flushing::Hangs);
    let mut writes = Vec::new();
    for name in ["x", "y", "z"] {
        let cluster = cluster.clone();
        writes.push(tokio::spawn(async move { cluster.post(MAPS, map(name)).await.code }));
    }
    // One thread runs all of this: what it does here shows that no write holds it.
    while storage
        .reopened()
        .get(MAPS)
        .await
        .body
        .to_string()
        .matches("\"name\":\"z\"")
        .count()
        == 0
    {
        tokio::task::yield_now().await;
    }
    cluster.get("/readyz").await.is(200);
    let mut event = std::pin::pin!(watch.next());
    assert!(
        futures::poll!(event.as_mut()).is_pending(),
        "shown before it was flushed"
    );
    assert!(writes.iter().all(|write| !write.is_finished()));
    storage.set(|faults| faults.flushing = Flushing::Works);
    for write in writes {
        assert_eq!(write.await.unwrap(), 201);
    }
    assert_eq!(event.await.unwrap()["object"]["metadata"]["name"], "x");
}

#[tokio::test]
async fn what_could_not_be_flushed_is_written_anew_by_the_next_write() {
    let storage = Faulty::default();
    storage.set(|faults| faults.flushing = Flushing::Works);
    let cluster = storage.cluster();
    cluster.post(MAPS, map("before")).await.is(201);
    storage.set(|faults| (faults.flushing, faults.cannot_replace) = (Flushing::Fails, true));
    let lost = cluster.post(MAPS, map("lost")).await;
    lost.refused(500, "InternalError", "may not outlive a loss of power");
    cluster.get(&format!("{MAPS}/before")).await.is(200);
    let refused = cluster.post(MAPS, map("refused")).await;
    refused.refused(500, "InternalError", "cannot replace");
    storage.set(|faults| (faults.flushing, faults.cannot_replace) = (Flushing::Works, false));
    cluster.post(MAPS, map("after")).await.is(201);
    let reopened = storage.reopened();
    for (name, code) in [("before", 200), ("lost", 200), ("refused", 404), ("after", 200)] {
        reopened.get(&format!("{MAPS}/{name}")).await.is(code);
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_cut_or_damaged_is_refused_with_what_to_do() {
    let storage = Faulty::default();
    let cluster = storage.cluster();
    cluster.post(MAPS, map("x")).await.is(201);
    // The end can't be cut off, so that the next write makes a snapshot.
    storage.set(|faults| (faults.room, faults.cannot_truncate) = (Some(9), true));
    cluster.post(MAPS, map("y")).await.is(507);
    storage.set(|faults| faults.room = None);
    cluster.post(MAPS, map("z")).await.is(201);
    let log = storage.log.fork().open().unwrap();
    let open = |bytes: &[u8]| {
        let disk = MemoryStorage::new();
        let mut writer = disk.clone();
        writer.open().unwrap();
        writer.append(bytes).unwrap();
        ApiServer::open(Options::new(disk)).map_err(|error| error.to_string())
    };
    open(&log).unwrap();
    let (mut refused, mut opened) = (0, 0);
    for length in (9..log.len()).step_by(11) {
        match open(&log[..length]) {
            Ok(_) => opened += 1,
            Err(error) => {
                refused += 1;
                assert!(
                    error.contains("`memory` is damaged at byte") && error.contains("move it away to start anew"),
                    "{error}"
                );
            }
        }
    }
    // Only what was written after the snapshot may be cut short, or the record that says that there is one.
    assert!(opened < 50 && refused > 100, "{opened} opened, {refused} refused");
    for at in (100..log.len() / 2).step_by(97) {
        let mut damaged = log.clone();
        damaged[at] ^= 1;
        assert!(
            open(&damaged).unwrap_err().contains("damaged at byte"),
            "bit in byte {at}"
        );
    }
}

#[tokio::test]
async fn a_real_full_disk_is_survived_too() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mounted) = Mounted::tmpfs(folder.path(), "256k") else {
        use std::io::Write;
        let _ = writeln!(io::stderr(), "skipped: a_real_full_disk: may not mount a tmpfs");
        return;
    };
    let store = folder.path().join("store");
    let filler = "x".repeat(20 << 10);
    let full = |name: &str| json!({"metadata": {"name": name}, "data": {"filler": filler}});
    let mut acknowledged = Vec::new();
    {
        let cluster = Cluster::with(|options| options.storage = Box::new(FileStorage::new(&store)));
        for number in 0.. {
            let name = format!("m{number}");
            let answer = cluster.post(MAPS, full(&name)).await;
            if answer.code != 201 {
                answer.refused(507, "InsufficientStorage", "objects.log");
                break;
            }
            acknowledged.push(name);
        }
        assert!(acknowledged.len() > 2, "{acknowledged:?}");
        cluster.get(&format!("{MAPS}/m0")).await.is(200);
        Mounted::grow(folder.path(), "1m");
        cluster.post(MAPS, full("after")).await.is(201);
        acknowledged.push("after".to_owned());
    }
    let server = reopened(&store);
    let client = kube::Client::new(server.service(Identity::admin()), "default");
    let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> = kube::Api::default_namespaced(client);
    for name in acknowledged {
        assert!(maps.get_opt(&name).await.unwrap().is_some(), "{name} is lost");
    }
}

/// A tmpfs, unmounted when dropped.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn tmpfs(path: &std::path::Path, size: &str) -> Option<Self> {
        let size = format!("size={size}");
        let status = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(path)
            .stderr(std::process::Stdio::null())
            .status();
        status
            .is_ok_and(|status| status.success())
            .then(|| Self(path.to_owned()))
    }

    fn grow(path: &std::path::Path, size: &str) {
        let size = format!("remount,size={size}");
        let status = std::process::Command::new("mount")
            .args(["-o", &size])
            .arg(path)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
