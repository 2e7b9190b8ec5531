//! The guests' API servers: one for each hosted cluster, with a store, an authority and an admin of its own.
//!
//! In a lab that people reach, a guest listens on the address that its Service got (any address of 127.0.0.0/8 can be bound
//! on Linux); where that can't be bound it gets a port of its own on 127.0.0.1, and keeps it. In a simulation nothing
//! listens: clients are in process, and the kubeconfig is text by whose URL the guest is found again.
//!
//! What is not here: when a guest is started (its control plane's controller asks) and what is in it (its operators').

mod extension;
mod kept;
mod listener;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use berth_apiserver::{
    ApiServer, Clock, FileStorage, Identity, KeyAndCertificate, MemoryStorage, OpenError, Options, PkiError,
    ServerVersion, Storage, Tls, TlsError,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use crate::archive::Archive;
use crate::oauth::{self, OAuthServer};
use crate::openshift::{Projects, UserIdentityMappings};
use crate::site::{Guest, GuestId, Guests};

use extension::GuestExtension;
use kept::Kept;

/// The guests' API servers of one world. Clones are the same; the last one to be dropped ends them all.
#[derive(Clone)]
pub(crate) struct GuestServers(Arc<Inner>);

/// What guests' API servers are started with.
struct Settings {
    home: GuestHome,
    clock: Clock,
    random: berth_apiserver::Random,
}

/// Where guests keep their objects, which decides whether anything listens.
enum GuestHome {
    /// A folder for each guest under this one; guests are served over HTTPS.
    Folder {
        path: PathBuf,
        fsync: bool,
        /// The network whose addresses no other lab uses.
        network: Option<u8>,
    },
    /// Simulated disks, which outlive the world that runs on them.
    Memory(GuestDisks),
}

/// The simulated disks of guests, and of their backups. Clones are the same disks.
#[derive(Clone, Debug, Default)]
pub(crate) struct GuestDisks(Arc<Mutex<BTreeMap<GuestId, MemoryStorage>>>, Archive);

struct Inner {
    settings: Settings,
    archive: Archive,
    running: Mutex<BTreeMap<GuestId, Running>>,
    /// Told of each start.
    started: Notify,
    /// Held while one is started: two starts of the same guest would fight for its store.
    starting: tokio::sync::Mutex<()>,
}

struct Running {
    guest: Guest,
    /// Where it is served; ends with this.
    served: Option<Served>,
}

/// A guest that is served.
struct Served {
    api: AbortOnDropHandle<()>,
    oauth: AbortOnDropHandle<()>,
    tls: Tls,
    certificate: KeyAndCertificate,
    authority: String,
    /// What is trusted besides.
    further: Mutex<String>,
}

/// Why a guest's API server does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartGuestError {
    #[error("failed to open the store of the guest's API server")]
    Open(#[from] OpenError),
    #[error("failed to make the guest's certificates")]
    Certificates(#[from] PkiError),
    #[error("failed to set up TLS for the guest's API server")]
    Tls(#[from] TlsError),
    #[error("failed to keep the guest's files in `{path}`")]
    Keep { path: PathBuf, source: std::io::Error },
    #[error("failed to listen for the guest's API server")]
    Listen(#[source] std::io::Error),
}

impl Guests for GuestServers {
    fn ensure<'a>(&'a self, guest: &'a GuestId, address: &'a str) -> BoxFuture<'a, Result<Guest, String>> {
        async move {
            let _starting = self.0.starting.lock().await;
            if let Some(found) = self.find(guest) {
                return Ok(found);
            }
            let running = self.start(guest, address).await.map_err(|error| chain(&error))?;
            let started = running.guest.clone();
            self.running().insert(guest.clone(), running);
            self.0.started.notify_waiters();
            Ok(started)
        }
        .boxed()
    }

    fn find(&self, guest: &GuestId) -> Option<Guest> {
        self.running().get(guest).map(|running| running.guest.clone())
    }

    fn at(&self, url: &str) -> Option<Guest> {
        self.running()
            .values()
            .find(|running| running.guest.url == url)
            .map(|running| running.guest.clone())
    }

    fn snapshot(&self, guest: &GuestId) -> Option<Vec<u8>> {
        self.find(guest)?;
        match &self.0.settings.home {
            GuestHome::Memory(disks) => disks.of(guest).fork().open().ok(),
            GuestHome::Folder { path, .. } => kept::snapshot(&kept::folder(path, guest)),
        }
    }

    fn seed<'a>(&'a self, guest: &'a GuestId, snapshot: &'a [u8]) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let _starting = self.0.starting.lock().await;
            match &self.0.settings.home {
                GuestHome::Memory(disks) => disks.seed(guest, snapshot),
                GuestHome::Folder { path, .. } => kept::seed(&kept::folder(path, guest), snapshot),
            }
            .map_err(|error| error.to_string())
        }
        .boxed()
    }

    fn archive(&self) -> &Archive {
        &self.0.archive
    }

    fn by_oauth(&self, url: &str) -> Option<Guest> {
        let running = self.running();
        let found = running.values().find(|running| running.guest.oauth.url() == url);
        found.map(|running| running.guest.clone())
    }

    fn trust(&self, guest: &GuestId, authorities: &str) -> Result<(), String> {
        let running = self.running();
        match running.get(guest).and_then(|running| running.served.as_ref()) {
            Some(served) => served.trust(authorities).map_err(|error| chain(&error)),
            None => Ok(()),
        }
    }

    fn remove<'a>(&'a self, guest: &'a GuestId) -> BoxFuture<'a, ()> {
        async move {
            let _starting = self.0.starting.lock().await;
            let running = self.running().remove(guest);
            if let Some(served) = running.and_then(|running| running.served) {
                served.stop().await;
            }
            match &self.0.settings.home {
                GuestHome::Memory(disks) => disks.remove(guest),
                GuestHome::Folder { path, .. } => kept::delete(&kept::folder(path, guest)),
            }
        }
        .boxed()
    }
}

