//! The logins that can be tried with a password, and how they ended. The rest is for a person to try.

use berth_api::{GuestCluster, Identity, IdentityProvider};

use super::wanted::Wanting;
use crate::effect::{Effect, Login, Outcome};
use crate::facts::Facts;
use crate::steps::guest::server::guest_server;
use crate::walk::GuestRef;

/// How far the logins are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// One is still to be tried.
    Open(String),
    /// One was refused.
    Refused(String),
    /// All that can be tried were; a person is to try the others.
    Done { awaiting: Vec<String> },
}

/// The logins to try.
pub(super) fn effects(facts: &Facts, guest: &GuestCluster, section: &Identity, wanting: &Wanting) -> Vec<Effect> {
    let place = GuestRef::new(&guest.namespace, &guest.name);
    attempts(facts, &place, section, wanting)
        .into_iter()
        .filter_map(|(_, effect)| effect)
        .collect()
}

pub(super) fn standing(facts: &Facts, place: &GuestRef, section: &Identity, wanting: &Wanting) -> Standing {
    let mut awaiting: Vec<String> = section.oidc.iter().map(|oidc| oidc.name.clone()).collect();
    for (provider, effect) in attempts(facts, place, section, wanting) {
        let Some(effect) = effect else {
            awaiting.push(provider);
            continue;
        };
        match facts.outcome(&effect) {
            Some(Ok(Outcome::Login(Login::Granted { .. }))) => {}
            Some(Ok(Outcome::Login(Login::Refused { why }))) => {
                return Standing::Refused(format!("a login through {provider} was refused: {why}"));
            }
            Some(Ok(_)) => awaiting.push(provider),
            Some(Err(failure)) => return Standing::Open(failure.message.clone()),
            None => return Standing::Open(effect.describe()),
        }
    }
    Standing::Done { awaiting }
}

/// Each provider, with the login that proves it where there is one.
fn attempts(facts: &Facts, place: &GuestRef, section: &Identity, wanting: &Wanting) -> Vec<(String, Option<Effect>)> {
    let server = guest_server(facts, place);
    let admins = &section.cluster_admins.users;
    let attempt = |(index, provider): (usize, &IdentityProvider)| {
        let effect = user(section, index, provider).and_then(|(user, field)| {
            Some(Effect::TryLogin {
                server: server.clone()?,
                provider: provider.name.clone(),
                is_admin: admins.contains(&user),
                user,
                password: wanting.password(facts, &field)?,
            })
        });
        (provider.name.clone(), effect)
    };
    section.providers.iter().enumerate().map(attempt).collect()
}

/// Whom to try a provider with, and the field with the password: a cluster admin rather than another.
fn user(section: &Identity, index: usize, provider: &IdentityProvider) -> Option<(String, String)> {
    if let Some(user) = &provider.test_user {
        return Some((user.name.clone(), format!("providers[{index}].testUser.password")));
    }
    let users = provider.htpasswd.as_ref()?.users.as_ref()?;
    let admin = users
        .iter()
        .position(|user| section.cluster_admins.users.contains(&user.name));
    let chosen = admin.unwrap_or_default();
    let name = users.get(chosen)?.name.clone();
    Some((name, format!("providers[{index}].htpasswd.users[{chosen}].password")))
}
