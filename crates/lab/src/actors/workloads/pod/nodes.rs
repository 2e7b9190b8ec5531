//! The scheduler's view of the nodes, read again only after one of them changed: each of thousands of pods asks for all
//! of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::actor::{Context, Watch};
use crate::client;
use crate::kind::NODE;

/// All nodes, as they were when one last changed.
#[derive(Clone, Default)]
pub(super) struct Nodes(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Counts changes, so that what was read before one is not kept after it.
    changes: u64,
    read: Option<Arc<Vec<Value>>>,
}

impl Nodes {
    /// Notes that a node changed; wakes nothing.
    pub(super) fn watch(&self) -> Watch {
        let nodes = self.clone();
        Watch::mapped(NODE, move |_| {
            let mut state = nodes.lock();
            state.changes += 1;
            state.read = None;
            Vec::new()
        })
    }

    pub(super) async fn list(&self, context: &Context) -> client::Result<Arc<Vec<Value>>> {
        let changes = {
            let state = self.lock();
            if let Some(read) = &state.read {
                return Ok(Arc::clone(read));
            }
            state.changes
        };
        let read = Arc::new(context.client.list(NODE, None, "").await?);
        let mut state = self.lock();
        if state.changes == changes {
            state.read = Some(Arc::clone(&read));
        }
        Ok(read)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
