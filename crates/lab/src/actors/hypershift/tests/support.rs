//! A simulated world with the operator in it, and a guest to create.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::client::Client;
use crate::conditions;
use crate::generation::Generation;
use crate::kind::{
    CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, HOSTED_CLUSTER, INGRESS_CONTROLLER, Kind, NAMESPACE, NODE_POOL, SECRET,
    SERVICE,
};
use crate::schemas::Overrides;
use crate::simulation::{Simulation, SimulationOptions};
use crate::world::Faults;

pub(super) const CONTROL_PLANE: &str = "hcp-guest";
pub(super) const IMAGE: &str = "quay.io/openshift-release-dev/ocp-release:4.17.0-multi";

/// Longer than any wait of a test may take, in virtual time.
const PATIENCE: Duration = Duration::from_mins(30);

pub(super) struct Lab {
    pub(super) simulation: RefCell<Simulation>,
    pub(super) client: Client,
}

/// A condition of an object; null where it has none.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    conditions::find(object, kind).unwrap_or(&Value::Null)
}

/// `spec.etcd` with volumes of a class.
pub(super) fn etcd(class: &str) -> Value {
    let volume = json!({ "size": "8Gi", "storageClassName": class });
    json!({ "managementType": "Managed", "managed": { "storage": { "type": "PersistentVolume", "persistentVolume": volume } } })
}

impl Lab {
    pub(super) async fn start(faults: Faults) -> Self {
        Self::start_with(faults, Vec::new()).await
    }

    /// With these CRDs in place of the lab's own.
    pub(super) async fn start_with(faults: Faults, crds: Vec<Value>) -> Self {
        Self::start_of(Generation::default(), faults, crds).await
    }

    /// In a world of a generation.
    pub(super) async fn start_of(generation: Generation, faults: Faults, crds: Vec<Value>) -> Self {
        Self::start_without(&[], generation, faults, crds).await
    }

    /// The same, without these actors.
    pub(super) async fn start_without(
        actors: &[&str],
        generation: Generation,
        faults: Faults,
        crds: Vec<Value>,
    ) -> Self {
        let without = [
            "olm",
            "multicluster_engine",
            "open_cluster_management",
            "hypershift_addon",
        ];
        let without: BTreeSet<String> = without.iter().chain(actors).map(|&name| name.to_owned()).collect();
        let options = SimulationOptions {
            faults,
            without,
            crds: crds.clone(),
            generation,
            ..SimulationOptions::default()
        };
        let simulation = Simulation::start(options).await.unwrap();
        let client = Client::new(simulation.client(), "test");
        for crd in Overrides::new(crds).resolve(crate::schemas::hypershift::crds(generation)) {
            client.create(CUSTOM_RESOURCE_DEFINITION, &crd).await.unwrap();
        }
        for name in ["hypershift", "hcp"] {
            client
                .create(NAMESPACE, &json!({ "metadata": { "name": name } }))
                .await
                .unwrap();
        }
        client
            .create(
                DEPLOYMENT,
                &crate::manifest::deployment("hypershift", "operator", 2, "operator:lab"),
            )
            .await
            .unwrap();
        let service = json!({
            "metadata": { "name": "operator", "namespace": "hypershift" },
            "spec": { "ports": [{ "port": 443 }] },
        });
        client.create(SERVICE, &service).await.unwrap();
        for (kind, configuration) in crate::webhooks::configurations() {
            client.create(kind, &configuration).await.unwrap();
        }
        let lab = Self {
            simulation: RefCell::new(simulation),
            client,
        };
        lab.operator_has(2).await;
        lab
    }

