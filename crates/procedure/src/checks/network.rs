//! Rules about the management cluster's network: plug-in, MTU, wildcard routes, load balancer.

use berth_api::{Documents, ServiceType, WildcardPolicy, resources, views};
use serde_json::Value;

use crate::checks::{CheckResult, Rule, unreadable};
use crate::facts::{Facts, Seen, Selector};
use crate::read::{find, name, objects, text};
use crate::steps::ids;
use crate::walk::rollout::{INGRESS, WILDCARDS_ALLOWED};

/// The MTU at which a guest's double encapsulation costs nothing.
const JUMBO: i64 = 9000;

pub(super) fn run(documents: &Documents, facts: &Facts) -> Vec<CheckResult> {
    let mut results = plug_in(facts);
    results.push(wildcard_routes(documents, facts));
    results.extend(load_balancer(documents, facts));
    results
}

fn plug_in(facts: &Facts) -> Vec<CheckResult> {
    let selector = Selector::cluster(resources::NETWORK_CONFIG, "cluster");
    let kind = Rule::new("P06", "the network plug-in is OVN-Kubernetes", "Network cluster");
    let Some(network) = facts.object(&selector) else {
        return vec![kind.unknown(unreadable(facts, &selector).unwrap_or_else(|| "there is no Network".to_owned()))];
    };
    let kind = match text(network, &["status", "networkType"]) {
        Some("OVNKubernetes") => kind.pass("OVNKubernetes"),
        Some(other) => kind.refused(
            other,
            "hosting needs OVN-Kubernetes, which cannot be chosen after the installation",
        ),
        None => kind.unknown("the plug-in is not reported"),
    };
    let mtu = Rule::new("P07", "the pod network's MTU leaves room for guests", "Network cluster");
    let mtu = match views::number(network, &["status", "clusterNetworkMTU"]) {
        // The figure is the nodes' MTU less what the outer encapsulation takes, so 8900 stands for jumbo frames.
        Some(found) if found >= JUMBO - 200 => mtu.pass(found.to_string()),
        Some(found) => mtu.warn(
            format!("{found}: a guest's packets are wrapped twice"),
            "use jumbo frames (9000) on the nodes' network; until then expect slower pod traffic in guests",
        ),
        None => mtu.unknown("the MTU is not reported"),
    };
    vec![kind, mtu]
}

fn wildcard_routes(documents: &Documents, facts: &Facts) -> CheckResult {
    let settings = &documents.management.spec.ingress;
    let object = format!("IngressController {}/{}", INGRESS.0, settings.controller);
    let rule = Rule::new("P01", "wildcard routes are admitted", object)
        .at(documents.management.positions.at("spec.ingress.wildcardPolicy"));
    let selector = Selector::in_namespace(resources::INGRESS_CONTROLLER, INGRESS.0);
    if let Some(why) = unreadable(facts, &selector) {
        return rule.unknown(why);
    }
    let Some(controller) = find(facts, &selector, &settings.controller) else {
        return rule.refused(
            "it does not exist",
            "guests publish their applications through the default ingress",
        );
    };
    let policy = text(controller, &["spec", "routeAdmission", "wildcardPolicy"]);
    let shown = format!("wildcardPolicy {}", policy.unwrap_or("not set, which refuses them"));
    let own_domains =
        !documents.guests.is_empty() && documents.guests.iter().all(|guest| guest.spec.base_domain.is_some());
    match (policy, settings.wildcard_policy) {
        (Some(WILDCARDS_ALLOWED), _) => rule.pass(shown),
        (_, WildcardPolicy::WildcardsAllowed) => rule.mended_by(ids::INGRESS, shown),
        (_, WildcardPolicy::Keep) if own_domains => {
            rule.pass(format!("{shown}; every guest has a base domain of its own"))
        }
        (_, WildcardPolicy::Keep) => rule.refused(
            format!("{shown}, and the document keeps it so"),
            "leave `spec.ingress.wildcardPolicy` out, or give each guest a `spec.baseDomain` of its own",
        ),
    }
}

