//! Jobs: pods until enough of them have succeeded.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{MANAGER, NAME, active, is_deleting, owned, pod_from};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client;
use crate::conditions;
use crate::kind::{JOB, POD};

/// The Job controller.
pub(crate) struct Jobs;

impl Actor for Jobs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::own(JOB), Watch::owned(POD, JOB)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let client = &context.client;
    let Some(job) = client.get(JOB, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&job) || conditions::is_true(&job, "Complete") || conditions::is_true(&job, "Failed") {
        return Ok(Next::OnEvent);
    }
    let listed = client.list(POD, key.namespace(), "").await?;
    let count = |phase: &str| {
        owned(&listed, &job)
            .filter(|pod| pod["status"]["phase"] == phase)
            .count()
    };
    let (succeeded, failed) = (count("Succeeded"), count("Failed"));
    let running = active(&listed, &job);
    let completions = number(&job["spec"]["completions"], 1);
    let parallelism = number(&job["spec"]["parallelism"], 1);
    let over = succeeded >= completions || failed > number(&job["spec"]["backoffLimit"], 6);
    if !over {
        for _ in running.len()..parallelism.min(completions.saturating_sub(succeeded)) {
            let name = format!("{}-{}", key.name, context.random.suffix(5));
            let uid = job["metadata"]["uid"].as_str().unwrap_or_default();
            // The labels by which Jobs select; upstream writes them into the template when the Job is made.
            let labels = [
                ("batch.kubernetes.io/controller-uid", uid),
                ("batch.kubernetes.io/job-name", key.name.as_str()),
                ("controller-uid", uid),
                ("job-name", key.name.as_str()),
            ];
            client
                .create(POD, &pod_from(&job["spec"]["template"], &job, "Job", &name, &labels))
                .await?;
        }
    }
    let ready = running.iter().filter(|pod| conditions::is_true(pod, "Ready")).count();
    let status = status(
        &job,
        [running.len(), ready, succeeded, failed],
        completions,
        &context.time.stamp(),
    );
    if status != job["status"] {
        client.status(JOB, key.namespace(), &key.name, &status).await?;
    }
    Ok(Next::OnEvent)
}

fn number(value: &Value, default: usize) -> usize {
    value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(default)
}

fn status(job: &Value, [active, ready, succeeded, failed]: [usize; 4], completions: usize, now: &str) -> Value {
    let some = |count: usize| if count == 0 { Value::Null } else { count.into() };
    let mut list = job["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let mut status = job["status"].clone();
    let mut fields = vec![
        ("active", some(active)),
        ("ready", ready.into()),
        ("succeeded", some(succeeded)),
        ("failed", some(failed)),
        ("terminating", 0.into()),
        ("uncountedTerminatedPods", json!({})),
    ];
    if job["status"]["startTime"].is_null() {
        fields.push(("startTime", now.into()));
    }
    if succeeded >= completions {
        let message = "Reached expected number of succeeded pods";
        conditions::set(
            &mut list,
            now,
            "SuccessCriteriaMet",
            "True",
            "CompletionsReached",
            message,
        );
        conditions::set(&mut list, now, "Complete", "True", "CompletionsReached", message);
        fields.push(("completionTime", now.into()));
    } else if failed > number(&job["spec"]["backoffLimit"], 6) {
        let message = "Job has reached the specified backoff limit";
        conditions::set(&mut list, now, "FailureTarget", "True", "BackoffLimitExceeded", message);
        conditions::set(&mut list, now, "Failed", "True", "BackoffLimitExceeded", message);
    }
    if !list.is_empty() {
        fields.push(("conditions", list.into()));
    }
    for (field, value) in fields {
        if !(value.is_null() && status[field].is_null()) {
            status[field] = value;
        }
    }
    status
}
