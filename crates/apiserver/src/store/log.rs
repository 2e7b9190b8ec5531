//! The log as the store sees it: opened and checked, appended to, and now and then rewritten as a snapshot.

use std::{io, sync::Arc};

use super::{
    ObjectKey, ResourceId, Stored,
    record::{self, Found, Operation, Record},
};
use crate::{Storage, storage::Flush};

/// A log shorter than this is never rewritten.
const WORTH_COMPACTING: u64 = 4 << 20;

/// What a record costs besides the object itself, roughly.
const OVERHEAD: u64 = 64;

pub(crate) struct Log {
    storage: Box<dyn Storage>,
    length: u64,
    /// How long a snapshot would be, roughly.
    live: u64,
    /// Set when a write failed and could not be taken back: whatever followed it would be lost with it.
    broken: bool,
}

/// Why a log can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The storage doesn't answer.
    #[error("failed to open `{log}`")]
    Open {
        /// The log's name.
        log: String,
        /// What the storage said.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("`{log}` is not a log of this API server, or of a version that it can't read; move it away to start anew")]
    Foreign {
        /// The log's name.
        log: String,
    },
    /// It was damaged after it was written.
    #[error(
        "`{log}` is damaged at byte {offset}, and whole records follow, so this is no write that was cut short: restore \
         the file from a backup, or cut it to {offset} bytes to keep only what came before"
    )]
    Damaged {
        /// The log's name.
        log: String,
        /// Where the damage is.
        offset: usize,
    },
}

impl Log {
    /// Opens a log, cuts off a write that was cut short, and returns what is in it.
    pub(crate) fn open(mut storage: Box<dyn Storage>) -> Result<(Self, Vec<Record>), LogError> {
        let name = storage.name();
        let open_error = |source| LogError::Open {
            log: name.clone(),
            source,
        };
        let bytes = storage.open().map_err(open_error)?;
        if bytes.len() < record::MAGIC.len() && record::MAGIC.starts_with(&bytes) {
            storage
                .truncate(0)
                .and_then(|()| storage.append(record::MAGIC))
                .map_err(open_error)?;
            return Ok((Self::new(storage, record::MAGIC.len()), Vec::new()));
        }
        if !bytes.starts_with(record::MAGIC) {
            return Err(LogError::Foreign { log: name });
        }
        let mut records = Vec::new();
        let mut at = record::MAGIC.len();
        loop {
            match record::read(&bytes, at) {
                Found::Record(record, next) => {
                    records.push(record);
                    at = next;
                }
                Found::End => break,
                Found::Torn => {
                    tracing::info!(log = %name, bytes = bytes.len() - at, "cut off a write that was not acknowledged");
                    break;
                }
                Found::Damaged => return Err(LogError::Damaged { log: name, offset: at }),
            }
        }
        // Also where nothing is cut off: this puts the next write at the end.
        storage.truncate(at as u64).map_err(open_error)?;
        Ok((Self::new(storage, at), records))
    }

    fn new(storage: Box<dyn Storage>, length: usize) -> Self {
        Self {
            storage,
            length: length as u64,
            live: 0,
            broken: false,
        }
    }

    pub(crate) fn flush(&self) -> Option<Flush> {
        self.storage.flush()
    }

    pub(crate) fn append(
        &mut self,
        revision: u64,
        operation: Operation,
        resource: &ResourceId,
        key: &ObjectKey,
    ) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier write failed and could not be taken back"));
        }
        let mut bytes = Vec::new();
        record::encode(
            &Record {
                revision,
                operation,
                resource: resource.clone(),
                key: key.clone(),
            },
            &mut bytes,
        );
        if let Err(error) = self.storage.append(&bytes) {
            self.broken = self.storage.truncate(self.length).is_err();
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Counts an object as part of a snapshot.
    pub(crate) fn remember(&mut self, stored: &Stored) {
        self.live += stored.body.len() as u64 + OVERHEAD;
    }

    /// Takes an object out of that count.
    pub(crate) fn forget(&mut self, stored: &Stored) {
        self.live -= stored.body.len() as u64 + OVERHEAD;
    }

    pub(crate) fn worth_compacting(&self) -> bool {
        self.length > WORTH_COMPACTING && self.length > 4 * self.live && !self.broken
    }

    /// Rewrites the log as what is there now.
    pub(crate) fn compact<'a>(
        &mut self,
        revision: u64,
        live: impl Iterator<Item = (&'a ResourceId, &'a ObjectKey, &'a Arc<Stored>)>,
    ) -> io::Result<()> {
        let mut bytes = record::MAGIC.to_vec();
        for (resource, key, stored) in live {
            let operation = Operation::Put {
                schema: stored.schema,
                body: stored.body.clone(),
            };
            let record = Record {
                revision: stored.revision,
                operation,
                resource: resource.clone(),
                key: key.clone(),
            };
            record::encode(&record, &mut bytes);
        }
        let (resource, key) = (ResourceId::new("", ""), ObjectKey::new("", ""));
        record::encode(
            &Record {
                revision,
                operation: Operation::Revision,
                resource,
                key,
            },
            &mut bytes,
        );
        self.storage.replace(&bytes)?;
        self.length = bytes.len() as u64;
        Ok(())
    }
}
