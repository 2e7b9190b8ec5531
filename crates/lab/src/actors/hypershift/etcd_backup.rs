//! HCPEtcdBackup: one snapshot of a guest's etcd, put where it says. Operators of the current generation have it, behind a
//! gate that a lab opens; a HostedCluster begins with such a snapshot if `restoreSnapshotURL` names it.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::names::guest_id;
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{Result, name_of, namespace_of};
use crate::conditions;
use crate::kind::{HCP_ETCD_BACKUP, HOSTED_CLUSTER, HOSTED_CONTROL_PLANE, SECRET, STATEFUL_SET};
use crate::objects::{Conditions, is_deleting, is_rolled_out, uid, write_status};
use crate::timers::Timers;

const COMPLETED: &str = "BackupCompleted";
const OF_CONTROL_PLANE: &str = "EtcdBackupSucceeded";
/// Where the operator runs, and where it looks for credentials.
const OPERATOR: &str = "hypershift";
/// From the Job's creation until the snapshot is where it is to be.
const TAKES: Duration = Duration::from_secs(45);
const AGAIN: Duration = Duration::from_secs(15);

/// The controller of HCPEtcdBackups.
#[derive(Debug, Default)]
pub(crate) struct EtcdBackups {
    timers: Timers,
}

impl Actor for EtcdBackups {
    fn name(&self) -> &'static str {
        "hypershift"
    }

    fn manager(&self) -> &'static str {
        "hypershift-operator-manager"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::own(HCP_ETCD_BACKUP)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        self.reconcile(context, key).boxed()
    }
}

impl EtcdBackups {
    async fn reconcile(&self, context: &Context, key: &Key) -> Result<Next> {
        let client = &context.client;
        let Some(backup) = client.get(HCP_ETCD_BACKUP, key.namespace(), &key.name).await? else {
            return Ok(Next::OnEvent);
        };
        if is_deleting(&backup) {
            return Ok(Next::OnEvent);
        }
        let control_planes = client.list(HOSTED_CONTROL_PLANE, key.namespace(), "").await?;
        let Some(control_plane) = control_planes.first() else {
            if is_over(&backup) {
                return Ok(Next::OnEvent);
            }
            let namespace = key.namespace().unwrap_or_default();
            let message = format!("HostedControlPlane not found in namespace {namespace}");
            return fail(context, &backup, "BackupFailed", &message).await;
        };
        if is_over(&backup) {
            return tell_again(context, &backup, control_plane).await;
        }
        let etcd = client.get(STATEFUL_SET, key.namespace(), "etcd").await?;
        if !etcd.is_some_and(|etcd| is_rolled_out(&etcd)) {
            tell(
                context,
                &backup,
                (false, "EtcdUnhealthy", "etcd has not all of its members"),
                None,
            )
            .await?;
            return Ok(Next::After(AGAIN));
        }
        if let Some(problem) = missing_credentials(context, &backup).await? {
            return fail(context, &backup, "BackupFailed", &problem).await;
        }
        if let Some(left) = self.timers.left(&context.time, uid(&backup), "backup", TAKES) {
            let told = (false, "BackupInProgress", "Backup Job created, waiting for completion");
            tell(context, &backup, told, None).await?;
            let message = format!("Backup \"{}\" is in progress", key.name);
            tell_control_plane(context, control_plane, (false, "BackupInProgress", &message)).await?;
            return Ok(Next::After(left));
        }
        take(context, &backup, control_plane).await
    }
}

async fn take(context: &Context, backup: &Value, control_plane: &Value) -> Result<Next> {
    let id = guest_id(control_plane);
    let snapshot = id.as_ref().and_then(|id| context.site.guests.snapshot(id));
    let (Some(id), Some(snapshot)) = (id, snapshot) else {
        return fail(
            context,
            backup,
            "BackupFailed",
            "Backup Job failed: etcd does not answer",
        )
        .await;
    };
    let url = url(backup, &context.time.now().strftime("%Y%m%dT%H%M%SZ").to_string());
    if let Err(error) = context.site.guests.archive().put(&url, &snapshot) {
        return fail(context, backup, "BackupFailed", &format!("Backup Job failed: {error}")).await;
    }
    tell(
        context,
        backup,
        (true, "BackupSucceeded", "Backup completed successfully"),
        Some(&url),
    )
    .await?;
    let message = format!("Backup \"{}\" completed successfully", name_of(backup));
    tell_control_plane(context, control_plane, (true, "BackupSucceeded", &message)).await?;
    let status = json!({ "lastSuccessfulEtcdBackupURL": url });
    let client = &context.client;
    client
        .status(HOSTED_CLUSTER, Some(&id.namespace), &id.name, &status)
        .await?;
    Ok(Next::After(AGAIN))
}

