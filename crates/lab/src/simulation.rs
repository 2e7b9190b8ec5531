//! A whole world in a test: one thread, tokio's paused clock, an in-process client, and everything random from one seed.
//! Modelled durations pass in virtual time, so that a bring-up of thirteen minutes takes a moment, and is the same each
//! time.
//!
//! To be used on a current-thread runtime with its clock paused (`#[tokio::test(start_paused = true)]`).

use std::collections::BTreeSet;
use std::sync::Arc;

use berth_apiserver::{ApiServer, Clock, Identity, MemoryStorage, Random, RequestCount};
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::generation::Generation;
use crate::guests::GuestDisks;
use crate::recorder::EventLog;
use crate::time::Speed;
use crate::world::{Config, Faults, StartError, Workers, World};

/// When simulated time begins: 2026-01-01T00:00:00Z.
const EPOCH: i64 = 1_767_225_600;
/// Where clients believe the API to be; nothing listens there.
const API_URL: &str = "https://127.0.0.1:6443";
/// The addresses of load balancers; nothing listens there either.
const ADDRESSES: &str = "127.64.0.0/24";
/// Stands for certificates, which cannot be made from a seed: nobody verifies one in a simulation.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nc2ltdWxhdGVk\n-----END CERTIFICATE-----\n";

/// What a simulation is of.
#[derive(Clone, Debug)]
pub struct SimulationOptions {
    /// Decides everything that is random.
    pub seed: u64,
    /// How fast modelled work goes by in virtual time.
    pub speed: Speed,
    /// The upstream versions that are played.
    pub generation: Generation,
    /// Actors that are left out.
    pub without: BTreeSet<String>,
    /// Failures that the world is started with.
    pub faults: Faults,
    /// CRDs to serve in place of the lab's own of the same name.
    pub crds: Vec<serde_json::Value>,
    /// Machines for workloads.
    pub workers: Workers,
    /// Whether an event log is kept; it costs a third of a run's time.
    pub record: bool,
}

/// A simulated world. Dropping it is a kill.
pub struct Simulation {
    options: SimulationOptions,
    disks: Disks,
    clock: Clock,
    log: EventLog,
    /// How often the world was started.
    era: u32,
    running: Running,
}

/// What outlives a kill: the objects of the management cluster and of its guests.
#[derive(Default)]
struct Disks {
    hub: MemoryStorage,
    guests: GuestDisks,
}

struct Running {
    world: World,
    recording: Option<JoinHandle<()>>,
}

// === impl SimulationOptions ===

impl Default for SimulationOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            speed: Speed::Times(1.0),
            generation: Generation::default(),
            without: BTreeSet::new(),
            faults: Faults::default(),
            crds: Vec::new(),
            workers: Workers::default(),
            record: false,
        }
    }
}

// === impl Simulation ===

impl Simulation {
    /// Starts a world with an empty disk.
    pub async fn start(options: SimulationOptions) -> Result<Self, StartError> {
        let begun = Instant::now();
        let clock: Clock = Arc::new(move || {
            let elapsed = jiff::SignedDuration::try_from(begun.elapsed()).unwrap_or_default();
            Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(EPOCH) + elapsed
        });
        let (disks, log) = (Disks::default(), EventLog::default());
        let running = run(&options, &disks, &clock, &log, 0).await?;
        Ok(Self {
            options,
            disks,
            clock,
            log,
            era: 0,
            running,
        })
    }

    /// Kills the world at this instant, whatever it is doing, and starts it again on its disk.
    pub async fn kill_and_restart_world(&mut self) -> Result<(), StartError> {
        self.era += 1;
        if let Some(recording) = self.running.recording.take() {
            recording.abort();
        }
        // What the killed world still has in flight must not reach the disk that the next one runs on: opening it takes
        // it away from the former owner.
        self.running = run(&self.options, &self.disks, &self.clock, &self.log, self.era).await?;
        Ok(())
    }

    /// A client of the management cluster with all rights.
    pub fn client(&self) -> kube::Client {
        self.client_as(Identity::admin())
    }

    /// A client of the management cluster as somebody.
    pub fn client_as(&self, identity: Identity) -> kube::Client {
        kube::Client::new(self.server().service(identity), "default")
    }

    /// The management cluster's API server.
    pub fn server(&self) -> &ApiServer {
        self.running.world.server()
    }

    /// A client of a guest with all rights, once the guest has an API server.
    pub fn guest(&self, namespace: &str, name: &str) -> Option<kube::Client> {
        let id = crate::site::GuestId {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        self.running.world.site().guests.find(&id).map(|guest| guest.client)
    }

    /// The URL under which a guest's kubeconfig names its API server.
    pub fn guest_url(&self, namespace: &str, name: &str) -> Option<String> {
        let id = crate::site::GuestId {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        self.running.world.site().guests.find(&id).map(|guest| guest.url)
    }

    /// A client of the guest whose kubeconfig names this URL: how one in process follows a kubeconfig.
    pub fn guest_at(&self, url: &str) -> Option<kube::Client> {
        self.running.world.site().guests.at(url).map(|guest| guest.client)
    }

    /// What a guest's OAuth server answers to a request for one of its URLs, which its metadata name; `None` where no guest's
    /// server has that address.
    pub fn oauth(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> impl Future<Output = Option<http::Response<bytes::Bytes>>> + use<> {
        let url = request
            .uri()
            .authority()
            .map(|authority| format!("https://{authority}"));
        let guest = url.and_then(|url| self.running.world.site().guests.by_oauth(&url));
        async move { Some(guest?.oauth.answer(request).await) }
    }

    /// How often who asked the management cluster for what, since the world was last started.
    pub fn requests(&self) -> Vec<RequestCount> {
        self.server().requests()
    }

    /// Simulated wall time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Simulated wall time, for whatever else takes part.
    pub fn clock(&self) -> Clock {
        Arc::clone(&self.clock)
    }

    /// The event log: one line for each change of each object of the management cluster. Empty unless it was asked for.
    pub fn event_log(&self) -> Vec<String> {
        self.log.lines()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(recording) = &self.recording {
            recording.abort();
        }
    }
}

impl std::fmt::Debug for Simulation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulation")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

async fn run(
    options: &SimulationOptions,
    disks: &Disks,
    clock: &Clock,
    log: &EventLog,
    era: u32,
) -> Result<Running, StartError> {
    // Each start draws other numbers: names that were given out before must not come again.
    let seed = options
        .seed
        .wrapping_add(u64::from(era).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let config = Config {
        storage: Box::new(disks.hub.clone()),
        speed: options.speed,
        generation: options.generation,
        without: options.without.clone(),
        faults: options.faults.clone(),
        clock: Arc::clone(clock),
        random: Random::seeded(seed),
        server_random: Random::seeded(seed ^ 0x5eed),
        api_url: API_URL.to_owned(),
        addresses: ADDRESSES.to_owned(),
        workers: options.workers,
        root_ca: CERTIFICATE.to_owned(),
        ingress_ca: CERTIFICATE.to_owned(),
        downloads: None,
        guests: Box::new(crate::guests::GuestServers::in_memory(
            disks.guests.clone(),
            Arc::clone(clock),
            seed,
        )),
        crds: options.crds.clone(),
    };
    let world = World::start(config).await?;
    let recording = options.record.then(|| {
        let client = kube::Client::new(world.server().service(Identity::admin()), "default");
        tokio::spawn(log.clone().record(client, era))
    });
    Ok(Running { world, recording })
}

#[cfg(test)]
mod tests;
