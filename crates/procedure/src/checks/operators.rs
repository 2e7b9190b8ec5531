//! Rules about what installs operators: the channel, the catalog, the namespace's OperatorGroups.

use berth_api::{Channel, Documents, MulticlusterEngine, resources, views};

use crate::checks::{CheckResult, Rule, unreadable};
use crate::facts::{Facts, Selector};
use crate::read::{name, objects, some_of, text};
use crate::steps::channel::{channel, manifest, manifests};
use crate::steps::hub::{self, Manager};
use crate::steps::ids;
use crate::versions;

pub(super) fn run(documents: &Documents, facts: &Facts) -> Vec<CheckResult> {
    vec![offered_channel(documents, facts), operator_groups(documents, facts)]
}

fn offered_channel(documents: &Documents, facts: &Facts) -> CheckResult {
    let management = &documents.management;
    let settings = &management.spec.multicluster_engine;
    let title = "the catalog offers a multicluster engine for this OpenShift";
    let rule = Rule::new("P09", title, format!("PackageManifest {}", settings.package))
        .at(management.positions.at("spec.multiclusterEngine.channel"));
    match hub::manager(facts, settings) {
        Manager::Hub => return rule.pass("ACM brings the multicluster engine"),
        Manager::Other => return rule.pass("the multicluster engine is installed already, not by Berth"),
        Manager::Berth => {}
    }
    for selector in [
        manifests(settings),
        Selector::cluster(resources::CLUSTER_VERSION, "version"),
    ] {
        if let Some(why) = unreadable(facts, &selector) {
            return rule.unknown(format!("{}: {why}", selector.resource.plural));
        }
    }
    let channel = match channel(facts, settings) {
        Ok(channel) => channel,
        Err(found) => return rule.refused([vec![found.title], found.evidence].concat().join("; "), found.fix),
    };
    let offered: Vec<_> = manifest(facts, settings)
        .into_iter()
        .flat_map(views::channels)
        .collect();
    if !offered.contains(&channel.as_str()) {
        // An installed operator goes on without its catalog.
        return if is_installed(facts, settings, &channel) {
            rule.warn(
                format!("{channel} is installed, but the catalog does not offer it (any more)"),
                "check the catalog",
            )
        } else {
            rule.refused(
                format!("{channel} is not offered; offered: {}", offered.join(", ")),
                "write `channel: auto`, or one of the offered channels",
            )
        };
    }
    let Some(version) = hub::openshift_version(facts) else {
        return rule.pass(channel);
    };
    let is_named = matches!(settings.channel, Channel::Named(_));
    match versions::supports(&channel, version) {
        Some(false) if is_named && !is_installed(facts, settings, &channel) => rule.refused(
            format!("{channel} does not support OpenShift {version}"),
            "write `channel: auto` in `spec.multiclusterEngine.channel`",
        ),
        Some(false) => rule.warn(
            format!("{channel} is installed and does not support OpenShift {version}"),
            "upgrade the multicluster engine: name the next channel in `spec.multiclusterEngine.channel`",
        ),
        Some(true) | None => rule.pass(format!("{channel} on OpenShift {version}")),
    }
}

/// Whether a channel is the one that is subscribed to already.
fn is_installed(facts: &Facts, settings: &MulticlusterEngine, channel: &str) -> bool {
    hub::subscription(facts, settings)
        .is_some_and(|subscription| text(subscription, &["spec", "channel"]) == Some(channel))
}

fn operator_groups(documents: &Documents, facts: &Facts) -> CheckResult {
    let settings = &documents.management.spec.multicluster_engine;
    let namespace = &settings.namespace;
    let selector = Selector::all(resources::OPERATOR_GROUP);
    let rule = Rule::new(
        "P13",
        "OLM can install into the namespace",
        format!("Namespace {namespace}"),
    );
    if let Some(why) = unreadable(facts, &selector) {
        return rule.unknown(why);
    }
    let groups: Vec<_> = objects(facts, &selector)
        .filter(|group| text(group, &["metadata", "namespace"]) == Some(namespace))
        .map(name)
        .collect();
    if groups.len() > 1 {
        return rule.refused(
            format!(
                "{} OperatorGroups: {}; OLM installs nothing where there is more than one",
                groups.len(),
                some_of(&groups)
            ),
            format!("keep one: oc delete operatorgroup NAME -n {namespace}"),
        );
    }
    let manual = objects(facts, &Selector::all(resources::SUBSCRIPTION))
        .filter(|subscription| text(subscription, &["metadata", "namespace"]) == Some(namespace))
        .find(|subscription| text(subscription, &["spec", "installPlanApproval"]) == Some("Manual"));
    if let Some(manual) = manual {
        return rule.warn(
            format!(
                "Subscription {} asks for manual approval, which then holds for every one of the namespace",
                name(manual)
            ),
            "approve the install plan when Berth names it",
        );
    }
    match groups.as_slice() {
        [] => rule.mended_by(ids::ENGINE_OPERATOR, "no OperatorGroup yet"),
        one => rule.pass(format!("OperatorGroup {}", one[0])),
    }
}
