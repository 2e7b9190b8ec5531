//! `/oauth/authorize`: which client asks, who is asked, and the redirect that answers.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use serde_json::Value;

use super::users::{Known, Person};
use super::{
    Answer, KUBE_ADMIN, OAuthError, OAuthServer, Provider, ProviderKind, Result, Scope, Settings, htpasswd, page,
};
use crate::kind::{OAUTH_CLIENT, SECRET};
use crate::objects::uid;

/// Who may log in with the first password, in these words.
const KUBEADMIN: &str = "kubeadmin";
const FULL: &str = "user:full";

/// What a client asks for.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    client: Value,
    name: String,
    token: bool,
    redirect_uri: String,
    scopes: Vec<String>,
    state: Option<String>,
    /// Method and challenge of PKCE.
    challenge: Option<(String, String)>,
}

impl OAuthServer {
    pub(super) async fn authorize(&self, settings: &Settings, request: &Request<Bytes>) -> Result<Answer> {
        let query = request.uri().query().unwrap_or_default();
        let wish = self.wish(query).await?;
        if wish.client["respondWithChallenges"] != true {
            return Ok(super::login::choose(settings, self.has_first_password().await?, query));
        }
        let Some((user, password)) = basic(request) else {
            return self.challenge(settings, request).await;
        };
        match self.check_password(settings, &user, &password).await? {
            Ok(known) => self.grant(settings, &wish, known).await,
            Err(why) => {
                let refused = page::text(StatusCode::UNAUTHORIZED, &format!("{why}\n"));
                let refused = page::with(refused, header::WARNING, &warning(&why));
                Ok(page::with(refused, header::WWW_AUTHENTICATE, REALM))
            }
        }
    }

