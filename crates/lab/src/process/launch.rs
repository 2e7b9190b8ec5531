//! Starts a lab as a process of its own, or finds the one that runs.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::control::{StopError, find, holder, stop};
use super::generation::{self, GenerationError};
use super::status::answers;
use super::{CrdsError, Home, LabName, RUN_ARGUMENTS, Running, StartOptions, build_id, upstream};
use crate::actors::{self, NoSuchActor};

/// How long a lab may take to be ready. Opening a large store on a slow disk is the longest part of it.
const READY: Duration = Duration::from_mins(1);
/// How often to look whether a lab that holds its lock without answering has changed its mind, and how often at most.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 600;
/// How much of the log is shown when a lab ends before it is ready.
const LOG_LINES: usize = 20;

/// A lab that runs now, and how it came to.
#[derive(Clone, Debug)]
pub struct Started {
    /// The lab.
    pub lab: Running,
    /// How it came to run.
    pub how: How,
}

/// How a lab came to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It ran already, with the options that it was started with then.
    Found,
    /// It was started, on the data that it had if it had any.
    Started,
    /// It ran on another build of the program, and was started again on its data.
    Restarted {
        /// The other build.
        former: String,
    },
}

/// Why a lab was not started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The one that runs cannot be found out about, or not be stopped.
    #[error(transparent)]
    Stop(#[from] StopError),
    /// Its folder cannot be used.
    #[error("failed to use the folder of the lab at `{path}`")]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// This program cannot be run again.
    #[error("failed to start the lab's process")]
    Spawn(#[source] io::Error),
    /// An actor that is to be left out does not exist.
    #[error(transparent)]
    Without(#[from] NoSuchActor),
    /// The CRDs to serve instead cannot be read.
    #[error(transparent)]
    Crds(#[from] CrdsError),
    /// It holds a cluster of another generation.
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// A process holds the lab's lock, but its API does not answer.
    #[error("the lab `{0}` runs but does not answer; stop it, and start it again")]
    Silent(LabName),
    /// The process ended, or said nothing for too long.
    #[error("the lab did not get ready; the end of its log at `{log}` is:\n{tail}")]
    NotReady {
        /// Where the log is.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
}

/// Starts a lab and waits until clients can come; one that runs is left as it is, unless another build runs it.
pub async fn start(home: &Home, options: &StartOptions) -> Result<Started, LaunchError> {
    check(options)?;
    let folder = home.lab(&options.name);
    let former = folder.record().map_err(|source| LaunchError::Folder {
        path: folder.path().to_owned(),
        source,
    })?;
    generation::of_lab(options, former.as_ref())?;
    let mut how = How::Started;
    if let Some(lab) = found(home, options).await? {
        if lab.build == build_id() {
            return Ok(Started { lab, how: How::Found });
        }
        stop(home, &options.name).await?;
        how = How::Restarted { former: lab.build };
    }
    if let Err(error) = launch(home, options).await {
        // Somebody else may have been a moment quicker.
        return match found(home, options).await? {
            Some(lab) => Ok(Started { lab, how: How::Found }),
            None => Err(error),
        };
    }
    match find(home, &options.name)? {
        Some(lab) => Ok(Started { lab, how }),
        None => Err(not_ready(home, options)),
    }
}

/// What can be said to be wrong with the options before a process is started for it.
fn check(options: &StartOptions) -> Result<(), LaunchError> {
    actors::check_names(&options.without)?;
    if let Some(folder) = &options.crds {
        upstream::read_crds(folder)?;
    }
    Ok(())
}

/// The lab, if it answers. Somebody may be starting it just now, or have killed it: both are waited for.
async fn found(home: &Home, options: &StartOptions) -> Result<Option<Running>, LaunchError> {
    let folder = home.lab(&options.name);
    for _ in 0..LOOKS {
        let Some(record) = holder(&folder)? else {
            return Ok(None);
        };
        let lab = Running::new(&folder, &record);
        if record.ready && answers(&lab).await {
            return Ok(Some(lab));
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(LaunchError::Silent(options.name.clone()))
}

async fn launch(home: &Home, options: &StartOptions) -> Result<(), LaunchError> {
    let folder = home.lab(&options.name);
    folder.create().map_err(|source| LaunchError::Folder {
        path: folder.path().to_owned(),
        source,
    })?;
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(folder.log());
    let log = log.map_err(|source| LaunchError::Folder {
        path: folder.log(),
        source,
    })?;
    let program = std::env::current_exe().map_err(LaunchError::Spawn)?;
    let argument = options.encode(home).map_err(|error| LaunchError::Spawn(error.into()))?;
    let mut child = Command::new(program)
        .args(RUN_ARGUMENTS)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        // A group of its own: an interrupt at the terminal is for the command there, not for the lab.
        .process_group(0)
        .kill_on_drop(false)
        .spawn()
        .map_err(LaunchError::Spawn)?;
    let Some(stdout) = child.stdout.take() else {
        return Err(not_ready(home, options));
    };
    let mut line = String::new();
    let mut said = BufReader::new(stdout);
    // A line means ready; the end of the pipe without one means that the process is gone.
    match tokio::time::timeout(READY, said.read_line(&mut line)).await {
        Ok(Ok(length)) if length > 0 => Ok(()),
        Ok(_) => Err(not_ready(home, options)),
        Err(_) => {
            // It would go on using the folder of a lab that was reported not to run.
            let _ = child.start_kill();
            Err(not_ready(home, options))
        }
    }
}

fn not_ready(home: &Home, options: &StartOptions) -> LaunchError {
    let log = home.log(&options.name);
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
    LaunchError::NotReady { log, tail }
}
