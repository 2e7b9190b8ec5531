//! A command-line tool in Berth's own folder: downloaded, unpacked, tried, and only then put in its place.
//!
//! Beside the tool lies a record of where it came from, by which a second run recognises it. All is done in a folder of its
//! own next to it, so that a kill at any moment leaves the tool as it was or as it should be.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use berth_procedure::Outcome;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::task;

use crate::fetch::{FetchError, fetch};
use crate::file;
use crate::probe::{ProbeError, probe};
use crate::unpack::{BOUNDS, UnpackError, unpack};

/// A tool to be had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) url: &'a str,
    pub(crate) ca: Option<&'a str>,
    pub(crate) probe: &'a [String],
}

/// Where a tool came from.
#[derive(Debug, Deserialize, Serialize)]
struct Record {
    url: String,
    /// Of the archive, in hexadecimal.
    sha256: String,
    /// Of the program itself.
    #[serde(rename = "programSha256")]
    program_sha256: String,
    /// What it said of itself.
    version: String,
}

/// Why a tool could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    #[error("failed to make the folder `{path}`")]
    Folder { path: PathBuf, source: io::Error },
    #[error("failed to download the tool")]
    Fetch(#[source] FetchError),
    #[error("failed to unpack the tool")]
    Unpack(#[source] UnpackError),
    #[error("failed to run the tool")]
    Probe(#[source] ProbeError),
    #[error("failed to record where the tool came from")]
    Record(#[source] file::FileError),
    #[error("failed to put the tool in its place at `{path}`")]
    Replace { path: PathBuf, source: io::Error },
}

/// The tool as an earlier run had it from the same place; `None` where it is not there or was changed.
pub(crate) async fn installed(folder: &Path, name: &str, url: &str) -> Option<Outcome> {
    let (path, record) = (folder.join(name), record_path(folder, name));
    let url = url.to_owned();
    let found = task::spawn_blocking(move || {
        let record: Record = serde_json::from_slice(&fs::read(record).ok()?).ok()?;
        let same = record.url == url && program_digest(&path).ok()? == record.program_sha256;
        same.then_some(Outcome::Tool {
            path,
            version: record.version,
        })
    });
    found.await.ok().flatten()
}

/// Downloads, unpacks and tries the tool, and puts it in its place.
pub(crate) async fn install(folder: &Path, wanted: Wanted<'_>) -> Result<Outcome, InstallError> {
    let workshop = folder.join(format!(".{}.{}.new", wanted.name, std::process::id()));
    prepare(&workshop).map_err(|source| InstallError::Folder {
        path: workshop.clone(),
        source,
    })?;
    let made = make(folder, &workshop, wanted).await;
    // What is left of it is in nobody's way, and the result says more.
    let _ = fs::remove_dir_all(&workshop);
    made
}

async fn make(folder: &Path, workshop: &Path, wanted: Wanted<'_>) -> Result<Outcome, InstallError> {
    let Wanted {
        name,
        url,
        ca,
        probe: arguments,
    } = wanted;
    // A tool that is named like the archive must not meet it.
    let (archive, program) = (workshop.join(".archive"), workshop.join(name));
    let sha256 = fetch(url, ca, &archive).await.map_err(InstallError::Fetch)?;
    let unpacked = {
        let (name, program) = (name.to_owned(), program.clone());
        task::spawn_blocking(move || unpack(&archive, &name, &program, BOUNDS)).await
    };
    unpacked
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        .map_err(InstallError::Unpack)?;
    let version = probe(&program, arguments).await.map_err(InstallError::Probe)?;
    let path = folder.join(name);
    let replaced = |source| InstallError::Replace {
        path: path.clone(),
        source,
    };
    let program_sha256 = program_digest(&program).map_err(replaced)?;
    let record = Record {
        url: url.to_owned(),
        sha256,
        program_sha256,
        version: version.clone(),
    };
    let text = serde_json::to_vec_pretty(&record).expect("a record of texts is JSON");
    // The record first: with an older program beside it, it is not believed, and all is done again.
    file::replace(&record_path(folder, name), &text, 0o644).map_err(InstallError::Record)?;
    fs::rename(&program, &path).map_err(replaced)?;
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(replaced)?;
    Ok(Outcome::Tool { path, version })
}

fn prepare(workshop: &Path) -> io::Result<()> {
    // Left by a process of the same number that was killed.
    match fs::remove_dir_all(workshop) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(workshop)
}

fn record_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".{name}.json"))
}

fn program_digest(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut digest)?;
    Ok(format!("{:x}", digest.finalize()))
}

#[cfg(test)]
mod tests;
