//! A guest's OAuth server: logins for real, as `oauth-openshift` does them, for htpasswd files, OpenID providers and the
//! first password of `kubeadmin`. Other kinds of providers are not played, and their logins say so.
//!
//! ```text
//! settings    which providers there are: what the control plane's roll-out brought last
//! listen      the socket, in a lab that people reach; in a simulation requests are answered in process
//! authorize   /oauth/authorize: who asks (a challenge or a form), and a token or a code for whoever it is
//! token       /oauth/token and the pages that show a token
//! login       the form, and the way to an OpenID provider and back
//! htpasswd, openid   what providers say of a password or a code
//! users       from an identity to a user, in objects of the guest
//! tokens      tokens and codes, in objects of the guest; what the guest's API server reads of them
//! ```
//!
//! The guest's API server accepts the tokens: `guests/extension.rs`.

mod authorize;
mod htpasswd;
mod listen;
mod login;
mod openid;
mod page;
mod settings;
mod token;
mod tokens;
mod users;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use berth_apiserver::{Clock, Random};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::client::{self, Client};

pub(crate) use listen::listen;
pub(crate) use settings::{Provider, ProviderKind, Settings};
pub(crate) use tokens::{KUBE_ADMIN, Scope, identify};

/// The port that is tried first, on the address of the guest's API server.
pub(crate) const PORT: u16 = 6444;

/// The OAuth server of a guest. Clones are the same server.
#[derive(Clone)]
pub(crate) struct OAuthServer(Arc<Inner>);

/// An OAuth server that this does not keep alive.
#[derive(Clone)]
pub(crate) struct WeakOAuthServer(Weak<Inner>);

impl WeakOAuthServer {
    pub(crate) fn upgrade(&self) -> Option<OAuthServer> {
        self.0.upgrade().map(OAuthServer)
    }
}

struct Inner {
    guest: Client,
    url: String,
    clock: Clock,
    random: Random,
    mode: Mutex<Mode>,
    /// Logins that went to an OpenID provider and are not back yet, by what they are known by there.
    away: Mutex<BTreeMap<String, login::Away>>,
}

/// Whether it answers, and for whom.
#[derive(Clone, Debug, Default)]
enum Mode {
    /// Nothing was rolled out yet.
    #[default]
    Starting,
    /// Another issuer's tokens are used in its place.
    Off,
    Active(Arc<Settings>),
}

/// Why a request is not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OAuthError {
    /// The guest's API server refused something.
    #[error("the guest's API server refused: {0}")]
    Guest(#[from] client::Error),
    /// In the terms of OAuth: a code that clients know, and why.
    #[error("{1}")]
    Protocol(&'static str, String),
}

type Result<T, E = OAuthError> = std::result::Result<T, E>;
type Answer = Response<Bytes>;

impl OAuthServer {
    pub(crate) fn new(guest: kube::Client, url: String, clock: Clock, random: Random) -> Self {
        Self(Arc::new(Inner {
            guest: Client::new(guest, "oauth-server"),
            url,
            clock,
            random,
            mode: Mutex::default(),
            away: Mutex::default(),
        }))
    }

    /// The server as long as somebody else holds it: what the guest's API server keeps of it, which the server is a client
    /// of itself.
    pub(crate) fn downgrade(&self) -> WeakOAuthServer {
        WeakOAuthServer(Arc::downgrade(&self.0))
    }

    /// `https://host:port` of the server.
    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    /// What a roll-out brought. The same again changes nothing.
    pub(crate) fn configure(&self, settings: Settings) {
        let mut mode = self.mode();
        if !matches!(&*mode, Mode::Active(active) if **active == settings) {
            *mode = Mode::Active(Arc::new(settings));
        }
    }

    /// Ends it: the guest trusts another issuer.
    pub(crate) fn switch_off(&self) {
        *self.mode() = Mode::Off;
    }

    /// What `/.well-known/oauth-authorization-server` says, here and on the guest's API server; nothing once it is off.
    pub(crate) fn metadata(&self) -> Option<Value> {
        let url = self.url();
        if matches!(*self.mode(), Mode::Off) {
            return None;
        }
        Some(json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/oauth/authorize"),
            "token_endpoint": format!("{url}/oauth/token"),
            "scopes_supported": ["user:check-access", "user:full", "user:info", "user:list-projects", "user:list-scoped-projects"],
            "response_types_supported": ["code", "token"],
            "grant_types_supported": ["authorization_code", "implicit"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }))
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, request: Request<Bytes>) -> Answer {
        let answer = self.route(&request).await;
        answer.unwrap_or_else(|error| match error {
            OAuthError::Protocol(code, why) => {
                let status = match code {
                    "access_denied" => StatusCode::UNAUTHORIZED,
                    "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
                    _ => StatusCode::BAD_REQUEST,
                };
                page::json(status, &json!({ "error": code, "error_description": why }))
            }
            OAuthError::Guest(error) => {
                tracing::warn!(%error, "a guest's API server refused its OAuth server");
                page::text(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the guest's API server refused; try again\n",
                )
            }
        })
    }

    async fn route(&self, request: &Request<Bytes>) -> Result<Answer> {
        let path: Vec<&str> = request
            .uri()
            .path()
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        let (get, post) = (request.method() == Method::GET, request.method() == Method::POST);
        match path.as_slice() {
            ["healthz"] => return Ok(page::text(StatusCode::OK, "ok")),
            [".well-known", "oauth-authorization-server"] => {
                return Ok(match self.metadata() {
                    Some(metadata) => page::json(StatusCode::OK, &metadata),
                    None => page::not_found(),
                });
            }
            _ => {}
        }
        let mode = self.mode().clone();
        let settings = match mode {
            Mode::Active(settings) => settings,
            Mode::Off => return Ok(page::not_found()),
            Mode::Starting => {
                return Ok(page::text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the OAuth server is rolling out (lab)\n",
                ));
            }
        };
        match path.as_slice() {
            ["oauth", "authorize"] if get => self.authorize(&settings, request).await,
            ["oauth", "token"] if post => self.token(request).await,
            ["oauth", "token", "implicit"] if get => Ok(token::implicit()),
            ["oauth", "token", "request"] if get => Ok(token::request(self.url())),
            ["oauth", "token", "display"] if get || post => self.display(request).await,
            ["login", provider] if get => self.form(&settings, provider, request).await,
            ["login", provider] if post => self.log_in(&settings, provider, request).await,
            ["oauth2callback", provider] if get => self.come_back(&settings, provider, request).await,
            _ => Ok(page::not_found()),
        }
    }

    fn mode(&self) -> MutexGuard<'_, Mode> {
        self.0.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> jiff::Timestamp {
        (self.0.clock)()
    }

    /// Random text that can be part of a URL.
    fn secret(&self) -> String {
        tokens::encoded(&self.0.random.bytes(32))
    }
}

impl std::fmt::Debug for OAuthServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OAuthServer")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
