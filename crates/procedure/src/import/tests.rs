use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::adopt;
use crate::change::ObjectRef;

/// Upstream's data; `None` where it is not at hand.
fn upstream(path: &str) -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("BERTH_UPSTREAM_DATA").map_or_else(default, PathBuf::from);
    let path = folder.join(path);
    if !path.exists() {
        eprintln!("skipped: import of upstream's objects: no ../shared");
    }
    path.exists().then_some(path)
}

/// What a document would change of the objects that it was imported from.
fn changes(text: &str, cluster: &Value, pools: &[Value]) -> Vec<String> {
    let source = Source {
        path: "import.yaml".into(),
        text: text.to_owned(),
    };
    let nothing = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    let guest = berth_api::load(vec![source], &nothing, &|_| None)
        .unwrap_or_else(|errors| panic!("{errors:#?}\n{text}"))
        .guests
        .remove(0);
    assert_eq!(guest.spec.node_pools.len(), pools.len(), "{text}");
    let mut changes = Vec::new();
    for (is_pool, object, mut wanted) in rendered(&guest) {
        let live = if is_pool {
            pools.iter().find(|pool| name(pool) == object)
        } else {
            Some(cluster)
        };
        let live = live.unwrap_or_else(|| panic!("there is a NodePool {object}\n{text}"));
        render::leave_to_the_operator(&mut wanted);
        let place = ObjectRef::namespaced(resources::NODE_POOL, "n", object);
        changes.extend(
            adopt::edits(&place, &wanted, live)
                .iter()
                .map(|change| format!("{change:?}")),
        );
    }
    changes
}

/// Each rendering of the real `hcp`, of both generations, becomes a document that changes nothing.
#[test]
fn what_hcp_makes_becomes_documents_that_change_nothing() {
    let mut count = 0;
    for generation in ["4.17", "current"] {
        let Some(folder) = upstream(&format!("golden/hcp-render/{generation}")) else {
            return;
        };
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let objects = yaml::parse(&fs::read_to_string(&path).unwrap()).unwrap();
            let Some(cluster) = objects.iter().find(|object| object["kind"] == "HostedCluster") else {
                continue;
            };
            let pools: Vec<Value> = objects
                .iter()
                .filter(|object| object["kind"] == "NodePool")
                .cloned()
                .collect();
            let found = Found {
                cluster,
                pools: &pools,
                schemas: (None, None),
            };
            let text = document(&found).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(
                changes(&text, cluster, &pools),
                Vec::<String>::new(),
                "{}\n{text}",
                path.display()
            );
            count += 1;
        }
    }
    assert!(count > 30, "{count} renderings");
}

