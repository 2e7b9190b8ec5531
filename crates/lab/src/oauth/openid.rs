//! A client of an OpenID provider: discovery, a code or a password for an ID token, and what that says.
//!
//! The ID token's signature is not verified: it comes from the token endpoint itself, over TLS, which OpenID Connect lets
//! stand in for it (Core 1.0, 3.1.3.7), and which is what OpenShift relies on.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::users::Person;

/// How long a provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long an answer may be.
const LIMIT: usize = 1 << 20;

/// A provider, as the guest is a client of it.
pub(crate) struct OpenId {
    issuer: String,
    client_id: String,
    client_secret: String,
    ca: Option<String>,
    scopes: String,
    claims: Claims,
    extra: Vec<(String, String)>,
    /// Whether it takes passwords, once it was asked.
    passwords: OnceCell<bool>,
}

/// Which claims say what, in the order in which they are looked for.
#[derive(Debug, PartialEq)]
struct Claims {
    preferred: Vec<String>,
    name: Vec<String>,
    email: Vec<String>,
    groups: Vec<String>,
}

/// Why a provider does not say who somebody is.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenIdError {
    #[error("the issuer {0} can't be reached: {1}")]
    Unreachable(String, String),
    #[error("the provider answered {1} to {0}")]
    Refused(String, String),
    #[error("what the provider answered is not what OpenID says: {0}")]
    Odd(String),
}

type Result<T, E = OpenIdError> = std::result::Result<T, E>;

/// The endpoints of a provider.
struct Endpoints {
    authorize: String,
    token: String,
    user_info: Option<String>,
}

impl OpenId {
    /// From `openID` of a provider, with its client secret and CA.
    pub(super) fn new(openid: &Value, client_secret: String, ca: Option<String>) -> Self {
        let text = |field: &str| openid[field].as_str().unwrap_or_default().to_owned();
        let claims = |field: &str, default: &[&str]| {
            let given: Vec<String> = texts(&openid["claims"][field]);
            if given.is_empty() {
                default.iter().map(|claim| (*claim).to_owned()).collect()
            } else {
                given
            }
        };
        let mut scopes = vec!["openid".to_owned()];
        scopes.extend(
            texts(&openid["extraScopes"])
                .into_iter()
                .filter(|scope| scope != "openid"),
        );
        let extra = openid["extraAuthorizeParameters"].as_object().into_iter().flatten();
        Self {
            issuer: text("issuer").trim_end_matches('/').to_owned(),
            client_id: text("clientID"),
            client_secret,
            ca,
            scopes: scopes.join(" "),
            claims: Claims {
                preferred: claims("preferredUsername", &["preferred_username"]),
                name: claims("name", &["name"]),
                email: claims("email", &["email"]),
                groups: claims("groups", &[]),
            },
            extra: extra
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            passwords: OnceCell::new(),
        }
    }

