//! The engine and what it is given: connections, a clock, randomness, limits. All of it comes from the caller.

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use berth_procedure::{Perform, Secret, Server};
use futures::future::{self, BoxFuture, FutureExt};
use jiff::Timestamp;

use crate::api::{Api, Throttle};
use crate::leases::Holder;
use crate::random::Random;

/// Plans and runs steps against a management cluster and its guests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    connection: Arc<Connection>,
    throttle: Throttle,
}

/// What an engine is given.
#[derive(Clone)]
pub struct Connection {
    /// The management cluster; the caller has set its user agent.
    pub management: kube::Client,
    /// What the caller knows of that server: kept in facts and plans.
    pub server: Server,
    /// Makes clients for guests.
    pub connect: Arc<dyn Connect>,
    /// Performs what is outside the Kubernetes API.
    pub perform: Arc<dyn Perform>,
    /// Wall time, for timestamps only; waiting goes by tokio's clock.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Jitter and generated keys.
    pub random: Random,
    /// Who this process is, for leases.
    pub identity: Holder,
    /// Limits and manners.
    pub options: Options,
}

/// Limits and manners.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Refuse every write.
    pub read_only: bool,
    /// At most so many requests a second to each API server, with a burst of six times as many; `None` for no limit.
    pub requests_per_second: Option<NonZeroU32>,
    /// How many guests are brought up side by side: more only makes their control planes starve each other (C18).
    pub parallel_guests: NonZeroUsize,
}

/// When a run ends besides by being done.
pub struct Limits {
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Resolves when the user wants it to stop.
    pub interrupted: BoxFuture<'static, ()>,
}

/// Makes a client for another API server.
pub trait Connect: Send + Sync {
    /// A client from a kubeconfig's text.
    fn connect<'a>(&'a self, kubeconfig: &'a Secret) -> BoxFuture<'a, Result<kube::Client, ConnectFailure>>;
}

/// Why no client could be made; never with the kubeconfig's contents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConnectFailure(pub String);

// === impl Engine ===

impl Engine {
    /// An engine over connections that the caller made.
    pub fn new(connection: Connection) -> Self {
        let throttle = Throttle::new(connection.options.requests_per_second);
        Self {
            connection: Arc::new(connection),
            throttle,
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.connection.clock)()
    }

    /// The management cluster, at a bounded rate.
    pub(crate) fn management(&self) -> Api {
        Api::new(self.connection.management.clone(), self.throttle.clone())
    }

    /// A guest, at a rate of its own.
    pub(crate) async fn guest(&self, kubeconfig: &Secret) -> Result<Api, ConnectFailure> {
        let client = self.connection.connect.connect(kubeconfig).await?;
        Ok(Api::new(
            client,
            Throttle::new(self.connection.options.requests_per_second),
        ))
    }
}

// === impl Connection ===

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            server,
            identity,
            options,
            ..
        } = self;
        let mut debug = f.debug_struct("Connection");
        debug
            .field("server", server)
            .field("identity", identity)
            .field("options", options)
            .finish_non_exhaustive()
    }
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            read_only: false,
            requests_per_second: NonZeroU32::new(50),
            parallel_guests: NonZeroUsize::new(10).expect("ten is not zero"),
        }
    }
}

// === impl Limits ===

impl Limits {
    /// No timeout, no interruption.
    pub fn none() -> Self {
        Self {
            timeout: None,
            interrupted: future::pending().boxed(),
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
