//! `guest/N/cluster`: the HostedCluster with its Secrets and NodePools, made together, until its control plane serves.

use std::collections::BTreeMap;
use std::sync::Arc;

use berth_api::{GuestCluster, resources, views};
use serde_json::Value;

use super::{is_observed, lock, objects, reference, write};
use crate::access;
use crate::adopt;
use crate::assess::{Assessment, Observed};
use crate::change::{Change, ObjectRef, Removal};
use crate::checks::fields;
use crate::facts::{Facts, Seen, Selector};
use crate::forecast::{self, Edit, Forecast};
use crate::owner::{DOCUMENT_LABEL, Owner};
use crate::read::{
    as_count, failed, find, is_deleting, is_ours, label, line, name, objects as all, reason_or, some_of, text,
};
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{hub, ids};
use crate::upgrade;
use crate::walk::control_plane::first_cause;
use crate::walk::guest::workers_of;
use crate::walk::{GuestRef, diagnosis, explained};

/// The step.
#[derive(Debug)]
pub(crate) struct Cluster {
    id: StepId,
    management: Owner,
    guest: Arc<GuestCluster>,
    place: GuestRef,
    /// The NodePools that the document wants, each with its release.
    pools: Vec<(String, String)>,
}

impl Cluster {
    pub(crate) fn new(management: Owner, guest: Arc<GuestCluster>) -> Self {
        Self {
            id: ids::cluster(&guest.name),
            management,
            place: reference(&guest),
            pools: objects::pool_releases(&guest),
            guest,
        }
    }

    fn namespace(&self) -> Selector {
        Selector::cluster(resources::NAMESPACE, &self.guest.namespace)
    }

    /// The Secret with the key that the store of a guest is encrypted with, where the guest is there and the Secret is not.
    /// A new key in its place would make the store unreadable. Before there is a kubeconfig, no API server has written to it.
    fn lost_key<'a>(&self, facts: &'a Facts) -> Option<&'a str> {
        let cluster = facts.object(&self.place.hosted_cluster())?;
        views::kubeconfig_secret(cluster)?;
        let key = text(cluster, &["spec", "secretEncryption", "aescbc", "activeKey", "name"])?;
        let secrets = Selector::in_namespace(resources::SECRET, &self.guest.namespace);
        let is_gone =
            matches!(facts.seen(&secrets), Seen::Objects(all) if all.iter().all(|secret| name(secret) != key));
        (is_gone && !is_deleting(cluster)).then_some(key)
    }
}

/// Guests that are another owner's.
impl Cluster {
    /// What the document would change of an object that something else keeps as a repository has it, with who that is.
    fn kept<'a>(&self, facts: &'a Facts) -> Option<(&'a Value, String, Vec<String>)> {
        if !self.guest.spec.adopt {
            return None;
        }
        let edits = objects::changes(&self.guest, facts);
        let (object, live, keeper) = edits.iter().find_map(|change| {
            let (Change::Set { object, .. } | Change::Merge { object, .. }) = change else {
                return None;
            };
            let live = adopt::live(facts, &self.place, object)?;
            Some((object, live, write::keeper(live)?))
        })?;
        let told = edits.iter().filter_map(|change| match change {
            Change::Set {
                object: of,
                path,
                value,
                ..
            } if of == object => Some(format!("{}: {}", path.join("."), value.clone().unwrap_or_default())),
            Change::Merge { object: of, fields } if of == object => Some(fields.to_string()),
            _ => None,
        });
        Some((live, keeper, told.map(|told| format!("would be set: {told}")).collect()))
    }
}

