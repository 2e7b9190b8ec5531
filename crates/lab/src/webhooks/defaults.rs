//! What the webhooks fill in when an object is created. Values in, values out.

use berth_apiserver::{AdmissionRequest, Random, Refusal};
use serde_json::{Map, Value, json};

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
    fill(&mut object, &["spec", "release", "image"], || {
        newest_release(generation).into()
    });
    if generation.is_current() {
        fill(&mut object, &["spec", "networking", "allocateNodeCIDRs"], || {
            "Disabled".into()
        });
    }
    if object["spec"]["platform"]["type"] != "KubeVirt" {
        return object;
    }
    let kubevirt = ["spec", "platform", "kubevirt"];
    fill(&mut object, &[&kubevirt[..], &["generateID"]].concat(), || {
        random.suffix(GENERATE_ID_LENGTH).into()
    });
    // Whatever was asked for: without a domain of its own a cluster can only have the hub's.
    if is_empty(&object["spec"]["dns"]["baseDomain"])
        && let Some(kubevirt) = parent(&mut object, &kubevirt)
    {
        kubevirt.insert("baseDomainPassthrough".to_owned(), true.into());
    }
    fill(&mut object, &["spec", "networking", "networkType"], || {
        "OVNKubernetes".into()
    });
    let services = &object["spec"]["services"];
    if services.is_null() || services.is_array() {
        let mut services = services.as_array().cloned().unwrap_or_default();
        for (service, strategy) in SERVICES {
            if !services.iter().any(|entry| entry["service"] == service) {
                services.push(json!({ "service": service, "servicePublishingStrategy": { "type": strategy } }));
            }
        }
        object["spec"]["services"] = services.into();
    }
    object
}

/// A NodePool with all that can be left out.
pub(super) fn of_node_pool(request: &AdmissionRequest<'_>) -> Result<Value, Refusal> {
    let mut object = request.object.clone();
    if is_empty(&object["spec"]["release"]["image"]) {
        let image = image_of_cluster(request)?;
        fill(&mut object, &["spec", "release", "image"], || image);
    }
    if object["spec"]["platform"]["type"] != "KubeVirt" {
        return Ok(object);
    }
    fill(&mut object, &["spec", "platform", "kubevirt"], || json!({}));
    if is_empty(&object["spec"]["management"]["upgradeType"])
        && let Some(management) = parent(&mut object, &["spec", "management"])
    {
        management.insert("upgradeType".to_owned(), "Replace".into());
        management.insert("replace".to_owned(), json!({}));
    }
    Ok(object)
}

/// Sets a field that is absent or an empty text. What is of another type on the way stays, for the schema to refuse.
fn fill(object: &mut Value, path: &[&str], value: impl FnOnce() -> Value) {
    let Some((last, above)) = path.split_last() else {
        return;
    };
    if let Some(fields) = parent(object, above)
        && fields.get(*last).is_none_or(|there| there.is_null() || there == "")
    {
        fields.insert((*last).to_owned(), value());
    }
}

/// The object at a path, made where it is absent; `None` where something on the way is no object.
fn parent<'a>(object: &'a mut Value, path: &[&str]) -> Option<&'a mut Map<String, Value>> {
    let mut at = object;
    for step in path {
        at = at.as_object_mut()?.entry(*step).or_insert(Value::Null);
        if at.is_null() {
            *at = json!({});
        }
    }
    at.as_object_mut()
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
