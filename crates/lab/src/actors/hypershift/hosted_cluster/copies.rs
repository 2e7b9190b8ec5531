//! What is copied between a HostedCluster's namespace and its control plane's: Secrets and ConfigMaps that the spec names
//! go there, access to the guest comes back.

use serde_json::{Value, json};

use crate::actor::Key;
use crate::client::{Client, Result, name_of};
use crate::kind::{CONFIG_MAP, HOSTED_CLUSTER, Kind, SECRET};
use crate::objects::{annotation, merge, owner, replacement};

use super::super::names::{CLUSTER_ANNOTATION, control_plane_namespace, qualified};
use super::super::references::{self, Reference};

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

/// Copies the Secrets that the spec names, and marks the originals as referred to.
pub(super) async fn of_secrets(client: &Client, key: &Key, hosted_cluster: &Value, namespace: &str) -> Result<()> {
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
        mark_reference(client, key, hosted_cluster, SECRET, &secret).await?;
        let copy = json!({
            "metadata": { "name": target, "namespace": namespace, "annotations": { CLUSTER_ANNOTATION: qualified(key) } },
            "type": kind,
            "data": secret["data"],
        });
        upsert_secret(client, &copy).await?;
    }
    Ok(())
}

/// Marks what a HostedCluster refers to. A Secret that the `hcp` command made dies with it.
async fn mark_reference(client: &Client, key: &Key, hosted_cluster: &Value, kind: Kind, object: &Value) -> Result<()> {
    let name = format!("referenced-resource.hypershift.openshift.io/{}", key.name);
    let mut patch = json!({ "metadata": { "annotations": { name: "true" } } });
    let labels = &object["metadata"]["labels"];
    let by_command = kind == SECRET
        && labels["hypershift.openshift.io/safe-to-delete-with-cluster"] == "true"
        && labels["hypershift.openshift.io/auto-created-for-infra"].is_string();
    if by_command && object["metadata"]["ownerReferences"].is_null() {
        patch["metadata"]["ownerReferences"] = json!([owner(HOSTED_CLUSTER, hosted_cluster)]);
    }
    merge(client, kind, object, &patch).await?;
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

/// Copies what the configuration names, under its own names. The error names the first that is missing.
pub(super) async fn of_configuration(
    client: &Client,
    key: &Key,
    hosted_cluster: &Value,
    namespace: &str,
) -> Result<Result<(), String>> {
    for Reference { kind, name, .. } in references::of_configuration(&hosted_cluster["spec"]["configuration"]) {
        let Some(source) = client.get(kind, key.namespace(), name).await? else {
            let (of, what) = (key.namespace().unwrap_or_default(), kind.kind);
            let kind = what.to_lowercase();
            return Ok(Err(format!(
                "failed to get referenced {kind} {of}/{name}: {what} \"{name}\" not found"
            )));
        };
        mark_reference(client, key, hosted_cluster, kind, &source).await?;
        let mut copy = json!({ "metadata": { "name": name, "namespace": namespace } });
        copy["metadata"]["labels"] = source["metadata"]["labels"]
            .as_object()
            .cloned()
            .unwrap_or_default()
            .into();
        copy["metadata"]["annotations"][CLUSTER_ANNOTATION] = qualified(key).into();
        for field in ["type", "data", "binaryData"] {
            if !source[field].is_null() {
                copy[field] = source[field].clone();
            }
        }
        match client.get(kind, Some(namespace), name).await? {
            None => {
                client.create(kind, &copy).await?;
            }
            Some(found) => {
                if let Some(data) = replacement(&found["data"], &copy["data"]) {
                    merge(client, kind, &found, &json!({ "data": data })).await?;
                }
            }
        }
    }
    Ok(Ok(()))
}

/// Takes the marks of a HostedCluster off what it referred to.
pub(super) async fn unmark_references(client: &Client, key: &Key) -> Result<()> {
    let name = format!("referenced-resource.hypershift.openshift.io/{}", key.name);
    let patch = json!({ "metadata": { "annotations": { &name: null } } });
    for kind in [SECRET, CONFIG_MAP] {
        for object in client.list(kind, key.namespace(), "").await? {
            if annotation(&object, &name).is_some() {
                merge(client, kind, &object, &patch).await?;
            }
        }
    }
    Ok(())
}
