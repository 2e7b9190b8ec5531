//! The user's own kubeconfig: found, locked as kubectl locks it, and replaced whole.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use berth_effects::Effects;
use berth_procedure::access::{self, KubeconfigError};
use berth_procedure::{Effect, Perform as _, Secret};
use serde_json::Value;

use crate::env;
use crate::failure::{Attempted, Failure, Result};
use crate::labs;

/// So often is a lock tried that another program holds.
const ATTEMPTS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(100);

/// What a merge did.
#[derive(Debug)]
pub(super) struct Merged {
    /// Where the former file is, if it was to be kept.
    pub(super) backup: Option<PathBuf>,
    pub(super) lost_comments: bool,
    /// Whether the guest's context is the current one.
    pub(super) is_current: bool,
}

/// The file that a merge goes into: the first of `$KUBECONFIG`, else `~/.kube/config`.
pub(super) fn user() -> Result<PathBuf> {
    let file = env::own_kubeconfig()
        .ok_or_else(|| Failure::usage("there is no kubeconfig to merge into").hint("set KUBECONFIG, or HOME"))?;
    // A link is followed: what replaces the file must not replace the link.
    let file = file.canonicalize().unwrap_or(file);
    let labs = labs::running()?;
    let is_labs = |lab: &labs::RunningLab| lab.kubeconfig.canonicalize().is_ok_and(|own| own == file);
    if labs.iter().any(is_labs) {
        return Err(Failure::usage(format!(
            "{} is a lab's own kubeconfig, which the lab writes",
            file.display()
        ))
        .hint("name another file in KUBECONFIG, with --lab for the lab"));
    }
    Ok(file)
}

/// Puts a guest's context into the file.
pub(super) async fn merge(file: &Path, own: &Value, force: bool, switch: bool, keep: bool) -> Result<Merged> {
    let lock = Lock::take(file).await?;
    let existing = match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.attempted(format!("could not read {}", file.display()))?,
    };
    let merged = access::merge(&existing, own, force, switch).map_err(|error| refused(file, &error))?;
    let backup = (keep && !existing.is_empty()).then(|| beside(file, "bak"));
    if let Some(backup) = &backup {
        write(backup, &existing).await?;
    }
    if merged != existing {
        write(file, &merged).await?;
    }
    drop(lock);
    let is_current = access::Entry::read(&merged, None, &|_| None)
        .is_ok_and(|entry| Some(entry.context.as_str()) == own["current-context"].as_str());
    Ok(Merged {
        lost_comments: access::has_comments(&existing),
        backup,
        is_current,
    })
}

fn refused(file: &Path, error: &KubeconfigError) -> Failure {
    let failure = Failure::failed(format!("could not merge into {}", file.display())).because(error);
    match error {
        KubeconfigError::Taken { .. } => {
            failure.hint("--context-name NAME takes another name, --force replaces what is there")
        }
        _ => failure.hint("nothing was written; mend the file first"),
    }
}

async fn write(path: &Path, contents: &str) -> Result<()> {
    let effect = Effect::WriteFile {
        path: path.to_owned(),
        contents: Secret::new(contents),
    };
    // Neither tools nor keys are asked for here: their folders are never used.
    let written = Effects::new(PathBuf::new(), PathBuf::new()).perform(&effect).await;
    written.map(drop).map_err(|error| {
        Failure::failed(format!("could not write {}", path.display()))
            .because(&error)
            .hint(error.fix.clone())
    })
}

/// `config` → `config.bak`.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// The lock that kubectl takes when it writes a kubeconfig: a file beside it, there while it is held.
#[derive(Debug)]
struct Lock(PathBuf);

impl Lock {
    async fn take(file: &Path) -> Result<Self> {
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).attempted(format!("could not make {}", folder.display()))?;
        }
        let lock = beside(file, "lock");
        for _ in 0..ATTEMPTS {
            match OpenOptions::new().write(true).create_new(true).open(&lock) {
                Ok(_) => return Ok(Self(lock)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => tokio::time::sleep(BETWEEN).await,
                Err(error) => return Err(error).attempted(format!("could not lock {}", file.display())),
            }
        }
        Err(
            Failure::failed(format!("another program is writing {}", file.display())).hint(format!(
                "if none is, one was killed meanwhile: remove {}",
                lock.display()
            )),
        )
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // It is only a mark; whoever finds it left behind is told what it is.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    use super::*;

    fn own() -> Value {
        json!({
            "current-context": "g",
            "clusters": [{ "name": "g", "cluster": { "server": "https://192.0.2.1:6443" } }],
            "contexts": [{ "name": "g", "context": { "cluster": "g", "user": "g-admin" } }],
            "users": [{ "name": "g-admin", "user": {} }],
        })
    }

    #[tokio::test]
    async fn a_merge_replaces_the_file_whole_and_keeps_the_former_one_if_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("made/config");
        let merged = merge(&file, &own(), false, false, true).await.expect("merged");
        assert!(merged.backup.is_none() && merged.is_current && !merged.lost_comments);
        let mode = fs::metadata(&file).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);

        let before = "# mine\ncurrent-context: x\n";
        fs::write(&file, before).expect("written");
        let merged = merge(&file, &own(), false, false, true).await.expect("merged");
        assert!(merged.lost_comments && !merged.is_current);
        assert_eq!(fs::read_to_string(merged.backup.expect("kept")).expect("read"), before);
        let left: Vec<_> = fs::read_dir(file.parent().expect("a folder"))
            .expect("read")
            .flatten()
            .collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_the_lock_is_waited_for_and_then_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config");
        fs::write(beside(&file, "lock"), "").expect("written");
        let failure = merge(&file, &own(), false, false, false).await.expect_err("locked");
        assert!(failure.hints[0].contains("config.lock"), "{failure:?}");
        assert!(!file.exists());
        fs::remove_file(beside(&file, "lock")).expect("removed");
        merge(&file, &own(), false, false, false).await.expect("merged");
        assert!(!beside(&file, "lock").exists());
    }
}
