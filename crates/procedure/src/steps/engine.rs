//! `multicluster-engine`: the engine itself, until hosted clusters can be made.
//!
//! The engine calls itself Available before HyperShift runs: it looks at an add-on's lease and at the mere presence of
//! local-cluster's conditions. So the step asks each part on its own.

mod causes;
mod parts;

use std::collections::BTreeMap;
use std::sync::Arc;

use berth_api::{MulticlusterEngine, Resource, resources};
use serde_json::{Value, json};

use crate::assess::{Assessment, Observed};
use crate::change::{Change, ObjectRef};
use crate::facts::{Facts, Selector};
use crate::owner::Owner;
use crate::read::{crd, is_ours, text};
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::hub::{self, Manager};
use crate::steps::{apply_command, command, ids};
use crate::walk::explained;

const ADD_ON: &str = "hypershift-addon";
/// The HyperShift operator's Deployment.
const OPERATOR: (&str, &str) = ("hypershift", "operator");
/// Components without which no hosted cluster can be made here.
const NEEDED: [&str; 3] = ["hypershift", "hypershift-local-hosting", "local-cluster"];

/// The step.
#[derive(Debug)]
pub(crate) struct Engine {
    id: StepId,
    owner: Owner,
    settings: Arc<MulticlusterEngine>,
    after: Vec<Dependency>,
}

impl Engine {
    pub(crate) fn new(owner: Owner, settings: Arc<MulticlusterEngine>, after: Vec<Dependency>) -> Self {
        Self {
            id: ids::ENGINE.into(),
            owner,
            settings,
            after,
        }
    }

    fn object(&self) -> Value {
        let mut object = self.bare_object();
        self.owner.mark(&mut object);
        object
    }

    fn bare_object(&self) -> Value {
        json!({
            "apiVersion": resources::MULTI_CLUSTER_ENGINE.api_version(), "kind": "MultiClusterEngine",
            "metadata": { "name": hub::ENGINE_NAME },
            "spec": self.settings.overrides,
        })
    }
}

impl Step for Engine {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        "Run the multicluster engine with HyperShift".to_owned()
    }

    fn after(&self) -> Vec<Dependency> {
        self.after.clone()
    }

    fn lock(&self) -> Lock {
        Lock::Hub
    }

    fn changes(&self, facts: &Facts) -> Vec<Change> {
        let theirs = hub::engine(facts).is_some_and(|engine| !is_ours(engine));
        if theirs || hub::manager(facts, &self.settings) == Manager::Hub {
            return Vec::new();
        }
        vec![Change::Apply {
            object: ObjectRef::cluster(resources::MULTI_CLUSTER_ENGINE, hub::ENGINE_NAME),
            fields: self.object(),
        }]
    }

    fn watches(&self) -> Vec<Selector> {
        let mut watches = hub::watches();
        watches.extend([
            Selector::all(resources::MANAGED_CLUSTER),
            parts::add_ons(),
            Selector::named(resources::DEPLOYMENT, OPERATOR.0, OPERATOR.1),
            crd(resources::HOSTED_CLUSTER),
        ]);
        watches
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        if let Some(unread) = hub::unread(facts, &[Selector::all(resources::MULTI_CLUSTER_ENGINE)]) {
            return unread;
        }
        let Some(engine) = hub::engine(facts) else {
            return Assessment::waiting("NoEngine", "the MultiClusterEngine is not there yet");
        };
        match parts::outstanding(facts) {
            None => Assessment::Ready {
                outputs: outputs(engine),
            },
            // While the engine itself is under way, its own count says more than the first part that is missing.
            Some(outstanding) => {
                let waiting = parts::components(engine).unwrap_or(outstanding);
                explained(observed, waiting, causes::first_cause(facts, engine))
            }
        }
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        vec![
            apply_command("", &self.bare_object()),
            command(
                "Available of the engine alone does not mean that HyperShift runs: ask each part",
                format!(
                    "oc wait mce/{} --for=jsonpath='{{.status.phase}}'=Available --timeout=15m\n\
                     oc wait managedcluster/local-cluster --for=condition=ManagedClusterConditionAvailable --timeout=10m\n\
                     oc wait managedclusteraddon/{ADD_ON} -n local-cluster --for=condition=Available --timeout=10m\n\
                     oc wait managedclusteraddon/{ADD_ON} -n local-cluster --for=condition=Degraded=False --timeout=10m\n\
                     oc rollout status deployment/{} -n {} --timeout=10m\n\
                     oc wait crd/hostedclusters.hypershift.openshift.io --for=condition=Established --timeout=5m",
                    hub::ENGINE_NAME,
                    OPERATOR.1,
                    OPERATOR.0
                ),
            ),
        ]
    }

    fn provides(&self) -> Vec<&'static Resource> {
        vec![
            resources::HOSTED_CLUSTER,
            resources::NODE_POOL,
            resources::HOSTED_CONTROL_PLANE,
            resources::MACHINE,
            resources::MANAGED_CLUSTER,
            resources::MANAGED_CLUSTER_ADD_ON,
        ]
    }

    fn hub_wide(&self) -> Option<&'static str> {
        Some("runs cluster management and HyperShift on the hub and imports the hub as local-cluster; nothing restarts")
    }
}

fn outputs(engine: &Value) -> BTreeMap<String, String> {
    let version = text(engine, &["status", "currentVersion"]);
    version
        .map(|version| ("version".to_owned(), version.to_owned()))
        .into_iter()
        .collect()
}
