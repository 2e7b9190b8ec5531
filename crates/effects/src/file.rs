//! Writes a file that holds a secret: of mode 0600 from its first byte, and whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use berth_procedure::{Outcome, Secret};
use tokio::task;

const MODE: u32 = 0o600;

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("`{path}` names no file")]
    NoName { path: PathBuf },
    #[error("failed to make the folder of `{path}`")]
    Folder { path: PathBuf, source: io::Error },
    #[error("failed to write `{path}`")]
    Write { path: PathBuf, source: io::Error },
}

/// Whether the file is there with these contents, for its owner only.
pub(crate) async fn is_written(path: &Path, contents: &Secret) -> Option<Outcome> {
    let (file, contents) = (path.to_owned(), contents.clone());
    let same = move || {
        let mode = fs::symlink_metadata(&file)
            .ok()
            .filter(fs::Metadata::is_file)?
            .permissions()
            .mode()
            & 0o777;
        (mode == MODE && fs::read(&file).ok()? == contents.reveal().as_bytes()).then_some(())
    };
    task::spawn_blocking(same).await.ok()??;
    Some(Outcome::Written { path: path.to_owned() })
}

/// Writes the file, replacing another one of its name.
pub(crate) async fn write(path: &Path, contents: &Secret) -> Result<Outcome, FileError> {
    let (file, contents) = (path.to_owned(), contents.clone());
    let written = task::spawn_blocking(move || replace(&file, contents.reveal().as_bytes(), MODE)).await;
    written.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    Ok(Outcome::Written { path: path.to_owned() })
}

/// Writes beside the file and renames, so that a reader sees the old contents or the new ones.
pub(crate) fn replace(path: &Path, contents: &[u8], mode: u32) -> Result<(), FileError> {
    let Some(name) = path.file_name() else {
        return Err(FileError::NoName { path: path.to_owned() });
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|source| FileError::Folder {
        path: path.to_owned(),
        source,
    })?;
    let beside = folder.join(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
    let written = write_beside(&beside, contents, mode).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // It is in nobody's way, and the error that is returned says more.
        let _ = fs::remove_file(&beside);
    }
    written
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(|source| FileError::Write {
            path: path.to_owned(),
            source,
        })
}

fn write_beside(beside: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    // Left by a process of the same number that was killed.
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(beside)?;
    file.write_all(contents)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("metadata").permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn a_written_file_is_private_and_recognised() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("made/for/it/guest.kubeconfig");
        let contents = Secret::new("contents");
        assert_eq!(is_written(&path, &contents).await, None);
        let outcome = write(&path, &contents).await.expect("written");
        assert_eq!(outcome, Outcome::Written { path: path.clone() });
        assert_eq!(
            (mode(&path), is_written(&path, &contents).await),
            (0o600, Some(outcome))
        );
        assert_eq!(
            fs::read_dir(path.parent().expect("a parent"))
                .expect("a folder")
                .count(),
            1,
            "nothing beside it"
        );
    }

    #[tokio::test]
    async fn other_contents_or_another_mode_are_not_recognised_and_are_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "contents").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
        let contents = Secret::new("contents");
        assert_eq!(is_written(&path, &contents).await, None);
        write(&path, &contents).await.expect("written");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(is_written(&path, &Secret::new("other")).await, None);
    }

    #[tokio::test]
    async fn a_link_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, elsewhere) = (folder.path().join("link"), folder.path().join("elsewhere"));
        fs::write(&elsewhere, "untouched").expect("written");
        std::os::unix::fs::symlink(&elsewhere, &path).expect("linked");
        write(&path, &Secret::new("contents")).await.expect("written");
        assert_eq!(fs::read_to_string(&elsewhere).expect("read"), "untouched");
        assert!(fs::symlink_metadata(&path).expect("metadata").is_file());
    }

    #[tokio::test]
    async fn a_failure_names_the_file_and_never_its_contents() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), "").expect("written");
        let path = folder.path().join("file/below");
        let error = write(&path, &Secret::new("hush")).await.expect_err("no folder");
        let failure = berth_procedure::EffectFailure::from(error);
        assert!(
            failure.message.contains("file/below") && !format!("{failure:?}").contains("hush"),
            "{failure:?}"
        );
    }
}
