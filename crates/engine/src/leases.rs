//! Leases: one for what the whole management cluster feels, one for each guest. Who holds one, writes; the others wait and
//! see who it is.
//!
//! A lease is a plain `coordination.k8s.io` Lease in the namespace [`NAMESPACE`], so that `kubectl get leases` tells the
//! same story. It is taken over at once from a holder on this machine that is dead, and from any holder that has been
//! silent for the lease's duration, measured on this side: clocks of different machines are never compared.

use std::time::Duration;

use berth_api::resources;
use berth_procedure::{Lock, ObjectRef};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{self, Instant};

use crate::api::{Api, Found, Mode, RequestError, RequestErrorKind};
use crate::backoff;
use crate::engine::Engine;

mod holder;
mod news;

pub use holder::{Alive, Holder};
pub(crate) use news::LeaseNews;

/// The namespace of the leases: made by the first run that has something to write.
pub(crate) const NAMESPACE: &str = "berth-system";

/// A holder that is silent for so long is taken for dead.
const DURATION: Duration = Duration::from_secs(30);

/// A holder that could not speak for so long stops writing, well before others may take it for dead.
const DEADLINE: Duration = Duration::from_secs(25);

/// How often a holder speaks.
const RENEWAL: Duration = Duration::from_secs(10);

/// How often somebody who waits looks.
const LOOK: Duration = Duration::from_secs(2);

/// How long giving a lease back may take.
const GIVING_BACK: Duration = Duration::from_secs(5);

/// Why a lease could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("failed to take the lease `{lease}`")]
pub struct LeaseError {
    /// The lease's name.
    pub lease: String,
    /// What the server said.
    pub source: Box<RequestError>,
}

/// The holder's word as it was last seen to change, and when that was.
struct Silence {
    word: Value,
    since: Instant,
}

/// One lease, and this process's claim to it.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    engine: Engine,
    api: Api,
    object: ObjectRef,
}

