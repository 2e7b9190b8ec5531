//! An embedded API server, and an engine that reaches it through a gate: the gate counts writes, fails requests on command,
//! and tells when a run is to be killed.

use std::convert::Infallible;
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use berth_apiserver::{ApiServer, ApiService, Authorizer, Identity, Options as ServerOptions, Random as ServerRandom};
use berth_engine::{
    Connect, ConnectFailure, Connection, Engine, Event, Holder, Limits, Options, Plan, Random, Report, RunError, What,
    check_plan,
};
use berth_procedure::{Effect, EffectFailure, Outcome, Perform, Secret, Server, Step};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

pub(crate) type Steps = Vec<Box<dyn Step>>;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// A management cluster.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) server: ApiServer,
    pub(crate) gate: Gate,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    done: Arc<Mutex<Vec<Effect>>>,
}

/// What stands between the engine and its server.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<GateState>>);

#[derive(Default)]
struct GateState {
    writes: Vec<String>,
    reads: Vec<String>,
    dry_runs: usize,
    kill: Option<Kill>,
    killed: Arc<Notify>,
    faults: Vec<Fault>,
}

/// The write at which a run is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kill {
    /// Before it reaches the server.
    Before(usize),
    /// After the server made it, before the run hears of it.
    After(usize),
}

/// A request that fails on command. With status 200 the answer ends at once and says nothing, with 0 there is none.
pub(crate) struct Fault {
    pub(crate) method: Method,
    /// Part of the path.
    pub(crate) path: &'static str,
    pub(crate) times: usize,
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u64>,
}

/// The engine's connection to the server, with the gate in between.
#[derive(Clone)]
struct Gated {
    service: ApiService,
    gate: Gate,
}

/// Performs effects by remembering them.
struct Remember(Arc<Mutex<Vec<Effect>>>);

/// Makes clients for guests: here all guests are the management cluster itself.
struct ToItself(World);

impl World {
    pub(crate) fn new() -> Self {
        Self::with_authorizer(None)
    }

    pub(crate) fn with_authorizer(authorizer: Option<Authorizer>) -> Self {
        Self::with_options(|options| options.authorizer = authorizer)
    }

    pub(crate) fn with_options(change: impl FnOnce(&mut ServerOptions)) -> Self {
        let (began, epoch) = (
            Instant::now(),
            "2026-01-01T00:00:00Z".parse::<Timestamp>().expect("a time"),
        );
        let clock: Arc<dyn Fn() -> Timestamp + Send + Sync> = Arc::new(move || epoch + began.elapsed());
        let mut options = ServerOptions::in_memory();
        options.clock = Arc::clone(&clock);
        options.random = ServerRandom::seeded(1);
        change(&mut options);
        let server = ApiServer::open(options).expect("opened");
        Self {
            server,
            gate: Gate::default(),
            clock,
            done: Arc::default(),
        }
    }

    /// Somebody else, who may do everything.
    pub(crate) fn admin(&self) -> kube::Client {
        let identity = Identity {
            user: "admin".into(),
            groups: vec!["system:masters".into()],
            ..Identity::default()
        };
        kube::Client::new(self.server.service(identity), "default")
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine_of(holder(1), Options::default())
    }

    pub(crate) fn engine_of(&self, identity: Holder, options: Options) -> Engine {
        Engine::new(Connection {
            management: self.client(),
            server: Server {
                url: "https://management".into(),
                user: "berth".into(),
                version: "v1.30.4".into(),
            },
            connect: Arc::new(ToItself(self.clone())),
            perform: Arc::new(Remember(Arc::clone(&self.done))),
            clock: Arc::clone(&self.clock),
            random: Random::seeded(7),
            identity,
            options,
        })
    }

    fn client(&self) -> kube::Client {
        let identity = Identity {
            user: "berth".into(),
            ..Identity::default()
        };
        kube::Client::new(
            Gated {
                service: self.server.service(identity),
                gate: self.gate.clone(),
            },
            "default",
        )
    }