/// Pools that follow their document and their control plane.
impl Cluster {
    /// Pools that Berth made for this document and that it no longer names.
    fn surplus<'a>(&self, facts: &'a Facts) -> Vec<&'a Value> {
        all(facts, &self.place.node_pools())
            .filter(|pool| text(pool, &["spec", "clusterName"]) == Some(&self.place.name))
            .filter(|pool| is_ours(pool) && label(pool, DOCUMENT_LABEL) == Some(&self.place.name))
            .filter(|pool| !self.pools.iter().any(|(wanted, _)| wanted == name(pool)))
            .collect()
    }

    /// The pools whose release has to wait until the control plane has come so far, each with the image it waits for.
    fn held(&self, facts: &Facts) -> Vec<(String, String)> {
        let Some(cluster) = facts.object(&self.place.hosted_cluster()) else {
            return Vec::new();
        };
        let waits = |(pool, image): &(String, String)| {
            let live = find(facts, &self.place.node_pools(), pool);
            let runs = live.and_then(|live| text(live, &["spec", "release", "image"]));
            runs != Some(image) && upgrade::is_ahead(cluster, image)
        };
        self.pools.iter().filter(|pool| waits(pool)).cloned().collect()
    }

    /// A pool may not be newer than its control plane: until that is upgraded, the pool keeps what it runs, and a new one
    /// is not made.
    fn hold_back(&self, facts: &Facts, changes: &mut Vec<Change>) {
        for (pool, image) in self.held(facts) {
            let live = find(facts, &self.place.node_pools(), &pool);
            let runs = live.and_then(|live| text(live, &["spec", "release", "image"]));
            let is_whole = |change: &Change| {
                matches!(change, Change::Apply { object, .. }
                    if object.resource == resources::NODE_POOL && object.name == pool)
            };
            let is_release = |change: &Change| {
                matches!(change, Change::Set { object, path, .. }
                    if object.resource == resources::NODE_POOL && object.name == pool && path.starts_with(&["spec".to_owned(), "release".to_owned()]))
            };
            changes.retain(|change| !is_release(change));
            match (runs, changes.iter_mut().find(|change| is_whole(change))) {
                (Some(runs), Some(Change::Apply { fields, .. })) => fields["spec"]["release"]["image"] = runs.into(),
                _ => changes.retain(|change| !is_whole(change)),
            }
            changes.push(Change::Later {
                what: format!("NodePool {}/{pool}: spec.release.image: {image}", self.place.namespace),
                after: ids::cluster(&self.place.name),
            });
        }
    }

    /// The plan's edits, and those that are held back.
    fn with_held(&self, facts: &Facts, edits: &[Edit]) -> Vec<Edit> {
        let held = self.held(facts).into_iter().filter_map(|(pool, image)| {
            let live = find(facts, &self.place.node_pools(), &pool)?;
            Some(Edit::Changed {
                object: ObjectRef::namespaced(resources::NODE_POOL, &self.place.namespace, pool),
                path: "spec.release.image".to_owned(),
                from: views::at(live, &["spec", "release", "image"]).cloned(),
                to: Some(image.into()),
            })
        });
        edits.iter().cloned().chain(held).collect()
    }

    /// What is still under way besides the control plane's being there: an upgrade that pools wait for, pools that go.
    fn unfinished(&self, facts: &Facts, cluster: &Value) -> Option<Assessment> {
        let held = self.held(facts);
        if let Some((pool, _)) = held.first() {
            let progress = upgrade::progress(facts, &self.place, cluster);
            let detail = format!("{progress}; then the pools follow, {pool} first");
            return Some(Assessment::waiting("ControlPlaneUpgrading", detail));
        }
        let going = self.surplus(facts);
        let pool = going.first()?;
        let left = workers_of(facts, &self.place, name(pool)).len();
        let detail = format!("NodePool {} is being deleted, {left} machines are left", name(pool));
        Some(Assessment::waiting("PoolGoing", detail))
    }
}

