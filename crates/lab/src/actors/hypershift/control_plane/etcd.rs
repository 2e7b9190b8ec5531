//! etcd: a StatefulSet with a volume a member, and why such a volume stays away.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{Result, name_of, namespace_of};
use crate::conditions;
use crate::kind::{HOSTED_CONTROL_PLANE, PERSISTENT_VOLUME_CLAIM, STATEFUL_SET, STORAGE_CLASS};
use crate::objects::{merge, owner};
use crate::site::GuestId;

use super::super::components::{etcd_replicas, pod_template, unless_debugged};

/// The StatefulSet, made if it is missing; with the replicas of its policy, whatever it was scaled to by hand.
pub(super) async fn ensure(context: &Context, control_plane: &Value) -> Result<Value> {
    let client = &context.client;
    let wanted = stateful_set(control_plane);
    if let Some(mut found) = client.get(STATEFUL_SET, namespace_of(control_plane), "etcd").await? {
        let replicas = &wanted["spec"]["replicas"];
        merge(
            client,
            STATEFUL_SET,
            &found,
            &json!({ "spec": { "replicas": replicas } }),
        )
        .await?;
        found["spec"]["replicas"] = replicas.clone();
        return Ok(found);
    }
    client.create(STATEFUL_SET, &wanted).await?;
    Ok(wanted)
}

/// Fills empty volumes from the snapshot that the spec names; whether that could be done, `None` where none is named.
pub(super) async fn restore(context: &Context, control_plane: &Value, guest: &GuestId) -> Option<bool> {
    let storage = &control_plane["spec"]["etcd"]["managed"]["storage"];
    let url = storage["restoreSnapshotURL"][0].as_str()?;
    if conditions::is_true(control_plane, "EtcdSnapshotRestored") {
        return None;
    }
    let guests = &context.site.guests;
    let Some(snapshot) = guests.archive().get(url) else {
        tracing::warn!(guest = %guest.name, url, "there is no snapshot to begin with");
        return Some(false);
    };
    // Volumes that hold something were filled before, by a pass that was killed.
    if let Err(problem) = guests.seed(guest, &snapshot).await {
        tracing::debug!(guest = %guest.name, problem, "etcd begins with what it has");
    }
    Some(true)
}

/// Why a volume of etcd is not bound: the first of them, in words.
pub(super) async fn pending_volume(context: &Context, control_plane: &Value) -> Result<Option<String>> {
    let client = &context.client;
    let claims = client
        .list(PERSISTENT_VOLUME_CLAIM, namespace_of(control_plane), "")
        .await?;
    let pending = claims.iter().find(|claim| {
        name_of(claim).starts_with("data-etcd-") && claim["status"]["phase"].as_str().unwrap_or("Pending") == "Pending"
    });
    let Some(claim) = pending else { return Ok(None) };
    let reason = match claim["spec"]["storageClassName"]
        .as_str()
        .filter(|name| !name.is_empty())
    {
        None => "no persistent volumes available for this claim and no storage class is set".to_owned(),
        Some(class) if client.get(STORAGE_CLASS, None, class).await?.is_none() => {
            format!("storageclass.storage.k8s.io \"{class}\" not found")
        }
        Some(_) => "waiting for a volume to be created".to_owned(),
    };
    Ok(Some(format!("Etcd volume claim {} pending: {reason}", name_of(claim))))
}

fn stateful_set(control_plane: &Value) -> Value {
    let volume = &control_plane["spec"]["etcd"]["managed"]["storage"]["persistentVolume"];
    let mut claim = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": { "requests": { "storage": volume["size"].as_str().unwrap_or("8Gi") } },
    });
    if let Some(class) = volume["storageClassName"].as_str() {
        claim["storageClassName"] = class.into();
    }
    let mut template = pod_template("etcd", control_plane, (300, 600));
    template["spec"]["containers"][0]["volumeMounts"] = json!([{ "name": "data", "mountPath": "/var/lib" }]);
    json!({
        "metadata": {
            "name": "etcd",
            "namespace": namespace_of(control_plane),
            "ownerReferences": [owner(HOSTED_CONTROL_PLANE, control_plane)],
            "labels": { "hypershift.openshift.io/control-plane-component": "etcd" },
        },
        "spec": {
            "replicas": unless_debugged("etcd", etcd_replicas(control_plane), control_plane),
            "serviceName": "etcd-discovery",
            "podManagementPolicy": "Parallel",
            "selector": { "matchLabels": { "app": "etcd" } },
            "template": template,
            "volumeClaimTemplates": [{ "metadata": { "name": "data", "labels": { "app": "etcd" } }, "spec": claim }],
        },
    })
}