    /// An object as it is.
    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        let request = Request::get(path).body(Vec::new()).expect("a request");
        self.admin().request(request).await.ok()
    }

    /// Makes an object, or changes it, as another field manager.
    pub(crate) async fn apply(&self, path: &str, manager: &str, object: &Value) -> Value {
        let request = Request::patch(format!("{path}?fieldManager={manager}&force=true"))
            .header("content-type", "application/apply-patch+yaml")
            .body(object.to_string().into_bytes());
        self.admin()
            .request(request.expect("a request"))
            .await
            .expect("applied")
    }

    pub(crate) async fn merge(&self, path: &str, content: &Value) -> Value {
        let request = Request::patch(format!("{path}?fieldManager=somebody"))
            .header("content-type", "application/merge-patch+json")
            .body(content.to_string().into_bytes());
        self.admin()
            .request(request.expect("a request"))
            .await
            .expect("patched")
    }

    pub(crate) async fn delete(&self, path: &str) {
        let request = Request::delete(path).body(Vec::new()).expect("a request");
        let _: Value = self.admin().request(request).await.expect("deleted");
    }

    /// Everything that was written, told by kind and name, without times: what two worlds are compared by.
    pub(crate) async fn told(&self, paths: &[&str]) -> String {
        let mut told = String::new();
        for path in paths {
            let list = self.get(path).await.unwrap_or_default();
            for item in list["items"].as_array().into_iter().flatten() {
                writeln!(
                    told,
                    "{} {}",
                    path.rsplit('/').next().expect("a kind"),
                    item["metadata"]["name"]
                )
                .expect("a string");
            }
        }
        told
    }
}

impl Gate {
    pub(crate) fn writes(&self) -> Vec<String> {
        self.lock().writes.clone()
    }

    /// How many lists and watches asked for a path that begins like this, query included.
    pub(crate) fn reads(&self, begin: &str) -> usize {
        let state = self.lock();
        state.reads.iter().filter(|path| path.starts_with(begin)).count()
    }

    pub(crate) fn dry_runs(&self) -> usize {
        self.lock().dry_runs
    }

    /// Forgets what was counted.
    pub(crate) fn clear(&self) {
        let mut state = self.lock();
        (state.writes, state.dry_runs) = (Vec::new(), 0);
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Kills at a write. Resolves when that is reached: then drop the run.
    pub(crate) fn kill(&self, kill: Kill) -> impl Future<Output = ()> + use<> {
        let mut state = self.lock();
        state.kill = Some(kill);
        let killed = Arc::clone(&state.killed);
        async move { killed.notified().await }
    }

    pub(crate) fn spare(&self) {
        self.lock().kill = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, GateState> {
        self.0.lock().expect("no panic while it was held")
    }

    fn fault(&self, method: &Method, path: &str) -> Option<Response<Full<Bytes>>> {
        let mut state = self.lock();
        if *method == Method::GET {
            state.reads.push(path.to_owned());
        }
        let matches = |fault: &&mut Fault| fault.times > 0 && fault.method == *method && path.contains(fault.path);
        let fault = state.faults.iter_mut().find(matches)?;
        fault.times -= 1;
        // A status that HTTP does not have stands for no answer.
        let mut response = Response::builder().status(fault.status.max(100));
        if let Some(seconds) = fault.retry_after {
            response = response.header("retry-after", seconds);
        }
        let body = if fault.status == 200 { "" } else { "out of order" };
        Some(response.body(Full::from(body)).expect("a response"))
    }

    /// Counts a write; whether the run is killed before or after it.
    fn count(&self, method: &Method, path: &str) -> Option<Kill> {
        let mut state = self.lock();
        state.writes.push(format!("{method} {path}"));
        let written = state.writes.len();
        state
            .kill
            .filter(|kill| matches!(kill, Kill::Before(at) | Kill::After(at) if *at == written))
    }
}

impl tower::Service<Request<Body>> for Gated {
    type Response = Response<UnsyncBoxBody<Bytes, AnyError>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { mut service, gate } = self.clone();
        Box::pin(async move {
            let (method, path) = (request.method().clone(), request.uri().to_string());
            let dry_run = path.contains("dryRun=All");
            if let Some(failed) = gate.fault(&method, &path) {
                if failed.status() == 100 {
                    return std::future::pending().await;
                }
                return Ok(failed.map(|body| body.map_err(Into::into).boxed_unsync()));
            }
            let kill = match method {
                Method::GET => None,
                _ if dry_run => {
                    gate.lock().dry_runs += 1;
                    None
                }
                _ => gate.count(&method, path.split('?').next().expect("a path")),
            };
            if !matches!(kill, Some(Kill::Before(_))) {
                let response = service.call(request).await?;
                if kill.is_none() {
                    return Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()));
                }
            }
            gate.lock().killed.notify_one();
            std::future::pending().await
        })
    }
}

