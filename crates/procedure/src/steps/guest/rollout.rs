//! `guest/N/rollout`: OpenShift is complete in the guest. It needs workers, and writes nothing.

use std::collections::BTreeMap;

use berth_api::{GuestCluster, resources, views};
use serde_json::Value;

use super::{is_observed, kubeconfig_watches, kubeconfigs, lock, objects, reference};
use crate::assess::{Assessment, Observed};
use crate::change::Change;
use crate::facts::{Facts, Seen, Selector, Target};
use crate::read::{as_count, some_of, text};
use crate::secret::Secret;
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{command, hub, ids};
use crate::upgrade;
use crate::versions::release_of;
use crate::walk::{GuestRef, control_plane, explained, rollout};

/// The step.
#[derive(Debug)]
pub(crate) struct Rollout {
    id: StepId,
    place: GuestRef,
    /// The release that is wanted; `None` for whichever it asks for.
    image: Option<String>,
    after: Vec<Dependency>,
}

impl Rollout {
    pub(crate) fn new(guest: &GuestCluster) -> Self {
        let mut after: Vec<_> = guest
            .spec
            .node_pools
            .iter()
            .map(|pool| Dependency {
                step: ids::pool(&guest.name, &pool.name),
                reason: "cluster operators run on workers",
            })
            .collect();
        if after.is_empty() {
            after.push(Dependency {
                step: ids::cluster(&guest.name),
                reason: "the control plane rolls out the rest",
            });
        }
        Self {
            id: ids::rollout(&guest.name),
            place: reference(guest),
            image: release(&objects::wanted(guest, resources::HOSTED_CLUSTER, &guest.name)),
            after,
        }
    }

    /// A roll-out by its guest, to come to a release.
    pub(crate) fn of(place: GuestRef, image: Option<String>, after: Vec<Dependency>) -> Self {
        Self {
            id: ids::rollout(&place.name),
            place,
            image,
            after,
        }
    }

    fn progress(&self, facts: &Facts, cluster: &Value) -> Assessment {
        let operators = facts.seen(&self.place.on_guest(resources::CLUSTER_OPERATOR));
        let newest = views::history(cluster).next();
        let version = newest
            .map(|entry| entry.version)
            .filter(|version| !version.is_empty())
            .unwrap_or("the release");
        // The history of a guest that was just asked for another release may still end with the one before.
        let asked = self
            .image
            .as_deref()
            .and_then(release_of)
            .map(|release| release.to_string());
        let is_other = |has: &str| asked.as_deref().is_some_and(|asked| !has.is_empty() && has != asked);
        let completed = newest.is_some_and(|entry| entry.state == "Completed" && !is_other(entry.version));
        let (unavailable, total) = rollout::operators(facts, &self.place);
        let progressing = views::is_true(cluster, "Progressing");
        let read = !matches!(operators, Seen::Pending);
        if completed && read && unavailable.is_empty() && !progressing && is_observed(cluster) {
            let mut outputs = BTreeMap::from([("version".to_owned(), version.to_owned())]);
            if let Seen::Unreadable(why) = operators {
                outputs.insert("clusterOperators".to_owned(), format!("not read: {why}"));
            }
            return Assessment::Ready { outputs };
        }
        let state = newest.map_or("not begun", |entry| entry.state);
        if total == 0 {
            let unread = if completed && !read {
                "; the guest's cluster operators are not read yet"
            } else {
                ""
            };
            return Assessment::waiting("Partial", format!("{version} is {state}{unread}"));
        }
        if upgrade::is_under_way(cluster) {
            let target = upgrade::target(cluster);
            let there = rollout::at_version(facts, &self.place, &target);
            let detail = upgrade::progress(facts, &self.place, cluster);
            return Assessment::counted("Upgrading", detail, as_count(there), as_count(total));
        }
        let done = total - unavailable.len();
        let detail = if unavailable.is_empty() {
            format!("{version} is {state}; all {total} cluster operators are available")
        } else {
            format!(
                "{version} is {state}; {done} of {total} cluster operators available, not yet {}",
                some_of(&unavailable)
            )
        };
        Assessment::counted("ClusterOperators", detail, as_count(done), as_count(total))
    }
}

/// The release that a HostedCluster asks for.
fn release(cluster: &Value) -> Option<String> {
    text(cluster, &["spec", "release", "image"]).map(str::to_owned)
}

impl Step for Rollout {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        format!("Roll out OpenShift in {}", self.place.name)
    }

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
        watches.extend(rollout::watches(&self.place));
        watches
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        if let Some(unread) = hub::unread(facts, &[self.place.hosted_cluster()]) {
            return unread;
        }
        let Some(cluster) = facts.object(&self.place.hosted_cluster()) else {
            return Assessment::waiting("NoHostedCluster", "the HostedCluster is not there yet");
        };
        // The write is the cluster's step's, which may still be at it: an older release's completion proves nothing.
        if self.image.is_some() && release(cluster) != self.image {
            return Assessment::waiting("NotWritten", "the HostedCluster does not ask for the release yet");
        }
        let progress = self.progress(facts, cluster);
        if progress.is_ready() {
            return progress;
        }
        let finding =
            control_plane::first_cause(facts, &self.place).or_else(|| rollout::first_cause(facts, &self.place));
        explained(observed, progress, finding)
    }

    fn kubeconfigs(&self, facts: &Facts) -> Vec<(Target, Secret)> {
        kubeconfigs(facts, &self.place)
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        let GuestRef { namespace, name } = &self.place;
        vec![
            command(
                "Complete when PROGRESS says Completed; AVAILABLE alone comes much earlier",
                format!(
                    "oc wait hostedcluster/{name} -n {namespace} --timeout=40m \
                     --for=jsonpath='{{.status.version.history[0].state}}'=Completed"
                ),
            ),
            command("", format!("oc get hostedcluster {name} -n {namespace}")),
        ]
    }
}
