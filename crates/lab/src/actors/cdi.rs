//! The containerized data importer: from a DataVolume to a claim of the right class, an importer pod, and a disk.
//!
//! What fails here fails for the reasons that it would: no class or an unknown one leaves the claim pending, a disk that is
//! too small for the image makes the importer crash, again and again.

mod class;
mod importer;

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::events;
use crate::client::{Result, name_of, namespace_of};
use crate::kind::{DATA_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, STORAGE_CLASS};
use crate::objects::{Conditions, is_deleting, write_status};
use crate::timers::Timers;

/// How long an image takes to be copied into a disk.
const IMPORT: Duration = Duration::from_secs(75);
/// How often progress is told.
const TELL: Duration = Duration::from_secs(10);

/// The controller of DataVolumes.
#[derive(Debug, Default)]
pub(crate) struct DataVolumes {
    timers: Timers,
}

impl Actor for DataVolumes {
    fn name(&self) -> &'static str {
        "cdi"
    }

    fn manager(&self) -> &'static str {
        "cdi-controller"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::own(DATA_VOLUME),
            Watch::owned(PERSISTENT_VOLUME_CLAIM, DATA_VOLUME),
            Watch::owned(POD, DATA_VOLUME),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        self.reconcile(context, key).boxed()
    }
}

impl DataVolumes {
    async fn reconcile(&self, context: &Context, key: &Key) -> Result<Next> {
        let client = &context.client;
        let Some(volume) = client.get(DATA_VOLUME, key.namespace(), &key.name).await? else {
            return Ok(Next::OnEvent);
        };
        if is_deleting(&volume) || volume["status"]["phase"] == "Succeeded" {
            return Ok(Next::OnEvent);
        }
        let Some(claim) = client.get(PERSISTENT_VOLUME_CLAIM, key.namespace(), &key.name).await? else {
            let claim = class::claim(context, &volume).await?;
            client.create(PERSISTENT_VOLUME_CLAIM, &claim).await?;
            write(context, &volume, "Pending", "N/A", &State::default()).await?;
            return Ok(Next::OnEvent);
        };
        let bound = claim["status"]["phase"] == "Bound";
        let pod = client.get(POD, key.namespace(), &importer::name(&volume)).await?;
        let Some(pod) = pod else {
            let waits_for_consumer = waits_for_consumer(context, &claim).await?;
            if bound || waits_for_consumer {
                client.create(POD, &importer::pod(context, &volume)).await?;
                let state = State {
                    bound,
                    ..State::default()
                };
                write(context, &volume, "ImportScheduled", "N/A", &state).await?;
            } else {
                let state = State {
                    problem: Some(pending_reason(context, &claim).await?),
                    ..State::default()
                };
                write(context, &volume, "Pending", "N/A", &state).await?;
            }
            return Ok(Next::OnEvent);
        };
        if let Some(crash) = importer::crash(&pod) {
            let state = State {
                bound,
                problem: Some(crash),
                failed: true,
                restarts: 1,
            };
            write(context, &volume, "ImportInProgress", "N/A", &state).await?;
            return Ok(Next::OnEvent);
        }
        if pod["status"]["phase"] != "Running" || !bound {
            let state = State {
                bound,
                ..State::default()
            };
            write(context, &volume, "ImportScheduled", "N/A", &state).await?;
            return Ok(Next::OnEvent);
        }
        self.import(context, &volume, &pod).await
    }

    async fn import(&self, context: &Context, volume: &Value, pod: &Value) -> Result<Next> {
        let state = State {
            bound: true,
            ..State::default()
        };
        let subject = crate::objects::uid(volume);
        if let Some(left) = self.timers.left(&context.time, subject, "import", IMPORT) {
            let share = self.timers.share(&context.time, subject, "import", IMPORT);
            write(
                context,
                volume,
                "ImportInProgress",
                &format!("{:.2}%", share * 100.0),
                &state,
            )
            .await?;
            return Ok(Next::After(left.min(TELL)));
        }
        write(context, volume, "Succeeded", "100.0%", &state).await?;
        context.client.delete_now(POD, namespace_of(pod), name_of(pod)).await?;
        Ok(Next::OnEvent)
    }
}

/// What a DataVolume's conditions are made of.
#[derive(Debug, Default)]
struct State {
    bound: bool,
    problem: Option<String>,
    failed: bool,
    restarts: u32,
}

async fn write(context: &Context, volume: &Value, phase: &str, progress: &str, state: &State) -> Result<()> {
    let name = name_of(volume);
    let mut conditions = Conditions::of(volume, context.time.stamp());
    let problem = state.problem.as_deref().unwrap_or_default();
    let done = phase == "Succeeded";
    if state.bound {
        conditions.set("Bound", true, "Bound", &format!("PVC {name} Bound"));
    } else {
        let message = if problem.is_empty() {
            format!("PVC {name} Pending")
        } else {
            format!("PVC {name} Pending: {problem}")
        };
        conditions.set("Bound", false, "Pending", &message);
    }
    match phase {
        _ if state.failed => conditions.set("Running", false, "Error", problem),
        "ImportInProgress" => conditions.set("Running", true, "Pod is running", ""),
        "Succeeded" => conditions.set("Running", false, "Completed", "Import Complete"),
        _ => conditions.set("Running", false, "", ""),
    }
    conditions.set("Ready", done, if done { "" } else { "TransferRunning" }, "");
    let mut status = json!({
        "claimName": name,
        "phase": phase,
        "progress": progress,
        "conditions": conditions.into_value(),
    });
    if state.restarts > 0 {
        status["restartCount"] = state.restarts.into();
    }
    write_status(&context.client, DATA_VOLUME, volume, &status).await?;
    if volume["status"]["phase"] == phase {
        return Ok(());
    }
    let message = match phase {
        "ImportScheduled" => format!("Import into {name} scheduled"),
        "ImportInProgress" => format!("Import into {name} in progress"),
        "Succeeded" => format!("Successfully imported into PVC {name}"),
        _ => format!("PVC {name} Pending"),
    };
    let reason = if done { "ImportSucceeded" } else { phase };
    events::record_as(
        context,
        "datavolume-import-controller",
        DATA_VOLUME,
        volume,
        "Normal",
        reason,
        &message,
    )
    .await?;
    Ok(())
}

async fn waits_for_consumer(context: &Context, claim: &Value) -> Result<bool> {
    let Some(class) = claim["spec"]["storageClassName"].as_str() else {
        return Ok(false);
    };
    let class = context.client.get(STORAGE_CLASS, None, class).await?;
    Ok(class.is_some_and(|class| class["volumeBindingMode"] == "WaitForFirstConsumer"))
}

async fn pending_reason(context: &Context, claim: &Value) -> Result<String> {
    Ok(
        match claim["spec"]["storageClassName"]
            .as_str()
            .filter(|name| !name.is_empty())
        {
            None => "no storage class is set and there is no default".to_owned(),
            Some(class) if context.client.get(STORAGE_CLASS, None, class).await?.is_none() => {
                format!("storageclass.storage.k8s.io \"{class}\" not found")
            }
            Some(_) => String::new(),
        },
    )
}
