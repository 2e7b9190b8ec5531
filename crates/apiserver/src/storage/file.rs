//! A log in a file of its own folder. A write reaches the kernel before it is acknowledged, so killing the process
//! loses nothing; losing power may, unless [`FileStorage::with_fsync`] is asked for.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{Flush, Storage};

const LOG: &str = "objects.log";
const LOCK: &str = "objects.lock";
/// What is to take the log's place once it is whole.
const DRAFT: &str = "objects.log.new";

/// A log in a file.
#[derive(Debug)]
pub struct FileStorage {
    folder: PathBuf,
    fsync: bool,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    /// Shared with whoever flushes.
    log: Arc<Mutex<Current>>,
    /// Held for as long as the log is open: one server a folder.
    _lock: File,
}

#[derive(Debug)]
struct Current {
    file: Arc<File>,
    /// Whether the folder may have its name for another file still, after a loss of power.
    renamed: bool,
}

impl FileStorage {
    /// A log in this folder, which is made when the log is opened.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            fsync: false,
            open: None,
        }
    }

    /// Acknowledges a write only once it would survive a loss of power.
    #[must_use]
    pub fn with_fsync(mut self) -> Self {
        self.fsync = true;
        self
    }

    /// What the folder's log holds at this instant, whoever writes it. It may be torn at its end, which is never
    /// acknowledged.
    pub fn snapshot(&self) -> io::Result<Vec<u8>> {
        fs::read(self.folder.join(LOG))
    }

    fn log(&self) -> io::Result<Arc<File>> {
        let open = self.open.as_ref().ok_or_else(not_open)?;
        let current = open.log.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(&current.file))
    }

    fn write_draft(&self, contents: &[u8]) -> io::Result<File> {
        let mut options = private_file();
        options.create(true).truncate(true).read(true).write(true);
        let mut draft = options.open(self.folder.join(DRAFT))?;
        draft.write_all(contents)?;
        // Without this a loss of power after the rename could leave an empty log, fsync asked for or not.
        draft.sync_data()?;
        fs::rename(self.folder.join(DRAFT), self.folder.join(LOG))?;
        Ok(draft)
    }
}

impl Storage for FileStorage {
    fn open(&mut self) -> io::Result<Vec<u8>> {
        make_private_folder(&self.folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "another server has this folder open; stop it, or choose another folder",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // One that a killed server didn't finish.
        remove_if_there(&self.folder.join(DRAFT))?;
        let mut log = open_log(&self.folder.join(LOG))?;
        let mut bytes = Vec::new();
        log.read_to_end(&mut bytes)?;
        let current = Current {
            file: Arc::new(log),
            renamed: true,
        };
        self.open = Some(Open {
            log: Arc::new(Mutex::new(current)),
            _lock: lock,
        });
        Ok(bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        (&*self.log()?).write_all(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let log = self.log()?;
        log.set_len(length)?;
        (&*log).seek(SeekFrom::Start(length))?;
        Ok(())
    }

    fn replace(&mut self, contents: &[u8]) -> io::Result<()> {
        let open = self.open.as_ref().ok_or_else(not_open)?;
        let file = self.write_draft(contents).inspect_err(|_| {
            // What is left of it takes the space that may be what is missing.
            let _ = remove_if_there(&self.folder.join(DRAFT));
        })?;
        // From here on the new one is the log, whatever happens.
        *open.log.lock().unwrap_or_else(PoisonError::into_inner) = Current {
            file: Arc::new(file),
            renamed: true,
        };
        Ok(())
    }

    fn flush(&self) -> Option<Flush> {
        let log = Arc::clone(&self.open.as_ref().filter(|_| self.fsync)?.log);
        let folder = self.folder.clone();
        Some(Arc::new(move || {
            let lock = || log.lock().unwrap_or_else(PoisonError::into_inner);
            let (file, renamed) = {
                let current = lock();
                (Arc::clone(&current.file), current.renamed)
            };
            file.sync_data()?;
            if renamed {
                File::open(&folder)?.sync_all()?;
                let mut current = lock();
                current.renamed &= !Arc::ptr_eq(&current.file, &file);
            }
            Ok(())
        }))
    }

    fn name(&self) -> String {
        self.folder.join(LOG).display().to_string()
    }
}

fn not_open() -> io::Error {
    io::Error::other("the log is not open")
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    private_file()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
}

/// The log holds Secrets: nobody else may read it.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
