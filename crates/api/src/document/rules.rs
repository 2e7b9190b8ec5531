//! What a schema can't say of a document: fields that exclude each other, and names that are too long together.
//!
//! Rules read plain JSON, so that they speak up even where another part of the document is wrong.

mod pool;
mod settings;

use serde_json::Value;

use super::structure::quoted;
use crate::{
    cidr::Cidr,
    guest_cluster::Networking,
    name::LONGEST_LABEL,
    quantity::Quantity,
    views::{at, flag, list, number, text},
};

/// What a rule found: the field, what is wrong with it, and what to do.
pub(super) struct Breach {
    pub(super) field: String,
    pub(super) cause: String,
    pub(super) fix: String,
}

pub(super) fn breach(field: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Breach {
    Breach {
        field: field.into(),
        cause: cause.into(),
        fix: fix.into(),
    }
}

/// The texts in a list's lists, each with its place.
fn texts_at<'d>(document: &'d Value, path: &[&str], name: &str) -> Vec<(String, &'d str)> {
    let mut texts = Vec::new();
    for (outer, entry) in list(document, path).iter().enumerate() {
        for (inner, text) in list(entry, &[name]).iter().enumerate() {
            let place = format!("{}[{outer}].{name}[{inner}]", path.join("."));
            texts.extend(text.as_str().map(|text| (place, text)));
        }
    }
    texts
}

/// Everything that is wrong with a GuestCluster beyond its structure.
pub(super) fn check_guest(document: &Value) -> Vec<Breach> {
    let mut breaches = Vec::new();
    check_names(document, &mut breaches);
    check_networking(document, &mut breaches);
    check_overlaps(document, &mut breaches);
    check_services(document, &mut breaches);
    check_capabilities(document, &mut breaches);
    settings::check(document, &mut breaches);
    pool::check_patches(document.get("spec").unwrap_or(&Value::Null), "spec", &mut breaches);
    for labels in [["controlPlane", "labels"], ["controlPlane", "nodeSelector"]] {
        let path = ["spec", labels[0], labels[1]];
        pool::check_labels(at(document, &path), &path.join("."), &mut breaches);
    }
    super::identity_rules::check(document, &mut breaches);
    for (index, pool) in list(document, &["spec", "nodePools"]).iter().enumerate() {
        let path = format!("spec.nodePools[{index}]");
        check_pool(pool, &path, &mut breaches);
        pool::check(pool, &path, &mut breaches);
    }
    breaches
}

fn check_names(document: &Value, breaches: &mut Vec<Breach>) {
    let name = text(document, &["metadata", "name"]).unwrap_or_default();
    let namespace = text(document, &["metadata", "namespace"]).unwrap_or("clusters");
    if name == "local-cluster" {
        let cause = "`local-cluster` is the management cluster's own name in the multicluster engine";
        breaches.push(breach("metadata.name", cause, "choose another name"));
    }
    let together = name.len() + 1 + namespace.len();
    if together > LONGEST_LABEL && name.len() <= LONGEST_LABEL && namespace.len() <= LONGEST_LABEL {
        let cause = format!(
            "the control-plane namespace `{namespace}-{name}` would have {together} characters, {LONGEST_LABEL} are allowed"
        );
        let fix = format!(
            "shorten the name or the namespace: together they may have {}",
            LONGEST_LABEL - 1
        );
        breaches.push(breach("metadata.name", cause, fix));
    }
    let pools = list(document, &["spec", "nodePools"]);
    for (index, pool) in pools.iter().enumerate() {
        let Some(pool_name) = text(pool, &["name"]) else {
            continue;
        };
        let field = format!("spec.nodePools[{index}].name");
        if pools[..index]
            .iter()
            .any(|other| text(other, &["name"]) == Some(pool_name))
        {
            breaches.push(breach(
                &field,
                format!("a second pool is called `{pool_name}`"),
                "give each pool its own name",
            ));
        }
        let own_name = |pool: &Value| {
            let usual = || Some(format!("{name}-{}", text(pool, &["name"])?));
            text(pool, &["nodePoolName"]).map(str::to_owned).or_else(usual)
        };
        let own = own_name(pool);
        if text(pool, &["nodePoolName"]).is_some() {
            if pools
                .iter()
                .enumerate()
                .any(|(other, pool)| other != index && own_name(pool) == own)
            {
                let cause = format!("a second NodePool is called `{}`", own.unwrap_or_default());
                let field = format!("spec.nodePools[{index}].nodePoolName");
                breaches.push(breach(field, cause, "give each pool its own name"));
            }
            continue;
        }
        let length = name.len() + 1 + pool_name.len();
        if length > LONGEST_LABEL && pool_name.len() <= LONGEST_LABEL && name.len() <= LONGEST_LABEL {
            let cause = format!(
                "the NodePool `{name}-{pool_name}` would have {length} characters, {LONGEST_LABEL} are allowed"
            );
            breaches.push(breach(&field, cause, "shorten the pool's name or the guest's"));
        }
    }
}

