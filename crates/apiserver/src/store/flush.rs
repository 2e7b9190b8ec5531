//! Group commit: writers that wait for the medium at the same time share one flush.

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::storage::Flush;

pub(crate) struct GroupFlush {
    flush: Flush,
    /// The last revision that is known to have been written.
    written: AtomicU64,
    /// The last revision that is known to be on the medium. Held while flushing: those who wait here find, mostly, that
    /// the flush that they waited for covered them too.
    flushed: Mutex<u64>,
}

impl GroupFlush {
    pub(crate) fn new(flush: Flush) -> Self {
        Self {
            flush,
            written: AtomicU64::new(0),
            flushed: Mutex::new(0),
        }
    }

    /// Returns once the change of this number, which was written before the call, is on the medium.
    pub(crate) fn wait(&self, revision: u64) -> io::Result<()> {
        self.written.fetch_max(revision, Ordering::AcqRel);
        let mut flushed = self.flushed.lock().unwrap_or_else(PoisonError::into_inner);
        if *flushed < revision {
            let covers = self.written.load(Ordering::Acquire);
            (self.flush)()?;
            *flushed = covers;
        }
        Ok(())
    }
}
