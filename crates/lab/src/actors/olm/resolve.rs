//! Which bundles a namespace's Subscriptions want next. No I/O.

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::catalog::{Bundle, Channel, Package};
use crate::client::{name_of, namespace_of};

/// What a Subscription is to get next.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Name of the Subscription.
    pub(super) subscription: String,
    pub(super) bundle: Bundle,
    /// The CatalogSource that offers it.
    pub(super) catalog: Value,
}

/// Why a namespace cannot be resolved, in OLM's words. One bad Subscription holds up all others of its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsatisfiable(pub(super) String);

/// What resolution looks at.
pub(super) struct Input<'a> {
    pub(super) subscriptions: &'a [Value],
    pub(super) service_versions: &'a [Value],
    /// All CatalogSources of the cluster.
    pub(super) catalogs: &'a [Value],
    pub(super) packages: &'a [Package],
}

/// The bundles to install, one a Subscription that is behind.
pub(super) fn resolve(input: &Input<'_>) -> Result<Vec<Wanted>, Unsatisfiable> {
    let mut wanted = Vec::new();
    for subscription in input.subscriptions {
        wanted.extend(next(input, subscription)?);
    }
    Ok(wanted)
}

/// The catalog that a Subscription names, if it exists.
pub(super) fn catalog_of<'a>(catalogs: &'a [Value], subscription: &Value) -> Option<&'a Value> {
    let spec = &subscription["spec"];
    catalogs.iter().find(|catalog| {
        name_of(catalog) == spec["source"]
            && namespace_of(catalog).is_some_and(|namespace| namespace == spec["sourceNamespace"])
    })
}

fn next(input: &Input<'_>, subscription: &Value) -> Result<Option<Wanted>, Unsatisfiable> {
    let installed = subscription["status"]["installedCSV"].as_str();
    let (Some(bundle), catalog) = choose(input, subscription, installed)? else {
        return Ok(None);
    };
    if subscription["status"]["currentCSV"] == bundle.name {
        return Ok(None);
    }
    if installed.is_none() {
        refuse_dangling(input, &bundle)?;
    }
    Ok(Some(Wanted {
        subscription: name_of(subscription).to_owned(),
        bundle,
        catalog: catalog.clone(),
    }))
}

/// The bundle that a Subscription should get next: the start that it names, then the head of its channel.
fn choose<'a>(
    input: &'a Input<'_>,
    subscription: &Value,
    installed: Option<&str>,
) -> Result<(Option<Bundle>, &'a Value), Unsatisfiable> {
    let name = name_of(subscription);
    let spec = &subscription["spec"];
    let text = |field: &str| spec[field].as_str().unwrap_or_default();
    let none_found = |where_from: &str| {
        Unsatisfiable(format!(
            "constraints not satisfiable: no operators found {where_from} referenced by subscription {name}, \
             subscription {name} exists"
        ))
    };
    let (source, namespace, package) = (text("source"), text("sourceNamespace"), text("name"));
    let catalog = catalog_of(input.catalogs, subscription).filter(|catalog| super::is_ready(catalog));
    let offered = || input.packages.iter().filter(|package| package.catalog == source);
    let catalog = catalog
        .filter(|_| offered().next().is_some())
        .ok_or_else(|| none_found(&format!("from catalog {source} in namespace {namespace}")))?;
    let offer = offered()
        .find(|offered| offered.name == package)
        .ok_or_else(|| none_found(&format!("in package {package} in the catalog")))?;
    let channel_name = Some(text("channel"))
        .filter(|channel| !channel.is_empty())
        .unwrap_or(&offer.default_channel);
    let channel = offer.channel(channel_name).ok_or_else(|| {
        none_found(&format!(
            "in channel {channel_name} of package {package} in the catalog"
        ))
    })?;
    let start = Some(text("startingCSV")).filter(|start| !start.is_empty());
    let bundle = match (installed, start) {
        (Some(installed), _) => return Ok((upgrade(offer, channel, installed), catalog)),
        (None, None) => channel.head(),
        (None, Some(start)) => channel
            .bundles
            .iter()
            .find(|bundle| bundle.name == start)
            .ok_or_else(|| {
                none_found(&format!(
                    "with name {start} in channel {channel_name} of package {package} in the catalog"
                ))
            })?,
    };
    Ok((Some(bundle.clone()), catalog))
}

/// What an installed bundle is followed by: the head of the channel, unless the bundle is newer than that, or unknown.
fn upgrade(package: &Package, channel: &Channel, installed: &str) -> Option<Bundle> {
    // Channels are listed oldest first, bundles newest first.
    let age = |of: &Channel, name: &str| {
        let index = package
            .channels
            .iter()
            .position(|candidate| candidate.name == of.name)?;
        Some((index, std::cmp::Reverse(of.position(name)?)))
    };
    let here = package
        .channels
        .iter()
        .find_map(|candidate| age(candidate, installed))?;
    let head = channel.head();
    (age(channel, &head.name)? > here).then(|| head.clone())
}

/// A ClusterServiceVersion of the package that no Subscription speaks for blocks resolution.
fn refuse_dangling(input: &Input<'_>, bundle: &Bundle) -> Result<(), Unsatisfiable> {
    let package = format!("{}.v", bundle.package);
    let referenced = |name: &str| {
        input.subscriptions.iter().any(|subscription| {
            let status = &subscription["status"];
            status["installedCSV"] == name || status["currentCSV"] == name
        })
    };
    let names = input.service_versions.iter().map(name_of);
    let mut dangling = names
        .filter(|name| name.starts_with(&package) || *name == bundle.name)
        .filter(|name| !referenced(name));
    match dangling.next() {
        None => Ok(()),
        Some(name) => Err(Unsatisfiable(format!(
            "constraints not satisfiable: clusterserviceversion {name} exists and is not referenced by a subscription"
        ))),
    }
}