fn check_networking(document: &Value, breaches: &mut Vec<Breach>) {
    const PATH: &str = "spec.networking";
    let Some(networking) = document.pointer("/spec/networking") else {
        return;
    };
    let plugin = text(networking, &["type"]).unwrap_or("OVNKubernetes");
    if networking.get("mtu").is_some_and(|mtu| !mtu.is_null()) && plugin != "OVNKubernetes" {
        let cause = format!("`mtu` is for the type OVNKubernetes, this is {plugin}");
        breaches.push(breach(format!("{PATH}.mtu"), cause, "leave `mtu` out"));
    }
    for name in ["disableMultiNetwork", "allocateNodeCIDRs"] {
        if flag(networking, &[name]) == Some(true) && plugin != "Other" {
            let cause = format!("`{name}` is for the type Other, this is {plugin}");
            breaches.push(breach(format!("{PATH}.{name}"), cause, format!("leave `{name}` out")));
        }
    }
}

/// A guest's own networks may not meet. Whether they meet the management cluster's is not known here.
fn check_overlaps(document: &Value, breaches: &mut Vec<Breach>) {
    let usual = Networking::default();
    let kinds = [
        ("clusterNetwork", usual.cluster_network),
        ("serviceNetwork", usual.service_network),
        ("machineNetwork", usual.machine_network),
    ];
    let mut networks: Vec<(String, Cidr)> = Vec::new();
    for (name, usual) in kinds {
        let field = format!("spec.networking.{name}");
        let given = at(document, &["spec", "networking", name]).and_then(Value::as_array);
        let Some(given) = given else {
            networks.extend(usual.into_iter().map(|network| (field.clone(), network)));
            continue;
        };
        for (index, network) in given.iter().enumerate() {
            // One that is no network is reported with the structure.
            if let Some(network) = network.as_str().and_then(|text| text.parse().ok()) {
                networks.push((format!("{field}[{index}]"), network));
            }
        }
    }
    for (index, (field, network)) in networks.iter().enumerate() {
        let met = networks[..index].iter().find(|(_, other)| {
            // Of two networks that meet, one holds the other.
            other.net().contains(&network.net()) || network.net().contains(&other.net())
        });
        if let Some((other_field, other)) = met {
            let cause = format!("`{network}` overlaps `{other}` of `{other_field}`");
            breaches.push(breach(field, cause, "give each network its own range"));
        }
    }
}

