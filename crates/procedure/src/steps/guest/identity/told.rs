//! What is said of a guest's identity: how far it is, and what to do.

use berth_api::{Identity, views};

use super::course::{Course, through};
use super::outputs;
use super::record::{Phase, Record};
use crate::assess::{Assessment, Observed};
use crate::read::{line, reason_or};
use crate::render::identity::Login;
use crate::walk::{GuestRef, diagnosis};

pub(super) fn assessment(observed: &Observed<'_>, place: &GuestRef, section: &Identity, course: Course) -> Assessment {
    match course {
        Course::Deleting => Assessment::waiting("Deleting", "the HostedCluster is being deleted"),
        Course::Unknown(why) => Assessment::waiting("NotRead", why),
        Course::Later { what, .. } => Assessment::waiting("NotYet", what),
        Course::Lacking(lacking) => Assessment::Blocked {
            diagnosis: diagnosis(
                "A05",
                "the identity provider refers to what is not there; nothing was changed",
                place.label(),
                lacking,
                format!(
                    "make it in the namespace {}; this goes on by itself then",
                    place.namespace
                ),
            ),
            recheck_at: None,
        },
        Course::Apply { .. } => Assessment::waiting("NotWritten", "the login is not in place yet"),
        Course::Roll { detail, count, look } => Assessment::Waiting {
            reason: "RollingOut".to_owned(),
            detail,
            done: count.map(|(done, _)| done),
            total: count.map(|(_, total)| total),
            recheck_at: look,
        },
        Course::Try { wait } => Assessment::waiting("TryingLogin", wait),
        Course::Settle { .. } => Assessment::waiting("Settling", "it works; this is not kept yet"),
        Course::GoBack { record } => Assessment::waiting("GoingBack", record.reason),
        Course::Refused { record } => refused(observed, place, &record),
        Course::Settled { record } => settled(observed, place, section, record.as_ref()),
    }
}

fn refused(observed: &Observed<'_>, place: &GuestRef, record: &Record) -> Assessment {
    let cluster = observed.facts.object(&place.hosted_cluster());
    let live = cluster.map(Login::of).unwrap_or_default();
    if live.digest() == record.digest && !live.is(&record.former) {
        let reason = if record.phase == Phase::Reverted {
            "it was taken back by a person".to_owned()
        } else {
            record.reason.clone()
        };
        return Assessment::waiting("GoingBack", reason);
    }
    let has_oauth = cluster.is_some_and(|cluster| views::at(cluster, &["spec", "configuration", "oauth"]).is_some());
    let back = if !live.is(&record.former) {
        "what is there now was put there since, and is left alone"
    } else if !live.is_nobody() {
        "what was before is back: the former providers"
    } else if has_oauth {
        "what was before is back: no provider, and no kubeadmin as long as `oauth` has other settings"
    } else {
        "what was before is back: kubeadmin, with a new password"
    };
    let back = format!("{back} (since {})", record.since);
    let again = format!("`berth identity retry {}` lets it be tried again", place.name);
    let diagnosis = if record.phase == Phase::Reverted {
        diagnosis(
            "A05",
            "the login that the document wants was taken back by a person",
            place.label(),
            [back],
            format!("change `spec.identity` or leave it out; if the login is wanted after all, {again}"),
        )
    } else {
        diagnosis(
            "A05",
            "the login that the document wants did not work, and was taken back",
            place.label(),
            [record.reason.clone(), back],
            format!("mend `spec.identity`; if it is right and the provider was at fault, {again}"),
        )
    };
    Assessment::Fatal { diagnosis }
}

fn settled(observed: &Observed<'_>, place: &GuestRef, section: &Identity, record: Option<&Record>) -> Assessment {
    let cluster = observed.facts.object(&place.hosted_cluster());
    let invalid = cluster
        .and_then(|cluster| views::condition(cluster, "ValidIDPConfiguration"))
        .filter(views::Condition::is_false);
    if let Some(condition) = invalid {
        return Assessment::Blocked {
            diagnosis: diagnosis(
                "A05",
                "the identity provider worked, and is invalid or can't be reached now",
                place.label(),
                [format!("{} {}", reason_or(&condition, ""), line(condition.message))
                    .trim()
                    .to_owned()],
                "see whether the provider can be reached from the guest's workers, and whether its certificate changed",
            ),
            recheck_at: None,
        };
    }
    match record.filter(|record| record.phase == Phase::Awaiting) {
        Some(record) => awaiting(place, record),
        None => Assessment::Ready {
            outputs: outputs([("identity", through(section))]),
        },
    }
}

/// Without a deadline a run does not stay for a person; with one it does, to go back in time.
fn awaiting(place: &GuestRef, record: &Record) -> Assessment {
    let names = record.awaiting.join(", ");
    let told = format!(
        "log in through {names} with a browser, then `berth identity confirm {}`",
        place.name
    );
    match record.until {
        Some(until) => Assessment::Waiting {
            reason: "AwaitingConfirmation".to_owned(),
            detail: format!("{told}; until {until}, then what was before is put back"),
            done: None,
            total: None,
            recheck_at: Some(until),
        },
        None => Assessment::Ready {
            outputs: outputs([("identity", format!("awaiting confirmation: {told}"))]),
        },
    }
}
