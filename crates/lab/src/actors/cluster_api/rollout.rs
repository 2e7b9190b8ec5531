//! How many machines each MachineSet of a MachineDeployment should have now. Pure arithmetic.

use serde_json::Value;

/// A MachineSet, as far as a rollout cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set {
    /// Of the present template.
    pub(super) is_new: bool,
    pub(super) wanted: u64,
    /// Machines that are there.
    pub(super) present: u64,
    pub(super) available: u64,
}

/// What a rollout may do, in machines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) surge: u64,
    pub(super) unavailable: u64,
}

/// The replicas that each set gets, in the order given.
pub(super) fn scale(sets: &[Set], desired: u64, pace: Pace) -> Vec<u64> {
    let mut wanted: Vec<u64> = sets.iter().map(|set| set.wanted).collect();
    let Some(new) = sets.iter().position(|set| set.is_new) else {
        return wanted;
    };
    if sets.len() == 1 || sets.iter().all(|set| set.is_new || set.wanted == 0 && set.present == 0) {
        wanted[new] = desired;
        return wanted;
    }
    // Machines on their way out still take room, so they count against the surge.
    let total: u64 = sets.iter().map(|set| set.wanted.max(set.present)).sum();
    if wanted[new] > desired {
        wanted[new] = desired;
    } else {
        wanted[new] = desired.min(wanted[new] + (desired + pace.surge).saturating_sub(total));
    }
    let available: u64 = sets.iter().map(|set| set.available.min(set.wanted)).sum();
    let mut spare = available.saturating_sub(desired.saturating_sub(pace.unavailable));
    for (index, set) in sets.iter().enumerate().filter(|(_, set)| !set.is_new) {
        // Machines that do not work can go at once; of those that do, only what can be spared.
        let broken = set.wanted.saturating_sub(set.available);
        let working = spare.min(set.wanted - broken);
        spare -= working;
        wanted[index] = set.wanted - broken - working;
    }
    wanted
}

/// The replicas that each set gets where machines are replaced only once someone deletes them: an old set shrinks to the
/// machines that remain of it (`alive`, in the same order), the new one makes up for what is missing.
pub(super) fn scale_on_delete(sets: &[Set], alive: &[u64], desired: u64) -> Vec<u64> {
    let kept = sets
        .iter()
        .zip(alive)
        .map(|(set, alive)| if set.is_new { 0 } else { set.wanted.min(*alive) });
    let mut wanted: Vec<u64> = kept.collect();
    // A pool that was scaled down gives up old machines first.
    let mut surplus = wanted.iter().sum::<u64>().saturating_sub(desired);
    for count in &mut wanted {
        let gone = surplus.min(*count);
        *count -= gone;
        surplus -= gone;
    }
    let old: u64 = wanted.iter().sum();
    if let Some(new) = sets.iter().position(|set| set.is_new) {
        wanted[new] = desired.saturating_sub(old);
    }
    wanted
}

impl Pace {
    /// From a MachineDeployment's strategy; percentages are of the desired replicas.
    pub(super) fn of(deployment: &Value, desired: u64) -> Self {
        let update = &deployment["spec"]["strategy"]["rollingUpdate"];
        let surge = amount(&update["maxSurge"], desired, true).unwrap_or(1);
        let unavailable = amount(&update["maxUnavailable"], desired, false).unwrap_or(0);
        // Both zero would stand still for ever.
        Self {
            surge: if surge + unavailable == 0 { 1 } else { surge },
            unavailable,
        }
    }
}

fn amount(value: &Value, of: u64, round_up: bool) -> Option<u64> {
    if let Some(number) = value.as_u64() {
        return Some(number);
    }
    let percent: u64 = value.as_str()?.strip_suffix('%')?.parse().ok()?;
    Some(if round_up {
        (of * percent).div_ceil(100)
    } else {
        of * percent / 100
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(is_new: bool, count: u64, available: u64) -> Set {
        Set {
            is_new,
            wanted: count,
            present: count,
            available,
        }
    }

    const ONE_BY_ONE: Pace = Pace {
        surge: 1,
        unavailable: 0,
    };

    #[test]
    fn a_single_set_gets_all() {
        assert_eq!(scale(&[set(true, 1, 1)], 3, ONE_BY_ONE), [3]);
        assert_eq!(scale(&[set(false, 0, 0), set(true, 3, 3)], 5, ONE_BY_ONE), [0, 5]);
    }

    #[test]
    fn a_rollout_goes_one_by_one_and_never_below_what_is_desired() {
        let (mut old, mut new) = (set(false, 3, 3), set(true, 0, 0));
        for _ in 0..20 {
            let wanted = scale(&[old, new], 3, ONE_BY_ONE);
            assert!(wanted[0] + wanted[1] <= 4, "surge of one: {wanted:?}");
            (old, new) = (set(false, wanted[0], wanted[0]), set(true, wanted[1], new.wanted));
            assert!(
                old.available + new.available >= 3,
                "nothing may be missing: {old:?} {new:?}"
            );
            new.available = new.wanted;
        }
        assert_eq!((old.wanted, new.wanted), (0, 3));
    }

    #[test]
    fn a_new_machine_that_never_comes_up_holds_the_rollout() {
        assert_eq!(scale(&[set(false, 3, 3), set(true, 1, 0)], 3, ONE_BY_ONE), [3, 1]);
    }

    #[test]
    fn on_delete_the_new_set_only_makes_up_for_what_was_deleted() {
        let sets = [set(false, 3, 3), set(true, 0, 0)];
        assert_eq!(scale_on_delete(&sets, &[3, 0], 3), [3, 0]);
        assert_eq!(scale_on_delete(&sets, &[2, 0], 3), [2, 1]);
        assert_eq!(scale_on_delete(&sets, &[3, 0], 4), [3, 1]);
        assert_eq!(scale_on_delete(&sets, &[3, 0], 2), [2, 0]);
    }

    #[test]
    fn percentages_round_up_for_surge_and_down_for_unavailable() {
        let deployment = serde_json::json!({
            "spec": { "strategy": { "rollingUpdate": { "maxSurge": "30%", "maxUnavailable": "30%" } } },
        });
        let pace = Pace::of(&deployment, 5);
        assert_eq!((pace.surge, pace.unavailable), (2, 1));
    }
}
