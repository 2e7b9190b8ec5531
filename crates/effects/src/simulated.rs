//! Effects that only remember: for simulations, where nothing may touch the machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use berth_procedure::access::Reach;
use berth_procedure::{Effect, EffectFailure, Login, Outcome, Perform};
use futures::future::{self, BoxFuture, FutureExt};
use sha2::{Digest as _, Sha256};

use crate::failure;

/// A request that can be certified; its key is nowhere.
const REQUEST: &str = include_str!("simulated.csr");

/// Remembers what would have been done, in memory. Clones share it, as runs share a machine.
#[derive(Clone, Debug, Default)]
pub struct SimulatedEffects {
    done: Arc<Mutex<BTreeMap<Effect, Outcome>>>,
}

impl SimulatedEffects {
    /// A machine on which nothing was done yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Effect, Outcome>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Perform for SimulatedEffects {
    fn done<'a>(&'a self, effect: &'a Effect) -> BoxFuture<'a, Option<Outcome>> {
        future::ready(self.lock().get(effect).cloned()).boxed()
    }

    fn perform<'a>(&'a self, effect: &'a Effect) -> BoxFuture<'a, Result<Outcome, EffectFailure>> {
        let outcome = match effect {
            Effect::FetchTool { name, .. } => Outcome::Tool {
                path: PathBuf::from("/simulated/bin").join(name),
                version: format!("{name} (simulated)"),
            },
            Effect::WriteFile { path, .. } => Outcome::Written { path: path.clone() },
            Effect::MakeKey { name, .. } => Outcome::Key {
                request: REQUEST.to_owned(),
                fingerprint: format!("{:x}", Sha256::digest(name)),
            },
            Effect::ProveCredential { name, .. } => Outcome::Credential {
                path: PathBuf::from("/simulated/keys").join(format!("{name}.kubeconfig")),
                user: "system:customer-break-glass:berth".to_owned(),
                until: None,
            },
            Effect::TryLogin { user, .. } => Outcome::Login(Login::Granted { user: user.clone() }),
            // Nothing stands in the way of a simulation but what the simulation itself tells.
            Effect::Try { .. } => Outcome::Tried { reach: Reach::Answers },
            Effect::Later { .. } => return future::ready(Err(failure::not_known_yet(effect))).boxed(),
        };
        self.lock().insert(effect.clone(), outcome.clone());
        future::ready(Ok(outcome)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_done_is_known_to_the_next_run() {
        let machine = SimulatedEffects::new();
        let effect = Effect::FetchTool {
            name: "hcp".into(),
            url: "https://x.example/hcp".into(),
            ca: None,
            probe: vec!["version".into()],
        };
        assert_eq!(machine.done(&effect).await, None);
        let outcome = machine.perform(&effect).await.expect("done");
        assert!(
            matches!(&outcome, Outcome::Tool { version, .. } if version.contains("(simulated)")),
            "{outcome:?}"
        );
        assert_eq!(machine.clone().done(&effect).await, Some(outcome));
    }
}
