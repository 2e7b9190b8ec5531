//! Plays the volume controllers and the storage drivers: gives each claim a class, a volume, and an end.
//!
//! Which class a claim gets is what clusters are tripped up by, so it is exact: a claim without one waits, and gets the
//! default as soon as there is one; of several defaults the newest wins.

mod class;

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::events;
use crate::client::{self, name_of, namespace_of};
use crate::kind::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, STORAGE_CLASS};
use crate::timers::Timers;

const NAME: &str = "storage";
const MANAGER: &str = "kube-controller-manager";
const CLAIM_PROTECTION: &str = "kubernetes.io/pvc-protection";
/// How long a driver takes to make a volume.
const PROVISION: Duration = Duration::from_secs(3);
/// The key that stands for all claims that have no class yet.
const ALL_UNCLASSED: &str = "claims-without-class";

/// Binds claims.
#[derive(Default)]
pub(crate) struct Claims {
    timers: Timers,
}

/// Ends volumes whose claim is gone.
pub(crate) struct Volumes;

// === impl Claims ===

impl Actor for Claims {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        let of_pod = |pod: &Value| {
            let volumes = pod["spec"]["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
            let names = volumes
                .iter()
                .filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str());
            names.map(|name| Key::named(namespace_of(pod), name)).collect()
        };
        vec![
            Watch::own(PERSISTENT_VOLUME_CLAIM),
            Watch::mapped(POD, of_pod).whole(),
            Watch::mapped(STORAGE_CLASS, |_| vec![Key::named(None, ALL_UNCLASSED)]),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        async move {
            if key.namespace.is_some() {
                return self.claim(context, key).await;
            }
            // A volume that begins to be made here is waited for here: the claim's own key waits for events.
            let mut next = Next::OnEvent;
            for claim in context.client.list(PERSISTENT_VOLUME_CLAIM, None, "").await? {
                if claim["spec"]["volumeName"].is_null() {
                    next = next.sooner(self.claim(context, &Key::of(&claim)).await?);
                }
            }
            Ok(next)
        }
        .boxed()
    }
}

impl Claims {
    async fn claim(&self, context: &Context, key: &Key) -> client::Result<Next> {
        let Some(claim) = context
            .client
            .get(PERSISTENT_VOLUME_CLAIM, key.namespace(), &key.name)
            .await?
        else {
            return Ok(Next::OnEvent);
        };
        if claim["metadata"]["deletionTimestamp"].is_string() {
            return release(context, key, &claim).await;
        }
        if claim["status"]["phase"] == "Bound" {
            return Ok(Next::OnEvent);
        }
        if claim["status"]["phase"].is_null() {
            let pending = json!({ "phase": "Pending" });
            context
                .client
                .status(PERSISTENT_VOLUME_CLAIM, key.namespace(), &key.name, &pending)
                .await?;
        }
        let classes = context.client.list(STORAGE_CLASS, None, "").await?;
        let Some(class) = class::of(&claim, &classes) else {
            return self.no_class(context, key, &claim, &classes).await;
        };
        if claim["spec"]["storageClassName"].is_null() {
            let patch = json!({ "spec": { "storageClassName": name_of(class) } });
            context
                .client
                .merge(PERSISTENT_VOLUME_CLAIM, key.namespace(), &key.name, &patch)
                .await?;
            return Ok(Next::OnEvent);
        }
        let waits = class["volumeBindingMode"] == "WaitForFirstConsumer";
        if waits && claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"].is_null() {
            let message = "waiting for first consumer to be created before binding";
            events::record(
                context,
                PERSISTENT_VOLUME_CLAIM,
                &claim,
                "Normal",
                "WaitForFirstConsumer",
                message,
            )
            .await?;
            return Ok(Next::OnEvent);
        }
        let uid = claim["metadata"]["uid"].as_str().unwrap_or_default();
        if let Some(left) = self.timers.left(&context.time, uid, "provision", PROVISION) {
            return Ok(Next::After(left));
        }
        bind(context, key, &claim, class).await?;
        let message = format!("Successfully provisioned volume pvc-{uid}");
        events::record(
            context,
            PERSISTENT_VOLUME_CLAIM,
            &claim,
            "Normal",
            "ProvisioningSucceeded",
            &message,
        )
        .await?;
        Ok(Next::OnEvent)
    }

    /// A claim that nothing can be made for yet says why, as an event.
    async fn no_class(&self, context: &Context, key: &Key, claim: &Value, classes: &[Value]) -> client::Result<Next> {
        let (reason, message) = match claim["spec"]["storageClassName"].as_str() {
            Some(name) if !name.is_empty() => (
                "ProvisioningFailed",
                format!("storageclass.storage.k8s.io \"{name}\" not found"),
            ),
            _ => {
                let text = "no persistent volumes available for this claim and no storage class is set";
                ("FailedBinding", text.to_owned())
            }
        };
        tracing::debug!(claim = %key, classes = classes.len(), reason, "claim stays pending");
        events::record(context, PERSISTENT_VOLUME_CLAIM, claim, "Warning", reason, &message).await?;
        Ok(Next::OnEvent)
    }
}

