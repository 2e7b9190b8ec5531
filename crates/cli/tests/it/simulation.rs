//! The whole procedure against a whole world, on one thread, in virtual time: how long it takes, that it is the same each
//! time, that it tells no secret, and that it converges wherever it is killed.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_lab::{Generation, SimulationOptions};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::hub::{Hub, example_pull_secret, steps, up};

/// How many moments of a run it is killed at.
const KILLS: u32 = 50;
/// What Berth writes: kinds whose objects are counted after a run.
const WRITTEN: [&str; 8] = [
    "/api/v1/namespaces",
    "/api/v1/secrets",
    "/apis/operators.coreos.com/v1/operatorgroups",
    "/apis/operators.coreos.com/v1alpha1/subscriptions",
    "/apis/multicluster.openshift.io/v1/multiclusterengines",
    "/apis/hypershift.openshift.io/v1beta1/hostedclusters",
    "/apis/hypershift.openshift.io/v1beta1/nodepools",
    "/apis/coordination.k8s.io/v1/namespaces/berth-system/leases",
];

/// Everything that Berth made, by kind and name.
async fn made_by_berth(hub: &Hub) -> Vec<String> {
    let mut made = Vec::new();
    for path in WRITTEN {
        for object in hub.list(path).await {
            let metadata = &object["metadata"];
            if metadata["labels"]["app.kubernetes.io/managed-by"] == "berth" {
                made.push(format!("{path} {}/{}", metadata["namespace"], metadata["name"]));
            }
        }
    }
    made
}

