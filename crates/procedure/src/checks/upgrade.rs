//! Rules about bringing a guest to another release: the way there, what goes with what, and whether the guest is well enough.
//!
//! Upstream refuses some of this only after the edit, in conditions; here it is refused before. Not here: how far an upgrade
//! is (`crate::upgrade`), and room for more machines (`crate::forecast`).

use berth_api::{resources, views};
use serde_json::Value;

use crate::checks::{CheckResult, Rule, guests};
use crate::facts::{Facts, Seen, Selector};
use crate::pause;
use crate::read::{annotation, failed, holds, line, name, objects, some_of, text};
use crate::upgrade::{completed, is_under_way, target};
use crate::versions::{Leap, Skew, Version, leap, release_of, skew};
use crate::walk::{GuestRef, rollout};

/// Lets a control plane take the next minor although it says that it is not upgradeable; names the image.
const FORCE: &str = "hypershift.openshift.io/force-upgrade-to";

/// What is wanted of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// The guest.
    pub(crate) place: GuestRef,
    /// The release image of its control plane, where it is to become another.
    pub(crate) control_plane: Option<String>,
    /// NodePools whose release is to become another, each with its image.
    pub(crate) pools: Vec<(String, String)>,
}

/// What [`judge`] reads of the management cluster and of the guest.
pub(crate) fn watches(place: &GuestRef) -> Vec<Selector> {
    vec![
        Selector::all(resources::HOSTED_CLUSTER),
        Selector::all(resources::NODE_POOL),
        guests::supported_releases(),
        place.on_guest(resources::CLUSTER_OPERATOR),
        place.on_guest(resources::POD_DISRUPTION_BUDGET),
    ]
}

/// Judges an upgrade of a guest that is there; nothing where there is nothing to upgrade.
pub(crate) fn judge(wish: &Wish, facts: &Facts) -> Vec<CheckResult> {
    let Some(cluster) = live(facts, &wish.place) else {
        return Vec::new();
    };
    let mut results = Vec::new();
    if let Some(image) = &wish.control_plane {
        results.push(way(wish, cluster, image));
        results.extend(guests::supported(facts, image).map(|(is_supported, evidence)| {
            let rule = wish.rule("P10", "HyperShift knows the release");
            if is_supported {
                rule.pass(evidence)
            } else {
                rule.refused(evidence, "move the multicluster engine to a newer channel first")
            }
        }));
        results.extend(upgradeable(wish, cluster, image));
        results.extend(offered(wish, cluster, image));
        results.push(under_way(wish, cluster, image));
        results.extend(health(wish, cluster));
    }
    results.extend(not_paused(wish, facts, cluster));
    results.extend(pools(wish, facts, cluster));
    results.extend(operators(wish, facts));
    results.extend(budgets(wish, facts));
    results
}

/// The guest's HostedCluster.
pub(crate) fn live<'a>(facts: &'a Facts, place: &GuestRef) -> Option<&'a Value> {
    objects(facts, &Selector::all(resources::HOSTED_CLUSTER)).find(|cluster| {
        name(cluster) == place.name && text(cluster, &["metadata", "namespace"]) == Some(&place.namespace)
    })
}

fn live_pools<'a>(facts: &'a Facts, place: &GuestRef) -> impl Iterator<Item = &'a Value> {
    objects(facts, &Selector::all(resources::NODE_POOL)).filter(move |pool| {
        text(pool, &["spec", "clusterName"]) == Some(&place.name)
            && text(pool, &["metadata", "namespace"]) == Some(&place.namespace)
    })
}

/// The newest completed version, as a number.
fn present(cluster: &Value) -> Option<Version> {
    completed(cluster)?.0.parse().ok()
}

fn way(wish: &Wish, cluster: &Value, image: &str) -> CheckResult {
    let rule = wish.rule("U06", "there is a way from the present release to the wanted one");
    let (Some(from), Some(to)) = (present(cluster), release_of(image)) else {
        return rule.unknown(format!(
            "the versions can't be told from {image} and the cluster's history"
        ));
    };
    match leap(&from, &to) {
        Ok(Leap::Same) => rule.pass(format!("{to} is what it runs")),
        Ok(Leap::Patch) => rule.pass(format!("{from} to {to}, a later patch")),
        Ok(Leap::Minor) => rule.pass(format!("{from} to {to}, the next minor")),
        Err(why) => rule.refused(
            format!("{from} to {to}: {why}"),
            "choose a release that there is a way to",
        ),
    }
}

