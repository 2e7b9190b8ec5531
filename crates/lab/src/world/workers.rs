//! How many machines a management cluster has for workloads.

use std::fmt;
use std::str::FromStr;

/// Fewer would not hold three replicas of storage; more would not fit into the machines' network.
const RANGE: std::ops::RangeInclusive<u32> = 3..=200;

/// How many machines there are for workloads. Each takes 500 pods, and a highly available control plane is about 75.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers(u32);

/// There can't be as many workers, or as few.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no number of workers: there may be {start} to {end}", start = RANGE.start(), end = RANGE.end())]
pub struct NoSuchWorkers(String);

impl Workers {
    pub(crate) fn count(self) -> u32 {
        self.0
    }
}

impl Default for Workers {
    fn default() -> Self {
        Self(*RANGE.start())
    }
}

impl FromStr for Workers {
    type Err = NoSuchWorkers;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let count = text.parse().ok().filter(|count| RANGE.contains(count));
        count.map(Self).ok_or_else(|| NoSuchWorkers(text.to_owned()))
    }
}

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_workers_is_within_bounds() {
        let workers: Workers = "40".parse().unwrap();
        assert_eq!(workers.count(), 40);
        for text in ["2", "201", "-1", "many"] {
            assert!(text.parse::<Workers>().is_err(), "{text}");
        }
    }
}
