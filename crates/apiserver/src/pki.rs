//! Certificates for servers, clients and tests: a CA, and what it issues.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use x509_parser::{
    certification_request::X509CertificationRequest, extensions::ParsedExtension, pem::parse_x509_pem, prelude::FromDer,
};

use crate::Clock;

const DAY: Duration = Duration::from_hours(24);
const CA_LIFE: Duration = Duration::from_hours(3650 * 24);
const LEAF_LIFE: Duration = Duration::from_hours(2 * 365 * 24);

/// A certificate authority.
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    clock: Clock,
}

/// A private key and the certificates that go with it, leaf first; both PEM.
#[derive(Clone)]
pub struct KeyAndCertificate {
    /// PEM of the certificate chain.
    pub certificate: String,
    /// PEM of the private key.
    pub key: String,
}

/// Why a certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A key or certificate could not be made, or a name is none.
    #[error("failed to make the certificate")]
    Make(#[from] rcgen::Error),
    /// What was given is no certificate, or no request for one.
    #[error("the certificate or request can't be read: {0}")]
    Read(String),
    /// A client certificate for more groups than can be made.
    #[error("a client certificate can name {0} groups at most")]
    TooManyGroups(usize),
    /// The validity is out of range.
    #[error("the clock is out of range")]
    Clock,
}

// === impl CertificateAuthority ===

impl CertificateAuthority {
    /// A new CA of this name, valid for ten years from yesterday.
    pub fn new(common_name: &str, clock: Clock) -> Result<Self, PkiError> {
        let key = KeyPair::generate()?;
        let mut params = ca_params(common_name);
        set_validity(&mut params, clock(), CA_LIFE)?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
            clock,
        })
    }

    /// A CA that was made before.
    pub fn from_pem(pem: &KeyAndCertificate, clock: Clock) -> Result<Self, PkiError> {
        let read = |error: String| PkiError::Read(error);
        let (_, document) = parse_x509_pem(pem.certificate.as_bytes()).map_err(|error| read(error.to_string()))?;
        let parsed = document.parse_x509().map_err(|error| read(error.to_string()))?;
        let common_name = parsed
            .subject()
            .iter_common_name()
            .next()
            .and_then(|name| name.as_str().ok());
        let common_name = common_name.ok_or_else(|| read("it has no common name".to_owned()))?;
        // An issuer is a name and a key; the certificate itself stays as it is.
        let issuer = Issuer::new(ca_params(common_name), KeyPair::from_pem(&pem.key)?);
        Ok(Self {
            issuer,
            certificate: pem.certificate.clone(),
            clock,
        })
    }

    /// Its key and certificate, to keep.
    pub fn to_pem(&self) -> KeyAndCertificate {
        KeyAndCertificate {
            certificate: self.certificate.clone(),
            key: self.issuer.key().serialize_pem(),
        }
    }

    /// PEM of its certificate, to trust.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for a server under these DNS names and IP addresses.
    pub fn issue_server<S: Into<String>>(
        &self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<KeyAndCertificate, PkiError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let common_name = names.first().cloned().unwrap_or_default();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params)
    }

    /// A certificate for a client: the common name is the user, organizations (two at most) are groups.
    pub fn issue_client(&self, user: &str, groups: &[&str]) -> Result<KeyAndCertificate, PkiError> {
        // A name of rcgen's holds one entry of a type, but these two types are the same on the wire.
        let kinds = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
        if groups.len() > kinds.len() {
            return Err(PkiError::TooManyGroups(kinds.len()));
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, user);
        for (kind, group) in kinds.into_iter().zip(groups) {
            params.distinguished_name.push(kind, *group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    /// A certificate (PEM) for a client that made its own key: the name of its request (PEM), valid for so long from
    /// `backdate` before now.
    pub fn sign_client(&self, request: &str, backdate: Duration, life: Duration) -> Result<String, PkiError> {
        let mut request = CertificateSigningRequestParams::from_pem(request)?;
        let now = (self.clock)();
        let params = &mut request.params;
        params.is_ca = IsCa::NoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = rcgen::date_time_ymd(1970, 1, 1) + since_epoch(now.checked_sub(backdate))?;
        params.not_after = rcgen::date_time_ymd(1970, 1, 1) + since_epoch(now.checked_add(life))?;
        Ok(request.signed_by(&self.issuer)?.pem())
    }

    fn issue(&self, mut params: CertificateParams) -> Result<KeyAndCertificate, PkiError> {
        let key = KeyPair::generate()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, (self.clock)(), LEAF_LIFE)?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(KeyAndCertificate {
            certificate,
            key: key.serialize_pem(),
        })
    }
}

impl std::fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateAuthority").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for KeyAndCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyAndCertificate")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

