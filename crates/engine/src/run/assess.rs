//! Asks a step how far it is, and tells it.

use std::time::Duration;

use berth_procedure::{Assessment, Change, Effect, Observed, Step};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::Run;
use crate::event::What;
use crate::report::Outcome;

/// A time to look again that has passed already is put off by this much.
const SOON: Duration = Duration::from_millis(100);

/// Longer than any step waits before it speaks of what may only seem wrong.
const LASTED: SignedDuration = SignedDuration::from_hours(24);

impl Run<'_> {
    pub(super) async fn assess(&mut self, index: usize, step: &dyn Step) {
        let (now, since) = (self.engine.now(), self.progress[index].since);
        let assessment = match step.assess(&Observed {
            facts: &self.world.facts,
            now,
            since,
        }) {
            Assessment::Ready { .. } if self.later(step).is_some() => {
                self.later(step).unwrap_or_else(Assessment::ready)
            }
            assessment => assessment,
        };
        self.progress[index].look_at = recheck_at(&assessment).map(|at| moment(at, now));
        match assessment {
            Assessment::Ready { outputs } => {
                let took_millis = self.end(
                    index,
                    Outcome::Ready {
                        outputs: outputs.clone(),
                    },
                );
                self.teller
                    .tell(What::StepReady {
                        step: step.id().clone(),
                        outputs,
                        took_millis,
                    })
                    .await;
            }
            Assessment::Fatal { diagnosis } => self.fail(index, diagnosis).await,
            assessment => self.show(index, assessment).await,
        }
    }

    /// What a wait is explained by once it has lasted is worth saying at the end, however short the wait was: the user did
    /// not want to wait any longer.
    pub(super) fn explain_unfinished(&mut self) {
        let now = self.engine.now();
        let now = now.checked_add(LASTED).unwrap_or(now);
        for (step, progress) in self.steps.iter().zip(&mut self.progress) {
            if !progress.has_begun() || progress.has_ended() {
                continue;
            }
            let since = progress.since;
            let assessment = step.assess(&Observed {
                facts: &self.world.facts,
                now,
                since,
            });
            if let Assessment::Blocked { .. } = assessment {
                progress.shown = Some(assessment);
            }
        }
    }

    /// What the step can't say yet what it will write or do.
    fn later(&self, step: &dyn Step) -> Option<Assessment> {
        let facts = &self.world.facts;
        let changes = step.changes(facts).into_iter().filter_map(|change| match change {
            Change::Later { what, after } => Some((what, after)),
            _ => None,
        });
        let effects = step.effects(facts).into_iter().filter_map(|effect| match effect {
            Effect::Later { what, after } => Some((what, after)),
            _ => None,
        });
        let (what, after) = changes.chain(effects).next()?;
        Some(Assessment::waiting(
            "NotKnownYet",
            format!("{what}: known after {after}"),
        ))
    }

    /// Tells how far a step is, if that is news.
    pub(super) async fn show(&mut self, index: usize, assessment: Assessment) {
        let step = self.steps[index].id().clone();
        let is_news = self.progress[index]
            .shown
            .as_ref()
            .is_none_or(|shown| !tells_the_same(shown, &assessment));
        if is_news {
            match assessment.clone() {
                Assessment::Waiting {
                    reason,
                    detail,
                    done,
                    total,
                    ..
                } => {
                    self.teller
                        .tell(What::Waiting {
                            step,
                            reason,
                            detail,
                            done,
                            total,
                        })
                        .await;
                }
                Assessment::Blocked { diagnosis, .. } => self.teller.tell(What::Blocked { step, diagnosis }).await,
                Assessment::Fatal { .. } | Assessment::Ready { .. } => {}
            }
        }
        self.progress[index].shown = Some(assessment);
    }
}

fn recheck_at(assessment: &Assessment) -> Option<Timestamp> {
    match assessment {
        Assessment::Waiting { recheck_at, .. } | Assessment::Blocked { recheck_at, .. } => *recheck_at,
        Assessment::Fatal { .. } | Assessment::Ready { .. } => None,
    }
}

/// Wall time as a moment of tokio's clock.
fn moment(at: Timestamp, now: Timestamp) -> Instant {
    let ahead = Duration::try_from(at.duration_since(now)).unwrap_or_default();
    Instant::now() + ahead.max(SOON)
}

/// Whether a user would learn nothing new. When to look again does not count, nor does evidence: it may tick (an age, a count of attempts) where nothing is new.
fn tells_the_same(a: &Assessment, b: &Assessment) -> bool {
    let told = |assessment: &Assessment| {
        let mut assessment = assessment.clone();
        if let Assessment::Waiting { recheck_at, .. } | Assessment::Blocked { recheck_at, .. } = &mut assessment {
            *recheck_at = None;
        }
        if let Assessment::Blocked { diagnosis, .. } = &mut assessment {
            diagnosis.evidence.clear();
        }
        assessment
    };
    told(a) == told(b)
}
