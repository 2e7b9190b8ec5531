use serde_json::json;

use super::*;

/// Every field that can be written says what it becomes, or is one of those that become something of another shape.
#[test]
fn every_field_of_a_document_has_its_place_upstream() {
    // What comes from a file or the environment, what only Berth reads, and what is rendered by hand.
    let ours = [
        "spec.adopt",
        "spec.access",
        // Rendered kind by kind, with golden objects beside that code.
        "spec.identity",
        "spec.overrides",
        "spec.nodePools[].overrides",
        "spec.nodePools[].name",
        // One text as a whole.
        "spec.machinePatches[]",
        "spec.nodePools[].machinePatches[]",
    ];
    let mut without = Vec::new();
    for field in schema::fields(schema::guest_cluster()) {
        let is_source = [".file", ".env", ".value"].iter().any(|end| field.path.ends_with(end));
        let is_ours = !field.path.starts_with("spec.") || ours.iter().any(|ours| field.path.starts_with(ours));
        if field.becomes.is_empty() && field.is_leaf && !is_source && !is_ours {
            without.push(field.path);
        }
    }
    assert_eq!(without, Vec::<String>::new());
}

#[test]
fn what_an_object_says_becomes_a_document_and_the_object_again() {
    let cluster = json!({
        "spec": {
            "release": {"image": "quay.io/a:1"}, "channel": "stable-4.17",
            "configuration": {
                "proxy": {"httpProxy": "http://p:1", "noProxy": ".svc,10.0.0.0/8", "trustedCA": {"name": "ca"}},
                "apiServer": {"audit": {"profile": "AllRequestBodies", "customRules": [{"group": "g", "profile": "None"}]},
                    "servingCerts": {"namedCertificates": [{"names": ["a.example.com"], "servingCertificate": {"name": "s"}}]}},
                "network": {"externalIP": {"policy": {"allowedCIDRs": ["192.0.2.0/24"]}}},
            },
            "networking": {"clusterNetwork": [{"cidr": "10.4.0.0/14", "hostPrefix": 24}], "allocateNodeCIDRs": "Enabled"},
            "services": [{"service": "APIServer", "servicePublishingStrategy": {"type": "Route", "route": {"hostname": "api.example.com"}}}],
            "tolerations": [{"key": "k", "operator": "Exists"}],
            "secretEncryption": {"type": "aescbc", "aescbc": {"activeKey": {"name": "new"}, "backupKey": {"name": "old"}}},
            "autoscaling": {"maxNodesTotal": 9, "scaleDown": {"delayAfterAddSeconds": 60}, "expanders": ["Priority"]},
        },
        "metadata": {"annotations": {"hypershift.openshift.io/kubevirt-vm-jsonpatch": "[{\"op\":\"remove\",\"path\":\"/spec/a\"}]"}},
    });
    let document = spec_of_hosted_cluster(&cluster);
    assert_eq!(
        Value::from(document),
        json!({
            "release": {"image": "quay.io/a:1", "channel": "stable-4.17"},
            "proxy": {"httpProxy": "http://p:1", "noProxy": [".svc", "10.0.0.0/8"], "trustedCA": "ca"},
            "controlPlane": {
                "apiServer": {
                    "audit": {"profile": "AllRequestBodies", "customRules": [{"group": "g", "profile": "None"}]},
                    "servingCerts": [{"names": ["a.example.com"], "secret": "s"}],
                },
                "tolerations": [{"key": "k", "operator": "Exists"}],
                "encryption": {"activeKey": "new", "backupKey": "old"},
            },
            "networking": {
                "clusterNetwork": ["10.4.0.0/14"], "hostPrefix": 24, "allocateNodeCIDRs": true,
                "externalIP": {"allowedCIDRs": ["192.0.2.0/24"]},
            },
            "services": {"apiServer": {"type": "Route", "hostname": "api.example.com"}},
            "autoscaling": {"maxNodesTotal": 9, "scaleDown": {"delayAfterAddSeconds": 60}, "expanders": ["Priority"]},
            "machinePatches": [{"op": "remove", "path": "/spec/a"}],
        })
    );
}

#[test]
fn what_is_left_out_or_a_default_asks_for_nothing() {
    let spec: GuestClusterSpec = serde_json::from_value(json!({
        "release": {"image": "quay.io/a:1"}, "pullSecret": {"file": "p"}, "nodePools": [{"name": "w"}],
    }))
    .unwrap();
    assert_eq!(
        hosted_cluster_fields(&spec),
        [("spec.release.image".to_owned(), json!("quay.io/a:1"))]
    );
    assert_eq!(node_pool_fields(&spec.node_pools[0]), []);
}

#[test]
fn lists_maps_words_and_patches_are_written_as_upstream_has_them() {
    let pool: NodePool = serde_json::from_value(json!({
        "name": "w", "networkMultiqueue": false, "config": ["a", "b"], "nodeLabels": {"x.io/y": "z"},
        "replace": {"maxSurge": "25%", "maxUnavailable": 1}, "hostDevices": [{"name": "gpu"}],
        "healthCheck": {"timeout": "12m", "maxUnhealthy": 3},
        "machinePatches": [{"op": "add", "path": "/spec/x", "value": {"y": 1}}],
    }))
    .unwrap();
    let mut object = json!({});
    for (path, value) in node_pool_fields(&pool) {
        set_field(&mut object, &path, value);
    }
    assert_eq!(
        object,
        json!({
            "metadata": {"annotations": {
                "hypershift.openshift.io/kubevirt-vm-jsonpatch": "[{\"op\":\"add\",\"path\":\"/spec/x\",\"value\":{\"y\":1}}]",
                "hypershift.openshift.io/machine-health-check-timeout": "12m0s",
                "hypershift.openshift.io/machine-health-check-max-unhealthy": "3",
            }},
            "spec": {
                "config": [{"name": "a"}, {"name": "b"}],
                "management": {"replace": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}}},
                "nodeLabels": {"x.io/y": "z"},
                "platform": {"kubevirt": {
                    "hostDevices": [{"deviceName": "gpu"}], "networkInterfaceMultiqueue": "Disable",
                }},
            },
        })
    );
}