/// Something must give each guest's API server an address, unless it is published otherwise.
fn load_balancer(documents: &Documents, facts: &Facts) -> Option<CheckResult> {
    let new = documents
        .guests
        .iter()
        .filter(|guest| wants_address(guest) && !has_address(facts, guest))
        .count();
    let rule = Rule::new("P05", "services of type LoadBalancer get an address", "MetalLB");
    if new == 0 {
        return None;
    }
    let pools = Selector::all(resources::IP_ADDRESS_POOL);
    let install = "install MetalLB with an IPAddressPool and an advertisement for it, or another load balancer";
    match (facts.seen(&Selector::all(resources::METAL_LB)), facts.seen(&pools)) {
        (Seen::Unreadable(why), _) | (_, Seen::Unreadable(why)) => {
            return Some(rule.unknown(format!("not readable: {why}")));
        }
        (Seen::Pending, _) | (_, Seen::Pending) => return Some(rule.unknown("not read")),
        (Seen::NoKind, _) => return Some(without_metal_lb(facts, rule, install)),
        (Seen::Objects(all), _) if all.is_empty() => return Some(without_metal_lb(facts, rule, install)),
        (_, Seen::Objects(all)) if all.is_empty() && balanced(facts).next().is_some() => {
            return Some(without_metal_lb(facts, rule, install));
        }
        (_, Seen::Objects(all)) if all.is_empty() => {
            return Some(rule.refused(
                "MetalLB is there and has no IPAddressPool",
                "create an IPAddressPool and an advertisement",
            ));
        }
        _ => {}
    }
    let size: u128 = objects(facts, &pools)
        .filter(|pool| views::flag(pool, &["spec", "autoAssign"]).unwrap_or(true))
        .flat_map(|pool| views::list(pool, &["spec", "addresses"]))
        .filter_map(Value::as_str)
        .map(addresses)
        .fold(0, u128::saturating_add);
    let used = balanced(facts).count() as u128;
    let free = size.saturating_sub(used);
    Some(if free < new as u128 {
        rule.warn(
            format!("{size} addresses in pools, {used} in use, {new} wanted"),
            "add a range to an IPAddressPool: oc edit ipaddresspool -n metallb-system",
        )
    } else {
        rule.pass(format!("{free} free addresses in pools"))
    })
}

fn wants_address(guest: &berth_api::GuestCluster) -> bool {
    let published = guest.spec.services.api_server.as_ref();
    published.is_none_or(|service| service.kind == ServiceType::LoadBalancer)
}

fn has_address(facts: &Facts, guest: &berth_api::GuestCluster) -> bool {
    objects(facts, &Selector::all(resources::HOSTED_CLUSTER)).any(|cluster| {
        name(cluster) == guest.name
            && text(cluster, &["metadata", "namespace"]) == Some(&guest.namespace)
            && text(cluster, &["status", "controlPlaneEndpoint", "host"]).is_some()
    })
}

/// Services that have got an address.
fn balanced(facts: &Facts) -> impl Iterator<Item = &Value> {
    objects(facts, &Selector::all(resources::SERVICE)).filter(|service| {
        text(service, &["spec", "type"]) == Some("LoadBalancer")
            && !views::list(service, &["status", "loadBalancer", "ingress"]).is_empty()
    })
}

fn without_metal_lb(facts: &Facts, rule: Rule, install: &str) -> CheckResult {
    match balanced(facts).next() {
        Some(service) => rule.pass(format!(
            "no pool of MetalLB's, but Service {} has got an address",
            name(service)
        )),
        None => rule.warn(
            "no MetalLB, and no Service has got an address from anything else",
            install,
        ),
    }
}

/// How many addresses a pool's entry holds: a network, or `first-last`.
fn addresses(entry: &str) -> u128 {
    if let Ok(network) = entry.parse::<ipnet::IpNet>() {
        let bits = u32::from(network.max_prefix_len() - network.prefix_len());
        return 1_u128.checked_shl(bits).unwrap_or(u128::MAX);
    }
    let Some((first, last)) = entry.split_once('-') else {
        return 0;
    };
    let number = |text: &str| match text.trim().parse() {
        Ok(std::net::IpAddr::V4(address)) => Some(u128::from(u32::from(address))),
        Ok(std::net::IpAddr::V6(address)) => Some(u128::from(address)),
        Err(_) => None,
    };
    match (number(first), number(last)) {
        (Some(first), Some(last)) if last >= first => (last - first).saturating_add(1),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn pools_are_counted_as_networks_and_as_ranges() {
        assert_eq!(addresses("10.0.0.0/24"), 256);
        assert_eq!(addresses("10.0.0.10-10.0.0.19"), 10);
        assert_eq!(addresses("fd00::/120"), 256);
        assert_eq!(addresses("10.0.0.9-10.0.0.1"), 0);
        assert_eq!(addresses("nonsense"), 0);
    }
}
