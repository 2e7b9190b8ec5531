//! What Berth reads of certificates: whose they are, and how long they hold. Signatures are not its business.

use jiff::Timestamp;
use x509_parser::pem::Pem;

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The common name of whom it is for; empty where there is none.
    pub subject: String,
    /// The common name of who signed it; empty where there is none.
    pub issuer: String,
    /// From when it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
}

/// The certificates of a text in PEM, in its order. What is no certificate is left out.
pub fn certificates(pem: &str) -> Vec<Certificate> {
    Pem::iter_from_buffer(pem.as_bytes())
        .filter_map(Result::ok)
        .filter(|block| block.label == "CERTIFICATE")
        .filter_map(|block| {
            let certificate = block.parse_x509().ok()?;
            let name = |name: &x509_parser::x509::X509Name<'_>| {
                let common = name.iter_common_name().next().and_then(|name| name.as_str().ok());
                common.unwrap_or_default().to_owned()
            };
            let validity = certificate.validity();
            Some(Certificate {
                subject: name(certificate.subject()),
                issuer: name(certificate.issuer()),
                not_before: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
                not_after: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
            })
        })
        .collect()
}
