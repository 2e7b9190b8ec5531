//! The user's own kubeconfig: found, locked as kubectl locks it, and replaced whole.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use berth_effects::Effects;
use berth_procedure::access::{self, KubeconfigError};
use berth_procedure::{Effect, Perform as _, Secret};
use serde_json::Value;

use crate::env::{self, OwnKubeconfigs};
use crate::failure::{Attempted, Failure, Result};
use crate::labs;

/// So often is a lock tried that another program holds.
const ATTEMPTS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(100);

/// How to merge.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    /// Whether what is there under the same name goes, whatever it is for.
    pub(super) force: bool,
    /// Whether the guest's context becomes the current one.
    pub(super) switch: bool,
    /// Whether the former file is kept.
    pub(super) keep: bool,
}

/// What a merge did.
#[derive(Debug)]
pub(super) struct Merged {
    /// Where the former file is, if it was to be kept.
    pub(super) backup: Option<PathBuf>,
    pub(super) lost_comments: bool,
    /// Whether the guest's context is the current one.
    pub(super) is_current: bool,
}

/// The file that a merge goes into, with those that make one kubeconfig together with it.
pub(super) fn user() -> Result<OwnKubeconfigs> {
    let own = env::own_kubeconfigs()
        .ok_or_else(|| Failure::usage("there is no kubeconfig to merge into").hint("set KUBECONFIG, or HOME"))?;
    let target = target(&own.file);
    let labs = labs::running()?;
    let is_labs = |lab: &labs::RunningLab| lab.kubeconfig.canonicalize().is_ok_and(|labs| labs == target);
    if labs.iter().any(is_labs) {
        return Err(Failure::usage(format!(
            "{} is a lab's own kubeconfig, which the lab writes",
            own.file.display()
        ))
        .hint("name another file in KUBECONFIG, with --lab for the lab"));
    }
    Ok(own)
}

/// What is written where a file is meant: what replaces the file must not replace a link to it.
fn target(file: &Path) -> PathBuf {
    if let Ok(target) = file.canonicalize() {
        return target;
    }
    // A link to a file that is yet to be made.
    match (fs::read_link(file), file.parent()) {
        (Ok(target), Some(folder)) => folder.join(target),
        (Ok(target), None) => target,
        (Err(_), _) => file.to_owned(),
    }
}

/// Puts a guest's context into the file.
pub(super) async fn merge(into: &OwnKubeconfigs, own: &Value, wishes: Wishes) -> Result<Merged> {
    let Wishes { force, switch, keep } = wishes;
    let OwnKubeconfigs { file, others } = into;
    let lock = Lock::take(file).await?;
    let existing = match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.attempted(format!("could not read {}", file.display()))?,
    };
    // One that can't be read is none for kubectl either.
    let others: Vec<_> = others
        .iter()
        .filter_map(|other| fs::read_to_string(other).ok())
        .collect();
    let merged = access::merge(&existing, &others, own, force, switch).map_err(|error| refused(file, &error))?;
    let backup = (keep && !existing.is_empty()).then(|| unused(file));
    if let Some(backup) = &backup {
        write(backup, &existing).await?;
    }
    if merged.text.reveal() != existing {
        write(&target(file), merged.text.reveal()).await?;
    }
    drop(lock);
    Ok(Merged {
        lost_comments: access::has_comments(&existing),
        backup,
        is_current: merged.is_current,
    })
}

/// The first of `config.bak`, `config.bak.1`, … that is not there.
fn unused(file: &Path) -> PathBuf {
    let first = beside(file, "bak");
    let more = (1_u32..).map(|number| beside(&first, &number.to_string()));
    let mut names = std::iter::once(first.clone()).chain(more);
    names.find(|name| name.symlink_metadata().is_err()).unwrap_or(first)
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

    /// Merges into a file that is alone.
    async fn merge(file: &Path, keep: bool) -> Result<Merged> {
        let into = OwnKubeconfigs {
            file: file.to_owned(),
            others: Vec::new(),
        };
        let wishes = Wishes {
            keep,
            ..Wishes::default()
        };
        super::merge(&into, &own(), wishes).await
    }

    #[tokio::test]
    async fn a_merge_replaces_the_file_whole_and_keeps_the_former_one_if_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("made/config");
        let merged = merge(&file, true).await.expect("merged");
        assert!(merged.backup.is_none() && merged.is_current && !merged.lost_comments);
        let mode = fs::metadata(&file).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);

        for name in ["config.bak", "config.bak.1"] {
            let before = format!("# mine\ncurrent-context: {name}\n");
            fs::write(&file, &before).expect("written");
            let merged = merge(&file, true).await.expect("merged");
            assert!(merged.lost_comments && !merged.is_current);
            let backup = merged.backup.expect("kept");
            assert_eq!(backup.file_name().and_then(|name| name.to_str()), Some(name));
            assert_eq!(fs::read_to_string(backup).expect("read"), before);
        }
        let left: Vec<_> = fs::read_dir(file.parent().expect("a folder"))
            .expect("read")
            .flatten()
            .collect();
        assert_eq!(left.len(), 3, "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_the_lock_is_waited_for_and_then_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config");
        fs::write(beside(&file, "lock"), "").expect("written");
        let failure = merge(&file, false).await.expect_err("locked");
        assert!(failure.hints[0].contains("config.lock"), "{failure:?}");
        assert!(!file.exists());
        fs::remove_file(beside(&file, "lock")).expect("removed");
        merge(&file, false).await.expect("merged");
        assert!(!beside(&file, "lock").exists());
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_is_locked_where_it_is_and_written_where_it_leads() {
        let folder = tempfile::tempdir().expect("a folder");
        let (link, real) = (folder.path().join("config"), folder.path().join("real"));
        std::os::unix::fs::symlink("real", &link).expect("linked");
        fs::write(beside(&link, "lock"), "").expect("written");
        merge(&link, false).await.expect_err("locked");
        fs::remove_file(beside(&link, "lock")).expect("removed");
        for _ in ["a link to nothing", "a link to a file"] {
            merge(&link, false).await.expect("merged");
            assert!(link.is_symlink() && real.is_file() && !real.is_symlink());
        }
    }

    #[tokio::test]
    async fn a_file_that_is_made_takes_no_current_context_from_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, other) = (folder.path().join("new"), folder.path().join("config"));
        fs::write(&other, "current-context: work\n").expect("written");
        let into = OwnKubeconfigs {
            file: file.clone(),
            others: vec![other],
        };
        let merged = super::merge(&into, &own(), Wishes::default()).await.expect("merged");
        let text = fs::read_to_string(file).expect("read");
        assert!(!merged.is_current && !text.contains("current-context"), "{text}");
    }
}
