//! At most so many requests a second, with a burst: opening a cluster's watches is many requests at once, and then few.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{self, Instant};

/// A burst is what this many seconds allow. kubectl's own proportion.
const BURST_SECONDS: u32 = 6;

/// Hands out turns. Cheap to clone; clones share the turns.
#[derive(Clone, Debug)]
pub(crate) struct Throttle(Option<Arc<Pace>>);

#[derive(Debug)]
struct Pace {
    interval: Duration,
    burst: Duration,
    /// When the next request would be due if all came evenly. Lags behind now while there is little to do.
    due: Mutex<Option<Instant>>,
}

impl Throttle {
    pub(crate) fn new(per_second: Option<NonZeroU32>) -> Self {
        Self(per_second.map(|rate| {
            let interval = Duration::from_secs(1) / rate.get();
            Arc::new(Pace {
                interval,
                burst: interval * rate.get() * BURST_SECONDS,
                due: Mutex::new(None),
            })
        }))
    }

    /// Waits for a turn. A turn that is dropped while waiting is lost, which only makes things slower.
    pub(crate) async fn turn(&self) {
        let Some(pace) = &self.0 else { return };
        let now = Instant::now();
        let begin = {
            let mut due = pace.due.lock().unwrap_or_else(PoisonError::into_inner);
            let at = due.unwrap_or(now).max(now);
            *due = Some(at + pace.interval);
            at
        };
        let ahead = begin.saturating_duration_since(now);
        if ahead > pace.burst {
            time::sleep(ahead.checked_sub(pace.burst).unwrap_or_default()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_the_rest_is_paced() {
        let throttle = Throttle::new(NonZeroU32::new(10));
        let began = Instant::now();
        for _ in 0..61 {
            throttle.turn().await;
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            throttle.turn().await;
        }
        assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    }
}
