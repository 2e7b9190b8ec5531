//! How far a removal is, as its steps see it, told where that is news.

use std::collections::{BTreeMap, BTreeSet};

use berth_procedure::{Assessment, Blocker, Observed, Step, StepId};
use jiff::{SignedDuration, Timestamp};

use super::Blocked;
use crate::engine::Engine;
use crate::event::What;
use crate::known::World;
use crate::run::Teller;

/// What usually passes by itself is worth saying at the end of a removal that the user did not want to wait for any longer.
pub(super) const PASSES: SignedDuration = SignedDuration::from_secs(45);

/// What was told of the steps of one lock.
pub(super) struct Told<'a> {
    steps: Vec<&'a dyn Step>,
    since: Timestamp,
    of: BTreeMap<StepId, Last>,
}

/// What was told last of a step.
#[derive(Default)]
struct Last {
    waiting: Option<String>,
    /// Each blocker's name, with what was said of it.
    blockers: BTreeMap<String, Blocker>,
}

/// How far the steps are.
#[derive(Default)]
pub(super) struct Stand {
    /// What is waited for, for people; nothing where no step has anything to say.
    pub(super) detail: Option<String>,
    /// What will not go by itself, with what is about to be that.
    pub(super) blockers: Vec<Blocked>,
    /// When to look again even if nothing changes.
    pub(super) look_at: Option<Timestamp>,
}

impl<'a> Told<'a> {
    pub(super) fn new(steps: Vec<&'a dyn Step>, since: Timestamp) -> Self {
        Self {
            steps,
            since,
            of: BTreeMap::new(),
        }
    }

    /// Asks every step how far it is.
    pub(super) async fn look(&mut self, engine: &Engine, world: &World, teller: &Teller) -> Stand {
        let (facts, now, since) = (&world.facts, engine.now(), self.since);
        let mut stand = Stand::default();
        for step in &self.steps {
            let observed = Observed { facts, now, since };
            let last = self.of.entry(step.id().clone()).or_default();
            let blockers = step.blockers(&observed);
            for what in last.blocked(step.id(), &blockers) {
                teller.tell(what).await;
            }
            match step.assess(&observed) {
                Assessment::Waiting {
                    reason,
                    detail,
                    done,
                    total,
                    recheck_at,
                } => {
                    stand.look_at = sooner(stand.look_at, recheck_at);
                    stand.detail.get_or_insert_with(|| detail.clone());
                    if last.waiting.as_ref() != Some(&detail) {
                        last.waiting = Some(detail.clone());
                        let step = step.id().clone();
                        let waiting = What::Waiting {
                            step,
                            reason,
                            detail,
                            done,
                            total,
                        };
                        teller.tell(waiting).await;
                    }
                }
                Assessment::Blocked { diagnosis, recheck_at } => {
                    stand.look_at = sooner(stand.look_at, recheck_at);
                    stand.detail.get_or_insert(diagnosis.title);
                    // Told again once nothing is in the way.
                    last.waiting = None;
                }
                Assessment::Fatal { .. } | Assessment::Ready { .. } => {}
            }
            let soon = now.checked_add(PASSES).unwrap_or(now);
            let eventually = Observed {
                facts,
                now: soon,
                since,
            };
            stand.blockers.extend(Blocked::of(*step, &eventually));
        }
        stand
    }
}

impl Last {
    /// What is news about a step's blockers. Evidence may tick where nothing is new.
    fn blocked(&mut self, step: &StepId, now: &[Blocker]) -> Vec<What> {
        let told = now.iter().filter(|blocker| blocker.explained_by.is_none());
        let names: BTreeSet<&str> = told.clone().map(|blocker| blocker.name.as_str()).collect();
        let gone: Vec<String> = self
            .blockers
            .keys()
            .filter(|name| !names.contains(name.as_str()))
            .cloned()
            .collect();
        let mut news = Vec::new();
        for name in gone {
            self.blockers.remove(&name);
            news.push(What::RemovalUnblocked {
                step: step.clone(),
                name,
            });
        }
        for blocker in told {
            let before = self.blockers.insert(blocker.name.clone(), blocker.clone());
            if before.is_none_or(|before| !tells_the_same(&before, blocker)) {
                news.push(What::RemovalBlocked {
                    step: step.clone(),
                    blocker: blocker.clone(),
                });
            }
        }
        news
    }
}

fn tells_the_same(a: &Blocker, b: &Blocker) -> bool {
    let (a_found, b_found) = (&a.diagnosis, &b.diagnosis);
    (&a_found.id, &a_found.title, &a_found.object) == (&b_found.id, &b_found.title, &b_found.object)
        && std::mem::discriminant(&a.release) == std::mem::discriminant(&b.release)
}

fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
