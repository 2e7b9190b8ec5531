//! Modelled work, scaled by the lab's speed, and the wall time that clients see.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// How fast modelled work goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Modelled work takes no time at all.
    Max,
    /// So many times as fast as the real thing; 1 is its own pace.
    Times(f64),
}

/// The lab's two clocks. Cheap to clone.
#[derive(Clone)]
pub struct Time {
    speed: Speed,
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Time {
    /// Modelled work at a speed, and wall time from a function (the system's, or a simulation's).
    pub fn new(speed: Speed, wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { speed, wall: Arc::new(wall) }
    }

    /// Wall time, as clients see it.
    pub fn now(&self) -> Timestamp {
        (self.wall)()
    }

    /// Wall time in the API's form: whole seconds, `Z`.
    pub fn stamp(&self) -> String {
        self.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// A modelled duration, scaled. Zero at full speed.
    pub fn scaled(&self, modelled: Duration) -> Duration {
        match self.speed {
            Speed::Max => Duration::ZERO,
            Speed::Times(times) => modelled.div_f64(times.max(0.001)),
        }
    }

    /// Waits as long as a piece of work takes, scaled by the speed.
    pub async fn work(&self, modelled: Duration) {
        let scaled = self.scaled(modelled);
        if scaled.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(scaled).await;
        }
    }
}

impl std::fmt::Debug for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Time").field("speed", &self.speed).finish_non_exhaustive()
    }
}
