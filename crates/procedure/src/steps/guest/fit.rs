//! Before an upgrade that a command asks for: every rule about it passes. It writes nothing.

use std::collections::BTreeMap;

use super::{kubeconfig_watches, kubeconfigs, lock};
use crate::assess::{Assessment, Observed};
use crate::change::Change;
use crate::checks::upgrade::{self, Wish};
use crate::checks::{CheckResult, Verdict};
use crate::facts::{Facts, Selector, Target};
use crate::secret::Secret;
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::hub;
use crate::steps::prerequisites::explain;

/// The step.
#[derive(Debug)]
pub(crate) struct Fit {
    pub(crate) id: StepId,
    pub(crate) wish: Wish,
}

impl Step for Fit {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        format!("Check that {} can be upgraded", self.wish.place.name)
    }

    fn after(&self) -> Vec<Dependency> {
        Vec::new()
    }

    fn lock(&self) -> Lock {
        lock(&self.wish.place)
    }

    fn changes(&self, _facts: &Facts) -> Vec<Change> {
        Vec::new()
    }

    fn watches(&self) -> Vec<Selector> {
        let mut watches = upgrade::watches(&self.wish.place);
        watches.extend(kubeconfig_watches(&self.wish.place));
        watches
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let all = Selector::all(berth_api::resources::HOSTED_CLUSTER);
        if let Some(unread) = hub::unread(observed.facts, &[all]) {
            return unread;
        }
        let results = upgrade::judge(&self.wish, observed.facts);
        let refused: Vec<&CheckResult> = results.iter().filter(|result| result.is_refused()).collect();
        if let Some((first, others)) = refused.split_first() {
            return Assessment::Fatal {
                diagnosis: explain(first, others),
            };
        }
        let warned = results.iter().filter(|result| result.verdict == Verdict::Warn);
        let warned = warned.map(|result| {
            let what = format!("warning {} ({})", result.id, result.title);
            (what, format!("{}; {}", result.evidence, result.fix))
        });
        let mut outputs: BTreeMap<String, String> = warned.collect();
        let passed = results.iter().filter(|result| result.verdict == Verdict::Pass).count();
        outputs.insert("passed".to_owned(), format!("{passed} of {}", results.len()));
        Assessment::Ready { outputs }
    }

    fn kubeconfigs(&self, facts: &Facts) -> Vec<(Target, Secret)> {
        kubeconfigs(facts, &self.wish.place)
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        Vec::new()
    }
}
