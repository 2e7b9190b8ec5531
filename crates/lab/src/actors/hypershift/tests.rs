//! A hosted cluster from its creation to its end, in a simulated world in which only the operator was installed by hand.

mod admission;
mod backup;
mod generations;
mod guest_life;
mod life;
mod support;
mod workloads;

use std::time::Duration;

use serde_json::json;

use crate::conditions;
use crate::generation::Generation;
use crate::kind::{
    CLUSTER_OPERATOR, CLUSTER_VERSION, HOSTED_CLUSTER, INGRESS_CONTROLLER, MACHINE, NAMESPACE, NODE, NODE_POOL, POD,
    ROUTE, SECRET, VIRTUAL_MACHINE,
};
use crate::world::Faults;

use support::{CONTROL_PLANE, Lab, condition};

#[tokio::test(start_paused = true)]
async fn guest_comes_up_with_its_workers_in_the_time_that_is_modelled() {
    let lab = Lab::start(Faults::default()).await;
    lab.allow_wildcards().await;
    lab.create_guest(json!({})).await;
    let begun = lab.now();
    let hosted_cluster = lab.wait_for(HOSTED_CLUSTER, "guest", "its rollout", |hosted_cluster| {
        hosted_cluster["status"]["version"]["history"][0]["state"] == "Completed"
    });
    let hosted_cluster = hosted_cluster.await;
    let took = lab.now().duration_since(begun).as_secs();
    assert!((240..600).contains(&took), "took {took} s");
    assert!(
        conditions::is_true(&hosted_cluster, "Available"),
        "{}",
        hosted_cluster["status"]["conditions"]
    );
    assert_eq!(condition(&hosted_cluster, "Available")["reason"], "AsExpected");
    assert_eq!(hosted_cluster["status"]["kubeconfig"]["name"], "guest-admin-kubeconfig");
    assert_eq!(hosted_cluster["spec"]["dns"]["baseDomain"], "apps.hub.lab.test");

    let inside = lab.inside();
    let mut nodes: Vec<String> = (inside.list(NODE, None, "").await.unwrap().iter())
        .map(|node| {
            assert!(conditions::is_true(node, "Ready"), "{}", node["status"]["conditions"]);
            node["metadata"]["name"].as_str().unwrap().to_owned()
        })
        .collect();
    nodes.sort();
    let machines = lab.client.list(VIRTUAL_MACHINE, Some(CONTROL_PLANE), "").await.unwrap();
    let mut names: Vec<String> = machines
        .iter()
        .map(|machine| machine["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(nodes, names);
    assert_eq!(nodes.len(), 3);
    let version = inside.get(CLUSTER_VERSION, None, "version").await.unwrap().unwrap();
    assert!(conditions::is_true(&version, "Available"));
    let operators = inside.list(CLUSTER_OPERATOR, None, "").await.unwrap();
    assert!(
        operators
            .iter()
            .all(|operator| conditions::is_true(operator, "Available"))
    );

    let pool = lab
        .wait_for(NODE_POOL, "guest", "its version", |pool| {
            pool["status"]["version"] == "4.17.0"
        })
        .await;
    assert_eq!(pool["status"]["replicas"], 3);
    for kind in ["UpdatingVersion", "UpdatingConfig", "UpdatingPlatformMachineTemplate"] {
        assert_eq!(condition(&pool, kind)["status"], "False", "{kind}");
    }
    for kind in [
        "Ready",
        "AllMachinesReady",
        "AllNodesHealthy",
        "ReachedIgnitionEndpoint",
    ] {
        assert_eq!(condition(&pool, kind)["status"], "True", "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn unadmitted_wildcard_route_keeps_the_rollout_partial() {
    let lab = Lab::start(Faults::default()).await;
    lab.create_guest(json!({})).await;
    lab.wait_for(NODE_POOL, "guest", "healthy nodes", |pool| {
        conditions::is_true(pool, "AllNodesHealthy")
    })
    .await;
    lab.sleep(Duration::from_mins(5)).await;
    let hosted_cluster = lab.get(HOSTED_CLUSTER, "guest").await;
    assert_eq!(hosted_cluster["status"]["version"]["history"][0]["state"], "Partial");
    assert!(conditions::is_true(&hosted_cluster, "Available"));
    let inside = lab.inside();
    for name in ["console", "ingress"] {
        let operator = inside.get(CLUSTER_OPERATOR, None, name).await.unwrap().unwrap();
        let available = condition(&operator, "Available");
        assert_eq!(available["status"], "False", "{name}");
        assert!(
            available["message"]
                .as_str()
                .unwrap()
                .contains("default-ingress-passthrough-route"),
            "{available}"
        );
    }
    lab.allow_wildcards().await;
    lab.wait_for(HOSTED_CLUSTER, "guest", "its rollout", |hosted_cluster| {
        hosted_cluster["status"]["version"]["history"][0]["state"] == "Completed"
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn without_an_address_nothing_but_the_services_is_made() {
    let lab = Lab::start(Faults {
        no_address_pool: true,
        ..Faults::default()
    })
    .await;
    lab.create_guest(json!({})).await;
    let hosted_cluster = lab
        .wait_for(
            HOSTED_CLUSTER,
            "guest",
            "the load balancer's absence",
            |hosted_cluster| {
                condition(hosted_cluster, "InfrastructureReady")["reason"] == "WaitingOnInfrastructureReady"
            },
        )
        .await;
    let message = condition(&hosted_cluster, "InfrastructureReady")["message"]
        .as_str()
        .unwrap();
    assert!(
        message.starts_with("kube-apiserver load balancer is not provisioned;"),
        "{message}"
    );
    lab.sleep(Duration::from_mins(2)).await;
    let hosted_cluster = lab.get(HOSTED_CLUSTER, "guest").await;
    assert_eq!(
        condition(&hosted_cluster, "Available")["reason"],
        "WaitingOnInfrastructureReady"
    );
    assert!(hosted_cluster["status"]["kubeconfig"].is_null());
    let pool = lab.get(NODE_POOL, "guest").await;
    assert_eq!(condition(&pool, "IgnitionEndpointAvailable")["status"], "False");
}

#[tokio::test(start_paused = true)]
async fn the_route_that_tells_the_domain_may_be_another_clusters() {
    let nobody_admits = ["ingress"];
    let lab = Lab::start_without(&nobody_admits, Generation::default(), Faults::default(), Vec::new()).await;
    let route = json!({
        "metadata": {
            "name": "kubevirt-infra-temp-route",
            "namespace": "hcp",
            "annotations": { "hypershift.openshift.io/cluster": "hcp/other" },
        },
        "spec": { "to": { "kind": "Service", "name": "kubevirt-infra-fake-service" } },
    });
    lab.client.create(ROUTE, &route).await.unwrap();
    lab.create_guest(json!({})).await;
    lab.sleep(Duration::from_mins(1)).await;
    let host = json!({ "spec": { "host": "x.apps.hub.example" } });
    let hosted = lab.client.merge(ROUTE, Some("hcp"), "kubevirt-infra-temp-route", &host);
    hosted.await.unwrap().unwrap();
    lab.sleep(Duration::from_secs(10)).await;
    let hosted_cluster = lab.get(HOSTED_CLUSTER, "guest").await;
    assert_eq!(hosted_cluster["spec"]["dns"]["baseDomain"], "apps.hub.example");
}

#[tokio::test(start_paused = true)]
async fn a_class_that_does_not_exist_leaves_etcd_and_disks_pending() {
    let lab = Lab::start(Faults::default()).await;
    lab.create_guest(json!({ "etcd": support::etcd("missing") })).await;
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "a pending volume", |hosted_cluster| {
            condition(hosted_cluster, "EtcdAvailable")["message"]
                .as_str()
                .is_some_and(|text| text.contains("pending"))
        })
        .await;
    let message = condition(&hosted_cluster, "EtcdAvailable")["message"].as_str().unwrap();
    assert_eq!(
        message,
        "Etcd volume claim data-etcd-0 pending: storageclass.storage.k8s.io \"missing\" not found"
    );
}

#[tokio::test(start_paused = true)]
async fn failing_importer_is_told_from_the_disk_up_to_the_pool() {
    let lab = Lab::start(Faults {
        importer_fails: true,
        ..Faults::default()
    })
    .await;
    lab.create_guest(json!({})).await;
    let pool = lab
        .wait_for(NODE_POOL, "guest", "machines that fail", |pool| {
            condition(pool, "AllMachinesReady")["message"]
                .as_str()
                .is_some_and(|text| text.contains("Unable to process data"))
        })
        .await;
    assert_eq!(condition(&pool, "AllMachinesReady")["reason"], "DVNotReady");
    let machines = lab.client.list(VIRTUAL_MACHINE, Some(CONTROL_PLANE), "").await.unwrap();
    assert_eq!(machines[0]["status"]["printableStatus"], "DataVolumeError");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_had_is_refused_with_its_condition_and_goes_on_once_mended() {
    let lab = Lab::start(Faults::default()).await;
    let networking = json!({
        "clusterNetwork": [{ "cidr": "10.132.0.0/14" }],
        "serviceNetwork": [{ "cidr": "10.132.0.0/14" }],
        "networkType": "OVNKubernetes",
    });
    lab.create_guest(json!({ "networking": networking, "pullSecret": { "name": "absent" } }))
        .await;
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "a verdict", |hosted_cluster| {
            condition(hosted_cluster, "ValidReleaseImage")["status"] == "False"
        })
        .await;
    assert_eq!(
        condition(&hosted_cluster, "ValidReleaseImage")["reason"],
        "SecretNotFound"
    );
    assert_eq!(
        condition(&hosted_cluster, "ValidConfiguration")["reason"],
        "InvalidConfiguration"
    );
    assert!(
        lab.client.get(NAMESPACE, None, CONTROL_PLANE).await.unwrap().is_none(),
        "nothing may be made"
    );

    let mended = json!({ "spec": {
        "networking": { "serviceNetwork": [{ "cidr": "172.31.0.0/16" }] },
        "pullSecret": { "name": "pull-secret" },
        "release": { "image": "quay.io/openshift-release-dev/ocp-release:4.99.0-multi" },
    } });
    lab.client
        .merge(HOSTED_CLUSTER, Some("hcp"), "guest", &mended)
        .await
        .unwrap();
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "the next verdict", |hosted_cluster| {
            condition(hosted_cluster, "ValidReleaseImage")["reason"] == "InvalidImage"
        })
        .await;
    let message = condition(&hosted_cluster, "ValidReleaseImage")["message"]
        .as_str()
        .unwrap();
    assert!(message.contains("4.99.0"), "{message}");

    let release = json!({ "spec": { "release": { "image": support::IMAGE } } });
    lab.client
        .merge(HOSTED_CLUSTER, Some("hcp"), "guest", &release)
        .await
        .unwrap();
    lab.wait_for(HOSTED_CLUSTER, "guest", "availability", |hosted_cluster| {
        conditions::is_true(hosted_cluster, "Available")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn pool_scales_and_the_cluster_goes_without_a_trace() {
    let lab = Lab::start(Faults::default()).await;
    lab.allow_wildcards().await;
    lab.create_guest(json!({})).await;
    let ready = |count: u64| {
        move |pool: &serde_json::Value| {
            pool["status"]["replicas"] == count && conditions::is_true(pool, "AllNodesHealthy")
        }
    };
    lab.wait_for(NODE_POOL, "guest", "three nodes", ready(3)).await;
    for count in [4, 1] {
        let patch = json!({ "spec": { "replicas": count } });
        lab.client.merge(NODE_POOL, Some("hcp"), "guest", &patch).await.unwrap();
        lab.wait_for(NODE_POOL, "guest", "the other number", ready(count)).await;
        lab.sleep(Duration::from_mins(1)).await;
        let nodes = lab.inside().list(NODE, None, "").await.unwrap();
        assert_eq!(nodes.len() as u64, count);
        assert_eq!(
            lab.client.list(MACHINE, Some(CONTROL_PLANE), "").await.unwrap().len() as u64,
            count
        );
    }
    lab.client.delete(HOSTED_CLUSTER, Some("hcp"), "guest").await.unwrap();
    lab.wait_until_gone(HOSTED_CLUSTER, "guest").await;
    assert!(lab.client.get(NAMESPACE, None, CONTROL_PLANE).await.unwrap().is_none());
    assert!(lab.client.list(POD, Some(CONTROL_PLANE), "").await.unwrap().is_empty());
    assert!(lab.client.list(NODE_POOL, Some("hcp"), "").await.unwrap().is_empty());
    lab.sleep(Duration::from_secs(5)).await;
    assert!(
        lab.client
            .get(SECRET, Some("hcp"), "guest-admin-kubeconfig")
            .await
            .unwrap()
            .is_none()
    );
    assert!(lab.simulation.borrow().guest("hcp", "guest").is_none());
}

#[tokio::test(start_paused = true)]
async fn killed_at_many_moments_it_still_converges_to_the_same() {
    let lab = Lab::start(Faults::default()).await;
    lab.allow_wildcards().await;
    lab.create_guest(json!({})).await;
    let lab = lab.killed_every(Duration::from_secs(41), 7).await;
    lab.wait_for(HOSTED_CLUSTER, "guest", "its rollout", |hosted_cluster| {
        hosted_cluster["status"]["version"]["history"][0]["state"] == "Completed"
    })
    .await;
    let machines = lab.client.list(MACHINE, Some(CONTROL_PLANE), "").await.unwrap();
    assert_eq!(machines.len(), 3);
    assert_eq!(lab.inside().list(NODE, None, "").await.unwrap().len(), 3);
    let ingress = lab
        .client
        .get(INGRESS_CONTROLLER, Some("openshift-ingress-operator"), "default")
        .await
        .unwrap();
    assert!(ingress.is_some());
}

#[tokio::test(start_paused = true)]
async fn upgrade_goes_control_plane_first_and_then_the_pool_one_by_one() {
    let lab = Lab::start(Faults::default()).await;
    lab.allow_wildcards().await;
    lab.create_guest(json!({})).await;
    lab.wait_for(NODE_POOL, "guest", "its version", |pool| {
        pool["status"]["version"] == "4.17.0"
    })
    .await;
    let next = "quay.io/openshift-release-dev/ocp-release:4.17.1-multi";
    let release = json!({ "spec": { "release": { "image": next } } });
    lab.client
        .merge(NODE_POOL, Some("hcp"), "guest", &release)
        .await
        .unwrap();
    lab.wait_for(
        NODE_POOL,
        "guest",
        "a refusal: it may not be ahead of its cluster",
        |pool| condition(pool, "ValidReleaseImage")["status"] == "False",
    )
    .await;
    lab.client
        .merge(HOSTED_CLUSTER, Some("hcp"), "guest", &release)
        .await
        .unwrap();
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "its new version", |hosted_cluster| {
            let newest = &hosted_cluster["status"]["version"]["history"][0];
            newest["version"] == "4.17.1" && newest["state"] == "Completed"
        })
        .await;
    assert_eq!(hosted_cluster["status"]["version"]["history"][1]["version"], "4.17.0");
    let pool = lab
        .wait_for(NODE_POOL, "guest", "its new version", |pool| {
            pool["status"]["version"] == "4.17.1"
        })
        .await;
    assert_eq!(condition(&pool, "UpdatingVersion")["status"], "False");
    let nodes = lab.inside().list(NODE, None, "").await.unwrap();
    assert_eq!(nodes.len(), 3);
    assert!(nodes.iter().all(|node| {
        node["status"]["nodeInfo"]["osImage"]
            .as_str()
            .unwrap()
            .contains("4.17.1")
    }));
}
