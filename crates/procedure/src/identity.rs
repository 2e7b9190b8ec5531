//! What a person decides about a guest's identity between two runs: a login is confirmed, taken back, or may be tried again.
//!
//! Pure: a HostedCluster and what the guest knows in, a merge patch out. The patch holds the version that was looked at, so
//! that it does not overwrite what somebody else decided meanwhile.

use std::sync::Arc;

use berth_api::views;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::change::{Change, replacing};
use crate::facts::{Facts, Seen};
use crate::read::{failed, line};
use crate::render::identity::Login;
use crate::steps::guest::identity::{Phase, Record, sets};
use crate::walk::GuestRef;

/// How the logins of a guest stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityStatus {
    /// The providers, as `staff (HTPasswd)`.
    pub providers: Vec<String>,
    /// `applied`, `awaiting`, `settled`, `refused`, `reverted`, `retry`; empty where Berth had no part in it.
    pub phase: String,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When what is awaited is taken back.
    pub until: Option<Timestamp>,
    /// The providers whose login a person is to confirm.
    pub awaiting: Vec<String>,
    /// Why a login was refused, or what is wrong now.
    pub reason: String,
    /// Whether `kubeadmin` can log in.
    pub kubeadmin: bool,
}

impl IdentityStatus {
    /// Whether something is still to happen: it is being rolled out, waits for a person, did not work, was taken back, or is to
    /// be tried again.
    pub fn is_open(&self) -> bool {
        !matches!(self.phase.as_str(), "" | "settled")
    }
}

/// A confirmation, worked out.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmation {
    /// The merge patch for the HostedCluster.
    pub patch: Value,
    /// Who logged in through which provider; no user where the guest keeps none.
    pub seen: Vec<(String, Option<String>)>,
    /// The providers that still wait.
    pub rest: Vec<String>,
}

/// What the guest knows of logins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Its Identities: who logged in at any time.
    pub identities: &'a [Value],
    /// Its OAuth access tokens: who logged in lately.
    pub tokens: &'a [Value],
}

/// A login that is taken back, worked out.
#[derive(Clone, Debug, PartialEq)]
pub struct Reversal {
    /// The merge patch for the HostedCluster.
    pub patch: Value,
    /// What comes of it, for people.
    pub told: String,
}

/// Why something can't be decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// Nothing is kept of an identity.
    #[error("Berth has put no identity provider in place here")]
    Nothing,
    /// No login waits for a confirmation.
    #[error("no login waits for a confirmation")]
    NotAwaiting,
    /// Nobody has logged in yet.
    #[error("nobody{who} has logged in through {providers} yet")]
    NobodyYet {
        /// Whose login was asked for, with a space before; empty for anybody's.
        who: String,
        /// The providers that wait.
        providers: String,
    },
    /// Somebody has logged in, before this login was in place.
    #[error(
        "{user} has logged in through {provider} before {since} alone, which proves nothing of what is there since"
    )]
    Older {
        /// Who.
        user: String,
        /// The provider.
        provider: String,
        /// Since when a login counts.
        since: Timestamp,
    },
    /// It is taken back already.
    #[error("it is taken back already")]
    AlreadyBack,
    /// Nothing was refused or taken back.
    #[error("no login was refused or taken back here")]
    NotRefused,
}

/// How the logins of a guest stand; `None` where there is nothing to tell.
pub fn status(cluster: &Value) -> Option<IdentityStatus> {
    let record = Record::of(cluster);
    let live = Login::of(cluster);
    let providers = names(&live);
    if record.is_none() && providers.is_empty() {
        return None;
    }
    let invalid = failed(cluster, "ValidIDPConfiguration").map(|condition| line(condition.message).to_owned());
    let phase = record.as_ref().map(|record| match record.phase {
        Phase::Applied => "applied",
        Phase::Awaiting => "awaiting",
        Phase::Settled => "settled",
        Phase::Refused => "refused",
        Phase::Reverted => "reverted",
        Phase::Retry => "retry",
    });
    let reason = record.as_ref().map(|record| record.reason.clone());
    Some(IdentityStatus {
        providers,
        phase: phase.unwrap_or_default().to_owned(),
        since: record.as_ref().map(|record| record.since),
        until: record.as_ref().and_then(|record| record.until),
        reason: reason
            .filter(|reason| !reason.is_empty())
            .or(invalid)
            .unwrap_or_default(),
        awaiting: record.map(|record| record.awaiting).unwrap_or_default(),
        kubeadmin: views::kubeadmin_password_secret(cluster).is_some(),
    })
}

