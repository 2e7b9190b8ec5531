//! Why an operator is not installed: OLM's objects in the order in which OLM looks at them.
//!
//! OLM says nothing at all where a namespace has no OperatorGroup, or two; that is why they come first.

use berth_api::{resources, views};
use serde_json::Value;

use crate::facts::{Facts, Selector};
use crate::read::{failed, find, holds, name, objects, some_of, text};
use crate::walk::{Finding, diagnosis};

/// One Subscription, and where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Installation<'a> {
    /// The operator's namespace.
    pub(crate) namespace: &'a str,
    /// The Subscription's name.
    pub(crate) subscription: &'a str,
    /// The package's name.
    pub(crate) package: &'a str,
    /// The namespace of its catalog.
    pub(crate) catalog_namespace: &'a str,
}

/// What catalogs say of a package. Kept narrow: all packages of a hub together are many megabytes, and can't be watched.
pub(crate) fn manifests(catalog_namespace: &str, package: &str) -> Selector {
    Selector::named(resources::PACKAGE_MANIFEST, catalog_namespace, package)
}

/// The selectors that this walk reads.
pub(crate) fn watches(namespace: &str) -> Vec<Selector> {
    [
        resources::OPERATOR_GROUP,
        resources::SUBSCRIPTION,
        resources::INSTALL_PLAN,
        resources::CLUSTER_SERVICE_VERSION,
    ]
    .map(|resource| Selector::in_namespace(resource, namespace))
    .into()
}

/// The first cause that keeps an operator from being installed.
pub(crate) fn first_cause(facts: &Facts, installation: Installation<'_>) -> Option<Finding> {
    let subscriptions = Selector::in_namespace(resources::SUBSCRIPTION, installation.namespace);
    let subscription = find(facts, &subscriptions, installation.subscription)?;
    operator_groups(facts, installation)
        .or_else(|| unresolved(facts, installation, subscription))
        .or_else(|| unhealthy_catalog(installation, subscription))
        .or_else(|| unpacking(installation, subscription))
        .or_else(|| install_plan(facts, installation, subscription))
        .or_else(|| failing_version(facts, installation, subscription))
}

fn operator_groups(facts: &Facts, installation: Installation<'_>) -> Option<Finding> {
    let groups = Selector::in_namespace(resources::OPERATOR_GROUP, installation.namespace);
    let names: Vec<_> = objects(facts, &groups).map(name).collect();
    let namespace = installation.namespace;
    match names.as_slice() {
        [_] => None,
        [] => Some(Finding::likely(diagnosis(
            "P13",
            "the namespace has no OperatorGroup, so OLM installs nothing there and says nothing",
            format!("Namespace {namespace}"),
            ["0 OperatorGroups".to_owned()],
            format!("create one with targetNamespaces [{namespace}] (the step does)"),
        ))),
        more => Some(Finding::certain(diagnosis(
            "P13",
            "the namespace has more than one OperatorGroup, so OLM installs nothing there",
            format!("Namespace {namespace}"),
            [format!("{} OperatorGroups: {}", more.len(), some_of(more))],
            format!("keep one: oc delete operatorgroup NAME -n {namespace}"),
        ))),
    }
}

fn unresolved(facts: &Facts, installation: Installation<'_>, subscription: &Value) -> Option<Finding> {
    let condition = holds(subscription, "ResolutionFailed")?;
    let object = object(installation);
    let channel = text(subscription, &["spec", "channel"]).unwrap_or_default();
    let evidence = vec![format!("ResolutionFailed, {}: {}", condition.reason, condition.message)];
    if condition.reason != "ConstraintsNotSatisfiable" {
        return Some(Finding::likely(diagnosis(
            "",
            "OLM cannot resolve the operator",
            object,
            evidence,
            "usually the catalog's pod: oc get pods -n openshift-marketplace",
        )));
    }
    let offered = offered_channels(facts, installation);
    let is_wrong_channel = condition.message.contains("in channel") || !offered.contains(&channel);
    Some(Finding::certain(if is_wrong_channel && !offered.is_empty() {
        diagnosis(
            "P09",
            format!("the catalog does not offer the channel {channel}"),
            object,
            evidence.into_iter().chain([format!("offered: {}", offered.join(", "))]),
            "write `channel: auto` in the ManagementCluster document, or one of the offered channels that fits this OpenShift",
        )
    } else {
        diagnosis(
            "P09",
            format!(
                "no catalog offers what the Subscription asks for ({})",
                installation.package
            ),
            object,
            evidence,
            "check source, package and channel: oc get packagemanifests | grep multicluster-engine",
        )
    }))
}

