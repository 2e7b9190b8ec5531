//! What happens to a hosted cluster after its birth: roll-outs, upgrades, repair, scaling, pauses, identity providers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::name_of;
use crate::conditions;
use crate::kind::{
    CLUSTER, CLUSTER_OPERATOR, CONFIG_MAP, DEPLOYMENT, HOSTED_CLUSTER, HOSTED_CONTROL_PLANE, MACHINE,
    MACHINE_DEPLOYMENT, MACHINE_HEALTH_CHECK, MACHINE_SET, NAMESPACE, NODE, NODE_POOL, POD, SECRET,
    VIRTUAL_MACHINE_INSTANCE,
};
use crate::objects::{annotation, is_deleting};
use crate::world::Faults;

use super::support::{CONTROL_PLANE, Lab, condition};

const NEXT: &str = "quay.io/openshift-release-dev/ocp-release:4.17.9-multi";

fn release(image: &str) -> Value {
    json!({ "spec": { "release": { "image": image } } })
}

impl Lab {
    /// A guest that has come up whole, with a pool that has these fields in place of the usual ones.
    async fn with_guest(pool: Value) -> Self {
        let lab = Self::start(Faults::default()).await;
        lab.allow_wildcards().await;
        lab.create_guest_and_pool(json!({}), pool).await;
        lab.wait_for(HOSTED_CLUSTER, "guest", "its rollout", |hosted_cluster| {
            hosted_cluster["status"]["version"]["history"][0]["state"] == "Completed"
        })
        .await;
        lab.wait_for(NODE_POOL, "guest", "its version", |pool| {
            pool["status"]["version"] == "4.17.0" && conditions::is_true(pool, "AllNodesHealthy")
        })
        .await;
        lab
    }

    async fn patch(&self, kind: crate::kind::Kind, patch: Value) {
        let patched = self.client.merge(kind, Some("hcp"), "guest", &patch).await.unwrap();
        patched.expect("it is there");
    }

    async fn machines(&self) -> Vec<String> {
        let machines = self.client.list(MACHINE, Some(CONTROL_PLANE), "").await.unwrap();
        let mut names: Vec<String> = machines.iter().map(|machine| name_of(machine).to_owned()).collect();
        names.sort();
        names
    }

    async fn inner(&self, kind: crate::kind::Kind, name: &str) -> Option<Value> {
        self.client.get(kind, Some(CONTROL_PLANE), name).await.unwrap()
    }

    async fn scale_inner(&self, name: &str, replicas: u32) {
        let patch = json!({ "spec": { "replicas": replicas } });
        self.client
            .merge(DEPLOYMENT, Some(CONTROL_PLANE), name, &patch)
            .await
            .unwrap();
    }

    async fn settled(&self) {
        self.wait_for(NODE_POOL, "guest", "the end of its updates", |pool| {
            let busy = ["UpdatingVersion", "UpdatingConfig", "UpdatingPlatformMachineTemplate"];
            busy.into_iter().all(|kind| condition(pool, kind)["status"] == "False")
                && conditions::is_true(pool, "AllNodesHealthy")
        })
        .await;
    }