fn everything() -> (Value, Vec<Value>) {
    let cluster = json!({
        "apiVersion": "hypershift.openshift.io/v1beta1", "kind": "HostedCluster",
        "metadata": {
            "name": "shop", "namespace": "prod",
            "labels": {"team": "shop", "app.kubernetes.io/instance": "shop"},
            "annotations": {"hypershift.openshift.io/HasBeenAvailable": "true", "example.com/owner": "shop"},
            "managedFields": [{"manager": "argocd-controller"}, {"manager": "hypershift-operator", "subresource": "status"}],
        },
        "spec": {
            "clusterID": "4a9c8a54-5d53-4e80-a5a5-6f5f0a4b2f6e", "infraID": "shop-x7k2p", "channel": "stable-4.17",
            "autoscaling": {"maxNodesTotal": 12, "scaling": "ScaleUpAndScaleDown"},
            "configuration": {
                "oauth": {"identityProviders": [{"name": "corp", "type": "LDAP"}]},
                "featureGate": {"featureSet": "CustomNoUpgrade", "customNoUpgrade": {"enabled": ["X"]}},
            },
            "controllerAvailabilityPolicy": "HighlyAvailable", "infrastructureAvailabilityPolicy": "SingleReplica",
            "dns": {"baseDomain": "apps.hub.example.com"},
            "etcd": {"managementType": "Managed", "managed": {"storage": {"type": "PersistentVolume", "persistentVolume": {"size": "20Gi"}}}},
            "fips": false, "issuerURL": "https://kubernetes.default.svc",
            "networking": {
                "clusterNetwork": [{"cidr": "10.200.0.0/16", "hostPrefix": 23}, {"cidr": "fd01::/48", "hostPrefix": 64}],
                "serviceNetwork": [{"cidr": "172.30.0.0/16"}, {"cidr": "fd02::/112"}], "networkType": "OVNKubernetes",
            },
            "olmCatalogPlacement": "guest",
            "platform": {"type": "KubeVirt", "kubevirt": {"baseDomainPassthrough": true, "generateID": "abcdefghij"}},
            "pullSecret": {"name": "pull"}, "release": {"image": "quay.io/openshift-release-dev/ocp-release:4.17.0-multi"},
            "secretEncryption": {"type": "aescbc", "aescbc": {"activeKey": {"name": "shop-etcd-encryption-key"}}},
            "services": [
                {"service": "OAuthServer", "servicePublishingStrategy": {"type": "Route"}},
                {"service": "APIServer", "servicePublishingStrategy": {"type": "NodePort", "nodePort": {"address": "192.0.2.1", "port": 30000}}},
                {"service": "OIDC", "servicePublishingStrategy": {"type": "Route"}},
                {"service": "Konnectivity", "servicePublishingStrategy": {"type": "Route"}},
                {"service": "Ignition", "servicePublishingStrategy": {"type": "Route"}},
            ],
            "sshKey": {"name": ""},
        },
    });
    let pool = |name: &str, spec: Value| {
        let mut pool = json!({
            "apiVersion": "hypershift.openshift.io/v1beta1", "kind": "NodePool",
            "metadata": {"name": name, "namespace": "prod"},
            "spec": {
                "clusterName": "shop", "arch": "amd64",
                "release": {"image": "quay.io/openshift-release-dev/ocp-release:4.17.0-multi"},
                "management": {"upgradeType": "Replace", "autoRepair": false,
                    "replace": {"strategy": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}},
                "platform": {"type": "KubeVirt", "kubevirt": {
                    "attachDefaultNetwork": true, "networkInterfaceMultiqueue": "Enable",
                    "compute": {"cores": 4, "memory": "16384Mi", "qosClass": "Burstable"},
                    "rootVolume": {"type": "Persistent", "persistent": {"size": "32Gi"}, "cacheStrategy": {"type": "None"}},
                }},
            },
        });
        for (name, value) in spec.as_object().unwrap() {
            pool["spec"][name] = value.clone();
        }
        pool
    };
    let pools = vec![
        pool(
            "shop",
            json!({"replicas": 3, "taints": [{"key": "a", "effect": "NoSchedule"}]}),
        ),
        pool(
            "shop-gpu",
            json!({"autoScaling": {"min": 1, "max": 4}, "nodeDrainTimeout": "0s"}),
        ),
        pool(
            "old",
            json!({
                "release": {"image": "quay.io/openshift-release-dev/ocp-release:4.16.3-multi"},
                "management": {"upgradeType": "InPlace", "autoRepair": true, "inPlace": {"maxUnavailable": "10%"}},
            }),
        ),
    ];
    (cluster, pools)
}

