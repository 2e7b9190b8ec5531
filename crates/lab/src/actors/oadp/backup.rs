//! The Backup: looks whether it can be made, takes what it names, and tells how far it is.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::content::{self, included_namespaces};
use super::{MANAGER, NAME, NAMESPACE};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{Result, name_of};
use crate::kind::{BACKUP, BACKUP_STORAGE_LOCATION};
use crate::objects::{is_deleting, uid, write_status};
use crate::timers::Timers;

/// How long taking a backup is modelled to take.
const TAKES: Duration = Duration::from_secs(90);

/// Velero's controller of Backups.
#[derive(Debug, Default)]
pub(crate) struct Backups {
    timers: Timers,
}

impl Actor for Backups {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::own(BACKUP)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        self.reconcile(context, key).boxed()
    }
}

impl Backups {
    async fn reconcile(&self, context: &Context, key: &Key) -> Result<Next> {
        let client = &context.client;
        let Some(backup) = client.get(BACKUP, key.namespace(), &key.name).await? else {
            return Ok(Next::OnEvent);
        };
        // Velero looks at its own namespace only.
        if key.namespace() != Some(NAMESPACE) || is_deleting(&backup) {
            return Ok(Next::OnEvent);
        }
        match backup["status"]["phase"].as_str().unwrap_or_default() {
            "" | "New" => begin(context, &backup).await,
            "InProgress" => {
                if let Some(left) = self.timers.left(&context.time, uid(&backup), "backup", TAKES) {
                    return Ok(Next::After(left));
                }
                finish(context, &backup).await
            }
            _ => Ok(Next::OnEvent),
        }
    }
}

async fn begin(context: &Context, backup: &Value) -> Result<Next> {
    let client = &context.client;
    let location = backup["spec"]["storageLocation"].as_str().unwrap_or("default");
    let found = client.get(BACKUP_STORAGE_LOCATION, Some(NAMESPACE), location).await?;
    let mut errors = Vec::new();
    match found {
        None => errors.push(format!(
            "an existing backup storage location wasn't specified at backup creation time and the default '{location}' \
             wasn't found. Please address this issue"
        )),
        Some(found) if found["status"]["phase"] != "Available" => {
            errors.push(format!(
                "backup can't be created because backup storage location {location} is currently in \
                                 \"{}\" mode",
                found["status"]["phase"].as_str().unwrap_or("Unavailable")
            ));
        }
        Some(_) => {}
    }
    let now = context.time.stamp();
    let status = if errors.is_empty() {
        json!({ "phase": "InProgress", "version": 1, "formatVersion": "1.1.0", "startTimestamp": now })
    } else {
        json!({ "phase": "FailedValidation", "validationErrors": errors })
    };
    write_status(client, BACKUP, backup, &status).await?;
    Ok(Next::OnEvent)
}

async fn finish(context: &Context, backup: &Value) -> Result<Next> {
    let taken = content::take(context, &backup["spec"]).await?;
    let items = taken.objects.len() + taken.guests.len();
    let name = content::archive_name(name_of(backup));
    let kept = context.site.guests.archive().put(&name, &taken.to_bytes());
    let mut status = json!({
        "completionTimestamp": context.time.stamp(),
        "progress": { "totalItems": items, "itemsBackedUp": items },
        "phase": "Completed",
    });
    if let Err(error) = kept {
        status["phase"] = "Failed".into();
        status["failureReason"] = format!("failed to write to the object storage: {error}").into();
    } else if items == 0 {
        let namespaces = included_namespaces(&backup["spec"]).join(", ");
        status["warnings"] = 1.into();
        tracing::warn!(namespaces, "a backup took nothing");
    }
    write_status(&context.client, BACKUP, backup, &status).await?;
    Ok(Next::OnEvent)
}
