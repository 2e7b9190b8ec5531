//! What is done beside the loop: a step's writes, in order; one of its effects; keeping a lease.

use std::sync::Arc;

use berth_procedure::{Change, Effect, EffectFailure, Lock, ObjectRef, Perform};
use tokio::sync::mpsc;

use super::{Message, Run};
use crate::api::Api;
use crate::known::Knowledge;
use crate::leases::Lease;
use crate::plan::Verb;
use crate::random::Random;
use crate::work::{self, After, Depth, WorkError};

/// One change of a step's work.
pub(super) struct Item {
    pub(super) api: Api,
    pub(super) object: ObjectRef,
    pub(super) change: Change,
    pub(super) known: Knowledge,
}

impl Run<'_> {
    pub(super) fn spawn_work(&mut self, step: usize, items: Vec<Item>) {
        let work = write_in_order(
            step,
            items,
            self.engine.connection().random.clone(),
            self.outbox.clone(),
        );
        self.progress[step].task = Some(self.tasks.spawn(work));
    }

    pub(super) fn spawn_look(&mut self, step: usize, items: Vec<Item>) {
        let connection = self.engine.connection();
        let depth = if connection.options.read_only {
            Depth::Local
        } else {
            Depth::DryRun
        };
        let look = look(step, items, depth, connection.random.clone(), self.outbox.clone());
        self.progress[step].task = Some(self.tasks.spawn(look));
    }

    pub(super) fn spawn_effect(&mut self, step: usize, effect: Effect) {
        let connection = self.engine.connection();
        let (perform, read_only) = (Arc::clone(&connection.perform), connection.options.read_only);
        let task = act(step, effect, perform, read_only, self.outbox.clone());
        self.progress[step].task = Some(self.tasks.spawn(task));
    }

    pub(super) fn spawn_keeper(&mut self, lock: Lock) {
        let lease = Lease::new(self.engine, &lock);
        let told = {
            let lock = lock.clone();
            move |news| Message::Lease {
                lock: lock.clone(),
                news,
            }
        };
        let keeper = self.tasks.spawn(lease.hold(self.outbox.clone(), told));
        self.locks.want(lock, keeper);
    }
}

/// Whether there is anything to write at all: found out without the lease, so that a run with nothing to write takes none.
async fn look(step: usize, items: Vec<Item>, depth: Depth, random: Random, outbox: mpsc::Sender<Message>) {
    let mut is_open = false;
    for Item { api, change, known, .. } in items {
        match work::settle(&api, &random, &change, known, depth).await {
            Ok(settled) if settled.verb == Verb::Unchanged => {
                send(&outbox, Message::Settled { step, change, settled }).await;
            }
            // What can't be told now is told by the write itself.
            Ok(_) | Err(_) => {
                is_open = true;
                break;
            }
        }
    }
    send(&outbox, Message::Looked { step, is_open }).await;
}

/// Each write is told when it is made, so that whatever happens next, what was done is known.
async fn write_in_order(step: usize, items: Vec<Item>, random: Random, outbox: mpsc::Sender<Message>) {
    for Item {
        api,
        object,
        change,
        known,
    } in items
    {
        match work::settle(&api, &random, &change, known, Depth::Write).await {
            Ok(settled) => {
                let was_deleted = matches!(settled.after, After::Deleted(_));
                send(&outbox, Message::Settled { step, change, settled }).await;
                if was_deleted {
                    // What comes after a deletion is worked out anew when it shows.
                    break;
                }
            }
            Err(error) => {
                return send(
                    &outbox,
                    Message::WorkEnded {
                        step,
                        object: Some(object),
                        result: Err(error),
                    },
                )
                .await;
            }
        }
    }
    send(
        &outbox,
        Message::WorkEnded {
            step,
            object: None,
            result: Ok::<(), WorkError>(()),
        },
    )
    .await;
}

async fn act(step: usize, effect: Effect, perform: Arc<dyn Perform>, read_only: bool, outbox: mpsc::Sender<Message>) {
    let found = perform.done(&effect).await;
    let already = found.is_some();
    let result = match found {
        Some(outcome) => Ok(outcome),
        None if read_only => Err(EffectFailure {
            message: "not done: read-only".to_owned(),
            fix: "run without --read-only".to_owned(),
            transient: false,
        }),
        None => perform.perform(&effect).await,
    };
    send(
        &outbox,
        Message::EffectEnded {
            step,
            effect,
            already,
            result,
        },
    )
    .await;
}

/// A run that has ended does not listen any more.
async fn send(outbox: &mpsc::Sender<Message>, message: Message) {
    let _ = outbox.send(message).await;
}
