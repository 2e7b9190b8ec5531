//! The first start of a world: loads the management cluster's state, and lets its workloads come up, so that what a
//! person meets is a cluster that has been running. On a later start it is told what has changed around it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Past, StartError, Workers, for_actor};
use crate::actor::{Actor, Context};
use crate::client::{self, Client};
use crate::conditions;
use crate::kind::{DAEMON_SET, DEPLOYMENT, INGRESS_CONTROLLER, Kind};
use crate::time::{Speed, Time};
use crate::{controller, state};

/// The actors that bring up what the state holds.
const BRINGERS: [&str; 3] = ["workloads", "storage", "ingress"];
/// How often, and how often at most, to look whether all has come up.
const LOOK: Duration = Duration::from_millis(5);
const LOOKS: u32 = 4000;

/// What the state needs to know of the world's endpoints.
pub(super) struct Setting<'a> {
    pub(super) api_url: &'a str,
    pub(super) ingress_ca: &'a str,
    pub(super) addresses: &'a str,
    pub(super) workers: Workers,
}

/// Makes the management cluster in the past, unless it is there; it is the present from then on.
pub(super) async fn boot(
    context: &Context,
    setting: &Setting<'_>,
    actors: &[Arc<dyn Actor>],
    past: &Past,
) -> Result<(), StartError> {
    let is_loaded = state::is_loaded(&context.client).await?;
    if is_loaded {
        past.leave();
    }
    let id = cluster_id(context);
    let now = context.time.stamp();
    let setting = state::Setting {
        generation: context.generation,
        now: &now,
        cluster_id: &id,
        api_url: setting.api_url,
        apps_domain: &context.site.apps_domain,
        ingress_ca: setting.ingress_ca,
        addresses: setting.addresses,
        workers: setting.workers,
        faults: &context.site.faults,
    };
    if is_loaded {
        return Ok(state::refresh(&context.client, &setting).await?);
    }
    state::load(&context.client, &setting, &context.site.schemas).await?;
    settle(context, actors).await?;
    past.leave();
    state::mark_loaded(&context.client).await?;
    Ok(())
}

/// Runs the actors that bring up workloads, at full speed, until all of them are up.
async fn settle(context: &Context, actors: &[Arc<dyn Actor>]) -> Result<(), StartError> {
    let wall = context.time.clone();
    let hurried = Context {
        time: Time::new(Speed::Max, move || wall.now()),
        ..context.clone()
    };
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let bringers: Vec<_> = actors.iter().filter(|actor| BRINGERS.contains(&actor.name())).collect();
    let names: Vec<&str> = bringers.iter().map(|actor| actor.name()).collect();
    for actor in &bringers {
        tasks.spawn(controller::run(
            Arc::clone(actor),
            for_actor(&hurried, &***actor),
            shutdown.clone(),
        ));
    }
    let mut waiting = None;
    // Without the actors that would do it, nothing comes up, and that is what was asked for.
    if names.contains(&"workloads") {
        for _ in 0..LOOKS {
            waiting = unsettled(&context.client, names.contains(&"ingress")).await?;
            if waiting.is_none() {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    shutdown.cancel();
    while tasks.join_next().await.is_some() {}
    waiting.map_or(Ok(()), |what| Err(StartError::Unsettled(what)))
}

/// The first workload that is not up yet.
async fn unsettled(client: &Client, with_ingress: bool) -> client::Result<Option<String>> {
    let name = |kind: Kind, object: &serde_json::Value| Some(format!("{} `{}`", kind.kind, client::name_of(object)));
    if with_ingress {
        for controller in client.list(INGRESS_CONTROLLER, None, "").await? {
            if !conditions::find(&controller, "Progressing").is_some_and(|condition| condition["status"] == "False") {
                return Ok(name(INGRESS_CONTROLLER, &controller));
            }
        }
    }
    for deployment in client.list(DEPLOYMENT, None, "").await? {
        if deployment["status"]["availableReplicas"] != deployment["spec"]["replicas"] {
            return Ok(name(DEPLOYMENT, &deployment));
        }
    }
    for set in client.list(DAEMON_SET, None, "").await? {
        let status = &set["status"];
        if status["desiredNumberScheduled"].is_null() || status["numberAvailable"] != status["desiredNumberScheduled"] {
            return Ok(name(DAEMON_SET, &set));
        }
    }
    Ok(None)
}

/// A version-4 UUID from the world's own randomness.
fn cluster_id(context: &Context) -> String {
    let mut bytes = context.random.bytes(16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = crate::hash::encode(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
