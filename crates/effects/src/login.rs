//! A login with a password, as `oc login` does it: the guest's API server says where its OAuth server is, that challenges, and
//! gives a token for the password; the API server must then know the user by the token.
//!
//! The token is deleted at once. Neither it nor the password is ever in what is told.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use berth_procedure::{GuestServer, Login, Secret};
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::Full;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::time::{self, Instant};

use crate::credential::{self, CredentialError};
use crate::https::{self, AGENT, Answer, CallError, Https};

const CLIENT: &str = "openshift-challenging-client";
const MAX_REDIRECTS: usize = 5;
/// A header without which the OAuth server does not challenge: a browser's form can't send it.
const CSRF: &str = "X-CSRF-Token";

/// How long a login is tried before the answer counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// While nothing answers: pods of the OAuth server may still be starting.
    pub(crate) unreached: Duration,
    /// While it is refused: a pod with the former configuration may still answer.
    pub(crate) refused: Duration,
    /// Between two attempts.
    pub(crate) pause: Duration,
}

/// Who logs in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) server: &'a GuestServer,
    pub(crate) provider: &'a str,
    pub(crate) user: &'a str,
    pub(crate) password: &'a Secret,
    pub(crate) is_admin: bool,
}

/// Why an attempt brought no login.
enum Failed {
    Refused(String),
    NotReached(String),
}

impl Patience {
    pub(crate) const USUAL: Self = Self {
        unreached: Duration::from_mins(1),
        refused: Duration::from_secs(20),
        pause: Duration::from_secs(2),
    };
}

/// Tries until it works, or patience ends.
pub(crate) async fn login(attempt: Attempt<'_>, patience: Patience) -> Login {
    let began = Instant::now();
    loop {
        let (ended, limit) = match once(&attempt).await {
            Ok(user) => return Login::Granted { user },
            Err(Failed::Refused(why)) => (Login::Refused { why }, patience.refused),
            Err(Failed::NotReached(why)) => (Login::NotReached { why }, patience.unreached),
        };
        if began.elapsed() + patience.pause > limit {
            return ended;
        }
        time::sleep(patience.pause).await;
    }
}

async fn once(attempt: &Attempt<'_>) -> Result<String, Failed> {
    let server = attempt.server;
    let client = https::client(&server.ca, None)?;
    let metadata = ask(
        &client,
        Method::GET,
        &format!("{}/.well-known/oauth-authorization-server", server.url),
        &[],
    )
    .await?;
    let endpoint = metadata.json()["authorization_endpoint"].as_str().map(str::to_owned);
    let Some(endpoint) = endpoint.filter(|_| metadata.status.is_success()) else {
        return Err(Failed::NotReached(format!(
            "the guest's API server names no OAuth server ({})",
            metadata.status
        )));
    };
    let token = token(&client, &endpoint, attempt).await?;
    let user = known(&client, attempt, &token).await;
    forget(&client, server, &token).await;
    user
}

/// The token that the OAuth server gives for the password.
async fn token(client: &Https, endpoint: &str, attempt: &Attempt<'_>) -> Result<Secret, Failed> {
    let mut url = format!("{endpoint}?response_type=token&client_id={CLIENT}");
    let csrf = (CSRF, "berth".to_owned());
    let challenge = ask(client, Method::GET, &url, std::slice::from_ref(&csrf)).await?;
    if challenge.status.is_server_error() {
        return Err(Failed::NotReached(format!(
            "the OAuth server answered {}",
            challenge.status
        )));
    }
    let offers = challenge.headers.get_all(header::WWW_AUTHENTICATE).iter();
    let mut offers = offers.filter_map(|offer| offer.to_str().ok());
    if !offers.any(|offer| offer.to_ascii_lowercase().starts_with("basic")) {
        return Err(Failed::Refused(format!(
            "the OAuth server asks for no password ({})",
            challenge.status
        )));
    }
    let credentials = STANDARD.encode(format!("{}:{}", attempt.user, attempt.password.reveal()));
    let first_host = host(&url);
    for _ in 0..=MAX_REDIRECTS {
        let mut headers = vec![csrf.clone()];
        // Whoever is redirected to another host does not take the password there.
        if host(&url) == first_host {
            headers.push(("Authorization", format!("Basic {credentials}")));
        }
        let answer = ask(client, Method::GET, &url, &headers).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            return Err(Failed::Refused("the password was not taken".to_owned()));
        }
        if answer.status.is_server_error() {
            return Err(Failed::NotReached(format!(
                "the OAuth server answered {}",
                answer.status
            )));
        }
        let location = answer
            .headers
            .get(header::LOCATION)
            .and_then(|value| value.to_str().ok());
        let Some(location) = location.filter(|_| answer.status.is_redirection()) else {
            return Err(Failed::Refused(format!(
                "the OAuth server gave no token ({})",
                answer.status
            )));
        };
        if let Some(token) = parameter(location, '#', "access_token") {
            return Ok(Secret::new(token));
        }
        if let Some(error) = parameter(location, '?', "error").or_else(|| parameter(location, '#', "error")) {
            return Err(Failed::Refused(format!("the OAuth server says {error}")));
        }
        url = resolved(&url, location)?;
    }
    Err(Failed::Refused("the OAuth server redirects too often".to_owned()))
}

