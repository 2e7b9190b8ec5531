//! `prerequisites`: every rule of [`checks`] that no later step mends passes. It writes nothing.

use std::collections::BTreeMap;

use berth_api::Documents;

use crate::assess::{Assessment, Diagnosis, Observed};
use crate::change::Change;
use crate::checks::{self, CheckResult, Verdict};
use crate::facts::{Facts, Seen, Selector};
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{command, ids};

/// The step.
#[derive(Debug)]
pub(crate) struct Prerequisites {
    id: StepId,
    documents: Documents,
}

impl Prerequisites {
    pub(crate) fn new(documents: Documents) -> Self {
        Self {
            id: ids::PREREQUISITES.into(),
            documents,
        }
    }
}

impl Step for Prerequisites {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        "Check the management cluster".to_owned()
    }

    fn after(&self) -> Vec<Dependency> {
        Vec::new()
    }

    fn lock(&self) -> Lock {
        Lock::Hub
    }

    fn changes(&self, _facts: &Facts) -> Vec<Change> {
        Vec::new()
    }

    fn watches(&self) -> Vec<Selector> {
        checks::watches(&self.documents)
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let unread = checks::watches(&self.documents)
            .into_iter()
            .find(|selector| *observed.facts.seen(selector) == Seen::Pending);
        if let Some(selector) = unread {
            return Assessment::waiting("Reading", format!("reading {}", selector.resource.plural));
        }
        let results = checks::run(&self.documents, observed.facts);
        let refused: Vec<_> = results.iter().filter(|result| result.is_refused()).collect();
        match refused.split_first() {
            Some((first, others)) => Assessment::Fatal {
                diagnosis: explain(first, others),
            },
            None => Assessment::Ready {
                outputs: outputs(&results),
            },
        }
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        vec![
            command(
                "The version decides the channel of the multicluster engine",
                "oc get clusterversion",
            ),
            command(
                "Three nodes that take pods",
                "oc get nodes -l node-role.kubernetes.io/worker",
            ),
            command(
                "OVNKubernetes, an MTU of about 9000, and the ranges that guests must not overlap",
                "oc get network.config cluster -o yaml",
            ),
            command("Available and not Degraded", "oc get hyperconverged -n openshift-cnv"),
            command("The classes, and which are the default", "oc get storageclass"),
            command(
                "Something that gives services an address",
                "oc get metallb,ipaddresspool,l2advertisement -A",
            ),
        ]
    }
}

/// The first refusal as a diagnosis, with the others as evidence.
pub(crate) fn explain(first: &CheckResult, others: &[&CheckResult]) -> Diagnosis {
    let place = |result: &CheckResult| result.at.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
    let mut evidence = vec![format!("{}{}", place(first), first.evidence)];
    evidence.extend(others.iter().map(|other| {
        format!(
            "also {} ({}): {}{}; {}",
            other.id,
            other.title,
            place(other),
            other.evidence,
            other.fix
        )
    }));
    Diagnosis {
        id: first.id.to_owned(),
        title: format!("not so: {}", first.title),
        object: first.object.clone(),
        evidence,
        fix: first.fix.clone(),
    }
}

/// What is worth a word although it does not stop anything.
fn outputs(results: &[CheckResult]) -> BTreeMap<String, String> {
    let passed = results.iter().filter(|result| result.verdict == Verdict::Pass).count();
    let mut outputs = BTreeMap::from([("passed".to_owned(), format!("{passed} of {}", results.len()))]);
    for result in results {
        match &result.verdict {
            Verdict::Warn => {
                outputs.insert(
                    format!("warning {} ({})", result.id, result.title),
                    format!("{}; {}", result.evidence, result.fix),
                );
            }
            Verdict::MendedBy(step) => {
                outputs.insert(result.title.clone(), format!("will be mended by {step}"));
            }
            Verdict::Pass | Verdict::Refused | Verdict::Unknown => {}
        }
    }
    outputs
}
