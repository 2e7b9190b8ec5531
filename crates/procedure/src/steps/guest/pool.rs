//! `guest/N/pool/P`: a pool's machines run and their nodes are Ready in the guest. It writes nothing: its NodePool is made
//! with the HostedCluster.

use std::collections::BTreeMap;

use berth_api::{GuestCluster, NodePool, resources, views};
use serde_json::Value;

use super::{kubeconfig_watches, kubeconfigs, lock, objects, reference};
use crate::assess::{Assessment, Observed};
use crate::change::Change;
use crate::facts::{Facts, Seen, Selector, Target};
use crate::read::{self, as_count, failed, find, holds, line, name, reason_or, text};
use crate::secret::Secret;
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{command, hub, ids};
use crate::versions::release_of;
use crate::walk::guest::workers_of;
use crate::walk::{GuestRef, control_plane, explained, workers};

/// The step.
#[derive(Debug)]
pub(crate) struct Pool {
    id: StepId,
    place: GuestRef,
    /// Name of the NodePool.
    object: String,
    title: String,
    /// How many workers the document wants (at least, where they are scaled), and their release.
    wanted: (i64, Option<String>),
    /// Whether the virtual machines run on another cluster, which this one does not see.
    elsewhere: bool,
    after: Vec<Dependency>,
}

impl Pool {
    pub(crate) fn new(guest: &GuestCluster, pool: &NodePool) -> Self {
        let title = match (&pool.autoscaling, pool.replicas) {
            (None, Some(replicas)) => format!("Bring up {replicas} workers ({})", pool.name),
            _ => format!("Bring up workers ({})", pool.name),
        };
        let object = guest.node_pool_name(pool);
        Self {
            id: ids::pool(&guest.name, &pool.name),
            place: reference(guest),
            wanted: asked(&objects::wanted(guest, resources::NODE_POOL, &object)),
            object,
            title,
            elsewhere: guest.spec.infra_cluster.is_some(),
            after: vec![Dependency {
                step: ids::ENGINE.into(),
                reason: "HyperShift brings the kind NodePool and acts on it",
            }],
        }
    }

    /// A pool by its NodePool, to come to what an object says.
    pub(crate) fn of(place: GuestRef, object: &str, wanted: &Value, after: Vec<Dependency>) -> Self {
        Self {
            id: ids::pool(&place.name, object),
            title: format!("Bring the workers of {object} along"),
            wanted: asked(wanted),
            object: object.to_owned(),
            elsewhere: !wanted["spec"]["platform"]["kubevirt"]["credentials"].is_null(),
            place,
            after,
        }
    }

    fn progress(&self, facts: &Facts, pool: &Value) -> Assessment {
        let replicas = views::replicas(pool);
        let wanted = u32::try_from(replicas.wanted).unwrap_or(0);
        let workers = Workers::of(facts, &self.place, &self.object);
        let machines_see = self.sees(facts, resources::VIRTUAL_MACHINE) && !self.elsewhere;
        let mut parts = vec![(workers.machines, "machines")];
        if machines_see {
            parts.push((workers.running, "virtual machines run"));
        }
        let nodes = facts.seen(&self.place.on_guest(resources::NODE));
        let is_read = *nodes != Seen::Pending;
        if is_read {
            parts.push((workers.ready, "nodes Ready"));
        }
        let mut told: Vec<String> = parts
            .iter()
            .map(|(done, what)| format!("{done} of {wanted} {what}"))
            .collect();
        if !is_read {
            told.push("nodes not read yet".to_owned());
        }
        let detail = told.join(", ");
        let detail = match nodes {
            Seen::Unreadable(why) => format!("{detail} (the guest's API cannot be asked: {why})"),
            _ => detail,
        };
        let detail = match self.updated(facts, pool) {
            Some(updated) => format!("{updated} of {wanted} updated; {detail}"),
            None => detail,
        };
        let surplus = !replicas.autoscaling && workers.machines > wanted;
        let short = !is_read || parts.iter().any(|(done, _)| *done < wanted);
        if short || surplus || replicas.current < replicas.wanted {
            return Assessment::counted(reason(pool), detail, workers.ready.min(wanted), wanted);
        }
        for kind in ["UpdatingVersion", "UpdatingConfig", "UpdatingPlatformMachineTemplate"] {
            if let Some(condition) = holds(pool, kind) {
                return Assessment::counted(
                    kind,
                    format!("{detail}; {}", line(condition.message)),
                    workers.ready,
                    wanted,
                );
            }
        }
        let version = text(pool, &["status", "version"]).map(|version| ("version".to_owned(), version.to_owned()));
        let mut outputs: BTreeMap<_, _> = version.into_iter().collect();
        outputs.insert("nodes".to_owned(), workers.ready.to_string());
        Assessment::Ready { outputs }
    }

