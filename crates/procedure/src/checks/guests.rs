//! Rules about the guests that documents ask for: names, networks, releases, room.

use std::net::IpAddr;

use berth_api::{AvailabilityPolicy, Cidr, Documents, GuestCluster, NodePool, resources, views};
use ipnet::IpNet;
use serde_json::Value;

use crate::capacity::{self, Bound};
use crate::checks::upgrade::{self, Wish};
use crate::checks::{CheckResult, Rule, eased, fields, hub, unreadable};
use crate::cidr::overlaps;
use crate::facts::{Facts, Selector};
use crate::read::{annotation, name, objects, some_of, text};
use crate::steps::channel::channel;
use crate::steps::ids;
use crate::upgrade::completed;
use crate::versions;
use crate::walk::GuestRef;

/// ConfigMap in which HyperShift lists the releases that it creates.
pub(super) const SUPPORTED_VERSIONS: (&str, &str) = ("hypershift", "supported-versions");
/// Networks that OVN-Kubernetes keeps to itself on the management cluster (join, transit) and in guests (join).
const OVN: [(&str, &str); 3] = [
    (
        "100.64.0.0/16",
        "the join network of OVN-Kubernetes on the management cluster",
    ),
    ("100.88.0.0/16", "the transit network of OVN-Kubernetes"),
    ("100.66.0.0/16", "the join network of OVN-Kubernetes in guests"),
];

pub(super) fn run(documents: &Documents, facts: &Facts) -> Vec<CheckResult> {
    let mut results = Vec::new();
    for guest in &documents.guests {
        let is_new = !exists(facts, guest);
        let mut making = vec![unique_name(documents, guest, facts)];
        making.extend(own_namespace(guest));
        making.push(networks(guest, facts));
        results.extend(eased(is_new, making));
        // Another release is an upgrade, which has to fit as a new guest has to.
        let is_upgraded = !runs_release(facts, guest);
        results.extend(eased(is_upgraded, vec![release(documents, guest, facts)]));
        results.extend(skewed(guest));
        results.extend(upgraded(guest, facts));
        results.extend(fields::run(guest, facts));
    }
    results.extend(room(documents, facts));
    results
}

fn label(guest: &GuestCluster) -> String {
    format!("GuestCluster {}/{}", guest.namespace, guest.name)
}

/// Auto-import names a ManagedCluster after the guest alone, so the name must be unique over all namespaces.
fn unique_name(documents: &Documents, guest: &GuestCluster, facts: &Facts) -> CheckResult {
    let rule = Rule::new(
        "guest-name",
        format!("nothing else is called {}", guest.name),
        label(guest),
    )
    .at(guest.positions.at("metadata.name"));
    let fix = "choose another `metadata.name`: the import into the hub goes by the name alone";
    if guest.name == "local-cluster" {
        return rule.refused("that is the hub's own name", fix);
    }
    let twins = documents
        .guests
        .iter()
        .filter(|other| other.name == guest.name && other.namespace != guest.namespace);
    if let Some(twin) = twins.into_iter().next() {
        return rule.refused(
            format!("the documents name it in namespace {}, too", twin.namespace),
            fix,
        );
    }
    let selector = Selector::all(resources::HOSTED_CLUSTER);
    let elsewhere = objects(facts, &selector).find(|cluster| {
        name(cluster) == guest.name && text(cluster, &["metadata", "namespace"]) != Some(&guest.namespace)
    });
    if let Some(other) = elsewhere {
        let namespace = text(other, &["metadata", "namespace"]).unwrap_or_default();
        return rule.refused(format!("HostedCluster {namespace}/{} exists", guest.name), fix);
    }
    let imported =
        objects(facts, &Selector::all(resources::MANAGED_CLUSTER)).find(|cluster| name(cluster) == guest.name);
    match imported {
        Some(cluster) if annotation(cluster, "open-cluster-management/created-via") != Some("hypershift") => {
            rule.refused("a ManagedCluster of that name is another cluster", fix)
        }
        _ => match unreadable(facts, &selector) {
            Some(why) => rule.unknown(why),
            None => rule.pass("the name is free, or this guest's own"),
        },
    }
}

