//! Looks at every step and does what can be done next for it: begin, write, act, assess.

use std::time::Duration;

use berth_procedure::{Assessment, Diagnosis, Effect, Lock, ObjectRef, Step, Target};
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
    /// Does what can be done for each step that is due; steps that end let others begin.
    pub(super) async fn advance(&mut self) {
        self.wake();
        while let Some(index) = self.due.pop_first() {
            self.advance_step(index).await;
        }
        self.close_unneeded();
        self.give_back_unneeded().await;
    }

    /// Steps whose moment has come are due.
    fn wake(&mut self) {
        let now = Instant::now();
        let due = self.progress.iter().enumerate().filter(|(_, progress)| {
            let mut moments = [progress.retry, progress.look_at].into_iter().flatten();
            progress.task.is_none() && moments.any(|moment| moment <= now)
        });
        self.due.extend(due.map(|(index, _)| index));
    }

    /// Something happened that may concern every step that is under way.
    pub(super) fn wake_all(&mut self) {
        let open = self.progress.iter().enumerate();
        let open = open.filter(|(_, progress)| progress.has_begun() && !progress.has_ended());
        self.due.extend(open.map(|(index, _)| index));
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
        let took_millis = self.end(
            index,
            Outcome::Failed {
                diagnosis: diagnosis.clone(),
            },
        );
        let step = self.steps[index].id().clone();
        self.teller
            .tell(What::StepFailed {
                step,
                diagnosis,
                took_millis,
            })
            .await;
    }

    /// Ends a step, and says after how many milliseconds. Those that waited for it are due.
    pub(super) fn end(&mut self, index: usize, outcome: Outcome) -> u64 {
        let took_millis = self.progress[index].end(outcome);
        self.due.remove(&index);
        self.interest.end(index, self.graph.watches(index));
        self.due.extend(self.graph.dependents(index));
        let lock = self.graph.lock(index);
        if !self.has_unfinished(lock) && self.busy.remove(lock) {
            let idle = self.progress.iter().enumerate();
            let idle = idle.filter(|(_, progress)| !progress.has_begun() && !progress.has_ended());
            self.due.extend(idle.map(|(index, _)| index));
        }
        took_millis
    }

    async fn advance_step(&mut self, index: usize) {
        let step = self.steps[index].as_ref();
        if self.progress[index].has_ended() || !self.begin(index).await {
            return;
        }
        // A step that was asked before all was read would want what may be there already.
        let watches = self.graph.watches(index);
        if watches.iter().any(|selector| self.unread.contains(selector)) {
            return;
        }
        self.connect(step);
        if self.progress[index].task.is_some() || self.progress[index].is_backing_off() {
            return;
        }
        // It is looked at now: moments that have passed would wake the loop again and again.
        (self.progress[index].retry, self.progress[index].look_at) = (None, None);
        match self.wanted(step) {
            Wanted::Writes(items) => self.write(index, items),
            Wanted::Contested(object) => self.fail(index, contested(&object)).await,
            Wanted::Wait(assessment) => {
                self.progress[index].look_at = Some(Instant::now() + UNWATCHED);
                self.show(index, assessment).await;
            }
            Wanted::Nothing => match self.next_effect(step) {
                Some(effect) => self.spawn_effect(index, effect),
                None => self.assess(index, step).await,
            },
        }
    }

    /// Whether the step is under way: it begins when all that it comes after is ready, and what it watches is opened.
    async fn begin(&mut self, index: usize) -> bool {
        if self.progress[index].has_begun() {
            return true;
        }
        let step = self.steps[index].id();
        let lost = self
            .graph
            .after(index)
            .find(|(_, place)| self.progress[*place].is_lost());
        if let Some((because, _)) = lost {
            let (step, because) = (step.clone(), because.clone());
            self.end(
                index,
                Outcome::Skipped {
                    because: because.clone(),
                },
            );
            self.teller.tell(What::StepSkipped { step, because }).await;
            return false;
        }
        let waits = self
            .graph
            .after(index)
            .any(|(_, place)| !self.progress[place].is_ready());
        if waits || !self.has_room(index) {
            return false;
        }
        if let lock @ Lock::Guest { .. } = self.graph.lock(index) {
            self.busy.insert(lock.clone());
        }
        self.progress[index].begin(self.engine.now());
        self.teller.tell(What::StepStarted { step: step.clone() }).await;
        self.open(index);
        true
    }

    /// Guests are brought up side by side, but not all at once.
    fn has_room(&self, index: usize) -> bool {
        let lock = self.graph.lock(index);
        let most = self.engine.connection().options.parallel_guests.get();
        *lock == Lock::Hub || self.busy.contains(lock) || self.busy.len() < most
    }

    fn has_unfinished(&self, lock: &Lock) -> bool {
        let mut sharing = self.graph.sharing(lock).iter();
        sharing.any(|index| !self.progress[*index].has_ended())
    }

    /// Opens what a step watches; what is in a guest follows when there is a way to it.
    fn open(&mut self, index: usize) {
        for selector in self.interest.begin(index, self.graph.watches(index)) {
            let target = selector.target.clone();
            if target == Target::Management {
                self.unread.insert(selector.clone());
            }
            if let Some(api) = self.apis.get(&target) {
                self.watcher.open(&target, api, [selector]);
            }
        }
    }

    fn connect(&mut self, step: &dyn Step) {
        for (target, kubeconfig) in step.kubeconfigs(&self.world.facts) {
            if self.watcher.connect(&target, &kubeconfig) {
                self.apis.remove(&target);
            }
        }
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
    fn write(&mut self, index: usize, items: Vec<Item>) {
        let lock = self.graph.lock(index);
        if self.locks.is_held(lock) {
            self.spawn_work(index, items);
        } else if !self.locks.is_wanted(lock) {
            self.spawn_look(index, items);
        }
    }

    /// A step has something to write, and nobody went for its lease yet.
    pub(super) async fn want_lock(&mut self, index: usize) {
        let lock = self.graph.lock(index).clone();
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

    /// What only steps watched that have ended is not read any longer: a run is to be no burden while it waits for a guest.
    fn close_unneeded(&mut self) {
        for selector in self.interest.take_unneeded() {
            self.watcher.close(&selector);
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