fn check_services(document: &Value, breaches: &mut Vec<Breach>) {
    let services = document.pointer("/spec/services").and_then(Value::as_object);
    for (name, service) in services.into_iter().flatten() {
        let field = format!("spec.services.{name}");
        let kind = text(service, &["type"]).unwrap_or_default();
        let node_port = kind == "NodePort";
        if node_port && service.get("address").is_none() {
            breaches.push(breach(
                &field,
                "a node port needs the nodes' `address`",
                "add `address`",
            ));
        }
        // The control plane never comes up with an API server behind a nameless route.
        if name == "apiServer" && kind == "Route" && service.get("hostname").is_none() {
            breaches.push(breach(
                &field,
                "a route to the API server needs a `hostname`",
                "add `hostname`",
            ));
        }
        let foreign: &[&str] = if node_port { &["hostname"] } else { &["address", "port"] };
        for other in foreign.iter().filter(|other| service.get(**other).is_some()) {
            let cause = format!("`{other}` does not go with the type {kind}");
            breaches.push(breach(
                format!("{field}.{other}"),
                cause,
                format!("leave `{other}` out"),
            ));
        }
    }
}

fn check_capabilities(document: &Value, breaches: &mut Vec<Breach>) {
    const PATH: &str = "spec.capabilities.disabled";
    let names = |which: &str| -> Vec<&str> {
        list(document, &["spec", "capabilities", which])
            .iter()
            .filter_map(Value::as_str)
            .collect()
    };
    let (enabled, disabled) = (names("enabled"), names("disabled"));
    let both: Vec<&str> = enabled.into_iter().filter(|name| disabled.contains(name)).collect();
    if !both.is_empty() {
        let cause = format!("{} can't be enabled and disabled", quoted(both.into_iter()));
        breaches.push(breach(PATH, cause, "name each part once"));
    }
    if disabled.contains(&"Ingress") && !disabled.contains(&"Console") {
        breaches.push(breach(
            PATH,
            "`Ingress` can be disabled only with `Console`",
            "disable `Console` as well",
        ));
    }
}

fn check_pool(pool: &Value, path: &str, breaches: &mut Vec<Breach>) {
    let given = |name: &str| pool.get(name).is_some_and(|value| !value.is_null());
    if given("replicas") && given("autoscaling") {
        let cause = "`replicas` and `autoscaling` exclude each other";
        breaches.push(breach(format!("{path}.autoscaling"), cause, "leave one of them out"));
    }
    let bound = |name: &str| number(pool, &["autoscaling", name]);
    if let (Some(min), Some(max)) = (bound("min"), bound("max"))
        && min > max
    {
        let cause = format!("`min` ({min}) is larger than `max` ({max})");
        breaches.push(breach(
            format!("{path}.autoscaling.min"),
            cause,
            "write a `max` of at least `min`",
        ));
    }
    if let Some(arch) = text(pool, &["arch"]).filter(|arch| ["arm64", "ppc64le"].contains(arch)) {
        let cause = format!("{arch} workers are not to be had on KubeVirt");
        breaches.push(breach(
            format!("{path}.arch"),
            cause,
            "leave `arch` out, or write `amd64`",
        ));
    }
    if flag(pool, &["attachDefaultNetwork"]) == Some(false) && list(pool, &["additionalNetworks"]).is_empty() {
        let cause = "workers without the default network need another";
        breaches.push(breach(
            format!("{path}.attachDefaultNetwork"),
            cause,
            "add `additionalNetworks`",
        ));
    }
    if amount(pool, &["rootVolume", "size"]).is_some_and(|size| size < Quantity::gibibytes(16)) {
        let cause = "the root volume is smaller than 16Gi";
        breaches.push(breach(
            format!("{path}.rootVolume.size"),
            cause,
            "write at least `16Gi`",
        ));
    }
    if amount(pool, &["memory"]).is_some_and(|memory| memory < Quantity::gibibytes(1)) {
        let cause = "no worker starts with less than 1Gi of memory";
        breaches.push(breach(format!("{path}.memory"), cause, "write at least `4Gi`"));
    }
}

/// An amount, which may be written without a unit.
fn amount(object: &Value, path: &[&str]) -> Option<Quantity> {
    match at(object, path)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}
