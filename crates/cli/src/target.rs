//! Which management cluster a command acts on.

use std::path::{Path, PathBuf};

use crate::args::TargetArgs;
use crate::env;
use crate::failure::{Failure, Result};
use crate::labs::{self, RunningLab};
use crate::printer::Printer;

/// What a command is about to do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
}

/// The chosen cluster, and the context of its kubeconfig where one was named.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) cluster: Cluster,
    pub(crate) context: Option<String>,
}

/// Where a cluster's kubeconfig comes from.
#[derive(Clone, Debug)]
pub(crate) enum Cluster {
    Lab(RunningLab),
    /// A file, or (without one) what the environment names.
    Kubeconfig(Option<PathBuf>),
}

/// What a command could act on, as found on this machine.
#[derive(Debug)]
struct Found {
    kubeconfig: Option<PathBuf>,
    labs: Vec<RunningLab>,
}

/// What to do where nothing was named.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    Lab,
    Kubeconfig,
    /// Both exist: take the kubeconfig, as every other tool does, and say so.
    KubeconfigAloud,
    Refuse(&'static str),
}

/// The cluster that the arguments name, or the only one there is.
pub(crate) fn choose(printer: &Printer, args: &TargetArgs, purpose: Purpose) -> Result<Target> {
    let TargetArgs {
        lab,
        kubeconfig,
        context,
        read_only: _,
    } = args;
    let cluster = match (lab, kubeconfig) {
        (Some(name), _) => running(printer, name)?,
        (None, Some(file)) => {
            let own = own_lab(Some(file), &labs::running()?);
            own.map_or_else(|| Cluster::Kubeconfig(Some(file.clone())), Cluster::Lab)
        }
        (None, None) if context.is_some() => Cluster::Kubeconfig(None),
        (None, None) => found_here(printer, purpose)?,
    };
    Ok(Target {
        cluster,
        context: context.clone(),
    })
}

/// Where nothing was named: the only cluster that this machine knows of.
fn found_here(printer: &Printer, purpose: Purpose) -> Result<Cluster> {
    let found = Found {
        kubeconfig: env::kubeconfig(),
        labs: labs::running()?,
    };
    // A kubeconfig that a lab wrote names that lab, and nothing else.
    if let Some(lab) = own_lab(found.kubeconfig.as_deref(), &found.labs) {
        return Ok(Cluster::Lab(lab));
    }
    match choice(&found, purpose) {
        Choice::Lab => Ok(Cluster::Lab(found.labs[0].clone())),
        Choice::Kubeconfig => Ok(Cluster::Kubeconfig(None)),
        Choice::KubeconfigAloud => {
            let file = found.kubeconfig.unwrap_or_default();
            let other = if found.labs.len() == 1 {
                "a lab runs too"
            } else {
                "labs run too"
            };
            printer.say(&format!(
                "acting on the cluster of {} ({other}: --lab takes it)",
                file.display()
            ));
            Ok(Cluster::Kubeconfig(None))
        }
        Choice::Refuse(why) => Err(refusal(printer, why, &found)),
    }
}

fn choice(found: &Found, purpose: Purpose) -> Choice {
    match (found.kubeconfig.is_some(), found.labs.len(), purpose) {
        (true, 0, _) => Choice::Kubeconfig,
        (false, 1, _) => Choice::Lab,
        (true, _, Purpose::Read) => Choice::KubeconfigAloud,
        (true, _, Purpose::Write) => {
            Choice::Refuse("there are a kubeconfig and a running lab, and a write must not guess")
        }
        (false, 0, _) => Choice::Refuse("there is neither a kubeconfig nor a running lab"),
        (false, _, _) => Choice::Refuse("several labs run"),
    }
}

fn refusal(printer: &Printer, why: &str, found: &Found) -> Failure {
    let mut failure = Failure::usage(format!("which cluster? {why}"));
    if let Some(file) = &found.kubeconfig {
        failure = failure.hint(format!("--kubeconfig {} for the cluster that it names", file.display()));
    } else {
        failure = failure.hint("--kubeconfig FILE for a cluster");
    }
    for lab in &found.labs {
        failure = failure.hint(format!("--lab={} for the lab at {}", lab.name, lab.url));
    }
    if found.labs.is_empty() {
        failure = failure.hint(format!(
            "`{0} lab start` for a lab on this machine; `{0} up --lab` starts one by itself",
            printer.program
        ));
    }
    failure
}

fn running(printer: &Printer, name: &str) -> Result<Cluster> {
    let found = labs::find(name)?;
    found.map(Cluster::Lab).ok_or_else(|| {
        Failure::usage(format!("the lab `{name}` does not run")).hint(format!(
            "`{} lab start{}` starts it",
            printer.program,
            labs::flag(name)
        ))
    })
}

/// The running lab whose own kubeconfig a file is.
fn own_lab(file: Option<&Path>, labs: &[RunningLab]) -> Option<RunningLab> {
    let file = file?.canonicalize().ok()?;
    labs.iter()
        .find(|lab| lab.kubeconfig.canonicalize().is_ok_and(|own| own == file))
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_both_reads_say_which_and_writes_refuse() {
        let lab = || RunningLab {
            name: "default".to_owned(),
            url: String::new(),
            kubeconfig: PathBuf::new(),
        };
        let found = |kubeconfig: bool, labs: usize| Found {
            kubeconfig: kubeconfig.then(PathBuf::new),
            labs: (0..labs).map(|_| lab()).collect(),
        };
        let refuses = |found: &Found, purpose| matches!(choice(found, purpose), Choice::Refuse(_));
        assert_eq!(choice(&found(true, 0), Purpose::Write), Choice::Kubeconfig);
        assert_eq!(choice(&found(false, 1), Purpose::Write), Choice::Lab);
        assert_eq!(choice(&found(true, 1), Purpose::Read), Choice::KubeconfigAloud);
        assert!(refuses(&found(true, 1), Purpose::Write));
        assert!(refuses(&found(false, 0), Purpose::Read));
        assert!(refuses(&found(false, 2), Purpose::Read));
    }
}
