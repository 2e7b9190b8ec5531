//! Modelled work, scaled by the lab's speed, and the wall time that clients see.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// How fast modelled work goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Speed {
    /// Modelled work takes no time at all.
    #[default]
    Max,
    /// So many times as fast as the real thing; 1 is its own pace.
    Times(f64),
}

/// The lab's two clocks. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Time {
    speed: Speed,
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Time {
    /// Modelled work at a speed, and wall time from a function (the system's, or a simulation's).
    pub(crate) fn new(speed: Speed, wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            speed,
            wall: Arc::new(wall),
        }
    }

    /// Wall time, as clients see it.
    pub(crate) fn now(&self) -> Timestamp {
        (self.wall)()
    }

    /// Wall time in the API's form: whole seconds, `Z`.
    pub(crate) fn stamp(&self) -> String {
        self.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// A modelled duration, scaled. Zero at full speed.
    pub(crate) fn scaled(&self, modelled: Duration) -> Duration {
        match self.speed {
            Speed::Max => Duration::ZERO,
            Speed::Times(times) => modelled.div_f64(times.max(0.001)),
        }
    }

    /// What is left, in modelled time, of a duration that began at a time of the API (`None`: not yet); `None` once it
    /// is over, at once at full speed.
    pub(crate) fn left_since(&self, begun: Option<&str>, modelled: Duration) -> Option<Duration> {
        let scaled = self.scaled(modelled);
        if scaled.is_zero() {
            return None;
        }
        let begun = begun
            .and_then(|begun| begun.parse::<Timestamp>().ok())
            .unwrap_or_else(|| self.now());
        let elapsed = Duration::try_from(self.now().duration_since(begun)).unwrap_or_default();
        if elapsed >= scaled {
            return None;
        }
        let share = 1.0 - elapsed.as_secs_f64() / scaled.as_secs_f64();
        // Never zero: a wait that rounds to nothing would be asked for again at once.
        Some(modelled.mul_f64(share).max(Duration::from_millis(1)))
    }

    /// Waits as long as a piece of work takes, scaled by the speed.
    pub(crate) async fn work(&self, modelled: Duration) {
        let scaled = self.scaled(modelled);
        if scaled.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(scaled).await;
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Times(times) => times.fmt(f),
        }
    }
}

/// What was given as a speed is none.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no speed; write `max`, or a number above 0, as `1` for real durations or `60`")]
pub struct InvalidSpeed(String);

impl FromStr for Speed {
    type Err = InvalidSpeed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.parse::<f64>() {
            Ok(times) if times.is_finite() && times > 0.0 => Ok(Self::Times(times)),
            _ => Err(InvalidSpeed(text.to_owned())),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Time")
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}
