//! The unpacking of bundles: a Job in the catalog's namespace for each, and a ConfigMap that would take its output.

use serde_json::{Value, json};

use super::resolve::Wanted;
use crate::actor::Context;
use crate::client::{self, name_of, namespace_of};
use crate::conditions;
use crate::hash;
use crate::kind::{CATALOG_SOURCE, CONFIG_MAP, JOB};
use crate::manifest::{label, owner};

/// Label of all that belongs to an unpacking; its value is the hash that names it.
const UNPACK_REF: &str = "operatorframework.io/bundle-unpack-ref";

/// Whether a Job unpacks a bundle.
pub(super) fn is_unpack_job(job: &Value) -> bool {
    label(job, UNPACK_REF).is_some()
}

/// Whether the unpacking of all these bundles has begun.
pub(super) async fn has_begun(context: &Context, wanted: &[Wanted]) -> client::Result<bool> {
    for wanted in wanted {
        if context
            .client
            .get(JOB, namespace_of(&wanted.catalog), &unpack_name(wanted))
            .await?
            .is_none()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Begins what has not begun; says what is still being unpacked, or `None` once all is.
pub(super) async fn pending(context: &Context, wanted: &[Wanted]) -> client::Result<Option<String>> {
    let mut pending = None;
    for wanted in wanted {
        let name = unpack_name(wanted);
        match context.client.get(JOB, namespace_of(&wanted.catalog), &name).await? {
            Some(job) if conditions::is_true(&job, "Complete") => {}
            Some(job) => pending = Some(progress(&job)),
            None => {
                begin(context, wanted, &name).await?;
                pending = Some("unpack job not yet started".to_owned());
            }
        }
    }
    Ok(pending)
}

fn progress(job: &Value) -> String {
    let started = job["status"]["active"].as_u64().unwrap_or(0) > 0;
    if started {
        "unpack job not completed".to_owned()
    } else {
        "unpack job not yet started".to_owned()
    }
}

async fn begin(context: &Context, wanted: &Wanted, name: &str) -> client::Result<()> {
    let namespace = namespace_of(&wanted.catalog);
    let mut config_map = json!({
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": { UNPACK_REF: name },
            "annotations": { "olm.sourceImage": image(wanted) },
            "ownerReferences": [owner(CATALOG_SOURCE, &wanted.catalog)],
        },
    });
    context.client.create(CONFIG_MAP, &config_map).await?;
    if let Some(created) = context.client.get(CONFIG_MAP, namespace, name).await? {
        config_map = created;
    }
    context.client.create(JOB, &job(wanted, name, &config_map)).await?;
    Ok(())
}

fn job(wanted: &Wanted, name: &str, config_map: &Value) -> Value {
    json!({
        "metadata": {
            "name": name,
            "namespace": namespace_of(&wanted.catalog),
            "labels": { UNPACK_REF: name },
            "ownerReferences": [owner(CONFIG_MAP, config_map)],
        },
        "spec": {
            "activeDeadlineSeconds": 600,
            "backoffLimit": 3,
            "template": {
                "metadata": {
                    "name": name,
                    "labels": { UNPACK_REF: name },
                    "annotations": { "lab.berth.dev/starts-in-seconds": "20" },
                },
                "spec": {
                    "restartPolicy": "Never",
                    "initContainers": [
                        { "name": "util", "image": "quay.io/openshift-release-dev/ocp-v4.0-art-dev:olm" },
                        { "name": "pull", "image": image(wanted) },
                    ],
                    "containers": [{ "name": "extract", "image": "quay.io/openshift-release-dev/ocp-v4.0-art-dev:olm" }],
                },
            },
        },
    })
}

fn image(wanted: &Wanted) -> String {
    format!(
        "registry.redhat.io/{0}/{0}-operator-bundle:v{1}",
        wanted.bundle.package, wanted.bundle.version
    )
}

/// Names an unpacking: the same bundle of the same catalog is unpacked once.
fn unpack_name(wanted: &Wanted) -> String {
    // A Job's name becomes a label of its pods, so it is as long as a label may be.
    hash::hex(&[name_of(&wanted.catalog), &wanted.bundle.name], 63)
}
