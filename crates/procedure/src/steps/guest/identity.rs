//! `guest/N/identity`: who may log in. Any provider removes `kubeadmin`, so this comes after a proven break-glass credential
//! (`break_glass`), makes the cluster admins first, and goes back by itself where the new state does not work.
//!
//! Begin with [`course`]: from what is there to what to do. What was decided is kept on the HostedCluster (`record`), what is
//! wanted is worked out in `wanted`, how a roll-out stands in `verdict`, and the login of a test user in `proof`.

mod admins;
mod course;
mod htpasswd;
mod proof;
mod record;
mod told;
mod verdict;
mod wanted;
mod withdrawal;

use std::collections::BTreeMap;
use std::sync::Arc;

use berth_api::{GuestCluster, Identity as Section, resources, views};

use super::{kubeconfig_watches, kubeconfigs, lock, reference};
use crate::assess::{Assessment, Observed};
use crate::change::{Change, ObjectRef};
use crate::checks::fields;
use crate::effect::Effect;
use crate::facts::{Facts, Selector, Target};
use crate::read::is_deleting;
use crate::render::identity::Login;
use crate::secret::Secret;
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{command, hub, ids};
use crate::walk::GuestRef;

pub(crate) use course::{Course, course};
pub(crate) use record::{ANNOTATION, Phase, Record};
pub(crate) use wanted::Wanting;
pub(crate) use withdrawal::{withdrawal, withdrawal_watches};

/// The step.
#[derive(Debug)]
pub(crate) struct Identity {
    id: StepId,
    guest: Arc<GuestCluster>,
    section: Section,
    place: GuestRef,
    wanting: Arc<Wanting>,
}

impl Identity {
    pub(crate) fn new(guest: Arc<GuestCluster>, section: Section, wanting: Arc<Wanting>) -> Self {
        Self {
            id: ids::identity(&guest.name),
            place: reference(&guest),
            guest,
            section,
            wanting,
        }
    }

    fn course(&self, facts: &Facts) -> Course {
        course(facts, &self.place, &self.section, &self.wanting)
    }

    /// The writes that put a login in place: what it refers to first, `kubeadmin`'s end last.
    fn to_apply(&self, facts: &Facts, login: &Login, record: &Record, objects: Vec<Change>) -> Vec<Change> {
        let mut changes = objects;
        changes.push(admins::binding(&self.guest, &self.section.cluster_admins));
        changes.push(record.set(&self.place));
        changes.extend(sets(facts, &self.place, login, self.section.takeover));
        changes
    }
}

/// What the steps about a guest's identity read.
pub(crate) fn watches(place: &GuestRef) -> Vec<Selector> {
    let mut watches = vec![
        place.inside(resources::HOSTED_CONTROL_PLANE),
        place.inside(resources::DEPLOYMENT),
        Selector::in_namespace(resources::SECRET, &place.namespace),
        Selector::in_namespace(resources::CONFIG_MAP, &place.namespace),
        admins::selector(place),
    ];
    watches.extend(kubeconfig_watches(place));
    watches.extend(fields::watches());
    watches
}

/// The writes that make the HostedCluster let the people of a login in: only the fields that differ, the rest of them as it is.
pub(crate) fn sets(facts: &Facts, place: &GuestRef, login: &Login, takeover: bool) -> Vec<Change> {
    let cluster = facts.object(&place.hosted_cluster());
    let live = cluster.map(Login::of).unwrap_or_default();
    let at = |name: &str| {
        let value = cluster.and_then(|cluster| views::at(cluster, &["spec", "configuration", name]));
        value
            .filter(|value| value.is_object())
            .cloned()
            .unwrap_or_else(|| serde_json::json!({}))
    };
    let set = |name: &str, value: serde_json::Value| Change::Set {
        object: place.object(),
        path: ["spec", "configuration", name].map(str::to_owned).into(),
        value: crate::render::identity::normal(&value).map(|_| value),
        takeover,
    };
    let mut changes = Vec::new();
    if !live.is(&Login {
        providers: login.providers.clone(),
        oidc: live.oidc.clone(),
    }) {
        let mut oauth = at("oauth");
        put(&mut oauth, "identityProviders", &login.providers);
        changes.push(set("oauth", oauth));
    }
    if !live.is(&Login {
        providers: live.providers.clone(),
        oidc: login.oidc.clone(),
    }) {
        let mut authentication = at("authentication");
        put(&mut authentication, "oidcProviders", &login.oidc);
        let kind = if login.oidc.is_null() {
            serde_json::Value::Null
        } else {
            "OIDC".into()
        };
        put(&mut authentication, "type", &kind);
        changes.push(set("authentication", authentication));
    }
    changes
}

