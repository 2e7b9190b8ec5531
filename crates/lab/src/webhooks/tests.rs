//! The webhooks in a world: what they fill in and refuse, through every verb, and while nobody answers.

use berth_apiserver::Random;
use serde_json::{Value, json};

use super::defaults;
use crate::generation::Generation;

fn filled(generation: Generation, spec: &Value) -> Value {
    let object = json!({ "metadata": { "name": "guest" }, "spec": spec });
    defaults::of_hosted_cluster(&object, generation, &Random::seeded(1))["spec"].take()
}

#[test]
fn a_hosted_cluster_gets_all_that_can_be_left_out() {
    let bare = || json!({ "platform": { "type": "KubeVirt" }, "release": { "image": "" } });
    let spec = filled(Generation::V4_17, &bare());
    let image = "quay.io/openshift-release-dev/ocp-release:4.17.9-multi";
    assert_eq!(spec["release"]["image"], image);
    assert_eq!(spec["platform"]["kubevirt"]["baseDomainPassthrough"], true);
    assert_eq!(
        spec["platform"]["kubevirt"]["generateID"].as_str().map(str::len),
        Some(10)
    );
    assert_eq!(spec["networking"], json!({ "networkType": "OVNKubernetes" }));
    let services: Vec<String> = (spec["services"].as_array().unwrap().iter())
        .map(|entry| format!("{}={}", entry["service"], entry["servicePublishingStrategy"]["type"]).replace('"', ""))
        .collect();
    assert_eq!(
        services,
        [
            "APIServer=LoadBalancer",
            "Ignition=Route",
            "Konnectivity=Route",
            "OAuthServer=Route"
        ]
    );
    let spec = filled(Generation::Current, &bare());
    assert_eq!(spec["networking"]["allocateNodeCIDRs"], "Disabled");
}

#[test]
fn what_is_given_stays_but_for_passthrough_without_a_domain() {
    let given = json!({
        "release": { "image": "quay.io/x:4.17.0-multi" },
        "dns": { "baseDomain": "example.com" },
        "networking": { "networkType": "Other", "allocateNodeCIDRs": "Enabled" },
        "platform": { "type": "KubeVirt", "kubevirt": { "generateID": "abc", "baseDomainPassthrough": false } },
        "services": [
            { "service": "OAuthServer", "servicePublishingStrategy": { "type": "NodePort" } },
            { "service": "APIServer", "servicePublishingStrategy": { "type": "NodePort" } },
        ],
    });
    let spec = filled(Generation::Current, &given);
    for field in ["release", "dns", "networking", "platform"] {
        assert_eq!(spec[field], given[field], "{field}");
    }
    assert_eq!(spec["services"].as_array().map(Vec::len), Some(4));
    assert_eq!(spec["services"][0], given["services"][0]);

    let mut without_domain = given;
    without_domain["dns"]["baseDomain"] = "".into();
    let spec = filled(Generation::Current, &without_domain);
    assert_eq!(spec["platform"]["kubevirt"]["baseDomainPassthrough"], true);

    let other = filled(
        Generation::V4_17,
        &json!({ "platform": { "type": "Agent" }, "release": { "image": "x" } }),
    );
    assert_eq!(
        other,
        json!({ "platform": { "type": "Agent" }, "release": { "image": "x" } })
    );
}

#[test]
fn what_is_of_the_wrong_type_is_left_to_the_schema() {
    let kubevirt = |fields: Value| {
        let mut spec = json!({ "platform": { "type": "KubeVirt", "kubevirt": {} }, "release": { "image": "x" } });
        for (field, value) in fields.as_object().expect("fields") {
            spec[field] = value.clone();
        }
        spec
    };
    for (spec, field) in [
        (json!("x"), ""),
        (json!([]), ""),
        (json!({ "release": "quay.io/x:4.17.0-multi" }), "release"),
        (kubevirt(json!({ "networking": [] })), "networking"),
        (kubevirt(json!({ "services": "all" })), "services"),
        (
            kubevirt(json!({ "platform": { "type": "KubeVirt", "kubevirt": 1 } })),
            "platform",
        ),
        (kubevirt(json!({ "dns": "example.com" })), "dns"),
    ] {
        for generation in [Generation::V4_17, Generation::Current] {
            let filled = filled(generation, &spec);
            if field.is_empty() {
                assert_eq!(filled, spec);
            } else {
                assert_eq!(filled[field], spec[field], "{spec}");
            }
        }
    }
}
