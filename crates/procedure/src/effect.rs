//! Actions outside the Kubernetes API: a closed set, as values, and the one trait that performs them.

use std::path::PathBuf;

use futures_core::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;

use crate::access::{Entry, Reach};
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
    /// Make a private key that stays on this machine, and a request to certify it.
    MakeKey {
        /// What the key is kept under.
        name: String,
        /// The name that the certificate is to have.
        common_name: String,
        /// The group that the certificate is to have.
        organization: String,
        /// The fingerprint of a key that must not be used any more.
        instead_of: Option<String>,
    },
    /// Keep a credential for a guest in a file of mode 0600, and prove that it may do everything there.
    ProveCredential {
        /// What the file, and the key, are kept under.
        name: String,
        /// The guest's API server.
        server: GuestServer,
        /// The credential.
        credential: Credential,
    },
    /// Log in to a guest with a user's password, as `oc login` does.
    TryLogin {
        /// The guest's API server.
        server: GuestServer,
        /// The provider that must know the user.
        provider: String,
        /// The user.
        user: String,
        /// The user's password.
        password: Secret,
        /// Whether the user is to be a cluster admin.
        is_admin: bool,
    },
    /// Find out how far one comes on the way to an API server; nothing is changed by it.
    Try {
        /// The way.
        way: Entry,
        /// Why it is tried: another reason is another attempt.
        because: String,
    },
    /// An action that can't be worked out before another step is ready.
    Later {
        /// What will be done, in a few words.
        what: String,
        /// The step after which it is known.
        after: StepId,
    },
}

/// Where a guest's API server is, and whom it is certified by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GuestServer {
    /// Its URL.
    pub url: String,
    /// PEM certificates to trust.
    pub ca: String,
}

/// What proves to a guest who somebody is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Credential {
    /// A certificate (PEM) for the key that is kept.
    Certified(String),
    /// A certificate (PEM) with its key.
    Whole {
        /// The certificate.
        certificate: String,
        /// Its key.
        key: Secret,
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
    /// It was tried.
    Tried {
        /// How far one comes.
        reach: Reach,
    },
    /// The file is there with these contents.
    Written {
        /// The file.
        path: PathBuf,
    },
    /// The key is there.
    Key {
        /// The request to certify it, as PEM.
        request: String,
        /// What tells the key apart from others: of its public half.
        fingerprint: String,
    },
    /// The credential is there, and may do everything.
    Credential {
        /// The kubeconfig with it.
        path: PathBuf,
        /// Whom the guest takes it for.
        user: String,
        /// When it ends.
        until: Option<Timestamp>,
    },
    /// A login was tried.
    Login(Login),
}

/// How a login ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "login")]
pub enum Login {
    /// The guest's API server knows the user.
    Granted {
        /// The user, as the guest calls it.
        user: String,
    },
    /// The OAuth server, or the API server after it, said no.
    Refused {
        /// What was said; never with the password.
        why: String,
    },
    /// Nothing could be learned from here.
    NotReached {
        /// What happened.
        why: String,
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
    /// What is there already, or can be told without changing anything: a second run's question. Asked of many at a time.
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
            Self::MakeKey { common_name, .. } => format!("make a private key for {common_name} (mode 0600)"),
            Self::ProveCredential { server, .. } => {
                format!(
                    "keep a break-glass kubeconfig (mode 0600) and prove that it may do everything at {}",
                    server.url
                )
            }
            Self::TryLogin {
                server, provider, user, ..
            } => format!("log in to {} as {user} ({provider})", server.url),
            Self::Try { way, .. } => format!("try how far one comes on the way to {}", way.server),
            Self::Later { what, after } => format!("{what} (known after {after})"),
        }
    }
}
