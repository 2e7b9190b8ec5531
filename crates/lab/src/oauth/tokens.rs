//! Tokens and codes as objects of the guest: named by their hash, so that whoever reads the objects can't use them.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use berth_apiserver::{Identity, Objects};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{OAuthError, OAuthServer, Result};
use crate::client::name_of;
use crate::kind::{GROUP, OAUTH_ACCESS_TOKEN, OAUTH_AUTHORIZE_TOKEN, SECRET, USER};

/// The user that the first password of a guest is for. It has no object.
pub(crate) const KUBE_ADMIN: &str = "kube:admin";
/// The group that makes it what it is.
const CLUSTER_ADMINS: &str = "system:cluster-admins";

const PREFIX: &str = "sha256~";
/// How long a code is good, in seconds.
const CODE_LIFE: i64 = 300;

/// For whom, for which client, for how much a token is.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) client: String,
    pub(crate) user: String,
    pub(crate) user_uid: String,
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Vec<String>,
}

impl OAuthServer {
    /// Makes an access token, and gives it out this one time.
    pub(super) async fn access_token(&self, scope: &Scope, life: i64, code: Option<&str>) -> Result<String> {
        let token = self.secret();
        let mut object = object(&token, scope, life);
        if let Some(code) = code {
            object["authorizeToken"] = name_of_token(code).into();
        }
        self.0.guest.create(OAUTH_ACCESS_TOKEN, &object).await?;
        Ok(format!("{PREFIX}{token}"))
    }

    /// Makes a code that a client exchanges for a token.
    pub(super) async fn code(&self, scope: &Scope, challenge: Option<(&str, &str)>) -> Result<String> {
        let code = self.secret();
        let mut object = object(&code, scope, CODE_LIFE);
        if let Some((method, challenge)) = challenge {
            object["codeChallenge"] = challenge.into();
            object["codeChallengeMethod"] = method.into();
        }
        self.0.guest.create(OAUTH_AUTHORIZE_TOKEN, &object).await?;
        Ok(format!("{PREFIX}{code}"))
    }

    /// Takes a code, which is good once.
    pub(super) async fn take_code(&self, code: &str) -> Result<(Value, Scope)> {
        let refused = || OAuthError::Protocol("invalid_grant", "the code is not known, or was used".to_owned());
        let name = name_of_token(code);
        let object = self
            .0
            .guest
            .get(OAUTH_AUTHORIZE_TOKEN, None, &name)
            .await?
            .ok_or_else(refused)?;
        if !self.0.guest.delete(OAUTH_AUTHORIZE_TOKEN, None, &name).await? || has_ended(&object, self.now()) {
            return Err(refused());
        }
        let text = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
        let scopes = object["scopes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let scope = Scope {
            client: text("clientName"),
            user: text("userName"),
            user_uid: text("userUID"),
            redirect_uri: text("redirectURI"),
            scopes: scopes.map(str::to_owned).collect(),
        };
        Ok((object, scope))
    }
}

fn object(token: &str, scope: &Scope, life: i64) -> Value {
    json!({
        "metadata": { "name": name_of_token(token) },
        "clientName": scope.client,
        "expiresIn": life,
        "redirectURI": scope.redirect_uri,
        "scopes": scope.scopes,
        "userName": scope.user,
        "userUID": scope.user_uid,
    })
}

/// Whose an access token is, as the guest's API server asks it. No longer than it is good; for a user who is still there
/// and still the same.
pub(crate) fn identify(objects: &Objects<'_>, token: &str, now: Timestamp) -> Option<Identity> {
    if !token.starts_with(PREFIX) {
        return None;
    }
    let object = objects.get(
        OAUTH_ACCESS_TOKEN.group,
        OAUTH_ACCESS_TOKEN.plural,
        None,
        &name_of_token(token),
    )?;
    if has_ended(&object, now) {
        return None;
    }
    let (user, uid) = (object["userName"].as_str()?, object["userUID"].as_str()?);
    let mut groups = vec!["system:authenticated:oauth".to_owned()];
    if user == KUBE_ADMIN {
        let secret = objects.get(SECRET.group, SECRET.plural, Some("kube-system"), "kubeadmin")?;
        (secret["metadata"]["uid"] == uid).then_some(())?;
        groups.push(CLUSTER_ADMINS.to_owned());
    } else {
        let found = objects.get(USER.group, USER.plural, None, user)?;
        (found["metadata"]["uid"] == uid).then_some(())?;
        let all = objects.list(GROUP.group, GROUP.plural, None);
        let member = |group: &&Value| {
            group["users"]
                .as_array()
                .is_some_and(|users| users.iter().any(|name| name == user))
        };
        groups.extend(all.iter().filter(member).map(|group| name_of(group).to_owned()));
    }
    let scopes = object["scopes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let mut identity = Identity::new(user, groups);
    uid.clone_into(&mut identity.uid);
    identity.extra.insert(
        "scopes.authorization.openshift.io".to_owned(),
        scopes.map(str::to_owned).collect(),
    );
    Some(identity)
}

fn has_ended(object: &Value, now: Timestamp) -> bool {
    let made: Option<Timestamp> = object["metadata"]["creationTimestamp"]
        .as_str()
        .and_then(|made| made.parse().ok());
    let life = object["expiresIn"].as_i64().unwrap_or(0);
    // Nought is for ever.
    life > 0 && made.is_none_or(|made| now.as_second() > made.as_second().saturating_add(life))
}

/// What the object of a token is called, with or without the prefix that clients see.
pub(super) fn name_of_token(token: &str) -> String {
    let secret = token.strip_prefix(PREFIX).unwrap_or(token);
    format!("{PREFIX}{}", encoded(&Sha256::digest(secret)))
}

/// Bytes as text that may stand in a URL.
pub(super) fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
