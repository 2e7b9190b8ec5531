//! What the operator makes for a HostedCluster: the control-plane namespace with copies of the Secrets, the
//! HostedControlPlane, the Cluster API objects, and the Deployments that drive both. And back: access to the guest, copied
//! into the HostedCluster's own namespace.

use serde_json::{Map, Value, json};

use crate::actor::{Context, Key};
use crate::client::{Client, Result, name_of};
use crate::kind::{CLUSTER, DEPLOYMENT, HOSTED_CLUSTER, HOSTED_CONTROL_PLANE, KUBEVIRT_CLUSTER, NAMESPACE, SECRET};
use crate::objects::{annotation, ensure, merge, owner, write_status};

use super::super::components::{CAPI_PROVIDER, CLUSTER_API, CONTROL_PLANE_OPERATOR, deployment};
use super::super::names::{CLUSTER_ANNOTATION, COMPONENT_FINALIZER, FINALIZER, control_plane_namespace, qualified};

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

/// Makes what is missing, in the order in which the parts need one another.
pub(super) async fn everything(
    context: &Context,
    key: &Key,
    hosted_cluster: &Value,
    control_plane: Option<&Value>,
) -> Result<()> {
    let client = &context.client;
    let namespace = control_plane_namespace(key);
    ensure(client, NAMESPACE, &namespace_object(key, &namespace)).await?;
    copy_secrets(client, key, hosted_cluster, &namespace).await?;
    let wanted = hosted_control_plane(key, hosted_cluster, &namespace);
    let Some(control_plane) = control_plane else {
        client.create(HOSTED_CONTROL_PLANE, &wanted).await?;
        return Ok(());
    };
    merge(
        client,
        HOSTED_CONTROL_PLANE,
        control_plane,
        &json!({ "spec": wanted["spec"] }),
    )
    .await?;
    cluster_objects(context, key, hosted_cluster, &namespace).await?;
    for component in [CONTROL_PLANE_OPERATOR, CLUSTER_API, CAPI_PROVIDER] {
        let mut object = deployment(&component, control_plane, component.replicas(control_plane));
        object["metadata"]["annotations"] = json!({ CLUSTER_ANNOTATION: qualified(key) });
        if component.name != CONTROL_PLANE_OPERATOR.name {
            object["metadata"]["finalizers"] = json!([COMPONENT_FINALIZER]);
        }
        ensure(client, DEPLOYMENT, &object).await?;
    }
    Ok(())
}

/// A pause reaches the control plane and Cluster API, though nothing else is done.
pub(super) async fn sync_pause(
    client: &Client,
    key: &Key,
    hosted_cluster: &Value,
    control_plane: Option<&Value>,
) -> Result<()> {
    let Some(control_plane) = control_plane else {
        return Ok(());
    };
    let until = &hosted_cluster["spec"]["pausedUntil"];
    merge(
        client,
        HOSTED_CONTROL_PLANE,
        control_plane,
        &json!({ "spec": { "pausedUntil": until } }),
    )
    .await?;
    let namespace = control_plane_namespace(key);
    let infra_id = hosted_cluster["spec"]["infraID"].as_str().unwrap_or_default();
    if let Some(cluster) = client.get(CLUSTER, Some(&namespace), infra_id).await? {
        merge(
            client,
            CLUSTER,
            &cluster,
            &json!({ "spec": { "paused": !until.is_null() } }),
        )
        .await?;
    }
    Ok(())
}

/// What of the access to the guest is in the HostedCluster's namespace.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Access {
    pub(super) kubeconfig: bool,
    pub(super) password: bool,
}

/// Copies kubeconfig and password into the HostedCluster's namespace once the control plane has them.
pub(super) async fn publish_access(
    client: &Client,
    key: &Key,
    hosted_cluster: &Value,
    control_plane: Option<&Value>,
) -> Result<Access> {
    let Some(control_plane) = control_plane else {
        return Ok(Access::default());
    };
    let status = &control_plane["status"];
    let mut access = Access::default();
    if status["kubeConfig"].is_object() {
        access.kubeconfig = copy_out(client, key, hosted_cluster, "admin-kubeconfig", "kubeconfig").await?;
    }
    if status["kubeadminPassword"].is_object() {
        access.password = copy_out(client, key, hosted_cluster, "kubeadmin-password", "password").await?;
    }
    Ok(access)
}

