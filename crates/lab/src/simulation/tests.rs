use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::actors::ingress::{OPERATOR_NAMESPACE, ROUTER_NAMESPACE};
use crate::client::{Client, name_of};
use crate::conditions;
use crate::kind::{
    CLUSTER_VERSION, DEPLOYMENT, EVENT, INGRESS_CONTROLLER, JOB, NAMESPACE, NODE, PERSISTENT_VOLUME,
    PERSISTENT_VOLUME_CLAIM, POD, ROUTE, SERVICE, STATEFUL_SET, STORAGE_CLASS,
};

async fn start(options: SimulationOptions) -> (Simulation, Client) {
    let simulation = Simulation::start(options).await.unwrap();
    let client = Client::new(simulation.client(), "test");
    client
        .create(NAMESPACE, &json!({ "metadata": { "name": "t" } }))
        .await
        .unwrap();
    (simulation, client)
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_world_begins_as_a_cluster_that_has_been_running() {
    let (simulation, client) = start(SimulationOptions::default()).await;
    let begun = simulation.now().duration_since(Timestamp::UNIX_EPOCH).as_secs() - EPOCH;
    assert!(begun < 5, "it took {begun} s of simulated time");
    let nodes = client.list(NODE, None, "").await.unwrap();
    assert_eq!(
        nodes.iter().map(name_of).collect::<Vec<_>>(),
        ["master-0", "master-1", "master-2", "worker-0", "worker-1", "worker-2"]
    );
    let version = client.get(CLUSTER_VERSION, None, "version").await.unwrap().unwrap();
    assert_eq!(version["status"]["history"][0]["state"], "Completed");
    let controller = client
        .get(INGRESS_CONTROLLER, Some(OPERATOR_NAMESPACE), "default")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(controller["spec"]["routeAdmission"], Value::Null);
    assert!(conditions::is_true(&controller, "Available"));
    let pods = client.list(POD, None, "").await.unwrap();
    assert!(pods.len() > 20);
    for pod in &pods {
        assert!(conditions::is_true(pod, "Ready"), "{pod:#}");
        assert_eq!(pod["metadata"]["annotations"]["lab.berth.dev/simulated"], "true");
    }
    let defaults = client.list(STORAGE_CLASS, None, "").await.unwrap();
    let default =
        |class: &Value| class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
    assert!(!defaults.iter().any(default));
}

#[tokio::test(start_paused = true)]
async fn wildcard_routes_are_admitted_once_the_router_has_rolled_out() {
    let (_simulation, client) = start(SimulationOptions::default()).await;
    let route = json!({
        "metadata": { "name": "w", "namespace": "t" },
        "spec": { "host": "a.apps.t", "wildcardPolicy": "Subdomain", "to": { "kind": "Service", "name": "s" } },
    });
    client.create(ROUTE, &route).await.unwrap();
    client
        .create(
            ROUTE,
            &json!({ "metadata": { "name": "p", "namespace": "t" }, "spec": { "to": { "name": "s" } } }),
        )
        .await
        .unwrap();
    pass(1).await;
    let admitted = async |name: &str| {
        let route = client.get(ROUTE, Some("t"), name).await.unwrap().unwrap();
        let ingress = &route["status"]["ingress"][0];
        (ingress["conditions"][0]["status"].clone(), ingress["host"].clone())
    };
    assert_eq!(admitted("p").await, (json!("True"), json!("p-t.apps.hub.lab.test")));
    assert_eq!(admitted("w").await.0, "False");

    let patch = json!({ "spec": { "routeAdmission": { "wildcardPolicy": "WildcardsAllowed" } } });
    client
        .merge(INGRESS_CONTROLLER, Some(OPERATOR_NAMESPACE), "default", &patch)
        .await
        .unwrap();
    pass(40).await;
    let controller = client
        .get(INGRESS_CONTROLLER, Some(OPERATOR_NAMESPACE), "default")
        .await
        .unwrap()
        .unwrap();
    assert!(conditions::is_true(&controller, "Progressing") && conditions::is_true(&controller, "Available"));
    assert_eq!(
        controller["status"]["observedGeneration"],
        controller["metadata"]["generation"]
    );
    assert_eq!(admitted("w").await.0, "False");
    pass(80).await;
    let controller = client
        .get(INGRESS_CONTROLLER, Some(OPERATOR_NAMESPACE), "default")
        .await
        .unwrap()
        .unwrap();
    assert!(!conditions::is_true(&controller, "Progressing"));
    assert_eq!(admitted("w").await.0, "True");
    let pods = client.list(POD, Some(ROUTER_NAMESPACE), "").await.unwrap();
    assert_eq!(pods.len(), 2);
}

fn claim(name: &str, class: Option<&str>) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "t" },
        "spec": { "accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": { "requests": { "storage": "1Gi" } } },
    })
}

