//! A server in a process of its own, killed two hundred times while clients write: what it acknowledged is there.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use berth_apiserver::{ApiServer, CertificateAuthority, FileStorage, Identity, KeyAndCertificate, Options, Tls, serve};
use http::Method;
use kube::Client;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

use crate::socket::{self, TOKEN};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
/// Names the folder of the server, in the process that is to be killed.
const FOLDER: &str = "KILLED_SERVER_FOLDER";

const KILLS: usize = 200;
const CLIENTS: u64 = 4;
/// Each client works on so many objects of its own.
const OBJECTS: u64 = 6;
/// Acknowledged writes between a start and the kill, at most.
const WRITES: u64 = 24;

/// The other process: a server until it is killed. In a normal test run this does nothing.
#[tokio::test]
async fn the_one_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let mut options = Options::new(FileStorage::new(folder.join("store")));
    options.tokens.insert(TOKEN.to_owned(), Identity::admin());
    let server = ApiServer::open(options).unwrap();
    let serving = KeyAndCertificate {
        certificate: fs::read_to_string(folder.join("tls.crt")).unwrap(),
        key: fs::read_to_string(folder.join("tls.key")).unwrap(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Not through `println!`, which the test harness would take.
    writeln!(std::io::stdout(), "\nport {}", listener.local_addr().unwrap().port()).unwrap();
    serve(
        server,
        listener,
        Tls::new(&serving, None).unwrap(),
        std::future::pending(),
    )
    .await;
}

/// An object as a client knows it to be, from what was acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    /// What its writer wrote last, and the version that this got; `None` for an object that isn't there.
    state: Option<(u64, String)>,
}

/// What one client knows.
#[derive(Debug, Default)]
struct Ledger {
    objects: BTreeMap<String, Known>,
    /// A write that was not answered: the object is as before, or what it would have become.
    unanswered: Option<(String, Option<u64>)>,
    /// The highest version that was acknowledged.
    version: u64,
    writes: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_two_hundred_kills() {
    let folder = tempfile::tempdir().unwrap();
    let authority = CertificateAuthority::new("test CA", Arc::new(jiff::Timestamp::now)).unwrap();
    let serving = authority.issue_server(["127.0.0.1"]).unwrap();
    fs::write(folder.path().join("tls.crt"), serving.certificate).unwrap();
    fs::write(folder.path().join("tls.key"), serving.key).unwrap();
    let ledgers: Vec<_> = (0..CLIENTS).map(|_| Arc::new(Mutex::new(Ledger::default()))).collect();
    let mut random = StdRng::seed_from_u64(3);
    let mut compactions = 0;
    let log = folder.path().join("store/objects.log");
    let mut size = 0;
    for round in 0..=KILLS {
        let (mut child, client) = start(folder.path(), authority.certificate()).await;
        check(&client, &ledgers, round).await;
        let now = fs::metadata(&log).unwrap().len();
        compactions += u64::from(now < size);
        size = now;
        if round < KILLS {
            let writes = random.random_range(0..WRITES);
            let acknowledged = Arc::new(AtomicU64::new(0));
            let (enough, mut is_enough) = tokio::sync::watch::channel(writes == 0);
            let enough = Arc::new(enough);
            let clients: Vec<_> = (0..CLIENTS)
                .zip(&ledgers)
                .map(|(number, ledger)| {
                    let (client, ledger) = (client.clone(), Arc::clone(ledger));
                    let (acknowledged, enough) = (Arc::clone(&acknowledged), Arc::clone(&enough));
                    let random = StdRng::seed_from_u64(round as u64 * CLIENTS + number);
                    tokio::spawn(work(client, number, ledger, random, move || {
                        if acknowledged.fetch_add(1, Ordering::Relaxed) + 1 >= writes {
                            enough.send_replace(true);
                        }
                    }))
                })
                .collect();
            is_enough.wait_for(|enough| *enough).await.unwrap();
            child.kill().await.unwrap();
            for client in clients {
                client.await.unwrap();
            }
        } else {
            child.kill().await.unwrap();
        }
    }
    let writes: u64 = ledgers.iter().map(|ledger| ledger.lock().unwrap().writes).sum();
    assert!(
        writes > 1000 && compactions > 10,
        "{writes} acknowledged writes, {compactions} compactions: too few to show anything"
    );
}

/// Starts the server in a process of its own, and a client of it.
async fn start(folder: &Path, ca: &str) -> (Child, Client) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::the_one_that_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = loop {
        let line = lines.next_line().await.unwrap().expect("the server starts");
        if let Some(port) = line.strip_prefix("port ") {
            break port.parse().unwrap();
        }
    };
    let client = socket::kube_client(port, ca, TOKEN);
    (child, client)
}

