//! The way from a node to one below it: its own, or one that many trees share (and that may lead back to where it began).

use std::{fmt, ops::Deref, sync::LazyLock};

use super::Node;

/// A node that is made when it is first needed, and then there for all.
pub(crate) type SharedNode = LazyLock<Node, Box<dyn FnOnce() -> Node + Send>>;

/// The way to a node.
#[derive(Clone)]
pub(crate) enum Edge {
    /// To one that no other tree has.
    Own(Box<Node>),
    /// To one that is there once for all.
    Shared(&'static SharedNode),
}

impl Edge {
    /// The node, of which this tree gets a copy of its own where it has none yet.
    pub(super) fn own(&mut self) -> &mut Node {
        if let Self::Shared(node) = self {
            *self = Self::Own(Box::new(Node::clone(node)));
        }
        match self {
            Self::Own(node) => node,
            Self::Shared(_) => unreachable!("it was just made its own"),
        }
    }
}

impl Deref for Edge {
    type Target = Node;

    fn deref(&self) -> &Node {
        match self {
            Self::Own(node) => node,
            Self::Shared(node) => node,
        }
    }
}

impl From<Node> for Edge {
    fn from(node: Node) -> Self {
        Self::Own(Box::new(node))
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(node) => node.fmt(f),
            // It may lead back to here.
            Self::Shared(_) => f.write_str("Shared"),
        }
    }
}
