//! What goes when a document no longer has an identity section: what Berth put in place, and no login of anybody else's. What
//! was there before Berth's first comes back.
//!
//! Without a provider HyperShift makes `kubeadmin` anew, with another password.

use berth_api::{Resource, resources};

use super::record::{Record, forget};
use super::{admins, beside, sets};
use crate::change::Change;
use crate::facts::{Facts, Selector};
use crate::read::{is_deleting, name, objects};
use crate::render::identity::Login;
use crate::walk::GuestRef;

/// What [`withdrawal`] reads besides the HostedCluster.
pub(crate) fn withdrawal_watches(place: &GuestRef) -> Vec<Selector> {
    [resources::SECRET, resources::CONFIG_MAP]
        .map(|resource| made(resource, place))
        .into()
}

fn made(resource: &'static Resource, place: &GuestRef) -> Selector {
    super::super::removal::made(resource, place)
}

/// The writes, in order: the login first, then what it referred to, then the memory of it.
pub(crate) fn withdrawal(facts: &Facts, place: &GuestRef) -> Vec<Change> {
    let Some(cluster) = facts
        .object(&place.hosted_cluster())
        .filter(|cluster| !is_deleting(cluster))
    else {
        return Vec::new();
    };
    let Some(record) = Record::of(cluster) else {
        return Vec::new();
    };
    let live = Login::of(cluster);
    // A former login may be an earlier one of Berth's: it goes too.
    let (mut changes, rest) = if record.left(&live) {
        (sets(facts, place, &record.before, true), record.before)
    } else {
        (Vec::new(), live)
    };
    let kept = rest.names();
    let mut is_rid = true;
    for resource in [resources::SECRET, resources::CONFIG_MAP] {
        for ours in objects(facts, &made(resource, place)).filter(|object| super::wanted::is_part(object)) {
            if kept.iter().any(|kept| kept == name(ours)) {
                is_rid = false;
            } else {
                changes.push(Change::Absent {
                    object: beside(place, resource, name(ours)),
                });
            }
        }
    }
    // As long as a login that a person changed lets Berth's people in, they stay what they are, and it is remembered why.
    if is_rid {
        changes.push(Change::Absent {
            object: admins::object(place),
        });
        changes.push(forget(place));
    }
    changes
}