impl Step for Cluster {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        format!("Create the hosted cluster {}", self.guest.name)
    }

    fn after(&self) -> Vec<Dependency> {
        vec![Dependency {
            step: ids::ENGINE.into(),
            reason: "HyperShift brings the kind HostedCluster and acts on it",
        }]
    }

    fn lock(&self) -> Lock {
        lock(&self.place)
    }

    /// A namespace that exists is left as it is: several guests may share one, and it may be somebody else's. So is a guest
    /// whose document asks for fields that this hub would drop, that a repository keeps, or whose encryption key is lost.
    fn changes(&self, facts: &Facts) -> Vec<Change> {
        let mut changes = Vec::new();
        let is_missing = self.guest.spec.adopt && facts.object(&self.place.hosted_cluster()).is_none();
        let is_refused = !fields::unknown(&self.guest, facts).is_empty() || self.kept(facts).is_some();
        if is_missing || is_refused || self.lost_key(facts).is_some() {
            return changes;
        }
        if facts.object(&self.namespace()).is_none() {
            changes.push(Change::CreateOnce {
                object: ObjectRef::cluster(resources::NAMESPACE, &self.guest.namespace),
                fields: objects::namespace(&self.guest, &self.management),
                generate: Vec::new(),
            });
        }
        changes.extend(objects::changes(&self.guest, facts));
        self.hold_back(facts, &mut changes);
        changes.extend(self.surplus(facts).into_iter().map(|pool| Change::Absent {
            object: ObjectRef::namespaced(resources::NODE_POOL, &self.place.namespace, name(pool)),
        }));
        changes
    }

    /// What a held-back upgrade of a pool will do is told with the upgrade that holds it.
    fn forecast(&self, facts: &Facts, edits: &[Edit]) -> Vec<Forecast> {
        forecast::forecast(facts, &self.place, &self.with_held(facts, edits))
    }

    fn forecast_watches(&self, facts: &Facts, edits: &[Edit]) -> Vec<Selector> {
        forecast::watches(facts, &self.place, &self.with_held(facts, edits))
    }

    fn watches(&self) -> Vec<Selector> {
        let mut watches = self.place.control_plane_watches();
        watches.push(self.namespace());
        watches.push(self.place.inside(resources::MACHINE));
        watches.extend(fields::watches());
        watches.extend(super::removal::watches(&self.place));
        watches
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        let unknown = fields::unknown(&self.guest, facts);
        if let Some(first) = unknown.first() {
            let found = diagnosis(
                "unknown-field",
                "the document asks for what this hub's HyperShift does not know",
                &first.object,
                unknown.iter().map(fields::told),
                fields::fix(first),
            );
            return Assessment::Fatal { diagnosis: found };
        }
        if let Some(unread) = hub::unread(facts, &[self.place.hosted_cluster()]) {
            return unread;
        }
        if let Some(key) = self.lost_key(facts) {
            return without_key(&self.place, key);
        }
        let Some(cluster) = facts.object(&self.place.hosted_cluster()) else {
            if self.guest.spec.adopt {
                return nothing_to_adopt(&self.place);
            }
            return Assessment::waiting("NoHostedCluster", "the HostedCluster is not there yet");
        };
        if is_deleting(cluster) {
            return being_deleted(&self.place, cluster);
        }
        if let Some((object, keeper, edits)) = self.kept(facts) {
            return kept_elsewhere(&self.place, object, &keeper, edits);
        }
        let outstanding = outstanding(facts, &self.place, cluster).or_else(|| self.unfinished(facts, cluster));
        match outstanding {
            Some(waiting) => explained(observed, waiting, first_cause(facts, &self.place)),
            None => Assessment::Ready {
                outputs: outputs(&self.place, cluster),
            },
        }
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        objects::commands(&self.guest)
    }

    fn remove(&self, facts: &Facts) -> Vec<Removal> {
        super::removal::removals(facts, &self.place)
    }
}

fn nothing_to_adopt(place: &GuestRef) -> Assessment {
    Assessment::Fatal {
        diagnosis: diagnosis(
            "nothing-to-adopt",
            "the document adopts a hosted cluster that is not there",
            place.label(),
            ["`spec.adopt` is for what somebody else made; nothing is made for it".to_owned()],
            "take `adopt` out of the document to make the guest, or correct its name and namespace",
        ),
    }
}

fn kept_elsewhere(place: &GuestRef, object: &Value, keeper: &str, edits: Vec<String>) -> Assessment {
    Assessment::Fatal {
        diagnosis: diagnosis(
            "kept",
            format!("{keeper} keeps it as a repository has it, and would take the change back"),
            format!(
                "{} {}/{}",
                object["kind"].as_str().unwrap_or_default(),
                place.namespace,
                name(object)
            ),
            edits,
            "change it in the repository, or make the document say what is there",
        ),
    }
}

