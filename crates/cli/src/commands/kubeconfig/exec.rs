//! How this program is called as a credential plugin: pinned to the hub that it was asked on, since whoever calls it later has
//! another current context.

use std::path::{Path, PathBuf};

use berth_procedure::access::ExecUser;
use kube::config::Kubeconfig;

use crate::args::TargetArgs;
use crate::env;
use crate::failure::{Attempted, Result};
use crate::guests::Guest;
use crate::labs;
use crate::session::Session;

/// The user of a guest's kubeconfig that refreshes by itself.
pub(super) fn user(target: &TargetArgs, session: &Session, guest: &Guest) -> Result<ExecUser> {
    let (mut arguments, mut environment) = (Vec::new(), Vec::new());
    if let Some(lab) = &session.lab {
        arguments.push(format!("--lab={lab}"));
        let home = absolute(&labs::folder()?)?;
        environment.push(("BERTH_HOME".to_owned(), home.display().to_string()));
    } else {
        match (&target.kubeconfig, env::kubeconfig_list()) {
            (None, Some(files)) => environment.push(("KUBECONFIG".to_owned(), joined(&files)?)),
            (file, _) => {
                if let Some(file) = file.clone().or_else(env::kubeconfig) {
                    arguments.push("--kubeconfig".to_owned());
                    arguments.push(absolute(&file)?.display().to_string());
                }
            }
        }
        if let Some(context) = target.context.clone().or_else(|| current(target.kubeconfig.as_deref())) {
            arguments.push("--context".to_owned());
            arguments.push(context);
        }
    }
    arguments.push("kubeconfig".to_owned());
    arguments.push(format!("{}/{}", guest.namespace, guest.name));
    arguments.push("--credential".to_owned());
    let program = env::program().attempted("could not find out where this program is")?;
    Ok(ExecUser {
        command: program.display().to_string(),
        arguments,
        environment,
    })
}

/// The context that is current now.
fn current(file: Option<&Path>) -> Option<String> {
    let kubeconfig = match file {
        Some(file) => Kubeconfig::read_from(file),
        None => Kubeconfig::read(),
    };
    kubeconfig.ok()?.current_context
}

/// A list of files that means the same wherever it is read.
fn joined(files: &[PathBuf]) -> Result<String> {
    let files = files.iter().map(|file| absolute(file)).collect::<Result<Vec<_>>>()?;
    let joined = std::env::join_paths(files).attempted("could not make a list of the kubeconfigs")?;
    Ok(joined.to_string_lossy().into_owned())
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).attempted(format!("could not tell where {} is", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_kubeconfigs_is_the_same_from_everywhere() {
        let here = std::env::current_dir().expect("a folder");
        let list = joined(&["hub.yaml".into(), "/etc/other.yaml".into()]).expect("joined");
        assert_eq!(list, format!("{}/hub.yaml:/etc/other.yaml", here.display()));
    }
}
