//! A simulated world for the tests of actors: what is applied, and what is waited for, in simulated time.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Client, name_of, namespace_of};
use crate::conditions;
use crate::generation::Generation;
use crate::kind::{CUSTOM_RESOURCE_DEFINITION, Kind, MULTI_CLUSTER_ENGINE, NAMESPACE, OPERATOR_GROUP, SUBSCRIPTION};
use crate::simulation::{Simulation, SimulationOptions};
use crate::world::Faults;

/// A world and a client of it.
pub(crate) struct Bench {
    pub(crate) simulation: Simulation,
    pub(crate) client: Client,
    generation: Generation,
}

/// Namespace of the engine's operator in these tests.
pub(crate) const ENGINE: &str = "multicluster-engine";

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with_faults(Faults::default()).await
    }

    pub(crate) async fn with_faults(faults: Faults) -> Self {
        Self::with(SimulationOptions {
            faults,
            ..SimulationOptions::default()
        })
        .await
    }

    pub(crate) async fn with(options: SimulationOptions) -> Self {
        let generation = options.generation;
        let simulation = Simulation::start(options).await.unwrap();
        let client = Client::new(simulation.client(), "test");
        Self {
            simulation,
            client,
            generation,
        }
    }

    /// Kills the world and starts it again on what it had stored.
    pub(crate) async fn kill(&mut self) {
        self.simulation.kill_and_restart_world().await.unwrap();
        self.client = Client::new(self.simulation.client(), "test");
    }

    pub(crate) async fn apply(&self, kind: Kind, object: Value) {
        self.client.apply(kind, &object).await.unwrap();
    }

    pub(crate) async fn get(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Option<Value> {
        self.client.get(kind, namespace, name).await.unwrap()
    }

    /// Waits until an object is as wanted, at most so many simulated seconds.
    #[track_caller]
    pub(crate) fn wait(
        &self,
        seconds: u64,
        kind: Kind,
        namespace: Option<&'static str>,
        name: &'static str,
        wanted: impl Fn(&Value) -> bool,
    ) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let mut last = None;
            for _ in 0..seconds {
                last = self.get(kind, namespace, name).await;
                if let Some(object) = last.as_ref().filter(|object| wanted(object)) {
                    return object.clone();
                }
                self.pass(1).await;
            }
            let last = last.map_or_else(|| "nothing".to_owned(), |last| format!("{:#}", last["status"]));
            panic!(
                "{caller}: {} {name} is not as wanted after {seconds} s; its status: {last}",
                kind.kind
            );
        }
    }

    /// Waits until an object is gone.
    pub(crate) async fn wait_gone(&self, seconds: u64, kind: Kind, namespace: Option<&str>, name: &str) {
        for _ in 0..seconds {
            if self.get(kind, namespace, name).await.is_none() {
                return;
            }
            self.pass(1).await;
        }
        panic!(
            "{} {name} is still there after {seconds} s: {:#}",
            kind.kind,
            self.get(kind, namespace, name).await.unwrap()
        );
    }

    /// Lets simulated time pass.
    pub(crate) async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// The engine's namespace, with an OperatorGroup and a Subscription to a channel.
    pub(crate) async fn subscribe(&self, channel: &str) {
        self.apply(NAMESPACE, json!({ "metadata": { "name": ENGINE } })).await;
        self.group("engine").await;
        self.apply(SUBSCRIPTION, subscription(channel)).await;
    }

    pub(crate) async fn group(&self, name: &str) {
        let group =
            json!({ "metadata": { "name": name, "namespace": ENGINE }, "spec": { "targetNamespaces": [ENGINE] } });
        self.apply(OPERATOR_GROUP, group).await;
    }

    /// Subscribes, and asks for an engine as soon as its kind is there.
    pub(crate) async fn ask_for_engine(&self) {
        let channel = match self.generation {
            Generation::V4_17 => "stable-2.7",
            Generation::Current => "stable-5.0",
        };
        self.subscribe(channel).await;
        let crd = "multiclusterengines.multicluster.openshift.io";
        self.wait(120, CUSTOM_RESOURCE_DEFINITION, None, crd, |crd| {
            conditions::is_true(crd, "Established")
        })
        .await;
        self.apply(
            MULTI_CLUSTER_ENGINE,
            json!({ "metadata": { "name": "engine" }, "spec": {} }),
        )
        .await;
    }
}

/// Upstream's CRDs of a generation; `None` where they are not at hand.
pub(crate) fn upstream_crds(generation: Generation) -> Option<Vec<Value>> {
    let default = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let folder = std::env::var_os("BERTH_UPSTREAM_DATA")
        .map_or_else(default, PathBuf::from)
        .join("crds")
        .join(generation.name());
    folder
        .is_dir()
        .then(|| crate::process::upstream::read_crds(&folder).expect("upstream's CRDs can be read"))
}

/// The Subscription of these tests.
pub(crate) fn subscription(channel: &str) -> Value {
    json!({
        "metadata": { "name": "mce", "namespace": ENGINE },
        "spec": {
            "name": "multicluster-engine",
            "channel": channel,
            "source": "redhat-operators",
            "sourceNamespace": "openshift-marketplace",
            "installPlanApproval": "Automatic",
        },
    })
}

/// A condition's status and reason, as `True/Reason`; empty where there is none.
pub(crate) fn condition(object: &Value, kind: &str) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    conditions::find(object, kind)
        .map(|it| format!("{}/{}", text(&it["status"]), text(&it["reason"])))
        .unwrap_or_default()
}

/// Names of objects, with their namespaces, in the order of the list.
pub(crate) fn names(objects: &[Value]) -> Vec<String> {
    let name = |object: &Value| match namespace_of(object) {
        Some(namespace) => format!("{namespace}/{}", name_of(object)),
        None => name_of(object).to_owned(),
    };
    objects.iter().map(name).collect()
}
