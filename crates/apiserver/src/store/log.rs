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
    /// A compaction that failed (no space, most likely) is not tried again before the log is so long.
    patience: u64,
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
         the file from a backup, cut it to {offset} bytes to keep only what came before, or move it away to start anew"
    )]
    Damaged {
        /// The log's name.
        log: String,
        /// Where the damage is.
        offset: usize,
    },
    /// Some of what it began with is missing, or damaged.
    #[error(
        "`{log}` is damaged at byte {offset}, within the snapshot that it begins with, which was whole once and goes to \
         byte {end}: restore the file from a backup, or move it away to start anew"
    )]
    Snapshot {
        /// The log's name.
        log: String,
        /// Where the damage is.
        offset: usize,
        /// Where the snapshot should end.
        end: u64,
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
        let (mut at, mut snapshot) = (record::MAGIC.len(), 0);
        loop {
            match record::read(&bytes, at) {
                Found::Record(record, next) => {
                    if let Operation::Snapshot { end } = record.operation {
                        snapshot = end;
                    }
                    records.push(record);
                    at = next;
                }
                // A snapshot takes its place whole: if it isn't, acknowledged changes are missing.
                Found::End | Found::Torn | Found::Damaged if (at as u64) < snapshot => {
                    return Err(LogError::Snapshot {
                        log: name,
                        offset: at,
                        end: snapshot,
                    });
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
            patience: 0,
        }
    }

    pub(crate) fn name(&self) -> String {
        self.storage.name()
    }

    pub(crate) fn open_error(&self, source: io::Error) -> LogError {
        LogError::Open {
            log: self.name(),
            source,
        }
    }

    /// Whether the end of the log is not known any more: it has to be compacted before it is appended to.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
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
        self.length > WORTH_COMPACTING.max(self.patience) && self.length > 4 * self.live
    }

    /// Rewrites the log as what is there now.
    pub(crate) fn compact<'a>(
        &mut self,
        revision: u64,
        live: impl Iterator<Item = (&'a ResourceId, &'a ObjectKey, &'a Arc<Stored>)>,
    ) -> io::Result<()> {
        let mut bytes = record::MAGIC.to_vec();
        let nothing = |operation| Record {
            revision,
            operation,
            resource: ResourceId::new("", ""),
            key: ObjectKey::new("", ""),
        };
        let start = bytes.len();
        record::encode(&nothing(Operation::Snapshot { end: 0 }), &mut bytes);
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
        record::encode(&nothing(Operation::Revision), &mut bytes);
        // Where it ends is known only now; the record that says so is of the same length whatever it says.
        let mut head = Vec::new();
        let end = bytes.len() as u64;
        record::encode(&nothing(Operation::Snapshot { end }), &mut head);
        bytes[start..start + head.len()].copy_from_slice(&head);
        if let Err(error) = self.storage.replace(&bytes) {
            self.patience = self.length + WORTH_COMPACTING;
            return Err(error);
        }
        self.length = end;
        self.patience = 0;
        self.broken = false;
        Ok(())
    }
}
