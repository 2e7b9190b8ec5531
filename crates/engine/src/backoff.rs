//! How long to wait before another attempt: exponential, with jitter, bounded; the server's own word first.

use std::time::Duration;

use crate::random::Random;

const FIRST: Duration = Duration::from_millis(250);
const LAST: Duration = Duration::from_secs(15);

/// The wait before attempt number `attempt` (the first retry is 1).
///
/// A server's `Retry-After` is obeyed as it stands, but never beyond a minute: a run must stay able to notice that things
/// got better.
pub(crate) fn delay(attempt: u32, retry_after: Option<Duration>, random: &Random) -> Duration {
    if let Some(asked) = retry_after {
        return asked.clamp(FIRST, Duration::from_mins(1));
    }
    let doubled = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    doubled.min(LAST).mul_f64(random.jitter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_with_jitter_up_to_a_bound() {
        let random = Random::seeded(1);
        for (attempt, longest) in [(1, 250), (2, 500), (4, 2_000), (30, 15_000)] {
            let delay = delay(attempt, None, &random).as_millis();
            assert!(
                delay <= longest && delay * 2 >= longest,
                "attempt {attempt}: {delay} ms"
            );
        }
    }

    #[test]
    fn obeys_the_server_within_reason() {
        let random = Random::seeded(1);
        assert_eq!(delay(1, Some(Duration::from_secs(7)), &random), Duration::from_secs(7));
        assert_eq!(delay(1, Some(Duration::from_hours(1)), &random), Duration::from_mins(1));
    }
}
