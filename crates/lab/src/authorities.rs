//! The certificate authorities of a lab: one for the API and its clients, one for what the ingress serves. Made once, kept
//! with mode 0600.

use std::io;
use std::path::{Path, PathBuf};

use berth_apiserver::{CertificateAuthority, Clock, KeyAndCertificate, PkiError};

use crate::home::{read_if_there, write_private};

/// A lab's authorities.
pub(crate) struct Authorities {
    /// Signs the API's certificate and those of its clients.
    pub(crate) cluster: CertificateAuthority,
    /// Signs what is served under the cluster's apps domain, and downloads.
    pub(crate) ingress: CertificateAuthority,
}

/// Why a lab has no authorities.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// One cannot be read or written.
    #[error("failed to keep the certificate authority at `{path}`")]
    Keep {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One cannot be made, or what was kept is none.
    #[error("failed to make the certificate authority `{name}`")]
    Make {
        /// Which.
        name: &'static str,
        /// Why.
        source: PkiError,
    },
}

impl Authorities {
    /// Those that a folder holds; what it lacks is made.
    pub(crate) fn open(folder: &Path, clock: &Clock) -> Result<Self, AuthoritiesError> {
        Ok(Self {
            cluster: authority(folder, "cluster", clock)?,
            ingress: authority(folder, "ingress", clock)?,
        })
    }
}

fn authority(folder: &Path, name: &'static str, clock: &Clock) -> Result<CertificateAuthority, AuthoritiesError> {
    let (certificate_path, key_path) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
    let keep = |path: &Path| {
        let path = path.to_owned();
        move |source| AuthoritiesError::Keep { path, source }
    };
    let make = |source| AuthoritiesError::Make { name, source };
    let certificate = read_if_there(&certificate_path).map_err(keep(&certificate_path))?;
    let key = read_if_there(&key_path).map_err(keep(&key_path))?;
    if let (Some(certificate), Some(key)) = (certificate, key) {
        return CertificateAuthority::from_pem(&KeyAndCertificate { certificate, key }, clock.clone()).map_err(make);
    }
    let authority = CertificateAuthority::new(&format!("berth-lab-{name}-ca"), clock.clone()).map_err(make)?;
    let pem = authority.to_pem();
    // The key first: a certificate without its key would be taken for whole.
    write_private(&key_path, &pem.key).map_err(keep(&key_path))?;
    write_private(&certificate_path, &pem.certificate).map_err(keep(&certificate_path))?;
    Ok(authority)
}
