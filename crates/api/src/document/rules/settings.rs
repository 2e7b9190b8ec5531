//! Rules about the control plane and the guest's own configuration: what excludes or needs another field.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::{Breach, breach, quoted, texts_at};
use crate::{
    guest_cluster::Networking,
    views::{at, flag, list, number, text},
};

pub(super) fn check(document: &Value, breaches: &mut Vec<Breach>) {
    check_addresses(document, breaches);
    check_network_details(document, breaches);
    check_control_plane(document, breaches);
    check_configuration(document, breaches);
    check_autoscaling(document, breaches);
    check_storage_driver(document, breaches);
    check_adopted(document, breaches);
}

/// Names and ports by which the control plane is reached, each of which must be its own.
fn check_addresses(document: &Value, breaches: &mut Vec<Breach>) {
    let services = document.pointer("/spec/services").and_then(Value::as_object);
    let named: Vec<(String, &str)> = texts_at(
        document,
        &["spec", "controlPlane", "apiServer", "servingCerts"],
        "names",
    );
    let mut hostnames: Vec<(&str, &String)> = Vec::new();
    let mut ports: Vec<(u64, &String)> = Vec::new();
    for (name, service) in services.into_iter().flatten() {
        let field = format!("spec.services.{name}");
        if let Some(hostname) = text(service, &["hostname"]) {
            if let Some((_, other)) = hostnames.iter().find(|(known, _)| *known == hostname) {
                let cause = format!("`{hostname}` is `{other}`'s name already");
                breaches.push(breach(
                    format!("{field}.hostname"),
                    cause,
                    "give each service its own name",
                ));
            }
            let is_balanced = text(service, &["type"]) == Some("LoadBalancer");
            if let Some((place, _)) = named
                .iter()
                .find(|(_, known)| name == "apiServer" && is_balanced && *known == hostname)
            {
                let cause = format!("`{hostname}` is the name of the API server's own load balancer");
                breaches.push(breach(place, cause, "take the name out of the certificate's `names`"));
            }
            hostnames.push((hostname, name));
        }
        if let Some(port) = service.get("port").and_then(Value::as_u64) {
            if let Some((_, other)) = ports.iter().find(|(known, _)| *known == port) {
                let cause = format!("{port} is `{other}`'s port already");
                breaches.push(breach(format!("{field}.port"), cause, "give each service its own port"));
            }
            ports.push((port, name));
        }
    }
}

/// The ranges of one kind of network, each with its place; those that are left out have defaults.
fn networks(document: &Value, name: &str) -> Vec<(String, IpNet)> {
    let field = format!("spec.networking.{name}");
    let Some(given) = at(document, &["spec", "networking", name]).and_then(Value::as_array) else {
        let usual = Networking::default();
        let usual = match name {
            "clusterNetwork" => usual.cluster_network,
            "serviceNetwork" => usual.service_network,
            _ => usual.machine_network,
        };
        return usual.iter().map(|cidr| (field.clone(), cidr.net())).collect();
    };
    let texts = given.iter().enumerate();
    texts
        .filter_map(|(index, text)| Some((format!("{field}[{index}]"), text.as_str()?.parse().ok()?)))
        .collect()
}

