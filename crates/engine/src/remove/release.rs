//! Lets go of one blocker: one write of one object, refused where the object has moved on since it was looked at.

use berth_procedure::{LetGo, Step, Target};
use tokio::sync::mpsc;

use crate::api::{Mode, RequestError, RequestErrorKind};
use crate::engine::{ConnectFailure, Engine};
use crate::event::{Event, What};
use crate::object::ObjectName;
use crate::observe::ReadError;
use crate::run::Teller;

/// Why a blocker was not let go.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// This engine never writes.
    #[error("nothing was let go: read-only")]
    ReadOnly,
    /// The management cluster could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The guest that the object is in can't be spoken to.
    #[error("failed to reach the guest that {object} is in")]
    Guest {
        /// The object.
        object: ObjectName,
        /// Why.
        source: ConnectFailure,
    },
    /// The object has moved on since it was looked at: what was shown of it may no longer be true.
    #[error("{object} has changed meanwhile; look again")]
    Moved {
        /// The object.
        object: ObjectName,
    },
    /// The server refused.
    #[error("failed to let go of {object}")]
    Refused {
        /// The object.
        object: ObjectName,
        /// What the server said.
        source: Box<RequestError>,
    },
}

impl Engine {
    /// Makes the one write that lets go of a blocker which a plan of these steps named.
    ///
    /// It takes no lease: a removal that waits for just this holds the guest's, and the write is refused where it is stale.
    pub async fn release(
        &self,
        steps: &[Box<dyn Step>],
        let_go: &LetGo,
        events: mpsc::Sender<Event>,
    ) -> Result<(), ReleaseError> {
        if self.connection().options.read_only {
            return Err(ReleaseError::ReadOnly);
        }
        let LetGo { does, object, patch } = let_go;
        let name = ObjectName::from(object);
        let api = match &object.target {
            Target::Management => self.management(),
            target @ Target::Guest { .. } => {
                let world = self.read_world(steps, &[]).await?;
                let mut known = steps.iter().flat_map(|step| step.kubeconfigs(&world.facts));
                let kubeconfig = known.find(|(of, _)| of == target).map(|(_, kubeconfig)| kubeconfig);
                let reached = match kubeconfig {
                    Some(kubeconfig) => self.guest(&kubeconfig).await,
                    None => Err(ConnectFailure("there is no kubeconfig of it any more".to_owned())),
                };
                reached.map_err(|source| ReleaseError::Guest {
                    object: name.clone(),
                    source,
                })?
            }
        };
        api.merge(object, patch, Mode::Write)
            .await
            .map_err(|error| match error.kind {
                RequestErrorKind::Stale | RequestErrorKind::NotFound => ReleaseError::Moved { object: name.clone() },
                _ => ReleaseError::Refused {
                    object: name.clone(),
                    source: Box::new(error),
                },
            })?;
        let told = What::LetGo {
            object: name,
            does: does.clone(),
        };
        Teller::new(self, events).tell(told).await;
        Ok(())
    }
}
