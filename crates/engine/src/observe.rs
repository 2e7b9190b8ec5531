//! Observation: what selections show, read once for a plan or watched for a run.

use std::time::Duration;

use berth_procedure::{Seen, Selector, Target};

use crate::api::Api;

mod read;
mod watch;
mod watcher;

pub use read::ReadError;
pub(crate) use watcher::Watcher;

/// What the watches of a run tell its owner.
#[derive(Debug)]
pub(crate) enum Sighting {
    /// A selection shows this now.
    Seen {
        selector: Selector,
        seen: Seen,
        version: Option<u64>,
    },
    /// An API server other than the management cluster's can be spoken to now.
    Connected { target: Target, api: Api },
    /// A request failed, and will be made again.
    Retrying {
        what: String,
        cause: String,
        attempt: u32,
        next_millis: u64,
    },
}

impl Sighting {
    fn retrying(what: String, cause: String, attempt: u32, delay: Duration) -> Self {
        Self::Retrying {
            what,
            cause,
            attempt,
            next_millis: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