/// A guest that says it is not upgradeable takes patches, but not the next minor.
fn upgradeable(wish: &Wish, cluster: &Value, image: &str) -> Option<CheckResult> {
    let rule = wish.rule("upgradeable", "the guest lets itself be brought to the next minor");
    let (from, to) = (present(cluster)?, release_of(image)?);
    if leap(&from, &to) != Ok(Leap::Minor) {
        return None;
    }
    let Some(condition) = failed(cluster, "ClusterVersionUpgradeable") else {
        return Some(rule.pass("nothing speaks against it"));
    };
    let evidence = format!(
        "ClusterVersionUpgradeable False, {}: {}",
        condition.reason,
        line(condition.message)
    );
    if annotation(cluster, FORCE) == Some(image) {
        return Some(rule.warn(evidence, format!("the annotation {FORCE} forces it")));
    }
    Some(rule.refused(
        evidence,
        format!(
            "mend what it names, or force it with the annotation {FORCE}: {image}; a later patch of {} is allowed",
            from.minor
        ),
    ))
}

/// What the guest's channel says of the release.
fn offered(wish: &Wish, cluster: &Value, image: &str) -> Option<CheckResult> {
    let rule = wish.rule("offered", "the guest's channel recommends the release");
    let to = release_of(image)?.to_string();
    let channel = text(cluster, &["spec", "channel"])?;
    let conditional = views::list(cluster, &["status", "version", "conditionalUpdates"]);
    let risky = conditional
        .iter()
        .find(|update| text(update, &["release", "version"]) == Some(&to));
    if let Some(risky) = risky {
        let conditions = views::list(risky, &["conditions"]);
        let verdict = conditions
            .iter()
            .find(|condition| text(condition, &["type"]) == Some("Recommended"));
        let told = |field: &str| verdict.and_then(|verdict| text(verdict, &[field])).unwrap_or_default();
        let names = views::list(risky, &["risks"])
            .iter()
            .filter_map(|risk| text(risk, &["name"]));
        let evidence = format!(
            "{to} is a conditional update in {channel} (risks: {}): Recommended {}, {}: {}",
            names.collect::<Vec<_>>().join(", "),
            told("status"),
            told("reason"),
            line(told("message")),
        );
        return Some(if told("status") == "True" {
            rule.pass(evidence)
        } else {
            rule.warn(
                evidence,
                "read about the risk, and wait for a release without it if it is yours",
            )
        });
    }
    let available = views::list(cluster, &["status", "version", "availableUpdates"]);
    let versions: Vec<_> = available
        .iter()
        .filter_map(|update| text(update, &["version"]))
        .collect();
    if versions.is_empty() {
        return Some(rule.unknown(format!("the channel {channel} offers nothing yet")));
    }
    Some(if versions.contains(&to.as_str()) {
        rule.pass(format!("{to} is among the updates of {channel}"))
    } else {
        let evidence = format!("{channel} offers {}, not {to}", some_of(&versions));
        rule.warn(evidence, "choose one that is offered, or another `channel`")
    })
}

fn under_way(wish: &Wish, cluster: &Value, image: &str) -> CheckResult {
    let rule = wish.rule("under-way", "no other upgrade is under way");
    if is_under_way(cluster) && text(cluster, &["spec", "release", "image"]) != Some(image) {
        let evidence = format!("it is being brought to {}", target(cluster));
        return rule.warn(evidence, "let it finish first: berth status shows how far it is");
    }
    rule.pass("none is")
}

fn health(wish: &Wish, cluster: &Value) -> Vec<CheckResult> {
    let mut results = Vec::new();
    let rule = wish.rule("available", "the control plane is available");
    results.push(match failed(cluster, "Available") {
        Some(condition) => {
            let evidence = format!("Available False, {}: {}", condition.reason, line(condition.message));
            rule.refused(evidence, "mend it first: berth status shows the cause")
        }
        None => rule.pass("it is"),
    });
    let rule = wish.rule("etcd", "etcd is well");
    results.push(match failed(cluster, "EtcdAvailable") {
        Some(condition) => {
            let evidence = format!("EtcdAvailable False, {}: {}", condition.reason, line(condition.message));
            rule.refused(
                evidence,
                "bring all members back first: an upgrade restarts them one by one",
            )
        }
        None => rule.pass("it has its quorum"),
    });
    let rule = wish.rule("degraded", "nothing of the control plane is degraded");
    results.push(match holds(cluster, "Degraded") {
        Some(condition) => {
            let evidence = format!("Degraded True, {}: {}", condition.reason, line(condition.message));
            rule.warn(
                evidence,
                "an upgrade may take long, or stand still, while replicas are missing",
            )
        }
        None => rule.pass("nothing is"),
    });
    results
}

fn not_paused(wish: &Wish, facts: &Facts, cluster: &Value) -> Vec<CheckResult> {
    let touched = |pool: &&Value| wish.pools.iter().any(|(wished, _)| wished == name(pool));
    let own = wish.control_plane.is_some().then_some(cluster);
    let all = own.into_iter().chain(live_pools(facts, &wish.place).filter(touched));
    all.filter_map(|object| {
        // Whether a time has passed, the operator knows.
        failed(object, "ReconciliationActive")?;
        let until = pause::until(object, None)?;
        let kind = text(object, &["kind"]).unwrap_or_default();
        let rule = wish.rule("U18", "nothing is paused that is to be upgraded");
        Some(rule.refused(
            format!("{kind} {} is paused {until}", name(object)),
            "berth resume goes on with it; until then no edit has an effect",
        ))
    })
    .collect()
}

