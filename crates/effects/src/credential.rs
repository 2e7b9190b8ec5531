//! A way into a guest that is kept on this machine: a private key, the certificate that the guest's signer made for it, both in
//! a kubeconfig of mode 0600; and the proof that it may do everything there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_procedure::{Credential, GuestServer, Outcome, Secret};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task;

use crate::file::{self, FileError};
use crate::https::{self, AGENT, CallError, ClientCertificate, Https};

const MODE: u32 = 0o600;

/// Why there is no proven credential.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialError {
    #[error("failed to make a key")]
    Make { source: rcgen::Error },
    #[error("the private key `{path}` can't be read")]
    Key { path: PathBuf, source: io::Error },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the guest's API server answered {told}")]
    Status { status: StatusCode, told: String },
    #[error("the guest takes it for `{user}`, who may not do everything there")]
    NotAdmin { user: String },
}

impl CredentialError {
    /// Whether another attempt may go through: a fresh certificate may not be trusted at once.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Call(error) => !matches!(error, CallError::BadCertificate | CallError::BadUrl { .. }),
            Self::Status { status, .. } => status.is_server_error() || *status == StatusCode::UNAUTHORIZED,
            _ => false,
        }
    }
}

/// Where credentials are kept, and what for.
pub(crate) struct Kept<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) name: &'a str,
}

/// What a key is made for.
pub(crate) struct Subject<'a> {
    pub(crate) common_name: &'a str,
    pub(crate) organization: &'a str,
}

impl Kept<'_> {
    fn key(&self) -> PathBuf {
        self.folder.join(format!("{}.key", self.name))
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.join(format!("{}.kubeconfig", self.name))
    }
}

/// The key that is kept, with a request for it, if it may still be used.
pub(crate) async fn kept_key(kept: &Kept<'_>, subject: &Subject<'_>, instead_of: Option<&str>) -> Option<Outcome> {
    let path = kept.key();
    let text = task::spawn_blocking(move || fs::read_to_string(path))
        .await
        .ok()?
        .ok()?;
    let key = KeyPair::from_pem(&text).ok()?;
    if instead_of == Some(fingerprint(&key).as_str()) {
        return None;
    }
    request(&key, subject).ok()
}

/// Makes a key, and a request for it.
pub(crate) async fn make_key(kept: &Kept<'_>, subject: &Subject<'_>) -> Result<Outcome, CredentialError> {
    let key = KeyPair::generate().map_err(|source| CredentialError::Make { source })?;
    write(kept.key(), key.serialize_pem()).await?;
    request(&key, subject).map_err(|source| CredentialError::Make { source })
}

/// Writes the kubeconfig, and asks the guest what its user may do.
pub(crate) async fn prove(
    kept: &Kept<'_>,
    server: &GuestServer,
    credential: &Credential,
) -> Result<Outcome, CredentialError> {
    let (certificate, key) = match credential {
        Credential::Whole { certificate, key } => (certificate, key.clone()),
        Credential::Certified(certificate) => {
            let path = kept.key();
            let shown = path.clone();
            let read = task::spawn_blocking(move || fs::read_to_string(path)).await;
            let read = read.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
            let key = read.map_err(|source| CredentialError::Key { path: shown, source })?;
            (certificate, Secret::new(key))
        }
    };
    let own = ClientCertificate {
        certificate,
        key: key.reveal(),
    };
    let client = https::client(&server.ca, Some(&own))?;
    let user = who(&client, server, None).await?;
    if !may_do_everything(&client, server, None).await? {
        return Err(CredentialError::NotAdmin { user });
    }
    let path = kept.kubeconfig();
    write(path.clone(), kubeconfig(kept.name, server, certificate, &key)).await?;
    Ok(Outcome::Credential {
        path,
        user,
        until: ends(certificate),
    })
}

/// Whom the guest takes a client for.
pub(crate) async fn who(
    client: &Https,
    server: &GuestServer,
    token: Option<&Secret>,
) -> Result<String, CredentialError> {
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let answer = post(client, server, path, &review, token).await?;
    Ok(answer["status"]["userInfo"]["username"]
        .as_str()
        .unwrap_or_default()
        .to_owned())
}

/// Whether a client may do everything.
pub(crate) async fn may_do_everything(
    client: &Https,
    server: &GuestServer,
    token: Option<&Secret>,
) -> Result<bool, CredentialError> {
    let all = json!({ "verb": "*", "group": "*", "version": "*", "resource": "*" });
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": { "resourceAttributes": all },
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let answer = post(client, server, path, &review, token).await?;
    Ok(answer["status"]["allowed"].as_bool().unwrap_or_default())
}

async fn post(
    client: &Https,
    server: &GuestServer,
    path: &str,
    body: &Value,
    token: Option<&Secret>,
) -> Result<Value, CredentialError> {
    let mut request = Request::post(format!("{}{path}", server.url))
        .header(header::USER_AGENT, AGENT)
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()));
    }
    let request = request
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|_| CallError::BadUrl {
            url: server.url.clone(),
        })?;
    let answer = https::call(client, request).await?;
    if answer.status.is_success() {
        return Ok(answer.json());
    }
    Err(CredentialError::Status {
        status: answer.status,
        told: answer.told(),
    })
}

async fn write(path: PathBuf, text: String) -> Result<(), FileError> {
    let written = task::spawn_blocking(move || file::replace(&path, text.as_bytes(), MODE)).await;
    written.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

fn request(key: &KeyPair, subject: &Subject<'_>) -> Result<Outcome, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, subject.organization);
    params.distinguished_name.push(DnType::CommonName, subject.common_name);
    Ok(Outcome::Key {
        request: params.serialize_request(key)?.pem()?,
        fingerprint: fingerprint(key),
    })
}

fn fingerprint(key: &KeyPair) -> String {
    format!("{:x}", Sha256::digest(key.der_bytes()))
}

/// When a certificate ends.
fn ends(certificate: &str) -> Option<jiff::Timestamp> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(certificate.as_bytes()).ok()?;
    let end = pem.parse_x509().ok()?.validity().not_after.timestamp();
    jiff::Timestamp::from_second(end).ok()
}

fn kubeconfig(name: &str, server: &GuestServer, certificate: &str, key: &Secret) -> String {
    let encoded = |text: &str| STANDARD.encode(text);
    let (ca, certificate, key) = (encoded(&server.ca), encoded(certificate), encoded(key.reveal()));
    let url = &server.url;
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: {name}
  cluster:
    server: {url}
    certificate-authority-data: {ca}
users:
- name: break-glass
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: break-glass
  context:
    cluster: {name}
    user: break-glass
current-context: break-glass
"
    )
}

#[cfg(test)]
mod tests;
