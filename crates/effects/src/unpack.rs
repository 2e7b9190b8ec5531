//! Takes one program out of a `.tar.gz` that nobody vouches for: regular files and folders only, every path inside the
//! archive's own tree, bounded in every direction.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

/// What an archive may hold at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) entries: usize,
    pub(crate) bytes: u64,
    /// How many times larger than the archive its contents may be.
    pub(crate) ratio: u64,
}

/// Generous for a tool with its licence files, and far from filling a disk.
pub(crate) const BOUNDS: Bounds = Bounds {
    entries: 1_000,
    bytes: 2 << 30,
    ratio: 100,
};

/// Small archives of text may shrink more than the ratio allows.
const ALWAYS_ALLOWED: u64 = 1 << 20;

/// Why an archive was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    #[error("failed to read the archive")]
    Read { source: io::Error },
    #[error("the archive holds `{path}`, which is not a regular file")]
    NotRegular { path: PathBuf },
    #[error("the archive holds `{path}`, which leads out of it")]
    Outside { path: PathBuf },
    #[error("the archive holds more than it may: {what}")]
    TooMuch { what: &'static str },
    #[error("the archive holds no `{name}`")]
    Missing { name: String },
    #[error("the archive holds more than one `{name}`")]
    Ambiguous { name: String },
    #[error("failed to write `{path}`")]
    Write { path: PathBuf, source: io::Error },
}

/// Takes the program of this name out of the archive and writes it, executable, to a file that must not exist.
pub(crate) fn unpack(archive: &Path, name: &str, into: &Path, bounds: Bounds) -> Result<(), UnpackError> {
    let read = |source| UnpackError::Read { source };
    let file = File::open(archive).map_err(read)?;
    let packed = file.metadata().map_err(read)?.len();
    let allowed = bounds
        .bytes
        .min(packed.saturating_mul(bounds.ratio).max(ALWAYS_ALLOWED));
    // One byte more than allowed, so that exceeding it shows. Counted after decompression, headers and padding included.
    let limited = MultiGzDecoder::new(BufReader::new(file)).take(allowed + 1);
    let mut archive = Archive::new(limited);
    let (mut found, mut entries, mut bytes) = (false, 0, 0_u64);
    for entry in archive.entries().map_err(read)? {
        let mut entry = entry.map_err(read)?;
        entries += 1;
        bytes = bytes.saturating_add(entry.size());
        if entries > bounds.entries {
            return Err(UnpackError::TooMuch { what: "entries" });
        }
        if bytes > allowed {
            return Err(UnpackError::TooMuch { what: "bytes" });
        }
        let path = entry.path().map_err(read)?.into_owned();
        check(&path, entry.header().entry_type())?;
        if entry.header().entry_type() == EntryType::Directory || path.file_name().is_none_or(|file| file != name) {
            continue;
        }
        if std::mem::replace(&mut found, true) {
            return Err(UnpackError::Ambiguous { name: name.to_owned() });
        }
        write(&mut entry, into)?;
    }
    if found {
        Ok(())
    } else {
        Err(UnpackError::Missing { name: name.to_owned() })
    }
}

fn check(path: &Path, kind: EntryType) -> Result<(), UnpackError> {
    if !matches!(kind, EntryType::Regular | EntryType::Directory) {
        return Err(UnpackError::NotRegular { path: path.to_owned() });
    }
    let inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if inside {
        Ok(())
    } else {
        Err(UnpackError::Outside { path: path.to_owned() })
    }
}

fn write(from: &mut impl Read, into: &Path) -> Result<(), UnpackError> {
    let failed = |source| UnpackError::Write {
        path: into.to_owned(),
        source,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o755)
        .open(into)
        .map_err(failed)?;
    io::copy(from, &mut file).map_err(failed)?;
    // The mode at creation is subject to the umask; the tool has to run.
    fs::set_permissions(into, std::os::unix::fs::PermissionsExt::from_mode(0o755)).map_err(failed)?;
    file.sync_all().map_err(failed)
}

#[cfg(test)]
mod tests;
