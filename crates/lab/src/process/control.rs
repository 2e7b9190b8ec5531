//! Finds, stops and resets labs. The lock says whether one runs; the record says who it is, and whether it is ready.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::Running;
use crate::home::{Home, LabFolder, LabName, Record};

/// How often to look whether a lab that was told to stop has done so, and how often at most before it is killed.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: u32 = 500;

/// Why a lab could not be found out about, or not be stopped.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// Its folder cannot be read or deleted.
    #[error("failed to use the folder of the lab at `{path}`")]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its process cannot be told to stop.
    #[error("failed to stop the lab's process {pid}")]
    Signal {
        /// Which.
        pid: u32,
        /// Why.
        source: io::Error,
    },
    /// It goes on, whatever it is told.
    #[error("the lab's process {0} does not stop")]
    Stays(u32),
}

/// The lab, if it runs and clients can come.
pub fn find(home: &Home, name: &LabName) -> Result<Option<Running>, StopError> {
    let folder = home.lab(name);
    let record = holder(&folder)?.filter(|record| record.ready);
    Ok(record.map(|record| Running::new(&folder, &record)))
}

/// Who holds the lab's lock, ready or not: one that starts, one that was killed a moment ago, or one that runs.
pub(super) fn holder(folder: &LabFolder) -> Result<Option<Record>, StopError> {
    if !folder.is_held().map_err(in_folder(folder))? {
        return Ok(None);
    }
    folder.record().map_err(in_folder(folder))
}

/// Ends a lab and keeps its data. Whether it ran.
pub async fn stop(home: &Home, name: &LabName) -> Result<bool, StopError> {
    let folder = home.lab(name);
    let Some(running) = holder(&folder)? else {
        return Ok(false);
    };
    for signal in [Signal::TERM, Signal::KILL] {
        send(running.pid, signal)?;
        for _ in 0..LOOKS {
            if !folder.is_held().map_err(in_folder(&folder))? {
                return Ok(true);
            }
            tokio::time::sleep(LOOK).await;
        }
        tracing::warn!(pid = running.pid, "the lab does not stop by itself");
    }
    Err(StopError::Stays(running.pid))
}

/// Ends a lab and deletes all that it has. Whether there was anything.
pub async fn reset(home: &Home, name: &LabName) -> Result<bool, StopError> {
    stop(home, name).await?;
    let folder = home.lab(name);
    match std::fs::remove_dir_all(folder.path()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(in_folder(&folder)(error)),
    }
}

fn send(pid: u32, signal: Signal) -> Result<(), StopError> {
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(process) = process else {
        return Err(StopError::Stays(pid));
    };
    match kill_process(process, signal) {
        // It is gone: what is left is that the lock is free.
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(StopError::Signal {
            pid,
            source: error.into(),
        }),
    }
}

fn in_folder(folder: &LabFolder) -> impl Fn(io::Error) -> StopError + use<> {
    let path = folder.path().to_owned();
    move |source| StopError::Folder {
        path: path.clone(),
        source,
    }
}