/// The ManagedCluster's namespace is called after the guest: sharing it, a detach would delete the guest.
fn own_namespace(guest: &GuestCluster) -> Option<CheckResult> {
    (guest.name == guest.namespace).then(|| {
        Rule::new("P23", "the namespace is not called as the guest", label(guest))
            .at(guest.positions.at("metadata.namespace"))
            .refused(
                format!("both are {}", guest.name),
                "choose another `metadata.namespace`: with the import the hub makes, and later deletes, a namespace of the guest's name",
            )
    })
}

/// A network, and whose it is.
struct Range {
    net: IpNet,
    whose: String,
}

/// The guest's ranges against the management cluster's, its nodes, and what OVN-Kubernetes keeps. That they don't overlap
/// each other is known since the document was read.
fn networks(guest: &GuestCluster, facts: &Facts) -> CheckResult {
    let rule = Rule::new(
        "C01",
        format!("networks of {} overlap no other", guest.name),
        label(guest),
    );
    let theirs = management_ranges(facts);
    let ours = guest_ranges(guest);
    let clash = ours.iter().find_map(|(path, cidr, what)| {
        let range = theirs.iter().find(|range| overlaps(range.net, cidr.net()))?;
        Some((
            path,
            format!("the {what} {cidr} overlaps {}, {}", range.net, range.whose),
        ))
    });
    if let Some((path, evidence)) = clash {
        let fix = format!(
            "choose another range in `{path}`; the defaults 10.132.0.0/14 and 172.31.0.0/16 suit a default hub"
        );
        return rule.at(guest.positions.at(path)).refused(evidence, fix);
    }
    match unreadable(facts, &Selector::cluster(resources::NETWORK_CONFIG, "cluster")) {
        Some(why) => rule.unknown(format!("the management cluster's networks are {why}")),
        None => rule.pass(
            ours.iter()
                .map(|(_, cidr, _)| cidr.to_string())
                .collect::<Vec<_>>()
                .join(", "),
        ),
    }
}

fn guest_ranges(guest: &GuestCluster) -> Vec<(String, Cidr, &'static str)> {
    let networking = &guest.spec.networking;
    let fields = [
        ("clusterNetwork", &networking.cluster_network, "cluster network"),
        ("serviceNetwork", &networking.service_network, "service network"),
        ("machineNetwork", &networking.machine_network, "machine network"),
    ];
    fields
        .into_iter()
        .flat_map(|(field, ranges, what)| {
            ranges
                .iter()
                .enumerate()
                .map(move |(index, cidr)| (format!("spec.networking.{field}[{index}]"), *cidr, what))
        })
        .collect()
}

fn management_ranges(facts: &Facts) -> Vec<Range> {
    let network = facts.object(&Selector::cluster(resources::NETWORK_CONFIG, "cluster"));
    let mut ranges = Vec::new();
    let mut add = |text: &str, whose: &str| {
        ranges.extend(text.parse().ok().map(|net| Range {
            net,
            whose: whose.to_owned(),
        }));
    };
    for entry in network
        .into_iter()
        .flat_map(|network| views::list(network, &["status", "clusterNetwork"]))
    {
        add(
            text(entry, &["cidr"]).unwrap_or_default(),
            "the management cluster's cluster network",
        );
    }
    for entry in network
        .into_iter()
        .flat_map(|network| views::list(network, &["status", "serviceNetwork"]))
    {
        add(
            entry.as_str().unwrap_or_default(),
            "the management cluster's service network",
        );
    }
    for (net, whose) in OVN {
        add(net, whose);
    }
    for (node, address) in node_addresses(facts) {
        ranges.push(Range {
            net: IpNet::from(address),
            whose: format!("the address of the node {node}"),
        });
    }
    ranges
}

fn node_addresses(facts: &Facts) -> impl Iterator<Item = (&str, IpAddr)> {
    objects(facts, &Selector::all(resources::NODE)).flat_map(|node| {
        views::list(node, &["status", "addresses"])
            .iter()
            .filter(|entry| text(entry, &["type"]) == Some("InternalIP"))
            .filter_map(|entry: &Value| text(entry, &["address"])?.parse().ok())
            .map(|address| (name(node), address))
    })
}

