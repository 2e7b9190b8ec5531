//! Upstream's own CRDs: each is accepted and established, and objects as their operators write them pass.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Value, json};

use crate::Cluster;

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const MERGE: &str = "merge-patch+json";

/// All CRDs of a generation, by name.
fn definitions(generation: &str) -> Option<BTreeMap<String, Value>> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::var_os("BERTH_UPSTREAM_DATA").map_or_else(|| workspace.join("../shared"), PathBuf::from);
    let files = fs::read_dir(data.join("crds").join(generation)).ok()?;
    let read = |file: std::io::Result<fs::DirEntry>| -> Value {
        serde_saphyr::from_str(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap()
    };
    let named = |crd: Value| (crd["metadata"]["name"].as_str().unwrap().to_owned(), crd);
    Some(files.map(read).map(named).collect())
}

fn count_rules(schema: &Value) -> usize {
    match schema {
        Value::Object(fields) => {
            let own = fields
                .get("x-kubernetes-validations")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            own + fields.values().map(count_rules).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(count_rules).sum(),
        _ => 0,
    }
}

/// A cluster with all CRDs of a generation; how many rules each has.
async fn with(generation: &str) -> Option<(Cluster, BTreeMap<String, usize>)> {
    let definitions = definitions(generation)?;
    let cluster = Cluster::with_namespace().await;
    let mut rules = BTreeMap::new();
    for (name, mut crd) in definitions {
        if let Some(crd) = crd.as_object_mut() {
            crd.remove("status");
        }
        for version in crd["spec"]["versions"].as_array().unwrap() {
            let count = count_rules(&version["schema"]);
            rules.insert(format!("{name} {}", version["name"].as_str().unwrap()), count);
        }
        cluster.post(CRDS, crd).await.is(201);
        let made = cluster.get(&format!("{CRDS}/{name}")).await.is(200).body;
        let conditions = made["status"]["conditions"].as_array().unwrap();
        let established = conditions
            .iter()
            .find(|condition| condition["type"] == "Established")
            .unwrap();
        assert_eq!(established["status"], "True", "{name}");
    }
    Some((cluster, rules))
}

fn cluster_of(version: &str, platform: &Value) -> Value {
    let service = |service: &str| json!({"service": service, "servicePublishingStrategy": {"type": "Route"}});
    json!({
        "apiVersion": format!("hypershift.openshift.io/{version}"), "kind": "HostedCluster",
        "metadata": {"name": "guest", "namespace": "t"},
        "spec": {
            "release": {"image": "quay.io/openshift-release-dev/ocp-release:4.17.3-x86_64"},
            "pullSecret": {"name": "pull-secret"}, "sshKey": {"name": "ssh-key"},
            "dns": {"baseDomain": "example.org"},
            "networking": {"clusterNetwork": [{"cidr": "10.132.0.0/14"}], "serviceNetwork": [{"cidr": "172.31.0.0/16"}]},
            "platform": platform,
            "services": (["APIServer", "OAuthServer", "Konnectivity", "Ignition"].map(service)),
            "etcd": {"managementType": "Managed", "managed": {"storage": {"type": "PersistentVolume"}}},
        },
    })
}

#[tokio::test(start_paused = true)]
async fn every_definition_of_upstream_is_accepted_with_its_rules() {
    for (generation, expected) in [("4.17", 29), ("current", 250)] {
        let Some((cluster, rules)) = with(generation).await else {
            println!("skipped: upstream's CRDs, {generation}: no ../shared");
            continue;
        };
        assert_eq!(rules["hostedclusters.hypershift.openshift.io v1beta1"], expected);
        assert!(rules.len() >= 44, "{rules:?}");
        // Nothing changes by writing it again.
        let name = "hostedclusters.hypershift.openshift.io";
        let stored = cluster.get(&format!("{CRDS}/{name}")).await.is(200);
        cluster
            .put(&format!("{CRDS}/{name}"), stored.body.clone())
            .await
            .is(200);
        assert_eq!(cluster.get(&format!("{CRDS}/{name}")).await.version(), stored.version());
    }
}

#[tokio::test(start_paused = true)]
async fn hosted_clusters_are_held_against_upstreams_rules() {
    for generation in ["4.17", "current"] {
        let Some((cluster, _)) = with(generation).await else {
            println!("skipped: upstream's rules, {generation}: no ../shared");
            continue;
        };
        let path = "/apis/hypershift.openshift.io/v1beta1/namespaces/t/hostedclusters?fieldValidation=Strict";
        let kubevirt = json!({"type": "KubeVirt", "kubevirt": {"baseDomainPassthrough": true}});
        let made = cluster.post(path, cluster_of("v1beta1", &kubevirt)).await.is(201).body;
        assert_eq!(made["spec"]["networking"]["networkType"], "OVNKubernetes", "defaulted");
        let one = "/apis/hypershift.openshift.io/v1beta1/namespaces/t/hostedclusters/guest";
        let change = json!({"spec": {"services": [made["spec"]["services"][0]]}});
        cluster.patch(MERGE, one, change).await.refused(422, "Invalid", "spec");
        let azure = json!({"type": "Azure"});
        let mut bad = cluster_of("v1beta1", &azure);
        bad["metadata"]["name"] = "bad".into();
        for service in bad["spec"]["services"].as_array_mut().unwrap() {
            service["servicePublishingStrategy"]["type"] = "LoadBalancer".into();
        }
        cluster
            .post(path, bad)
            .await
            .refused(422, "Invalid", "Azure platform requires");
    }
}
