//! What the operator makes for a HostedCluster: the control-plane namespace, the HostedControlPlane, the Cluster API
//! objects, and the Deployments that drive both. What is copied there is in `copies`.

use serde_json::{Map, Value, json};

use crate::actor::{Context, Key};
use crate::client::{Client, Result};
use crate::kind::{CLUSTER, DEPLOYMENT, HOSTED_CONTROL_PLANE, KUBEVIRT_CLUSTER, NAMESPACE};
use crate::objects::{annotation, ensure, merge, replacement, write_status};

use super::super::components::{
    CAPI_PROVIDER, CLUSTER_API, CONTROL_PLANE_OPERATOR, DEBUGGED, deployment, template_patch, unless_debugged,
};
use super::super::names::{CLUSTER_ANNOTATION, COMPONENT_FINALIZER, FINALIZER, control_plane_namespace, qualified};
use super::copies;
use super::upgrade::control_plane_image;

/// Fields of the HostedCluster that its control plane has under the same name.
const SHARED_FIELDS: [&str; 25] = [
    "additionalTrustBundle",
    "auditWebhook",
    "autoscaling",
    "capabilities",
    "channel",
    "clusterID",
    "configuration",
    "controllerAvailabilityPolicy",
    "dns",
    "etcd",
    "fips",
    "imageContentSources",
    "infraID",
    "infrastructureAvailabilityPolicy",
    "issuerURL",
    "kubeAPIServerDNSName",
    "labels",
    "monitoring",
    "networking",
    "nodeSelector",
    "olmCatalogPlacement",
    "operatorConfiguration",
    "pausedUntil",
    "platform",
    "tolerations",
];

/// Makes what is missing, in the order in which the parts need one another. The error is what stopped the operator.
pub(super) async fn everything(
    context: &Context,
    key: &Key,
    hosted_cluster: &Value,
    control_plane: Option<&Value>,
) -> Result<Result<(), String>> {
    let client = &context.client;
    let namespace = control_plane_namespace(key);
    ensure(client, NAMESPACE, &namespace_object(key, &namespace)).await?;
    copies::of_secrets(client, key, hosted_cluster, &namespace).await?;
    if let Err(problem) = copies::of_configuration(client, key, hosted_cluster, &namespace).await? {
        return Ok(Err(problem));
    }
    let wanted = hosted_control_plane(key, hosted_cluster, &namespace);
    let Some(control_plane) = control_plane else {
        client.create(HOSTED_CONTROL_PLANE, &wanted).await?;
        return Ok(Ok(()));
    };
    let patch = json!({
        "metadata": { "annotations": { DEBUGGED: annotation(hosted_cluster, DEBUGGED) } },
        "spec": control_plane_patch(control_plane, &wanted),
    });
    merge(client, HOSTED_CONTROL_PLANE, control_plane, &patch).await?;
    cluster_objects(context, key, hosted_cluster, &namespace).await?;
    for component in [CONTROL_PLANE_OPERATOR, CLUSTER_API, CAPI_PROVIDER] {
        let replicas = unless_debugged(component.name, component.replicas(control_plane), hosted_cluster);
        let mut object = deployment(&component, control_plane, replicas);
        object["metadata"]["annotations"] = json!({ CLUSTER_ANNOTATION: qualified(key) });
        if component.name != CONTROL_PLANE_OPERATOR.name {
            object["metadata"]["finalizers"] = json!([COMPONENT_FINALIZER]);
        }
        match client.get(DEPLOYMENT, Some(&namespace), component.name).await? {
            None => {
                client.create(DEPLOYMENT, &object).await?;
            }
            Some(found) => {
                let mut patch = template_patch(&found, &object);
                patch["spec"]["replicas"] = replicas.into();
                merge(client, DEPLOYMENT, &found, &patch).await?;
            }
        }
    }
    Ok(Ok(()))
}

/// What has to change of a control plane's spec. What the HostedCluster has no longer goes, at any depth.
fn control_plane_patch(control_plane: &Value, wanted: &Value) -> Value {
    let (found, wanted) = (&control_plane["spec"], &wanted["spec"]);
    let mut patch = json!({});
    for field in SHARED_FIELDS.into_iter().chain([
        "releaseImage",
        "controlPlaneReleaseImage",
        "services",
        "pullSecret",
        "sshKey",
        "secretEncryption",
    ]) {
        if let Some(change) = replacement(&found[field], &wanted[field]) {
            patch[field] = change;
        }
    }
    patch
}