/// The channels that the catalogs offer for a package.
fn offered_channels<'a>(facts: &'a Facts, installation: Installation<'_>) -> Vec<&'a str> {
    objects(facts, &manifests(installation.catalog_namespace, installation.package))
        .flat_map(views::channels)
        .collect()
}

fn unhealthy_catalog(installation: Installation<'_>, subscription: &Value) -> Option<Finding> {
    let condition = holds(subscription, "CatalogSourcesUnhealthy")?;
    Some(Finding::likely(diagnosis(
        "",
        "the catalog is not healthy",
        object(installation),
        [format!("{}: {}", condition.reason, condition.message)],
        "oc get catalogsources,pods -n openshift-marketplace",
    )))
}

fn unpacking(installation: Installation<'_>, subscription: &Value) -> Option<Finding> {
    let condition = holds(subscription, "BundleUnpackFailed")?;
    let title = "the operator's bundle cannot be unpacked";
    Some(Finding::certain(diagnosis(
        if crate::walk::images::is_refusal(condition.message) {
            "C06"
        } else {
            ""
        },
        title,
        object(installation),
        [format!("{}: {}", condition.reason, condition.message)],
        "check that the nodes reach the registry with the cluster's pull secret, then delete the unpack Job and ConfigMap in \
         openshift-marketplace so that OLM tries again",
    )))
}

fn install_plan(facts: &Facts, installation: Installation<'_>, subscription: &Value) -> Option<Finding> {
    let plans = Selector::in_namespace(resources::INSTALL_PLAN, installation.namespace);
    let wanted = text(subscription, &["status", "installPlanRef", "name"])?;
    let plan = find(facts, &plans, wanted)?;
    let object = format!("InstallPlan {}/{wanted}", installation.namespace);
    match text(plan, &["status", "phase"]) {
        Some("RequiresApproval") => Some(Finding::certain(diagnosis(
            "P13",
            "the install plan waits for someone to approve it",
            object,
            [
                "phase RequiresApproval".to_owned(),
                manual_subscriptions(facts, installation.namespace),
                "one Subscription with manual approval makes every plan of its namespace manual".to_owned(),
            ],
            format!(
                "oc patch installplan {wanted} -n {} --type=merge -p '{{\"spec\":{{\"approved\":true}}}}'",
                installation.namespace
            ),
        ))),
        Some("Failed") => Some(Finding::likely(diagnosis(
            "",
            "the install plan has failed",
            object,
            [failed(plan, "Installed")
                .map(|condition| condition.message.to_owned())
                .unwrap_or_default()],
            format!(
                "correct what the message names, then make OLM plan anew: oc delete installplan {wanted} -n {}",
                installation.namespace
            ),
        ))),
        _ => None,
    }
}

fn manual_subscriptions(facts: &Facts, namespace: &str) -> String {
    let manual: Vec<_> = objects(facts, &Selector::in_namespace(resources::SUBSCRIPTION, namespace))
        .filter(|subscription| text(subscription, &["spec", "installPlanApproval"]) == Some("Manual"))
        .map(name)
        .collect();
    if manual.is_empty() {
        String::new()
    } else {
        format!("manual approval: Subscription {}", some_of(&manual))
    }
}

fn failing_version(facts: &Facts, installation: Installation<'_>, subscription: &Value) -> Option<Finding> {
    let versions = Selector::in_namespace(resources::CLUSTER_SERVICE_VERSION, installation.namespace);
    let wanted = text(subscription, &["status", "currentCSV"])?;
    let version = find(facts, &versions, wanted)?;
    let reason = text(version, &["status", "reason"]).unwrap_or_default();
    if text(version, &["status", "phase"]) != Some("Failed") && reason != "OperatorConditionNotUpgradeable" {
        return None;
    }
    let is_group_trouble = reason.contains("OperatorGroup");
    // OLM takes a failed version up again where it can, so only trouble with groups counts at once.
    let found = diagnosis(
        if is_group_trouble { "P13" } else { "" },
        "the operator's version is not installed",
        format!("ClusterServiceVersion {}/{wanted}", installation.namespace),
        [format!(
            "{reason}: {}",
            text(version, &["status", "message"]).unwrap_or_default()
        )],
        format!("oc describe csv {wanted} -n {}", installation.namespace),
    );
    Some(if is_group_trouble {
        Finding::certain(found)
    } else {
        Finding::after(5, found).with(version)
    })
}

fn object(installation: Installation<'_>) -> String {
    format!("Subscription {}/{}", installation.namespace, installation.subscription)
}