fn release(documents: &Documents, guest: &GuestCluster, facts: &Facts) -> CheckResult {
    let image = &guest.spec.release.image;
    let rule = Rule::new(
        "P10",
        format!("HyperShift creates {}'s release", guest.name),
        format!("release {image}"),
    )
    .at(guest.positions.at("spec.release.image"));
    let selector = supported_releases();
    if let Some(why) = unreadable(facts, &selector) {
        return rule.unknown(why);
    }
    let Some(version) = versions::of_image(image) else {
        return rule.unknown("the image's tag does not tell its version");
    };
    let fix = "name a release of a supported version in `spec.release.image`, or move the multicluster engine to a newer channel";
    let Some(_) = facts.object(&selector) else {
        // Before HyperShift runs, the published table is the best word there is.
        let channel = channel(facts, &documents.management.spec.multicluster_engine).ok();
        return match channel.as_deref().and_then(versions::row_of) {
            Some(row) if row.makes(version) => rule.pass(format!("{} makes guests of {version}", row.channel())),
            Some(row) => rule.refused(
                format!(
                    "{} makes guests of {} to {}",
                    row.channel(),
                    versions::OLDEST_GUEST,
                    row.newest_guest
                ),
                fix,
            ),
            None => rule.unknown(format!("known after {}", ids::ENGINE)),
        };
    };
    match supported(facts, image) {
        Some((true, evidence)) => rule.pass(evidence),
        Some((false, evidence)) => rule.refused(evidence, fix),
        None => rule.unknown("the image's tag does not tell its version"),
    }
}

/// Pools with a release of their own that does not go with the guest's.
fn skewed(guest: &GuestCluster) -> Vec<CheckResult> {
    let judge = |(index, pool): (usize, &NodePool)| {
        let image = &pool.release.as_ref()?.image;
        let (plane, own) = (
            versions::release_of(&guest.spec.release.image)?,
            versions::release_of(image)?,
        );
        let why = versions::skew(&plane, &own).err()?;
        let title = format!("the release of the pool {} goes with the guest's", pool.name);
        let rule = Rule::new("C22", title, label(guest));
        let at = guest.positions.at(&format!("spec.nodePools[{index}].release.image"));
        let fix = "choose a release for the pool that goes with `spec.release.image`";
        Some(
            rule.at(at)
                .refused(format!("{own} with a control plane of {plane}: {why}"), fix),
        )
    };
    guest.spec.node_pools.iter().enumerate().filter_map(judge).collect()
}

/// What upstream would refuse of an upgrade that the document asks for.
fn upgraded(guest: &GuestCluster, facts: &Facts) -> Vec<CheckResult> {
    let Some(cluster) = hosted_cluster(facts, guest).filter(|cluster| completed(cluster).is_some()) else {
        return Vec::new();
    };
    let image = &guest.spec.release.image;
    let wanted = |pool: &NodePool| {
        let image = pool.release.as_ref().map_or(image, |release| &release.image);
        let name_of = guest.node_pool_name(pool);
        let live = node_pool(facts, guest, &name_of)?;
        (views::release_image(live) != Some(image)).then(|| (name_of, image.clone()))
    };
    let wish = Wish {
        place: GuestRef::new(&guest.namespace, &guest.name),
        control_plane: (views::release_image(cluster) != Some(image)).then(|| image.clone()),
        pools: guest.spec.node_pools.iter().filter_map(wanted).collect(),
    };
    if wish.control_plane.is_none() && wish.pools.is_empty() {
        return Vec::new();
    }
    let mut results = upgrade::judge(&wish, facts);
    // The release itself is judged by the rule for new guests, and a document that pauses says so itself.
    results.retain(|result| !matches!(result.id, "P10" | "U18"));
    for result in &mut results {
        result.at = guest.positions.at("spec.release.image");
    }
    results
}

