//! How long a piece of modelled work still takes, for actors that must not block while it goes on.
//!
//! A reconcile that slept would be deaf to deletions meanwhile. So it asks here what is left, returns that as
//! [`Next::After`](crate::actor::Next), and asks again when it is woken, early or not. Nothing of this outlives the
//! process: after a kill the work begins anew, as a real controller's would.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::time::Time;

/// When each piece of work was first asked about, by subject (a uid) and name of the work.
#[derive(Debug, Default)]
pub(crate) struct Timers(Mutex<BTreeMap<(String, &'static str), Instant>>);

impl Timers {
    /// What is left, in modelled time, of work that began when this was first asked; `None` once it is done.
    ///
    /// A finished piece is forgotten: what was waited for must then show in the cluster's state.
    pub(crate) fn left(&self, time: &Time, subject: &str, work: &'static str, modelled: Duration) -> Option<Duration> {
        let scaled = time.scaled(modelled);
        if scaled.is_zero() {
            return None;
        }
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (subject.to_owned(), work);
        let elapsed = begun.entry(key.clone()).or_insert_with(Instant::now).elapsed();
        if elapsed >= scaled {
            begun.remove(&key);
            return None;
        }
        let left = 1.0 - elapsed.as_secs_f64() / scaled.as_secs_f64();
        // Never zero: a wait that rounds to nothing would be asked for again at once.
        Some(modelled.mul_f64(left).max(Duration::from_millis(1)))
    }

    /// Which share of the work is done, from 0 to 1, without beginning it.
    pub(crate) fn share(&self, time: &Time, subject: &str, work: &'static str, modelled: Duration) -> f64 {
        let begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let scaled = time.scaled(modelled).as_secs_f64();
        match begun.get(&(subject.to_owned(), work)) {
            Some(start) if scaled > 0.0 => (start.elapsed().as_secs_f64() / scaled).min(1.0),
            _ => 0.0,
        }
    }

    /// Forgets all work on a subject that is gone.
    pub(crate) fn forget(&self, subject: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(of, _), _| of != subject);
    }
}
