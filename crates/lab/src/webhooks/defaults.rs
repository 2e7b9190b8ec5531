//! What the webhooks fill in when an object is created. Values in, values out.

use berth_apiserver::{AdmissionRequest, Random, Refusal};
use serde_json::{Value, json};

use crate::generation::Generation;
use crate::kind::HOSTED_CLUSTER;

/// How long a generateID is.
const GENERATE_ID_LENGTH: usize = 10;

/// How each service is published where nothing is said of it.
const SERVICES: [(&str, &str); 4] = [
    ("APIServer", "LoadBalancer"),
    ("Ignition", "Route"),
    ("Konnectivity", "Route"),
    ("OAuthServer", "Route"),
];

/// A HostedCluster with all that can be left out.
pub(super) fn of_hosted_cluster(hosted_cluster: &Value, generation: Generation, random: &Random) -> Value {
    let mut object = hosted_cluster.clone();
    let spec = &mut object["spec"];
    if is_empty(&spec["release"]["image"]) {
        spec["release"]["image"] = newest_release(generation).into();
    }
    if generation.is_current() && is_empty(&spec["networking"]["allocateNodeCIDRs"]) {
        spec["networking"]["allocateNodeCIDRs"] = "Disabled".into();
    }
    if spec["platform"]["type"] != "KubeVirt" {
        return object;
    }
    if is_empty(&spec["platform"]["kubevirt"]["generateID"]) {
        spec["platform"]["kubevirt"]["generateID"] = random.suffix(GENERATE_ID_LENGTH).into();
    }
    // Whatever was asked for: without a domain of its own a cluster can only have the hub's.
    if is_empty(&spec["dns"]["baseDomain"]) {
        spec["platform"]["kubevirt"]["baseDomainPassthrough"] = true.into();
    }
    if is_empty(&spec["networking"]["networkType"]) {
        spec["networking"]["networkType"] = "OVNKubernetes".into();
    }
    let mut services = spec["services"].as_array().cloned().unwrap_or_default();
    for (service, strategy) in SERVICES {
        if !services.iter().any(|entry| entry["service"] == service) {
            services.push(json!({ "service": service, "servicePublishingStrategy": { "type": strategy } }));
        }
    }
    spec["services"] = services.into();
    object
}

/// A NodePool with all that can be left out.
pub(super) fn of_node_pool(request: &AdmissionRequest<'_>) -> Result<Value, Refusal> {
    let mut object = request.object.clone();
    let spec = &mut object["spec"];
    if is_empty(&spec["release"]["image"]) {
        spec["release"]["image"] = image_of_cluster(request)?;
    }
    if spec["platform"]["type"] != "KubeVirt" {
        return Ok(object);
    }
    if spec["platform"]["kubevirt"].is_null() {
        spec["platform"]["kubevirt"] = json!({});
    }
    if is_empty(&spec["management"]["upgradeType"]) {
        spec["management"]["upgradeType"] = "Replace".into();
        spec["management"]["replace"] = json!({});
    }
    Ok(object)
}

fn image_of_cluster(request: &AdmissionRequest<'_>) -> Result<Value, Refusal> {
    let name = request.object["spec"]["clusterName"].as_str().unwrap_or_default();
    if name.is_empty() {
        return Err(Refusal::denied("nodePool.Spec.ClusterName is a required field"));
    }
    let (group, plural) = (HOSTED_CLUSTER.group, HOSTED_CLUSTER.plural);
    let cluster = request.objects.get(group, plural, Some(request.namespace), name);
    let missing = || {
        Refusal::denied(format!(
            "error retrieving HostedCluster named [{name}], {}.{group} \"{name}\" not found",
            HOSTED_CLUSTER.kind
        ))
    };
    Ok(cluster.ok_or_else(missing)?["spec"]["release"]["image"].take())
}

/// The real one asks the release controller on the internet; a lab's releases have the patches 0 to 9.
fn newest_release(generation: Generation) -> String {
    let minor = generation.versions().guests.first().copied().unwrap_or_default();
    format!("quay.io/openshift-release-dev/ocp-release:{minor}.9-multi")
}

fn is_empty(value: &Value) -> bool {
    value.as_str().unwrap_or_default().is_empty()
}
