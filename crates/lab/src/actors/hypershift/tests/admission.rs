//! What the webhooks and the schemas of HyperShift fill in and refuse, in a world with its operator.

use serde_json::{Value, json};

use super::support::{CONTROL_PLANE, IMAGE, Lab, condition};
use crate::actors::testing::upstream_crds;
use crate::client::Result;
use crate::conditions;
use crate::generation::Generation;
use crate::kind::{
    DEPLOYMENT, HOSTED_CLUSTER, Kind, MUTATING_WEBHOOK_CONFIGURATION, NODE_POOL, VALIDATING_WEBHOOK_CONFIGURATION,
};
use crate::world::Faults;

const PATCHES: &str = "hypershift.openshift.io/kubevirt-vm-jsonpatch";

/// What a refusal says.
#[track_caller]
fn refusal<T: std::fmt::Debug>(answer: Result<T>) -> (u16, String) {
    match answer.unwrap_err() {
        kube::Error::Api(status) => (status.code, status.message.clone()),
        other => panic!("{other}"),
    }
}

async fn merge(lab: &Lab, kind: Kind, patch: Value) -> Result<Option<Value>> {
    lab.client.merge(kind, Some("hcp"), "guest", &patch).await
}

async fn scale_operator(lab: &Lab, replicas: u64) {
    let patch = json!({ "spec": { "replicas": replicas } });
    lab.client
        .merge(DEPLOYMENT, Some("hypershift"), "operator", &patch)
        .await
        .unwrap();
    lab.operator_has(replicas).await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_and_a_pool_that_say_next_to_nothing_are_completed_and_come_up() {
    for (generation, image) in [
        (
            Generation::V4_17,
            "quay.io/openshift-release-dev/ocp-release:4.17.9-multi",
        ),
        (
            Generation::Current,
            "quay.io/openshift-release-dev/ocp-release:5.1.9-multi",
        ),
    ] {
        let lab = Lab::start_of(generation, Faults::default(), Vec::new()).await;
        lab.allow_wildcards().await;
        let bare = json!({
            "release": { "image": "" },
            "management": {},
            "platform": { "type": "KubeVirt" },
        });
        let platform = json!({ "platform": { "type": "KubeVirt" }, "release": { "image": "" } });
        lab.create_guest_and_pool(platform, bare).await;
        let cluster = lab.get(HOSTED_CLUSTER, "guest").await;
        let pool = lab.get(NODE_POOL, "guest").await;
        assert_eq!(cluster["spec"]["release"]["image"], image);
        assert_eq!(pool["spec"]["release"]["image"], image);
        assert_eq!(pool["spec"]["management"]["upgradeType"], "Replace");
        assert_eq!(pool["spec"]["platform"]["kubevirt"]["compute"]["memory"], "8Gi");
        lab.wait_for(HOSTED_CLUSTER, "guest", "availability", |cluster| {
            conditions::is_true(cluster, "Available")
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_of_the_wrong_type_is_refused_by_the_schema() {
    let lab = Lab::start(Faults::default()).await;
    let refused = refusal(
        lab.try_create_guest(json!({ "release": "quay.io/x:4.17.0-multi" }))
            .await,
    );
    assert_eq!(refused.0, 422, "{refused:?}");
    assert!(refused.1.contains("spec.release"), "{refused:?}");
    lab.create_guest(json!({})).await;
    let mut pool = lab.get(NODE_POOL, "guest").await;
    pool["metadata"] = json!({ "name": "other", "namespace": "hcp" });
    pool["spec"]["management"] = "Replace".into();
    let refused = refusal(lab.client.create(NODE_POOL, &pool).await);
    assert_eq!(refused.0, 422, "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_patch_that_is_none_is_refused_in_every_verb() {
    let lab = Lab::start(Faults::default()).await;
    lab.create_guest(json!({})).await;
    let annotated = |text: &str| json!({ "metadata": { "annotations": { PATCHES: text } } });
    for kind in [HOSTED_CLUSTER, NODE_POOL] {
        let denied = format!(
            "admission webhook \"{}.hypershift.openshift.io\" denied the request: wrong json patch structure in the \
             \"{PATCHES}\" annotation: missing op field",
            kind.plural
        );
        let wrong = annotated(r#"[{"path":"/spec/a","value":1}]"#);
        assert_eq!(refusal(merge(&lab, kind, wrong.clone()).await), (403, denied.clone()));
        let mut whole = lab.get(kind, "guest").await;
        whole["metadata"] =
            json!({ "name": "guest", "namespace": "hcp", "annotations": wrong["metadata"]["annotations"] });
        assert_eq!(refusal(lab.client.apply(kind, &whole).await), (403, denied.clone()));
        whole["metadata"]["name"] = "other".into();
        assert_eq!(refusal(lab.client.create(kind, &whole).await), (403, denied));
        merge(&lab, kind, annotated(r#"[{"op":"remove","path":"/spec/a"}]"#))
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_without_an_image_needs_its_cluster() {
    let lab = Lab::start(Faults::default()).await;
    let pool = json!({
        "metadata": { "name": "early", "namespace": "hcp" },
        "spec": {
            "clusterName": "guest",
            "release": { "image": "" },
            "management": {},
            "platform": { "type": "KubeVirt" },
        },
    });
    let (code, message) = refusal(lab.client.create(NODE_POOL, &pool).await);
    assert_eq!(code, 403);
    assert!(
        message.ends_with(
            "error retrieving HostedCluster named [guest], HostedCluster.hypershift.openshift.io \"guest\" not found"
        ),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn without_pods_of_the_operator_the_failure_policy_decides() {
    let lab = Lab::start(Faults::default()).await;
    lab.create_guest(json!({})).await;
    scale_operator(&lab, 0).await;
    let patch = json!({ "spec": { "replicas": 2 } });
    let (code, message) = refusal(merge(&lab, NODE_POOL, patch.clone()).await);
    assert_eq!(code, 500);
    assert_eq!(
        message,
        "Internal error occurred: failed calling webhook \"nodepools.hypershift.openshift.io\": failed to call webhook: Post \
         \"https://operator.hypershift.svc:443/validate-hypershift-openshift-io-v1beta1-nodepool?timeout=15s\": no endpoints \
         available for service \"operator\""
    );
    // Nobody hears of statuses and deletions.
    assert!(lab.client.delete(NODE_POOL, Some("hcp"), "guest").await.unwrap());
    let mut configuration = lab
        .client
        .get(VALIDATING_WEBHOOK_CONFIGURATION, None, crate::webhooks::CONFIGURATION)
        .await
        .unwrap()
        .unwrap();
    for webhook in configuration["webhooks"].as_array_mut().unwrap() {
        webhook["failurePolicy"] = "Ignore".into();
    }
    let patch_of_policy = json!({ "webhooks": configuration["webhooks"] });
    let name = crate::webhooks::CONFIGURATION;
    lab.client
        .merge(VALIDATING_WEBHOOK_CONFIGURATION, None, name, &patch_of_policy)
        .await
        .unwrap();
    merge(&lab, HOSTED_CLUSTER, json!({ "metadata": { "labels": { "a": "b" } } }))
        .await
        .unwrap();
    // The other configuration still wants new objects to be heard of.
    let mut cluster = lab.get(HOSTED_CLUSTER, "guest").await;
    cluster["metadata"] = json!({ "name": "other", "namespace": "hcp" });
    assert_eq!(refusal(lab.client.create(HOSTED_CLUSTER, &cluster).await).0, 500);
    lab.client
        .delete(MUTATING_WEBHOOK_CONFIGURATION, None, name)
        .await
        .unwrap();
    lab.client.create(HOSTED_CLUSTER, &cluster).await.unwrap();
}

/// Edits that a server of a generation refuses, with what it says.
fn refused_edits(generation: Generation) -> Vec<(Kind, Value, &'static str)> {
    let kubevirt = |field: &str, value: Value| json!({ "spec": { "platform": { "kubevirt": { field: value } } } });
    let storage = |field: &str, value: Value| {
        let volume = json!({ "storage": { "persistentVolume": { field: value } } });
        json!({ "spec": { "etcd": { "managed": volume } } })
    };
    let features = |set: &str| json!({ "spec": { "configuration": { "featureGate": { "featureSet": set } } } });
    let mut edits = vec![
        (
            HOSTED_CLUSTER,
            json!({ "spec": { "services": [] } }),
            "Services is immutable. Changes might result in unpredictable and disruptive behavior.",
        ),
        (
            HOSTED_CLUSTER,
            storage("size", json!("16Gi")),
            "Etcd PV storage size is immutable",
        ),
        (
            HOSTED_CLUSTER,
            json!({ "spec": { "olmCatalogPlacement": "guest" } }),
            "OLMCatalogPlacement is immutable",
        ),
        (
            HOSTED_CLUSTER,
            kubevirt("generateID", json!("other")),
            "Kubevirt GenerateID is immutable once set",
        ),
        (
            HOSTED_CLUSTER,
            kubevirt("generateID", Value::Null),
            "Kubevirt GenerateID is required once set",
        ),
        (
            HOSTED_CLUSTER,
            kubevirt("baseDomainPassthrough", json!(false)),
            "baseDomainPassthrough is immutable",
        ),
        (
            HOSTED_CLUSTER,
            kubevirt("storageDriver", json!({ "type": "None" })),
            "storageDriver.Type is immutable",
        ),
        (HOSTED_CLUSTER, features(""), "TechPreviewNoUpgrade may not be changed"),
        (
            NODE_POOL,
            json!({ "spec": { "management": { "upgradeType": "InPlace" } } }),
            "UpgradeType is immutable",
        ),
        (NODE_POOL, json!({ "spec": { "arch": "ppc64le" } }), "Arch is immutable"),
        (
            NODE_POOL,
            json!({ "spec": { "clusterName": "other" } }),
            "ClusterName is immutable",
        ),
        (
            NODE_POOL,
            json!({ "spec": { "platform": { "type": "None" } } }),
            "Type is immutable",
        ),
        (
            NODE_POOL,
            json!({ "spec": { "autoScaling": { "min": 1, "max": 3 } } }),
            "Both replicas or autoScaling should not be set",
        ),
    ];
    if generation.is_current() {
        edits.extend(refused_by_current());
    }
    edits
}

/// What 4.17 takes.
fn refused_by_current() -> Vec<(Kind, Value, &'static str)> {
    let networks = |field: &str| json!({ "spec": { "networking": { field: [{ "cidr": "10.200.0.0/16" }] } } });
    let spec = |field: &str, value: Value| json!({ "spec": { field: value } });
    let volume = json!({ "storage": { "persistentVolume": { "storageClassName": "other" } } });
    vec![
        (
            HOSTED_CLUSTER,
            networks("clusterNetwork"),
            "clusterNetwork is immutable and cannot be modified once set.",
        ),
        (
            HOSTED_CLUSTER,
            networks("serviceNetwork"),
            "serviceNetwork is immutable and cannot be modified once set.",
        ),
        (
            HOSTED_CLUSTER,
            json!({ "spec": { "networking": { "allocateNodeCIDRs": "Enabled" } } }),
            "allocateNodeCIDRs is immutable and cannot be modified once set.",
        ),
        (HOSTED_CLUSTER, spec("infraID", json!("other")), "infraID is immutable"),
        (
            HOSTED_CLUSTER,
            spec("infraID", Value::Null),
            "infraID cannot be removed once set",
        ),
        (HOSTED_CLUSTER, spec("fips", json!(true)), "fips is immutable"),
        (
            HOSTED_CLUSTER,
            spec("issuerURL", json!("https://other.example.com")),
            "issuerURL is immutable",
        ),
        (
            HOSTED_CLUSTER,
            spec("controllerAvailabilityPolicy", json!("SingleReplica")),
            "ControllerAvailabilityPolicy is immutable",
        ),
        (
            HOSTED_CLUSTER,
            spec("capabilities", json!({ "disabled": ["Insights"] })),
            "Capabilities is immutable. Changes might result in unpredictable and disruptive behavior.",
        ),
        (
            HOSTED_CLUSTER,
            spec("secretEncryption", Value::Null),
            "secretEncryption cannot be removed once configured",
        ),
        (
            HOSTED_CLUSTER,
            spec("dns", json!({ "baseDomain": "example.com" })),
            "baseDomain is immutable",
        ),
        (
            HOSTED_CLUSTER,
            spec("etcd", json!({ "managed": volume })),
            "storageClassName is immutable",
        ),
        (
            HOSTED_CLUSTER,
            spec(
                "etcd",
                json!({ "managed": { "storage": { "restoreSnapshotURL": ["https://example.com/a"] } } }),
            ),
            "restoreSnapshotURL cannot be added or removed after creation",
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_edited_is_refused_in_the_words_of_the_generation() {
    for generation in Generation::ALL {
        let crds = [Some(Vec::new()), upstream_crds(generation)];
        for crds in crds.into_iter().flatten() {
            let whose = if crds.is_empty() { "the lab's" } else { "upstream's" };
            let lab = Lab::start_of(generation, Faults::default(), crds).await;
            lab.create_guest(json!({
                "fips": false,
                "platform": { "type": "KubeVirt", "kubevirt": { "storageDriver": { "type": "Default" } } },
                "configuration": { "featureGate": { "featureSet": "TechPreviewNoUpgrade" } },
            }))
            .await;
            lab.wait_for(HOSTED_CLUSTER, "guest", "its ids", |cluster| {
                cluster["spec"]["infraID"].is_string() && cluster["spec"]["secretEncryption"].is_object()
            })
            .await;
            for (kind, patch, message) in refused_edits(generation) {
                let (code, said) = refusal(merge(&lab, kind, patch.clone()).await);
                let what = format!("{generation}, {whose} schemas, {patch}: {said}");
                assert_eq!(code, 422, "{what}");
                assert!(said.contains(message), "{what}");
            }
            if !generation.is_current() {
                for (kind, patch, _) in refused_by_current() {
                    let dry = merge(&lab, kind, patch.clone()).await;
                    assert!(dry.is_ok(), "{generation}, {whose} schemas take {patch}: {dry:?}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_stays_out_of_what_is_not_its_own() {
    let lab = Lab::start(Faults::default()).await;
    lab.create_guest(json!({})).await;
    lab.wait_for(HOSTED_CLUSTER, "guest", "its first status", |cluster| {
        !condition(cluster, "Available").is_null()
    })
    .await;
    // An edit is not filled in: what is wrong is for the schema to say.
    let (code, message) = refusal(merge(&lab, NODE_POOL, json!({ "spec": { "release": { "image": "" } } })).await);
    assert_eq!(code, 422, "{message}");
    let control_plane = lab
        .client
        .list(crate::kind::HOSTED_CONTROL_PLANE, Some(CONTROL_PLANE), "")
        .await;
    assert_eq!(control_plane.unwrap()[0]["spec"]["releaseImage"], IMAGE);
}
