//! Events as JSON lines, to a file or to standard output.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use berth_engine::Event;

use crate::failure::{Attempted, Failure, Result};
use crate::printer::Printer;

/// Where events go.
pub(super) enum Sink {
    Stdout,
    File { path: PathBuf, file: File },
}

impl Sink {
    /// `-` is standard output. A file is appended to, so that several runs make one log.
    pub(super) fn open(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.attempted(format!("could not open {} for events", path.display()))?;
        Ok(Self::File {
            path: path.to_owned(),
            file,
        })
    }

    pub(super) fn write(&mut self, printer: &Printer, event: &Event) -> Result<()> {
        let line = serde_json::to_string(event)
            .map_err(|error| Failure::failed("an event could not be written as JSON").because(&error))?;
        match self {
            Self::Stdout => printer.line(&line),
            Self::File { path, file } => {
                writeln!(file, "{line}").attempted(format!("could not write events to {}", path.display()))?;
            }
        }
        Ok(())
    }
}