/// Sets a field, or removes it.
fn put(object: &mut serde_json::Value, name: &str, value: &serde_json::Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(name);
        if !value.is_null() {
            fields.insert(name.to_owned(), value.clone());
        }
    }
}

impl Step for Identity {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        format!("Let people log in to {}", self.place.name)
    }

    fn after(&self) -> Vec<Dependency> {
        vec![Dependency {
            step: ids::break_glass(&self.place.name),
            reason: "any provider removes kubeadmin, so another way in is proven first",
        }]
    }

    fn lock(&self) -> Lock {
        lock(&self.place)
    }

    fn changes(&self, facts: &Facts) -> Vec<Change> {
        match self.course(facts) {
            Course::Apply { wanted, record } => {
                let objects = wanted.changes(&self.guest);
                self.to_apply(facts, &wanted.login, &record, objects)
            }
            Course::Later { what, after } => {
                let mut changes = vec![admins::binding(&self.guest, &self.section.cluster_admins)];
                changes.push(Change::Later { what, after });
                changes
            }
            Course::GoBack { record } => {
                let mut changes = vec![record.set(&self.place)];
                changes.extend(sets(facts, &self.place, &record.former, true));
                changes
            }
            // What was refused stays in the record, so that the next run knows it again. Whatever else is there by now, a
            // person put there.
            Course::Refused { record } if record.is_live(facts, &self.place) => {
                sets(facts, &self.place, &record.former, true)
            }
            Course::Settle { record, .. } => {
                let mut changes = vec![admins::binding(&self.guest, &self.section.cluster_admins)];
                changes.push(record.set(&self.place));
                changes.extend(wanted::outdated(facts, &self.place, &record));
                changes.extend(super::break_glass::spent(facts, &self.place));
                changes
            }
            Course::Settled { record } => {
                let mut changes = vec![admins::binding(&self.guest, &self.section.cluster_admins)];
                if let Some(record) = record {
                    changes.extend(wanted::outdated(facts, &self.place, &record));
                    changes.extend(super::break_glass::spent(facts, &self.place));
                }
                changes
            }
            Course::Roll { .. } | Course::Try { .. } => {
                vec![admins::binding(&self.guest, &self.section.cluster_admins)]
            }
            Course::Refused { .. } | Course::Unknown(_) | Course::Lacking(_) | Course::Deleting => Vec::new(),
        }
    }

    fn effects(&self, facts: &Facts) -> Vec<Effect> {
        match self.course(facts) {
            Course::Try { .. } => proof::effects(facts, &self.guest, &self.section, &self.wanting),
            _ => Vec::new(),
        }
    }

    fn watches(&self) -> Vec<Selector> {
        let mut watches = watches(&self.place);
        watches.extend(super::break_glass::request_watches(&self.place));
        watches
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        if let Some(unread) = hub::unread(facts, &[self.place.hosted_cluster()]) {
            return unread;
        }
        if facts.object(&self.place.hosted_cluster()).is_some_and(is_deleting) {
            return Assessment::waiting("Deleting", "the HostedCluster is being deleted");
        }
        told::assessment(observed, &self.place, &self.section, self.course(facts))
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        let GuestRef { namespace, name } = &self.place;
        let login = self.wanting.shape();
        let mut commands = vec![admins::typed(&self.section.cluster_admins)];
        let configuration = sets(&Facts::default(), &self.place, &login, false);
        for change in configuration {
            if let Change::Set { path, value, .. } = change {
                let patch = path.iter().rev().fold(
                    value.unwrap_or_default(),
                    |inner, field| serde_json::json!({ field: inner }),
                );
                commands.push(command(
                    "This ends kubeadmin; the Secrets that it names must be in this namespace before",
                    format!("oc patch hostedcluster {name} -n {namespace} --type merge -p '{patch}'"),
                ));
            }
        }
        commands.push(command(
            "",
            format!(
                "oc rollout status deployment/oauth-openshift -n {}",
                self.place.control_plane_namespace()
            ),
        ));
        commands
    }

    fn kubeconfigs(&self, facts: &Facts) -> Vec<(Target, Secret)> {
        kubeconfigs(facts, &self.place)
    }
}

/// What a step may want to tell at its end.
pub(crate) fn outputs(pairs: impl IntoIterator<Item = (&'static str, String)>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The address of an object in the HostedCluster's namespace.
fn beside(place: &GuestRef, resource: &'static berth_api::Resource, name: &str) -> ObjectRef {
    ObjectRef::namespaced(resource, &place.namespace, name)
}

#[cfg(test)]
mod tests;
