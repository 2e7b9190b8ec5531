//! What phase a ClusterServiceVersion comes to next. No I/O: one exhaustive decision on what is known of it.

#[cfg(test)]
mod tests;

use crate::catalog::InstallMode;

/// What is known of a ClusterServiceVersion and its surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) phase: String,
    pub(super) reason: String,
    pub(super) groups: Groups,
    /// Definitions and accounts that it needs are there.
    pub(super) requirements_met: bool,
    pub(super) deployments: Deployments,
    /// Name of the version that replaces it, and whether that one has succeeded.
    pub(super) successor: Option<(String, bool)>,
}

/// The OperatorGroups of its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Groups {
    None,
    /// One, that the operator can work in.
    One,
    /// One, of a type that the operator cannot work in.
    Unsupported(InstallMode),
    Many,
}

/// The Deployments that it lists, the worst of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deployments {
    /// One does not exist.
    Missing(String),
    /// One is not available.
    Waiting(String),
    /// One has been given up.
    Stuck(String),
    Available,
}

/// The next phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) phase: &'static str,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// The phase that follows, or `None` where it stays.
pub(super) fn decide(facts: &Facts) -> Option<Next> {
    let next = succession(facts)
        .or_else(|| group_trouble(facts))
        .or_else(|| progress(facts))?;
    let stays = facts.phase == next.phase && facts.reason == next.reason;
    (!stays).then_some(next)
}

fn to(phase: &'static str, reason: &'static str, message: impl Into<String>) -> Next {
    Next {
        phase,
        reason,
        message: message.into(),
    }
}

fn succession(facts: &Facts) -> Option<Next> {
    let (successor, succeeded) = facts.successor.as_ref()?;
    match facts.phase.as_str() {
        "Replacing" if *succeeded => {
            let message = "has been replaced by a newer ClusterServiceVersion that has successfully installed.";
            Some(to("Deleting", "Replaced", message))
        }
        "Succeeded" | "Replacing" => Some(to(
            "Replacing",
            "BeingReplaced",
            format!("being replaced by csv: {successor}"),
        )),
        _ => None,
    }
}

fn group_trouble(facts: &Facts) -> Option<Next> {
    let (reason, message) = match &facts.groups {
        Groups::One => return None,
        Groups::None => ("NoOperatorGroup", "csv in namespace with no operatorgroups".to_owned()),
        Groups::Many => {
            let message = "csv created in namespace with multiple operatorgroups, can't pick one automatically";
            ("TooManyOperatorGroups", message.to_owned())
        }
        Groups::Unsupported(mode) => {
            let watched = match mode {
                InstallMode::OwnNamespace => "own namespace",
                InstallMode::SingleNamespace => "one namespace",
                InstallMode::MultiNamespace => "2 or more namespaces",
                InstallMode::AllNamespaces => "all namespaces",
            };
            let mode = mode.as_str();
            let message = format!("{mode} InstallModeType not supported, cannot configure to watch {watched}");
            ("UnsupportedOperatorGroup", message)
        }
    };
    Some(to("Failed", reason, message))
}

fn progress(facts: &Facts) -> Option<Next> {
    let unmet = !facts.requirements_met;
    let next = match (facts.phase.as_str(), facts.reason.as_str()) {
        ("Failed", "NoOperatorGroup" | "TooManyOperatorGroups" | "UnsupportedOperatorGroup") | ("", _) => {
            to("Pending", "RequirementsUnknown", "requirements not yet checked")
        }
        ("Pending" | "Succeeded", _) if unmet => to(
            "Pending",
            "RequirementsNotMet",
            "one or more requirements couldn't be found",
        ),
        ("Pending", _) => to(
            "InstallReady",
            "AllRequirementsMet",
            "all requirements found, attempting install",
        ),
        ("InstallReady", _) => to(
            "Installing",
            "InstallSucceeded",
            "waiting for install components to report healthy",
        ),
        ("Installing", reason) => installing(&facts.deployments, reason),
        ("Succeeded", _) => match &facts.deployments {
            Deployments::Available => return None,
            Deployments::Missing(name) | Deployments::Waiting(name) | Deployments::Stuck(name) => {
                to("Failed", "ComponentUnhealthy", waiting_for(name))
            }
        },
        // A deadline that has passed is past: it comes right when the Deployment does.
        ("Failed", "InstallCheckFailed") if matches!(facts.deployments, Deployments::Stuck(_)) => return None,
        ("Failed", _) => to(
            "Pending",
            "NeedsReinstall",
            "installing: deployment changed or unavailable, reinstalling",
        ),
        _ => return None,
    };
    Some(next)
}

fn installing(deployments: &Deployments, reason: &str) -> Next {
    match deployments {
        Deployments::Available => to(
            "Succeeded",
            "InstallSucceeded",
            "install strategy completed with no errors",
        ),
        Deployments::Stuck(name) => {
            let message = format!(
                "install failed: deployment {name} not ready before timeout: deployment \"{name}\" exceeded its progress \
                 deadline"
            );
            to("Failed", "InstallCheckFailed", message)
        }
        Deployments::Missing(_) if reason == "InstallWaiting" => {
            to("Pending", "NeedsReinstall", "calculated deployment install is bad")
        }
        Deployments::Missing(name) | Deployments::Waiting(name) => {
            to("Installing", "InstallWaiting", waiting_for(name))
        }
    }
}

fn waiting_for(name: &str) -> String {
    format!(
        "installing: waiting for deployment {name} to become ready: deployment \"{name}\" not available: Deployment does not \
         have minimum availability."
    )
}