/// A pause reaches the control plane and Cluster API, though nothing else is done.
pub(super) async fn pause(
    client: &Client,
    key: &Key,
    hosted_cluster: &Value,
    control_plane: Option<&Value>,
) -> Result<()> {
    if let Some(control_plane) = control_plane {
        let patch = json!({ "spec": { "pausedUntil": hosted_cluster["spec"]["pausedUntil"] } });
        merge(client, HOSTED_CONTROL_PLANE, control_plane, &patch).await?;
    }
    pause_machines(client, key, hosted_cluster, true).await
}

/// Tells Cluster API to leave the cluster's machines alone, or to go on.
pub(super) async fn pause_machines(client: &Client, key: &Key, hosted_cluster: &Value, paused: bool) -> Result<()> {
    let namespace = control_plane_namespace(key);
    let infra_id = hosted_cluster["spec"]["infraID"].as_str().unwrap_or_default();
    if let Some(cluster) = client.get(CLUSTER, Some(&namespace), infra_id).await?
        && cluster["spec"]["paused"].as_bool().unwrap_or(false) != paused
    {
        merge(client, CLUSTER, &cluster, &json!({ "spec": { "paused": paused } })).await?;
    }
    Ok(())
}

fn namespace_object(key: &Key, namespace: &str) -> Value {
    json!({
        "metadata": {
            "name": namespace,
            "annotations": { CLUSTER_ANNOTATION: qualified(key) },
            "labels": {
                "hypershift.openshift.io/hosted-control-plane": "true",
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/audit": "restricted",
                "pod-security.kubernetes.io/warn": "restricted",
                "security.openshift.io/scc.podSecurityLabelSync": "false",
            },
        },
    })
}

fn hosted_control_plane(key: &Key, hosted_cluster: &Value, namespace: &str) -> Value {
    let from = &hosted_cluster["spec"];
    let mut spec = Map::new();
    for field in SHARED_FIELDS {
        if !from[field].is_null() {
            spec.insert(field.to_owned(), from[field].clone());
        }
    }
    spec.insert("releaseImage".to_owned(), from["release"]["image"].clone());
    if from["controlPlaneRelease"].is_object() {
        spec.insert(
            "controlPlaneReleaseImage".to_owned(),
            control_plane_image(hosted_cluster).clone(),
        );
    }
    spec.insert("services".to_owned(), from["services"].clone());
    spec.insert("pullSecret".to_owned(), json!({ "name": "pull-secret" }));
    let has_ssh_key = from["sshKey"]["name"].as_str().is_some_and(|name| !name.is_empty());
    spec.insert(
        "sshKey".to_owned(),
        if has_ssh_key {
            json!({ "name": "ssh-key" })
        } else {
            json!({})
        },
    );
    spec.insert("secretEncryption".to_owned(), from["secretEncryption"].clone());
    json!({
        "metadata": {
            "name": key.name,
            "namespace": namespace,
            "annotations": { CLUSTER_ANNOTATION: qualified(key) },
            "finalizers": [FINALIZER],
            "labels": { "cluster.x-k8s.io/cluster-name": from["infraID"] },
        },
        "spec": spec,
    })
}

/// The Cluster of Cluster API and its infrastructure, which HyperShift itself declares ready.
async fn cluster_objects(context: &Context, key: &Key, hosted_cluster: &Value, namespace: &str) -> Result<()> {
    let client = &context.client;
    let infra_id = &hosted_cluster["spec"]["infraID"];
    let metadata = |annotations: Value| json!({ "name": infra_id, "namespace": namespace, "annotations": annotations });
    let infrastructure = json!({
        "metadata": metadata(json!({
            CLUSTER_ANNOTATION: qualified(key),
            "cluster.x-k8s.io/managed-by": "external",
        })),
        "spec": {},
    });
    let name = infra_id.as_str().unwrap_or_default();
    match client.get(KUBEVIRT_CLUSTER, Some(namespace), name).await? {
        None => {
            client.create(KUBEVIRT_CLUSTER, &infrastructure).await?;
        }
        Some(found) => {
            write_status(client, KUBEVIRT_CLUSTER, &found, &json!({ "ready": true })).await?;
        }
    }
    let cluster = json!({
        "metadata": metadata(json!({ CLUSTER_ANNOTATION: qualified(key) })),
        "spec": {
            "controlPlaneEndpoint": { "host": "", "port": 0 },
            "controlPlaneRef": {
                "apiVersion": HOSTED_CONTROL_PLANE.api_version(),
                "kind": HOSTED_CONTROL_PLANE.kind,
                "name": key.name,
                "namespace": namespace,
            },
            "infrastructureRef": {
                "apiVersion": KUBEVIRT_CLUSTER.api_version(),
                "kind": KUBEVIRT_CLUSTER.kind,
                "name": infra_id,
                "namespace": namespace,
            },
        },
    });
    ensure(client, CLUSTER, &cluster).await?;
    pause_machines(client, key, hosted_cluster, false).await
}
