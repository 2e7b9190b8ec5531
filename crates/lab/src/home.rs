//! Where labs keep what they have on disk, and who holds it: `labs/<name>/` under a home folder that the caller names.
//!
//! ```text
//! lock             held by the process that runs the lab: the only truth about whether it runs
//! store/           the management cluster's objects
//! guests/          the guests' objects
//! backups/         what backups took, by a hash of its name
//! authorities/     certificate authorities, mode 0600
//! kubeconfig       mode 0600
//! state.json       ports, pid, speed, …: what the process that holds the lock says of itself
//! log              what it prints
//! ```

mod files;
mod record;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub(crate) use files::{create_private_folder, read_if_there, write_private};
pub(crate) use record::{Ports, Record};

/// The home of all labs.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

/// The folder of one lab.
#[derive(Clone, Debug)]
pub(crate) struct LabFolder {
    name: LabName,
    path: PathBuf,
}

/// A lab's name: a DNS label, so that it can be part of host names and of paths.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabName(String);

/// What was given as a lab's name is none.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no name for a lab: up to 40 lower-case letters, digits and dashes, a letter or digit at both ends")]
pub struct InvalidLabName(String);

/// A lab's lock, held until this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "the lock is the open file")] File);

// === impl Home ===

impl Home {
    /// A home at a path; nothing is made yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a lab's kubeconfig, whether the lab exists or not.
    pub fn kubeconfig(&self, name: &LabName) -> PathBuf {
        self.lab(name).kubeconfig()
    }

    /// The path of a lab's log, whether the lab exists or not.
    pub fn log(&self, name: &LabName) -> PathBuf {
        self.lab(name).log()
    }

    /// The names of all labs that have a folder, in order.
    pub fn labs(&self) -> io::Result<Vec<LabName>> {
        let entries = match fs::read_dir(self.0.join("labs")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            // What has no valid name was not made here.
            if let Some(name) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    pub(crate) fn lab(&self, name: &LabName) -> LabFolder {
        LabFolder {
            name: name.clone(),
            path: self.0.join("labs").join(&name.0),
        }
    }
}

// === impl LabFolder ===

impl LabFolder {
    pub(crate) fn name(&self) -> &LabName {
        &self.name
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    pub(crate) fn guests(&self) -> PathBuf {
        self.path.join("guests")
    }

    pub(crate) fn authorities(&self) -> PathBuf {
        self.path.join("authorities")
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path.join("kubeconfig")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    fn state(&self) -> PathBuf {
        self.path.join("state.json")
    }

    /// Makes the folder, for its owner only.
    pub(crate) fn create(&self) -> io::Result<()> {
        files::create_private_folder(&self.path)
    }

    /// Takes the lock; `None` where another process has it.
    pub(crate) fn try_lock(&self) -> io::Result<Option<Lock>> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(self.path.join("lock"))?;
        let got = file.try_lock();
        Ok(is_free(got)?.then_some(Lock(file)))
    }

    /// Whether some process holds the lock: it runs this lab, or has been killed and is not quite gone.
    pub(crate) fn is_held(&self) -> io::Result<bool> {
        let file = match File::open(self.path.join("lock")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        // Shared, so that two that look at the same time do not take each other for the lab.
        Ok(!is_free(file.try_lock_shared())?)
    }

    /// What the process that runs it, or ran it last, wrote of itself.
    pub(crate) fn record(&self) -> io::Result<Option<Record>> {
        let Some(text) = read_if_there(&self.state())? else {
            return Ok(None);
        };
        serde_json::from_str(&text).map(Some).map_err(io::Error::other)
    }

    pub(crate) fn write_record(&self, record: &Record) -> io::Result<()> {
        let text = serde_json::to_string_pretty(record).map_err(io::Error::other)?;
        write_private(&self.state(), &text)
    }
}

fn is_free(got: Result<(), fs::TryLockError>) -> io::Result<bool> {
    match got {
        Ok(()) => Ok(true),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

// === impl LabName ===

impl LabName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LabName {
    fn default() -> Self {
        Self("lab".to_owned())
    }
}

impl std::str::FromStr for LabName {
    type Err = InvalidLabName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let valid = (1..=40).contains(&text.len())
            && text.chars().all(|c| plain(c) || c == '-')
            && text.starts_with(plain)
            && text.ends_with(plain);
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidLabName(text.to_owned()))
        }
    }
}

impl std::fmt::Display for LabName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn names_are_dns_labels() {
        let check = |text: &str, valid: bool| assert_eq!(text.parse::<LabName>().is_ok(), valid, "{text}");
        check("lab", true);
        check("a-1", true);
        check("", false);
        check("-a", false);
        check("A", false);
        check("../x", false);
        check(&"a".repeat(41), false);
    }

    #[test]
    fn a_lock_is_held_by_one() {
        let home = tempfile::tempdir().unwrap();
        let folder = Home::new(home.path()).lab(&LabName::default());
        assert!(!folder.is_held().unwrap());
        folder.create().unwrap();
        let lock = folder.try_lock().unwrap();
        assert!(lock.is_some());
        assert!(folder.is_held().unwrap());
        assert!(folder.try_lock().unwrap().is_none());
        let mode = fs::metadata(folder.path().join("lock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(lock);
        assert!(!folder.is_held().unwrap());
    }
}
