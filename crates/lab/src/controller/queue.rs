//! Which keys are to be reconciled, and when. No I/O: the runner asks what is ready and tells what is done.

use std::collections::BTreeMap;
use std::time::Duration;

use berth_apiserver::Random;
use tokio::time::Instant;

use crate::actor::{Key, Next};
use crate::time::Time;

/// First delay after a failure; doubles with each further one.
const RETRY_FIRST: Duration = Duration::from_millis(5);
const RETRY_LAST: Duration = Duration::from_secs(30);
/// At full speed a timer has no length, so that one which fires again and again would spin: it backs off instead.
const TIMER_FIRST: Duration = Duration::from_millis(1);
const TIMER_LAST: Duration = Duration::from_millis(500);

/// A key that was just reconciled rests for as long as that took, at most this long: what happens meanwhile is seen by one
/// pass. So a busy world gathers its events, and one with little to do answers at once.
const REST_LAST: Duration = Duration::from_millis(100);

/// The keys of one actor.
pub(super) struct Queue {
    time: Time,
    random: Random,
    /// To be run now, in the order of arrival.
    ready: Vec<Key>,
    keys: BTreeMap<Key, State>,
    /// What is due when; the number tells apart timers of the same instant.
    timers: BTreeMap<(Instant, u64), Key>,
    sequence: u64,
}

#[derive(Debug, Default)]
struct State {
    stage: Stage,
    timer: Option<(Instant, u64)>,
    /// When the pass that runs, or ran last, began.
    begun: Option<Instant>,
    /// Until when events are gathered.
    rests_until: Option<Instant>,
    /// Failures in a row.
    failures: u32,
    /// Timers in a row without an event between them.
    timers_in_a_row: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    Ready,
    Running,
    /// Running, and something happened meanwhile.
    Dirty,
}

impl Queue {
    pub(super) fn new(time: Time, random: Random) -> Self {
        Self {
            time,
            random,
            ready: Vec::new(),
            keys: BTreeMap::new(),
            timers: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// An event on a key.
    pub(super) fn wake(&mut self, key: Key) {
        self.keys.entry(key.clone()).or_default().timers_in_a_row = 0;
        self.enqueue(key);
    }

    /// Events may have been missed: every key that was ever seen may have changed.
    pub(super) fn wake_known(&mut self) {
        let keys: Vec<Key> = self.keys.keys().cloned().collect();
        for key in keys {
            self.wake(key);
        }
    }

    /// The keys to reconcile now; they count as running from here on.
    pub(super) fn take_ready(&mut self) -> Vec<Key> {
        let now = Instant::now();
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let key = entry.remove();
            if let Some(state) = self.keys.get_mut(&key) {
                state.timer = None;
                state.rests_until = None;
            }
            self.enqueue(key);
        }
        for key in &self.ready {
            if let Some(state) = self.keys.get_mut(key) {
                state.stage = Stage::Running;
                state.begun = Some(now);
            }
        }
        std::mem::take(&mut self.ready)
    }

    /// A reconcile ended: with what is next, or failed (`None`).
    pub(super) fn done(&mut self, key: Key, next: Option<Next>) {
        let state = self.keys.entry(key.clone()).or_default();
        let dirty = state.stage == Stage::Dirty;
        state.stage = Stage::Idle;
        let now = Instant::now();
        let took = state.begun.map_or(Duration::ZERO, |begun| now - begun);
        state.rests_until = Some(now + took.min(REST_LAST)).filter(|until| *until > now);
        let delay = match next {
            None => {
                let delay = doubled(RETRY_FIRST, state.failures, RETRY_LAST);
                state.failures = state.failures.saturating_add(1);
                // Up to a fifth more, so that keys which failed together do not come back together.
                Some(delay.mul_f64(1.0 + 0.2 * self.random.fraction()))
            }
            Some(next) => {
                state.failures = 0;
                match next {
                    Next::OnEvent => None,
                    Next::AfterWall(wall) => Some(wall),
                    Next::After(modelled) => {
                        let least =
                            doubled(TIMER_FIRST, state.timers_in_a_row, TIMER_LAST).min(modelled.max(TIMER_FIRST));
                        state.timers_in_a_row = state.timers_in_a_row.saturating_add(1);
                        Some(self.time.scaled(modelled).max(least))
                    }
                }
            }
        };
        // A failed key waits even when it is dirty: a conflict storm is calmed by waiting, not by trying at once.
        if dirty && next.is_some() {
            self.enqueue(key);
        } else if let Some(delay) = delay {
            self.arm(key, now + delay);
        } else if dirty {
            self.enqueue(key);
        }
    }

    /// Waits until the next timer is due; for ever where there is none.
    pub(super) async fn next_due(&self) {
        match self.timers.first_key_value() {
            Some(((at, _), _)) => tokio::time::sleep_until(*at).await,
            None => std::future::pending().await,
        }
    }

    fn enqueue(&mut self, key: Key) {
        let state = self.keys.entry(key.clone()).or_default();
        match state.stage {
            Stage::Idle => {
                if let Some(until) = state.rests_until.filter(|until| *until > Instant::now()) {
                    return self.arm(key, until);
                }
                state.stage = Stage::Ready;
                if let Some(timer) = state.timer.take() {
                    self.timers.remove(&timer);
                }
                self.ready.push(key);
            }
            Stage::Running => state.stage = Stage::Dirty,
            Stage::Ready | Stage::Dirty => {}
        }
    }

    /// Has a key run at a moment, or before if it is to anyway.
    fn arm(&mut self, key: Key, at: Instant) {
        self.sequence += 1;
        let Some(state) = self.keys.get_mut(&key) else {
            return;
        };
        match state.timer {
            Some((earlier, _)) if earlier <= at => return,
            Some(later) => self.timers.remove(&later),
            None => None,
        };
        let timer = (at, self.sequence);
        state.timer = Some(timer);
        self.timers.insert(timer, key);
    }
}

fn doubled(first: Duration, times: u32, last: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times.min(16))).min(last)
}
