//! What the steps of the multicluster engine share: where it is, and who manages it.

use berth_api::{MulticlusterEngine, resources, views};
use serde_json::Value;

use crate::assess::Assessment;
use crate::facts::{Facts, Seen, Selector};
use crate::read::{is_ours, label, name, objects, text};

/// Name of the MultiClusterEngine that Berth makes.
pub(crate) const ENGINE_NAME: &str = "multiclusterengine";
/// Label by which ACM's hub operator marks an engine as its own.
const HUB_LABEL: &str = "multiclusterhubs.operator.open-cluster-management.io/managed-by";

/// Who looks after the multicluster engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manager {
    /// Nobody yet, or Berth: the steps write.
    Berth,
    /// ACM brings and owns it: the steps only observe.
    Hub,
    /// Somebody installed it before Berth came: the steps only observe.
    Other,
}

/// Selectors that [`manager`] reads.
pub(crate) fn watches() -> Vec<Selector> {
    [
        resources::MULTI_CLUSTER_HUB,
        resources::MULTI_CLUSTER_ENGINE,
        resources::SUBSCRIPTION,
    ]
    .map(Selector::all)
    .into()
}

/// Who manages the multicluster engine, judged from what is there.
pub(crate) fn manager(facts: &Facts, settings: &MulticlusterEngine) -> Manager {
    let hub = !facts.objects(&Selector::all(resources::MULTI_CLUSTER_HUB)).is_empty();
    let adopted = engine(facts).is_some_and(|engine| label(engine, HUB_LABEL) == Some("true"));
    if hub || adopted {
        return Manager::Hub;
    }
    match subscription(facts, settings) {
        Some(subscription) if !is_ours(subscription) => Manager::Other,
        _ => Manager::Berth,
    }
}

/// The engine's Subscription, whatever its name and wherever it is.
pub(crate) fn subscription<'a>(facts: &'a Facts, settings: &MulticlusterEngine) -> Option<&'a Value> {
    objects(facts, &Selector::all(resources::SUBSCRIPTION))
        .find(|subscription| text(subscription, &["spec", "name"]) == Some(&settings.package))
}

/// The engine: there is at most one that is not hosted elsewhere.
pub(crate) fn engine(facts: &Facts) -> Option<&Value> {
    facts.object(&Selector::all(resources::MULTI_CLUSTER_ENGINE))
}

/// The ManagedCluster that stands for the hub itself; its name may be chosen, its label may not.
pub(crate) fn local_cluster(facts: &Facts) -> Option<&Value> {
    objects(facts, &Selector::all(resources::MANAGED_CLUSTER))
        .find(|cluster| label(cluster, "local-cluster") == Some("true") || name(cluster) == "local-cluster")
}

/// The version of OpenShift that runs: the newest update that was completed.
pub(crate) fn openshift_version(facts: &Facts) -> Option<&str> {
    let version = facts.object(&Selector::cluster(resources::CLUSTER_VERSION, "version"))?;
    views::history(version)
        .find(|entry| entry.state == "Completed")
        .map(|entry| entry.version)
}

/// What a step says while something that it stands on has not been read, or may not be.
pub(crate) fn unread(facts: &Facts, needed: &[Selector]) -> Option<Assessment> {
    needed.iter().find_map(|selector| match facts.seen(selector) {
        Seen::Pending => Some(Assessment::waiting(
            "Reading",
            format!("reading {}", selector.resource.plural),
        )),
        Seen::Unreadable(why) => Some(Assessment::waiting(
            "Unreadable",
            format!("cannot read {}: {why}", selector.resource.plural),
        )),
        Seen::NoKind | Seen::Objects(_) => None,
    })
}
