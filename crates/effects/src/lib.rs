//! Performs the closed set of effects: what the procedure wants done outside the Kubernetes API.
//!
//! [`Effects`] does it for real: `tool` downloads (`fetch`), unpacks (`unpack`) and tries (`probe`) a command-line tool,
//! `file` writes a file. [`SimulatedEffects`] remembers what would have been done.
//!
//! What is not here: the Kubernetes API, retries (the engine's), printing.

mod failure;
mod fetch;
mod file;
mod probe;
mod simulated;
mod tool;
mod unpack;

use std::path::PathBuf;

use berth_procedure::{Effect, EffectFailure, Outcome, Perform};
use futures::future::BoxFuture;

pub use simulated::SimulatedEffects;

/// Effects for real.
#[derive(Clone, Debug)]
pub struct Effects {
    bin_dir: PathBuf,
}

impl Effects {
    /// Tools go into this folder, which is made when it is needed.
    pub fn new(bin_dir: impl Into<PathBuf>) -> Self {
        Self {
            bin_dir: bin_dir.into(),
        }
    }
}

impl Perform for Effects {
    fn done<'a>(&'a self, effect: &'a Effect) -> BoxFuture<'a, Option<Outcome>> {
        Box::pin(async move {
            match effect {
                Effect::FetchTool { name, url, .. } => tool::installed(&self.bin_dir, name, url).await,
                Effect::WriteFile { path, contents } => file::is_written(path, contents).await,
                Effect::Later { .. } => None,
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
                Effect::Later { .. } => Err(failure::not_known_yet(effect)),
            }
        })
    }
}
