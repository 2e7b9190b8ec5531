//! Errors of the operations as the engine takes them: with what to do, and whether to try again.

use std::error::Error;

use berth_procedure::{Effect, EffectFailure};

use crate::credential::CredentialError;
use crate::fetch::FetchError;
use crate::file::FileError;
use crate::probe::ProbeError;
use crate::tool::InstallError;

impl From<InstallError> for EffectFailure {
    fn from(error: InstallError) -> Self {
        let message = chain(&error);
        let (fix, transient) = match &error {
            InstallError::Fetch(fetch) => (fix_of_fetch(fetch), fetch.is_transient()),
            InstallError::Unpack(_) => (
                "look at the archive; its source may have been tampered with or be broken",
                false,
            ),
            InstallError::Probe(ProbeError::TimedOut { .. }) => ("run the tool by hand to see what it waits for", true),
            InstallError::Probe(_) => (
                "check that the archive is for this machine's system and architecture",
                false,
            ),
            InstallError::Folder { .. } | InstallError::Record(_) | InstallError::Replace { .. } => {
                ("check permissions and free space of the folder", false)
            }
        };
        Self {
            message,
            fix: fix.to_owned(),
            transient,
        }
    }
}

impl From<FileError> for EffectFailure {
    fn from(error: FileError) -> Self {
        let fix = "check permissions and free space of the folder".to_owned();
        Self {
            message: chain(&error),
            fix,
            transient: false,
        }
    }
}

impl From<CredentialError> for EffectFailure {
    fn from(error: CredentialError) -> Self {
        let fix = match &error {
            CredentialError::Make { .. } | CredentialError::Key { .. } | CredentialError::File(_) => {
                "check permissions and free space of the folder"
            }
            CredentialError::Call(_) => "check that the guest's API server can be reached from here",
            CredentialError::Status { .. } | CredentialError::NotAdmin { .. } => {
                "see whether the guest's API server trusts its break-glass signer; nothing was changed"
            }
        };
        Self {
            message: chain(&error),
            fix: fix.to_owned(),
            transient: error.is_transient(),
        }
    }
}

/// An effect that is known later was asked for now.
pub(crate) fn not_known_yet(effect: &Effect) -> EffectFailure {
    let fix = "wait for the step that it is known after".to_owned();
    EffectFailure {
        message: format!("not known yet: {}", effect.describe()),
        fix,
        transient: true,
    }
}

fn fix_of_fetch(error: &FetchError) -> &'static str {
    match error {
        FetchError::NoCertificate | FetchError::BadCertificate { .. } => {
            "the CA is read from ConfigMap openshift-config-managed/default-ingress-cert: look there"
        }
        FetchError::Untrusted { .. } => {
            "the server's certificate is not signed by the cluster's ingress CA: look for a proxy in between, or a CA that was \
             just replaced"
        }
        FetchError::NotHttps { .. } | FetchError::BadUrl { .. } | FetchError::TooManyRedirects { .. } => {
            "look at the links of the ConsoleCLIDownload"
        }
        FetchError::Status { .. } => "look at the pods behind the route of the download",
        FetchError::TooLarge { .. } => "look at what the link serves; a tool's archive is smaller",
        FetchError::Unreachable { .. } | FetchError::TimedOut { .. } | FetchError::Broken { .. } => {
            "check that this machine resolves and reaches the host of the link"
        }
        FetchError::Tls { .. } | FetchError::Store { .. } => "check permissions and free space of the folder",
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.ends_with(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told
}
