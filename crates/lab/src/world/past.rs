//! The time at which the management cluster was made: some days before the lab was. What is young in a cluster counts as
//! not yet settled (pods that have only just become ready), and a newcomer to a real hub does not meet that either.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use berth_apiserver::Clock;
use jiff::SignedDuration;

const DAYS: i64 = 7;

/// Whether clocks that were made with this show the past.
#[derive(Clone, Debug, Default)]
pub(super) struct Past(Arc<AtomicBool>);

impl Past {
    /// A clock that goes as the given one does, set back while it is the past.
    pub(super) fn clock(&self, present: Clock) -> Clock {
        let is_past = Arc::clone(&self.0);
        Arc::new(move || {
            let back = if is_past.load(Ordering::Relaxed) {
                SignedDuration::from_hours(24 * DAYS)
            } else {
                SignedDuration::ZERO
            };
            present() - back
        })
    }

    pub(super) fn enter(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