async fn encryption_key(hub: &Hub) -> Option<String> {
    let secret = hub
        .get("/api/v1/namespaces/hcp/secrets/guest-cluster-0-etcd-encryption-key")
        .await?;
    secret["data"]["key"].as_str().map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn a_bring_up_takes_as_long_as_published() {
    let hub = Hub::seeded(1).await;
    let begun = Instant::now();
    let (_, report, _) = up(&hub.engine(1).await).await;
    assert!(report.is_ready());
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    // Upstream's documents: up to ten minutes for the engine, ten to fifteen for a guest, less where nothing else runs.
    assert!(
        (11.0..=16.0).contains(&minutes),
        "a bring-up took {minutes:.1} simulated minutes"
    );
}

/// The same documents, whatever the management cluster is: what differs between generations is found out, not assumed.
#[tokio::test(start_paused = true)]
async fn the_current_generation_comes_up_too_and_a_second_run_changes_nothing() {
    let hub = Hub::start(SimulationOptions {
        generation: Generation::Current,
        ..SimulationOptions::default()
    })
    .await;
    let (_, report, _) = up(&hub.engine(1).await).await;
    assert!(report.is_ready(), "{report:#?}");
    let (plan, report, _) = up(&hub.engine(2).await).await;
    assert!(plan.is_empty(), "{plan:#?}");
    assert_eq!(report.writes, 0);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_event_log() {
    let mut logs = Vec::new();
    for _ in 0..2 {
        let hub = Hub::start(SimulationOptions {
            seed: 7,
            record: true,
            ..SimulationOptions::default()
        })
        .await;
        let (_, _, events) = up(&hub.engine(1).await).await;
        let told = events
            .iter()
            .map(|event| serde_json::to_string(event).expect("an event is JSON"));
        let mut log = hub.simulation.lock().await.event_log();
        log.extend(told);
        logs.push(log);
    }
    let [first, second] = &logs[..] else {
        panic!("two runs, two logs")
    };
    assert!(first.len() > 1000, "the log has {} lines", first.len());
    let differs = first.iter().zip(second).position(|(one, other)| one != other);
    assert_eq!(differs.map(|at| (&first[at], &second[at])), None, "the logs differ");
    assert_eq!(first.len(), second.len());
}

/// What is logged, kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panics over a log")).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics over a log").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn neither_plan_nor_events_nor_report_nor_the_finest_log_hold_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // The whole simulation is one thread's.
    let _logged = tracing::subscriber::set_default(subscriber);
    let hub = Hub::seeded(5).await;
    let (plan, report, events) = up(&hub.engine(1).await).await;

    let json = |value: serde_json::Result<String>| value.expect("it is JSON");
    let texts = [
        ("the plan", json(serde_json::to_string(&plan)) + &format!("{plan:#?}")),
        (
            "the events",
            json(serde_json::to_string(&events)) + &format!("{events:#?}"),
        ),
        (
            "the report",
            json(serde_json::to_string(&report)) + &format!("{report:#?}"),
        ),
        ("the log", log.text()),
    ];
    assert!(
        texts[1].1.contains("guest-cluster-0-pull-secret"),
        "its writing is told"
    );
    for (what, text) in &texts {
        assert!(!text.is_empty(), "{what} says something");
        for (name, secret) in secrets(&hub).await {
            assert!(!text.contains(&secret), "{what} holds the text of {name}");
        }
    }
}

/// With upstream's schemas the lab's actors and Berth go on as with the lab's own: nothing that they write is refused, or
/// loses a field.
#[tokio::test(start_paused = true)]
async fn upstream_schemas_take_all_that_is_written() {
    for set in ["4.17", "current"] {
        let Some(crds) = upstream_crds(set) else {
            println!("skipped: upstream_schemas_take_all_that_is_written ({set}): no ../shared");
            continue;
        };
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_writer(move || writer.clone())
            .finish();
        let _logged = tracing::subscriber::set_default(subscriber);
        let hub = Hub::start(SimulationOptions {
            crds,
            generation: set.parse().expect("a set has the name of its generation"),
            ..SimulationOptions::default()
        })
        .await;
        let engine = hub.engine(1).await;
        let run = timeout(Duration::from_mins(30), up(&engine)).await;
        assert_eq!(log.text(), "", "{set}");
        assert!(run.is_ok_and(|(_, report, _)| report.is_ready()), "{set}");
    }
}

/// Upstream's CRDs; `None` where they are not at hand.
pub(crate) fn upstream_crds(set: &str) -> Option<Vec<Value>> {
    let folder = upstream(&format!("crds/{set}"))?;
    Some(berth_lab::read_crds(&folder).expect("upstream's CRDs can be read"))
}

/// A folder of upstream's data; `None` where it is not at hand.
pub(crate) fn upstream(folder: &str) -> Option<PathBuf> {
    let default = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let data = std::env::var_os("BERTH_UPSTREAM_DATA").map_or_else(default, PathBuf::from);
    let folder = data.join(folder);
    folder.is_dir().then_some(folder)
}

/// Texts that may be told nowhere, each with its name: as they are, and as the API carries them.
async fn secrets(hub: &Hub) -> Vec<(&'static str, String)> {
    let mut secrets = Vec::new();
    let auths: Value = serde_json::from_str(&example_pull_secret()).expect("a pull secret is JSON");
    let auth = auths["auths"]["quay.io"]["auth"].as_str().expect("it has credentials");
    secrets.push(("the registry's credentials", auth.to_owned()));
    let decoded = STANDARD.decode(auth).expect("credentials are base64");
    let decoded = String::from_utf8(decoded).expect("credentials are text");
    let (_, password) = decoded.split_once(':').expect("credentials are `user:password`");
    secrets.push(("the registry's password", password.to_owned()));
    for (name, key) in [
        ("guest-cluster-0-pull-secret", ".dockerconfigjson"),
        ("guest-cluster-0-etcd-encryption-key", "key"),
        ("guest-cluster-0-kubeadmin-password", "password"),
        ("guest-cluster-0-admin-kubeconfig", "kubeconfig"),
    ] {
        let secret = hub.get(&format!("/api/v1/namespaces/hcp/secrets/{name}")).await;
        let secret = secret.unwrap_or_else(|| panic!("{name} is there"));
        let encoded = secret["data"][key].as_str().expect("a Secret holds text");
        secrets.push((name, encoded.to_owned()));
        let decoded = STANDARD.decode(encoded).expect("a Secret's data is base64");
        // What has several lines would be told with its line ends escaped; its telling parts are in the list already.
        let text = String::from_utf8(decoded).ok().filter(|text| !text.contains('\n'));
        secrets.extend(text.map(|text| (name, text)));
    }
    secrets
}

#[tokio::test(start_paused = true)]
async fn a_second_run_sends_no_mutating_request() {
    let hub = Hub::seeded(2).await;
    up(&hub.engine(1).await).await;
    let before = hub.writes_of_berth().await;
    let (plan, report, _) = up(&hub.engine(2).await).await;
    assert!(plan.is_empty(), "{plan:#?}");
    assert_eq!(report.writes, 0);
    assert_eq!(hub.writes_of_berth().await, before);
}

// The fifty moments are two tests, so that two cores share them.
#[tokio::test(start_paused = true)]
async fn killed_at_every_even_of_fifty_moments_it_converges() {
    killed_at((0..KILLS).step_by(2)).await;
}

#[tokio::test(start_paused = true)]
async fn killed_at_every_odd_of_fifty_moments_it_converges() {
    killed_at((1..KILLS).step_by(2)).await;
}

/// Killed at a moment and run again, nothing is there twice, and what was made up once is as it was.
async fn killed_at(moments: impl Iterator<Item = u32>) {
    let whole = Hub::seeded(3).await;
    let begun = Instant::now();
    up(&whole.engine(1).await).await;
    let length = begun.elapsed();
    let expected = made_by_berth(&whole).await;
    assert!(
        expected.iter().any(|object| object.contains("hostedclusters")),
        "{expected:?}"
    );

    for kill in moments {
        let hub = Hub::seeded(3).await;
        let moment = length * kill / KILLS + Duration::from_millis(u64::from(kill) * 7);
        let engine = hub.engine(1).await;
        let killed = timeout(moment, up(&engine)).await;
        assert!(killed.is_err(), "kill {kill} meets the run");
        drop(engine);
        let key = encryption_key(&hub).await;

        let (_, report, _) = up(&hub.engine(2).await).await;
        assert!(report.is_ready(), "kill {kill}: {report:#?}");
        assert_eq!(
            made_by_berth(&hub).await,
            expected,
            "kill {kill}: the same objects, and none besides"
        );
        if key.is_some() {
            assert_eq!(
                encryption_key(&hub).await,
                key,
                "kill {kill}: the encryption key is made once"
            );
        }
        let plan = hub.engine(3).await.plan(&steps()).await.expect("a plan can be made");
        assert!(plan.is_empty(), "kill {kill}: {plan:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn killed_with_the_world_under_it_it_converges_too() {
    for kill in 1..=5_u32 {
        let hub = Hub::seeded(u64::from(kill)).await;
        let engine = hub.engine(1).await;
        let moment = Duration::from_secs(u64::from(kill) * 120);
        assert!(timeout(moment, up(&engine)).await.is_err());
        hub.simulation
            .lock()
            .await
            .kill_and_restart_world()
            .await
            .expect("the world starts again");
        let (_, report, _) = up(&hub.engine(2).await).await;
        assert!(report.is_ready(), "kill {kill}: {report:#?}");
        assert_eq!(
            hub.list("/apis/hypershift.openshift.io/v1beta1/hostedclusters")
                .await
                .len(),
            1
        );
        assert_eq!(hub.list("/apis/kubevirt.io/v1/virtualmachines").await.len(), 3);
    }
}