fn check_network_details(document: &Value, breaches: &mut Vec<Breach>) {
    const PATH: &str = "spec.networking";
    let families = |name: &str| -> Vec<bool> {
        let networks = networks(document, name);
        networks.iter().map(|(_, net)| net.addr().is_ipv4()).collect()
    };
    let (pods, services) = (families("clusterNetwork"), families("serviceNetwork"));
    if let (Some(pod), Some(service)) = (pods.first(), services.first())
        && pod != service
    {
        let cause = "the first service network is of another IP family than the first cluster network";
        breaches.push(breach(
            format!("{PATH}.serviceNetwork[0]"),
            cause,
            "put the same family first in both",
        ));
    }
    if let Some(prefix) = number(document, &["spec", "networking", "hostPrefix"]) {
        if pods.len() > 1 {
            let cause = "with two cluster networks, one `hostPrefix` can't be right for both";
            let fix = "leave it out, or write both below `spec.overrides.hostedCluster.networking.clusterNetwork`";
            breaches.push(breach(format!("{PATH}.hostPrefix"), cause, fix));
        }
        let wider = networks(document, "clusterNetwork")
            .into_iter()
            .find(|(_, net)| i64::from(net.prefix_len()) >= prefix);
        if let Some((_, net)) = wider {
            let cause = format!("a node's part (/{prefix}) would be no smaller than the whole ({net})");
            breaches.push(breach(format!("{PATH}.hostPrefix"), cause, "write a longer prefix"));
        }
    }
    let plugin = text(document, &["spec", "networking", "type"]).unwrap_or("OVNKubernetes");
    let ovn = at(document, &["spec", "networking", "ovn"]).and_then(Value::as_object);
    if ovn.is_some_and(|ovn| !ovn.is_empty()) && plugin != "OVNKubernetes" {
        let cause = format!("`ovn` is for the type OVNKubernetes, this is {plugin}");
        breaches.push(breach(format!("{PATH}.ovn"), cause, "leave `ovn` out"));
    }
    let subnet = |name: &str| text(document, &["spec", "networking", "ovn", name]);
    for (join, transit) in [("joinSubnet", "transitSubnet"), ("joinSubnetIPv6", "transitSubnetIPv6")] {
        if subnet(join).is_some() && subnet(join) == subnet(transit) {
            let cause = format!("`{transit}` is `{join}` as well");
            breaches.push(breach(
                format!("{PATH}.ovn.{transit}"),
                cause,
                "give each network its own range",
            ));
        }
    }
    let address = text(document, &["spec", "controlPlane", "apiServer", "advertiseAddress"]);
    let address: Option<IpAddr> = address.and_then(|address| address.parse().ok());
    let mut ranges = ["clusterNetwork", "serviceNetwork", "machineNetwork"]
        .into_iter()
        .flat_map(|name| networks(document, name));
    if let Some((address, (field, net))) =
        address.and_then(|address| Some((address, ranges.find(|(_, net)| net.contains(&address))?)))
    {
        let cause = format!("`{address}` is within `{net}` of `{field}`");
        let fix = "choose an address outside the guest's networks";
        breaches.push(breach("spec.controlPlane.apiServer.advertiseAddress", cause, fix));
    }
}

fn check_control_plane(document: &Value, breaches: &mut Vec<Breach>) {
    const PATH: &str = "spec.controlPlane";
    let given = |path: &[&str]| at(document, path).is_some_and(|value| !value.is_null());
    if given(&["spec", "controlPlane", "etcd", "unmanaged"]) {
        for name in ["storageClass", "size", "restoreSnapshotURL"] {
            if given(&["spec", "controlPlane", "etcd", name]) {
                let cause = format!("`{name}` is about a store of the guest's own, this one is unmanaged");
                breaches.push(breach(
                    format!("{PATH}.etcd.{name}"),
                    cause,
                    format!("leave `{name}` out"),
                ));
            }
        }
    }
    let key = |name: &str| text(document, &["spec", "controlPlane", "encryption", name]);
    if key("activeKey").is_some() && key("activeKey") == key("backupKey") {
        let cause = "the former key is the active one";
        breaches.push(breach(
            format!("{PATH}.encryption.backupKey"),
            cause,
            "leave `backupKey` out",
        ));
    }
    if given(&["spec", "controlPlane", "serviceAccountSigningKey"]) && !given(&["spec", "controlPlane", "issuerURL"]) {
        let cause = "a signing key of one's own needs an `issuerURL`";
        breaches.push(breach(
            format!("{PATH}.serviceAccountSigningKey"),
            cause,
            "add `issuerURL`",
        ));
    }
    for (name, most) in [("nodeSelector", 20), ("labels", 20), ("tolerations", 25)] {
        let count = match at(document, &["spec", "controlPlane", name]) {
            Some(Value::Object(map)) => map.len(),
            Some(Value::Array(items)) => items.len(),
            _ => 0,
        };
        if count > most {
            let cause = format!("{count} entries, at most {most} are allowed");
            breaches.push(breach(format!("{PATH}.{name}"), cause, "remove entries"));
        }
    }
}

