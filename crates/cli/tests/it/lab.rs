//! A lab as a user starts it: a process of its own, in a folder of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::script::Shell;

/// The program under test.
pub(crate) fn berth() -> &'static str {
    env!("CARGO_BIN_EXE_berth")
}

/// The workspace's root, where `examples/` and `docs/` are.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the crate is two folders below the root")
}

/// A home for labs, deleted with everything that runs in it.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::with_prefix("berth-test-").expect("a temporary folder can be made"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program with arguments, told to live here, with no kubeconfig but what is asked for.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(berth());
        command
            .args(arguments)
            .current_dir(root())
            .env("BERTH_HOME", self.path().join("state"))
            .env("HOME", self.path())
            .env_remove("KUBECONFIG")
            .env_remove("XDG_STATE_HOME")
            .env_remove("BERTH_LOG");
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// Runs the program, which must exit with 0; gives its stdout.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "berth {arguments:?}: {}\n--- stdout\n{stdout}--- stderr\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        stdout
    }

    /// A shell in a folder of this home, with `berth` and `oc` (as kubectl) on the path and the lab's kubeconfig.
    pub(crate) fn shell(&self, kubeconfig: &str) -> Shell {
        let folder = self.path().join("work");
        let bin = folder.join("bin");
        std::fs::create_dir_all(&bin).expect("a folder can be made");
        std::os::unix::fs::symlink(berth(), bin.join("berth")).expect("a link can be made");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let variables = BTreeMap::from([
            ("PATH".to_owned(), path),
            ("HOME".to_owned(), self.path().display().to_string()),
            ("BERTH_HOME".to_owned(), self.path().join("state").display().to_string()),
            ("KUBECONFIG".to_owned(), kubeconfig.trim().to_owned()),
            ("LC_ALL".to_owned(), "C.UTF-8".to_owned()),
        ]);
        Shell { folder, variables }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Whatever a test left running, by name: each lab has a folder.
        let labs = std::fs::read_dir(self.path().join("state/labs"))
            .into_iter()
            .flatten()
            .flatten();
        for lab in labs {
            let name = lab.file_name().to_string_lossy().into_owned();
            let _ = self.run(&[&format!("--lab={name}"), "lab", "stop"]);
        }
    }
}