/// The user as the API server knows it by the token.
async fn known(client: &Https, attempt: &Attempt<'_>, token: &Secret) -> Result<String, Failed> {
    let Attempt { server, provider, .. } = *attempt;
    let bearer = ("Authorization", format!("Bearer {}", token.reveal()));
    let url = format!("{}/apis/user.openshift.io/v1/users/~", server.url);
    let answer = ask(client, Method::GET, &url, &[bearer]).await?;
    if !answer.status.is_success() {
        return Err(Failed::Refused(format!(
            "the API server does not know the user by the token: {}",
            answer.told()
        )));
    }
    let user = answer.json();
    let name = user["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let identities: Vec<&str> = user["identities"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !identities
        .iter()
        .any(|identity| identity.split_once(':').is_some_and(|(of, _)| of == provider))
    {
        return Err(Failed::Refused(format!(
            "`{name}` was let in by another provider than {provider}"
        )));
    }
    if attempt.is_admin {
        match credential::may_do_everything(client, server, Some(token)).await {
            Ok(true) => {}
            Ok(false) => return Err(Failed::Refused(format!("`{name}` logs in, and is no cluster admin"))),
            Err(CredentialError::Call(error)) => return Err(error.into()),
            Err(error) => return Err(Failed::Refused(error.to_string())),
        }
    }
    Ok(name)
}

/// The token is in nobody's way if this fails: it ends by itself.
async fn forget(client: &Https, server: &GuestServer, token: &Secret) {
    let Some(random) = token.reveal().strip_prefix("sha256~") else {
        return;
    };
    let name = format!("sha256~{}", URL_SAFE_NO_PAD.encode(Sha256::digest(random)));
    let url = format!("{}/apis/oauth.openshift.io/v1/useroauthaccesstokens/{name}", server.url);
    let bearer = ("Authorization", format!("Bearer {}", token.reveal()));
    drop(ask(client, Method::DELETE, &url, &[bearer]).await);
}

async fn ask(client: &Https, method: Method, url: &str, headers: &[(&str, String)]) -> Result<Answer, CallError> {
    let bad = || CallError::BadUrl {
        url: without_query(url).to_owned(),
    };
    let uri: Uri = url.parse().map_err(|_| bad())?;
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header(header::USER_AGENT, AGENT)
        .header(header::ACCEPT, "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(Bytes::new())).map_err(|_| bad())?;
    https::call(client, request).await
}

/// A parameter behind `?` or `#`.
fn parameter(location: &str, mark: char, name: &str) -> Option<String> {
    let (_, parameters) = location.split_once(mark)?;
    let parameters = parameters.split('#').next()?;
    let pairs = parameters.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| decoded(value))
        .find(|value| !value.is_empty())
}

/// Percent-encoding, taken back.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        if let Some(byte) = escaped {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn resolved(from: &str, location: &str) -> Result<String, Failed> {
    if location.starts_with("https://") {
        return Ok(location.to_owned());
    }
    match (
        location.strip_prefix('/').filter(|rest| !rest.starts_with('/')),
        host(from),
    ) {
        (Some(_), Some(host)) => Ok(format!("https://{host}{location}")),
        _ => Err(Failed::Refused(format!(
            "the OAuth server redirects to {}",
            without_query(location)
        ))),
    }
}

fn host(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(uri.authority()?.to_string())
}

/// Tokens may be behind the path.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

impl From<CallError> for Failed {
    fn from(error: CallError) -> Self {
        Self::NotReached(crate::failure::chain(&error))
    }
}

#[cfg(test)]
mod tests;
