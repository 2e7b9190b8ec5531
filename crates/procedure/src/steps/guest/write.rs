//! What a command asks for, as a step: fields of a guest's objects, a pool more or a pool less. It ends when what was asked
//! for has taken hold; how workers or a roll-out come along is told by the steps after it.

use std::collections::BTreeSet;

use berth_api::{resources, views};
use serde_json::Value;

use super::lock;
use crate::assess::{Assessment, Observed};
use crate::change::Change;
use crate::facts::{Facts, Selector};
use crate::forecast::{self, Edit, Forecast};
use crate::patch::is_merged;
use crate::read::{failed, find, is_deleting, name};
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{command, hub};
use crate::walk::guest::workers_of;
use crate::walk::{GuestRef, diagnosis};

/// When a write has taken hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Once it is written.
    Written,
    /// Once the operator says that it leaves the objects alone.
    Paused,
    /// Once the operator says that it goes on with the objects.
    Resumed,
    /// Once the objects are gone.
    Gone,
}

/// The step.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) id: StepId,
    pub(crate) title: String,
    pub(crate) place: GuestRef,
    pub(crate) after: Vec<Dependency>,
    pub(crate) changes: Vec<Change>,
    pub(crate) until: Until,
}

/// Tools that keep objects as a repository has them: what is written beside them, they take back.
const KEEPERS: [&str; 6] = [
    "argocd",
    "openshift-gitops",
    "kustomize-controller",
    "helm-controller",
    "flux",
    "governance-policy",
];

impl Write {
    /// The objects that are written, as they are.
    fn objects<'a>(&self, facts: &'a Facts) -> Vec<&'a Value> {
        let live = |change: &Change| match change {
            Change::Merge { object, .. } | Change::Absent { object } if object.resource == resources::NODE_POOL => {
                find(facts, &self.place.node_pools(), &object.name)
            }
            Change::Merge { .. } | Change::Absent { .. } => facts.object(&self.place.hosted_cluster()),
            _ => None,
        };
        self.changes.iter().filter_map(live).collect()
    }

    /// An object that something else keeps as it is, with who that is.
    fn kept<'a>(&self, facts: &'a Facts) -> Option<(&'a Value, String)> {
        self.objects(facts)
            .into_iter()
            .find_map(|object| Some((object, keeper(object)?)))
    }

    fn is_open(&self, facts: &Facts) -> bool {
        self.changes.iter().any(|change| match change {
            Change::Merge { object, fields } => {
                let live = if object.resource == resources::NODE_POOL {
                    find(facts, &self.place.node_pools(), &object.name)
                } else {
                    facts.object(&self.place.hosted_cluster())
                };
                live.is_none_or(|live| !is_merged(fields, live))
            }
            _ => true,
        })
    }

    fn gone(&self, facts: &Facts) -> Assessment {
        let Some(pool) = self.objects(facts).into_iter().next() else {
            return Assessment::ready();
        };
        let left = workers_of(facts, &self.place, name(pool)).len();
        let state = if is_deleting(pool) {
            "is being deleted"
        } else {
            "is still there"
        };
        Assessment::waiting(
            "PoolGoing",
            format!("NodePool {} {state}, {left} machines are left", name(pool)),
        )
    }

    fn told(&self, facts: &Facts) -> Assessment {
        let lags = self.objects(facts).into_iter().find(|object| {
            let condition = views::condition(object, "ReconciliationActive");
            match self.until {
                Until::Paused => condition.is_none_or(|condition| !condition.is_false()),
                _ => failed(object, "ReconciliationActive").is_some(),
            }
        });
        match lags {
            Some(object) => {
                let detail = format!("the operator has not said so of {} yet", name(object));
                Assessment::waiting("ReconciliationActive", detail)
            }
            None => Assessment::ready(),
        }
    }
}

/// Who keeps an object as a repository has it, if anybody does.
pub(super) fn keeper(object: &Value) -> Option<String> {
    let managers: BTreeSet<&str> = views::list(object, &["metadata", "managedFields"])
        .iter()
        .filter_map(|entry| entry["manager"].as_str())
        .collect();
    let by_manager = managers
        .into_iter()
        .find(|manager| KEEPERS.iter().any(|keeper| manager.starts_with(keeper)));
    let metadata = views::metadata(object);
    let tracked = metadata.annotation("argocd.argoproj.io/tracking-id").is_some()
        || metadata.label("argocd.argoproj.io/instance").is_some();
    let flux = metadata.label("kustomize.toolkit.fluxcd.io/name").is_some()
        || metadata.label("helm.toolkit.fluxcd.io/name").is_some();
    by_manager
        .map(str::to_owned)
        .or_else(|| tracked.then(|| "Argo CD".to_owned()))
        .or_else(|| flux.then(|| "Flux".to_owned()))
}

impl Step for Write {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        self.title.clone()
    }

    fn after(&self) -> Vec<Dependency> {
        self.after.clone()
    }

    fn lock(&self) -> Lock {
        lock(&self.place)
    }

    fn changes(&self, _facts: &Facts) -> Vec<Change> {
        self.changes.clone()
    }

    fn watches(&self) -> Vec<Selector> {
        vec![
            self.place.hosted_cluster(),
            self.place.node_pools(),
            self.place.inside(resources::MACHINE),
        ]
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        if let Some(unread) = hub::unread(facts, &[self.place.hosted_cluster(), self.place.node_pools()]) {
            return unread;
        }
        if let Some((object, keeper)) = self.kept(facts).filter(|_| self.is_open(facts)) {
            let kind = object["kind"].as_str().unwrap_or_default();
            let lines = self.commands(facts).into_iter().map(|command| command.line);
            return Assessment::Fatal {
                diagnosis: diagnosis(
                    "kept",
                    format!("{keeper} keeps it as a repository has it, and would take the change back"),
                    format!("{kind} {}/{}", self.place.namespace, name(object)),
                    lines.map(|line| format!("would be: {line}")),
                    "change it in the repository",
                ),
            };
        }
        match self.until {
            Until::Written => Assessment::ready(),
            Until::Paused | Until::Resumed => self.told(facts),
            Until::Gone => self.gone(facts),
        }
    }

    fn forecast(&self, facts: &Facts, edits: &[Edit]) -> Vec<Forecast> {
        forecast::forecast(facts, &self.place, edits)
    }

    fn forecast_watches(&self, facts: &Facts, edits: &[Edit]) -> Vec<Selector> {
        forecast::watches(facts, &self.place, edits)
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        let line = |change: &Change| match change {
            Change::Merge { object, fields } => {
                let kind = object.resource.kind.to_lowercase();
                let patch = fields.to_string().replace('\'', r"'\''");
                Some(format!(
                    "oc patch {kind} {} -n {} --type=merge -p '{patch}'",
                    object.name, self.place.namespace
                ))
            }
            Change::Absent { object } => Some(format!(
                "oc delete {} {} -n {}",
                object.resource.kind.to_lowercase(),
                object.name,
                self.place.namespace
            )),
            Change::CreateOnce { fields, .. } => Some(crate::steps::apply_command("", fields).line),
            _ => None,
        };
        self.changes
            .iter()
            .filter_map(line)
            .map(|line| command("", line))
            .collect()
    }
}