/// Makes the volume and binds both sides, in the order in which they are safe to be left half done.
async fn bind(context: &Context, key: &Key, claim: &Value, class: &Value) -> client::Result<()> {
    let client = &context.client;
    let volume_name = format!("pvc-{}", claim["metadata"]["uid"].as_str().unwrap_or_default());
    let capacity = json!({ "storage": claim["spec"]["resources"]["requests"]["storage"] });
    let mode = if claim["spec"]["volumeMode"].is_null() {
        json!("Filesystem")
    } else {
        claim["spec"]["volumeMode"].clone()
    };
    let provisioner = class["provisioner"].as_str().unwrap_or_default();
    let volume = json!({
        "metadata": {
            "name": volume_name,
            "annotations": { "pv.kubernetes.io/provisioned-by": provisioner },
            "finalizers": ["kubernetes.io/pv-protection"],
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": capacity,
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "name": key.name,
                "namespace": key.namespace,
                "uid": claim["metadata"]["uid"],
            },
            "csi": { "driver": provisioner, "volumeHandle": format!("simulated-{volume_name}") },
            "persistentVolumeReclaimPolicy": class["reclaimPolicy"].as_str().unwrap_or("Delete"),
            "storageClassName": name_of(class),
            "volumeMode": mode,
        },
    });
    client.create(PERSISTENT_VOLUME, &volume).await?;
    client
        .status(PERSISTENT_VOLUME, None, &volume_name, &json!({ "phase": "Bound" }))
        .await?;
    let mut finalizers = claim["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    if !finalizers.iter().any(|finalizer| finalizer == CLAIM_PROTECTION) {
        finalizers.push(CLAIM_PROTECTION.into());
    }
    let patch = json!({
        "metadata": {
            "resourceVersion": claim["metadata"]["resourceVersion"],
            "finalizers": finalizers,
            "annotations": {
                "pv.kubernetes.io/bind-completed": "yes",
                "pv.kubernetes.io/bound-by-controller": "yes",
                "volume.kubernetes.io/storage-provisioner": provisioner,
            },
        },
        "spec": { "volumeName": volume_name, "volumeMode": mode },
    });
    client
        .merge(PERSISTENT_VOLUME_CLAIM, key.namespace(), &key.name, &patch)
        .await?;
    let bound = json!({ "phase": "Bound", "accessModes": claim["spec"]["accessModes"], "capacity": capacity });
    client
        .status(PERSISTENT_VOLUME_CLAIM, key.namespace(), &key.name, &bound)
        .await?;
    Ok(())
}

/// Lets a deleted claim go once no pod uses it.
async fn release(context: &Context, key: &Key, claim: &Value) -> client::Result<Next> {
    let finalizers = claim["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    if !finalizers.iter().any(|finalizer| finalizer == CLAIM_PROTECTION) {
        return Ok(Next::OnEvent);
    }
    let uses = |pod: &Value| {
        let volumes = pod["spec"]["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ended = pod["status"]["phase"] == "Succeeded" || pod["status"]["phase"] == "Failed";
        !ended
            && volumes
                .iter()
                .any(|volume| volume["persistentVolumeClaim"]["claimName"] == key.name.as_str())
    };
    if context.client.list(POD, key.namespace(), "").await?.iter().any(uses) {
        return Ok(Next::OnEvent);
    }
    let rest: Vec<Value> = finalizers
        .into_iter()
        .filter(|finalizer| finalizer != CLAIM_PROTECTION)
        .collect();
    let patch = json!({ "metadata": { "resourceVersion": claim["metadata"]["resourceVersion"], "finalizers": rest } });
    context
        .client
        .merge(PERSISTENT_VOLUME_CLAIM, key.namespace(), &key.name, &patch)
        .await?;
    Ok(Next::OnEvent)
}

// === impl Volumes ===

impl Actor for Volumes {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        let of_claim = |claim: &Value| {
            claim["spec"]["volumeName"]
                .as_str()
                .map(|volume| Key::named(None, volume))
                .into_iter()
                .collect()
        };
        vec![
            Watch::own(PERSISTENT_VOLUME),
            Watch::mapped(PERSISTENT_VOLUME_CLAIM, of_claim).whole(),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile_volume(context, key).boxed()
    }
}

async fn reconcile_volume(context: &Context, key: &Key) -> client::Result<Next> {
    let client = &context.client;
    let Some(volume) = client.get(PERSISTENT_VOLUME, None, &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    let reference = &volume["spec"]["claimRef"];
    let Some(claim_name) = reference["name"].as_str() else {
        return Ok(Next::OnEvent);
    };
    let claim = client
        .get(PERSISTENT_VOLUME_CLAIM, reference["namespace"].as_str(), claim_name)
        .await?;
    if claim.is_some_and(|claim| claim["metadata"]["uid"] == reference["uid"]) {
        return Ok(Next::OnEvent);
    }
    if volume["status"]["phase"] != "Released" {
        client
            .status(PERSISTENT_VOLUME, None, &key.name, &json!({ "phase": "Released" }))
            .await?;
    }
    if volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete" {
        client.delete(PERSISTENT_VOLUME, None, &key.name).await?;
        let patch = json!({ "metadata": { "finalizers": null } });
        client.merge(PERSISTENT_VOLUME, None, &key.name, &patch).await?;
    }
    Ok(Next::OnEvent)
}