/// Compares what is there with what was acknowledged, and takes it as known.
async fn check(client: &Client, ledgers: &[Arc<Mutex<Ledger>>], round: usize) {
    let list = request(client, Method::GET, MAPS, None).await.unwrap();
    let version: u64 = list["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
    let mut found: BTreeMap<String, (u64, String)> = BTreeMap::new();
    for item in list["items"].as_array().unwrap() {
        let name = item["metadata"]["name"].as_str().unwrap();
        let Some(value) = item["data"]["value"].as_str() else {
            continue;
        };
        let version = item["metadata"]["resourceVersion"].as_str().unwrap();
        found.insert(name.to_owned(), (value.parse().unwrap(), version.to_owned()));
    }
    for ledger in ledgers {
        let mut ledger = ledger.lock().unwrap();
        assert!(version >= ledger.version, "round {round}: the version went back");
        let unanswered = ledger.unanswered.take();
        for (name, known) in &mut ledger.objects {
            let found = found.remove(name);
            let as_acknowledged = found == known.state;
            let as_unanswered = unanswered
                .as_ref()
                .is_some_and(|(of, value)| of == name && *value == found.as_ref().map(|(value, _)| *value));
            assert!(
                as_acknowledged || as_unanswered,
                "round {round}: {name} is {found:?}, but {known:?} was acknowledged, and {unanswered:?} not answered"
            );
            known.state = found;
        }
    }
    assert_eq!(found, BTreeMap::new(), "round {round}: nobody wrote these");
}

/// Creates, updates and deletes until a write isn't answered.
async fn work(client: Client, number: u64, ledger: Arc<Mutex<Ledger>>, mut random: StdRng, acknowledged: impl Fn()) {
    loop {
        let name = format!("c{number}-{}", random.random_range(0..OBJECTS));
        let path = format!("{MAPS}/{name}");
        let known = ledger
            .lock()
            .unwrap()
            .objects
            .entry(name.clone())
            .or_default()
            .state
            .clone();
        let value = random.random_range(0..u64::MAX / 2);
        // The first client's objects are large, so that the log is compacted now and then.
        let filler = "x".repeat(if number == 0 {
            random.random_range(0..400 << 10)
        } else {
            20
        });
        let map = json!({"metadata": {"name": name}, "data": {"value": value.to_string(), "filler": filler}});
        let (method, path, body, becomes) = match known {
            None => (Method::POST, MAPS, Some(map), Some(value)),
            Some(_) if random.random_range(0..3) == 0 => (Method::DELETE, path.as_str(), None, None),
            Some(_) => (Method::PUT, path.as_str(), Some(map), Some(value)),
        };
        ledger.lock().unwrap().unanswered = Some((name.clone(), becomes));
        let Some(answer) = request(&client, method, path, body).await else {
            return;
        };
        let version = answer["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        {
            let mut ledger = ledger.lock().unwrap();
            ledger.unanswered = None;
            ledger.writes += 1;
            if let Some(version) = &version {
                let version = version.parse().unwrap();
                assert!(version > ledger.version, "the version of {name} went back");
                ledger.version = version;
            }
            let state = becomes.map(|value| (value, version.expect("an object has a version")));
            ledger.objects.insert(name, Known { state });
        }
        acknowledged();
    }
}

/// The answer to a request; `None` if there was none. A refusal fails the test: nothing here may be refused.
async fn request(client: &Client, method: Method, path: &str, body: Option<Value>) -> Option<Value> {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json");
    let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    match client.request::<Value>(request.body(body).unwrap()).await {
        Ok(answer) => Some(answer),
        Err(kube::Error::Api(status)) => panic!("{path}: {status:?}"),
        Err(_) => None,
    }
}
