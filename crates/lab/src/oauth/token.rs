//! `/oauth/token`: a code for a token; and the pages on which people see one.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::authorize::{basic, fields};
use super::{Answer, OAuthError, OAuthServer, Result, page, tokens};
use crate::kind::OAUTH_CLIENT;

const BROWSER_CLIENT: &str = "openshift-browser-client";

impl OAuthServer {
    /// Exchanges a code.
    pub(super) async fn token(&self, request: &Request<Bytes>) -> Result<Answer> {
        let mut form = fields(request.body());
        if let Some((id, secret)) = basic(request) {
            form.insert("client_id".to_owned(), decoded(&id));
            form.insert("client_secret".to_owned(), decoded(&secret));
        }
        if form.get("grant_type").map(String::as_str) != Some("authorization_code") {
            return refused("unsupported_grant_type", "the grant_type is authorization_code here");
        }
        let (token, life, scopes) = self.exchange(&form).await?;
        let answer = json!({ "access_token": token, "expires_in": life, "scope": scopes, "token_type": "Bearer" });
        Ok(page::json(StatusCode::OK, &answer))
    }

    async fn exchange(&self, form: &BTreeMap<String, String>) -> Result<(String, i64, String)> {
        let text = |field: &str| form.get(field).map(String::as_str).unwrap_or_default();
        let client = self.0.guest.get(OAUTH_CLIENT, None, text("client_id")).await?;
        let client = client.filter(|client| match client["secret"].as_str().unwrap_or_default() {
            "" => true,
            secret => secret == text("client_secret"),
        });
        let Some(client) = client else {
            return refused(
                "unauthorized_client",
                "the client is not known, or its secret is another",
            );
        };
        let (object, scope) = self.take_code(text("code")).await?;
        if scope.client != text("client_id") {
            return refused("invalid_grant", "the code was given to another client");
        }
        if !text("redirect_uri").is_empty() && scope.redirect_uri != text("redirect_uri") {
            return refused("invalid_grant", "the code was given for another redirect_uri");
        }
        if !proves(&object, text("code_verifier")) {
            return refused(
                "invalid_grant",
                "code_verifier is not what the code_challenge was made from",
            );
        }
        let life = client["accessTokenMaxAgeSeconds"]
            .as_i64()
            .unwrap_or_else(|| self.token_life());
        let token = self.access_token(&scope, life, Some(text("code"))).await?;
        Ok((token, life, scope.scopes.join(" ")))
    }

    /// The page behind the browser's way: asks once more, then shows the token.
    pub(super) async fn display(&self, request: &Request<Bytes>) -> Result<Answer> {
        if request.method() == Method::GET {
            let query = fields(request.uri().query().unwrap_or_default().as_bytes());
            let code = query.get("code").map(String::as_str).unwrap_or_default();
            let body = format!(
                "<form method=\"post\" action=\"display\">\n\
                 <input type=\"hidden\" name=\"code\" value=\"{}\">\n\
                 <button type=\"submit\">Display Token</button>\n</form>\n",
                page::escaped(code)
            );
            return Ok(page::html(StatusCode::OK, "OAuth", &body));
        }
        let mut form = fields(request.body());
        let secret = self.0.guest.get(OAUTH_CLIENT, None, BROWSER_CLIENT).await?;
        let secret = secret.and_then(|client| client["secret"].as_str().map(str::to_owned));
        form.insert("client_id".to_owned(), BROWSER_CLIENT.to_owned());
        form.insert("client_secret".to_owned(), secret.unwrap_or_default());
        let (token, _, _) = self.exchange(&form).await?;
        let body = format!(
            "<h2>Your API token is</h2>\n<code>{token}</code>\n\
             <h2>Use this token directly against the API</h2>\n\
             <pre>kubectl --token={token} auth whoami</pre>\n\
             <p><a href=\"request\">Request another token</a></p>\n"
        );
        Ok(page::html(StatusCode::OK, "OAuth", &body))
    }

    fn token_life(&self) -> i64 {
        match &*self.mode() {
            super::Mode::Active(settings) => settings.token_life,
            _ => 0,
        }
    }
}

/// Where a client ends that takes the token out of the redirect itself.
pub(super) fn implicit() -> Answer {
    let text = "You have reached this page by following a redirect Location header from an OAuth authorize request.\n\n\
                The token is in the fragment of that header, which no server sees.\n";
    page::text(StatusCode::OK, text)
}

/// To where a browser begins.
pub(super) fn request(url: &str) -> Answer {
    let display = format!("{url}/oauth/token/display");
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", BROWSER_CLIENT)
        .append_pair("redirect_uri", &display)
        .append_pair("response_type", "code")
        .finish();
    page::redirect(&format!("{url}/oauth/authorize?{query}"))
}

/// Whether whoever has a code also has what its challenge was made from. A code without a challenge asks for nothing.
fn proves(code: &Value, verifier: &str) -> bool {
    match (code["codeChallengeMethod"].as_str(), code["codeChallenge"].as_str()) {
        (_, None | Some("")) => true,
        (Some("S256"), Some(challenge)) => tokens::encoded(&Sha256::digest(verifier)) == challenge,
        (_, Some(challenge)) => verifier == challenge,
    }
}

fn decoded(text: &str) -> String {
    let decoded = fields(format!("v={text}").as_bytes());
    decoded.get("v").cloned().unwrap_or_default()
}

fn refused<T>(code: &'static str, why: &str) -> Result<T> {
    Err(OAuthError::Protocol(code, why.to_owned()))
}
