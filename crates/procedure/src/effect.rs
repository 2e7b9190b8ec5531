//! Actions outside the Kubernetes API: a closed set, as values, and the one trait that performs them.

use std::path::PathBuf;

use futures_core::future::BoxFuture;
use serde::Serialize;

use crate::secret::Secret;
use crate::step::StepId;

/// One action outside the Kubernetes API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Download a command-line tool's archive (`.tar.gz`), verify, unpack safely, run it once.
    FetchTool {
        /// The program's name inside the archive: `hcp`.
        name: String,
        /// Where the archive is; always `https`.
        url: String,
        /// PEM certificates to trust, and no others: the cluster's own ingress CA.
        ca: Option<String>,
        /// Arguments with which the tool proves that it runs.
        probe: Vec<String>,
    },
    /// Write a file of mode 0600.
    WriteFile {
        /// The file.
        path: PathBuf,
        /// Its contents.
        contents: Secret,
    },
    /// An action that can't be worked out before another step is ready.
    Later {
        /// What will be done, in a few words.
        what: String,
        /// The step after which it is known.
        after: StepId,
    },
}

/// What an effect brought about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The tool is there and answers.
    Tool {
        /// The program.
        path: PathBuf,
        /// The first line that it printed of itself.
        version: String,
    },
    /// The file is there with these contents.
    Written {
        /// The file.
        path: PathBuf,
    },
}

/// Why an effect failed; the engine retries those that may heal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EffectFailure {
    /// What failed, with its causes.
    pub message: String,
    /// What to do about it.
    pub fix: String,
    /// Whether the same attempt may go through later.
    pub transient: bool,
}

/// Performs effects: for real, or in simulation.
pub trait Perform: Send + Sync {
    /// What is there already, without doing anything: a second run's question.
    fn done<'a>(&'a self, effect: &'a Effect) -> BoxFuture<'a, Option<Outcome>>;

    /// Does it. Safe to call again after a failure or a kill.
    fn perform<'a>(&'a self, effect: &'a Effect) -> BoxFuture<'a, Result<Outcome, EffectFailure>>;
}

impl Effect {
    /// What the effect does, for a plan's line; never with secret contents.
    pub fn describe(&self) -> String {
        match self {
            Self::FetchTool { name, url, .. } => format!("fetch {name} from {url}"),
            Self::WriteFile { path, .. } => format!("write {} (mode 0600)", path.display()),
            Self::Later { what, after } => format!("{what} (known after {after})"),
        }
    }
}
