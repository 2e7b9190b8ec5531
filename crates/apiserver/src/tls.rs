//! How connections are secured, and who is at the other end.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use crate::{Identity, KeyAndCertificate};

/// How connections are secured. Cheap to clone; clones stay the same, also when one is replaced.
#[derive(Clone, Debug)]
pub struct Tls(Arc<RwLock<Arc<ServerConfig>>>);

/// Why TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key is no PEM.
    #[error("failed to read the {0}")]
    Pem(&'static str, #[source] rustls::pki_types::pem::Error),
    /// Certificate and key do not go together, or are of a kind that isn't supported.
    #[error("failed to set up TLS")]
    Config(#[from] rustls::Error),
    /// The client CA can't be used.
    #[error("failed to set up the verification of client certificates")]
    ClientCa(#[from] rustls::server::VerifierBuilderError),
}

impl Tls {
    /// Serves with this certificate. Clients may show a certificate of the client CA (PEM; several are allowed).
    pub fn new(serving: &KeyAndCertificate, client_ca: Option<&str>) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let chain = certificates(&serving.certificate, "serving certificate")?;
        let key = PrivateKeyDer::from_pem_slice(serving.key.as_bytes())
            .map_err(|error| TlsError::Pem("serving key", error))?;
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = match client_ca {
            None => builder.with_no_client_auth(),
            Some(client_ca) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(client_ca, "client CA")? {
                    roots.add(certificate)?;
                }
                // Asked for, not demanded: a token will do as well.
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.allow_unauthenticated().build()?)
            }
        };
        let mut config = builder.with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(RwLock::new(Arc::new(config)))))
    }

    /// Secures connections that come from now on as another does.
    pub fn replace(&self, other: &Self) {
        let config = other.config();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// How the next connection is secured: for whoever accepts connections.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn certificates(pem: &str, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::Pem(what, error))
}

/// Who a client certificate, which was verified before, stands for: the common name is the user, organizations are groups.
pub(crate) fn identity_of(certificate: &[u8]) -> Option<Identity> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let user = certificate
        .subject()
        .iter_common_name()
        .next()?
        .as_str()
        .ok()?
        .to_owned();
    let groups = certificate
        .subject()
        .iter_organization()
        .filter_map(|group| group.as_str().ok())
        .map(str::to_owned);
    Some(Identity {
        user,
        groups: groups.collect(),
        ..Identity::default()
    })
}

#[cfg(test)]
pub(crate) fn identity_of_pem(pem: &str) -> Option<Identity> {
    identity_of(&CertificateDer::from_pem_slice(pem.as_bytes()).ok()?)
}
