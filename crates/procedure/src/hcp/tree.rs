//! Which command arguments name: the tree of `hcp`'s commands. Flags may stand anywhere behind the command that has them.

use super::{
    HcpError, create_cluster, create_node_pool, destroy,
    flags::{self, Flag, Flags, Kind},
};

/// A command that does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    CreateCluster,
    CreateNodePool,
    CreateKubeconfig,
    DestroyCluster,
    DestroyNodePool,
    Version,
}

/// What arguments name.
#[derive(Debug)]
pub(super) enum Named<'a> {
    /// A command, and its other arguments.
    Leaf(Leaf, Vec<&'a String>),
    /// A command that only holds others; whether help was asked for.
    Group(&'static Group, bool),
}

/// A command that holds others.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) path: &'static str,
    pub(super) commands: &'static [(&'static str, Node)],
    /// The flags that may stand before the next command.
    flags: Flags,
}

#[derive(Debug)]
pub(super) enum Node {
    Group(&'static Group),
    Leaf(Leaf),
    /// A command of `hcp` that this one does not have.
    Foreign,
}

pub(super) static ROOT: Group = Group {
    path: "hcp",
    commands: &[
        ("create", Node::Group(&CREATE)),
        ("destroy", Node::Group(&DESTROY)),
        ("version", Node::Leaf(Leaf::Version)),
    ],
    flags: &[],
};

static CREATE: Group = Group {
    path: "hcp create",
    commands: &[
        ("cluster", Node::Group(&CREATE_CLUSTER)),
        ("iam", Node::Foreign),
        ("infra", Node::Foreign),
        ("kubeconfig", Node::Leaf(Leaf::CreateKubeconfig)),
        ("nodepool", Node::Group(&CREATE_NODE_POOL)),
        ("oadp-backup", Node::Foreign),
        ("oadp-restore", Node::Foreign),
        ("oadp-schedule", Node::Foreign),
    ],
    flags: &[],
};

static DESTROY: Group = Group {
    path: "hcp destroy",
    commands: &[
        ("cluster", Node::Group(&DESTROY_CLUSTER)),
        ("iam", Node::Foreign),
        ("infra", Node::Foreign),
        ("nodepool", Node::Leaf(Leaf::DestroyNodePool)),
    ],
    flags: &[],
};

static CREATE_CLUSTER: Group = Group {
    path: "hcp create cluster",
    commands: platforms(Leaf::CreateCluster),
    flags: create_cluster::FLAGS,
};

static CREATE_NODE_POOL: Group = Group {
    path: "hcp create nodepool",
    commands: platforms(Leaf::CreateNodePool),
    flags: create_node_pool::FLAGS,
};

static DESTROY_CLUSTER: Group = Group {
    path: "hcp destroy cluster",
    commands: platforms(Leaf::DestroyCluster),
    flags: destroy::CLUSTER_FLAGS,
};

/// The platforms that the real `hcp` knows; this one does KubeVirt.
const fn platforms(leaf: Leaf) -> &'static [(&'static str, Node)] {
    macro_rules! platforms {
        ($leaf:expr) => {
            &[
                ("agent", Node::Foreign),
                ("aws", Node::Foreign),
                ("azure", Node::Foreign),
                ("kubevirt", Node::Leaf($leaf)),
                ("openstack", Node::Foreign),
            ]
        };
    }
    match leaf {
        Leaf::CreateNodePool => platforms!(Leaf::CreateNodePool),
        Leaf::DestroyCluster => platforms!(Leaf::DestroyCluster),
        _ => platforms!(Leaf::CreateCluster),
    }
}

/// The command that arguments name.
pub(super) fn find(args: &[String]) -> Result<Named<'_>, HcpError> {
    let mut group = &ROOT;
    let mut before: Vec<&String> = Vec::new();
    let mut helped = false;
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if flags::is_help(arg) {
            helped = true;
        } else if arg.starts_with('-') && arg.len() > 1 {
            before.push(arg);
            if takes_next(group, arg)? {
                before.extend(rest.next());
            }
        } else if arg == "help" && group.path == ROOT.path {
            helped = true;
        } else {
            match group.commands.iter().find(|(name, _)| name == arg) {
                Some((_, Node::Group(next))) => group = next,
                Some((_, Node::Leaf(leaf))) => {
                    // Help that was asked for on the way is help on where the way leads.
                    before.extend(args.iter().filter(|arg| helped && flags::is_help(arg)));
                    before.extend(rest);
                    return Ok(Named::Leaf(*leaf, before));
                }
                Some((name, Node::Foreign)) => return Err(foreign(group, name)),
                None => {
                    let unknown = format!("unknown command \"{arg}\" for \"{}\"", group.path);
                    return Err(HcpError::new(unknown));
                }
            }
        }
    }
    Ok(Named::Group(group, helped))
}

/// Whether the argument after a flag is the flag's value.
fn takes_next(group: &Group, arg: &str) -> Result<bool, HcpError> {
    let Some(body) = arg.strip_prefix("--") else {
        return Ok(false);
    };
    let (name, inline) = body.split_once('=').map_or((body, false), |(name, _)| (name, true));
    let unknown = || HcpError::new(format!("unknown flag: --{name}"));
    let flag: &Flag = flags::find(group.flags, name).ok_or_else(unknown)?;
    Ok(!inline && flag.kind != Kind::Bool)
}

fn foreign(group: &Group, name: &str) -> HcpError {
    HcpError::new(format!(
        "`{} {name}` is not there: this `hcp` makes and destroys hosted clusters on KubeVirt only; take the real `hcp` for \
         the rest",
        group.path
    ))
}
