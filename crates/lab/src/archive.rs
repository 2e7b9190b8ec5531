//! The lab's object storage: where backups lie, by name. In a folder of the lab, or, in a simulation, in memory.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::home::{create_private_folder, write_private};

/// Bytes by name. Clones are the same storage.
#[derive(Clone, Debug)]
pub(crate) enum Archive {
    /// A file for each name.
    Folder(PathBuf),
    /// Outlives the world that wrote it, as a disk would.
    Memory(Arc<Mutex<BTreeMap<String, Vec<u8>>>>),
}

impl Archive {
    /// Keeps bytes under a name, in place of what was there.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Folder(folder) => {
                create_private_folder(folder)?;
                write_private(&folder.join(file_name(name)), bytes)
            }
            Self::Memory(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(name.to_owned(), bytes.to_vec());
                Ok(())
            }
        }
    }

    /// What lies under a name; `None` where nothing does, or it can't be read.
    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        match self {
            Self::Folder(folder) => std::fs::read(folder.join(file_name(name))).ok(),
            Self::Memory(kept) => kept.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned(),
        }
    }
}

impl Default for Archive {
    fn default() -> Self {
        Self::Memory(Arc::default())
    }
}

/// Names may be URLs: a hash of the whole keeps them apart, and out of each other's folders.
fn file_name(name: &str) -> String {
    crate::hash::hex(&[name], 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_got_by_its_whole_name() {
        let folder = tempfile::tempdir().unwrap();
        for archive in [Archive::default(), Archive::Folder(folder.path().join("backups"))] {
            archive.put("s3://bucket/a", b"one").unwrap();
            archive.put("s3://bucket/b", b"two").unwrap();
            assert_eq!(archive.get("s3://bucket/a").as_deref(), Some(b"one".as_slice()));
            assert_eq!(archive.get("a"), None);
        }
    }
}
