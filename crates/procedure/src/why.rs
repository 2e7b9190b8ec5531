//! The story of a guest's bring-up: each stage with its time, the critical path, how others fared, what failed. Pure.
//!
//! Times are what the cluster itself keeps: when objects were made, when conditions last changed, when a rollout was complete,
//! what Events tell. A condition that changed again after the bring-up says nothing of it any longer, and that is told
//! instead of a wrong time. `stages` reads them, `text` writes the page.
//!
//! Two readings: [`watches`] shows the guest and which others there are; [`watches_of_others`] what is to be read of the few
//! that it is compared with.

mod stages;
#[cfg(test)]
mod tests;
mod text;

use berth_api::{resources, views};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::assess::Diagnosis;
use crate::facts::{Facts, Seen, Selector, Target};
use crate::read::{line, name, objects, text};
use crate::status;
use crate::walk::GuestRef;

pub use stages::{Stage, State};
pub use text::{markdown, plain};

/// So many of the last guests are compared with.
const OTHERS: usize = 5;

/// So many warnings are told: a page is a page.
const WARNINGS: usize = 8;

/// Where the published times come from.
pub const SOURCES: [&str; 2] = [
    "https://github.com/openshift/hypershift/blob/main/docs/content/reference/SLOs.md",
    "https://github.com/openshift/hypershift/blob/main/docs/content/reference/hostedcluster-bringup-phases.md",
];

/// A guest's bring-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Story {
    /// Namespace of the HostedCluster.
    pub namespace: String,
    /// Name of the HostedCluster.
    pub name: String,
    /// The version that it came up with; empty where it is not known.
    pub version: String,
    /// When the HostedCluster was made.
    pub created: Option<Timestamp>,
    /// When the first rollout was complete.
    pub completed: Option<Timestamp>,
    /// When this was told.
    pub now: Timestamp,
    /// The stages, in their order.
    pub stages: Vec<Stage>,
    /// From the beginning to an available control plane, and to a complete cluster.
    pub totals: Vec<Total>,
    /// How many other guests the comparison is with.
    pub compared_with: usize,
    /// What was warned of meanwhile.
    pub warnings: Vec<Warning>,
    /// What is wrong now, if something is.
    pub diagnosis: Option<Diagnosis>,
    /// Where the published times come from.
    pub sources: [&'static str; 2],
}

/// From the beginning to a mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Total {
    /// What was reached.
    pub title: &'static str,
    /// After how many seconds.
    pub seconds: Option<i64>,
    /// What others took, in the middle.
    pub others_seconds: Option<i64>,
    /// What upstream publishes.
    pub published: &'static str,
}

/// A warning among the Events of the bring-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// When it was last told.
    pub at: Timestamp,
    /// How often.
    pub count: i64,
    /// The object that it is about.
    pub object: String,
    /// Its reason.
    pub reason: String,
    /// Its words.
    pub message: String,
}

/// What the story reads, once it is known which guest it is of.
pub fn watches(namespace: &str, name: &str) -> Vec<Selector> {
    let guest = GuestRef::new(namespace, name);
    let mut watches = status::watches();
    watches.extend(status::guest_watches(namespace, name));
    watches.extend(stages::watches(&guest));
    watches.extend([
        Selector::in_namespace(resources::EVENT, namespace),
        guest.inside(resources::EVENT),
    ]);
    watches.retain(|selector| selector.target == Target::Management);
    watches.sort();
    watches.dedup();
    watches
}

/// What is to be read of the guests that this one is compared with, once it is known which they are.
pub fn watches_of_others(facts: &Facts, namespace: &str, name: &str) -> Vec<Selector> {
    let others = others(facts, &GuestRef::new(namespace, name));
    let mut watches: Vec<Selector> = others.iter().flat_map(|(other, _)| stages::watches(other)).collect();
    // Guests of one namespace share its list of pools.
    watches.retain(|selector| *facts.seen(selector) == Seen::Pending);
    watches.sort();
    watches.dedup();
    watches
}

/// The story of a guest; `None` where there is no such guest.
pub fn story(facts: &Facts, namespace: &str, name: &str, now: Timestamp) -> Option<Story> {
    let guest = GuestRef::new(namespace, name);
    let cluster = facts.object(&guest.hosted_cluster())?;
    let others = others(facts, &guest);
    let compared: Vec<Vec<Stage>> = others
        .iter()
        .map(|(place, cluster)| stages::stages(facts, place, cluster))
        .collect();
    let mut stages = stages::stages(facts, &guest, cluster);
    for stage in &mut stages {
        let all = compared.iter().flatten().filter(|other| other.id == stage.id);
        stage.others_seconds = median(all.filter_map(|other| other.seconds).collect());
    }
    let totals = totals(
        cluster,
        &stages,
        others
            .iter()
            .zip(&compared)
            .map(|((_, cluster), stages)| (*cluster, &stages[..])),
    );
    let status = status::status(facts, now);
    let own = status
        .guests
        .into_iter()
        .find(|own| own.namespace == namespace && own.name == name);
    let (created, completed) = (stages::created(cluster), stages::completed(cluster));
    let version = views::history(cluster)
        .last()
        .map(|entry| entry.version.to_owned())
        .unwrap_or_default();
    Some(Story {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        version,
        created,
        completed,
        now,
        stages,
        totals,
        compared_with: others.len(),
        warnings: warnings(facts, &guest, created, completed.unwrap_or(now)),
        diagnosis: own.and_then(|own| own.diagnosis),
        sources: SOURCES,
    })
}

