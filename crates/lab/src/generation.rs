//! The sets of upstream versions that a lab can play.

use std::fmt;
use std::str::FromStr;

/// A set of upstream versions that belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// OpenShift 4.17, multicluster engine 2.7, OpenShift Virtualization 4.17.
    #[default]
    V4_17,
}

impl Generation {
    /// The Kubernetes release that its clusters run.
    pub(crate) fn kubernetes(self) -> &'static str {
        match self {
            Self::V4_17 => "1.30.4",
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4_17 => f.write_str("4.17"),
        }
    }
}

/// There is no such generation.
#[derive(Debug, thiserror::Error)]
#[error("there is no generation `{0}`; there is 4.17")]
pub struct NoSuchGeneration(String);

impl FromStr for Generation {
    type Err = NoSuchGeneration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "4.17" => Ok(Self::V4_17),
            _ => Err(NoSuchGeneration(text.to_owned())),
        }
    }
}
