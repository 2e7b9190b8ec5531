//! The whole procedure against a whole world, on one thread, in virtual time: how long it takes, that it is the same each
//! time, and that it converges wherever it is killed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use berth_effects::SimulatedEffects;
use berth_engine::{Connect, ConnectFailure, Connection, Engine, Event, Holder, Limits, Options, Plan, Random, Report};
use berth_lab::{Simulation, SimulationOptions};
use berth_procedure::{Platform, Secret, Server, Step, compile};
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, timeout};

use crate::lab::root;

const GUEST: (&str, &str) = ("hcp", "guest-cluster-0");
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

/// A simulated hub that Berth runs against, and the machine that Berth runs on.
#[derive(Clone)]
struct Hub {
    simulation: Arc<Mutex<Simulation>>,
    machine: Arc<SimulatedEffects>,
}

impl Hub {
    async fn start(seed: u64, record: bool) -> Self {
        let options = SimulationOptions {
            seed,
            record,
            ..SimulationOptions::default()
        };
        let simulation = Simulation::start(options).await.expect("a simulation starts");
        Self {
            simulation: Arc::new(Mutex::new(simulation)),
            machine: Arc::new(SimulatedEffects::new()),
        }
    }

    /// An engine as a process of its own would make it: the `process`-th.
    async fn engine(&self, process: u32) -> Engine {
        let simulation = self.simulation.lock().await;
        Engine::new(Connection {
            management: simulation.client(),
            server: Server {
                url: "https://simulated".to_owned(),
                user: "admin".to_owned(),
                version: String::new(),
            },
            connect: Arc::new(self.clone()),
            perform: self.machine.clone(),
            clock: simulation.clock(),
            random: Random::seeded(u64::from(process)),
            identity: Holder {
                host: "simulated".to_owned(),
                pid: process,
                started: "boot".to_owned(),
                // Of all processes that ever were, only this one lives.
                alive: Arc::new(move |pid, _| pid == process),
            },
            options: Options {
                requests_per_second: None,
                ..Options::default()
            },
        })
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let client = self.simulation.lock().await.client();
        let request = http::Request::get(path)
            .body(Vec::new())
            .expect("a path makes a request");
        match client.request::<Value>(request).await {
            Ok(mut list) => list["items"].as_array_mut().map(std::mem::take).unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    /// Everything that Berth made, by kind and name.
    async fn made_by_berth(&self) -> Vec<String> {
        let mut made = Vec::new();
        for path in WRITTEN {
            for object in self.list(path).await {
                let metadata = &object["metadata"];
                if metadata["labels"]["app.kubernetes.io/managed-by"] == "berth" {
                    made.push(format!("{path} {}/{}", metadata["namespace"], metadata["name"]));
                }
            }
        }
        made
    }

    async fn encryption_key(&self) -> Option<String> {
        let secrets = self.list("/api/v1/namespaces/hcp/secrets").await;
        let key = secrets
            .iter()
            .find(|secret| secret["metadata"]["name"] == "guest-cluster-0-etcd-encryption-key")?;
        key["data"]["key"].as_str().map(str::to_owned)
    }
}

impl Connect for Hub {
    fn connect<'a>(&'a self, kubeconfig: &'a Secret) -> BoxFuture<'a, Result<kube::Client, ConnectFailure>> {
        Box::pin(async move {
            let simulation = self.simulation.lock().await;
            let url = simulation.guest_url(GUEST.0, GUEST.1);
            let known = url.is_some_and(|url| kubeconfig.reveal().contains(&url));
            let client = simulation.guest(GUEST.0, GUEST.1).filter(|_| known);
            client.ok_or_else(|| ConnectFailure("no such guest".to_owned()))
        })
    }
}

fn steps() -> Vec<Box<dyn Step>> {
    let file = root().join("examples/guest-cluster-0.yaml");
    let text = std::fs::read_to_string(&file).expect("the example is there");
    let source = berth_api::Source { path: file, text };
    let documents =
        berth_api::load(vec![source], &|path| std::fs::read(path), &|_| None).expect("the example is valid");
    compile(&documents, &Platform::of_rust("linux", "x86_64"))
}

/// Plans and runs to the end; the plan that was run, the report, and every event.
async fn up(engine: &Engine) -> (Plan, Report, Vec<Event>) {
    let steps = steps();
    let plan = engine.plan(&steps).await.expect("a plan can be made");
    assert_eq!(
        berth_engine::check_plan(&plan),
        Vec::<String>::new(),
        "the plan makes sense"
    );
    let (sender, mut receiver) = mpsc::channel(64);
    let collect = async {
        let mut events = Vec::new();
        while let Some(event) = receiver.recv().await {
            events.push(event);
        }
        events
    };
    let (report, events) = tokio::join!(engine.run(&steps, &plan, sender, Limits::none()), collect);
    (plan, report.expect("the run gets everything ready"), events)
}

#[tokio::test(start_paused = true)]
async fn a_bring_up_takes_as_long_as_published() {
    let hub = Hub::start(1, false).await;
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

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_event_log() {
    let mut logs = Vec::new();
    for _ in 0..2 {
        let hub = Hub::start(7, true).await;
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

#[tokio::test(start_paused = true)]
async fn a_second_run_sends_no_mutating_request() {
    let hub = Hub::start(2, false).await;
    up(&hub.engine(1).await).await;
    let before = writes_of_berth(&hub).await;
    let (plan, report, _) = up(&hub.engine(2).await).await;
    assert!(plan.is_empty(), "{plan:#?}");
    assert_eq!(report.writes, 0);
    assert_eq!(writes_of_berth(&hub).await, before);
}

/// Mutating requests by whoever is none of the world's own actors: in a simulation Berth's client has no user agent.
async fn writes_of_berth(hub: &Hub) -> BTreeMap<(String, String), u64> {
    let simulation = hub.simulation.lock().await;
    let mut counts = BTreeMap::new();
    for request in simulation.requests() {
        let mutating = matches!(
            request.verb.as_str(),
            "create" | "update" | "patch" | "delete" | "deletecollection"
        );
        if mutating && !request.dry_run && !request.user_agent.contains("manager") && request.user_agent == "unknown" {
            *counts
                .entry((request.verb.clone(), request.resource.clone()))
                .or_default() += request.count;
        }
    }
    counts
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
    let whole = Hub::start(3, false).await;
    let begun = Instant::now();
    up(&whole.engine(1).await).await;
    let length = begun.elapsed();
    let expected = whole.made_by_berth().await;
    assert!(
        expected.iter().any(|object| object.contains("hostedclusters")),
        "{expected:?}"
    );

    for kill in moments {
        let hub = Hub::start(3, false).await;
        let moment = length * kill / KILLS + Duration::from_millis(u64::from(kill) * 7);
        let engine = hub.engine(1).await;
        let killed = timeout(moment, up(&engine)).await;
        assert!(killed.is_err(), "kill {kill} meets the run");
        drop(engine);
        let key = hub.encryption_key().await;

        let (_, report, _) = up(&hub.engine(2).await).await;
        assert!(report.is_ready(), "kill {kill}: {report:#?}");
        assert_eq!(
            hub.made_by_berth().await,
            expected,
            "kill {kill}: the same objects, and none besides"
        );
        if key.is_some() {
            assert_eq!(
                hub.encryption_key().await,
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
        let hub = Hub::start(u64::from(kill), false).await;
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
