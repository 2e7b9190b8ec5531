//! What the operator's first passes write back into a HostedCluster's spec. What its webhook fills in is there by then.

use std::time::Duration;

use serde_json::{Value, json};

use crate::actor::{Context, Key, Next};
use crate::client::{Client, Result};
use crate::kind::{HOSTED_CLUSTER, INFRASTRUCTURE, ROUTE, SECRET};
use crate::objects::{self, annotation, ensure, merge, owner};

use super::super::names::{CLUSTER_ANNOTATION, FINALIZER, qualified};

/// The suffix alphabet is also that of generateID.
const GENERATE_ID_LENGTH: usize = 10;
const TEMPORARY_ROUTE: &str = "kubevirt-infra-temp-route";
/// Upstream fails and tries again while the Route has no host.
const ROUTE_RETRY: Duration = Duration::from_secs(1);
const HAS_BEEN_AVAILABLE: &str = "hypershift.openshift.io/HasBeenAvailable";
const MANAGEMENT_PLATFORM: &str = "hypershift.openshift.io/management-platform";

/// Completes the spec, a step a pass as the operator does. When to come again, where something was written or is waited for.
pub(super) async fn complete(context: &Context, key: &Key, hosted_cluster: &Value) -> Result<Option<Next>> {
    let client = &context.client;
    if needs_base_domain(hosted_cluster) {
        return find_base_domain(client, key, hosted_cluster).await.map(Some);
    }
    let mut patch = json!({});
    let platform = &hosted_cluster["spec"]["platform"];
    if platform["type"] == "KubeVirt" && is_empty(&platform["kubevirt"]["generateID"]) {
        patch["spec"]["platform"]["kubevirt"]["generateID"] = context.random.suffix(GENERATE_ID_LENGTH).into();
    }
    if hosted_cluster["spec"]["secretEncryption"].is_null() {
        patch["spec"]["secretEncryption"] = make_encryption_key(context, key, hosted_cluster).await?;
    }
    if annotation(hosted_cluster, MANAGEMENT_PLATFORM).is_none()
        && let Some(infrastructure) = client.get(INFRASTRUCTURE, None, "cluster").await?
    {
        let platform = infrastructure["status"]["platform"].as_str().unwrap_or("None");
        patch["metadata"]["annotations"][MANAGEMENT_PLATFORM] = platform.into();
    }
    let is_written = patch != json!({}) && merge(client, HOSTED_CLUSTER, hosted_cluster, &patch).await?;
    Ok(is_written.then_some(Next::OnEvent))
}

/// Gives the cluster its ids, which a paused one does not get. False where one was missing.
pub(super) async fn identify(context: &Context, key: &Key, hosted_cluster: &Value) -> Result<bool> {
    let mut patch = json!({});
    for (field, make) in [
        ("clusterID", uuid as fn(&Context, &Key) -> String),
        ("infraID", infra_id),
    ] {
        if is_empty(&hosted_cluster["spec"][field]) {
            patch["spec"][field] = make(context, key).into();
        }
    }
    Ok(patch == json!({}) || !merge(&context.client, HOSTED_CLUSTER, hosted_cluster, &patch).await?)
}

/// Adds the finalizer; false where it was missing, for then the object has just changed.
pub(super) async fn add_finalizer(client: &Client, hosted_cluster: &Value) -> Result<bool> {
    Ok(!objects::add_finalizer(client, HOSTED_CLUSTER, hosted_cluster, FINALIZER).await?)
}

/// Notes once that the cluster was available.
pub(super) async fn remember_availability(client: &Client, hosted_cluster: &Value, status: &Value) -> Result<()> {
    let available = crate::conditions::is_true(&json!({ "status": status }), "Available");
    if available {
        let patch = json!({ "metadata": { "annotations": { HAS_BEEN_AVAILABLE: "true" } } });
        merge(client, HOSTED_CLUSTER, hosted_cluster, &patch).await?;
    }
    Ok(())
}

fn needs_base_domain(hosted_cluster: &Value) -> bool {
    let spec = &hosted_cluster["spec"];
    spec["platform"]["kubevirt"]["baseDomainPassthrough"] == true && is_empty(&spec["dns"]["baseDomain"])
}

/// Learns the management cluster's apps domain from the host that a Route gets, then drops the Route. All clusters of a
/// namespace share it, and its events wake only the one that made it: so the others come again by themselves.
async fn find_base_domain(client: &Client, key: &Key, hosted_cluster: &Value) -> Result<Next> {
    let Some(route) = client.get(ROUTE, key.namespace(), TEMPORARY_ROUTE).await? else {
        let route = json!({
            "metadata": {
                "name": TEMPORARY_ROUTE,
                "namespace": key.namespace(),
                "annotations": { CLUSTER_ANNOTATION: qualified(key) },
            },
            "spec": {
                "to": { "kind": "Service", "name": "kubevirt-infra-fake-service" },
                "port": { "targetPort": 80 },
            },
        });
        // Another cluster may have made it meanwhile: then it is not this one that its events wake.
        let is_own = client.create(ROUTE, &route).await?;
        return Ok(if is_own {
            Next::OnEvent
        } else {
            Next::After(ROUTE_RETRY)
        });
    };
    let host = route["spec"]["host"]
        .as_str()
        .or(route["status"]["ingress"][0]["host"].as_str())
        .unwrap_or_default();
    let Some((_, domain)) = host.split_once('.') else {
        return Ok(Next::After(ROUTE_RETRY));
    };
    let patch = json!({ "spec": { "dns": { "baseDomain": domain } } });
    merge(client, HOSTED_CLUSTER, hosted_cluster, &patch).await?;
    client.delete(ROUTE, key.namespace(), TEMPORARY_ROUTE).await?;
    Ok(Next::OnEvent)
}

/// The Secret that encrypts etcd's content, for a HostedCluster that names none. The name is fixed and the Secret never
/// replaced, so a kill between here and the patch of the spec makes no second key.
async fn make_encryption_key(context: &Context, key: &Key, hosted_cluster: &Value) -> Result<Value> {
    use base64::Engine;
    let name = format!("{}-etcd-encryption-key", key.name);
    let bytes = context.random.bytes(32);
    let secret = json!({
        "metadata": {
            "name": name,
            "namespace": key.namespace(),
            "ownerReferences": [owner(HOSTED_CLUSTER, hosted_cluster)],
        },
        "type": "Opaque",
        "data": { "key": base64::prelude::BASE64_STANDARD.encode(bytes) },
    });
    ensure(&context.client, SECRET, &secret).await?;
    Ok(json!({ "type": "aescbc", "aescbc": { "activeKey": { "name": name } } }))
}

fn uuid(context: &Context, _: &Key) -> String {
    context.random.uuid()
}

fn infra_id(context: &Context, key: &Key) -> String {
    let name: String = key
        .name
        .chars()
        .map(|c| if c == '.' { '-' } else { c })
        .take(21)
        .collect();
    format!("{}-{}", name.trim_end_matches('-'), context.random.suffix(5))
}

fn is_empty(value: &Value) -> bool {
    value.as_str().unwrap_or_default().is_empty()
}
