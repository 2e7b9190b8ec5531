//! The sets of upstream versions that a lab can play.

/// A set of upstream versions that belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// OpenShift 4.17, multicluster engine 2.7, OpenShift Virtualization 4.17.
    #[default]
    V4_17,
}