/// What each pool runs, or is to run, beside the control plane as it will be.
fn pools(wish: &Wish, facts: &Facts, cluster: &Value) -> Vec<CheckResult> {
    let image = wish.control_plane.as_deref();
    let Some(plane) = image.map_or_else(|| present(cluster), release_of) else {
        return Vec::new();
    };
    let judge = |pool: &Value| {
        let runs = text(pool, &["status", "version"]).and_then(|version| version.parse::<Version>().ok());
        let runs = runs.or_else(|| release_of(text(pool, &["spec", "release", "image"])?));
        let wished = wish.pools.iter().find(|(wished, _)| wished == name(pool));
        let rule = |title: &str| wish.rule("C22", format!("{}: {title}", name(pool)));
        let Some(to) = wished.map_or_else(|| runs.clone(), |(_, image)| release_of(image)) else {
            return Some(rule("its release goes with the control plane's").unknown("its version can't be told"));
        };
        if wished.is_some()
            && let Some(runs) = runs.filter(|runs| to < *runs)
        {
            let rule = wish.rule(
                "U06",
                format!("{}: workers are not brought back to an older release", name(pool)),
            );
            return Some(rule.refused(format!("{runs} to {to}"), "make another pool of that release instead"));
        }
        let rule = rule("its release goes with the control plane's");
        Some(match skew(&plane, &to) {
            Ok(()) => rule.pass(format!("{to} with a control plane of {plane}")),
            Err(why @ Skew::Ahead) => rule.refused(
                format!("{to} with a control plane of {plane}: {why}"),
                format!("upgrade the control plane to {to} first"),
            ),
            Err(why @ Skew::Behind { .. }) => rule.refused(
                format!("{to} with a control plane of {plane}: {why}"),
                "upgrade the pool first, minor by minor, or with the control plane",
            ),
        })
    };
    live_pools(facts, &wish.place).filter_map(judge).collect()
}

/// The guest's own operators: one that is degraded is likelier to hold an upgrade than to be mended by it.
fn operators(wish: &Wish, facts: &Facts) -> Option<CheckResult> {
    let Seen::Objects(_) = facts.seen(&wish.place.on_guest(resources::CLUSTER_OPERATOR)) else {
        return None;
    };
    if is_under_way(live(facts, &wish.place)?) {
        return None;
    }
    let rule = wish.rule("cluster-operators", "the guest's cluster operators are well");
    let (ill, total) = rollout::operators(facts, &wish.place);
    Some(if ill.is_empty() {
        rule.pass(format!("all {total} are"))
    } else {
        let evidence = format!("not available, or degraded: {}", some_of(&ill));
        rule.warn(
            evidence,
            "with the guest's kubeconfig: oc describe clusteroperator NAME says why",
        )
    })
}

/// Nodes are drained: a budget that allows nothing holds them.
fn budgets(wish: &Wish, facts: &Facts) -> Option<CheckResult> {
    if wish.pools.is_empty() {
        return None;
    }
    let selector = wish.place.on_guest(resources::POD_DISRUPTION_BUDGET);
    let Seen::Objects(_) = facts.seen(&selector) else {
        return None;
    };
    let rule = wish.rule("D04", "no PodDisruptionBudget of the guest holds its nodes");
    let tight = |budget: &&Value| {
        let number = |field: &str| views::number(budget, &["status", field]);
        number("expectedPods").is_some_and(|pods| pods > 0) && number("disruptionsAllowed") == Some(0)
    };
    let names: Vec<String> = objects(facts, &selector)
        .filter(tight)
        .map(|budget| {
            let namespace = text(budget, &["metadata", "namespace"]).unwrap_or_default();
            format!("{namespace}/{}", name(budget))
        })
        .collect();
    if names.is_empty() {
        return Some(rule.pass("none does"));
    }
    let shown: Vec<_> = names.iter().map(String::as_str).collect();
    let touched = |pool: &&Value| wish.pools.iter().any(|(wished, _)| wished == name(pool));
    let endless = live_pools(facts, &wish.place)
        .filter(touched)
        .any(|pool| text(pool, &["spec", "nodeDrainTimeout"]).is_none_or(|timeout| timeout == "0s"));
    let evidence = format!("{} allow no disruption now", some_of(&shown));
    Some(rule.warn(
        evidence,
        if endless {
            "the drain of a node waits for them without end: set `drainTimeout` on the pool, or let them allow one"
        } else {
            "the drain of a node waits for them until the pool's drain timeout"
        },
    ))
}

impl Wish {
    fn rule(&self, id: &'static str, title: impl Into<String>) -> Rule {
        Rule::new(id, title, self.place.label())
    }
}
