//! What an API server is opened with.

use std::{collections::BTreeMap, fmt, net::Ipv4Addr, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    AdmissionHook, Authorizer, Converter, Extension, Identity, MemoryStorage, Random, Storage, VirtualResource,
};

/// Tells wall time, as clients see it in timestamps.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How many past changes of each resource are kept for watches, pages and reads of an exact version.
const HISTORY: usize = 4096;

/// What an API server is opened with.
pub struct Options {
    /// Where the log of changes is kept.
    pub storage: Box<dyn Storage>,
    /// Wall time.
    pub clock: Clock,
    /// Source of uids and generated names.
    pub random: Random,
    /// What `/version` says.
    pub version: ServerVersion,
    /// Read-only kinds that are computed rather than stored (aggregated APIs).
    pub virtual_resources: Vec<Arc<dyn VirtualResource>>,
    /// Converts custom kinds between their versions in place of conversion webhooks.
    pub converter: Option<Arc<dyn Converter>>,
    /// PEM of the CA that every namespace's ConfigMap `kube-root-ca.crt` holds; no such ConfigMaps without it.
    pub root_ca: Option<String>,
    /// Bearer tokens, and who they stand for.
    pub tokens: BTreeMap<String, Identity>,
    /// Decides what an authenticated user may do; everything, without one.
    pub authorizer: Option<Authorizer>,
    /// What a distribution adds to the server.
    pub extension: Option<Arc<dyn Extension>>,
    /// Change or refuse what is written, in this order: what webhooks do to a real server.
    pub admission: Vec<Arc<dyn AdmissionHook>>,
    /// How many past changes of each resource are kept, fewer where they take more than a few MB. A watch from before that
    /// is answered with `Expired`.
    pub history: usize,
    /// How long an Event is kept after it was last written; [`Duration::MAX`] for ever.
    pub event_ttl: Duration,
    /// First address and prefix length of the range that Services get their cluster IPs from.
    pub service_range: (Ipv4Addr, u8),
}

/// What `/version` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerVersion {
    /// With a leading `v`: `v1.30.4`.
    pub git_version: String,
    /// `1`
    pub major: String,
    /// `30`
    pub minor: String,
}

// === impl Options ===

impl Options {
    /// Options with the system's clock and randomness, and everything else at its default.
    pub fn new(storage: impl Storage + 'static) -> Self {
        Self {
            storage: Box::new(storage),
            clock: Arc::new(Timestamp::now),
            random: Random::system(),
            version: ServerVersion::default(),
            virtual_resources: Vec::new(),
            converter: None,
            root_ca: None,
            tokens: BTreeMap::new(),
            authorizer: None,
            extension: None,
            admission: Vec::new(),
            history: HISTORY,
            event_ttl: Duration::from_hours(1),
            service_range: (Ipv4Addr::new(172, 30, 0, 0), 16),
        }
    }

    /// As [`Options::new`], keeping nothing beyond the server's life: what most tests want.
    pub fn in_memory() -> Self {
        Self::new(MemoryStorage::new())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tokens are secrets.
        f.debug_struct("Options")
            .field("version", &self.version)
            .field("history", &self.history)
            .finish_non_exhaustive()
    }
}

// === impl ServerVersion ===

impl ServerVersion {
    /// The version of a release such as `1.30.4`.
    pub fn release(release: &str) -> Self {
        let mut parts = release.split('.');
        let mut next = || parts.next().unwrap_or("0").to_owned();
        Self {
            major: next(),
            minor: next(),
            git_version: format!("v{release}"),
        }
    }
}

impl Default for ServerVersion {
    fn default() -> Self {
        Self::release("1.30.4")
    }
}
