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

/// A log in a file.
#[derive(Debug)]
pub struct FileStorage {
    folder: PathBuf,
    fsync: bool,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    /// Shared with whoever flushes; replaced when the log is.
    log: Arc<Mutex<Arc<File>>>,
    /// Held for as long as the log is open: one server a folder.
    _lock: File,
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

    fn log(&self) -> io::Result<Arc<File>> {
        let open = self
            .open
            .as_ref()
            .ok_or_else(|| io::Error::other("the log is not open"))?;
        Ok(Arc::clone(&open.log.lock().unwrap_or_else(PoisonError::into_inner)))
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
                    "another process has it open",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut log = open_log(&self.folder.join(LOG))?;
        let mut bytes = Vec::new();
        log.read_to_end(&mut bytes)?;
        self.open = Some(Open {
            log: Arc::new(Mutex::new(Arc::new(log))),
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
        let (path, draft) = (self.folder.join(LOG), self.folder.join("objects.log.new"));
        let mut log = private_file()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(&draft)?;
        log.write_all(contents)?;
        // Without this a loss of power after the rename could leave an empty log, fsync asked for or not.
        log.sync_data()?;
        fs::rename(&draft, &path)?;
        File::open(&self.folder)?.sync_all()?;
        let open = self
            .open
            .as_ref()
            .ok_or_else(|| io::Error::other("the log is not open"))?;
        *open.log.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(log);
        Ok(())
    }

    fn flush(&self) -> Option<Flush> {
        let log = Arc::clone(&self.open.as_ref().filter(|_| self.fsync)?.log);
        Some(Arc::new(move || {
            let file = Arc::clone(&log.lock().unwrap_or_else(PoisonError::into_inner));
            file.sync_data()
        }))
    }

    fn name(&self) -> String {
        self.folder.join(LOG).display().to_string()
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
