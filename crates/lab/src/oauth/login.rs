//! A browser's way: the choice of a provider, the form for a password, the trip to an OpenID provider and back.
//!
//! No session is kept: each authorization asks anew.

use bytes::Bytes;
use http::{Request, StatusCode, header};
use jiff::Timestamp;

use super::authorize::{fields, not_played};
use super::{Answer, OAuthError, OAuthServer, Provider, ProviderKind, Result, Settings, page};

/// The provider of the first password, as its form is reached.
const FIRST: &str = "kube:admin";
/// How long somebody may be away, in seconds.
const PATIENCE: i64 = 600;
/// How many may be away at once; then the oldest is forgotten.
const MOST_AWAY: usize = 1000;

/// A login that went to an OpenID provider.
#[derive(Debug)]
pub(super) struct Away {
    provider: String,
    /// The query of the authorization that it is for.
    then: String,
    since: Timestamp,
}

/// Where a browser that asks for a token is sent: to the only provider, or to a choice.
pub(super) fn choose(settings: &Settings, first: bool, then: &str) -> Answer {
    let mut choices: Vec<String> = first.then(|| FIRST.to_owned()).into_iter().collect();
    choices.extend(settings.providers.iter().map(|provider| provider.name.clone()));
    let link = |name: &str| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("then", then)
            .finish();
        let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        format!("/login/{name}?{query}")
    };
    match choices.as_slice() {
        [] => page::html(
            StatusCode::FORBIDDEN,
            "Log in",
            "<p>This cluster has no identity provider.</p>\n",
        ),
        [only] => page::redirect(&link(only)),
        several => {
            let items: Vec<String> = several
                .iter()
                .map(|name| {
                    format!(
                        "<li><a href=\"{}\">{}</a></li>\n",
                        page::escaped(&link(name)),
                        page::escaped(name)
                    )
                })
                .collect();
            let body = format!("<p>Log in with:</p>\n<ul>\n{}</ul>\n", items.concat());
            page::html(StatusCode::OK, "Log in", &body)
        }
    }
}

impl OAuthServer {
    /// The form of a provider that takes passwords, or the redirect to one that has a page of its own.
    pub(super) async fn form(&self, settings: &Settings, name: &str, request: &Request<Bytes>) -> Result<Answer> {
        let query = fields(request.uri().query().unwrap_or_default().as_bytes());
        let then = query.get("then").cloned().unwrap_or_default();
        self.wish(&then).await?;
        let name = unescaped(name);
        if name == FIRST && self.has_first_password().await? {
            return Ok(self.password_form(&name, &then, ""));
        }
        let Some(provider) = settings.provider(&name) else {
            return Ok(page::not_found());
        };
        match &provider.kind {
            ProviderKind::Htpasswd(_) => Ok(self.password_form(&name, &then, "")),
            ProviderKind::OpenId(openid) => {
                let state = self.secret();
                let url = openid
                    .authorize_url(&self.callback(&name), &state)
                    .await
                    .map_err(|error| unreachable(&error))?;
                self.send_away(state, &name, &then);
                Ok(page::redirect(&url))
            }
            ProviderKind::Other(kind) => {
                let text = format!("<p>{}</p>\n", page::escaped(&not_played(&name, kind)));
                Ok(page::html(StatusCode::NOT_IMPLEMENTED, "Log in", &text))
            }
        }
    }

    /// A form that was filled in.
    pub(super) async fn log_in(&self, settings: &Settings, name: &str, request: &Request<Bytes>) -> Result<Answer> {
        let form = fields(request.body());
        let text = |field: &str| form.get(field).map(String::as_str).unwrap_or_default();
        let wish = self.wish(text("then")).await?;
        let name = unescaped(name);
        // Another site can have a browser send a form here, but can't know the cookie.
        let cookies = request.headers().get_all(header::COOKIE).iter();
        let mut cookies = cookies
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'));
        let cookie = cookies
            .find_map(|cookie| cookie.trim().strip_prefix("csrf="))
            .unwrap_or_default();
        if cookie.is_empty() || cookie != text("csrf") {
            return Ok(self.password_form(&name, text("then"), "The form was too old. Try again."));
        }
        let (user, password) = (text("username"), text("password"));
        let known = match settings.provider(&name) {
            _ if name == FIRST => self
                .first_password(password)
                .await?
                .filter(|_| user == "kubeadmin")
                .ok_or(None),
            Some(provider) => self.check_with(provider, user, password).await?,
            None => return Ok(page::not_found()),
        };
        match known {
            Ok(known) => self.grant(settings, &wish, known).await,
            Err(why) => {
                let why = why.unwrap_or_else(|| "Login failed: the user or the password is wrong.".to_owned());
                Ok(self.password_form(&name, text("then"), &why))
            }
        }
    }