/// A person says that a login works: true of each provider through which the guest knows somebody to have logged in since it
/// is in place. With an OIDC issuer the guest keeps no users, and the person's word is all there is.
pub fn confirm(
    cluster: &Value,
    known: Known<'_>,
    user: Option<&str>,
    now: Timestamp,
) -> Result<Confirmation, Undecided> {
    let record = Record::of(cluster).ok_or(Undecided::Nothing)?;
    if record.phase != Phase::Awaiting {
        return Err(Undecided::NotAwaiting);
    }
    let is_oidc = !Login::of(cluster).oidc.is_null();
    let mut seen = Vec::new();
    let mut rest = Vec::new();
    let mut older = None;
    for provider in &record.awaiting {
        match known.login(provider, user, record.since) {
            Some((known, true)) => seen.push((provider.clone(), Some(known))),
            _ if is_oidc => seen.push((provider.clone(), None)),
            found => {
                rest.push(provider.clone());
                older = older.or(found.map(|(user, _)| (user, provider.clone())));
            }
        }
    }
    if seen.is_empty() {
        if let Some((user, provider)) = older {
            let since = record.since;
            return Err(Undecided::Older { user, provider, since });
        }
        return Err(Undecided::NobodyYet {
            who: user.map(|user| format!(" called `{user}`")).unwrap_or_default(),
            providers: record.awaiting.join(", "),
        });
    }
    let record = Record {
        phase: if rest.is_empty() {
            Phase::Settled
        } else {
            Phase::Awaiting
        },
        since: if rest.is_empty() { now } else { record.since },
        until: record.until.filter(|_| !rest.is_empty()),
        awaiting: rest.clone(),
        ..record
    };
    Ok(Confirmation {
        patch: patch(cluster, &record, Vec::new()),
        seen,
        rest,
    })
}

/// A person takes a login back: what was before is put back, and the document's login is not tried again by itself.
pub fn revert(cluster: &Value, now: Timestamp) -> Result<Reversal, Undecided> {
    let record = Record::of(cluster).ok_or(Undecided::Nothing)?;
    if matches!(record.phase, Phase::Refused | Phase::Reverted) {
        return Err(Undecided::AlreadyBack);
    }
    let metadata = views::metadata(cluster);
    let place = GuestRef::new(metadata.namespace.unwrap_or_default(), metadata.name);
    let mut facts = Facts::default();
    facts.observe(place.hosted_cluster(), Seen::Objects(vec![Arc::new(cluster.clone())]));
    let changes = sets(&facts, &place, &record.former, true);
    let told = told(cluster, &record.former, &changes);
    let record = Record {
        phase: Phase::Reverted,
        since: now,
        reason: String::new(),
        awaiting: Vec::new(),
        until: None,
        ..record
    };
    let patch = patch(cluster, &record, changes);
    Ok(Reversal { patch, told })
}

/// What comes of putting a former login back: `kubeadmin` is made anew only where nothing of `oauth` stays.
fn told(cluster: &Value, former: &Login, changes: &[Change]) -> String {
    let value = |name: &str| {
        let set = changes.iter().find_map(|change| match change {
            Change::Set { path, value, .. } if path.last().is_some_and(|field| field == name) => Some(value),
            _ => None,
        });
        set.map(Option::as_ref)
    };
    if changes.is_empty() {
        return "who may log in stays as it is; the document's login is not tried again by itself".to_owned();
    }
    if !former.is_nobody() {
        return format!("puts back what was there before: {}", names(former).join(", "));
    }
    let was_there = views::at(cluster, &["spec", "configuration", "oauth"]).is_some();
    match value("oauth") {
        Some(None) => "puts back no provider: HyperShift makes kubeadmin anew, with another password",
        None if !was_there => "puts back no provider: the guest's own OAuth server comes back",
        _ => "puts back no provider; kubeadmin stays away as long as `oauth` has other settings",
    }
    .to_owned()
}

