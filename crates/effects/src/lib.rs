//! Performs the closed set of effects: what the procedure wants done outside the Kubernetes API.
//!
//! [`Effects`] does it for real: `tool` downloads (`fetch`), unpacks (`unpack`) and tries (`probe`) a command-line tool,
//! `file` writes a file, `credential` makes and proves a way into a guest, `login` logs in as `oc login` does, [`reach()`]
//! finds out how far one comes on the way to an API server. [`SimulatedEffects`] remembers what would have been done.
//!
//! What is not here: the Kubernetes API, retries (the engine's), printing.

mod credential;
mod failure;
mod fetch;
mod file;
#[cfg(test)]
mod guest;
mod https;
mod login;
mod probe;
mod reach;
mod simulated;
mod tool;
mod unpack;

use std::path::PathBuf;

use berth_procedure::{Effect, EffectFailure, Outcome, Perform};
use futures::future::BoxFuture;

pub use reach::{listens, reach};
pub use simulated::SimulatedEffects;

use credential::{Kept, Subject};
use login::{Attempt, Patience};

/// Effects for real.
#[derive(Clone, Debug)]
pub struct Effects {
    bin_dir: PathBuf,
    keys_dir: PathBuf,
}

impl Effects {
    /// Tools go into the first of these folders, credentials into the second; they are made when they are needed.
    pub fn new(bin_dir: impl Into<PathBuf>, keys_dir: impl Into<PathBuf>) -> Self {
        Self {
            bin_dir: bin_dir.into(),
            keys_dir: keys_dir.into(),
        }
    }

    fn kept<'a>(&'a self, name: &'a str) -> Kept<'a> {
        Kept {
            folder: &self.keys_dir,
            name,
        }
    }
}

impl Perform for Effects {
    fn done<'a>(&'a self, effect: &'a Effect) -> BoxFuture<'a, Option<Outcome>> {
        Box::pin(async move {
            match effect {
                Effect::FetchTool { name, url, .. } => tool::installed(&self.bin_dir, name, url).await,
                Effect::WriteFile { path, contents } => file::is_written(path, contents).await,
                Effect::MakeKey {
                    name,
                    common_name,
                    organization,
                    instead_of,
                } => {
                    let subject = Subject {
                        common_name,
                        organization,
                    };
                    credential::kept_key(&self.kept(name), &subject, instead_of.as_deref()).await
                }
                // A proof is one only at the moment.
                Effect::ProveCredential { .. } | Effect::TryLogin { .. } | Effect::Later { .. } => None,
                // Nothing is changed by trying, so that a plan may.
                Effect::Try { way, .. } => Some(Outcome::Tried {
                    reach: reach(way).await,
                }),
            }
        })
    }

    fn perform<'a>(&'a self, effect: &'a Effect) -> BoxFuture<'a, Result<Outcome, EffectFailure>> {
        Box::pin(async move {
            match effect {
                Effect::FetchTool { name, url, ca, probe } => {
                    let wanted = tool::Wanted {
                        name,
                        url,
                        ca: ca.as_deref(),
                        probe,
                    };
                    tool::install(&self.bin_dir, wanted).await.map_err(EffectFailure::from)
                }
                Effect::WriteFile { path, contents } => file::write(path, contents).await.map_err(EffectFailure::from),
                Effect::MakeKey {
                    name,
                    common_name,
                    organization,
                    ..
                } => {
                    let subject = Subject {
                        common_name,
                        organization,
                    };
                    let made = credential::make_key(&self.kept(name), &subject).await;
                    made.map_err(EffectFailure::from)
                }
                Effect::ProveCredential {
                    name,
                    server,
                    credential,
                } => {
                    let proven = credential::prove(&self.kept(name), server, credential).await;
                    proven.map_err(EffectFailure::from)
                }
                Effect::TryLogin {
                    server,
                    provider,
                    user,
                    password,
                    is_admin,
                } => {
                    let attempt = Attempt {
                        server,
                        provider,
                        user,
                        password,
                        is_admin: *is_admin,
                    };
                    Ok(Outcome::Login(login::login(attempt, Patience::USUAL).await))
                }
                Effect::Try { way, .. } => Ok(Outcome::Tried {
                    reach: reach(way).await,
                }),
                Effect::Later { .. } => Err(failure::not_known_yet(effect)),
            }
        })
    }
}
