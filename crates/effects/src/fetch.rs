//! Downloads a file over HTTPS from a server whose CA is given: no other is trusted, redirects stay on HTTPS, size and time
//! are bounded.

use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time;

use crate::https::{self, TrustError};

/// Until the head of an answer, and between two pieces of it.
const PATIENCE: Duration = Duration::from_secs(30);

const MAX_REDIRECTS: usize = 5;

/// What a download may be at most. The real archives are a tenth of this.
pub(crate) const MAX_BYTES: u64 = 512 << 20;

type Https = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("no CA certificate is known for the download")]
    NoCertificate,
    #[error("the CA for the download can't be read")]
    BadCertificate { source: rustls_pki_types::pem::Error },
    #[error("failed to set up TLS")]
    Tls { source: rustls::Error },
    #[error("`{url}` is not a URL")]
    BadUrl { url: String },
    #[error("`{url}` is not https")]
    NotHttps { url: String },
    #[error("failed to trust the server of {url}")]
    Untrusted {
        url: String,
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("failed to reach {url}")]
    Unreachable {
        url: String,
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("{url} did not answer within {} s", PATIENCE.as_secs())]
    TimedOut { url: String },
    #[error("{url} answered {status}")]
    Status { url: String, status: StatusCode },
    #[error("{url} redirects too often")]
    TooManyRedirects { url: String },
    #[error("the answer of {url} broke off")]
    Broken {
        url: String,
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("{url} is larger than {MAX_BYTES} bytes")]
    TooLarge { url: String },
    #[error("failed to store the download")]
    Store { source: io::Error },
}

impl FetchError {
    /// Whether the same download may go through later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Broken { .. } => true,
            Self::Status { status, .. } => {
                status.is_server_error()
                    || matches!(*status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
            }
            _ => false,
        }
    }
}

/// Downloads into a file; returns the SHA-256 of what came, in hexadecimal.
pub(crate) async fn fetch(url: &str, ca: Option<&str>, into: &Path) -> Result<String, FetchError> {
    let client = client(ca.ok_or(FetchError::NoCertificate)?)?;
    let (mut url, mut redirects) = (checked(url)?, 0);
    loop {
        let response = ask(&client, &url).await?;
        let status = response.status();
        if status.is_success() {
            return store(response, &url, into).await;
        }
        let location = response
            .headers()
            .get(header::LOCATION)
            .and_then(|value| value.to_str().ok());
        match location {
            Some(location) if status.is_redirection() => {
                redirects += 1;
                if redirects > MAX_REDIRECTS {
                    return Err(FetchError::TooManyRedirects { url: url.to_string() });
                }
                url = resolved(&url, location)?;
            }
            _ => {
                return Err(FetchError::Status {
                    url: url.to_string(),
                    status,
                });
            }
        }
    }
}

fn client(ca: &str) -> Result<Https, FetchError> {
    let config = https::trusting(ca).map_err(|error| match error {
        TrustError::NoCertificate => FetchError::NoCertificate,
        TrustError::BadCertificate(source) => FetchError::BadCertificate { source },
        TrustError::Tls(source) => FetchError::Tls { source },
    })?;
    Ok(https::over(config.with_no_client_auth()))
}

async fn ask(client: &Https, url: &Uri) -> Result<Response<Incoming>, FetchError> {
    let request = Request::get(url.clone())
        .header(header::USER_AGENT, concat!("berth/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new())
        .map_err(|_| FetchError::BadUrl { url: url.to_string() })?;
    let answer = time::timeout(PATIENCE, client.request(request)).await;
    let answer = answer.map_err(|_| FetchError::TimedOut { url: url.to_string() })?;
    answer.map_err(|error| {
        let (url, untrusted, source) = (url.to_string(), is_untrusted(&error), Box::new(error));
        if untrusted {
            FetchError::Untrusted { url, source }
        } else {
            FetchError::Unreachable { url, source }
        }
    })
}

async fn store(response: Response<Incoming>, url: &Uri, into: &Path) -> Result<String, FetchError> {
    let stored = |source| FetchError::Store { source };
    let mut file = File::create(into).await.map_err(stored)?;
    let (mut body, mut digest, mut length) = (response.into_body(), Sha256::new(), 0_u64);
    loop {
        let frame = time::timeout(PATIENCE, body.frame()).await;
        let Some(frame) = frame.map_err(|_| FetchError::TimedOut { url: url.to_string() })? else {
            break;
        };
        let frame = frame.map_err(|error| FetchError::Broken {
            url: url.to_string(),
            source: Box::new(error),
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len() as u64;
        if length > MAX_BYTES {
            return Err(FetchError::TooLarge { url: url.to_string() });
        }
        digest.update(&data);
        file.write_all(&data).await.map_err(stored)?;
    }
    file.flush().await.map_err(stored)?;
    Ok(format!("{:x}", digest.finalize()))
}

fn checked(url: &str) -> Result<Uri, FetchError> {
    let uri: Uri = url.parse().map_err(|_| FetchError::BadUrl { url: url.to_owned() })?;
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => Ok(uri),
        (_, None) => Err(FetchError::BadUrl { url: url.to_owned() }),
        _ => Err(FetchError::NotHttps { url: url.to_owned() }),
    }
}

/// Where a redirect leads: an absolute URL, or a path on the same server.
fn resolved(from: &Uri, location: &str) -> Result<Uri, FetchError> {
    match (
        location.starts_with('/') && !location.starts_with("//"),
        from.authority(),
    ) {
        (true, Some(authority)) => checked(&format!("https://{authority}{location}")),
        _ => checked(location),
    }
}

/// Whether a certificate is what failed, somewhere down the causes.
fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, rustls::Error::InvalidCertificate(_));
    }
    // An I/O error's `source` leaves out the very error that it was made from.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => is_untrusted(inner),
        None => error.source().is_some_and(is_untrusted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_followed() {
        let from = checked("https://a.example/x").expect("a URL");
        assert_eq!(
            resolved(&from, "/y").expect("a path").to_string(),
            "https://a.example/y"
        );
        assert_eq!(
            resolved(&from, "https://b.example/z").expect("a URL").to_string(),
            "https://b.example/z"
        );
        assert!(matches!(
            resolved(&from, "http://a.example/y"),
            Err(FetchError::NotHttps { .. })
        ));
        assert!(resolved(&from, "//b.example/z").is_err());
        assert!(matches!(checked("not a url"), Err(FetchError::BadUrl { .. })));
    }
}
