//! All watches of a run: one task for each selection, one inbox for what they tell.

use std::collections::BTreeMap;

use berth_procedure::{Secret, Selector, Target};
use tokio::sync::{mpsc, watch as signal};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time;

use super::Sighting;
use super::watch::{Watch, watch, watch_definitions};
use crate::api::Api;
use crate::backoff;
use crate::engine::Engine;

/// Watches tell so much ahead of their owner; then they wait for it. More would only be stale sooner.
const AHEAD: usize = 256;

/// The watches. Dropping it ends them.
pub(crate) struct Watcher {
    engine: Engine,
    outbox: mpsc::Sender<Sighting>,
    inbox: mpsc::Receiver<Sighting>,
    /// Counts changes of watched objects: for selections that can't be watched.
    stirred: signal::Sender<u64>,
    servers: BTreeMap<Target, Server>,
}

/// The tasks that speak with one API server.
struct Server {
    kubeconfig: Option<Secret>,
    tasks: JoinSet<()>,
    /// How often each custom resource definition was seen to change.
    definitions: signal::Sender<BTreeMap<String, u64>>,
    watches_definitions: bool,
    opened: BTreeMap<Selector, AbortHandle>,
}

impl Watcher {
    pub(crate) fn new(engine: &Engine) -> Self {
        let (outbox, inbox) = mpsc::channel(AHEAD);
        Self {
            engine: engine.clone(),
            outbox,
            inbox,
            stirred: signal::Sender::new(0),
            servers: BTreeMap::new(),
        }
    }

    /// Opens selections on an API server; what is open already stays.
    pub(crate) fn open(&mut self, target: &Target, api: &Api, selectors: impl IntoIterator<Item = Selector>) {
        let server = self.servers.entry(target.clone()).or_insert_with(Server::new);
        if !server.watches_definitions {
            server.watches_definitions = true;
            server.tasks.spawn(watch_definitions(
                api.clone(),
                self.engine.clone(),
                server.definitions.clone(),
            ));
        }
        for selector in selectors {
            if server.opened.contains_key(&selector) {
                continue;
            }
            let task = server.tasks.spawn(watch(Watch {
                api: api.clone(),
                engine: self.engine.clone(),
                selector: selector.clone(),
                outbox: self.outbox.clone(),
                definitions: server.definitions.subscribe(),
                stirred: self.stirred.subscribe(),
            }));
            server.opened.insert(selector, task);
        }
    }

    /// Whether a selection is open.
    pub(crate) fn watches(&self, selector: &Selector) -> bool {
        let server = self.servers.get(&selector.target);
        server.is_some_and(|server| server.opened.contains_key(selector))
    }

    /// Closes a selection.
    pub(crate) fn close(&mut self, selector: &Selector) {
        let server = self.servers.get_mut(&selector.target);
        if let Some(task) = server.and_then(|server| server.opened.remove(selector)) {
            task.abort();
        }
    }

    /// Makes a client for a guest, until that works, and tells of it. A kubeconfig that is known already changes nothing;
    /// another one ends what was open. Whether it did anything.
    pub(crate) fn connect(&mut self, target: &Target, kubeconfig: &Secret) -> bool {
        if self
            .servers
            .get(target)
            .is_some_and(|server| server.kubeconfig.as_ref() == Some(kubeconfig))
        {
            return false;
        }
        let mut server = Server::new();
        server.kubeconfig = Some(kubeconfig.clone());
        server.tasks.spawn(connect(
            self.engine.clone(),
            target.clone(),
            kubeconfig.clone(),
            self.outbox.clone(),
        ));
        self.servers.insert(target.clone(), server);
        true
    }

    /// Says that watched objects changed.
    pub(crate) fn stir(&self) {
        self.stirred.send_modify(|count| *count += 1);
    }

    /// The next thing that a watch tells. Cancel safe: nothing is lost.
    pub(crate) async fn next(&mut self) -> Sighting {
        self.inbox.recv().await.expect("the watcher itself holds a sender")
    }

    /// What a watch has told already.
    pub(crate) fn ready(&mut self) -> Option<Sighting> {
        self.inbox.try_recv().ok()
    }
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

impl Server {
    fn new() -> Self {
        let definitions = signal::Sender::new(BTreeMap::new());
        Self {
            kubeconfig: None,
            tasks: JoinSet::new(),
            definitions,
            watches_definitions: false,
            opened: BTreeMap::new(),
        }
    }
}

async fn connect(engine: Engine, target: Target, kubeconfig: Secret, outbox: mpsc::Sender<Sighting>) {
    let mut attempt = 1;
    loop {
        let failure = match engine.guest(&kubeconfig).await {
            Ok(api) => {
                // The owner may be gone: then nobody wants to know.
                let _ = outbox.send(Sighting::Connected { target, api }).await;
                return;
            }
            Err(failure) => failure,
        };
        let delay = backoff::delay(attempt, None, &engine.connection().random);
        let what = "connect to the guest's API server".to_owned();
        let _ = outbox
            .send(Sighting::retrying(what, failure.to_string(), attempt, delay))
            .await;
        time::sleep(delay).await;
        attempt += 1;
    }
}
