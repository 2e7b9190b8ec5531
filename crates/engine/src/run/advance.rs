//! Looks at every step and does what can be done next for it: begin, write, act, assess.

use std::collections::BTreeSet;
use std::time::Duration;

use berth_procedure::{Assessment, Diagnosis, Effect, Lock, ObjectRef, Step};
use tokio::time::Instant;

use super::Run;
use super::tasks::Item;
use crate::event::What;
use crate::known::Standing;
use crate::object::object_of;
use crate::report::Outcome;

/// An object that is written so often within one run is changed back by somebody.
const TOO_OFTEN: u32 = 10;

/// An object that no watch shows is looked at again after this long.
const UNWATCHED: Duration = Duration::from_secs(2);

/// What the changes of a step ask for.
enum Wanted {
    /// Writes that can be made now.
    Writes(Vec<Item>),
    /// Nothing can be written yet.
    Wait(Assessment),
    /// Somebody keeps changing an object back.
    Contested(ObjectRef),
    Nothing,
}

impl Run<'_> {
    /// Does what can be done for each step; again, as long as steps end and let others begin.
    pub(super) async fn advance(&mut self) {
        loop {
            let mut moved = false;
            for index in 0..self.steps.len() {
                moved |= self.advance_step(index).await;
            }
            if !moved {
                break;
            }
            self.close_unneeded();
        }
        self.give_back_unneeded().await;
    }

    /// The earliest moment at which a step wants to be looked at.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.progress
            .iter()
            .filter(|progress| progress.task.is_none())
            .flat_map(|progress| [progress.retry, progress.look_at])
            .flatten()
            .min()
    }

    pub(super) async fn fail(&mut self, index: usize, diagnosis: Diagnosis) {
        let took_millis = self.progress[index].end(Outcome::Failed {
            diagnosis: diagnosis.clone(),
        });
        let step = self.steps[index].id().clone();
        self.teller
            .tell(What::StepFailed {
                step,
                diagnosis,
                took_millis,
            })
            .await;
    }

    /// Whether the step ended.
    async fn advance_step(&mut self, index: usize) -> bool {
        let step = self.steps[index].as_ref();
        if self.progress[index].has_ended() {
            return false;
        }
        if !self.progress[index].has_begun() {
            if let Some(because) = self.lost_dependency(step) {
                let id = step.id().clone();
                self.progress[index].end(Outcome::Skipped {
                    because: because.clone(),
                });
                self.teller.tell(What::StepSkipped { step: id, because }).await;
                return true;
            }
            if !self.may_begin(step) {
                return false;
            }
            self.progress[index].begin(self.engine.now());
            self.teller
                .tell(What::StepStarted {
                    step: step.id().clone(),
                })
                .await;
        }
        if self.progress[index].task.is_some() || self.progress[index].is_backing_off() {
            return false;
        }
        // It is looked at now: moments that have passed would wake the loop again and again.
        (self.progress[index].retry, self.progress[index].look_at) = (None, None);
        match self.wanted(step) {
            Wanted::Writes(items) => {
                self.write(index, step, items);
                false
            }
            Wanted::Contested(object) => {
                self.fail(index, contested(&object)).await;
                true
            }
            Wanted::Wait(assessment) => {
                self.progress[index].look_at = Some(Instant::now() + UNWATCHED);
                self.show(index, assessment).await;
                false
            }
            Wanted::Nothing => match self.next_effect(step) {
                Some(effect) => {
                    self.spawn_effect(index, effect);
                    false
                }
                None => self.assess(index, step).await,
            },
        }
    }

    fn lost_dependency(&self, step: &dyn Step) -> Option<berth_procedure::StepId> {
        let lost = |id: &berth_procedure::StepId| self.index_of(id).is_some_and(|index| self.progress[index].is_lost());
        step.after().into_iter().map(|dependency| dependency.step).find(lost)
    }

    /// What a run leaves out (`--only`) is taken to be ready: the step itself still waits for what it needs.
    fn may_begin(&self, step: &dyn Step) -> bool {
        let ready =
            |id: &berth_procedure::StepId| self.index_of(id).is_none_or(|index| self.progress[index].is_ready());
        step.after().iter().all(|dependency| ready(&dependency.step)) && self.has_room(step)
    }

    /// Guests are brought up side by side, but not all at once.
    fn has_room(&self, step: &dyn Step) -> bool {
        let lock @ Lock::Guest { .. } = step.lock() else {
            return true;
        };
        let each = self.steps.iter().zip(&self.progress);
        let busy: BTreeSet<Lock> = each
            .filter(|(step, progress)| progress.has_begun() && self.has_unfinished(&step.lock()))
            .map(|(step, _)| step.lock())
            .filter(|lock| matches!(lock, Lock::Guest { .. }))
            .collect();
        busy.contains(&lock) || busy.len() < self.engine.connection().options.parallel_guests.get()
    }

    fn has_unfinished(&self, lock: &Lock) -> bool {
        self.steps
            .iter()
            .zip(&self.progress)
            .any(|(step, progress)| step.lock() == *lock && !progress.has_ended())
    }

    fn index_of(&self, id: &berth_procedure::StepId) -> Option<usize> {
        self.steps.iter().position(|step| step.id() == id)
    }

    fn wanted(&self, step: &dyn Step) -> Wanted {
        let mut items = Vec::new();
        for change in step.changes(&self.world.facts) {
            let Some(object) = object_of(&change).cloned() else {
                continue;
            };
            match self.world.standing(&change) {
                Standing::Made => continue,
                Standing::Terminating => {
                    // What comes before it in order can be written meanwhile.
                    if items.is_empty() {
                        return Wanted::Wait(Assessment::waiting(
                            "Terminating",
                            format!("{object} is still being deleted"),
                        ));
                    }
                    break;
                }
                Standing::Open => {}
            }
            if self.written.get(&object).is_some_and(|times| *times >= TOO_OFTEN) {
                return Wanted::Contested(object);
            }
            let Some(api) = self.apis.get(&object.target).cloned() else {
                if items.is_empty() {
                    return Wanted::Wait(Assessment::waiting(
                        "NoConnection",
                        "the guest's API server can't be reached yet",
                    ));
                }
                break;
            };
            let known = self.world.knowledge(&object);
            items.push(Item {
                api,
                object,
                change,
                known,
            });
        }
        if items.is_empty() {
            Wanted::Nothing
        } else {
            Wanted::Writes(items)
        }
    }

    /// Writes, if the lease is held. Without it, first looks whether there is anything to write.
    fn write(&mut self, index: usize, step: &dyn Step, items: Vec<Item>) {
        let lock = step.lock();
        if self.locks.is_held(&lock) {
            self.spawn_work(index, items);
        } else if !self.locks.is_wanted(&lock) {
            self.spawn_look(index, items);
        }
    }

    /// A step has something to write, and nobody went for its lease yet.
    pub(super) async fn want_lock(&mut self, index: usize) {
        let lock = self.steps[index].lock();
        if self.engine.connection().options.read_only {
            self.fail(index, read_only()).await;
        } else if !self.locks.is_wanted(&lock) {
            self.spawn_keeper(lock);
        }
    }

    fn next_effect(&self, step: &dyn Step) -> Option<Effect> {
        let effects = step.effects(&self.world.facts).into_iter();
        let mut open = effects.filter(|effect| !matches!(effect, Effect::Later { .. }));
        open.find(|effect| !matches!(self.world.facts.outcome(effect), Some(Ok(_))))
    }

    /// What only steps watch that have ended is not read any longer: a run is to be no burden while it waits for a guest.
    fn close_unneeded(&mut self) {
        let open = self
            .steps
            .iter()
            .zip(&self.progress)
            .filter(|(_, progress)| !progress.has_ended());
        let needed: BTreeSet<_> = open.flat_map(|(step, _)| step.watches()).collect();
        for selector in self.watcher.keep(&needed) {
            self.unread.remove(&selector);
            self.world.unwatch(&selector);
        }
    }

    /// Others may want to write what this run is done with.
    async fn give_back_unneeded(&mut self) {
        for lock in self.locks.all() {
            if !self.has_unfinished(&lock) {
                self.give_back(&lock).await;
            }
        }
    }
}

fn contested(object: &ObjectRef) -> Diagnosis {
    Diagnosis {
        id: String::new(),
        title: format!("{object} is changed back again and again"),
        object: object.to_string(),
        evidence: vec![format!("it was written {TOO_OFTEN} times in this run")],
        fix: "find out who changes it (kubectl get -o yaml --show-managed-fields), and change it there".to_owned(),
    }
}

fn read_only() -> Diagnosis {
    Diagnosis {
        id: String::new(),
        title: "there is something to write, and this run never writes".to_owned(),
        object: String::new(),
        evidence: Vec::new(),
        fix: "run without --read-only".to_owned(),
    }
}