impl GuestServers {
    /// Guests that are served, each with a folder under `path`; with `fsync` their objects outlive a loss of power.
    pub(crate) fn on_disk(path: PathBuf, fsync: bool, network: Option<u8>, clock: Clock) -> Self {
        Self::new(Settings {
            home: GuestHome::Folder { path, fsync, network },
            clock,
            random: berth_apiserver::Random::system(),
        })
    }

    /// Guests of a simulation, on disks that the caller keeps over a restart, with uids from a seed.
    pub(crate) fn in_memory(disks: GuestDisks, clock: Clock, seed: u64) -> Self {
        let random = berth_apiserver::Random::seeded(seed ^ 0x0067_7565_7374);
        Self::new(Settings {
            home: GuestHome::Memory(disks),
            clock,
            random,
        })
    }

    fn new(settings: Settings) -> Self {
        let archive = match &settings.home {
            GuestHome::Folder { path, .. } => Archive::Folder(path.with_file_name("backups")),
            GuestHome::Memory(disks) => disks.1.clone(),
        };
        Self(Arc::new(Inner {
            settings,
            archive,
            running: Mutex::default(),
            started: Notify::new(),
            starting: tokio::sync::Mutex::default(),
        }))
    }

    /// Waits until every guest that has a folder is served again, so that a lab that is ready is so with its guests. Not
    /// longer than the limit: a guest whose control plane is not whole may never be.
    pub(crate) async fn resumed(&self, limit: Duration) {
        let GuestHome::Folder { path, .. } = &self.0.settings.home else {
            return;
        };
        let kept = kept::folders(path);
        let all = async {
            loop {
                let started = self.0.started.notified();
                let missing = {
                    let running = self.running();
                    let served: BTreeSet<PathBuf> = running.keys().map(|guest| kept::folder(path, guest)).collect();
                    kept.difference(&served).next().is_some()
                };
                if !missing {
                    return;
                }
                started.await;
            }
        };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("not every guest's API server is back; the lab goes on without");
        }
    }

    /// Ends all guests' API servers, and waits until what they held is free. Their data stay.
    #[cfg(test)]
    async fn stop(&self) {
        let _starting = self.0.starting.lock().await;
        let running = std::mem::take(&mut *self.running());
        for served in running.into_values().filter_map(|running| running.served) {
            served.stop().await;
        }
    }

    async fn start(&self, guest: &GuestId, address: &str) -> Result<Running, StartGuestError> {
        match &self.0.settings.home {
            GuestHome::Memory(disks) => {
                let extension = GuestExtension::new(Arc::clone(&self.0.settings.clock));
                let server = self.open(disks.of(guest), None, &extension)?;
                let url = format!("https://{address}:{}", listener::PORT);
                let oauth = self.oauth(&server, format!("https://{address}:{}", oauth::PORT), &extension);
                let kubeconfig = kept::simulated_kubeconfig(guest, &url);
                let ca = "simulated certificate authority (lab)\n".to_owned();
                Ok(Running {
                    guest: described(&server, url, kubeconfig, ca, oauth),
                    served: None,
                })
            }
            GuestHome::Folder { path, fsync, network } => {
                let folder = kept::folder(path, guest);
                let kept = Kept::open(&folder, guest, &self.0.settings.clock)?;
                let storage = FileStorage::new(folder.join(kept::STORE));
                let storage = if *fsync { storage.with_fsync() } else { storage };
                let extension = GuestExtension::new(Arc::clone(&self.0.settings.clock));
                let server = self.open(storage, Some(kept.authority()), &extension)?;
                let bound = listener::bind(&folder, address, *network).await?;
                let for_logins = listener::bind_logins(&folder, bound.address.ip()).await?;
                let url = format!("https://{}", bound.address);
                let kubeconfig = kept.kubeconfig(&url)?;
                let certificate = kept.certificate(&[address, &bound.address.ip().to_string()])?;
                let authority = kept.authority().to_owned();
                let tls = Tls::new(&certificate, Some(&authority))?;
                let oauth = self.oauth(&server, format!("https://{}", for_logins.address), &extension);
                let acceptor = TlsAcceptor::from(Tls::new(&certificate, None)?.config());
                let api = berth_apiserver::serve(server.clone(), bound.listener, tls.clone(), std::future::pending());
                let logins = oauth::listen(oauth.clone(), for_logins.listener, acceptor);
                let sockets = Served {
                    api: AbortOnDropHandle::new(tokio::spawn(api)),
                    oauth: AbortOnDropHandle::new(tokio::spawn(async move { match logins.await {} })),
                    tls,
                    certificate,
                    authority: authority.clone(),
                    further: Mutex::default(),
                };
                Ok(Running {
                    guest: described(&server, url, kubeconfig, authority, oauth),
                    served: Some(sockets),
                })
            }
        }
    }

    fn oauth(&self, server: &ApiServer, url: String, extension: &GuestExtension) -> OAuthServer {
        let settings = &self.0.settings;
        let client = kube::Client::new(server.service(Identity::admin()), "default");
        let oauth = OAuthServer::new(client, url, Arc::clone(&settings.clock), settings.random.clone());
        extension.tell_of(&oauth);
        oauth
    }

    fn open(
        &self,
        storage: impl Storage + 'static,
        authority: Option<&str>,
        extension: &GuestExtension,
    ) -> Result<ApiServer, OpenError> {
        let settings = &self.0.settings;
        ApiServer::open(Options {
            clock: Arc::clone(&settings.clock),
            random: settings.random.clone(),
            version: ServerVersion::default(),
            root_ca: authority.map(str::to_owned),
            extension: Some(Arc::new(extension.clone())),
            virtual_resources: vec![Arc::new(UserIdentityMappings), Arc::new(Projects)],
            service_range: (std::net::Ipv4Addr::new(172, 31, 0, 0), 16),
            ..Options::new(storage)
        })
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<GuestId, Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn described(server: &ApiServer, url: String, kubeconfig: String, ca: String, oauth: OAuthServer) -> Guest {
    let client = kube::Client::new(server.service(Identity::admin()), "default");
    Guest {
        client,
        url,
        kubeconfig,
        oauth,
        ca,
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl std::fmt::Debug for GuestServers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestServers")
            .field("running", &self.running().keys())
            .finish_non_exhaustive()
    }
}

// === impl Served ===

impl Served {
    async fn stop(self) {
        for serving in [self.api, self.oauth] {
            serving.abort();
            // Cancelled is how it ends; what it held is free then.
            let _ = serving.await;
        }
    }

    fn trust(&self, authorities: &str) -> Result<(), TlsError> {
        let mut further = self.further.lock().unwrap_or_else(PoisonError::into_inner);
        if *further != authorities {
            let all = format!("{}{authorities}", self.authority);
            self.tls.replace(&Tls::new(&self.certificate, Some(&all))?);
            authorities.clone_into(&mut further);
        }
        Ok(())
    }
}

// === impl GuestDisks ===

impl GuestDisks {
    fn of(&self, guest: &GuestId) -> MemoryStorage {
        self.lock().entry(guest.clone()).or_default().clone()
    }

    fn remove(&self, guest: &GuestId) {
        self.lock().remove(guest);
    }

    fn seed(&self, guest: &GuestId, snapshot: &[u8]) -> std::io::Result<()> {
        let mut disks = self.lock();
        if disks.contains_key(guest) {
            return Err(kept::has_data());
        }
        let mut disk = MemoryStorage::new();
        disk.open()?;
        disk.append(snapshot)?;
        disks.insert(guest.clone(), disk);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<GuestId, MemoryStorage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
