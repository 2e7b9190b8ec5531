//! How many hosted control planes a management cluster can carry.
//!
//! The figures are published baselines for a highly available control plane; what already runs is the caller's to take into
//! account.

/// Processors, memory and pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Thousandths of a core.
    pub millicores: u64,
    /// Bytes of memory.
    pub bytes: u64,
    /// Pods.
    pub pods: u64,
}

/// What runs out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Processors.
    Cores,
    /// Memory.
    Memory,
    /// Pods.
    Pods,
    /// The number of guests that one management cluster is meant for.
    Guests,
}

/// How many control planes fit, and what runs out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// How many.
    pub control_planes: u64,
    /// What runs out first.
    pub bound: Bound,
}

/// What one highly available control plane requests.
pub const REQUESTED: Amount = Amount {
    millicores: 5_000,
    bytes: 18 * GB,
    pods: 75,
};

/// The most guests that one management cluster is meant for.
pub const MOST_GUESTS: u64 = 80;

const GB: u64 = 1_000_000_000;
const GIB: u64 = 1 << 30;

/// What one highly available control plane uses at a rate of requests a second.
pub fn used_at(queries_per_second: u64) -> Amount {
    Amount {
        millicores: 2_900 + 9_000 * queries_per_second / 1_000,
        bytes: 11 * GIB + GIB / 10 + 5 * GB / 2 * queries_per_second / 1_000,
        pods: REQUESTED.pods,
    }
}

/// How many control planes fit into what is free, each taking as much as is said.
pub fn fit(free: Amount, each: Amount) -> Fit {
    let share = |free: u64, each: u64| free.checked_div(each).unwrap_or(u64::MAX);
    let shares = [
        (share(free.millicores, each.millicores), Bound::Cores),
        (share(free.bytes, each.bytes), Bound::Memory),
        (share(free.pods, each.pods), Bound::Pods),
        (MOST_GUESTS, Bound::Guests),
    ];
    // Of equal shares the first is named.
    let (control_planes, bound) = shares
        .into_iter()
        .min_by_key(|(count, _)| *count)
        .expect("the list is not empty");
    Fit { control_planes, bound }
}

#[cfg(test)]
mod tests {
    use super::{Amount, Bound, Fit, GB, REQUESTED, fit, used_at};

    /// The published example: 12 cores, 49 GB and 750 pods.
    const EXAMPLE: Amount = Amount {
        millicores: 12_000,
        bytes: 49 * GB,
        pods: 750,
    };

    #[test]
    fn the_published_example_agrees() {
        assert_eq!(
            fit(EXAMPLE, REQUESTED),
            Fit {
                control_planes: 2,
                bound: Bound::Cores
            }
        );
        assert_eq!(fit(EXAMPLE, used_at(1_000)).control_planes, 1);
        assert_eq!(fit(EXAMPLE, used_at(2_000)).control_planes, 0);
    }

    #[test]
    fn the_scarcest_is_named() {
        let plenty = Amount {
            millicores: 10_000_000,
            bytes: 100_000 * GB,
            pods: 100_000,
        };
        assert_eq!(fit(plenty, REQUESTED).bound, Bound::Guests);
        assert_eq!(
            fit(Amount { pods: 80, ..plenty }, REQUESTED),
            Fit {
                control_planes: 1,
                bound: Bound::Pods
            }
        );
        assert_eq!(
            fit(
                Amount {
                    bytes: 20 * GB,
                    ..plenty
                },
                REQUESTED
            )
            .bound,
            Bound::Memory
        );
        assert_eq!(fit(Amount::default(), REQUESTED).control_planes, 0);
    }
}
