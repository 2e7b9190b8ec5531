//! The steps' names, stable over releases.

use crate::step::StepId;

/// Checks of what is there.
pub const PREREQUISITES: &str = "prerequisites";
/// Wildcard routes.
pub const INGRESS: &str = "ingress";
/// The default storage class.
pub const STORAGE: &str = "storage";
/// OLM installs the multicluster engine's operator.
pub const ENGINE_OPERATOR: &str = "multicluster-engine-operator";
/// The multicluster engine.
pub const ENGINE: &str = "multicluster-engine";
/// The `hcp` program.
pub const CLI: &str = "cli";

/// A guest's HostedCluster with all that it refers to.
pub(crate) fn cluster(guest: &str) -> StepId {
    StepId::new(format!("guest/{guest}/cluster"))
}

/// One of a guest's pools, by the name that the document gives it.
pub(crate) fn pool(guest: &str, pool: &str) -> StepId {
    StepId::new(format!("guest/{guest}/pool/{pool}"))
}

/// A guest's rollout.
pub(crate) fn rollout(guest: &str) -> StepId {
    StepId::new(format!("guest/{guest}/rollout"))
}

/// A part of what a command asks of a guest.
pub(crate) fn part(guest: &str, part: &str) -> StepId {
    StepId::new(format!("guest/{guest}/{part}"))
}

/// Access to a guest.
pub(crate) fn access(guest: &str) -> StepId {
    StepId::new(format!("guest/{guest}/access"))
}

/// A way into a guest that no identity provider closes.
pub(crate) fn break_glass(guest: &str) -> StepId {
    StepId::new(format!("guest/{guest}/break-glass"))
}

/// Who may log in to a guest.
pub(crate) fn identity(guest: &str) -> StepId {
    StepId::new(format!("guest/{guest}/identity"))
}

/// A guest's removal: two guests of one name may go at once, so it names the namespace, too.
pub(crate) fn removal(namespace: &str, guest: &str) -> StepId {
    StepId::new(format!("removal/{namespace}/{guest}"))
}
