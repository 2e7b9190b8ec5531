use super::*;

fn facts(phase: &str, reason: &str) -> Facts {
    Facts {
        phase: phase.to_owned(),
        reason: reason.to_owned(),
        groups: Groups::One,
        requirements_met: true,
        deployments: Deployments::Available,
        successor: None,
    }
}

/// The phases and reasons that follow one another while nothing around them changes.
#[track_caller]
fn check(mut facts: Facts, expected: &[&str]) {
    let mut seen = Vec::new();
    while let Some(next) = decide(&facts) {
        assert!(seen.len() < 20, "never comes to rest: {seen:?}");
        seen.push(format!("{}/{}", next.phase, next.reason));
        facts = Facts {
            phase: next.phase.to_owned(),
            reason: next.reason.to_owned(),
            ..facts
        };
    }
    assert_eq!(seen, expected);
}

#[test]
fn a_good_version_goes_all_the_way() {
    let way = [
        "Pending/RequirementsUnknown",
        "InstallReady/AllRequirementsMet",
        "Installing/InstallSucceeded",
        "Succeeded/InstallSucceeded",
    ];
    check(facts("", ""), &way);
}

#[test]
fn it_waits_for_requirements_and_then_for_deployments() {
    let unmet = Facts {
        requirements_met: false,
        ..facts("Pending", "RequirementsUnknown")
    };
    check(unmet, &["Pending/RequirementsNotMet"]);
    let waiting = Facts {
        deployments: Deployments::Waiting("it".to_owned()),
        ..facts("Installing", "InstallSucceeded")
    };
    check(waiting, &["Installing/InstallWaiting"]);
}

#[test]
fn groups_fail_it_and_mending_them_heals_it() {
    check(
        Facts {
            groups: Groups::None,
            ..facts("Succeeded", "InstallSucceeded")
        },
        &["Failed/NoOperatorGroup"],
    );
    check(
        Facts {
            groups: Groups::Many,
            ..facts("Installing", "InstallWaiting")
        },
        &["Failed/TooManyOperatorGroups"],
    );
    let unsupported = Groups::Unsupported(InstallMode::MultiNamespace);
    check(
        Facts {
            groups: unsupported,
            ..facts("", "")
        },
        &["Failed/UnsupportedOperatorGroup"],
    );
    let way = [
        "Pending/RequirementsUnknown",
        "InstallReady/AllRequirementsMet",
        "Installing/InstallSucceeded",
        "Succeeded/InstallSucceeded",
    ];
    check(facts("Failed", "TooManyOperatorGroups"), &way);
}

#[test]
fn an_operator_that_is_lost_is_installed_again() {
    let lost = Facts {
        deployments: Deployments::Waiting("it".to_owned()),
        ..facts("Succeeded", "InstallSucceeded")
    };
    let way = [
        "Failed/ComponentUnhealthy",
        "Pending/NeedsReinstall",
        "InstallReady/AllRequirementsMet",
        "Installing/InstallSucceeded",
        "Installing/InstallWaiting",
    ];
    check(lost, &way);
}

#[test]
fn a_stuck_deployment_fails_it_until_it_moves() {
    let stuck = Facts {
        deployments: Deployments::Stuck("it".to_owned()),
        ..facts("Installing", "InstallWaiting")
    };
    check(stuck, &["Failed/InstallCheckFailed"]);
}

#[test]
fn a_successor_takes_over_when_it_has_succeeded() {
    let replaced = |succeeded| Facts {
        successor: Some(("next".to_owned(), succeeded)),
        ..facts("Succeeded", "InstallSucceeded")
    };
    check(replaced(false), &["Replacing/BeingReplaced"]);
    check(replaced(true), &["Replacing/BeingReplaced", "Deleting/Replaced"]);
}
