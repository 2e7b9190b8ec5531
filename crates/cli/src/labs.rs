//! Labs as commands see them: found, started with what was typed, and said.

use std::path::PathBuf;

use berth_lab::{Home, How, LabName, Running, StartOptions};

use crate::args::LabOptions;
use crate::env;
use crate::failure::{Attempted, Failure, Result};
use crate::printer::Printer;

/// How fast a lab is where nothing was said: on a terminal slow enough to watch, otherwise as fast as it goes.
const WATCHABLE: &str = "50";

/// A lab that runs.
#[derive(Clone, Debug)]
pub(crate) struct RunningLab {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) kubeconfig: PathBuf,
}

impl From<Running> for RunningLab {
    fn from(running: Running) -> Self {
        Self {
            name: running.name.to_string(),
            url: running.url,
            kubeconfig: running.kubeconfig,
        }
    }
}

/// The folder for everything that Berth keeps on this machine.
pub(crate) fn folder() -> Result<PathBuf> {
    env::home().ok_or_else(|| {
        Failure::usage("there is no folder to keep things in")
            .hint("set BERTH_HOME, or HOME, to a folder that can be written")
    })
}

/// The labs' home on this machine.
pub(crate) fn home() -> Result<Home> {
    Ok(Home::new(folder()?))
}

/// A lab's name, checked.
pub(crate) fn name(text: &str) -> Result<LabName> {
    text.parse()
        .map_err(|error: berth_lab::InvalidLabName| Failure::usage(error.to_string()))
}

/// What to type for this lab beside a command: nothing for the default one.
pub(crate) fn flag(name: &str) -> String {
    match name {
        "default" => String::new(),
        name => format!(" --lab={name}"),
    }
}

/// Every lab that runs; none where there is no home to keep them in.
pub(crate) fn running() -> Result<Vec<RunningLab>> {
    if env::home().is_none() {
        return Ok(Vec::new());
    }
    let home = home()?;
    let mut running = Vec::new();
    for name in home.labs().attempted(format!(
        "could not read the folder of labs in {}",
        home.path().display()
    ))? {
        running.extend(find(name.as_str())?);
    }
    Ok(running)
}

/// The lab of this name, if it runs.
pub(crate) fn find(text: &str) -> Result<Option<RunningLab>> {
    let found = berth_lab::find(&home()?, &name(text)?);
    Ok(found
        .attempted(format!("could not look whether the lab `{text}` runs"))?
        .map(RunningLab::from))
}

/// Starts a lab, or finds the one that runs, and says which.
pub(crate) async fn start(printer: &Printer, text: &str, options: &LabOptions) -> Result<RunningLab> {
    let options = start_options(printer, text, options)?;
    let asked = options.speed;
    let started = berth_lab::start(&home()?, &options)
        .await
        .attempted(format!("could not start the lab `{text}`"))?;
    let lab = started.lab;
    let how = match started.how {
        How::Found => "runs already",
        How::Started => "runs",
        How::Restarted { .. } => "ran on another build of this program; it was restarted on its data and runs",
    };
    printer.say(&format!("lab `{}` {how} at {} (simulated)", lab.name, lab.url));
    if started.how == How::Found && lab.speed != asked.to_string() {
        printer.say(&format!("its speed stays {}, as it was started with", lab.speed));
    }
    Ok(lab.into())
}

fn start_options(printer: &Printer, text: &str, options: &LabOptions) -> Result<StartOptions> {
    let LabOptions {
        speed,
        generation,
        without,
        crds,
        fsync,
        workers,
    } = options;
    let default = if printer.is_live() { WATCHABLE } else { "max" };
    let speed = speed.as_deref().unwrap_or(default);
    let crds = match crds {
        Some(folder) => Some(
            folder
                .canonicalize()
                .attempted(format!("could not find the folder {}", folder.display()))?,
        ),
        None => None,
    };
    Ok(StartOptions {
        name: name(text)?,
        speed: speed
            .parse()
            .map_err(|error: berth_lab::InvalidSpeed| Failure::usage(error.to_string()))?,
        generation: generation
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|error: berth_lab::NoSuchGeneration| Failure::usage(error.to_string()))?,
        without: without.iter().cloned().collect(),
        crds,
        fsync: *fsync,
        workers: match workers {
            Some(count) => count
                .parse()
                .map_err(|error: berth_lab::NoSuchWorkers| Failure::usage(error.to_string()))?,
            None => berth_lab::Workers::default(),
        },
    })
}