    /// Reads and checks what is asked for.
    pub(super) async fn wish(&self, query: &str) -> Result<Wish> {
        let given = fields(query.as_bytes());
        let text = |field: &str| given.get(field).map(String::as_str).unwrap_or_default();
        let refused = |code, why: &str| Err(OAuthError::Protocol(code, why.to_owned()));
        let name = text("client_id").to_owned();
        let Some(client) = self.0.guest.get(OAUTH_CLIENT, None, &name).await? else {
            return refused(
                "unauthorized_client",
                "The client is not authorized to request a token using this method.",
            );
        };
        let token = match text("response_type") {
            "token" => true,
            "code" => false,
            _ => {
                return refused(
                    "unsupported_response_type",
                    "The authorization server does not support obtaining a token using this method.",
                );
            }
        };
        let known: Vec<&str> = client["redirectURIs"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let redirect_uri = match (text("redirect_uri"), known.as_slice()) {
            ("", [first, ..]) => (*first).to_owned(),
            (given, known) if known.iter().any(|known| is_below(given, known)) => given.to_owned(),
            _ => return refused("invalid_request", "the redirect_uri is none of the client's"),
        };
        let challenge = match (text("code_challenge"), text("code_challenge_method")) {
            ("", _) => None,
            (challenge, "" | "plain") => Some(("plain".to_owned(), challenge.to_owned())),
            (challenge, "S256") => Some(("S256".to_owned(), challenge.to_owned())),
            _ => return refused("invalid_request", "code_challenge_method (rfc7636) is plain or S256"),
        };
        let scopes: Vec<String> = text("scope").split_whitespace().map(str::to_owned).collect();
        Ok(Wish {
            client,
            name,
            token,
            redirect_uri,
            scopes: if scopes.is_empty() {
                vec![FULL.to_owned()]
            } else {
                scopes
            },
            state: given.get("state").filter(|state| !state.is_empty()).cloned(),
            challenge,
        })
    }

    /// Tells a client how to say who it is for.
    async fn challenge(&self, settings: &Settings, request: &Request<Bytes>) -> Result<Answer> {
        let takes_passwords = self.has_first_password().await? || takes_passwords(settings).await;
        if !takes_passwords {
            let why = format!(
                "You must obtain an API token by visiting {}/oauth/token/request",
                self.url()
            );
            let refused = page::text(StatusCode::UNAUTHORIZED, &format!("{why}\n"));
            return Ok(page::with(refused, header::WARNING, &warning(&why)));
        }
        // A page in a browser can't set this header for another site: without it, it could try passwords from there.
        if request
            .headers()
            .get("x-csrf-token")
            .is_none_or(http::HeaderValue::is_empty)
        {
            let why = "A non-empty X-CSRF-Token header is required to receive basic-auth challenges";
            let refused = page::text(StatusCode::UNAUTHORIZED, &format!("{why}\n"));
            return Ok(page::with(refused, header::WARNING, &warning(why)));
        }
        let refused = page::text(StatusCode::UNAUTHORIZED, "");
        Ok(page::with(refused, header::WWW_AUTHENTICATE, REALM))
    }

    /// Asks every provider that takes passwords, in their order; or why none knows this one.
    pub(super) async fn check_password(
        &self,
        settings: &Settings,
        user: &str,
        password: &str,
    ) -> Result<Result<Known, String>> {
        if user == KUBEADMIN
            && let Some(known) = self.first_password(password).await?
        {
            return Ok(Ok(known));
        }
        let mut why = "the user or the password is wrong".to_owned();
        for provider in &settings.providers {
            match self.check_with(provider, user, password).await? {
                Ok(known) => return Ok(Ok(known)),
                Err(Some(problem)) => why = problem,
                Err(None) => {}
            }
        }
        Ok(Err(why))
    }

    /// Asks one provider; or why it can't say, if there is a reason besides the password.
    pub(super) async fn check_with(
        &self,
        provider: &Provider,
        user: &str,
        password: &str,
    ) -> Result<Result<Known, Option<String>>> {
        let person = match &provider.kind {
            ProviderKind::Htpasswd(users) => {
                let Some(hash) = users.get(user).cloned() else {
                    return Ok(Err(None));
                };
                let password = password.to_owned();
                let verified = tokio::task::spawn_blocking(move || htpasswd::verify(&password, &hash)).await;
                if !verified.unwrap_or(false) {
                    return Ok(Err(None));
                }
                Person {
                    id: user.to_owned(),
                    preferred: user.to_owned(),
                    ..Person::default()
                }
            }
            ProviderKind::OpenId(openid) => match openid.by_password(user, password).await {
                Ok(Some(person)) => person,
                Ok(None) => return Ok(Err(None)),
                Err(error) => return Ok(Err(Some(format!("provider {}: {error}", provider.name)))),
            },
            ProviderKind::Other(kind) => return Ok(Err(Some(not_played(&provider.name, kind)))),
        };
        match self.user_of(provider, &person).await {
            Ok(known) => Ok(Ok(known)),
            Err(OAuthError::Protocol(_, why)) => Ok(Err(Some(why))),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn has_first_password(&self) -> Result<bool> {
        Ok(self
            .0
            .guest
            .get(SECRET, Some("kube-system"), KUBEADMIN)
            .await?
            .is_some())
    }

    /// Checks the password that a guest has until a provider is set.
    pub(super) async fn first_password(&self, password: &str) -> Result<Option<Known>> {
        let Some(secret) = self.0.guest.get(SECRET, Some("kube-system"), KUBEADMIN).await? else {
            return Ok(None);
        };
        let hash = BASE64_STANDARD
            .decode(secret["data"][KUBEADMIN].as_str().unwrap_or_default())
            .unwrap_or_default();
        let (hash, password) = (String::from_utf8(hash).unwrap_or_default(), password.to_owned());
        let right = tokio::task::spawn_blocking(move || htpasswd::verify(&password, &hash)).await;
        Ok(right.unwrap_or(false).then(|| Known {
            name: KUBE_ADMIN.to_owned(),
            uid: uid(&secret).to_owned(),
        }))
    }

    /// Gives the client what it asked for, in its redirect.
    pub(super) async fn grant(&self, settings: &Settings, wish: &Wish, known: Known) -> Result<Answer> {
        let scope = Scope {
            client: wish.name.clone(),
            user: known.name,
            user_uid: known.uid,
            redirect_uri: wish.redirect_uri.clone(),
            scopes: wish.scopes.clone(),
        };
        let mut answer = Vec::new();
        if wish.token {
            let token = self.access_token(&scope, settings.token_life, None).await?;
            answer.push(("access_token", token));
            answer.push(("expires_in", settings.token_life.to_string()));
            answer.push(("scope", scope.scopes.join(" ")));
            answer.push(("token_type", "Bearer".to_owned()));
        } else {
            let challenge = wish
                .challenge
                .as_ref()
                .map(|(method, text)| (method.as_str(), text.as_str()));
            answer.push(("code", self.code(&scope, challenge).await?));
        }
        answer.extend(wish.state.clone().map(|state| ("state", state)));
        let answer = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(answer)
            .finish();
        // As Go escapes a query: a tilde, which every token has, stays, and scripts cut tokens out unread.
        let answer = answer.replace("%7E", "~");
        let separator = match (wish.token, wish.redirect_uri.contains('?')) {
            (true, _) => '#',
            (false, true) => '&',
            (false, false) => '?',
        };
        Ok(page::redirect(&format!("{}{separator}{answer}", wish.redirect_uri)))
    }
}

const REALM: &str = "Basic realm=\"openshift\"";

/// Why a provider's logins come to nothing here.
pub(super) fn not_played(name: &str, kind: &str) -> String {
    format!(
        "provider {name} is of type {kind}, which this lab sets up but does not play: nobody can log in with it here"
    )
}

async fn takes_passwords(settings: &Settings) -> bool {
    for provider in &settings.providers {
        match &provider.kind {
            ProviderKind::OpenId(openid) if !openid.takes_passwords().await => {}
            ProviderKind::Other(kind) if matches!(kind.as_str(), "GitHub" | "Google" | "RequestHeader") => {}
            _ => return true,
        }
    }
    false
}

/// A warning as clients print it.
fn warning(text: &str) -> String {
    let text: String = text.chars().filter(|character| !character.is_control()).collect();
    format!("199 OpenShift \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// User and password of a request.
pub(super) fn basic(request: &Request<Bytes>) -> Option<(String, String)> {
    let given = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let decoded = BASE64_STANDARD.decode(given.strip_prefix("Basic ")?.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// The fields of a query or a form.
pub(super) fn fields(encoded: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

/// Whether a redirect goes where a client's registered one goes, or below it. Of a loopback address any port is meant.
fn is_below(given: &str, known: &str) -> bool {
    for host in ["http://127.0.0.1", "http://[::1]"] {
        let Some(path) = known.strip_prefix(host).filter(|path| path.starts_with('/')) else {
            continue;
        };
        let given = given.strip_prefix(host).and_then(|rest| rest.strip_suffix(path));
        return given.is_some_and(|port| {
            port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
        });
    }
    let below = given.strip_prefix(known.trim_end_matches('/'));
    below.is_some_and(|rest| (rest.is_empty() || rest.starts_with('/')) && !rest.contains(".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_with_what_a_client_registered() {
        let known = "https://127.0.0.1:6444/oauth/token/implicit";
        assert!(is_below(known, known));
        assert!(is_below(&format!("{known}/more"), known));
        assert!(!is_below(&format!("{known}more"), known));
        assert!(!is_below(&format!("{known}/../x"), known));
        assert!(!is_below("https://elsewhere.test/oauth/token/implicit", known));
        let loopback = "http://127.0.0.1/callback";
        assert!(is_below("http://127.0.0.1:43210/callback", loopback));
        assert!(is_below("http://127.0.0.1/callback", loopback));
        assert!(!is_below("http://127.0.0.1:80.elsewhere.test/callback", loopback));
        assert!(!is_below("http://127.0.0.1:43210/other", loopback));
    }
}
