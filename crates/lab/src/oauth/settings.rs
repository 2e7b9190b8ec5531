//! Which identity providers a guest has: `spec.configuration.oauth` of its control plane, with the Secrets and ConfigMaps
//! that were copied beside it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::openid::OpenId;
use crate::client::{Client, Result};
use crate::kind::{CONFIG_MAP, Kind, SECRET};

/// What a roll-out of the OAuth server brings.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Settings {
    pub(crate) providers: Vec<Provider>,
    /// How long a token is good, in seconds.
    pub(crate) token_life: i64,
}

/// An identity provider.
#[derive(Debug, PartialEq)]
pub(crate) struct Provider {
    pub(crate) name: String,
    /// `claim`, `lookup`, `generate` or `add`.
    pub(crate) mapping: String,
    pub(crate) kind: ProviderKind,
}

/// What asks a provider who somebody is.
pub(crate) enum ProviderKind {
    /// Hashes by user name.
    Htpasswd(BTreeMap<String, String>),
    OpenId(Box<OpenId>),
    /// A kind that is not played.
    Other(String),
}

/// A day, upstream's default.
const TOKEN_LIFE: i64 = 86_400;

impl Settings {
    /// Reads them from a control plane's namespace; an error names the object that is missing or has not what it should.
    pub(crate) async fn read(client: &Client, control_plane: &Value) -> Result<std::result::Result<Self, String>> {
        let oauth = &control_plane["spec"]["configuration"]["oauth"];
        let namespace = control_plane["metadata"]["namespace"].as_str().unwrap_or_default();
        let mut providers = Vec::new();
        for provider in oauth["identityProviders"].as_array().into_iter().flatten() {
            match kind(client, namespace, provider).await? {
                Ok(kind) => providers.push(Provider {
                    name: text(&provider["name"]).to_owned(),
                    mapping: provider["mappingMethod"].as_str().unwrap_or("claim").to_owned(),
                    kind,
                }),
                Err(problem) => return Ok(Err(problem)),
            }
        }
        let life = oauth["tokenConfig"]["accessTokenMaxAgeSeconds"].as_i64();
        Ok(Ok(Self {
            providers,
            token_life: life.filter(|life| *life > 0).unwrap_or(TOKEN_LIFE),
        }))
    }

    pub(super) fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name == name)
    }
}

async fn kind(client: &Client, namespace: &str, provider: &Value) -> Result<std::result::Result<ProviderKind, String>> {
    Ok(match text(&provider["type"]) {
        "HTPasswd" => {
            let name = text(&provider["htpasswd"]["fileData"]["name"]);
            entry(client, SECRET, namespace, name, "htpasswd")
                .await?
                .map(|file| ProviderKind::Htpasswd(super::htpasswd::users(&file)))
        }
        "OpenID" => {
            let openid = &provider["openID"];
            let secret = entry(
                client,
                SECRET,
                namespace,
                text(&openid["clientSecret"]["name"]),
                "clientSecret",
            )
            .await?;
            let ca = match text(&openid["ca"]["name"]) {
                "" => Ok(None),
                name => entry(client, CONFIG_MAP, namespace, name, "ca.crt").await?.map(Some),
            };
            secret.and_then(|secret| Ok(ProviderKind::OpenId(Box::new(OpenId::new(openid, secret, ca?)))))
        }
        other => Ok(ProviderKind::Other(other.to_owned())),
    })
}

/// An entry of a Secret or ConfigMap.
async fn entry(
    client: &Client,
    kind: Kind,
    namespace: &str,
    name: &str,
    key: &str,
) -> Result<std::result::Result<String, String>> {
    let Some(object) = client.get(kind, Some(namespace), name).await? else {
        return Ok(Err(format!("{} {namespace}/{name} not found", kind.kind)));
    };
    let missing = || format!("{} {namespace}/{name} has no key {key}", kind.kind);
    let Some(value) = object["data"][key].as_str() else {
        return Ok(Err(missing()));
    };
    if kind != SECRET {
        return Ok(Ok(value.to_owned()));
    }
    let bytes = BASE64_STANDARD.decode(value).unwrap_or_default();
    Ok(String::from_utf8(bytes).map_err(|_| missing()))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl PartialEq for ProviderKind {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Htpasswd(one), Self::Htpasswd(other)) => one == other,
            (Self::OpenId(one), Self::OpenId(other)) => one == other,
            (Self::Other(one), Self::Other(other)) => one == other,
            _ => false,
        }
    }
}

impl std::fmt::Debug for ProviderKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Hashes and client secrets are nobody's business.
        f.write_str(match self {
            Self::Htpasswd(_) => "HTPasswd",
            Self::OpenId(_) => "OpenID",
            Self::Other(kind) => kind,
        })
    }
}
