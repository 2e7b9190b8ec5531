//! A log in memory. A clone shares it, so that a test can drop (kill) one server and open the next on what is there.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Storage;

/// A log in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    log: Arc<Mutex<Log>>,
    /// The opening that this handle belongs to.
    opening: u64,
}

#[derive(Debug, Default)]
struct Log {
    bytes: Vec<u8>,
    /// How often it was opened. A server that was "killed" may have tasks that still run: they must not write.
    openings: u64,
}

impl MemoryStorage {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// A log that is apart from this one and holds the same: what a disk held at this instant.
    #[must_use]
    pub fn fork(&self) -> Self {
        let bytes = self.lock().bytes.clone();
        Self {
            log: Arc::new(Mutex::new(Log { bytes, openings: 0 })),
            opening: 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owned(&self) -> io::Result<MutexGuard<'_, Log>> {
        let log = self.lock();
        if log.openings == self.opening {
            return Ok(log);
        }
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the log was opened by another server",
        ))
    }
}

impl Storage for MemoryStorage {
    fn open(&mut self) -> io::Result<Vec<u8>> {
        let (bytes, openings) = {
            let mut log = self.lock();
            log.openings += 1;
            (log.bytes.clone(), log.openings)
        };
        self.opening = openings;
        Ok(bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.owned()?.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.owned()?
            .bytes
            .truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }

    fn replace(&mut self, contents: &[u8]) -> io::Result<()> {
        self.owned()?.bytes = contents.to_vec();
        Ok(())
    }

    fn name(&self) -> String {
        "memory".to_owned()
    }
}
