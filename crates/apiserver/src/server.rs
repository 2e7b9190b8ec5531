//! The server itself: what all requests and controllers share.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::task::AbortHandle;

use crate::{
    ApiService, Identity, Options, RequestCount, controllers, crd,
    metrics::Metrics,
    options::{Clock, ServerVersion},
    random::Random,
    registry::Registry,
    store::{LogError, Store},
};

/// An API server. Cheap to clone; all clones are the same server.
#[derive(Clone)]
pub struct ApiServer {
    state: Arc<State>,
}

/// What all requests share.
pub(crate) struct State {
    pub(crate) store: Arc<Store>,
    registry: RwLock<Arc<Registry>>,
    /// Held while a CRD is settled: the registry is read, changed and put back.
    pub(crate) settling: Mutex<()>,
    /// Converts custom kinds between their versions.
    pub(crate) converter: Option<Arc<dyn crate::Converter>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) version: ServerVersion,
    pub(crate) root_ca: Option<String>,
    pub(crate) authorizer: Option<crate::Authorizer>,
    pub(crate) extension: Option<Arc<dyn crate::Extension>>,
    pub(crate) hooks: Vec<Arc<dyn crate::AdmissionHook>>,
    pub(crate) event_ttl: std::time::Duration,
    pub(crate) service_range: (std::net::Ipv4Addr, u8),
    pub(crate) tokens: std::collections::BTreeMap<String, Identity>,
    /// The task that runs the controllers, once there was a request.
    controllers: Mutex<Option<AbortHandle>>,
}

/// Why a server can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its log can't be opened.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The objects that every cluster has could not be made.
    #[error("failed to set up the cluster's first objects: {0}")]
    Bootstrap(String),
}

// === impl ApiServer ===

impl ApiServer {
    /// Opens a server on what its storage holds, and makes what every cluster has: the first namespaces, the Service
    /// `kubernetes`.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let Options {
            storage,
            clock,
            random,
            version,
            virtual_resources,
            converter,
            root_ca,
            tokens,
            authorizer,
            extension,
            admission,
            history,
            event_ttl,
            service_range,
        } = options;
        let store = Arc::new(Store::open(storage, history)?);
        let state = Arc::new(State {
            registry: RwLock::new(Arc::new(Registry::new(
                &virtual_resources,
                extension
                    .as_ref()
                    .map(|extension| extension.kinds())
                    .unwrap_or_default(),
            ))),
            settling: Mutex::new(()),
            converter,
            store,
            metrics: Arc::default(),
            clock,
            random,
            version,
            root_ca,
            authorizer,
            extension,
            hooks: admission,
            event_ttl,
            service_range,
            tokens,
            controllers: Mutex::new(None),
        });
        crd::load(&state);
        controllers::bootstrap(&state).map_err(|error| OpenError::Bootstrap(error.to_string()))?;
        Ok(Self { state })
    }

    /// A `tower` service that makes requests as this user, without a socket. What `kube::Client::new` wants.
    pub fn service(&self, identity: Identity) -> ApiService {
        ApiService::new(self.clone(), identity)
    }

    /// Runs the controllers (namespaces, garbage collection, default ServiceAccounts, the end of Events) until dropped. Not
    /// needed on a tokio runtime: there the first request starts them. On another, nothing happens by the mere passing of time.
    pub async fn run(&self) {
        controllers::run(Arc::downgrade(&self.state)).await;
    }

    /// How often clients did what.
    pub fn requests(&self) -> Vec<RequestCount> {
        self.state.metrics.counts()
    }

    /// Number of the last change: the `resourceVersion` of a list made now.
    pub fn revision(&self) -> u64 {
        self.state.store.revision()
    }

    /// Starts the controllers on the current runtime, unless they run.
    pub(crate) fn start(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let mut controllers = self.state.controllers.lock().unwrap_or_else(PoisonError::into_inner);
        // A runtime that ended took its task with it; the next one gets its own.
        if controllers.as_ref().is_none_or(AbortHandle::is_finished) {
            // It ends by itself when the server is dropped.
            let task = runtime.spawn(controllers::run(Arc::downgrade(&self.state)));
            *controllers = Some(task.abort_handle());
        }
    }

    pub(crate) fn state(&self) -> &Arc<State> {
        &self.state
    }
}

impl std::fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiServer")
            .field("version", &self.state.version)
            .finish_non_exhaustive()
    }
}

// === impl State ===

impl State {
    /// The kinds that there are now.
    pub(crate) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_registry(&self, registry: Registry) {
        *self.registry.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(registry);
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Wall time in the API's form: whole seconds, `Z`.
    pub(crate) fn stamp(&self) -> String {
        self.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}