/// A login that was refused or taken back may be tried again. The rest is still known: what Berth made, and what was there before it.
pub fn retry(cluster: &Value, now: Timestamp) -> Result<Value, Undecided> {
    let record = Record::of(cluster).ok_or(Undecided::Nothing)?;
    if !matches!(record.phase, Phase::Refused | Phase::Reverted | Phase::Retry) {
        return Err(Undecided::NotRefused);
    }
    let record = Record {
        phase: Phase::Retry,
        since: now,
        reason: String::new(),
        ..record
    };
    Ok(patch(cluster, &record, Vec::new()))
}

fn patch(cluster: &Value, record: &Record, changes: Vec<Change>) -> Value {
    let mut patch = json!({ "metadata": { "annotations": {} } });
    patch["metadata"]["resourceVersion"] = cluster["metadata"]["resourceVersion"].clone();
    patch["metadata"]["annotations"][crate::steps::guest::identity::ANNOTATION] = record.text().into();
    for change in changes {
        if let Change::Set { path, value, .. } = change {
            let place = path.iter().fold(&mut patch, |place, field| &mut place[field.as_str()]);
            let live = path.iter().try_fold(cluster, |place, field| place.get(field));
            *place = value.map_or(Value::Null, |value| replacing(live, &value));
        }
    }
    patch
}

// === impl Known ===

impl Known<'_> {
    /// Somebody who logged in through a provider, and whether that was since a time: rather somebody who did.
    fn login(&self, provider: &str, user: Option<&str>, since: Timestamp) -> Option<(String, bool)> {
        let told = |identity: &Value| {
            let known = views::text(identity, &["user", "name"]).filter(|name| !name.is_empty())?;
            let fits = views::text(identity, &["providerName"]) == Some(provider)
                && user.is_none_or(|user| user == known || views::text(identity, &["providerUserName"]) == Some(user));
            let is_fresh = || is_since(identity, since) || self.has_token(known, since);
            fits.then(|| (known.to_owned(), is_fresh()))
        };
        let mut found: Vec<_> = self.identities.iter().filter_map(told).collect();
        found.sort_by_key(|(_, is_fresh)| !is_fresh);
        found.into_iter().next()
    }

    /// A token does not say through which provider its user came, so it counts for users with one identity alone.
    fn has_token(&self, user: &str, since: Timestamp) -> bool {
        let mut own = self
            .identities
            .iter()
            .filter(|identity| views::text(identity, &["user", "name"]) == Some(user));
        let is_one = own.next().is_some() && own.next().is_none();
        let mut tokens = self.tokens.iter();
        is_one && tokens.any(|token| views::text(token, &["userName"]) == Some(user) && is_since(token, since))
    }
}

/// Whether an object was made since a time. API servers keep whole seconds.
fn is_since(object: &Value, since: Timestamp) -> bool {
    let made = views::text(object, &["metadata", "creationTimestamp"]);
    let made = made.and_then(|made| made.parse::<Timestamp>().ok());
    made.is_some_and(|made| made.as_second() >= since.as_second())
}

fn names(login: &Login) -> Vec<String> {
    let told = |entry: &Value, kind: &str| {
        let name = views::text(entry, &["name"]).unwrap_or_default();
        format!("{name} ({})", views::text(entry, &["type"]).unwrap_or(kind))
    };
    let list = |value: &Value, kind: &str| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| told(entry, kind))
            .collect()
    };
    [list(&login.providers, "unknown"), list(&login.oidc, "OIDC")].concat()
}

#[cfg(test)]
mod tests;
