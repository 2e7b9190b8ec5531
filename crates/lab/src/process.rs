//! Labs as processes of their own: started detached, found by their lock, stopped, and asked how they are.
//!
//! [`start`] runs this program again with hidden arguments, `lab run --options JSON`; whoever owns the command line gives
//! those to [`run_foreground`], which is the lab itself. It says that it is ready by a line on its standard output;
//! its log is its standard error.

mod control;
mod generation;
mod launch;
mod network;
mod options;
mod run;
mod status;
pub(crate) mod upstream;

use std::path::PathBuf;

use jiff::Timestamp;

use crate::home::{Home, LabFolder, LabName, Record};

pub use control::{StopError, find, reset, stop};
pub use generation::GenerationError;
pub use launch::{How, LaunchError, Started, start};
pub use options::StartOptions;
pub use run::{RunError, run_foreground};
pub use status::{LabStatus, StatusError, status};
pub use upstream::{CrdsError, read_crds};

/// The hidden arguments with which [`start`] runs this program, before the options.
pub const RUN_ARGUMENTS: [&str; 3] = ["lab", "run", "--options"];

/// A lab that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its name.
    pub name: LabName,
    /// Its process.
    pub pid: u32,
    /// `https://127.0.0.1:port`.
    pub url: String,
    /// Where its kubeconfig is.
    pub kubeconfig: PathBuf,
    /// Where its log is.
    pub log: PathBuf,
    /// How fast modelled work goes by, as on a command line.
    pub speed: String,
    /// The upstream versions that it plays.
    pub generation: String,
    /// Since when it runs.
    pub started: Timestamp,
    /// Which build of the program runs it.
    pub build: String,
}

impl Running {
    fn new(folder: &LabFolder, record: &Record) -> Self {
        Self {
            name: folder.name().clone(),
            pid: record.pid,
            url: url(record.ports.api),
            kubeconfig: folder.kubeconfig(),
            log: folder.log(),
            speed: record.speed.clone(),
            generation: record.generation.clone(),
            started: record.started,
            build: record.build.clone(),
        }
    }
}

/// Where a lab's API is.
fn url(port: u16) -> String {
    format!("https://127.0.0.1:{port}")
}

/// Tells one build of the program from another: its version, and the size and time of its file.
fn build_id() -> String {
    let file = std::env::current_exe().and_then(std::fs::metadata);
    let (size, time) = file.map_or((0, 0), |file| {
        let time = file
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        (file.len(), time.map_or(0, |time| time.as_nanos()))
    });
    format!("{}-{size:x}-{time:x}", env!("CARGO_PKG_VERSION"))
}
