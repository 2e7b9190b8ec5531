//! The pure parts of the drop-in for the `hcp` command: arguments in, a request or the same error text as `hcp` out.
//!
//! Files and randomness come in through [`Outside`]; talking to a cluster is the caller's.

mod create_cluster;
mod create_node_pool;
mod destroy;
mod flags;
mod grammar;
mod help;
mod kubeconfig;
mod print;
mod release;
mod request;
mod ssh;
mod tree;
mod warnings;

use std::{io, path::Path};

use crate::render::Dialect;

use self::{
    flags::{Flag, Flags},
    tree::{Leaf, Named},
};

pub use create_cluster::CreateCluster;
pub use create_node_pool::CreateNodePool;
pub use destroy::DestroyCluster;
pub use kubeconfig::merged;
pub use print::{labelled_for_infra, node_pool_to_stdout, to_stdout};
pub use release::{Stream, fits_processors, release_of_stream, skew};
pub use warnings::Warning;

/// A command of `hcp`.
#[derive(Clone, Debug, PartialEq)]
pub enum HcpCommand {
    /// `create cluster kubevirt`.
    CreateCluster(Box<CreateCluster>),
    /// `create nodepool kubevirt`.
    CreateNodePool(Box<CreateNodePool>),
    /// `create kubeconfig`.
    CreateKubeconfig {
        /// One guest; empty for all in the namespace, merged.
        name: String,
        /// The HostedCluster's namespace.
        namespace: String,
    },
    /// `destroy cluster kubevirt`.
    DestroyCluster(DestroyCluster),
    /// `destroy nodepool`.
    DestroyNodePool {
        /// Name of the NodePool.
        name: String,
        /// Its namespace.
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
        done: bool,
    },
}

/// Why `hcp` refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HcpError(String);

/// What a command needs from outside: each is called only where a flag needs it.
pub struct Outside<'a> {
    /// Reads a file.
    pub read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    /// Fills a buffer with random bytes.
    pub random: &'a mut dyn FnMut(&mut [u8]),
    /// Makes an RSA key of 4096 bits, as PKCS#8 in DER.
    pub rsa_key: &'a dyn Fn() -> Result<Vec<u8>, String>,
}

impl HcpError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// From what went wrong elsewhere, to be told as `hcp` tells it.
    pub fn from_text(message: impl Into<String>) -> Self {
        Self::new(message)
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
    let (leaf, rest) = match tree::find(args)? {
        Named::Leaf(leaf, rest) => (leaf, rest),
        Named::Group(group, asked) => {
            // Only the root without a command is a failure to the original.
            let done = asked || group.path != tree::ROOT.path;
            let text = help::group(group);
            return Ok(HcpCommand::Help { text, done });
        }
    };
    let (path, known): (&str, Flags) = match leaf {
        Leaf::CreateCluster => ("create cluster kubevirt", create_cluster::FLAGS),
        Leaf::CreateNodePool => ("create nodepool kubevirt", create_node_pool::FLAGS),
        Leaf::CreateKubeconfig => ("create kubeconfig", KUBECONFIG_FLAGS),
        Leaf::DestroyCluster => ("destroy cluster kubevirt", destroy::CLUSTER_FLAGS),
        Leaf::DestroyNodePool => ("destroy nodepool", destroy::NODE_POOL_FLAGS),
        Leaf::Version => ("version", VERSION_FLAGS),
    };
    let Some(values) = flags::parse(known, rest)? else {
        let text = help::command(path, known);
        return Ok(HcpCommand::Help { text, done: true });
    };
    Ok(match leaf {
        Leaf::CreateCluster => HcpCommand::CreateCluster(Box::new(CreateCluster::from_flags(&values)?)),
        Leaf::CreateNodePool => HcpCommand::CreateNodePool(Box::new(CreateNodePool::from_flags(values)?)),
        Leaf::CreateKubeconfig => HcpCommand::CreateKubeconfig {
            name: values.text("name"),
            namespace: values.text("namespace"),
        },
        Leaf::DestroyCluster => HcpCommand::DestroyCluster(DestroyCluster::from_flags(&values)?),
        Leaf::DestroyNodePool => HcpCommand::DestroyNodePool {
            name: values.require("name")?,
            namespace: values.text("namespace"),
        },
        Leaf::Version => HcpCommand::Version {
            commit_only: values.is_set("commit-only"),
            client_only: values.is_set("client-only"),
            namespace: values.text("namespace"),
        },
    })
}

const KUBECONFIG_FLAGS: Flags = &[&[
    Flag::text(
        "name",
        "",
        "one hosted cluster; without it all of the namespace are merged",
    ),
    Flag::text("namespace", "clusters", "the hosted cluster's namespace"),
    Flag::bool(
        "port-forward",
        false,
        "go through a forwarded port; without effect on KubeVirt",
    ),
]];

const VERSION_FLAGS: Flags = &[&[
    Flag::bool("client-only", false, "print nothing of the server"),
    Flag::bool("commit-only", false, "print only the commit"),
    Flag::text("namespace", "hypershift", "the namespace that HyperShift runs in"),
]];

#[cfg(test)]
mod rules;
#[cfg(test)]
mod tests;
