//! From what a provider says of somebody to a user of the guest: Identity, User, Group.

use serde_json::{Value, json};

use super::{OAuthError, OAuthServer, Provider, Result};
use crate::client::name_of;
use crate::kind::{GROUP, IDENTITY, USER};
use crate::objects::uid;

/// What a provider says of somebody.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    /// What never changes.
    pub(super) id: String,
    /// What they would like to be called.
    pub(super) preferred: String,
    pub(super) name: String,
    pub(super) email: String,
    /// `None` where the provider was not asked for groups.
    pub(super) groups: Option<Vec<String>>,
}

/// A user, as a token names one.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) uid: String,
}

impl OAuthServer {
    /// The user that somebody is. One who comes for the first time becomes a user as the provider's mapping says.
    pub(super) async fn user_of(&self, provider: &Provider, person: &Person) -> Result<Known> {
        let guest = &self.0.guest;
        let identity = format!("{}:{}", provider.name, person.id);
        let known = match guest.get(IDENTITY, None, &identity).await? {
            Some(found) => self.mapped(&found).await?,
            None => None,
        };
        let user = match known {
            Some(user) => user,
            None => self.map(provider, person, &identity).await?,
        };
        if let Some(groups) = &person.groups {
            self.join(provider, name_of(&user), groups).await?;
        }
        Ok(Known {
            name: name_of(&user).to_owned(),
            uid: uid(&user).to_owned(),
        })
    }

    /// The user of an identity, if there is one that knows of it.
    async fn mapped(&self, identity: &Value) -> Result<Option<Value>> {
        let name = identity["user"]["name"].as_str().unwrap_or_default();
        let user = self.0.guest.get(USER, None, name).await?;
        Ok(user.filter(|user| user["metadata"]["uid"] == identity["user"]["uid"] && has(user, name_of(identity))))
    }

    async fn map(&self, provider: &Provider, person: &Person, identity: &str) -> Result<Value> {
        let guest = &self.0.guest;
        let refused = |why: String| OAuthError::Protocol("access_denied", why);
        let preferred = if person.preferred.is_empty() {
            &person.id
        } else {
            &person.preferred
        };
        let found = guest.get(USER, None, preferred).await?;
        let name = match (provider.mapping.as_str(), &found) {
            ("lookup", _) => {
                return Err(refused(format!(
                    "provider {} maps by lookup, and no user has the identity {identity}",
                    provider.name
                )));
            }
            ("generate", Some(_)) => self.free_name(preferred).await?,
            ("add" | "generate", _) | (_, None) => preferred.clone(),
            (_, Some(user)) if identities(user).next().is_some() && !has(user, identity) => {
                return Err(refused(format!(
                    "user {preferred} is somebody else's: provider {} may claim no user that has another identity",
                    provider.name
                )));
            }
            (_, Some(_)) => preferred.clone(),
        };
        let fresh =
            json!({ "metadata": { "name": name }, "fullName": person.name, "identities": [identity], "groups": null });
        guest.create(USER, &fresh).await?;
        let user = guest.get(USER, None, &name).await?.unwrap_or(fresh);
        if !has(&user, identity) {
            let all: Vec<&str> = identities(&user).chain([identity]).collect();
            guest.merge(USER, None, &name, &json!({ "identities": all })).await?;
        }
        let mut extra = json!({ "preferred_username": preferred });
        for (field, value) in [("email", &person.email), ("name", &person.name)] {
            if !value.is_empty() {
                extra[field] = value.as_str().into();
            }
        }
        let object = json!({
            "metadata": { "name": identity },
            "providerName": provider.name,
            "providerUserName": person.id,
            "user": { "name": name, "uid": user["metadata"]["uid"] },
            "extra": extra,
        });
        if !guest.create(IDENTITY, &object).await? {
            guest
                .merge(IDENTITY, None, identity, &json!({ "user": object["user"] }))
                .await?;
        }
        Ok(user)
    }

    async fn free_name(&self, preferred: &str) -> Result<String> {
        for number in 2..1000 {
            let name = format!("{preferred}{number}");
            if self.0.guest.get(USER, None, &name).await?.is_none() {
                return Ok(name);
            }
        }
        Err(OAuthError::Protocol(
            "server_error",
            format!("no free name like {preferred}"),
        ))
    }

    /// Makes somebody a member of the groups that the provider names, and of no others of that provider.
    async fn join(&self, provider: &Provider, user: &str, wanted: &[String]) -> Result<()> {
        let guest = &self.0.guest;
        let mark = format!("oauth.openshift.io/idp.{}", provider.name);
        let marks = json!({ "oauth.openshift.io/generated": "true", mark.as_str(): "synced" });
        for name in wanted {
            let fresh = json!({ "metadata": { "name": name, "annotations": marks }, "users": [user] });
            guest.create(GROUP, &fresh).await?;
        }
        for group in guest.list(GROUP, None, "").await? {
            let name = name_of(&group);
            let is_wanted = wanted.iter().any(|wanted| wanted == name);
            let synced = group["metadata"]["annotations"][mark.as_str()] == "synced";
            let mut users: Vec<&str> = group["users"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let member = users.contains(&user);
            if is_wanted && !member {
                users.push(user);
            } else if !is_wanted && member && synced {
                users.retain(|member| *member != user);
            } else {
                continue;
            }
            guest.merge(GROUP, None, name, &json!({ "users": users })).await?;
        }
        Ok(())
    }
}

fn identities(user: &Value) -> impl Iterator<Item = &str> {
    user["identities"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn has(user: &Value, identity: &str) -> bool {
    identities(user).any(|name| name == identity)
}
