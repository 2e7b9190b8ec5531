//! The leases of a run: taken when a step first has something to write, kept by a task each.

use std::collections::BTreeMap;

use berth_procedure::Lock;
use tokio::task::AbortHandle;

/// Leases by what they lock.
#[derive(Debug, Default)]
pub(super) struct Locks(BTreeMap<Lock, State>);

#[derive(Debug)]
struct State {
    keeper: AbortHandle,
    held: bool,
}

impl Locks {
    pub(super) fn is_held(&self, lock: &Lock) -> bool {
        self.0.get(lock).is_some_and(|state| state.held)
    }

    /// Whether a task is after the lease, or has it.
    pub(super) fn is_wanted(&self, lock: &Lock) -> bool {
        self.0.contains_key(lock)
    }

    pub(super) fn want(&mut self, lock: Lock, keeper: AbortHandle) {
        self.0.insert(lock, State { keeper, held: false });
    }

    pub(super) fn taken(&mut self, lock: &Lock) {
        if let Some(state) = self.0.get_mut(lock) {
            state.held = true;
        }
    }

    /// Ends the keeper. Whether the lease was held, and is to be given back.
    pub(super) fn forget(&mut self, lock: &Lock) -> bool {
        let Some(State { keeper, held }) = self.0.remove(lock) else {
            return false;
        };
        keeper.abort();
        held
    }

    pub(super) fn all(&self) -> Vec<Lock> {
        self.0.keys().cloned().collect()
    }
}
