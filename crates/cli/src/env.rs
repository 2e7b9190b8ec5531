//! Every environment variable that Berth reads, and the only place that reads them.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use berth_procedure::render::Dialect;

/// Where labs and tools are kept; the platform's state folder otherwise.
const BERTH_HOME: &str = "BERTH_HOME";
/// A kubeconfig, as every Kubernetes tool takes it (a list of files, the first that exists wins here).
const KUBECONFIG: &str = "KUBECONFIG";
/// Any value: no colour.
const NO_COLOR: &str = "NO_COLOR";
/// What the log says: a filter as `tracing` takes it, e.g. `berth_engine=debug`.
const BERTH_LOG: &str = "BERTH_LOG";
/// Which generation of HyperShift is meant where no cluster is asked: `4.17` or `current`.
const BERTH_GENERATION: &str = "BERTH_GENERATION";

/// The user's kubeconfigs, where something is to be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OwnKubeconfigs {
    /// The one that is written.
    pub(crate) file: PathBuf,
    /// The others that are there, in their order; they come after it.
    pub(crate) others: Vec<PathBuf>,
}

// === impl OwnKubeconfigs ===

impl OwnKubeconfigs {
    /// The file of a list that kubectl writes: the first that is there, else the last.
    fn of(files: Vec<PathBuf>) -> Option<Self> {
        let last = files.iter().rfind(|file| !file.as_os_str().is_empty()).cloned();
        let mut there = files.into_iter().filter(|file| file.exists());
        let file = there.next().or(last)?;
        let others = there.filter(|other| *other != file).collect();
        Some(Self { file, others })
    }
}

/// The folder for everything that Berth keeps on this machine.
pub(crate) fn home() -> Option<PathBuf> {
    if let Some(home) = path(BERTH_HOME) {
        return Some(home);
    }
    if let Some(state) = path("XDG_STATE_HOME") {
        return Some(state.join("berth"));
    }
    user_home().map(|home| home.join(".local/state/berth"))
}

/// The kubeconfig that a client without flags would use, if there is one: `$KUBECONFIG`, else `~/.kube/config`.
pub(crate) fn kubeconfig() -> Option<PathBuf> {
    match named_kubeconfigs() {
        Some(files) => files.into_iter().find(|file| file.is_file()),
        None => home_kubeconfig(),
    }
}

/// The files that `$KUBECONFIG` names, whether they are there or not; `None` where it is not set.
pub(crate) fn named_kubeconfigs() -> Option<Vec<PathBuf>> {
    let list = env::var_os(KUBECONFIG).filter(|list| !list.is_empty())?;
    Some(env::split_paths(&list).collect())
}

/// `~/.kube/config`, if it is there.
pub(crate) fn home_kubeconfig() -> Option<PathBuf> {
    user_home()
        .map(|home| home.join(".kube/config"))
        .filter(|file| file.is_file())
}

/// The kubeconfig that is the user's to write, and those that make one kubeconfig together with it: the files of
/// `$KUBECONFIG`, else `~/.kube/config`.
pub(crate) fn own_kubeconfigs() -> Option<OwnKubeconfigs> {
    // A list of nothing but separators names none.
    let listed = named_kubeconfigs().and_then(OwnKubeconfigs::of);
    listed.or_else(|| {
        let file = user_home()?.join(".kube/config");
        let others = Vec::new();
        Some(OwnKubeconfigs { file, others })
    })
}

/// `$KUBECONFIG`, where it names several files that make one kubeconfig together.
pub(crate) fn kubeconfig_list() -> Option<Vec<PathBuf>> {
    let files = named_kubeconfigs()?.into_iter();
    let files: Vec<_> = files.filter(|file| !file.as_os_str().is_empty()).collect();
    (files.len() > 1).then_some(files)
}

/// Where this program is.
pub(crate) fn program() -> std::io::Result<PathBuf> {
    env::current_exe()
}

/// The program that opens an address for the user, where there is a screen.
pub(crate) fn browser() -> Option<&'static str> {
    if cfg!(target_os = "macos") {
        return Some("open");
    }
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"]
        .into_iter()
        .any(|variable| path(variable).is_some());
    screen.then_some("xdg-open")
}

/// Whether the user asked for no colour (<https://no-color.org>).
pub(crate) fn no_color() -> bool {
    env::var_os(NO_COLOR).is_some_and(|value| !value.is_empty())
}

/// The log's filter; nothing is logged without it.
pub(crate) fn log_filter() -> Option<String> {
    env::var(BERTH_LOG).ok().filter(|filter| !filter.is_empty())
}

/// The generation of HyperShift that is asked for, if one is.
pub(crate) fn generation() -> Result<Option<Dialect>, String> {
    match env::var(BERTH_GENERATION).as_deref() {
        Err(_) | Ok("") => Ok(None),
        Ok("4.17") => Ok(Some(Dialect::Release4_17)),
        Ok("current") => Ok(Some(Dialect::Current)),
        Ok(other) => Err(format!("{BERTH_GENERATION} is `{other}`, and must be 4.17 or current")),
    }
}

/// A variable that a document names as a secret's source.
pub(crate) fn named(variable: &str) -> Option<String> {
    env::var(variable).ok()
}

/// The program as it was called, and its arguments.
pub(crate) fn arguments() -> Vec<OsString> {
    env::args_os().collect()
}

fn user_home() -> Option<PathBuf> {
    path("HOME")
}

fn path(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_file_that_kubectl_writes_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let of = |names: &[&str]| {
            let list = names
                .iter()
                .map(|name| if name.is_empty() { PathBuf::new() } else { at(name) });
            OwnKubeconfigs::of(list.collect())
        };
        let own = |file: &str, others: &[&str]| {
            Some(OwnKubeconfigs {
                file: at(file),
                others: others.iter().map(|other| at(other)).collect(),
            })
        };
        assert_eq!(of(&["", ""]), None);
        assert_eq!(of(&["new", "newer", ""]), own("newer", &[]));
        for name in ["old", "older"] {
            fs::write(at(name), "").expect("written");
        }
        assert_eq!(of(&["", "new", "old", "old", "older"]), own("old", &["older"]));
        assert_eq!(of(&["old", "new"]), own("old", &[]));
    }
}