/// Where HyperShift lists the releases that it takes.
pub(super) fn supported_releases() -> Selector {
    Selector::named(resources::CONFIG_MAP, SUPPORTED_VERSIONS.0, SUPPORTED_VERSIONS.1)
}

/// Whether HyperShift takes a release, with what shows it; `None` where that can't be told.
pub(super) fn supported(facts: &Facts, image: &str) -> Option<(bool, String)> {
    let supported = supported_versions(facts.object(&supported_releases())?);
    let wanted = versions::of_image(image)?.to_string();
    let shown: Vec<_> = supported.iter().map(String::as_str).collect();
    Some(if supported.contains(&wanted) {
        (true, format!("{wanted} is among {}", supported.join(", ")))
    } else {
        (false, format!("{wanted} is not among {}", some_of(&shown)))
    })
}

fn supported_versions(map: &Value) -> Vec<String> {
    let text = text(map, &["data", "supported-versions"]).unwrap_or_default();
    let parsed: Value = serde_json::from_str(text).unwrap_or_default();
    views::list(&parsed, &["versions"])
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Whether the nodes hold the new guests' control planes, by what they may allocate; what runs already is not subtracted.
fn room(documents: &Documents, facts: &Facts) -> Option<CheckResult> {
    let new = documents
        .guests
        .iter()
        .filter(|guest| !exists(facts, guest))
        .map(|guest| match guest.spec.control_plane.availability {
            AvailabilityPolicy::HighlyAvailable => 3,
            AvailabilityPolicy::SingleReplica => 1,
        });
    // A single control plane is about a third of a highly available one.
    let planned = new.sum::<u64>().div_ceil(3);
    if planned == 0 || !hub::sees_nodes(facts) {
        return None;
    }
    let present = objects(facts, &Selector::all(resources::HOSTED_CLUSTER)).count() as u64;
    let fit = capacity::fit(hub::allocatable(facts), capacity::REQUESTED);
    let (id, what, fix) = match fit.bound {
        Bound::Pods => (
            "P16",
            "pods",
            "raise maxPods with a KubeletConfig (500 instead of 250), or add nodes",
        ),
        Bound::Cores => ("P17", "cores", "add nodes"),
        Bound::Memory => ("P17", "memory", "add nodes"),
        Bound::Guests => (
            "P18",
            "the number of guests that a hub is meant for",
            "use another management cluster",
        ),
    };
    let rule = Rule::new(id, "the nodes have room for the control planes", "Nodes");
    let sum = format!(
        "room for {} highly available control planes, bound by {what}; {present} exist, {planned} more planned",
        fit.control_planes
    );
    Some(if planned + present > fit.control_planes {
        rule.warn(sum, fix)
    } else {
        rule.pass(sum)
    })
}

/// The guest's HostedCluster, where there is one.
pub(super) fn hosted_cluster<'a>(facts: &'a Facts, guest: &GuestCluster) -> Option<&'a Value> {
    objects(facts, &Selector::all(resources::HOSTED_CLUSTER)).find(|cluster| {
        name(cluster) == guest.name && text(cluster, &["metadata", "namespace"]) == Some(&guest.namespace)
    })
}

pub(super) fn exists(facts: &Facts, guest: &GuestCluster) -> bool {
    hosted_cluster(facts, guest).is_some()
}

/// A NodePool of the guest, where there is one of this name.
pub(super) fn node_pool<'a>(facts: &'a Facts, guest: &GuestCluster, wanted: &str) -> Option<&'a Value> {
    objects(facts, &Selector::all(resources::NODE_POOL))
        .find(|pool| name(pool) == wanted && text(pool, &["metadata", "namespace"]) == Some(&guest.namespace))
}

/// Whether a pool's NodePool is there.
pub(super) fn has_pool(facts: &Facts, guest: &GuestCluster, pool: &NodePool) -> bool {
    node_pool(facts, guest, &guest.node_pool_name(pool)).is_some()
}

fn runs_release(facts: &Facts, guest: &GuestCluster) -> bool {
    hosted_cluster(facts, guest).and_then(views::release_image) == Some(&guest.spec.release.image)
}
