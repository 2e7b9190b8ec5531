//! Group commit: one thread flushes for all writers. Whoever waits meanwhile holds up no other, and those who come while
//! a flush is under way share the next one.

use std::{
    future::poll_fn,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
};

use crate::storage::Flush;

pub(crate) struct GroupFlush {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    progress: Mutex<Progress>,
    work: Condvar,
}

#[derive(Default)]
struct Progress {
    /// The last revision that was appended.
    written: u64,
    /// The last revision that is known to be on the medium.
    flushed: u64,
    /// Why what was appended may never get to the medium. The log has to be written anew.
    failed: Option<(io::ErrorKind, String)>,
    closing: bool,
    waiting: Vec<Waker>,
}

impl GroupFlush {
    /// Starts the thread. Everything up to this revision is on the medium already, or was never acknowledged.
    pub(crate) fn start(flush: Flush, revision: u64) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        {
            let mut progress = shared.lock();
            (progress.written, progress.flushed) = (revision, revision);
        }
        let of_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("flush".to_owned())
            .spawn(move || of_thread.work(&flush))?;
        Ok(Self { shared })
    }

    /// Says that changes up to this one were appended.
    pub(crate) fn wrote(&self, revision: u64) {
        let mut progress = self.shared.lock();
        progress.written = progress.written.max(revision);
        self.shared.work.notify_one();
    }

    /// Says that the whole log was written anew: what failed is tried again.
    pub(crate) fn rewrote(&self) {
        self.shared.lock().failed = None;
        self.shared.work.notify_one();
    }

    /// The last revision that is on the medium.
    pub(crate) fn flushed(&self) -> u64 {
        self.shared.lock().flushed
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.shared.lock().failed.is_some()
    }

    /// Completes once this revision is on the medium, or once that can't be had.
    pub(crate) async fn wait(&self, revision: u64) -> io::Result<()> {
        poll_fn(|context| {
            let mut progress = self.shared.lock();
            match &progress.failed {
                _ if progress.flushed >= revision => Poll::Ready(Ok(())),
                Some((kind, text)) => Poll::Ready(Err(io::Error::new(*kind, text.clone()))),
                None => {
                    progress.waiting.push(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Whether this revision is on the medium; else wakes the caller when it may be.
    pub(crate) fn reached(&self, revision: u64, context: &Context<'_>) -> bool {
        let mut progress = self.shared.lock();
        let reached = progress.flushed >= revision;
        if !reached {
            progress.waiting.push(context.waker().clone());
        }
        reached
    }
}

impl Drop for GroupFlush {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.work.notify_one();
    }
}

impl Shared {
    fn work(&self, flush: &Flush) {
        while let Some(covers) = self.next() {
            let result = flush();
            let waiting = {
                let mut progress = self.lock();
                match result {
                    Ok(()) => progress.flushed = progress.flushed.max(covers),
                    Err(error) => progress.failed = Some((error.kind(), error.to_string())),
                }
                std::mem::take(&mut progress.waiting)
            };
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Waits until there is something to flush; `None` at the end.
    fn next(&self) -> Option<u64> {
        let mut progress = self.lock();
        loop {
            if progress.written > progress.flushed && progress.failed.is_none() {
                return Some(progress.written);
            }
            if progress.closing {
                return None;
            }
            progress = self.work.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
