//! What actors know of the world beyond the API: where the lab's own endpoints are, and who signs their certificates.

use std::fmt;

use futures::future::BoxFuture;

use crate::archive::Archive;
use crate::oauth::OAuthServer;
use crate::schemas::Overrides;
use crate::world::Faults;

/// The lab's own endpoints, and the door to guests' API servers.
pub(crate) struct Site {
    /// Domain under which the management cluster's routes get their hosts: `apps.hub.lab.test`.
    pub(crate) apps_domain: String,
    /// `host:port` at which the `hcp` archive is served over HTTPS with a certificate of the ingress CA; `None` in
    /// simulation, where nothing listens.
    pub(crate) downloads: Option<String>,
    /// The guests' API servers.
    pub(crate) guests: Box<dyn Guests>,
    /// What is served in place of the lab's own CRDs: an actor that installs CRDs passes them through `resolve`.
    pub(crate) schemas: Overrides,
    /// Failures that this world was started with.
    pub(crate) faults: Faults,
}

/// A guest's API server, as the actors that make and use it see it.
pub(crate) trait Guests: Send + Sync {
    /// Starts (or finds) the API server of a guest at the address that its Service got, with a client CA, a serving CA and
    /// an admin identity of its own. Idempotent, and safe after a kill.
    fn ensure<'a>(&'a self, guest: &'a GuestId, address: &'a str) -> BoxFuture<'a, Result<Guest, String>>;

    /// A guest that runs, or `None`.
    fn find(&self, guest: &GuestId) -> Option<Guest>;

    /// The guest that runs under a URL, as kubeconfigs name it.
    fn at(&self, url: &str) -> Option<Guest>;

    /// The log of a guest's objects as it is at this instant: what a snapshot of its etcd would hold. `None` where it does
    /// not run.
    fn snapshot(&self, guest: &GuestId) -> Option<Vec<u8>>;

    /// Gives a guest that has no data yet those of a snapshot, to begin with.
    fn seed<'a>(&'a self, guest: &'a GuestId, snapshot: &'a [u8]) -> BoxFuture<'a, Result<(), String>>;

    /// Where backups lie.
    fn archive(&self) -> &Archive;

    /// The guest whose OAuth server has a URL.
    fn by_oauth(&self, url: &str) -> Option<Guest>;

    /// Which authorities' clients a guest's API server trusts besides its own authority's: PEM, of none or several. What
    /// was trusted before and is not named is trusted no more. Nothing where nobody listens.
    fn trust(&self, guest: &GuestId, authorities: &str) -> Result<(), String>;

    /// Ends a guest's API server and deletes its data.
    fn remove<'a>(&'a self, guest: &'a GuestId) -> BoxFuture<'a, ()>;
}

/// Names a guest: its HostedCluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GuestId {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// A running guest.
#[derive(Clone)]
pub(crate) struct Guest {
    /// In-process client with cluster-admin rights in the guest.
    pub(crate) client: kube::Client,
    /// `https://address:port` as clients reach it.
    pub(crate) url: String,
    /// An admin kubeconfig for that URL (YAML or JSON text).
    pub(crate) kubeconfig: String,
    /// Its OAuth server.
    pub(crate) oauth: OAuthServer,
    /// PEM of the CA that signed its serving certificate.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests hold a restarted guest against it"))]
    pub(crate) ca: String,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("apps_domain", &self.apps_domain)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest").field("url", &self.url).finish_non_exhaustive()
    }
}
