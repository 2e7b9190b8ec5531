//! What happens to a lease, for whoever wants it and for the stream of events.

use std::time::Duration;

use berth_procedure::ObjectRef;

use super::LeaseError;
use crate::event::What;
use crate::plan::Verb;
use crate::run::millis;

/// What happens to a lease.
#[derive(Debug)]
pub(crate) enum LeaseNews {
    /// Somebody else holds it.
    Waiting { holder: String },
    /// The namespace of the leases was made.
    NamespaceMade { object: ObjectRef },
    /// It is ours; taken from a dead or silent holder, if from one.
    Taken { from: Option<String> },
    /// Somebody else has it now, or it can't be renewed.
    Lost,
    /// It can't be taken at all.
    Failed(LeaseError),
    /// A request failed, and will be made again.
    Retrying {
        cause: String,
        attempt: u32,
        next: Duration,
    },
}

impl LeaseNews {
    /// The event that tells of it; none where what follows from it tells more.
    pub(crate) fn event(&self, lease: &str) -> Option<What> {
        let lease = lease.to_owned();
        Some(match self {
            Self::Waiting { holder } => What::LeaseWaiting {
                lease,
                holder: holder.clone(),
            },
            Self::NamespaceMade { object } => What::Wrote {
                step: None,
                object: object.into(),
                verb: Verb::Create,
                fields: Vec::new(),
            },
            Self::Taken { from } => What::LeaseTaken {
                lease,
                from: from.clone(),
            },
            Self::Retrying { cause, attempt, next } => What::Retrying {
                step: None,
                what: format!("take the lease {lease}"),
                cause: cause.clone(),
                attempt: *attempt,
                next_millis: millis(*next),
            },
            Self::Lost | Self::Failed(_) => return None,
        })
    }
}