    /// Where a browser logs in.
    pub(super) async fn authorize_url(&self, redirect_uri: &str, state: &str) -> Result<String> {
        let endpoint = self.discover().await?.authorize;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.extra);
        query.append_pair("client_id", &self.client_id);
        query.append_pair("redirect_uri", redirect_uri);
        query.append_pair("response_type", "code");
        query.append_pair("scope", &self.scopes);
        query.append_pair("state", state);
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{separator}{}", query.finish()))
    }

    /// Who a code is for.
    pub(super) async fn by_code(&self, code: &str, redirect_uri: &str) -> Result<Person> {
        let endpoints = self.discover().await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
        ];
        match self.grant(&endpoints, &form).await? {
            Ok(granted) => self.person(&endpoints, &granted).await,
            Err(error) => Err(OpenIdError::Refused(endpoints.token, error)),
        }
    }

    /// Who a password is for; nobody, where the provider does not know it.
    pub(super) async fn by_password(&self, user: &str, password: &str) -> Result<Option<Person>> {
        let endpoints = self.discover().await?;
        match self.password_grant(&endpoints, user, password).await? {
            Ok(granted) => self.person(&endpoints, &granted).await.map(Some),
            Err(error) if error == "invalid_grant" => Ok(None),
            Err(error) => Err(OpenIdError::Refused(endpoints.token, error)),
        }
    }

    /// Whether it takes passwords: found out as OpenShift does, by one that can't be right. Asked once.
    pub(super) async fn takes_passwords(&self) -> bool {
        let ask = || async {
            let endpoints = self.discover().await?;
            let answer = self.password_grant(&endpoints, "test", "test").await?;
            Ok::<bool, OpenIdError>(match answer {
                Ok(_) => true,
                Err(error) => error == "invalid_grant",
            })
        };
        self.passwords.get_or_try_init(ask).await.copied().unwrap_or(false)
    }

    async fn password_grant(&self, endpoints: &Endpoints, user: &str, password: &str) -> Result<Result<Value, String>> {
        let form = [
            ("grant_type", "password"),
            ("username", user),
            ("password", password),
            ("scope", &self.scopes),
        ];
        self.grant(endpoints, &form).await
    }

    async fn discover(&self) -> Result<Endpoints> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        let request = Request::get(&url).body(Full::default());
        let (status, found) = self.ask(request.map_err(|error| self.unreachable(&error))?).await?;
        if status != 200 {
            return Err(OpenIdError::Refused(url, status.to_string()));
        }
        let text = |field: &str| found[field].as_str().map(str::to_owned);
        let missing = |field: &str| OpenIdError::Odd(format!("{url} has no {field}"));
        if text("issuer").is_none_or(|issuer| issuer.trim_end_matches('/') != self.issuer) {
            return Err(OpenIdError::Odd(format!(
                "{url} is of another issuer: {}",
                found["issuer"]
            )));
        }
        Ok(Endpoints {
            authorize: text("authorization_endpoint").ok_or_else(|| missing("authorization_endpoint"))?,
            token: text("token_endpoint").ok_or_else(|| missing("token_endpoint"))?,
            user_info: text("userinfo_endpoint"),
        })
    }

    /// What the token endpoint grants, or the code of its refusal.
    async fn grant(&self, endpoints: &Endpoints, form: &[(&str, &str)]) -> Result<Result<Value, String>> {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", &self.client_secret)
            .finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(&endpoints.token)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Full::new(Bytes::from(body)));
        let (status, answer) = self.ask(request.map_err(|error| self.unreachable(&error))?).await?;
        Ok(match answer["error"].as_str() {
            None if status == 200 => Ok(answer),
            None => Err(status.to_string()),
            Some(error) => Err(error.to_owned()),
        })
    }

    /// Reads the ID token, and what the provider says besides.
    async fn person(&self, endpoints: &Endpoints, granted: &Value) -> Result<Person> {
        let odd = |what: &str| OpenIdError::Odd(what.to_owned());
        let token = granted["id_token"]
            .as_str()
            .ok_or_else(|| odd("there is no id_token"))?;
        let payload = token.split('.').nth(1).ok_or_else(|| odd("the id_token is no JWT"))?;
        let payload = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok();
        let mut claims: Value = payload
            .and_then(|payload| serde_json::from_slice(&payload).ok())
            .ok_or_else(|| odd("the id_token can't be read"))?;
        let id = claims["sub"]
            .as_str()
            .filter(|id| !id.is_empty())
            .ok_or_else(|| odd("the id_token has no sub"))?
            .to_owned();
        if let (Some(url), Some(access)) = (&endpoints.user_info, granted["access_token"].as_str()) {
            let request = Request::get(url)
                .header(header::AUTHORIZATION, format!("Bearer {access}"))
                .body(Full::default());
            let (status, more) = self.ask(request.map_err(|error| self.unreachable(&error))?).await?;
            if status != 200 || more["sub"] != id.as_str() {
                return Err(odd("the user info is somebody else's"));
            }
            for (name, value) in more.as_object().into_iter().flatten() {
                claims[name] = value.clone();
            }
        }
        let first = |names: &[String]| {
            let found = names.iter().filter_map(|name| claims[name].as_str());
            found
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or_default()
                .to_owned()
        };
        let groups = self
            .claims
            .groups
            .iter()
            .map(|name| texts(&claims[name]))
            .find(|groups| !groups.is_empty());
        Ok(Person {
            preferred: first(&self.claims.preferred),
            name: first(&self.claims.name),
            email: first(&self.claims.email),
            groups: (!self.claims.groups.is_empty()).then(|| groups.unwrap_or_default()),
            id,
        })
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<(u16, Value)> {
        let exchange = async {
            let response = self
                .client()?
                .request(request)
                .await
                .map_err(|error| self.unreachable(&error))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LIMIT).collect().await;
            let body = body
                .map_err(|error| OpenIdError::Unreachable(self.issuer.clone(), error.to_string()))?
                .to_bytes();
            Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
        };
        let slow = || OpenIdError::Unreachable(self.issuer.clone(), "it takes too long to answer".to_owned());
        tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| slow())?
    }

    /// A client that trusts the provider's CA, or else what this machine trusts. Made for each login: logins are rare.
    fn client(&self) -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>> {
        let mut roots = RootCertStore::empty();
        match &self.ca {
            Some(ca) => {
                for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
                    let certificate = certificate.map_err(|error| self.unreachable(&error))?;
                    roots.add(certificate).map_err(|error| self.unreachable(&error))?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| self.unreachable(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .build();
        Ok(Client::builder(TokioExecutor::new()).build(connector))
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> OpenIdError {
        OpenIdError::Unreachable(self.issuer.clone(), crate::guests::chain(error))
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        other => other
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    }
}

impl PartialEq for OpenId {
    fn eq(&self, other: &Self) -> bool {
        // What was found out of it is no part of what it is.
        let Self {
            issuer,
            client_id,
            client_secret,
            ca,
            scopes,
            claims,
            extra,
            passwords: _,
        } = self;
        *issuer == other.issuer
            && *client_id == other.client_id
            && *client_secret == other.client_secret
            && *ca == other.ca
            && *scopes == other.scopes
            && *claims == other.claims
            && *extra == other.extra
    }
}
