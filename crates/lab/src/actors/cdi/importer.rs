//! The importer pod: what it copies where, and what makes it crash.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::actors::SIMULATED;
use crate::client::name_of;
use crate::kind::DATA_VOLUME;
use crate::objects::{annotation, owner};

/// What a pod with this annotation waits for, as `workloads` plays it, and its message.
const FAILS: &str = "lab.berth.dev/fails";
const FAILS_MESSAGE: &str = "lab.berth.dev/fails-message";

/// The virtual size of the boot image, in GiB.
const IMAGE_SIZE: u64 = 16;

/// Name of a DataVolume's importer pod.
pub(super) fn name(volume: &Value) -> String {
    format!("importer-{}", name_of(volume))
}

/// The pod; one that cannot succeed carries why.
pub(super) fn pod(context: &Context, volume: &Value) -> Value {
    let mut annotations = json!({ SIMULATED: "true", "cdi.kubevirt.io/storage.createdByController": "yes" });
    if let Some(problem) = problem(context, volume) {
        annotations[FAILS] = "CrashLoopBackOff".into();
        annotations[FAILS_MESSAGE] = problem.into();
    }
    json!({
        "metadata": {
            "name": name(volume),
            "namespace": volume["metadata"]["namespace"],
            "labels": { "app": "containerized-data-importer", "cdi.kubevirt.io": "importer" },
            "annotations": annotations,
            "ownerReferences": [owner(DATA_VOLUME, volume)],
        },
        "spec": {
            "restartPolicy": "OnFailure",
            "containers": [{
                "name": "importer",
                "image": "registry.redhat.io/container-native-virtualization/virt-cdi-importer-rhel9:v4.17",
                "env": [{ "name": "IMPORTER_ENDPOINT", "value": volume["spec"]["source"]["registry"]["url"] }],
                "resources": { "requests": { "cpu": "100m", "memory": "60Mi" } },
            }],
            "volumes": [{ "name": "cdi-data-vol", "persistentVolumeClaim": { "claimName": name_of(volume) } }],
        },
    })
}

/// Why a pod crashes, if it does.
pub(super) fn crash(pod: &Value) -> Option<String> {
    let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"];
    if waiting["reason"] != "CrashLoopBackOff" {
        return None;
    }
    Some(
        annotation(pod, FAILS_MESSAGE)
            .unwrap_or("importer pod crashed")
            .to_owned(),
    )
}

fn problem(context: &Context, volume: &Value) -> Option<String> {
    if context.site.faults.importer_fails {
        return Some(
            "Unable to process data: Unable to connect to registry data source: ping: connection refused".to_owned(),
        );
    }
    let asked = if volume["spec"]["storage"].is_object() {
        &volume["spec"]["storage"]
    } else {
        &volume["spec"]["pvc"]
    };
    let size = asked["resources"]["requests"]["storage"].as_str()?;
    let gibibytes: u64 = size.strip_suffix("Gi")?.parse().ok()?;
    let from_registry = volume["spec"]["source"]["registry"].is_object();
    (from_registry && gibibytes < IMAGE_SIZE).then(|| {
        format!(
            "Unable to process data: Virtual image size {} is larger than the reported available storage {}. A larger PVC is \
             required.",
            IMAGE_SIZE << 30,
            gibibytes << 30
        )
    })
}