#[test]
fn a_guest_of_somebody_elses_becomes_a_document_that_says_so() {
    let (cluster, pools) = everything();
    let found = Found {
        cluster: &cluster,
        pools: &pools,
        schemas: (None, None),
    };
    let text = document(&found).unwrap();
    assert_eq!(changes(&text, &cluster, &pools), Vec::<String>::new(), "{text}");
    assert_snapshot!(text, @r"
    # Imported from HostedCluster prod/shop: applied as it is, it changes nothing.
    # - adopt: something else made it (written by argocd-controller); Berth changes single fields only, and never deletes it. If that is a GitOps tool, change its repository instead
    # - who may log in is in `overrides`, and stays as it is: cluster admins are not read. For Berth to prove a login, write an `identity` section in its place
    # - Secrets and ConfigMaps are named, not copied: a guest made anew elsewhere needs them there
    apiVersion: berth.dev/v1alpha1
    kind: GuestCluster
    metadata:
      annotations:
        example.com/owner: shop
      labels:
        team: shop
      name: shop
      namespace: prod
    spec:
      adopt: true
      autoscaling:
        maxNodesTotal: 12
        scaling: ScaleUpAndScaleDown
      controlPlane:
        etcd:
          size: 20Gi
        infrastructureAvailability: SingleReplica
      networking:
        clusterNetwork:
        - 10.200.0.0/16
        - fd01::/48
        serviceNetwork:
        - 172.30.0.0/16
        - fd02::/112
      nodePools:
      - autoRepair: true
        cores: 4
        inPlace:
          maxUnavailable: 10%
        memory: 16384Mi
        name: old
        nodePoolName: old
        overrides:
          platform:
            kubevirt:
              compute:
                qosClass: Burstable
          replicas: null
        release:
          image: quay.io/openshift-release-dev/ocp-release:4.16.3-multi
        replicas: 0
        rootVolume:
          cacheStrategy: None
        upgradeType: InPlace
      - cores: 4
        memory: 16384Mi
        name: shop
        nodePoolName: shop
        overrides:
          management:
            replace:
              rollingUpdate:
                maxSurge: 1
                maxUnavailable: 0
              strategy: RollingUpdate
          platform:
            kubevirt:
              compute:
                qosClass: Burstable
        replicas: 3
        rootVolume:
          cacheStrategy: None
        taints:
        - effect: NoSchedule
          key: a
      - autoscaling:
          max: 4
          min: 1
        cores: 4
        drainTimeout: 0s
        memory: 16384Mi
        name: gpu
        overrides:
          management:
            replace:
              rollingUpdate:
                maxSurge: 1
                maxUnavailable: 0
              strategy: RollingUpdate
          platform:
            kubevirt:
              compute:
                qosClass: Burstable
        rootVolume:
          cacheStrategy: None
      olmCatalogPlacement: guest
      overrides:
        hostedCluster:
          configuration:
            featureGate:
              customNoUpgrade:
                enabled:
                - X
              featureSet: CustomNoUpgrade
            oauth:
              identityProviders:
              - name: corp
                type: LDAP
          services:
          - service: OAuthServer
            servicePublishingStrategy:
              type: Route
          - service: APIServer
            servicePublishingStrategy:
              nodePort:
                address: 192.0.2.1
                port: 30000
              type: NodePort
          - service: OIDC
            servicePublishingStrategy:
              type: Route
          - service: Konnectivity
            servicePublishingStrategy:
              type: Route
          - service: Ignition
            servicePublishingStrategy:
              type: Route
      pullSecret:
        secret: pull
      release:
        channel: stable-4.17
        image: quay.io/openshift-release-dev/ocp-release:4.17.0-multi
      services:
        apiServer:
          address: 192.0.2.1
          port: 30000
          type: NodePort
    ");
}

#[test]
fn guests_of_other_platforms_are_not_documents() {
    let cluster = json!({"metadata": {"name": "a"}, "spec": {"platform": {"type": "AWS"}}});
    let found = Found {
        cluster: &cluster,
        pools: &[],
        schemas: (None, None),
    };
    assert_eq!(document(&found), Err(ImportError::Platform("AWS".to_owned())));
}

/// A guest's login is Berth's own in one document, and an override in the next: nobody loses it by that.
#[test]
fn an_import_keeps_who_may_log_in() {
    let cluster = json!({
        "apiVersion": "hypershift.openshift.io/v1beta1", "kind": "HostedCluster",
        "metadata": { "name": "g", "namespace": "hcp" },
        "spec": {
            "release": { "image": "quay.io/openshift-release-dev/ocp-release:4.17.0-multi" },
            "pullSecret": { "name": "pull" },
            "platform": { "type": "KubeVirt" },
            "configuration": { "oauth": { "identityProviders": [{ "name": "hub", "type": "GitHub" }] } },
        },
    });
    let found = Found {
        cluster: &cluster,
        pools: &[],
        schemas: (None, None),
    };
    let text = document(&found).expect("a document");
    assert!(text.contains("# - who may log in is in `overrides`"), "{text}");
    let source = Source {
        path: "import.yaml".into(),
        text,
    };
    let nothing = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    let guest = berth_api::load(vec![source], &nothing, &|_| None)
        .expect("well-formed")
        .guests
        .remove(0);
    let overridden = &guest.spec.overrides.hosted_cluster["configuration"]["oauth"]["identityProviders"];
    assert_eq!(overridden[0]["name"], "hub");
}
