//! How the roll-out of a login stands: HyperShift's judgement of it first, then the servers that carry it out.

use berth_api::{resources, views};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::record::Record;
use crate::facts::{Facts, Seen};
use crate::read::{as_count, find, line, reason_or};
use crate::render::identity::Login;
use crate::walk::GuestRef;

/// An issuer is asked from within the guest, through its workers: a first failure may be that they are slow.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// HyperShift judges a configuration some time before it gives the servers another template. Where the template stays as it
/// is for this long, it needs none.
pub(super) const UNTOUCHED: SignedDuration = SignedDuration::from_mins(3);

/// How a roll-out stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// On its way.
    Rolling {
        detail: String,
        count: Option<(u32, u32)>,
        look: Option<Timestamp>,
    },
    /// It does not work; no doubt is left at a time.
    Failed { reason: String, due: Timestamp },
    /// Rolled out.
    Done,
}

/// How the roll-out of what is there stands.
pub(super) fn verdict(facts: &Facts, place: &GuestRef, login: &Login, record: &Record) -> Verdict {
    if let Some(open) = judged(facts, place, login, record.since) {
        return open;
    }
    let (deployments, name) = (place.inside(resources::DEPLOYMENT), server_name(login));
    let untouched = || {
        let due = record.since.checked_add(UNTOUCHED).ok();
        due.filter(|due| facts.now < *due).map(|due| Verdict::Rolling {
            detail: format!("the Deployment {name} has not taken it up yet"),
            count: None,
            look: Some(due),
        })
    };
    match find(facts, &deployments, name) {
        Some(deployment) if record.server.is_empty() || record.server == template(deployment) => {
            untouched().unwrap_or_else(|| rollout(deployment, name, record.since))
        }
        Some(deployment) => rollout(deployment, name, record.since),
        None if matches!(facts.seen(&deployments), Seen::Unreadable(_)) => untouched().unwrap_or(Verdict::Done),
        None => rolling(format!("the Deployment {name} is not there yet")),
    }
}

/// Why HyperShift refuses what is there, and when no doubt is left.
pub(super) fn refusal(facts: &Facts, place: &GuestRef, login: &Login, since: Timestamp) -> Option<(String, Timestamp)> {
    match judged(facts, place, login, since)? {
        Verdict::Failed { reason, due } => Some((reason, due)),
        Verdict::Rolling { .. } | Verdict::Done => None,
    }
}

/// How the server is that carries a login out; empty where that can't be seen.
pub(super) fn server(facts: &Facts, place: &GuestRef, login: &Login) -> String {
    find(facts, &place.inside(resources::DEPLOYMENT), server_name(login))
        .map(template)
        .unwrap_or_default()
}

fn server_name(login: &Login) -> &'static str {
    if login.oidc.is_null() {
        "oauth-openshift"
    } else {
        "kube-apiserver"
    }
}

/// What tells a Deployment's pods from its former ones.
fn template(deployment: &Value) -> String {
    format!("{:x}", Sha256::digest(deployment["spec"]["template"].to_string()))[..16].to_owned()
}

/// HyperShift's judgement, as far as it is not content.
fn judged(facts: &Facts, place: &GuestRef, login: &Login, since: Timestamp) -> Option<Verdict> {
    let Some(cluster) = facts.object(&place.hosted_cluster()) else {
        return Some(rolling("the HostedCluster is not there"));
    };
    let control_planes = place.inside(resources::HOSTED_CONTROL_PLANE);
    let control_plane = find(facts, &control_planes, &place.name);
    if control_plane.is_none() && matches!(facts.seen(&control_planes), Seen::Pending | Seen::Objects(_)) {
        return Some(rolling("the control plane is not read yet"));
    }
    if control_plane.is_some_and(|plane| !Login::of(plane).is(login)) {
        let told = views::condition(cluster, "ReconciliationSucceeded").filter(views::Condition::is_false);
        let told = told.map_or("the control plane has not taken it up yet", |condition| {
            line(condition.message)
        });
        return Some(rolling(told));
    }
    // Where there is a control plane to be read, its own word is meant: the HostedCluster repeats it later.
    let (judged, kind) = if login.oidc.is_null() {
        (control_plane.unwrap_or(cluster), "ValidIDPConfiguration")
    } else {
        (cluster, "ValidConfiguration")
    };
    match judgement(judged, kind) {
        Some(condition) if condition.is_false() => {
            let begun = condition.last_transition_time.unwrap_or(since).max(since);
            let reason = format!(
                "{kind} is False: {} {}",
                reason_or(&condition, ""),
                line(condition.message)
            );
            Some(Verdict::Failed {
                reason: reason.trim().to_owned(),
                due: begun.checked_add(GRACE).unwrap_or(begun),
            })
        }
        Some(condition) if condition.is_true() => None,
        _ => Some(rolling(format!("{kind} is not known yet"))),
    }
}

/// A condition that is about the newest spec; one that doesn't say what it is about, is.
fn judgement<'a>(object: &'a Value, kind: &str) -> Option<views::Condition<'a>> {
    let generation = views::metadata(object).generation;
    let entry = views::list(object, &["status", "conditions"])
        .iter()
        .find(|condition| views::text(condition, &["type"]) == Some(kind))?;
    let is_current = views::number(entry, &["observedGeneration"]).is_none_or(|observed| observed >= generation);
    views::condition(object, kind).filter(|_| is_current)
}

fn rollout(deployment: &Value, server: &str, since: Timestamp) -> Verdict {
    let progressing = views::condition(deployment, "Progressing");
    if let Some(stuck) =
        progressing.filter(|condition| condition.is_false() && condition.reason == "ProgressDeadlineExceeded")
        && stuck.last_transition_time.is_none_or(|at| at >= since)
    {
        return Verdict::Failed {
            reason: format!("the Deployment {server} does not get on: {}", line(stuck.message)),
            due: since,
        };
    }
    let rollout = views::rollout(deployment);
    if rollout.is_complete() {
        return Verdict::Done;
    }
    let count = |number: i64| as_count(usize::try_from(number).unwrap_or_default());
    let ready = rollout.updated.min(rollout.ready).min(rollout.wanted);
    Verdict::Rolling {
        detail: format!("{ready} of {} pods of {server} run with it", rollout.wanted),
        count: Some((count(ready), count(rollout.wanted))),
        look: None,
    }
}

fn rolling(detail: impl Into<String>) -> Verdict {
    Verdict::Rolling {
        detail: detail.into(),
        count: None,
        look: None,
    }
}