impl Lease {
    pub(crate) fn new(engine: &Engine, lock: &Lock) -> Self {
        let object = ObjectRef::namespaced(resources::LEASE, NAMESPACE, name(lock));
        Self {
            engine: engine.clone(),
            api: engine.management(),
            object,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.object.name
    }

    /// Takes the lease and keeps it until dropped, telling what happens on the way.
    pub(crate) async fn hold<N>(self, news: mpsc::Sender<N>, told: impl Fn(LeaseNews) -> N + Send)
    where
        N: Send,
    {
        // Whoever drops the receiver does not want the lease any more and drops this as well.
        match self.take(&news, &told).await {
            Ok(from) => {
                let _ = news.send(told(LeaseNews::Taken { from })).await;
                self.keep().await;
                let _ = news.send(told(LeaseNews::Lost)).await;
            }
            Err(error) => {
                let error = LeaseError {
                    lease: self.object.name.clone(),
                    source: Box::new(error),
                };
                let _ = news.send(told(LeaseNews::Failed(error))).await;
            }
        }
    }

    /// Gives the lease back if it is ours. Whatever fails here is mended by the next holder.
    pub(crate) async fn release(&self) -> bool {
        let attempts = async {
            let mut attempt = 0;
            loop {
                match self.try_release().await {
                    Ok(released) => return released,
                    Err(error) if error.is_transient() => {
                        attempt += 1;
                        time::sleep(backoff::delay(attempt, None, &self.engine.connection().random)).await;
                    }
                    Err(_) => return false,
                }
            }
        };
        time::timeout(GIVING_BACK, attempts).await.unwrap_or(false)
    }

    async fn try_release(&self) -> Result<bool, RequestError> {
        self.write_if_ours(json!({ "holderIdentity": "", "leaseDurationSeconds": 1 }))
            .await
    }

    /// Writes to the lease's spec while it is ours and nobody writes in between; whether it was.
    async fn write_if_ours(&self, spec: Value) -> Result<bool, RequestError> {
        let Found::Object(live) = self.api.get(&self.object).await? else {
            return Ok(false);
        };
        if live["spec"]["holderIdentity"] != self.identity() {
            return Ok(false);
        }
        let patch = json!({
            "metadata": { "resourceVersion": live["metadata"]["resourceVersion"] },
            "spec": spec,
        });
        self.api.merge(&self.object, &patch, Mode::Write).await?;
        Ok(true)
    }

    /// Deletes the lease: what it stood for is gone.
    pub(crate) async fn discard(&self) {
        let attempt = async {
            if let Ok(Found::Object(live)) = self.api.get(&self.object).await
                && live["spec"]["holderIdentity"] == self.identity()
            {
                // Left behind, it holds nobody up.
                let _ = self
                    .api
                    .delete(&self.object, live["metadata"]["uid"].as_str().unwrap_or_default())
                    .await;
            }
        };
        let _ = time::timeout(GIVING_BACK, attempt).await;
    }

    async fn take<N: Send>(
        &self,
        news: &mpsc::Sender<N>,
        told: &(impl Fn(LeaseNews) -> N + Send),
    ) -> Result<Option<String>, RequestError> {
        let (mut attempt, mut silence, mut shown) = (0, None, None);
        loop {
            match self.try_take(&mut silence, news, told).await {
                Ok(Claim::Ours { from }) => return Ok(from),
                Ok(Claim::Theirs { holder }) => {
                    attempt = 0;
                    if shown.as_ref() != Some(&holder) {
                        let _ = news.send(told(LeaseNews::Waiting { holder: holder.clone() })).await;
                        shown = Some(holder);
                    }
                    time::sleep(LOOK).await;
                }
                // Somebody else wrote at the same moment: look again who it was.
                Err(error) if matches!(error.kind, RequestErrorKind::Stale | RequestErrorKind::AlreadyExists) => {}
                Err(error) if error.is_transient() => {
                    attempt += 1;
                    let next = backoff::delay(attempt, error.retry_after, &self.engine.connection().random);
                    let _ = news
                        .send(told(LeaseNews::Retrying {
                            cause: error.told(),
                            attempt,
                            next,
                        }))
                        .await;
                    time::sleep(next).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn try_take<N: Send>(
        &self,
        silence: &mut Option<Silence>,
        news: &mpsc::Sender<N>,
        told: &(impl Fn(LeaseNews) -> N + Send),
    ) -> Result<Claim, RequestError> {
        let live = match self.api.get(&self.object).await? {
            Found::Object(live) => live,
            Found::Absent | Found::NoKind => {
                if let Some(object) = self.make_namespace().await? {
                    let _ = news.send(told(LeaseNews::NamespaceMade { object })).await;
                }
                let lease = json!({
                    "apiVersion": "coordination.k8s.io/v1",
                    "kind": "Lease",
                    "metadata": { "name": self.object.name, "namespace": NAMESPACE, "labels": labels() },
                    "spec": self.claim(0),
                });
                self.api.create(&self.object, &lease, Mode::Write).await?;
                return Ok(Claim::Ours { from: None });
            }
        };
        let holder = live["spec"]["holderIdentity"].as_str().unwrap_or_default();
        let from = match holder {
            "" => None,
            holder if holder == self.identity() => None,
            holder if self.engine.connection().identity.knows_dead(holder) || is_silent(silence, &live) => {
                Some(holder.to_owned())
            }
            holder => {
                return Ok(Claim::Theirs {
                    holder: holder.to_owned(),
                });
            }
        };
        let transitions = live["spec"]["leaseTransitions"].as_u64().unwrap_or_default() + 1;
        let patch = json!({
            "metadata": { "resourceVersion": live["metadata"]["resourceVersion"] },
            "spec": self.claim(transitions),
        });
        self.api.merge(&self.object, &patch, Mode::Write).await?;
        Ok(Claim::Ours { from })
    }

    async fn make_namespace(&self) -> Result<Option<ObjectRef>, RequestError> {
        let object = ObjectRef::cluster(resources::NAMESPACE, NAMESPACE);
        if matches!(self.api.get(&object).await?, Found::Object(_)) {
            return Ok(None);
        }
        let namespace = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": { "name": NAMESPACE, "labels": labels() },
        });
        match self.api.create(&object, &namespace, Mode::Write).await {
            Ok(_) => Ok(Some(object)),
            Err(error) if error.kind == RequestErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Renews until that fails for so long that others may soon take the lease: a request that is not answered counts for
    /// as long as it takes.
    async fn keep(&self) {
        let mut spoke = Instant::now();
        let mut pause = RENEWAL;
        loop {
            time::sleep(pause).await;
            // What the server takes for the moment of renewal is not before this one.
            let asked = Instant::now();
            match time::timeout_at(spoke + DEADLINE, self.renew()).await {
                Ok(Ok(true)) => (spoke, pause) = (asked, RENEWAL),
                Ok(Ok(false)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::debug!(error = %error.told(), "a lease could not be renewed");
                    pause = LOOK;
                }
            }
        }
    }

    /// Whether the lease is still ours.
    async fn renew(&self) -> Result<bool, RequestError> {
        self.write_if_ours(json!({ "renewTime": micro_time(self.engine.now()) }))
            .await
    }

    fn claim(&self, transitions: u64) -> Value {
        let now = micro_time(self.engine.now());
        json!({
            "holderIdentity": self.identity(),
            "leaseDurationSeconds": DURATION.as_secs(),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": transitions,
        })
    }

    fn identity(&self) -> String {
        self.engine.connection().identity.to_string()
    }
}

/// Whose a lease is.
enum Claim {
    Ours { from: Option<String> },
    Theirs { holder: String },
}

/// Whether the holder's word has not changed for the lease's duration, as far as it was watched from here.
fn is_silent(silence: &mut Option<Silence>, live: &Value) -> bool {
    let word = &live["spec"];
    match silence {
        Some(known) if known.word == *word => {
            let seconds = word["leaseDurationSeconds"].as_u64().unwrap_or(DURATION.as_secs());
            known.since.elapsed() >= Duration::from_secs(seconds)
        }
        _ => {
            *silence = Some(Silence {
                word: word.clone(),
                since: Instant::now(),
            });
            false
        }
    }
}

fn name(lock: &Lock) -> String {
    match lock {
        Lock::Hub => "hub".to_owned(),
        Lock::Guest { namespace, name } => format!("guest-{namespace}-{name}"),
    }
}

fn labels() -> Value {
    json!({ "app.kubernetes.io/managed-by": "berth" })
}

/// The API's `MicroTime`.
fn micro_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}
