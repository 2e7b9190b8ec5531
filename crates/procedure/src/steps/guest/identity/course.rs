//! From what is there to what to do about a guest's identity. Everything that writes, waits or tells begins here, so that
//! they can't disagree.

use berth_api::Identity;
use jiff::Timestamp;

use super::proof::{self, Standing};
use super::record::{Phase, Record};
use super::verdict::{self, Verdict, verdict};
use super::wanted::{Unknown, Wanted, Wanting};
use crate::facts::Facts;
use crate::read::is_deleting;
use crate::render::identity::Login;
use crate::step::StepId;
use crate::steps::ids;
use crate::walk::GuestRef;

/// What there is to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Course {
    /// The guest goes.
    Deleting,
    /// Something has to be read first.
    Unknown(String),
    /// The document refers to what is not there.
    Lacking(Vec<String>),
    /// Not before another step.
    Later { what: String, after: StepId },
    /// Put the login in place.
    Apply { wanted: Wanted, record: Record },
    /// Wait for the roll-out.
    Roll {
        detail: String,
        count: Option<(u32, u32)>,
        look: Option<Timestamp>,
    },
    /// Try the logins that can be tried with a password.
    Try { wait: String },
    /// Keep that it works, or that a person is to try it.
    Settle { record: Record },
    /// There is nothing to do.
    Settled { record: Option<Record> },
    /// It does not work: keep that, and put back what was before.
    GoBack { record: Record },
    /// It was found not to work, or a person took it back.
    Refused { record: Record },
}

/// What there is to do.
pub(crate) fn course(facts: &Facts, place: &GuestRef, section: &Identity, wanting: &Wanting) -> Course {
    let Some(cluster) = facts.object(&place.hosted_cluster()) else {
        return Course::Later {
            what: format!("let people log in through {}: this ends kubeadmin", through(section)),
            after: ids::rollout(&place.name),
        };
    };
    if is_deleting(cluster) {
        return Course::Deleting;
    }
    let wanted = match wanting.of(facts) {
        Ok(wanted) => wanted,
        Err(Unknown::Yet(why)) => return Course::Unknown(why),
        Err(Unknown::Lacking(lacking)) => return Course::Lacking(lacking),
    };
    let (live, record) = (Login::of(cluster), Record::of(cluster));
    let digest = wanted.login.digest();
    let is_live = live.is(&wanted.login);
    match record {
        Some(record) if record.digest == digest => known(facts, place, section, wanting, record, wanted, is_live),
        Some(record) if is_live => Course::Settle {
            record: Record {
                digest,
                phase: Phase::Settled,
                since: facts.now,
                reason: String::new(),
                awaiting: Vec::new(),
                until: None,
                former: other_than(&wanted.login, record.former, &record.before),
                ..record
            },
        },
        None if is_live => Course::Settled { record: None },
        last => Course::Apply {
            record: begun(facts, place, &wanted, live, last),
            wanted,
        },
    }
}

/// The providers of a section, for people.
pub(crate) fn through(section: &Identity) -> String {
    let kinds = section.providers.iter().map(|provider| {
        let kind = provider.kind().map_or("", berth_api::ProviderKind::as_str);
        format!("{} ({kind})", provider.name)
    });
    let oidc = section.oidc.iter().map(|oidc| format!("{} (OIDC)", oidc.name));
    kinds.chain(oidc).collect::<Vec<_>>().join(", ")
}

/// What is there now is what to go back to, unless it is a login that was never found to work itself.
fn begun(facts: &Facts, place: &GuestRef, wanted: &Wanted, live: Login, last: Option<Record>) -> Record {
    let before = match &last {
        Some(last) if last.left(&live) => last.before.clone(),
        _ => live.clone(),
    };
    let unproven = last.filter(|last| last.phase != Phase::Settled && last.digest == live.digest());
    let former = unproven.map_or(live, |last| last.former);
    Record {
        digest: wanted.login.digest(),
        phase: Phase::Applied,
        since: facts.now,
        reason: String::new(),
        awaiting: Vec::new(),
        until: None,
        former: other_than(&wanted.login, former, &before),
        before,
        server: verdict::server(facts, place, &wanted.login),
    }
}

