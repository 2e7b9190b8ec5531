//! The Restore: brings back what a Backup took. What is there already is left as it is. A hosted cluster's etcd gets its
//! content back before its control plane begins, or not at all: one that runs is not overwritten.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::content::{self, Content};
use super::{MANAGER, NAME, NAMESPACE};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{Result, name_of, namespace_of};
use crate::kind::{BACKUP, HOSTED_CLUSTER, Kind, RESTORE};
use crate::objects::{is_deleting, uid, write_status};
use crate::timers::Timers;

/// How long bringing it back is modelled to take.
const TAKES: Duration = Duration::from_mins(1);
/// On a HostedCluster that came out of a backup.
const RESTORED: &str = "hypershift.openshift.io/restored-from-backup";

/// Velero's controller of Restores.
#[derive(Debug, Default)]
pub(crate) struct Restores {
    timers: Timers,
}

impl Actor for Restores {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::own(RESTORE)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        self.reconcile(context, key).boxed()
    }
}

impl Restores {
    async fn reconcile(&self, context: &Context, key: &Key) -> Result<Next> {
        let client = &context.client;
        let Some(restore) = client.get(RESTORE, key.namespace(), &key.name).await? else {
            return Ok(Next::OnEvent);
        };
        if key.namespace() != Some(NAMESPACE) || is_deleting(&restore) {
            return Ok(Next::OnEvent);
        }
        let status = match restore["status"]["phase"].as_str().unwrap_or_default() {
            "" | "New" => begin(context, &restore).await?,
            "InProgress" => {
                if let Some(left) = self.timers.left(&context.time, uid(&restore), "restore", TAKES) {
                    return Ok(Next::After(left));
                }
                finish(context, &restore).await?
            }
            _ => return Ok(Next::OnEvent),
        };
        write_status(client, RESTORE, &restore, &status).await?;
        Ok(Next::OnEvent)
    }
}

async fn begin(context: &Context, restore: &Value) -> Result<Value> {
    let name = restore["spec"]["backupName"].as_str().unwrap_or_default();
    let backup = context.client.get(BACKUP, Some(NAMESPACE), name).await?;
    let problem = match backup {
        None => Some(format!(
            "Error retrieving backup: backup.velero.io \"{name}\" not found"
        )),
        Some(backup) if backup["status"]["phase"] != "Completed" => Some(format!("backup {name} is not completed")),
        Some(_) => None,
    };
    Ok(match problem {
        Some(problem) => json!({ "phase": "FailedValidation", "validationErrors": [problem] }),
        None => json!({ "phase": "InProgress", "startTimestamp": context.time.stamp() }),
    })
}

async fn finish(context: &Context, restore: &Value) -> Result<Value> {
    let name = restore["spec"]["backupName"].as_str().unwrap_or_default();
    let bytes = context.site.guests.archive().get(&content::archive_name(name));
    let now = context.time.stamp();
    let Some(taken) = bytes.as_deref().and_then(Content::from_bytes) else {
        let reason = format!("error downloading backup {name} from the object storage");
        return Ok(json!({ "phase": "Failed", "failureReason": reason, "completionTimestamp": now }));
    };
    let mut warnings = 0;
    for (id, log) in &taken.guests {
        // Etcd's volumes come before what uses them.
        if let Err(problem) = context.site.guests.seed(id, log).await {
            tracing::warn!(guest = %id.name, problem, "a guest's data are not restored");
            warnings += 1;
        }
    }
    let items = taken.objects.len();
    for (kind, object) in &taken.objects {
        let wanted = restored(*kind, object, restore);
        if !context.client.create(*kind, &wanted).await? {
            warnings += 1;
        }
    }
    Ok(json!({
        "phase": "Completed",
        "completionTimestamp": now,
        "progress": { "totalItems": items, "itemsRestored": items },
        "warnings": warnings,
    }))
}

/// An object as it is made anew: name, labels, annotations and content, no owners, no status.
fn restored(kind: Kind, object: &Value, restore: &Value) -> Value {
    let metadata = &object["metadata"];
    let mut copy = json!({ "metadata": {
        "name": metadata["name"],
        "labels": metadata["labels"].as_object().cloned().unwrap_or_default(),
        "annotations": metadata["annotations"].as_object().cloned().unwrap_or_default(),
    } });
    if let Some(namespace) = namespace_of(object) {
        copy["metadata"]["namespace"] = namespace.into();
    }
    copy["metadata"]["labels"]["velero.io/backup-name"] = restore["spec"]["backupName"].clone();
    copy["metadata"]["labels"]["velero.io/restore-name"] = name_of(restore).into();
    if kind == HOSTED_CLUSTER {
        copy["metadata"]["annotations"][RESTORED] = "".into();
    }
    for field in ["spec", "data", "binaryData", "type"] {
        if !object[field].is_null() {
            copy[field] = object[field].clone();
        }
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_status_and_uid_do_not_come_back() {
        let object = json!({
            "metadata": {
                "name": "guest", "namespace": "hcp", "uid": "1", "ownerReferences": [{}], "finalizers": ["f"],
                "labels": { "a": "b" },
            },
            "spec": { "infraID": "guest-abcde" },
            "status": { "version": {} },
        });
        let restore = json!({ "metadata": { "name": "r" }, "spec": { "backupName": "b" } });
        let copy = restored(HOSTED_CLUSTER, &object, &restore);
        assert_eq!(copy["spec"], object["spec"]);
        assert_eq!(copy["metadata"]["labels"]["velero.io/backup-name"], "b");
        assert_eq!(copy["metadata"]["labels"]["a"], "b");
        for gone in ["uid", "ownerReferences", "finalizers"] {
            assert!(copy["metadata"][gone].is_null(), "{gone}");
        }
        assert!(copy["status"].is_null());
    }
}
