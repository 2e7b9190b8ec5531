//! Puts a world together: the management cluster's API server, its state, and the actors that make it live.
//!
//! A world owns its tasks: dropping it is the kill that everything here must survive. It knows neither processes nor
//! sockets; `process.rs` and `simulation.rs` are the two ways to have one.

mod boot;
mod faults;
mod past;
mod workers;

use std::collections::BTreeSet;
use std::sync::Arc;

use berth_apiserver::{ApiServer, Clock, Identity, OpenError, Options, Random, ServerVersion, Storage};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::actor::{Actor, Context};
use crate::actors::{self, EvictionInterceptor, NoSuchActor};
use crate::catalog::PackageManifests;
use crate::client::{self, Client};
use crate::controller;
use crate::conversion::Conversions;
use crate::generation::Generation;
use crate::openshift::Projects;
use crate::schemas::Overrides;
use crate::site::{Guests, Site};
use crate::time::{Speed, Time};
use crate::webhooks;

pub use faults::Faults;
use past::Past;
pub use workers::{NoSuchWorkers, Workers};

/// Domain under which the management cluster's routes get their hosts. `.test` is reserved: it is nobody's.
const APPS_DOMAIN: &str = "apps.hub.lab.test";

/// What a world is made of.
pub(crate) struct Config {
    /// Where the management cluster's objects are kept.
    pub(crate) storage: Box<dyn Storage>,
    pub(crate) speed: Speed,
    pub(crate) generation: Generation,
    /// Names of actors that are left out.
    pub(crate) without: BTreeSet<String>,
    pub(crate) faults: Faults,
    /// Wall time.
    pub(crate) clock: Clock,
    /// Names and passwords of the actors.
    pub(crate) random: Random,
    /// Uids and generated names of the API server.
    pub(crate) server_random: Random,
    /// `https://host:port` of the API.
    pub(crate) api_url: String,
    /// Addresses for load balancers, as MetalLB writes ranges.
    pub(crate) addresses: String,
    /// Machines for workloads, where the cluster is made anew.
    pub(crate) workers: Workers,
    /// PEM of the CA of the API's certificate.
    pub(crate) root_ca: String,
    /// PEM of the CA of what the ingress serves.
    pub(crate) ingress_ca: String,
    /// `host:port` where the `hcp` archive is served.
    pub(crate) downloads: Option<String>,
    pub(crate) guests: Box<dyn Guests>,
    /// CRDs to serve in place of the lab's own.
    pub(crate) crds: Vec<Value>,
}

/// A world that runs.
pub(crate) struct World {
    server: ApiServer,
    site: Arc<Site>,
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
    /// What webhooks ask the API server with. It lives as long as the world.
    _of_webhooks: Arc<Client>,
}

/// Why a world does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened.
    #[error("failed to open the lab's API server")]
    Open(#[from] OpenError),
    /// The management cluster's objects cannot be made.
    #[error("failed to load the management cluster's state")]
    Load(#[from] client::Error),
    /// What the state consists of did not come up.
    #[error("the management cluster did not settle: {0}")]
    Unsettled(String),
    /// An actor that is to be left out does not exist.
    #[error(transparent)]
    NoSuchActor(#[from] NoSuchActor),
}

impl World {
    /// Starts a world on what its storage holds; on nothing, the management cluster is made first.
    pub(crate) async fn start(config: Config) -> Result<Self, StartError> {
        let actors = actors::all_but(&config.without)?;
        // From the first object on, which the server makes itself; whoever finds a cluster that was made before leaves it.
        let past = Past::default();
        past.enter();
        let clock = past.clock(config.clock);
        let interceptor = EvictionInterceptor::default();
        // Who leaves out the operator leaves out its webhooks.
        let admission = if config.without.contains("hypershift") {
            Vec::new()
        } else {
            webhooks::all(config.generation, &config.random)
        };
        let server = ApiServer::open(Options {
            storage: config.storage,
            clock: Arc::clone(&clock),
            random: config.server_random,
            version: ServerVersion::release(config.generation.versions().kubernetes),
            virtual_resources: vec![Arc::new(PackageManifests::new(config.generation)), Arc::new(Projects)],
            converter: Some(Arc::new(Conversions)),
            root_ca: Some(config.root_ca),
            authorizer: Some(crate::access::authorizer()),
            extension: Some(Arc::new(interceptor.clone())),
            admission,
            ..Options::in_memory()
        })?;
        let client = Client::new(kube::Client::new(server.service(Identity::admin()), "default"), "lab");
        let of_webhooks = Arc::new(client.with_manager("virt-api"));
        interceptor.reach(&of_webhooks);
        let site = Arc::new(Site {
            apps_domain: APPS_DOMAIN.to_owned(),
            downloads: config.downloads.clone(),
            guests: config.guests,
            schemas: Overrides::new(config.crds),
            faults: config.faults,
        });
        let context = Context {
            client,
            time: Time::new(config.speed, move || clock()),
            random: config.random,
            generation: config.generation,
            site: Arc::clone(&site),
        };
        let setting = boot::Setting {
            api_url: &config.api_url,
            ingress_ca: &config.ingress_ca,
            addresses: &config.addresses,
            workers: config.workers,
        };
        boot::boot(&context, &setting, &actors, &past).await?;
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for actor in actors {
            let context = for_actor(&context, &*actor);
            tasks.spawn(controller::run(actor, context, shutdown.clone()));
        }
        Ok(Self {
            server,
            site,
            shutdown,
            tasks,
            _of_webhooks: of_webhooks,
        })
    }

    /// The management cluster's API server.
    pub(crate) fn server(&self) -> &ApiServer {
        &self.server
    }

    /// What actors know of this world, guests among it.
    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// Ends all actors, and waits for them.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// The context of an actor: writing under its own name.
fn for_actor(context: &Context, actor: &dyn Actor) -> Context {
    Context {
        client: context.client.with_manager(actor.manager()),
        ..context.clone()
    }
}