    /// Somebody comes back from an OpenID provider.
    pub(super) async fn come_back(&self, settings: &Settings, name: &str, request: &Request<Bytes>) -> Result<Answer> {
        let query = fields(request.uri().query().unwrap_or_default().as_bytes());
        let text = |field: &str| query.get(field).map(String::as_str).unwrap_or_default();
        let name = unescaped(name);
        let Some(away) = self.is_back(text("state")).filter(|away| away.provider == name) else {
            return denied("nobody is awaited with this state: the login was too slow, or somebody else's");
        };
        let Some(Provider {
            kind: ProviderKind::OpenId(openid),
            ..
        }) = settings.provider(&name)
        else {
            return denied("the provider is gone");
        };
        if !text("error").is_empty() {
            return denied(&format!(
                "the provider said {}: {}",
                text("error"),
                text("error_description")
            ));
        }
        let person = openid
            .by_code(text("code"), &self.callback(&name))
            .await
            .map_err(|error| unreachable(&error))?;
        let provider = settings
            .provider(&name)
            .ok_or_else(|| OAuthError::Protocol("server_error", String::new()))?;
        let known = self.user_of(provider, &person).await?;
        let wish = self.wish(&away.then).await?;
        self.grant(settings, &wish, known).await
    }

    fn password_form(&self, provider: &str, then: &str, problem: &str) -> Answer {
        let csrf = self.secret();
        let body = format!(
            "<p>{}</p>\n<form method=\"post\">\n\
             <input type=\"hidden\" name=\"then\" value=\"{}\">\n\
             <input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\n\
             <label>Username <input name=\"username\" autofocus></label>\n\
             <label>Password <input type=\"password\" name=\"password\"></label>\n\
             <button type=\"submit\">Log in with {}</button>\n</form>\n",
            page::escaped(problem),
            page::escaped(then),
            page::escaped(provider),
        );
        let status = if problem.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNAUTHORIZED
        };
        let answer = page::html(status, "Log in", &body);
        page::with(
            answer,
            header::SET_COOKIE,
            &format!("csrf={csrf}; Path=/; HttpOnly; Secure; SameSite=Lax"),
        )
    }

    fn callback(&self, provider: &str) -> String {
        let provider: String = form_urlencoded::byte_serialize(provider.as_bytes()).collect();
        format!("{}/oauth2callback/{provider}", self.url())
    }

    fn send_away(&self, state: String, provider: &str, then: &str) {
        let mut away = self.0.away.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = self.now();
        away.retain(|_, login| now.as_second() - login.since.as_second() < PATIENCE);
        if away.len() >= MOST_AWAY {
            let oldest = away
                .iter()
                .min_by_key(|(_, login)| login.since)
                .map(|(state, _)| state.clone());
            oldest.map(|state| away.remove(&state));
        }
        let login = Away {
            provider: provider.to_owned(),
            then: then.to_owned(),
            since: now,
        };
        away.insert(state, login);
    }

    fn is_back(&self, state: &str) -> Option<Away> {
        let mut away = self.0.away.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let login = away.remove(state)?;
        (self.now().as_second() - login.since.as_second() < PATIENCE).then_some(login)
    }
}

fn unescaped(segment: &str) -> String {
    let decoded = fields(format!("v={segment}").as_bytes());
    decoded.get("v").cloned().unwrap_or_default()
}

fn denied(why: &str) -> Result<Answer> {
    Err(OAuthError::Protocol("access_denied", why.to_owned()))
}

fn unreachable(error: &super::openid::OpenIdError) -> OAuthError {
    OAuthError::Protocol("access_denied", error.to_string())
}