fn without_key(place: &GuestRef, key: &str) -> Assessment {
    let (namespace, inside) = (&place.namespace, place.control_plane_namespace());
    Assessment::Blocked {
        diagnosis: diagnosis(
            "C28",
            "the key that the guest's store is encrypted with is gone",
            format!("Secret {namespace}/{key}"),
            ["the HostedCluster refers to it; a new key would make the store unreadable, so none is made".to_owned()],
            format!("bring it back from a backup, or from its copy, the Secret {key} in the namespace {inside}"),
        ),
        recheck_at: None,
    }
}

fn being_deleted(place: &GuestRef, cluster: &Value) -> Assessment {
    Assessment::Blocked {
        diagnosis: diagnosis(
            "",
            "the hosted cluster is being deleted",
            place.label(),
            [format!(
                "deletionTimestamp {}",
                text(cluster, &["metadata", "deletionTimestamp"]).unwrap_or_default()
            )],
            "wait until it is gone; the next attempt makes it anew",
        ),
        recheck_at: None,
    }
}

fn outputs(place: &GuestRef, cluster: &Value) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::from([("controlPlaneNamespace".to_owned(), place.control_plane_namespace())]);
    if let Some(endpoint) = access::endpoint(cluster) {
        outputs.insert("apiServer".to_owned(), format!("https://{endpoint}"));
    }
    outputs
}

/// What the control plane still lacks.
fn outstanding(facts: &Facts, place: &GuestRef, cluster: &Value) -> Option<Assessment> {
    let available = views::condition(cluster, "Available");
    if !is_observed(cluster) {
        return Some(Assessment::waiting(
            "NotObserved",
            "the operator has not seen the newest spec yet",
        ));
    }
    if available.is_none_or(|condition| !condition.is_true()) {
        return Some(not_available(facts, place, cluster));
    }
    if let Some(condition) = available.filter(|condition| !matches!(condition.reason, "AsExpected" | "")) {
        return Some(Assessment::waiting(condition.reason, line(condition.message)));
    }
    if views::kubeconfig_secret(cluster).is_none() {
        return Some(Assessment::waiting("NoKubeconfig", "the kubeconfig is not there yet"));
    }
    // Absent in older generations, where this list is empty.
    let components = facts.objects(&place.inside(resources::CONTROL_PLANE_COMPONENT));
    let missing: Vec<_> = components
        .iter()
        .filter(|component| !views::is_true(component, "Available"))
        .map(|component| name(component))
        .collect();
    (!missing.is_empty()).then(|| {
        let detail = format!("waits for {}", some_of(&missing));
        let (done, total) = (components.len() - missing.len(), components.len());
        Assessment::counted("ComponentsNotAvailable", detail, as_count(done), as_count(total))
    })
}

/// The most telling of the conditions that are not met, with a count of what runs.
fn not_available(facts: &Facts, place: &GuestRef, cluster: &Value) -> Assessment {
    let order = [
        "InfrastructureReady",
        "EtcdAvailable",
        "KubeAPIServerAvailable",
        "Available",
    ];
    let telling = order.into_iter().find_map(|kind| failed(cluster, kind));
    let (reason, message) = match &telling {
        Some(condition) => (reason_or(condition, "NotAvailable"), line(condition.message)),
        None => ("NoStatus", "the operator has not reported yet"),
    };
    let workloads: Vec<_> = [resources::STATEFUL_SET, resources::DEPLOYMENT]
        .into_iter()
        .flat_map(|kind| facts.objects(&place.inside(kind)))
        .map(|workload| views::rollout(workload))
        .filter(|rollout| rollout.wanted > 0)
        .collect();
    if workloads.is_empty() {
        return Assessment::waiting(reason, message);
    }
    let running = workloads
        .iter()
        .filter(|rollout| rollout.ready >= rollout.wanted)
        .count();
    let detail = format!(
        "{message} ({running} of {} workloads of the control plane run)",
        workloads.len()
    );
    Assessment::counted(reason, detail, as_count(running), as_count(workloads.len()))
}
