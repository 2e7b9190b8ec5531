//! Runs a tool once to see that it runs on this machine, and takes the first line that it says of itself.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;
use tokio::time;

const PATIENCE: Duration = Duration::from_secs(20);

/// A program that was just written may still be open in a child that another thread is starting.
const BUSY_ATTEMPTS: u32 = 20;

/// Why a tool does not count as running.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("failed to start `{path}`")]
    Start { path: PathBuf, source: io::Error },
    #[error("`{path}` did not end within {} s", PATIENCE.as_secs())]
    TimedOut { path: PathBuf },
    #[error("`{path}` failed: {said}")]
    Failed { path: PathBuf, said: String },
}

/// The first line that the tool says when run with these arguments.
pub(crate) async fn probe(path: &Path, arguments: &[String]) -> Result<String, ProbeError> {
    let Output { status, stdout, stderr } = time::timeout(PATIENCE, run(path, arguments))
        .await
        .map_err(|_| ProbeError::TimedOut { path: path.to_owned() })?
        .map_err(|source| ProbeError::Start {
            path: path.to_owned(),
            source,
        })?;
    let said = first_line(&stdout).or_else(|| first_line(&stderr)).unwrap_or_default();
    if status.success() {
        return Ok(said);
    }
    let said = first_line(&stderr).unwrap_or(said);
    let said = if said.is_empty() { status.to_string() } else { said };
    Err(ProbeError::Failed {
        path: path.to_owned(),
        said,
    })
}

async fn run(path: &Path, arguments: &[String]) -> io::Result<Output> {
    let mut attempt = 1;
    loop {
        let output = Command::new(path)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        match output {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && attempt < BUSY_ATTEMPTS => {
                attempt += 1;
                time::sleep(Duration::from_millis(50)).await;
            }
            output => return output,
        }
    }
}

fn first_line(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(str::to_owned)
}