/// The guests that were completed last, without this one.
fn others<'a>(facts: &'a Facts, guest: &GuestRef) -> Vec<(GuestRef, &'a Value)> {
    let mut others: Vec<_> = objects(facts, &Selector::all(resources::HOSTED_CLUSTER))
        .filter_map(|cluster| {
            let place = GuestRef::new(
                text(cluster, &["metadata", "namespace"]).unwrap_or_default(),
                name(cluster),
            );
            let completed = stages::completed(cluster)?;
            (place != *guest).then_some((completed, place, cluster))
        })
        .collect();
    others.sort_by(|(one, ..), (other, ..)| other.cmp(one));
    others.truncate(OTHERS);
    others.into_iter().map(|(_, place, cluster)| (place, cluster)).collect()
}

/// From the beginning to three marks; upstream publishes its goals so, and not for each stage.
fn totals<'a>(cluster: &Value, own: &[Stage], others: impl Iterator<Item = (&'a Value, &'a [Stage])>) -> Vec<Total> {
    let others: Vec<_> = others.collect();
    let until = |cluster: &Value, stages: &[Stage], id: &str| {
        let stage = stages.iter().find(|stage| stage.id == id)?;
        Some(stage.until?.duration_since(stages::created(cluster)?).as_secs())
    };
    let total = |id: &str, title, published| Total {
        title,
        seconds: until(cluster, own, id),
        others_seconds: median(
            others
                .iter()
                .filter_map(|(cluster, stages)| until(cluster, stages, id))
                .collect(),
        ),
        published,
    };
    vec![
        total("components", "the control plane is available", "< 5 min"),
        total("nodes", "the workers are ready", "< 8 min"),
        total("rollout", "the cluster is complete", "< 15 min"),
    ]
}

/// What was warned of between two times, the most frequent first; each object and reason once.
fn warnings(facts: &Facts, guest: &GuestRef, from: Option<Timestamp>, until: Timestamp) -> Vec<Warning> {
    let own = Selector::in_namespace(resources::EVENT, &guest.namespace);
    let inside = objects(facts, &guest.inside(resources::EVENT));
    let pools: Vec<&str> = objects(facts, &guest.node_pools())
        .filter(|pool| text(pool, &["spec", "clusterName"]) == Some(&guest.name))
        .map(name)
        .collect();
    // Beside the HostedCluster there may be those of other guests, whose names may begin alike.
    let about = |event: &&Value| {
        let about = text(event, &["involvedObject", "name"]);
        match text(event, &["involvedObject", "kind"]) {
            Some("NodePool") => about.is_some_and(|about| pools.contains(&about)),
            _ => about == Some(&guest.name),
        }
    };
    let mut warnings: Vec<Warning> = Vec::new();
    for event in objects(facts, &own).filter(about).chain(inside) {
        let Some(warning) = warning(event) else { continue };
        if warning.at > until || from.is_some_and(|from| warning.at < from) {
            continue;
        }
        match warnings
            .iter_mut()
            .find(|known| known.object == warning.object && known.reason == warning.reason)
        {
            Some(known) => {
                known.count += warning.count;
                known.at = known.at.max(warning.at);
            }
            None => warnings.push(warning),
        }
    }
    warnings.sort_by(|one, other| (other.count, one.at, &one.object).cmp(&(one.count, other.at, &other.object)));
    warnings.truncate(WARNINGS);
    warnings
}

fn warning(event: &Value) -> Option<Warning> {
    if text(event, &["type"]) != Some("Warning") {
        return None;
    }
    let fields: [&[&str]; 4] = [
        &["lastTimestamp"],
        &["series", "lastObservedTime"],
        &["eventTime"],
        &["metadata", "creationTimestamp"],
    ];
    let at = fields.into_iter().find_map(|path| text(event, path)?.parse().ok())?;
    let field = |path: &[&str]| text(event, path).unwrap_or_default();
    Some(Warning {
        at,
        count: views::number(event, &["count"]).unwrap_or(1),
        object: format!(
            "{} {}",
            field(&["involvedObject", "kind"]),
            field(&["involvedObject", "name"])
        ),
        reason: field(&["reason"]).to_owned(),
        message: line(field(&["message"])).to_owned(),
    })
}

/// The one in the middle; of an even number, the lower of the two.
fn median(mut seconds: Vec<i64>) -> Option<i64> {
    seconds.sort_unstable();
    let middle = seconds.len().checked_sub(1)? / 2;
    seconds.get(middle).copied()
}