/// Copies a Secret of the control plane under the HostedCluster's name; whether there is one.
async fn copy_out(client: &Client, key: &Key, hosted_cluster: &Value, source: &str, field: &str) -> Result<bool> {
    let namespace = control_plane_namespace(key);
    let Some(secret) = client.get(SECRET, Some(&namespace), source).await? else {
        return Ok(false);
    };
    let copy = json!({
        "metadata": {
            "name": format!("{}-{source}", key.name),
            "namespace": key.namespace(),
            "labels": hosted_cluster["metadata"]["labels"].as_object().cloned().unwrap_or_default(),
            "ownerReferences": [owner(HOSTED_CLUSTER, hosted_cluster)],
        },
        "type": "Opaque",
        "data": { field: secret["data"][field] },
    });
    upsert_secret(client, &copy).await?;
    Ok(true)
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

/// Copies the Secrets that the spec names, and marks the originals as referred to.
async fn copy_secrets(client: &Client, key: &Key, hosted_cluster: &Value, namespace: &str) -> Result<()> {
    let spec = &hosted_cluster["spec"];
    let encryption_key = spec["secretEncryption"]["aescbc"]["activeKey"]["name"].as_str();
    let sources = [
        (
            spec["pullSecret"]["name"].as_str(),
            Some("pull-secret"),
            "kubernetes.io/dockerconfigjson",
        ),
        (spec["sshKey"]["name"].as_str(), Some("ssh-key"), "Opaque"),
        (encryption_key, encryption_key, "Opaque"),
    ];
    for (source, target, kind) in sources {
        let (Some(source), Some(target)) = (source.filter(|name| !name.is_empty()), target) else {
            continue;
        };
        let Some(secret) = client.get(SECRET, key.namespace(), source).await? else {
            continue;
        };
        mark_reference(client, key, hosted_cluster, &secret).await?;
        let copy = json!({
            "metadata": { "name": target, "namespace": namespace, "annotations": { CLUSTER_ANNOTATION: qualified(key) } },
            "type": kind,
            "data": secret["data"],
        });
        upsert_secret(client, &copy).await?;
    }
    Ok(())
}

/// A Secret that the `hcp` command made dies with the HostedCluster.
async fn mark_reference(client: &Client, key: &Key, hosted_cluster: &Value, secret: &Value) -> Result<()> {
    let name = format!("referenced-resource.hypershift.openshift.io/{}", key.name);
    let mut patch = json!({ "metadata": { "annotations": { name: "true" } } });
    let labels = &secret["metadata"]["labels"];
    let by_command = labels["hypershift.openshift.io/safe-to-delete-with-cluster"] == "true"
        && labels["hypershift.openshift.io/auto-created-for-infra"].is_string();
    if by_command && secret["metadata"]["ownerReferences"].is_null() {
        patch["metadata"]["ownerReferences"] = json!([owner(HOSTED_CLUSTER, hosted_cluster)]);
    }
    merge(client, SECRET, secret, &patch).await?;
    Ok(())
}

async fn upsert_secret(client: &Client, secret: &Value) -> Result<()> {
    let found = client
        .get(SECRET, crate::client::namespace_of(secret), name_of(secret))
        .await?;
    match found {
        Some(found) => merge(client, SECRET, &found, &json!({ "data": secret["data"] })).await?,
        None => client.create(SECRET, secret).await?,
    };
    Ok(())
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
    match client.get(CLUSTER, Some(namespace), name).await? {
        None => {
            client.create(CLUSTER, &cluster).await?;
        }
        Some(found) if found["spec"]["paused"] == true => {
            merge(client, CLUSTER, &found, &json!({ "spec": { "paused": false } })).await?;
        }
        Some(_) => {}
    }
    Ok(())
}

/// Takes the marks of a HostedCluster off the Secrets that it referred to.
pub(super) async fn unmark_references(client: &Client, key: &Key) -> Result<()> {
    let name = format!("referenced-resource.hypershift.openshift.io/{}", key.name);
    for secret in client.list(SECRET, key.namespace(), "").await? {
        if annotation(&secret, &name).is_some() {
            merge(
                client,
                SECRET,
                &secret,
                &json!({ "metadata": { "annotations": { &name: null } } }),
            )
            .await?;
        }
    }
    Ok(())
}
