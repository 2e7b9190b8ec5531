//! Where the log of changes is kept: a file, or memory. What is in the log is the store's business.

mod file;
mod memory;

use std::{io, sync::Arc};

pub use self::{file::FileStorage, memory::MemoryStorage};

/// Flushes to the medium whatever was written before the call. It may be called while another thread appends or replaces.
pub type Flush = Arc<dyn Fn() -> io::Result<()> + Send + Sync>;

/// One append-only log, which can be replaced as a whole.
pub trait Storage: Send + Sync {
    /// Takes possession of the log and returns all of it. Whoever had it before can no longer write.
    fn open(&mut self) -> io::Result<Vec<u8>>;

    /// Adds to the end. When this returns, the bytes outlive the process. After an error some of them may be there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the log to a length.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Puts another log in the place of this one: after a crash there is the one or the other, whole. After an error it is
    /// this one.
    fn replace(&mut self, contents: &[u8]) -> io::Result<()>;

    /// How to make what is in the log outlive a loss of power; `None` where that isn't wanted, or means nothing. With it,
    /// a write is acknowledged, and shown to anyone, only once it was called after that write and succeeded. It is called on
    /// a thread of its own.
    fn flush(&self) -> Option<Flush> {
        None
    }

    /// What people should call this log in an error message.
    fn name(&self) -> String;
}
