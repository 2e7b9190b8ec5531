//! A simulated hub that Berth runs against, in virtual time: what tests of whole runs share.
//!
//! Not here: what a run must show (`simulation`, `faults`).

use std::collections::BTreeMap;
use std::sync::Arc;

use berth_effects::SimulatedEffects;
use berth_engine::{
    Connect, ConnectFailure, Connection, Engine, Event, Holder, Limits, Options, Plan, Random, Report, What,
};
use berth_lab::{Simulation, SimulationOptions};
use berth_procedure::{Platform, Secret, Server, Step, compile};
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use crate::lab::root;
use crate::told::Told;

/// The example's guest.
pub(crate) const GUEST: (&str, &str) = ("hcp", "guest-cluster-0");
/// How many events a run may be ahead of whoever listens.
const AHEAD: usize = 64;

/// A simulated hub, and the machine that Berth runs on.
#[derive(Clone)]
pub(crate) struct Hub {
    pub(crate) simulation: Arc<Mutex<Simulation>>,
    machine: Arc<SimulatedEffects>,
}

// === impl Hub ===

impl Hub {
    pub(crate) async fn start(options: SimulationOptions) -> Self {
        let simulation = Simulation::start(options).await.expect("a simulation starts");
        Self {
            simulation: Arc::new(Mutex::new(simulation)),
            machine: Arc::new(SimulatedEffects::new()),
        }
    }

    pub(crate) async fn seeded(seed: u64) -> Self {
        Self::start(SimulationOptions {
            seed,
            ..SimulationOptions::default()
        })
        .await
    }

    /// An engine as a process of its own would make it: the `process`-th.
    pub(crate) async fn engine(&self, process: u32) -> Engine {
        let client = self.simulation.lock().await.client();
        self.engine_with(process, client).await
    }

    /// An engine that speaks to the hub through a client of the caller's.
    pub(crate) async fn engine_with(&self, process: u32, management: kube::Client) -> Engine {
        let simulation = self.simulation.lock().await;
        Engine::new(Connection {
            management,
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

    /// A request of somebody else's, who may do anything. `None` where the server refuses it.
    async fn request(&self, method: &str, path: &str, content_type: &str, body: Option<&Value>) -> Option<Value> {
        let client = self.simulation.lock().await.client();
        Self::request_of(client, method, path, content_type, body).await
    }

    /// Somebody else's server-side apply, or merge patch, on the example's guest.
    pub(crate) async fn write_in_guest(&self, path: &str, content_type: &str, object: &Value) {
        let client = self
            .simulation
            .lock()
            .await
            .guest(GUEST.0, GUEST.1)
            .expect("the guest has an API server");
        let path = format!("{path}?fieldManager=somebody");
        let written = Self::request_of(client, "PATCH", &path, content_type, Some(object)).await;
        assert!(written.is_some(), "{path} can be written in the guest");
    }

    /// The names of a collection of the example's guest.
    pub(crate) async fn names_in_guest(&self, path: &str) -> Vec<String> {
        let client = self
            .simulation
            .lock()
            .await
            .guest(GUEST.0, GUEST.1)
            .expect("the guest has an API server");
        let list = Self::request_of(client, "GET", path, "application/json", None)
            .await
            .unwrap_or_default();
        let items = list["items"].as_array().into_iter().flatten();
        items
            .filter_map(|item| item["metadata"]["name"].as_str().map(str::to_owned))
            .collect()
    }

    async fn request_of(
        client: kube::Client,
        method: &str,
        path: &str,
        content_type: &str,
        body: Option<&Value>,
    ) -> Option<Value> {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, content_type)
            .header(http::header::USER_AGENT, "somebody")
            .body(body.map(|body| body.to_string().into_bytes()).unwrap_or_default())
            .expect("a path makes a request");
        client.request::<Value>(request).await.ok()
    }

    /// One object; `None` where it is not.
    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        self.request("GET", path, "application/json", None).await
    }

    /// All objects of a collection; none where the kind does not exist.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let list = self.get(path).await;
        list.and_then(|mut list| list["items"].as_array_mut().map(std::mem::take))
            .unwrap_or_default()
    }