    /// Waits until the operator has so many pods that answer.
    pub(super) async fn operator_has(&self, pods: u64) {
        let wait = async {
            loop {
                let operator = self.client.get(DEPLOYMENT, Some("hypershift"), "operator").await;
                let status = operator.unwrap().expect("it is there")["status"].take();
                if status["availableReplicas"].as_u64().unwrap_or(0) == pods {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let done = tokio::time::timeout(PATIENCE, wait).await;
        done.expect("the operator comes to that many pods");
    }

    /// Kills the world again and again.
    pub(super) async fn killed_every(self, pause: Duration, times: u32) -> Self {
        let mut simulation = self.simulation.into_inner();
        for _ in 0..times {
            tokio::time::sleep(pause).await;
            simulation.kill_and_restart_world().await.unwrap();
        }
        let client = Client::new(simulation.client(), "test");
        Self {
            simulation: RefCell::new(simulation),
            client,
        }
    }

    pub(super) fn now(&self) -> jiff::Timestamp {
        self.simulation.borrow().now()
    }

    pub(super) async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    pub(super) fn inside(&self) -> Client {
        Client::new(
            self.simulation.borrow().guest("hcp", "guest").expect("the guest runs"),
            "test",
        )
    }

    pub(super) async fn allow_wildcards(&self) {
        let patch = json!({ "spec": { "routeAdmission": { "wildcardPolicy": "WildcardsAllowed" } } });
        let namespace = Some("openshift-ingress-operator");
        self.client
            .merge(INGRESS_CONTROLLER, namespace, "default", &patch)
            .await
            .unwrap()
            .unwrap();
    }

    /// Creates a HostedCluster with these fields of the spec in place of the usual ones, and a pool of three.
    pub(super) async fn create_guest(&self, with: Value) {
        self.create_guest_of(IMAGE, with).await;
    }

    /// The same, of a release.
    pub(super) async fn create_guest_of(&self, image: &str, with: Value) {
        self.make_guest(image, with, &json!({})).await.unwrap();
    }

    /// The same, where the server may refuse it.
    pub(super) async fn try_create_guest(&self, with: Value) -> crate::client::Result<()> {
        self.make_guest(IMAGE, with, &json!({})).await
    }

    /// The same, with a pool that has these fields in place of the usual ones.
    pub(super) async fn create_guest_and_pool(&self, with: Value, pool_with: Value) {
        self.make_guest(IMAGE, with, &pool_with).await.unwrap();
    }

    async fn make_guest(&self, image: &str, with: Value, pool_with: &Value) -> crate::client::Result<()> {
        let auth = BASE64_STANDARD.encode("someone:example");
        let config = json!({ "auths": { "quay.io": { "auth": auth } } });
        let secret = json!({
            "metadata": { "name": "pull-secret", "namespace": "hcp" },
            "stringData": { ".dockerconfigjson": config.to_string() },
        });
        self.client.create(SECRET, &secret).await.unwrap();
        let mut spec = json!({
            "release": { "image": image },
            "pullSecret": { "name": "pull-secret" },
            "sshKey": {},
            "etcd": etcd("ocs-storagecluster-ceph-rbd"),
            "networking": {},
            "platform": { "type": "KubeVirt", "kubevirt": {} },
            "services": [],
        });
        for (field, value) in with.as_object().unwrap() {
            spec[field] = value.clone();
        }
        let metadata = json!({ "name": "guest", "namespace": "hcp" });
        self.client
            .create(HOSTED_CLUSTER, &json!({ "metadata": metadata, "spec": spec }))
            .await?;
        let mut pool = json!({
            "clusterName": "guest",
            "replicas": 3,
            "release": { "image": image },
            "management": { "upgradeType": "Replace" },
            "platform": { "type": "KubeVirt", "kubevirt": { "compute": { "cores": 8, "memory": "10Gi" } } },
        });
        for (field, value) in pool_with.as_object().unwrap() {
            pool[field] = value.clone();
        }
        self.client
            .create(NODE_POOL, &json!({ "metadata": metadata, "spec": pool }))
            .await?;
        Ok(())
    }

    pub(super) async fn get(&self, kind: Kind, name: &str) -> Value {
        self.client
            .get(kind, Some("hcp"), name)
            .await
            .unwrap()
            .expect("it is there")
    }

    /// An object of the control plane's namespace.
    pub(super) async fn get_inside(&self, kind: Kind, name: &str) -> Value {
        let found = self.client.get(kind, Some(CONTROL_PLANE), name).await.unwrap();
        found.expect("it is there")
    }

    /// Looks each virtual second until the object is so, and returns it.
    pub(super) async fn wait_for(&self, kind: Kind, name: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                let object = self.client.get(kind, Some("hcp"), name).await.unwrap();
                if let Some(object) = object.filter(|object| is_so(object)) {
                    return object;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        if let Ok(object) = tokio::time::timeout(PATIENCE, wait).await {
            return object;
        }
        let status = &self.get(kind, name).await["status"];
        panic!("{} {name} did not come to {what}: {status:#}", kind.kind);
    }

    pub(super) async fn wait_until_gone(&self, kind: Kind, name: &str) {
        let wait = async {
            while self.client.get(kind, Some("hcp"), name).await.unwrap().is_some() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let gone = tokio::time::timeout(PATIENCE, wait).await.is_ok();
        assert!(gone, "{} {name} is still there", kind.kind);
    }
}