/// The control plane's conditions are one list with two writers: what its own controller overwrote is told again.
async fn tell_again(context: &Context, backup: &Value, control_plane: &Value) -> Result<Next> {
    let lost =
        conditions::find(control_plane, OF_CONTROL_PLANE).is_none_or(|found| found["reason"] == "BackupInProgress");
    if lost && conditions::is_true(backup, COMPLETED) {
        let message = format!("Backup \"{}\" completed successfully", name_of(backup));
        tell_control_plane(context, control_plane, (true, "BackupSucceeded", &message)).await?;
        return Ok(Next::After(AGAIN));
    }
    Ok(Next::OnEvent)
}

async fn fail(context: &Context, backup: &Value, reason: &str, message: &str) -> Result<Next> {
    tell(context, backup, (false, reason, message), None).await?;
    Ok(Next::OnEvent)
}

async fn tell(
    context: &Context,
    backup: &Value,
    (done, reason, message): (bool, &str, &str),
    url: Option<&str>,
) -> Result<()> {
    let mut conditions = Conditions::of(backup, context.time.stamp());
    conditions.set(COMPLETED, done, reason, message);
    let mut status = json!({ "conditions": conditions.into_value() });
    if let Some(url) = url {
        status["snapshotURL"] = url.into();
    }
    write_status(&context.client, HCP_ETCD_BACKUP, backup, &status).await?;
    Ok(())
}

async fn tell_control_plane(
    context: &Context,
    control_plane: &Value,
    (done, reason, message): (bool, &str, &str),
) -> Result<()> {
    let client = &context.client;
    // It may have moved on since it was read: its conditions are one list.
    let (namespace, name) = (namespace_of(control_plane), name_of(control_plane));
    let Some(current) = client.get(HOSTED_CONTROL_PLANE, namespace, name).await? else {
        return Ok(());
    };
    let mut conditions = Conditions::of(&current, context.time.stamp());
    conditions.set(OF_CONTROL_PLANE, done, reason, message);
    let status = json!({ "conditions": conditions.observed(&current["metadata"]["generation"]) });
    write_status(client, HOSTED_CONTROL_PLANE, &current, &status).await?;
    Ok(())
}

/// Why nothing could be put there.
async fn missing_credentials(context: &Context, backup: &Value) -> Result<Option<String>> {
    let name = storage(backup)["credentials"]["name"].as_str().unwrap_or_default();
    let found = context.client.get(SECRET, Some(OPERATOR), name).await?;
    Ok(match found {
        Some(_) => None,
        None => Some(format!(
            "credential Secret \"{name}\" not found in namespace \"{OPERATOR}\""
        )),
    })
}

fn storage(backup: &Value) -> &Value {
    let storage = &backup["spec"]["storage"];
    if storage["storageType"] == "AzureBlob" {
        &storage["azureBlob"]
    } else {
        &storage["s3"]
    }
}

fn url(backup: &Value, time: &str) -> String {
    let storage = storage(backup);
    let text = |field: &str| storage[field].as_str().unwrap_or_default().trim_matches('/').to_owned();
    let key = format!("{}/{time}.db", text("keyPrefix"));
    if storage["container"].is_string() {
        format!(
            "https://{}.blob.core.windows.net/{}/{key}",
            text("storageAccount"),
            text("container")
        )
    } else {
        format!("s3://{}/{key}", text("bucket"))
    }
}

/// Whether nothing more comes of it: a backup is tried once.
fn is_over(backup: &Value) -> bool {
    conditions::find(backup, COMPLETED).is_some_and(|found| {
        let reason = found["reason"].as_str().unwrap_or_default();
        found["status"] == "True" || matches!(reason, "BackupFailed" | "BackupRejected")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_named_by_where_it_lies() {
        let s3 = json!({ "spec": { "storage": { "storageType": "S3", "s3": { "bucket": "b", "keyPrefix": "hcp/guest/" } } } });
        assert_eq!(url(&s3, "t"), "s3://b/hcp/guest/t.db");
        let blob = json!({ "container": "c", "storageAccount": "a", "keyPrefix": "k" });
        let azure = json!({ "spec": { "storage": { "storageType": "AzureBlob", "azureBlob": blob } } });
        assert_eq!(url(&azure, "t"), "https://a.blob.core.windows.net/c/k/t.db");
    }

    #[test]
    fn a_backup_that_failed_is_not_tried_again() {
        let told = |status: &str, reason: &str| json!({ "status": { "conditions": [{ "type": COMPLETED, "status": status, "reason": reason }] } });
        assert!(is_over(&told("True", "BackupSucceeded")) && is_over(&told("False", "BackupFailed")));
        assert!(!is_over(&told("False", "EtcdUnhealthy")) && !is_over(&json!({})));
    }
}