fn check_configuration(document: &Value, breaches: &mut Vec<Breach>) {
    let proxy = at(document, &["spec", "proxy"]).and_then(Value::as_object);
    if let Some(proxy) = proxy.filter(|proxy| !proxy.is_empty())
        && !proxy.contains_key("httpProxy")
        && !proxy.contains_key("httpsProxy")
    {
        let cause = "a proxy without an address does nothing";
        breaches.push(breach(
            "spec.proxy",
            cause,
            "add `httpProxy` or `httpsProxy`, or leave `proxy` out",
        ));
    }
    let has = |name: &str| !list(document, &["spec", "images", name]).is_empty();
    if has("allowedRegistries") && has("blockedRegistries") {
        let cause = "`allowedRegistries` and `blockedRegistries` exclude each other";
        breaches.push(breach("spec.images.blockedRegistries", cause, "leave one of them out"));
    }
}

fn check_autoscaling(document: &Value, breaches: &mut Vec<Breach>) {
    const PATH: &str = "spec.autoscaling";
    let down = at(document, &["spec", "autoscaling", "scaleDown"]).and_then(Value::as_object);
    let only_up = text(document, &["spec", "autoscaling", "scaling"]) == Some("ScaleUpOnly");
    if only_up && down.is_some_and(|down| !down.is_empty()) {
        let cause = "nothing is taken away with `ScaleUpOnly`";
        breaches.push(breach(format!("{PATH}.scaleDown"), cause, "leave `scaleDown` out"));
    }
    let expanders: Vec<&str> = list(document, &["spec", "autoscaling", "expanders"])
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let twice = expanders
        .iter()
        .enumerate()
        .find(|(index, name)| expanders[..*index].contains(name));
    if let Some((index, name)) = twice {
        let cause = format!("`{name}` stands here twice");
        breaches.push(breach(format!("{PATH}.expanders[{index}]"), cause, "name each once"));
    }
}

fn check_storage_driver(document: &Value, breaches: &mut Vec<Breach>) {
    const PATH: &str = "spec.storageDriver";
    let kind = text(document, &["spec", "storageDriver", "type"]);
    for name in ["storageClasses", "volumeSnapshotClasses"] {
        let mappings = list(document, &["spec", "storageDriver", name]);
        if let Some(kind) = kind.filter(|kind| *kind != "Manual" && !mappings.is_empty()) {
            let cause = format!("mappings are for the type Manual, this is {kind}");
            breaches.push(breach(
                format!("{PATH}.{name}"),
                cause,
                "leave the mappings or the type out",
            ));
        }
        for (index, mapping) in mappings.iter().enumerate() {
            let guest = text(mapping, &["guest"]);
            let is_twin = |other: &Value| guest.is_some() && text(other, &["guest"]) == guest;
            if mappings[..index].iter().any(is_twin) {
                let cause = format!("a second class is called {} in the guest", quoted(guest.into_iter()));
                breaches.push(breach(
                    format!("{PATH}.{name}[{index}].guest"),
                    cause,
                    "choose another name",
                ));
            }
        }
    }
    if kind == Some("Manual")
        && ["storageClasses", "volumeSnapshotClasses"]
            .iter()
            .all(|name| list(document, &["spec", "storageDriver", name]).is_empty())
    {
        let cause = "the type Manual has no mappings";
        breaches.push(breach(
            format!("{PATH}.type"),
            cause,
            "add `storageClasses`, or write `None` or `Default`",
        ));
    }
}

/// What is adopted keeps its owner's Secrets: nothing is made from a file.
fn check_adopted(document: &Value, breaches: &mut Vec<Breach>) {
    if flag(document, &["spec", "adopt"]) != Some(true) {
        return;
    }
    let sources: [(&[&str], &str); 4] = [
        (&["spec", "pullSecret"], "secret"),
        (&["spec", "sshKey"], "secret"),
        (&["spec", "additionalTrustBundle"], "configMap"),
        (&["spec", "infraCluster", "kubeconfig"], "secret"),
    ];
    for (path, wanted) in sources {
        let source = at(document, path).and_then(Value::as_object);
        if let Some(name) = source.and_then(|source| source.keys().find(|name| *name != wanted)) {
            let field = format!("{}.{name}", path.join("."));
            let cause = "nothing is made for a guest that is adopted";
            breaches.push(breach(field, cause, format!("name what exists: `{wanted}: NAME`")));
        }
    }
}
