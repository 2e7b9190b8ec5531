//! Reads everything once: for plans, checks and status.

use std::collections::BTreeSet;
use std::sync::Arc;

use berth_procedure::{Effect, Facts, Secret, Seen, Selector, Step, Target};
use futures::StreamExt;
use futures::stream;
use tokio::time;

use crate::api::{Api, RequestError, RequestErrorKind};
use crate::backoff;
use crate::engine::Engine;
use crate::known::World;

/// So many lists are under way at once: enough to hide the distance to the server, few enough to be no burden.
const AT_ONCE: usize = 8;

/// So many effects are looked at at a time: to find out why a guest can't be reached takes as long as a firewall is silent.
const EFFECTS_AT_ONCE: usize = 32;

/// So often is a list tried before it counts as unreadable.
const ATTEMPTS: u32 = 4;

/// Why a cluster could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The API server could not be reached.
    #[error("failed to reach the API server at {url}")]
    Unreachable {
        /// The URL.
        url: String,
        /// Why.
        source: Box<RequestError>,
    },
    /// The API server does not accept the credentials.
    #[error("failed to log in to the API server at {url}")]
    Unauthorized {
        /// The URL.
        url: String,
        /// Why.
        source: Box<RequestError>,
    },
}

impl Engine {
    /// Reads what the steps watch, and more selections, once: from the management cluster and from every guest whose
    /// kubeconfig is there. What cannot be read is in the facts as such; only a management cluster that can't be spoken to
    /// at all is an error. Actions outside the API that are done already are in the facts as well.
    pub async fn read(&self, steps: &[Box<dyn Step>], more: &[Selector]) -> Result<Facts, ReadError> {
        Ok(self.read_world(steps, more).await?.facts)
    }

    pub(crate) async fn read_world(&self, steps: &[Box<dyn Step>], more: &[Selector]) -> Result<World, ReadError> {
        let mut world = World::default();
        world.facts.server = self.connection().server.clone();
        world.facts.now = self.now();
        let selectors: BTreeSet<Selector> = steps
            .iter()
            .flat_map(|step| step.watches())
            .chain(more.iter().cloned())
            .collect();
        let (hub, guests): (Vec<_>, Vec<_>) = selectors
            .into_iter()
            .partition(|selector| selector.target == Target::Management);
        let management = self.management();
        let mut lists = stream::iter(hub)
            .map(|selector| self.list(&management, selector))
            .buffered(AT_ONCE);
        while let Some((selector, listed)) = lists.next().await {
            match listed {
                Ok((seen, version)) => world.observe(selector, seen, version),
                Err(error) => return Err(self.read_error(error)),
            }
        }
        drop(lists);
        self.read_guests(steps, guests, &mut world).await;
        self.recognise_effects(steps, &mut world.facts).await;
        Ok(world)
    }

    async fn read_guests(&self, steps: &[Box<dyn Step>], selectors: Vec<Selector>, world: &mut World) {
        let kubeconfigs: Vec<(Target, Secret)> = steps.iter().flat_map(|step| step.kubeconfigs(&world.facts)).collect();
        let with_kubeconfig = selectors.into_iter().filter_map(|selector| {
            let (_, kubeconfig) = kubeconfigs.iter().find(|(target, _)| *target == selector.target)?;
            Some((selector, kubeconfig))
        });
        let lists = stream::iter(with_kubeconfig.collect::<Vec<_>>()).map(async |(selector, kubeconfig)| {
            let listed = match self.guest(kubeconfig).await {
                Ok(api) => self.list(&api, selector.clone()).await.1.map_err(|error| error.told()),
                Err(failure) => Err(failure.to_string()),
            };
            (selector, listed)
        });
        let mut lists = std::pin::pin!(lists.buffered(AT_ONCE));
        while let Some((selector, listed)) = lists.next().await {
            let (seen, version) = listed.unwrap_or_else(|cause| (Seen::Unreadable(cause), None));
            world.observe(selector, seen, version);
        }
    }

    async fn recognise_effects(&self, steps: &[Box<dyn Step>], facts: &mut Facts) {
        let effects: Vec<Effect> = steps.iter().flat_map(|step| step.effects(facts)).collect();
        let found = stream::iter(effects)
            .map(async |effect| {
                let outcome = self.connection().perform.done(&effect).await;
                (effect, outcome)
            })
            .buffered(EFFECTS_AT_ONCE);
        let mut found = std::pin::pin!(found);
        while let Some((effect, outcome)) = found.next().await {
            if let Some(outcome) = outcome {
                facts.record(effect, Ok(outcome));
            }
        }
    }

    /// A selection, tried a few times. An error is one that says nothing of the selection but of the server.
    async fn list(&self, api: &Api, selector: Selector) -> (Selector, Result<(Seen, Option<u64>), RequestError>) {
        let mut attempt = 1;
        loop {
            let error = match api.list(&selector).await {
                Ok(listed) => {
                    let objects = listed.items.into_iter().map(Arc::new).collect();
                    return (selector, Ok((Seen::Objects(objects), listed.version.parse().ok())));
                }
                Err(error) => error,
            };
            let again = matches!(
                error.kind,
                RequestErrorKind::Busy | RequestErrorKind::Unreachable | RequestErrorKind::Expired
            );
            if again && attempt < ATTEMPTS {
                tracing::debug!(error = %error.told(), attempt, "a list is tried again");
                time::sleep(backoff::delay(attempt, error.retry_after, &self.connection().random)).await;
                attempt += 1;
                continue;
            }
            let listed = match error.kind {
                RequestErrorKind::Unreachable | RequestErrorKind::Unauthorized => Err(error),
                RequestErrorKind::NoKind | RequestErrorKind::NotFound => Ok((Seen::NoKind, None)),
                _ => Ok((Seen::Unreadable(error.told()), None)),
            };
            return (selector, listed);
        }
    }

    fn read_error(&self, error: RequestError) -> ReadError {
        let url = self.connection().server.url.clone();
        let source = Box::new(error);
        match source.kind {
            RequestErrorKind::Unauthorized => ReadError::Unauthorized { url, source },
            _ => ReadError::Unreachable { url, source },
        }
    }
}
