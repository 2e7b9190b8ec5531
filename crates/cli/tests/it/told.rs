//! What a user is told of a run, and what tests ask of it.

use berth_engine::{Event, Outcome, Plan, Report, RunError, What};
use berth_procedure::{Assessment, Diagnosis};

/// A run that has ended: what was planned, what was told, and what became of it.
pub(crate) struct Told {
    pub(crate) plan: Plan,
    pub(crate) events: Vec<Event>,
    pub(crate) result: Result<Report, RunError>,
}

impl Told {
    /// What was first told under an ID to explain why a step does not move.
    #[track_caller]
    pub(crate) fn blocked(&self, step: &str, id: &str) -> &Diagnosis {
        let told = self.events.iter().find_map(|event| match &event.what {
            What::Blocked {
                step: blocked,
                diagnosis,
            } if blocked.as_str() == step && diagnosis.id == id => Some(diagnosis),
            _ => None,
        });
        told.unwrap_or_else(|| panic!("{step} is not blocked by {id}: {:#?}", self.explained()))
    }

    /// Everything that was explained, by step.
    pub(crate) fn explained(&self) -> Vec<(&str, &Diagnosis)> {
        let explanation = self.events.iter().filter_map(|event| match &event.what {
            What::Blocked { step, diagnosis } | What::StepFailed { step, diagnosis, .. } => {
                Some((step.as_str(), diagnosis))
            }
            _ => None,
        });
        explanation.collect()
    }

    /// Nothing was explained to be wrong but this, and that once: a fault has one first cause, a healthy step raises no
    /// alarm, and what stays as it is isn't news.
    #[track_caller]
    pub(crate) fn only(&self, id: &str) {
        let explained = self.explained();
        let ids: Vec<_> = explained.iter().map(|(_, diagnosis)| diagnosis.id.as_str()).collect();
        assert_eq!(ids, [id], "{explained:#?}");
    }

    #[track_caller]
    pub(crate) fn ready(&self) {
        assert!(self.result.as_ref().is_ok_and(Report::is_ready), "{:#?}", self.result);
    }

    /// Why the checks before everything else refused; nothing was written.
    #[track_caller]
    pub(crate) fn refused(&self) -> &Diagnosis {
        let Err(RunError::Failed { report }) = &self.result else {
            panic!("the run is not refused: {:#?}", self.result);
        };
        assert_eq!(report.writes, 0);
        assert!(
            self.events
                .iter()
                .all(|event| !matches!(event.what, What::Wrote { .. }))
        );
        for step in &report.steps[1..] {
            assert!(matches!(step.outcome, Outcome::Skipped { .. }), "{step:#?}");
        }
        let Outcome::Failed { diagnosis } = &report.steps[0].outcome else {
            panic!("the checks do not refuse: {report:#?}");
        };
        assert_eq!(report.steps[0].id.as_str(), "prerequisites");
        // The plan that the user was shown said so already.
        assert_eq!(
            self.plan.steps[0].now,
            Assessment::Fatal {
                diagnosis: diagnosis.clone()
            }
        );
        diagnosis
    }

    /// What was last seen of a step when the time was over.
    #[track_caller]
    pub(crate) fn last_seen(&self, step: &str) -> (&str, Option<&Diagnosis>) {
        let Err(RunError::TimedOut { report, .. }) = &self.result else {
            panic!("the run has not timed out: {:#?}", self.result);
        };
        let found = report.steps.iter().find(|report| report.id.as_str() == step);
        match found.map(|report| &report.outcome) {
            Some(Outcome::Unfinished { waiting, diagnosis }) => (waiting, diagnosis.as_ref()),
            other => panic!("{step} is not unfinished: {other:#?}"),
        }
    }
}