    /// Somebody else's merge patch.
    pub(crate) async fn merge(&self, path: &str, fields: &Value) {
        let merged = self
            .request("PATCH", path, "application/merge-patch+json", Some(fields))
            .await;
        assert!(merged.is_some(), "{path} can be patched");
    }

    /// Somebody else's server-side apply.
    pub(crate) async fn apply(&self, path: &str, object: &Value) {
        let path = format!("{path}?fieldManager=somebody");
        let applied = self
            .request("PATCH", &path, "application/apply-patch+yaml", Some(object))
            .await;
        assert!(applied.is_some(), "{path} can be applied");
    }

    /// Somebody else's deletion.
    pub(crate) async fn delete(&self, path: &str) {
        let deleted = self.request("DELETE", path, "application/json", None).await;
        assert!(deleted.is_some(), "{path} can be deleted");
    }

    /// Mutating requests by whoever is none of the world's own actors: in a simulation Berth's client has no user agent.
    pub(crate) async fn writes_of_berth(&self) -> BTreeMap<(String, String), u64> {
        let simulation = self.simulation.lock().await;
        let mut counts = BTreeMap::new();
        for request in simulation.requests() {
            let mutating = matches!(
                request.verb.as_str(),
                "create" | "update" | "patch" | "delete" | "deletecollection"
            );
            if mutating && !request.dry_run && request.user_agent == "unknown" {
                *counts
                    .entry((request.verb.clone(), request.resource.clone()))
                    .or_default() += request.count;
            }
        }
        counts
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

// === Documents and runs ===

/// The text of `examples/guest-cluster-0.yaml`.
pub(crate) fn example() -> String {
    std::fs::read_to_string(root().join("examples/guest-cluster-0.yaml")).expect("the example is there")
}

/// The text of the example's pull secret.
pub(crate) fn example_pull_secret() -> String {
    std::fs::read_to_string(root().join("examples/pull-secret.json")).expect("the example's pull secret is there")
}

/// The steps of the example.
pub(crate) fn steps() -> Vec<Box<dyn Step>> {
    steps_of(&example(), &example_pull_secret())
}

/// The steps of documents, whose pull secrets all are this one.
pub(crate) fn steps_of(text: &str, pull_secret: &str) -> Vec<Box<dyn Step>> {
    let source = berth_api::Source {
        path: "guest.yaml".into(),
        text: text.to_owned(),
    };
    let documents = berth_api::load(vec![source], &|_| Ok(pull_secret.as_bytes().to_vec()), &|_| None)
        .expect("the documents are valid");
    compile(&documents, &Platform::of_rust("linux", "x86_64"))
}

/// Plans and runs. `meddle` sees each event when it is told, and may change the world before the run goes on.
pub(crate) async fn run(
    engine: &Engine,
    steps: &[Box<dyn Step>],
    limits: Limits,
    mut meddle: impl AsyncFnMut(&What),
) -> Told {
    let plan = engine.plan(steps).await.expect("a plan can be made");
    assert_eq!(
        berth_engine::check_plan(&plan),
        Vec::<String>::new(),
        "the plan makes sense"
    );
    let (sender, mut receiver) = mpsc::channel::<Event>(AHEAD);
    let listen = async {
        let mut events = Vec::new();
        while let Some(event) = receiver.recv().await {
            meddle(&event.what).await;
            events.push(event);
        }
        events
    };
    let (result, events) = tokio::join!(engine.run(steps, &plan, sender, limits), listen);
    Told { plan, events, result }
}

/// Runs the example to its end; the plan that was run, the report, and every event.
pub(crate) async fn up(engine: &Engine) -> (Plan, Report, Vec<Event>) {
    let Told { plan, events, result } = run(engine, &steps(), Limits::none(), async |_| {}).await;
    (plan, result.expect("the run gets everything ready"), events)
}