/// A document may want the former login again: nobody can go back from it to itself.
fn other_than(wanted: &Login, former: Login, before: &Login) -> Login {
    if former.is(wanted) { before.clone() } else { former }
}

/// A login that was decided on long ago and is written only now: its roll-out begins now.
fn anew(record: Record, now: Timestamp) -> Record {
    let is_old = record.since.checked_add(verdict::UNTOUCHED).is_ok_and(|due| now >= due);
    Record {
        since: if is_old { now } else { record.since },
        ..record
    }
}

/// The course of a login that was decided on before.
fn known(
    facts: &Facts,
    place: &GuestRef,
    section: &Identity,
    wanting: &Wanting,
    record: Record,
    wanted: Wanted,
    is_live: bool,
) -> Course {
    let live = || facts.object(&place.hosted_cluster()).map(Login::of).unwrap_or_default();
    match record.phase {
        Phase::Refused | Phase::Reverted => Course::Refused { record },
        Phase::Applied if !is_live => Course::Apply {
            wanted,
            record: anew(record, facts.now),
        },
        Phase::Retry => Course::Apply {
            record: begun(facts, place, &wanted, live(), Some(record)),
            wanted,
        },
        // Somebody changed it since.
        Phase::Awaiting | Phase::Settled if !is_live => {
            let before = record.before;
            Course::Apply {
                record: Record {
                    before,
                    ..begun(facts, place, &wanted, live(), None)
                },
                wanted,
            }
        }
        Phase::Awaiting if record.until.is_some_and(|until| facts.now >= until) => {
            let reason = format!(
                "nobody confirmed a login through {} in time",
                record.awaiting.join(", ")
            );
            refused(record, facts.now, reason)
        }
        // What nobody has seen work yet is not kept where it is invalid.
        Phase::Awaiting => match verdict::refusal(facts, place, &wanted.login, record.since) {
            Some((reason, due)) if facts.now >= due => refused(record, facts.now, reason),
            Some((detail, due)) => Course::Roll {
                detail,
                count: None,
                look: Some(due),
            },
            None => Course::Settled { record: Some(record) },
        },
        Phase::Settled => Course::Settled { record: Some(record) },
        Phase::Applied => match verdict(facts, place, &wanted.login, &record) {
            Verdict::Rolling { detail, count, look } => Course::Roll { detail, count, look },
            Verdict::Failed { reason, due } if facts.now >= due => refused(record, facts.now, reason),
            Verdict::Failed { reason, due } => Course::Roll {
                detail: reason,
                count: None,
                look: Some(due),
            },
            Verdict::Done => tried(facts, place, section, wanting, record),
        },
    }
}

fn tried(facts: &Facts, place: &GuestRef, section: &Identity, wanting: &Wanting, record: Record) -> Course {
    match proof::standing(facts, place, section, wanting) {
        Standing::Open(wait) => Course::Try { wait },
        Standing::Refused(reason) => refused(record, facts.now, reason),
        Standing::Done { awaiting } => Course::Settle {
            record: Record {
                phase: if awaiting.is_empty() {
                    Phase::Settled
                } else {
                    Phase::Awaiting
                },
                since: facts.now,
                until: deadline(section, facts.now).filter(|_| !awaiting.is_empty()),
                awaiting,
                ..record
            },
        },
    }
}

fn deadline(section: &Identity, now: Timestamp) -> Option<Timestamp> {
    let within = section.confirm_within?.get();
    now.checked_add(within).ok()
}

fn refused(record: Record, now: Timestamp, reason: String) -> Course {
    Course::GoBack {
        record: Record {
            phase: Phase::Refused,
            since: now,
            reason,
            awaiting: Vec::new(),
            until: None,
            ..record
        },
    }
}
