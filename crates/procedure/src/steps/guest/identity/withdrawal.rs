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
    let (mut changes, kept) = if live.digest() == record.digest {
        (sets(facts, place, &record.before, true), record.before.names())
    } else {
        (Vec::new(), live.names())
    };
    for resource in [resources::SECRET, resources::CONFIG_MAP] {
        let ours = objects(facts, &made(resource, place))
            .filter(|object| super::wanted::is_part(object))
            .map(name)
            .filter(|name| !kept.iter().any(|kept| kept == name));
        changes.extend(ours.map(|name| Change::Absent {
            object: beside(place, resource, name),
        }));
    }
    changes.push(Change::Absent {
        object: admins::object(place),
    });
    changes.push(forget(place));
    changes
}
