//! A guest's steps: its control plane, its pools, its rollout, access to it, and its removal.

mod access;
mod backup;
mod break_glass;
mod cluster;
mod fit;
pub(crate) mod identity;
mod objects;
mod pool;
mod removal;
mod rollout;
pub(crate) mod server;
mod takeback;
mod write;

pub(crate) use access::Access;
pub(crate) use backup::{Restore, Save};
pub(crate) use break_glass::BreakGlass;
pub(crate) use cluster::Cluster;
pub(crate) use fit::Fit;
pub(crate) use identity::Identity;
pub(crate) use pool::Pool;
pub(crate) use removal::Removal;
pub(crate) use rollout::Rollout;
pub(crate) use write::{Until, Write};

use berth_api::{GuestCluster, resources, views};
use serde_json::Value;

use crate::facts::{Facts, Selector, Target};
use crate::read;
use crate::secret::Secret;
use crate::step::Lock;
use crate::walk::GuestRef;

fn reference(guest: &GuestCluster) -> GuestRef {
    GuestRef::new(&guest.namespace, &guest.name)
}

fn lock(guest: &GuestRef) -> Lock {
    Lock::Guest {
        namespace: guest.namespace.clone(),
        name: guest.name.clone(),
    }
}

/// A Secret that HyperShift makes beside the HostedCluster.
fn secret(place: &GuestRef, suffix: &str) -> Selector {
    Selector::named(resources::SECRET, &place.namespace, format!("{}-{suffix}", place.name))
}

/// What [`kubeconfigs`] reads.
fn kubeconfig_watches(place: &GuestRef) -> [Selector; 2] {
    [place.hosted_cluster(), secret(place, "admin-kubeconfig")]
}

/// The admin kubeconfig, once the HostedCluster says that there is one.
fn kubeconfig(facts: &Facts, place: &GuestRef) -> Option<Secret> {
    views::kubeconfig_secret(facts.object(&place.hosted_cluster())?)?;
    decoded(facts, &secret(place, "admin-kubeconfig"), "kubeconfig")
}

/// The way to the guest's API server, for every step that looks into the guest.
fn kubeconfigs(facts: &Facts, place: &GuestRef) -> Vec<(Target, Secret)> {
    kubeconfig(facts, place)
        .map(|kubeconfig| (place.target(), kubeconfig))
        .into_iter()
        .collect()
}

fn decoded(facts: &Facts, selector: &Selector, key: &str) -> Option<Secret> {
    read::decoded(facts.object(selector)?, &["data", key]).map(Secret::new)
}

/// Whether the operator has seen a HostedCluster as it is now; true where it doesn't say.
fn is_observed(cluster: &Value) -> bool {
    let generation = views::metadata(cluster).generation;
    let available = views::list(cluster, &["status", "conditions"])
        .iter()
        .find(|condition| views::text(condition, &["type"]) == Some("Available"));
    available
        .and_then(|condition| views::number(condition, &["observedGeneration"]))
        .is_none_or(|observed| observed >= generation)
}

#[cfg(test)]
mod tests;