impl Perform for Remember {
    fn done<'a>(&'a self, effect: &'a Effect) -> BoxFuture<'a, Option<Outcome>> {
        let found = self.0.lock().expect("held briefly").contains(effect).then(outcome);
        Box::pin(std::future::ready(found))
    }

    fn perform<'a>(&'a self, effect: &'a Effect) -> BoxFuture<'a, Result<Outcome, EffectFailure>> {
        self.0.lock().expect("held briefly").push(effect.clone());
        Box::pin(std::future::ready(Ok(outcome())))
    }
}

impl Connect for ToItself {
    fn connect<'a>(&'a self, _: &'a Secret) -> BoxFuture<'a, Result<kube::Client, ConnectFailure>> {
        Box::pin(std::future::ready(Ok(self.0.client())))
    }
}

fn outcome() -> Outcome {
    Outcome::Tool {
        path: "/bin/tool".into(),
        version: "1".into(),
    }
}

/// A process of this machine; processes from 100 on are dead.
pub(crate) fn holder(pid: u32) -> Holder {
    Holder {
        host: "here".into(),
        pid,
        started: "boot-1".into(),
        alive: Arc::new(|pid, _| pid < 100),
    }
}

/// Plans, checks the plan, and runs it to its end.
pub(crate) async fn up(engine: &Engine, steps: &Steps) -> (Result<Report, RunError>, Vec<Event>) {
    up_within(engine, steps, Limits::none()).await
}

pub(crate) async fn up_within(
    engine: &Engine,
    steps: &Steps,
    limits: Limits,
) -> (Result<Report, RunError>, Vec<Event>) {
    let plan = plan(engine, steps).await;
    let (sender, receiver) = mpsc::channel(16);
    let (result, events) = tokio::join!(engine.run(steps, &plan, sender, limits), collect(receiver));
    (result, events)
}

/// A sound plan.
pub(crate) async fn plan(engine: &Engine, steps: &Steps) -> Plan {
    let plan = engine.plan(steps).await.expect("a plan");
    assert_eq!(check_plan(&plan), Vec::<String>::new());
    plan
}

pub(crate) async fn collect(mut receiver: mpsc::Receiver<Event>) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = receiver.recv().await {
        events.push(event);
    }
    events
}

/// Events as lines, each without its time: what a test reads.
pub(crate) fn lines(events: &[Event]) -> String {
    events
        .iter()
        .map(|event| line(&event.what))
        .collect::<Vec<_>>()
        .join("\n")
}

fn line(what: &What) -> String {
    let mut told = serde_json::to_value(what).expect("an event is JSON");
    let fields = told.as_object_mut().expect("an object");
    fields.retain(|name, _| !name.ends_with("Millis"));
    let name = fields.remove("event").expect("a name");
    format!("{} {}", name.as_str().expect("a text"), Value::Object(fields.clone()))
}

/// A definition of a kind that keeps whatever it is given.
pub(crate) fn definition(group: &str, version: &str, kind: &str, plural: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
            "versions": [{"name": version, "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    })
}