    async fn config_map(&self, name: &str, data: Value) {
        let object = json!({ "metadata": { "name": name, "namespace": "hcp" }, "data": data });
        self.client.create(CONFIG_MAP, &object).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_cluster_is_left_alone() {
    let lab = Lab::with_guest(json!({})).await;
    lab.sleep(Duration::from_mins(5)).await;
    let objects = [
        (HOSTED_CLUSTER, "hcp", "guest"),
        (NODE_POOL, "hcp", "guest"),
        (HOSTED_CONTROL_PLANE, CONTROL_PLANE, "guest"),
        (MACHINE_DEPLOYMENT, CONTROL_PLANE, "guest"),
        (DEPLOYMENT, CONTROL_PLANE, "oauth-openshift"),
        (DEPLOYMENT, CONTROL_PLANE, "control-plane-operator"),
    ];
    let mut versions = Vec::new();
    for (kind, namespace, name) in objects {
        versions.push(lab.client.get(kind, Some(namespace), name).await.unwrap().unwrap());
    }
    lab.sleep(Duration::from_mins(10)).await;
    for ((kind, namespace, name), before) in objects.into_iter().zip(versions) {
        let after = lab.client.get(kind, Some(namespace), name).await.unwrap().unwrap();
        assert_eq!(before, after, "{} {name}", kind.kind);
    }
}

#[tokio::test(start_paused = true)]
async fn machines_are_replaced_for_what_triggers_it_and_for_nothing_else() {
    let lab = Lab::with_guest(json!({ "replicas": 2 })).await;
    let first = lab.machines().await;
    let harmless = json!({ "spec": {
        "nodeLabels": { "tier": "web" },
        "taints": [{ "key": "a", "value": "b", "effect": "NoSchedule" }],
        "nodeDrainTimeout": "5m",
    } });
    lab.patch(NODE_POOL, harmless).await;
    lab.patch(HOSTED_CLUSTER, json!({ "spec": { "channel": "stable-4.17" } }))
        .await;
    lab.sleep(Duration::from_mins(10)).await;
    assert_eq!(lab.machines().await, first, "none of these may replace a machine");
    let machine = lab.inner(MACHINE, &first[0]).await.unwrap();
    assert_eq!(machine["spec"]["nodeDrainTimeout"], "5m");
    assert_eq!(
        machine["metadata"]["labels"]["managed.hypershift.openshift.io.tier"],
        "web"
    );
    let node = lab.inside().get(NODE, None, &first[0]).await.unwrap().unwrap();
    assert!(
        node["metadata"]["labels"]["tier"].is_null(),
        "a node that has joined keeps its labels"
    );

    lab.config_map("tuned", json!({ "config": "kind: MachineConfig" }))
        .await;
    lab.patch(
        NODE_POOL,
        json!({ "spec": { "config": [{ "name": "tuned" }, { "name": "absent" }] } }),
    )
    .await;
    let pool = lab
        .wait_for(NODE_POOL, "guest", "a configuration that is missing", |pool| {
            condition(pool, "ValidMachineConfig")["status"] == "False"
        })
        .await;
    assert_eq!(condition(&pool, "ValidMachineConfig")["reason"], "ValidationFailed");
    assert_eq!(lab.machines().await, first);
    lab.patch(NODE_POOL, json!({ "spec": { "config": [{ "name": "tuned" }] } }))
        .await;
    let pool = lab
        .wait_for(NODE_POOL, "guest", "another configuration", |pool| {
            condition(pool, "UpdatingConfig")["status"] == "True"
        })
        .await;
    assert_eq!(condition(&pool, "UpdatingVersion")["status"], "False");
    lab.settled().await;
    let second = lab.machines().await;
    assert!(second.iter().all(|name| !first.contains(name)), "{first:?} {second:?}");
    let node = lab.inside().get(NODE, None, &second[0]).await.unwrap().unwrap();
    assert_eq!(node["metadata"]["labels"]["tier"], "web", "a node that joins gets them");

    // The content counts, not the name.
    let other = json!({ "data": { "config": "kind: KubeletConfig" } });
    lab.client
        .merge(CONFIG_MAP, Some("hcp"), "tuned", &other)
        .await
        .unwrap();
    lab.wait_for(NODE_POOL, "guest", "another content", |pool| {
        condition(pool, "UpdatingConfig")["status"] == "True"
    })
    .await;
    lab.settled().await;
    assert!(lab.machines().await.iter().all(|name| !second.contains(name)));
    let templates = lab.client.list(MACHINE_SET, Some(CONTROL_PLANE), "").await.unwrap();
    assert_eq!(templates.len(), 1, "old sets go");
}

#[tokio::test(start_paused = true)]
async fn on_delete_a_machine_is_replaced_once_someone_deletes_it() {
    let management = json!({ "upgradeType": "Replace", "replace": { "strategy": "OnDelete" } });
    let lab = Lab::with_guest(json!({ "replicas": 2, "management": management })).await;
    let first = lab.machines().await;
    lab.patch(HOSTED_CLUSTER, release(NEXT)).await;
    lab.patch(NODE_POOL, release(NEXT)).await;
    lab.wait_for(NODE_POOL, "guest", "its next version", |pool| {
        condition(pool, "UpdatingVersion")["status"] == "True"
    })
    .await;
    lab.sleep(Duration::from_mins(10)).await;
    assert_eq!(lab.machines().await, first, "nothing goes by itself");
    for name in &first {
        lab.client.delete(MACHINE, Some(CONTROL_PLANE), name).await.unwrap();
        lab.sleep(Duration::from_mins(10)).await;
    }
    lab.settled().await;
    let second = lab.machines().await;
    assert_eq!(second.len(), 2);
    assert!(second.iter().all(|name| !first.contains(name)), "{first:?} {second:?}");
    assert_eq!(lab.get(NODE_POOL, "guest").await["status"]["version"], "4.17.9");
}

#[tokio::test(start_paused = true)]
async fn in_place_the_machines_stay_and_no_more_are_away_than_may_be() {
    let management = json!({ "upgradeType": "InPlace", "inPlace": { "maxUnavailable": 1 } });
    let lab = Lab::with_guest(json!({ "management": management })).await;
    let first = lab.machines().await;
    lab.patch(HOSTED_CLUSTER, release(NEXT)).await;
    lab.patch(NODE_POOL, release(NEXT)).await;
    let pool = lab
        .wait_for(NODE_POOL, "guest", "an upgrade that goes on", |pool| {
            condition(pool, "UpdatingVersion")["message"]
                .as_str()
                .is_some_and(|text| text.contains("Total Nodes: 3. Upgraded: 1"))
        })
        .await;
    assert_eq!(condition(&pool, "UpdatingVersion")["status"], "True");
    let nodes = lab.inside().list(NODE, None, "").await.unwrap();
    let away = nodes
        .iter()
        .filter(|node| node["spec"]["unschedulable"] == true)
        .count();
    assert_eq!(away, 1);
    lab.settled().await;
    assert_eq!(lab.machines().await, first, "the machines are the same");
    let nodes = lab.inside().list(NODE, None, "").await.unwrap();
    assert!(nodes.iter().all(|node| {
        node["spec"]["unschedulable"] != true
            && node["status"]["nodeInfo"]["osImage"]
                .as_str()
                .unwrap()
                .contains("4.17.9")
    }));
    assert_eq!(lab.get(NODE_POOL, "guest").await["status"]["version"], "4.17.9");
}

#[tokio::test(start_paused = true)]
async fn an_unhealthy_machine_is_replaced_but_not_when_too_many_are() {
    let management = json!({ "upgradeType": "Replace", "autoRepair": true });
    let lab = Lab::with_guest(json!({ "management": management })).await;
    lab.wait_for(NODE_POOL, "guest", "repair", |pool| {
        conditions::is_true(pool, "AutorepairEnabled")
    })
    .await;
    let check = lab.inner(MACHINE_HEALTH_CHECK, "guest").await.unwrap();
    assert_eq!(check["spec"]["unhealthyConditions"][0]["timeout"], "8m0s");
    assert_eq!(check["spec"]["nodeStartupTimeout"], "20m0s");
    let first = lab.machines().await;
    lab.break_nodes(&first[..1]).await;
    lab.sleep(Duration::from_mins(7)).await;
    assert_eq!(lab.machines().await, first, "too early");
    lab.sleep(Duration::from_mins(15)).await;
    lab.settled().await;
    let second = lab.machines().await;
    assert!(!second.contains(&first[0]), "{second:?}");
    assert!(second.contains(&first[1]) && second.len() == 3, "{second:?}");

    lab.break_nodes(&second).await;
    lab.sleep(Duration::from_mins(20)).await;
    assert_eq!(lab.machines().await, second, "three of three are more than two");
    let pool = lab.get(NODE_POOL, "guest").await;
    assert_eq!(condition(&pool, "Ready")["reason"], "TooManyUnhealthy");
    lab.patch(NODE_POOL, json!({ "spec": { "management": { "autoRepair": false } } }))
        .await;
    lab.wait_for(NODE_POOL, "guest", "no repair", |pool| {
        !conditions::is_true(pool, "AutorepairEnabled")
    })
    .await;
    lab.sleep(Duration::from_secs(5)).await;
    assert!(lab.inner(MACHINE_HEALTH_CHECK, "guest").await.is_none());
}

impl Lab {
    /// Kubelets that say nothing any more, in machines that run on.
    async fn break_nodes(&self, names: &[String]) {
        for name in names {
            let inside = self.inside();
            let node = inside.get(NODE, None, name).await.unwrap().unwrap();
            let mut list = node["status"]["conditions"].as_array().cloned().unwrap();
            let now = "2026-01-01T00:00:00Z";
            conditions::set(
                &mut list,
                now,
                "Ready",
                "Unknown",
                "NodeStatusUnknown",
                "Kubelet stopped posting node status.",
            );
            inside
                .status(NODE, None, name, &json!({ "conditions": list }))
                .await
                .unwrap();
            // A machine's controller hears of its node by its instance.
            let touch = json!({ "metadata": { "annotations": { "test/touched": name } } });
            self.client
                .merge(VIRTUAL_MACHINE_INSTANCE, Some(CONTROL_PLANE), name, &touch)
                .await
                .unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_scales_itself_follows_its_pods_within_its_bounds() {
    let lab = Lab::with_guest(json!({ "replicas": 2 })).await;
    assert_eq!(
        lab.inner(DEPLOYMENT, "cluster-autoscaler").await.unwrap()["spec"]["replicas"],
        0
    );
    lab.patch(
        NODE_POOL,
        json!({ "spec": { "replicas": null, "autoScaling": { "min": 2, "max": 4 } } }),
    )
    .await;
    let deployment = || async { lab.inner(MACHINE_DEPLOYMENT, "guest").await.unwrap() };
    lab.sleep(Duration::from_mins(1)).await;
    let bound = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size";
    assert_eq!(annotation(&deployment().await, bound), Some("4"));
    assert_eq!(
        deployment().await["spec"]["replicas"],
        2,
        "what is within the bounds stays"
    );
    assert_eq!(
        lab.inner(DEPLOYMENT, "cluster-autoscaler").await.unwrap()["spec"]["replicas"],
        1
    );
    let pod = json!({
        "metadata": { "name": "homeless", "namespace": "default" },
        "spec": { "containers": [{ "name": "a", "image": "a" }] },
    });
    lab.inside().create(POD, &pod).await.unwrap();
    let told = json!({ "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes are available",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }] });
    lab.inside()
        .status(POD, Some("default"), "homeless", &told)
        .await
        .unwrap();
    lab.wait_for(NODE_POOL, "guest", "a third node", |pool| {
        pool["status"]["replicas"] == 3
    })
    .await;
    lab.inside().delete_now(POD, Some("default"), "homeless").await.unwrap();
    lab.wait_for(NODE_POOL, "guest", "its least", |pool| pool["status"]["replicas"] == 2)
        .await;
    lab.patch(NODE_POOL, json!({ "spec": { "replicas": 2, "autoScaling": null } }))
        .await;
    lab.wait_for(NODE_POOL, "guest", "what is asked for", |pool| {
        pool["status"]["replicas"] == 2
    })
    .await;
    assert_eq!(annotation(&deployment().await, bound), Some("0"));
}

#[tokio::test(start_paused = true)]
async fn a_paused_pool_stands_still_until_its_date() {
    let lab = Lab::with_guest(json!({ "replicas": 2 })).await;
    let until = (lab.now() + jiff::SignedDuration::from_mins(30))
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    lab.patch(NODE_POOL, json!({ "spec": { "pausedUntil": until, "replicas": 3 } }))
        .await;
    let pool = lab
        .wait_for(NODE_POOL, "guest", "its pause", |pool| {
            condition(pool, "ReconciliationActive")["status"] == "False"
        })
        .await;
    assert_eq!(
        condition(&pool, "ReconciliationActive")["reason"],
        "ReconciliationPaused"
    );
    lab.sleep(Duration::from_mins(20)).await;
    assert_eq!(lab.machines().await.len(), 2);
    let deployment = lab.inner(MACHINE_DEPLOYMENT, "guest").await.unwrap();
    assert_eq!(annotation(&deployment, "cluster.x-k8s.io/paused"), Some("true"));
    lab.wait_for(NODE_POOL, "guest", "its third node", |pool| {
        pool["status"]["replicas"] == 3
    })
    .await;
    let deployment = lab.inner(MACHINE_DEPLOYMENT, "guest").await.unwrap();
    assert_eq!(annotation(&deployment, "cluster.x-k8s.io/paused"), None);
}

#[tokio::test(start_paused = true)]
async fn a_paused_cluster_stands_still_and_goes_on_where_it_was() {
    let lab = Lab::with_guest(json!({ "replicas": 2 })).await;
    let until = (lab.now() + jiff::SignedDuration::from_mins(30))
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    lab.patch(
        HOSTED_CLUSTER,
        json!({ "spec": { "pausedUntil": until, "release": { "image": NEXT } } }),
    )
    .await;
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "its pause", |hosted_cluster| {
            condition(hosted_cluster, "ReconciliationActive")["status"] == "False"
        })
        .await;
    assert_eq!(condition(&hosted_cluster, "Progressing")["reason"], "Blocked");
    assert_eq!(
        condition(&hosted_cluster, "Progressing")["message"],
        format!("ReconciliationActive condition is false: Reconciliation paused until: {until}")
    );
    lab.sleep(Duration::from_mins(20)).await;
    let control_plane = lab.inner(HOSTED_CONTROL_PLANE, "guest").await.unwrap();
    assert_eq!(control_plane["spec"]["pausedUntil"], until);
    assert!(
        control_plane["spec"]["releaseImage"]
            .as_str()
            .unwrap()
            .contains("4.17.0")
    );
    let infra_id = hosted_cluster["spec"]["infraID"].as_str().unwrap();
    assert_eq!(lab.inner(CLUSTER, infra_id).await.unwrap()["spec"]["paused"], true);
    // Cluster API leaves the machines alone, whatever the pool wants.
    lab.client
        .merge(
            MACHINE_DEPLOYMENT,
            Some(CONTROL_PLANE),
            "guest",
            &json!({ "spec": { "replicas": 3 } }),
        )
        .await
        .unwrap();
    lab.sleep(Duration::from_mins(5)).await;
    assert_eq!(lab.machines().await.len(), 2);
    // What its status tells goes on being told.
    assert!(conditions::is_true(
        &lab.get(HOSTED_CLUSTER, "guest").await,
        "Available"
    ));
    lab.wait_for(HOSTED_CLUSTER, "guest", "its next version", |hosted_cluster| {
        let newest = &hosted_cluster["status"]["version"]["history"][0];
        newest["version"] == "4.17.9" && newest["state"] == "Completed"
    })
    .await;
    assert_eq!(lab.inner(CLUSTER, infra_id).await.unwrap()["spec"]["paused"], false);
    let words = json!({ "spec": { "pausedUntil": "some day" } });
    lab.patch(HOSTED_CLUSTER, words).await;
    lab.wait_for(HOSTED_CLUSTER, "guest", "a verdict", |hosted_cluster| {
        let told = condition(hosted_cluster, "ReconciliationActive");
        told["reason"] == "InvalidPausedUntilValue" && told["status"] == "True"
    })
    .await;
    lab.patch(HOSTED_CLUSTER, json!({ "spec": { "pausedUntil": null } }))
        .await;
    lab.sleep(Duration::from_secs(10)).await;
    let control_plane = lab.inner(HOSTED_CONTROL_PLANE, "guest").await.unwrap();
    assert!(control_plane["spec"]["pausedUntil"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_minor_is_refused_backwards_and_while_the_cluster_is_not_upgradeable() {
    let image = |version: &str| format!("quay.io/openshift-release-dev/ocp-release:{version}-multi");
    let lab = Lab::start(Faults::default()).await;
    lab.allow_wildcards().await;
    let old = json!({ "image": image("4.16.5") });
    lab.create_guest_and_pool(json!({ "release": old }), json!({ "release": old, "replicas": 1 }))
        .await;
    let at = |version: &'static str| {
        move |hosted_cluster: &Value| {
            let newest = &hosted_cluster["status"]["version"]["history"][0];
            newest["version"] == version && newest["state"] == "Completed"
        }
    };
    lab.wait_for(HOSTED_CLUSTER, "guest", "its rollout", at("4.16.5")).await;
    let not_upgradeable = json!([{
        "type": "Upgradeable", "status": "False", "reason": "OldPods", "message": "old pods are around",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }]);
    lab.inside()
        .status(CLUSTER_OPERATOR, None, "dns", &json!({ "conditions": not_upgradeable }))
        .await
        .unwrap();
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "that it can't be upgraded", |hosted_cluster| {
            condition(hosted_cluster, "ClusterVersionUpgradeable")["status"] == "False"
        })
        .await;
    assert_eq!(
        condition(&hosted_cluster, "ClusterVersionUpgradeable")["reason"],
        "OldPods"
    );

    lab.patch(HOSTED_CLUSTER, release(&image("4.17.0"))).await;
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "a refusal", |hosted_cluster| {
            condition(hosted_cluster, "Progressing")["reason"] == "Blocked"
        })
        .await;
    assert_eq!(
        condition(&hosted_cluster, "Progressing")["message"],
        "ClusterVersionUpgradeable condition is false: cluster version is not upgradeable"
    );
    // Within the minor it may go on.
    lab.patch(HOSTED_CLUSTER, release(&image("4.16.7"))).await;
    lab.wait_for(HOSTED_CLUSTER, "guest", "its next patch", at("4.16.7"))
        .await;
    let force =
        json!({ "metadata": { "annotations": { "hypershift.openshift.io/force-upgrade-to": image("4.17.0") } } });
    lab.patch(HOSTED_CLUSTER, force).await;
    lab.patch(HOSTED_CLUSTER, release(&image("4.17.0"))).await;
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "the next minor, by force", at("4.17.0"))
        .await;
    let versions: Vec<&Value> = hosted_cluster["status"]["version"]["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["version"])
        .collect();
    assert_eq!(versions, ["4.17.0", "4.16.7", "4.16.5"]);
    assert_eq!(
        lab.get(NODE_POOL, "guest").await["status"]["version"],
        "4.16.5",
        "pools never follow"
    );

    lab.patch(HOSTED_CLUSTER, release(&image("4.16.9"))).await;
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "another refusal", |hosted_cluster| {
            condition(hosted_cluster, "ValidReleaseImage")["status"] == "False"
        })
        .await;
    assert_eq!(
        condition(&hosted_cluster, "ValidReleaseImage")["message"],
        "y-stream downgrade from \"4.17.0\" to \"4.16.9\" is not supported"
    );
}

#[tokio::test(start_paused = true)]
async fn updates_are_told_once_there_is_a_channel() {
    let lab = Lab::with_guest(json!({ "replicas": 1 })).await;
    let updates = |hosted_cluster: &Value| -> Vec<String> {
        let list = hosted_cluster["status"]["version"]["availableUpdates"]
            .as_array()
            .cloned();
        let versions = list.unwrap_or_default();
        versions
            .iter()
            .map(|update| update["version"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(updates(&lab.get(HOSTED_CLUSTER, "guest").await).is_empty());
    lab.patch(HOSTED_CLUSTER, json!({ "spec": { "channel": "stable-4.17" } }))
        .await;
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "updates", |hosted_cluster| {
            !updates(hosted_cluster).is_empty()
        })
        .await;
    assert_eq!(updates(&hosted_cluster).first().map(String::as_str), Some("4.17.9"));
    let conditional = &hosted_cluster["status"]["version"]["conditionalUpdates"][0];
    assert_eq!(conditional["release"]["version"], "4.17.5");
    assert_eq!(conditional["conditions"][0]["status"], "False");
}

#[tokio::test(start_paused = true)]
async fn an_identity_provider_rolls_out_and_takes_kubeadmin_with_it() {
    let lab = Lab::with_guest(json!({ "replicas": 1 })).await;
    let provider = json!({ "name": "users", "type": "HTPasswd", "htpasswd": { "fileData": { "name": "users" } } });
    let oauth =
        |providers: Value| json!({ "spec": { "configuration": { "oauth": { "identityProviders": providers } } } });
    let hash = "oauth.hypershift.openshift.io/config-hash";
    let hash_now = || async {
        let deployment = lab.inner(DEPLOYMENT, "oauth-openshift").await.unwrap();
        deployment["spec"]["template"]["metadata"]["annotations"][hash].clone()
    };
    let before = hash_now().await;
    lab.patch(HOSTED_CLUSTER, oauth(json!([provider]))).await;
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "what is missing", |hosted_cluster| {
            condition(hosted_cluster, "ReconciliationSucceeded")["status"] == "False"
        })
        .await;
    assert_eq!(
        condition(&hosted_cluster, "ReconciliationSucceeded")["message"],
        "failed to get referenced secret hcp/users: Secret \"users\" not found"
    );
    assert!(
        hosted_cluster["status"]["kubeadminPassword"].is_object(),
        "nothing was taken yet"
    );

    let secret = json!({ "metadata": { "name": "users", "namespace": "hcp" }, "stringData": { "htpasswd": "a:b" } });
    lab.client.create(SECRET, &secret).await.unwrap();
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "its providers", |hosted_cluster| {
            conditions::is_true(hosted_cluster, "ReconciliationSucceeded")
                && hosted_cluster["status"]["kubeadminPassword"].is_null()
        })
        .await;
    assert!(conditions::is_true(&hosted_cluster, "ValidIDPConfiguration"));
    assert!(
        lab.inner(SECRET, "users").await.is_some(),
        "a copy beside the control plane"
    );
    lab.sleep(Duration::from_mins(2)).await;
    let rolled = hash_now().await;
    assert_ne!(rolled, before);
    assert!(lab.inner(SECRET, "kubeadmin-password").await.is_none());
    assert!(
        lab.client
            .get(SECRET, Some("hcp"), "guest-kubeadmin-password")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        lab.inside()
            .get(SECRET, Some("kube-system"), "kubeadmin")
            .await
            .unwrap()
            .is_none()
    );

    let other = json!({ "stringData": { "htpasswd": "c:d" } });
    lab.client.merge(SECRET, Some("hcp"), "users", &other).await.unwrap();
    lab.sleep(Duration::from_mins(2)).await;
    assert_ne!(hash_now().await, rolled, "another content is another rollout");

    let broken = json!({ "name": "sso", "type": "OpenID", "openID": {
        "clientID": "c", "clientSecret": { "name": "users" }, "issuer": "https://sso.invalid",
    } });
    lab.patch(HOSTED_CLUSTER, oauth(json!([provider, broken]))).await;
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "a verdict on the issuer", |hosted_cluster| {
            condition(hosted_cluster, "ValidIDPConfiguration")["status"] == "False"
        })
        .await;
    let told = condition(&hosted_cluster, "ValidIDPConfiguration");
    assert_eq!(told["reason"], "IDPConfigurationError");
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .starts_with("failed to apply IDP sso config:"),
        "{told}"
    );

    lab.patch(
        HOSTED_CLUSTER,
        json!({ "spec": { "configuration": { "oauth": null } } }),
    )
    .await;
    lab.wait_for(HOSTED_CLUSTER, "guest", "a new password", |hosted_cluster| {
        hosted_cluster["status"]["kubeadminPassword"].is_object()
            && conditions::is_true(hosted_cluster, "ValidIDPConfiguration")
    })
    .await;
    assert!(
        lab.inside()
            .get(SECRET, Some("kube-system"), "kubeadmin")
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn a_provider_whose_file_is_not_in_its_secret_keeps_the_new_server_from_running() {
    let lab = Lab::with_guest(json!({ "replicas": 1 })).await;
    let secret = json!({ "metadata": { "name": "users", "namespace": "hcp" }, "stringData": { "wrong-key": "a:b" } });
    lab.client.create(SECRET, &secret).await.unwrap();
    let provider = json!({ "name": "users", "type": "HTPasswd", "htpasswd": { "fileData": { "name": "users" } } });
    lab.patch(
        HOSTED_CLUSTER,
        json!({ "spec": { "configuration": { "oauth": { "identityProviders": [provider] } } } }),
    )
    .await;
    let hosted_cluster = lab
        .wait_for(
            HOSTED_CLUSTER,
            "guest",
            "a server that doesn't come up",
            |hosted_cluster| {
                condition(hosted_cluster, "Degraded")["message"]
                    .as_str()
                    .is_some_and(|text| text.contains("oauth-openshift deployment has"))
            },
        )
        .await;
    assert!(
        conditions::is_true(&hosted_cluster, "ValidIDPConfiguration"),
        "that one judges the text only"
    );
}

#[tokio::test(start_paused = true)]
async fn direct_authentication_takes_the_oauth_server_away() {
    let lab = Lab::with_guest(json!({ "replicas": 1 })).await;
    let issuer = json!({ "issuerURL": "https://login.example.com", "audiences": ["a"] });
    let authentication = json!({ "type": "OIDC", "oidcProviders": [{ "name": "sso", "issuer": issuer }] });
    lab.patch(
        HOSTED_CLUSTER,
        json!({ "spec": { "configuration": { "authentication": authentication } } }),
    )
    .await;
    lab.wait_for(HOSTED_CLUSTER, "guest", "no verdict on providers", |hosted_cluster| {
        condition(hosted_cluster, "ValidIDPConfiguration")["status"] == "Unknown"
    })
    .await;
    lab.sleep(Duration::from_mins(3)).await;
    for name in ["oauth-openshift", "openshift-oauth-apiserver"] {
        assert!(lab.inner(DEPLOYMENT, name).await.is_none(), "{name}");
    }
    assert!(conditions::is_true(
        &lab.get(HOSTED_CLUSTER, "guest").await,
        "Available"
    ));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_goes_in_its_order_and_stays_for_the_grace_that_was_asked_for() {
    let lab = Lab::with_guest(json!({ "replicas": 1 })).await;
    let annotations = json!({
        "hypershift.openshift.io/cleanup-cloud-resources": "true",
        "hypershift.openshift.io/destroy-grace-period": "3m",
    });
    lab.patch(
        HOSTED_CLUSTER,
        json!({ "metadata": { "annotations": annotations }, "spec": { "pausedUntil": "true" } }),
    )
    .await;
    lab.sleep(Duration::from_secs(5)).await;
    lab.scale_inner("capi-provider", 0).await;
    lab.client.delete(HOSTED_CLUSTER, Some("hcp"), "guest").await.unwrap();
    lab.sleep(Duration::from_mins(5)).await;
    // Without the provider the machine stays, and with it the Cluster, the pool and the control plane.
    let infra_id = lab.get(HOSTED_CLUSTER, "guest").await["spec"]["infraID"]
        .as_str()
        .unwrap()
        .to_owned();
    let cluster = lab.inner(CLUSTER, &infra_id).await.unwrap();
    assert!(is_deleting(&cluster) && cluster["spec"]["paused"] == false);
    assert!(is_deleting(&lab.get(NODE_POOL, "guest").await));
    assert!(!is_deleting(&lab.inner(HOSTED_CONTROL_PLANE, "guest").await.unwrap()));
    assert_eq!(lab.machines().await.len(), 1);
    lab.scale_inner("capi-provider", 1).await;
    lab.wait_for(
        HOSTED_CLUSTER,
        "guest",
        "the end of what the guest had",
        |hosted_cluster| conditions::is_true(hosted_cluster, "CloudResourcesDestroyed"),
    )
    .await;
    let hosted_cluster = lab
        .wait_for(HOSTED_CLUSTER, "guest", "its grace", |hosted_cluster| {
            conditions::is_true(hosted_cluster, "HostedClusterDestroyed")
        })
        .await;
    assert_eq!(
        condition(&hosted_cluster, "HostedClusterDestroyed")["reason"],
        "WaitingForGracePeriod"
    );
    assert!(lab.client.get(NAMESPACE, None, CONTROL_PLANE).await.unwrap().is_none());
    lab.sleep(Duration::from_mins(2)).await;
    assert!(is_deleting(&lab.get(HOSTED_CLUSTER, "guest").await), "it stays");
    lab.wait_until_gone(HOSTED_CLUSTER, "guest").await;
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_without_its_operator_does_not_go() {
    let lab = Lab::with_guest(json!({ "replicas": 1 })).await;
    lab.patch(HOSTED_CLUSTER, json!({ "spec": { "pausedUntil": "true" } }))
        .await;
    lab.sleep(Duration::from_secs(5)).await;
    lab.scale_inner("control-plane-operator", 0).await;
    lab.client.delete(HOSTED_CLUSTER, Some("hcp"), "guest").await.unwrap();
    lab.sleep(Duration::from_mins(15)).await;
    assert!(is_deleting(&lab.inner(HOSTED_CONTROL_PLANE, "guest").await.unwrap()));
    lab.scale_inner("control-plane-operator", 1).await;
    lab.wait_until_gone(HOSTED_CLUSTER, "guest").await;
}