fn ca_params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    params
}

/// From yesterday on, for clients with a clock that is behind.
fn set_validity(params: &mut CertificateParams, now: Timestamp, life: Duration) -> Result<(), PkiError> {
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + since_epoch(now.checked_sub(DAY))?;
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + since_epoch(now.checked_add(life))?;
    Ok(())
}

fn since_epoch(timestamp: Result<Timestamp, jiff::Error>) -> Result<Duration, PkiError> {
    let seconds = timestamp.map_err(|_| PkiError::Clock)?.as_second();
    Ok(Duration::from_secs(
        u64::try_from(seconds).map_err(|_| PkiError::Clock)?,
    ))
}

/// What a request for a certificate asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRequest {
    /// The common name: the user.
    pub user: String,
    /// Organizations: the groups.
    pub groups: Vec<String>,
    /// Whether it asks for other names, which a client's certificate has no use for.
    pub has_alternative_names: bool,
}

impl CertificateRequest {
    /// Reads a request (PEM), and checks that whoever made it has the key.
    pub fn from_pem(pem: &str) -> Result<Self, PkiError> {
        let read = |error: String| PkiError::Read(error);
        let (_, document) = parse_x509_pem(pem.as_bytes()).map_err(|error| read(error.to_string()))?;
        let (_, request) =
            X509CertificationRequest::from_der(&document.contents).map_err(|error| read(error.to_string()))?;
        request.verify_signature().map_err(|error| read(error.to_string()))?;
        let subject = &request.certification_request_info.subject;
        let text =
            |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| attribute.as_str().ok().map(str::to_owned);
        let mut extensions = request.requested_extensions().into_iter().flatten();
        Ok(Self {
            user: subject.iter_common_name().find_map(text).unwrap_or_default(),
            groups: subject.iter_organization().filter_map(text).collect(),
            has_alternative_names: extensions
                .any(|extension| matches!(extension, ParsedExtension::SubjectAlternativeName(_))),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::tls;

    fn authority() -> CertificateAuthority {
        CertificateAuthority::new("test CA", Arc::new(|| "2026-01-02T03:04:05Z".parse().unwrap())).unwrap()
    }

    #[test]
    fn user_and_groups_are_read_back_from_a_client_certificate() {
        let issued = authority().issue_client("jane", &["one", "two"]).unwrap();
        let identity = tls::identity_of_pem(&issued.certificate).unwrap();
        assert_eq!(identity.user, "jane");
        assert_eq!(identity.groups, ["one", "two"]);
        assert!(authority().issue_client("jane", &["one", "two", "three"]).is_err());
    }

    #[test]
    fn a_ca_that_was_kept_issues_under_the_same_name() {
        let authority = authority();
        let again = CertificateAuthority::from_pem(&authority.to_pem(), Arc::new(Timestamp::now)).unwrap();
        assert_eq!(again.certificate(), authority.certificate());
        let issued = again.issue_server(["localhost", "127.0.0.1"]).unwrap();
        let (_, leaf) = parse_x509_pem(issued.certificate.as_bytes()).unwrap();
        let (_, ca) = parse_x509_pem(again.certificate().as_bytes()).unwrap();
        let (leaf, ca) = (leaf.parse_x509().unwrap(), ca.parse_x509().unwrap());
        assert_eq!(leaf.issuer(), ca.subject());
    }
}
