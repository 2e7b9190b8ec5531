//! Tells the events of a run, each with its time.

use std::sync::Arc;
use std::time::Duration;

use berth_procedure::StepId;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::engine::Engine;
use crate::event::{Event, What};
use crate::plan::PlannedWrite;

/// Sends events to whoever listens. Waits for a slow listener, so that none is lost; goes on without one.
pub(crate) struct Teller {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    events: mpsc::Sender<Event>,
}

impl Teller {
    pub(crate) fn new(engine: &Engine, events: mpsc::Sender<Event>) -> Self {
        Self {
            clock: Arc::clone(&engine.connection().clock),
            events,
        }
    }

    pub(crate) async fn tell(&self, what: What) {
        // Nobody listens any more: that is no reason to stop halfway.
        let _ = self
            .events
            .send(Event {
                at: (self.clock)(),
                what,
            })
            .await;
    }
}

/// A duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Why a planned write will be refused, for people.
pub(super) fn refusal(step: &StepId, write: &PlannedWrite) -> String {
    let PlannedWrite {
        object,
        conflicts,
        refused,
        ..
    } = write;
    if let Some(refused) = refused {
        return format!("`{step}`: {object} would be refused: {refused}");
    }
    let owned: Vec<_> = conflicts
        .iter()
        .map(|conflict| format!("{} is owned by {}", conflict.path, conflict.manager))
        .collect();
    format!(
        "`{step}`: {object}: {}; allow the takeover in the document, or change it there",
        owned.join(", ")
    )
}
