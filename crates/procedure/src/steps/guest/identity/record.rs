//! What was decided about a guest's identity, kept on its HostedCluster: state lives in the cluster, so that any later run,
//! on any machine, goes on from there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::change::Change;
use crate::facts::Facts;
use crate::read::annotation;
use crate::render::identity::Login;
use crate::walk::GuestRef;

/// The annotation that holds it, as JSON.
pub(crate) const ANNOTATION: &str = "berth.dev/identity";

/// How far a login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Phase {
    /// Written, and not found to work yet.
    Applied,
    /// It is rolled out, and a person is to try it.
    Awaiting,
    /// It works.
    Settled,
    /// It did not work, and what was before is put back.
    Refused,
    /// A person took it back, and what was before is put back.
    Reverted,
    /// It was refused or taken back, and a person says that it may be tried again.
    Retry,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// Which login this is about.
    pub(crate) digest: String,
    /// How far it is.
    pub(crate) phase: Phase,
    /// Since when.
    pub(crate) since: Timestamp,
    /// Why, where it was refused.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    /// The providers that a person is to try.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) awaiting: Vec<String>,
    /// When what is awaited is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    /// What was before: put back where this does not work.
    #[serde(with = "former")]
    pub(crate) former: Login,
    /// What was there before Berth's first: put back where the document wants none of Berth's any more.
    #[serde(default, with = "former", skip_serializing_if = "Login::is_nobody")]
    pub(crate) before: Login,
    /// How the server that carries it out was when it was written: as long as it is so, it runs with what was before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) server: String,
}

// === impl Record ===

impl Record {
    /// What stands on a HostedCluster; a text that says nothing is none.
    pub(crate) fn of(cluster: &Value) -> Option<Self> {
        serde_json::from_str(annotation(cluster, ANNOTATION)?).ok()
    }

    /// Whether the login that this is about is what is there.
    pub(crate) fn is_live(&self, facts: &Facts, place: &GuestRef) -> bool {
        let cluster = facts.object(&place.hosted_cluster());
        cluster.is_some_and(|cluster| Login::of(cluster).digest() == self.digest)
    }

    /// Whether a login is what Berth left there: the one that this is about, or what it went back to.
    pub(crate) fn left(&self, live: &Login) -> bool {
        live.digest() == self.digest || live.is(&self.former)
    }

    /// The write that keeps it.
    pub(crate) fn set(&self, place: &GuestRef) -> Change {
        Change::Set {
            object: place.object(),
            path: ["metadata", "annotations", ANNOTATION].map(str::to_owned).into(),
            value: Some(self.text().into()),
            takeover: true,
        }
    }

    /// As the annotation holds it.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The write that forgets it.
pub(crate) fn forget(place: &GuestRef) -> Change {
    Change::Set {
        object: place.object(),
        path: ["metadata", "annotations", ANNOTATION].map(str::to_owned).into(),
        value: None,
        takeover: true,
    }
}

mod former {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use serde_json::{Value, json};

    use crate::render::identity::Login;

    pub(super) fn serialize<S: Serializer>(login: &Login, serializer: S) -> Result<S::Ok, S::Error> {
        json!({ "providers": login.providers, "oidc": login.oidc }).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Login, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Login {
            providers: value["providers"].clone(),
            oidc: value["oidc"].clone(),
        })
    }
}