    /// How many machines are at the release that the pool is being brought to; `None` where that is not under way, or not told.
    fn updated(&self, facts: &Facts, pool: &Value) -> Option<usize> {
        let wanted = release_of(self.wanted.1.as_deref()?)?.to_string();
        if text(pool, &["status", "version"]).is_none_or(|version| version == wanted) {
            return None;
        }
        let workers = workers_of(facts, &self.place, &self.object);
        let machines = read::objects(facts, &self.place.inside(resources::MACHINE));
        let own = machines.filter(|machine| workers.iter().any(|worker| worker.machine == name(machine)));
        let releases: Vec<&str> = own
            .filter_map(|machine| read::annotation(machine, "hypershift.openshift.io/release-version"))
            .collect();
        (!releases.is_empty()).then(|| releases.iter().filter(|release| **release == wanted).count())
    }

    fn sees(&self, facts: &Facts, resource: &'static berth_api::Resource) -> bool {
        matches!(facts.seen(&self.place.inside(resource)), Seen::Objects(_))
    }
}

/// What a NodePool asks for: how many workers, of which release.
fn asked(pool: &Value) -> (i64, Option<String>) {
    let image = text(pool, &["spec", "release", "image"]);
    (views::replicas(pool).wanted, image.map(str::to_owned))
}

/// Whether the operator has seen a NodePool as it is now; true where it doesn't say.
fn has_seen(pool: &Value) -> bool {
    let generation = views::metadata(pool).generation;
    let conditions = views::list(pool, &["status", "conditions"]).iter();
    let newest = conditions
        .filter_map(|condition| views::number(condition, &["observedGeneration"]))
        .max();
    newest.is_none_or(|observed| observed >= generation)
}

/// The reason of the first condition that is not met, in the order in which HyperShift evaluates them.
fn reason(pool: &Value) -> &str {
    let order = [
        "ValidReleaseImage",
        "IgnitionEndpointAvailable",
        "ValidMachineConfig",
        "ValidGeneratedPayload",
    ];
    let later = [
        "ReachedIgnitionEndpoint",
        "AllMachinesReady",
        "AllNodesHealthy",
        "Ready",
    ];
    let condition = order.into_iter().chain(later).find_map(|kind| failed(pool, kind));
    condition.map_or("WaitingForWorkers", |condition| {
        reason_or(&condition, "WaitingForWorkers")
    })
}

/// How many of a pool's workers have come how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Workers {
    machines: u32,
    running: u32,
    ready: u32,
}

impl Workers {
    fn of(facts: &Facts, place: &GuestRef, pool: &str) -> Self {
        let workers = workers_of(facts, place, pool);
        let running = read::objects(facts, &place.inside(resources::VIRTUAL_MACHINE))
            .filter(|vm| workers.iter().any(|worker| worker.vm == name(vm)))
            .filter(|vm| text(vm, &["status", "printableStatus"]) == Some("Running"))
            .count();
        let ready = read::objects(facts, &place.on_guest(resources::NODE))
            .filter(|node| workers.iter().any(|worker| worker.node == name(node)) && views::is_true(node, "Ready"))
            .count();
        Self {
            machines: as_count(workers.len()),
            running: as_count(running),
            ready: as_count(ready),
        }
    }
}

impl Step for Pool {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        self.title.clone()
    }

    /// The same as for the cluster: both begin together, and this one waits for what the other makes.
    fn after(&self) -> Vec<Dependency> {
        self.after.clone()
    }

    fn lock(&self) -> Lock {
        lock(&self.place)
    }

    fn changes(&self, _facts: &Facts) -> Vec<Change> {
        Vec::new()
    }

    fn watches(&self) -> Vec<Selector> {
        let mut watches = self.place.control_plane_watches();
        watches.extend(kubeconfig_watches(&self.place));
        watches.extend(self.place.worker_watches());
        watches
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        if let Some(unread) = hub::unread(facts, &[self.place.node_pools()]) {
            return unread;
        }
        let Some(pool) = find(facts, &self.place.node_pools(), &self.object) else {
            return Assessment::waiting("NoNodePool", "the NodePool is not there yet");
        };
        // The write is the cluster's step's, which runs beside this one: what was well before it proves nothing.
        if asked(pool) != self.wanted {
            return Assessment::waiting("NotWritten", "the NodePool does not ask for it yet");
        }
        if !has_seen(pool) {
            return Assessment::waiting("NotObserved", "the operator has not seen the newest spec yet");
        }
        let progress = self.progress(facts, pool);
        if progress.is_ready() {
            return progress;
        }
        // What is wrong with the control plane is told by the cluster's step; below it nothing can be judged yet.
        let finding = match control_plane::first_cause(facts, &self.place) {
            Some(_) => None,
            None => workers::first_cause(facts, &self.place, &self.object),
        };
        explained(observed, progress, finding)
    }

    fn kubeconfigs(&self, facts: &Facts) -> Vec<(Target, Secret)> {
        kubeconfigs(facts, &self.place)
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        let inside = self.place.control_plane_namespace();
        vec![
            command(
                "The pool",
                format!("oc get nodepool {} -n {}", self.object, self.place.namespace),
            ),
            command(
                "Its machines, and the virtual machines of the same names",
                format!("oc get machines.cluster.x-k8s.io,vm,vmi -n {inside}"),
            ),
        ]
    }
}