#[tokio::test(start_paused = true)]
async fn a_claim_without_a_class_waits_for_a_default() {
    let (_simulation, client) = start(SimulationOptions::default()).await;
    for (name, class) in [
        ("named", Some("ocs-storagecluster-ceph-rbd")),
        ("unnamed", None),
        ("wrong", Some("none")),
    ] {
        client
            .create(PERSISTENT_VOLUME_CLAIM, &claim(name, class))
            .await
            .unwrap();
    }
    pass(10).await;
    let phase = async |name: &str| {
        client
            .get(PERSISTENT_VOLUME_CLAIM, Some("t"), name)
            .await
            .unwrap()
            .unwrap()["status"]["phase"]
            .clone()
    };
    assert_eq!(
        [phase("named").await, phase("unnamed").await, phase("wrong").await],
        ["Bound", "Pending", "Pending"]
    );
    let events = client.list(EVENT, Some("t"), "").await.unwrap();
    let reasons: Vec<&str> = events.iter().filter_map(|event| event["reason"].as_str()).collect();
    assert!(
        reasons.contains(&"FailedBinding") && reasons.contains(&"ProvisioningFailed"),
        "{reasons:?}"
    );

    let patch = json!({ "metadata": { "annotations": { "storageclass.kubernetes.io/is-default-class": "true" } } });
    client
        .merge(STORAGE_CLASS, None, "ocs-storagecluster-ceph-rbd", &patch)
        .await
        .unwrap();
    pass(10).await;
    assert_eq!([phase("unnamed").await, phase("wrong").await], ["Bound", "Pending"]);
    client
        .delete(PERSISTENT_VOLUME_CLAIM, Some("t"), "unnamed")
        .await
        .unwrap();
    pass(5).await;
    let volumes = client.list(PERSISTENT_VOLUME, None, "").await.unwrap();
    assert_eq!(
        volumes
            .iter()
            .map(|volume| &volume["spec"]["claimRef"]["name"])
            .collect::<Vec<_>>(),
        ["named"]
    );
}

fn balanced(name: &str) -> Value {
    let spec = json!({ "type": "LoadBalancer", "ports": [{ "port": 6443 }] });
    json!({ "metadata": { "name": name, "namespace": "t" }, "spec": spec })
}

#[tokio::test(start_paused = true)]
async fn services_get_addresses_from_the_pool_if_there_is_one() {
    let address = async |client: &Client, name: &str| {
        client.get(SERVICE, Some("t"), name).await.unwrap().unwrap()["status"]["loadBalancer"]["ingress"][0]["ip"]
            .clone()
    };
    let (_simulation, client) = start(SimulationOptions::default()).await;
    for name in ["a", "b"] {
        client.create(SERVICE, &balanced(name)).await.unwrap();
    }
    pass(1).await;
    let mut given = [address(&client, "a").await, address(&client, "b").await];
    given.sort_by_key(ToString::to_string);
    assert_eq!(given, ["127.64.0.1", "127.64.0.2"]);

    let faults = Faults {
        no_address_pool: true,
        ..Faults::default()
    };
    let (_simulation, client) = start(SimulationOptions {
        faults,
        ..SimulationOptions::default()
    })
    .await;
    client.create(SERVICE, &balanced("a")).await.unwrap();
    pass(60).await;
    assert_eq!(address(&client, "a").await, Value::Null);
    let events = client.list(EVENT, Some("t"), "").await.unwrap();
    assert!(events.iter().any(|event| event["reason"] == "AllocationFailed"));
}

fn stateful_set() -> Value {
    json!({
        "metadata": { "name": "etcd", "namespace": "t" },
        "spec": {
            "replicas": 3,
            "serviceName": "etcd",
            "selector": { "matchLabels": { "app": "etcd" } },
            "template": {
                "metadata": { "labels": { "app": "etcd" } },
                "spec": { "containers": [{ "name": "etcd", "image": "etcd" }] },
            },
            "volumeClaimTemplates": [{
                "metadata": { "name": "data" },
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "ocs-storagecluster-ceph-rbd",
                    "resources": { "requests": { "storage": "8Gi" } },
                },
            }],
        },
    })
}

