//! The pure parts of the drop-in for the `hcp` command: arguments in, a request or the same error text as `hcp` out.
//!
//! Files and randomness come in through [`Outside`]; talking to a cluster is the caller's.

mod create_cluster;
mod flags;
mod grammar;
mod help;
mod kubeconfig;
mod print;
mod request;

use std::{io, path::Path};

use crate::render::Dialect;

pub use create_cluster::CreateCluster;
pub use kubeconfig::merged;
pub use print::{labelled_for_infra, to_stdout};

/// A command of `hcp`.
#[derive(Clone, Debug, PartialEq)]
pub enum HcpCommand {
    /// `create cluster kubevirt`.
    CreateCluster(Box<CreateCluster>),
    /// `create kubeconfig`.
    CreateKubeconfig {
        /// One guest; empty for all in the namespace, merged.
        name: String,
        /// The HostedCluster's namespace.
        namespace: String,
    },
    /// `version`.
    Version {
        /// Print only the client's commit.
        commit_only: bool,
        /// Print nothing of the server.
        client_only: bool,
        /// The namespace that HyperShift runs in.
        namespace: String,
    },
    /// A text to print, because help was asked for or no command was named.
    Help {
        /// The text.
        text: String,
        /// Whether that counts as done.
        asked: bool,
    },
}

/// Why `hcp` refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HcpError(String);

/// What a command needs from outside: both are called only where a flag needs them.
pub struct Outside<'a> {
    /// Reads a file.
    pub read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    /// Fills a buffer with random bytes.
    pub random: &'a mut dyn FnMut(&mut [u8]),
}

impl HcpError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// What `hcp` prints on stderr, a line each.
    pub fn lines(&self, dialect: Dialect) -> Vec<String> {
        let once = format!("Error: {}", self.0);
        if dialect.repeats_errors() {
            vec![once, self.0.clone()]
        } else {
            vec![once]
        }
    }

    /// The exit code of `hcp`.
    pub const EXIT_CODE: u8 = 1;
}

impl std::fmt::Debug for Outside<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outside")
    }
}

/// Parses the arguments after the program's name.
pub fn parse(args: &[String]) -> Result<HcpCommand, HcpError> {
    let (path, rest) = command_path(args)?;
    match path.as_slice() {
        ["create", "cluster", "kubevirt"] => {
            let Some(values) = flags::parse(create_cluster::FLAGS, rest)? else {
                return Ok(help(help::create_cluster()));
            };
            Ok(HcpCommand::CreateCluster(Box::new(CreateCluster::from_flags(&values)?)))
        }
        ["create", "kubeconfig"] => {
            let Some(values) = flags::parse(KUBECONFIG_FLAGS, rest)? else {
                return Ok(help(help::command("create kubeconfig", KUBECONFIG_FLAGS)));
            };
            Ok(HcpCommand::CreateKubeconfig {
                name: values.text("name"),
                namespace: values.text("namespace"),
            })
        }
        ["version"] => {
            let Some(values) = flags::parse(VERSION_FLAGS, rest)? else {
                return Ok(help(help::command("version", VERSION_FLAGS)));
            };
            Ok(HcpCommand::Version {
                commit_only: values.is_set("commit-only"),
                client_only: values.is_set("client-only"),
                namespace: values.text("namespace"),
            })
        }
        path => Ok(HcpCommand::Help {
            text: help::group(path),
            asked: rest.iter().any(|arg| is_help(arg)),
        }),
    }
}

const KUBECONFIG_FLAGS: &[flags::Flag] = &[
    flags::Flag::text(
        "name",
        "",
        "one hosted cluster; without it all of the namespace are merged",
    ),
    flags::Flag::text("namespace", "clusters", "the hosted cluster's namespace"),
    flags::Flag::bool(
        "port-forward",
        false,
        "go through a forwarded port; without effect on KubeVirt",
    ),
];

const VERSION_FLAGS: &[flags::Flag] = &[
    flags::Flag::bool("client-only", false, "print nothing of the server"),
    flags::Flag::bool("commit-only", false, "print only the commit"),
    flags::Flag::text("namespace", "hypershift", "the namespace that HyperShift runs in"),
];

fn help(text: String) -> HcpCommand {
    HcpCommand::Help { text, asked: true }
}

fn is_help(arg: &str) -> bool {
    arg == "--help" || arg == "-h"
}

/// The commands that arguments begin with, and what follows them. Flags may stand between.
fn command_path(args: &[String]) -> Result<(Vec<&str>, &[String]), HcpError> {
    let mut path: Vec<&str> = Vec::new();
    for arg in args {
        let known: &[&str] = match path.as_slice() {
            [] => &["create", "version", "help"],
            ["create"] => &["cluster", "kubeconfig"],
            ["create", "cluster"] => &["kubevirt"],
            _ => &[],
        };
        if !known.contains(&arg.as_str()) {
            if path.is_empty() && !arg.starts_with('-') {
                return Err(HcpError::new(format!("unknown command \"{arg}\" for \"hcp\"")));
            }
            break;
        }
        path.push(arg);
    }
    let rest = &args[path.len()..];
    Ok((path, rest))
}

#[cfg(test)]
mod tests;
