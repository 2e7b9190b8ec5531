//! Takes in what watches and tasks tell.

use std::time::Duration;

use berth_procedure::{
    Assessment, Change, Diagnosis, Effect, EffectFailure, Lock, ObjectRef, Outcome as EffectOutcome,
};
use tokio::time::Instant;

use super::teller::millis;
use super::{Message, Run};
use crate::api::RequestErrorKind;
use crate::backoff;
use crate::event::What;
use crate::leases::{Lease, LeaseNews};
use crate::object::object_of;
use crate::observe::Sighting;
use crate::plan::{Conflict, Verb};
use crate::work::{After, Settled, WorkError};

impl Run<'_> {
    pub(super) async fn see(&mut self, sighting: Sighting) {
        match sighting {
            Sighting::Seen {
                selector,
                seen,
                version,
            } => {
                // It was told before its watch was closed, and comes too late.
                if !self.watcher.watches(&selector) {
                    return;
                }
                self.unread.remove(&selector);
                if *self.world.facts.seen(&selector) != seen {
                    // Whoever is stuck on this kind may try again at once.
                    for (index, progress) in self.progress.iter_mut().enumerate() {
                        if progress.stuck_on == Some(selector.resource) {
                            (progress.retry, progress.stuck_on) = (None, None);
                            self.due.insert(index);
                        }
                    }
                    self.watcher.stir();
                }
                self.due.extend(self.interest.of(&selector));
                self.world.observe(selector, seen, version);
            }
            Sighting::Connected { target, api } => {
                self.watcher.open(&target, &api, self.interest.on(&target));
                self.apis.insert(target, api);
                self.wake_all();
            }
            Sighting::Retrying {
                what,
                cause,
                attempt,
                next_millis,
            } => {
                self.teller
                    .tell(What::Retrying {
                        step: None,
                        what,
                        cause,
                        attempt,
                        next_millis,
                    })
                    .await;
            }
        }
    }

    pub(super) async fn take(&mut self, message: Message) {
        match message {
            Message::Lease { lock, news } => {
                self.take_news(lock, news).await;
                self.wake_all();
            }
            Message::Settled { step, change, settled } => self.take_settled(step, &change, settled).await,
            Message::Looked { step, is_open } => {
                self.progress[step].task = None;
                self.due.insert(step);
                if is_open {
                    self.want_lock(step).await;
                }
            }
            Message::WorkEnded { step, object, result } => {
                self.progress[step].task = None;
                self.due.insert(step);
                match result {
                    Ok(()) => self.progress[step].succeeded(),
                    Err(error) => self.work_failed(step, object, error).await,
                }
            }
            Message::EffectEnded {
                step,
                effect,
                already,
                result,
            } => {
                self.progress[step].task = None;
                self.take_effect(step, effect, already, result).await;
                self.wake_all();
            }
        }
    }

    async fn take_settled(&mut self, step: usize, change: &Change, settled: Settled) {
        let Settled {
            verb, fields, after, ..
        } = settled;
        let Some(object) = object_of(change) else { return };
        match after {
            After::Absent => self.world.remember(object, None),
            After::Deleted(uid) => self.world.remember_deleted(object, uid),
            After::Object(now) => match change {
                Change::Apply { fields, .. } => self.world.remember_accepted(object, fields, now),
                _ => self.world.remember(object, Some(now)),
            },
        }
        if verb == Verb::Unchanged {
            return;
        }
        self.writes += 1;
        self.progress[step].attempts = 0;
        *self.written.entry(object.clone()).or_default() += 1;
        let step = Some(self.steps[step].id().clone());
        self.teller
            .tell(What::Wrote {
                step,
                object: object.into(),
                verb,
                fields,
            })
            .await;
    }

    async fn take_effect(
        &mut self,
        step: usize,
        effect: Effect,
        already: bool,
        result: Result<EffectOutcome, EffectFailure>,
    ) {
        let id = self.steps[step].id().clone();
        match &result {
            Ok(_) => {
                self.progress[step].succeeded();
                self.teller
                    .tell(What::EffectDone {
                        step: id,
                        what: effect.describe(),
                        already,
                    })
                    .await;
            }
            Err(failure) if failure.transient => {
                self.retry(step, effect.describe(), failure.message.clone(), None).await;
            }
            Err(failure) => {
                let diagnosis = Diagnosis {
                    id: String::new(),
                    title: format!("failed to {}", effect.describe()),
                    object: effect.describe(),
                    evidence: vec![failure.message.clone()],
                    fix: failure.fix.clone(),
                };
                self.fail(step, diagnosis).await;
            }
        }
        self.world.facts.record(effect, result);
    }

    async fn work_failed(&mut self, step: usize, object: Option<ObjectRef>, error: WorkError) {
        // What was thought of the object may be out of date.
        if let Some(object) = &object {
            self.world.forget(object);
            self.progress[step].stuck_on = Some(object.resource);
        }
        match error {
            WorkError::Request(error)
                if matches!(error.kind, RequestErrorKind::NoKind | RequestErrorKind::NotFound) =>
            {
                let told = object.as_ref().map(|object| {
                    let (kind, version) = (object.resource.kind, object.resource.api_version());
                    match error.kind {
                        RequestErrorKind::NoKind => {
                            format!("no matches for kind \"{kind}\" in version \"{version}\" yet")
                        }
                        _ => format!("{object} can't be written yet: {}", error.message),
                    }
                });
                self.wait_for_it(step, "NotThere", told.unwrap_or(error.message)).await;
            }
            WorkError::Request(error) if error.is_transient() => {
                self.retry(step, error.attempt.clone(), error.told(), error.retry_after)
                    .await;
            }
            WorkError::Request(error) => {
                let title = format!("failed to {}", error.attempt);
                self.fail(
                    step,
                    refused(title, object.as_ref(), vec![error.told()], fix_of(error.kind)),
                )
                .await;
            }
            WorkError::Conflicts(conflicts) => {
                let told = |conflict: &Conflict| format!("{} is owned by {}", conflict.path, conflict.manager);
                let evidence = conflicts.iter().map(told).collect();
                let fix = "change the value where that manager gets it from, or allow the takeover in the document";
                let told = object.as_ref().map_or_else(String::new, ToString::to_string);
                let title = format!("another manager owns fields of {told}");
                self.fail(step, refused(title, object.as_ref(), evidence, fix)).await;
            }
            error @ WorkError::Terminating(_) => self.wait_for_it(step, "Terminating", error.to_string()).await,
            error @ (WorkError::NotThere(_) | WorkError::Later(_)) => {
                self.wait_for_it(step, "NotThere", error.to_string()).await;
            }
        }
    }

    /// Something else has to come or go first: that is no failure, and is looked for again after a while, or when a watch
    /// shows a change of that kind.
    async fn wait_for_it(&mut self, step: usize, reason: &str, detail: String) {
        self.back_off(step, None);
        self.show(step, Assessment::waiting(reason, detail)).await;
    }

    async fn retry(&mut self, step: usize, what: String, cause: String, retry_after: Option<Duration>) {
        let (attempt, delay) = self.back_off(step, retry_after);
        self.progress[step].shown = Some(Assessment::waiting("Retrying", format!("failed to {what}: {cause}")));
        let step = Some(self.steps[step].id().clone());
        self.teller
            .tell(What::Retrying {
                step,
                what,
                cause,
                attempt,
                next_millis: millis(delay),
            })
            .await;
    }

    /// Puts the next attempt off; says which it is, and for how long.
    fn back_off(&mut self, step: usize, retry_after: Option<Duration>) -> (u32, Duration) {
        let progress = &mut self.progress[step];
        progress.attempts += 1;
        let delay = backoff::delay(progress.attempts, retry_after, &self.engine.connection().random);
        progress.retry = Some(Instant::now() + delay);
        (progress.attempts, delay)
    }

    async fn take_news(&mut self, lock: Lock, news: LeaseNews) {
        if !self.locks.is_wanted(&lock) {
            return;
        }
        let lease = Lease::new(self.engine, &lock).name().to_owned();
        let event = news.event(&lease);
        match news {
            LeaseNews::Waiting { holder } => {
                for (step, progress) in self.steps.iter().zip(&mut self.progress) {
                    if step.lock() == lock && progress.has_begun() && !progress.has_ended() {
                        progress.shown = Some(Assessment::waiting(
                            "Lease",
                            format!("the lease {lease} is held by {holder}"),
                        ));
                    }
                }
            }
            LeaseNews::NamespaceMade { .. } | LeaseNews::Retrying { .. } => {}
            LeaseNews::Taken { .. } => self.locks.taken(&lock),
            LeaseNews::Lost => {
                // Whoever writes now does so without the lease: stop, and take it again before going on.
                self.locks.forget(&lock);
                self.stop_work(&lock);
            }
            LeaseNews::Failed(error) => {
                self.locks.forget(&lock);
                self.fail_all(&lock, error).await;
            }
        }
        if let Some(event) = event {
            self.teller.tell(event).await;
        }
    }

    fn stop_work(&mut self, lock: &Lock) {
        for (step, progress) in self.steps.iter().zip(&mut self.progress) {
            if step.lock() == *lock
                && let Some(task) = progress.task.take()
            {
                task.abort();
            }
        }
    }

    async fn fail_all(&mut self, lock: &Lock, error: crate::leases::LeaseError) {
        let evidence = vec![error.source.told()];
        for index in 0..self.steps.len() {
            let waits = self.progress[index].has_begun() && !self.progress[index].has_ended();
            if waits && self.steps[index].lock() == *lock {
                let fix = "have the permission on leases in the namespace berth-system granted";
                self.fail(index, refused(error.to_string(), None, evidence.clone(), fix))
                    .await;
            }
        }
    }
}

fn fix_of(kind: RequestErrorKind) -> &'static str {
    match kind {
        RequestErrorKind::Forbidden => "have the permission granted, or run as a user who has it",
        RequestErrorKind::Unauthorized => "log in again, or use another kubeconfig",
        _ => "change the document so that the API server accepts the object",
    }
}

fn refused(title: String, object: Option<&ObjectRef>, evidence: Vec<String>, fix: &str) -> Diagnosis {
    let object = object.map_or_else(String::new, ToString::to_string);
    Diagnosis {
        id: String::new(),
        title,
        object,
        evidence,
        fix: fix.to_owned(),
    }
}