#[tokio::test(start_paused = true)]
async fn stateful_sets_make_numbered_pods_with_claims_and_jobs_end() {
    let (_simulation, client) = start(SimulationOptions::default()).await;
    client.create(STATEFUL_SET, &stateful_set()).await.unwrap();
    let job = json!({
        "metadata": { "name": "j", "namespace": "t" },
        "spec": { "template": { "spec": { "restartPolicy": "Never", "containers": [{ "name": "c", "image": "i" }] } } },
    });
    client.create(JOB, &job).await.unwrap();
    pass(90).await;
    let set = client.get(STATEFUL_SET, Some("t"), "etcd").await.unwrap().unwrap();
    assert_eq!(
        [&set["status"]["readyReplicas"], &set["status"]["updatedReplicas"]],
        [3, 3],
        "{set:#}"
    );
    assert_eq!(set["status"]["currentRevision"], set["status"]["updateRevision"]);
    let claims = client.list(PERSISTENT_VOLUME_CLAIM, Some("t"), "").await.unwrap();
    assert_eq!(
        claims.iter().map(name_of).collect::<Vec<_>>(),
        ["data-etcd-0", "data-etcd-1", "data-etcd-2"]
    );
    let pods = client.list(POD, Some("t"), "app=etcd").await.unwrap();
    let nodes: BTreeSet<&str> = pods.iter().filter_map(|pod| pod["spec"]["nodeName"].as_str()).collect();
    assert_eq!(nodes.len(), 3, "replicas are spread");
    let job = client.get(JOB, Some("t"), "j").await.unwrap().unwrap();
    assert!(conditions::is_true(&job, "Complete"), "{job:#}");

    // A pod that is deleted comes back under its name; a set that goes takes its pods along and leaves its claims.
    let former = pods[1]["metadata"]["uid"].clone();
    client.delete(POD, Some("t"), "etcd-1").await.unwrap();
    pass(20).await;
    let again = client.get(POD, Some("t"), "etcd-1").await.unwrap().unwrap();
    assert!(again["metadata"]["uid"] != former && conditions::is_true(&again, "Ready"));
    client.delete(STATEFUL_SET, Some("t"), "etcd").await.unwrap();
    pass(20).await;
    assert!(client.list(POD, Some("t"), "app=etcd").await.unwrap().is_empty());
    assert_eq!(
        client.list(PERSISTENT_VOLUME_CLAIM, Some("t"), "").await.unwrap().len(),
        3
    );
}

fn deployment(replicas: u32, image: &str) -> Value {
    json!({
        "metadata": { "name": "d", "namespace": "t" },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "d" } },
            "template": {
                "metadata": { "labels": { "app": "d" } },
                "spec": { "containers": [{ "name": "c", "image": image }] },
            },
        },
    })
}

#[tokio::test(start_paused = true)]
async fn deployments_roll_out_scale_and_say_so() {
    let (_simulation, client) = start(SimulationOptions::default()).await;
    let rolled_out = async |replicas: u32| {
        let deployment = client.get(DEPLOYMENT, Some("t"), "d").await.unwrap().unwrap();
        let status = &deployment["status"];
        assert_eq!(status["observedGeneration"], deployment["metadata"]["generation"]);
        for field in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
            assert_eq!(status[field], replicas, "{field} of {deployment:#}");
        }
        assert_eq!(status["unavailableReplicas"], Value::Null);
        assert_eq!(
            conditions::find(&deployment, "Progressing").unwrap()["reason"],
            "NewReplicaSetAvailable"
        );
        deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"].clone()
    };
    client.create(DEPLOYMENT, &deployment(2, "one")).await.unwrap();
    pass(15).await;
    assert_eq!(rolled_out(2).await, "1");
    client.apply(DEPLOYMENT, &deployment(3, "two")).await.unwrap();
    pass(60).await;
    assert_eq!(rolled_out(3).await, "2");
    let pods = client.list(POD, Some("t"), "app=d").await.unwrap();
    assert!(pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == "two"));
    assert_eq!(pods.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_killed_world_goes_on_where_it_was() {
    let (mut simulation, client) = start(SimulationOptions::default()).await;
    client.create(DEPLOYMENT, &deployment(2, "one")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    simulation.kill_and_restart_world().await.unwrap();
    let client = Client::new(simulation.client(), "test");
    pass(30).await;
    let deployment = client.get(DEPLOYMENT, Some("t"), "d").await.unwrap().unwrap();
    assert_eq!(deployment["status"]["availableReplicas"], 2);
    let pods = client.list(POD, Some("t"), "app=d").await.unwrap();
    assert_eq!(pods.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_is_left_out_does_nothing_and_an_unknown_one_is_refused() {
    let without = BTreeSet::from(["load_balancer".to_owned()]);
    let (_simulation, client) = start(SimulationOptions {
        without,
        ..SimulationOptions::default()
    })
    .await;
    client.create(SERVICE, &balanced("a")).await.unwrap();
    pass(60).await;
    let service = client.get(SERVICE, Some("t"), "a").await.unwrap().unwrap();
    assert_eq!(service["status"]["loadBalancer"]["ingress"], Value::Null);

    let without = BTreeSet::from(["loadbalancer".to_owned()]);
    let refused = Simulation::start(SimulationOptions {
        without,
        ..SimulationOptions::default()
    })
    .await;
    assert!(matches!(refused, Err(StartError::NoSuchActor { .. })));
}

/// One run of a few things, and its event log. Each runs on a runtime of its own, as two tests would.
fn log_of(seed: u64) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (simulation, client) = start(SimulationOptions {
            seed,
            record: true,
            ..SimulationOptions::default()
        })
        .await;
        client.create(STATEFUL_SET, &stateful_set()).await.unwrap();
        client.create(DEPLOYMENT, &deployment(3, "one")).await.unwrap();
        client.create(SERVICE, &balanced("a")).await.unwrap();
        pass(60).await;
        simulation.event_log()
    })
}

#[test]
fn the_same_seed_gives_the_same_events_byte_for_byte() {
    let first = log_of(7);
    assert!(first.len() > 100);
    assert_eq!(first, log_of(7));
    assert_ne!(first, log_of(8));
}
